"""A real Neo4j for whoever asks: started once, emptied before each test."""

import os
import textwrap
from collections.abc import Iterator

import neo4j
import pytest
from hypothesis import settings

from tests.neo4j_server import (
    GivenServer,
    NoNeo4jError,
    ProcessServer,
    RunningServer,
    connect,
    find_or_start,
    wipe,
)

# No assertion is timed: how long an example takes is the machine's business.
settings.register_profile("patient", parent=settings(), deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def neo4j_server() -> Iterator[RunningServer]:
    """The session's server, with whatever the last test left in it. Skips, visibly, where there is none."""
    server = find_or_start_or_skip()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def neo4j_uri(neo4j_server: RunningServer) -> str:
    """Where an empty Neo4j answers Bolt; a server that was given may also want `neo4j_server.auth`."""
    neo4j_server.start()  # a test may have left it stopped or paused
    wipe(neo4j_server)
    return neo4j_server.uri


@pytest.fixture
def neo4j_driver(neo4j_server: RunningServer, neo4j_uri: str) -> Iterator[neo4j.Driver]:
    """A driver to an empty Neo4j."""
    with connect(neo4j_server) as driver:
        yield driver


@pytest.fixture
def stoppable_neo4j(neo4j_server: RunningServer) -> Iterator[RunningServer]:
    """An empty Neo4j that the test may stop, start, pause and resume: our own where another was given."""
    server = ProcessServer.launch() if isinstance(neo4j_server, GivenServer) else neo4j_server
    try:
        server.start()
        wipe(server)
        yield server
        server.start()
    finally:
        if server is not neo4j_server:
            server.close()


def find_or_start_or_skip() -> RunningServer:
    try:
        return find_or_start()
    except NoNeo4jError as error:
        reason = f"{error.message} {error.remedy}"
    if os.environ.get("LINEWARD_TEST_REQUIRE_NEO4J") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(textwrap.shorten(reason, 160))
