"""A Neo4j to measure, or the reason why there is none."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.neo4j_server import GivenServer, NoNeo4jError, ProcessServer, RunningServer, find_or_start, wipe


@contextmanager
def some_neo4j() -> Iterator[RunningServer | str]:
    """An empty server, or in words why none can be had. One that was given is emptied before and after."""
    try:
        server = find_or_start()
    except (NoNeo4jError, TimeoutError) as error:
        yield str(error)
        return
    try:
        wipe(server)
        yield server
        if isinstance(server, GivenServer):
            wipe(server)
    finally:
        if isinstance(server, ProcessServer | GivenServer):
            server.close()
