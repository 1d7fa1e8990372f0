"""The composition root's parts: the only place besides `catalog.server` that names concrete stores.

Everything that opens a log or a graph, be it the server, its projector or a command, does it here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from catalog.access import Access, LogState
from catalog.assertions import Interpreted
from catalog.errors import InvalidInputError
from catalog.follower import Follower
from catalog.graph.contract import GraphStore
from catalog.log.entry import Entry, EntryType
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.projector import Interpret, Projector, outdated
from catalog.settings import Settings
from ingest.limits import Limits
from ingest.openlineage import ModelRules, interpret

logger = structlog.get_logger(__name__)

GRAPH_FILE = "graph.db"


def open_graph(settings: Settings) -> GraphStore:
    """The graph store that the settings name. Raises StoreUnavailableError where Neo4j does not answer."""
    if settings.graph == "sqlite":
        from catalog.graph.sqlite import SqliteGraph

        return SqliteGraph.open(settings.data / GRAPH_FILE)
    if settings.graph.startswith(("neo4j://", "neo4j+s://", "bolt://", "bolt+s://")):
        from catalog.graph.neo4j import Neo4jGraph

        return Neo4jGraph.connect(settings.graph, settings.neo4j_user, settings.neo4j_password, settings.neo4j_database)
    raise InvalidInputError(f"{settings.graph} is no graph store.", "Use sqlite, or a neo4j:// or bolt:// address.")


def interpreter(settings: Settings) -> Interpret:
    """How entries are read under these settings; entries that are no events say nothing about lineage."""
    rules = ModelRules(settings.model_namespaces, settings.model_prefixes)

    def read(entry: Entry) -> Interpreted | None:
        if entry.type is not EntryType.OPENLINEAGE or entry.body is None:
            return None
        return interpret(entry.body, seq=entry.seq, recorded=entry.recorded, actor=entry.actor, rules=rules)

    return read


def follower(settings: Settings, log: LogReader, store: GraphStore) -> Follower:
    """A follower of the log. A graph that an earlier version projected is emptied: it is made again from the log."""
    if outdated(store, log.origin):
        logger.info("projection.renewed", store=store.name)
        store.clear()
    return Follower(log, Projector(store, log.origin, interpreter(settings)), settings.batch)


def access(settings: Settings, log: LogReader, store: GraphStore) -> Access:
    def state() -> LogState:
        size = log.size()
        return LogState(log.origin, size, log.root(size))

    return Access(store, state, settings.wait_seconds)


def limits(settings: Settings) -> Limits:
    return Limits(
        body=settings.max_body,
        gunzipped=settings.max_unpacked,
        datasets=settings.max_entities,
        chunk_seconds=settings.chunk_seconds,
        body_seconds=settings.body_seconds,
        concurrent_bodies=settings.max_bodies,
    )


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """A data folder opened by a command: its log, its graph brought up to date, and readings of both."""

    settings: Settings
    log: LogReader
    store: GraphStore
    access: Access

    def project(self) -> int:
        """Bring the graph up to the log; the offset reached."""
        return follower(self.settings, self.log, self.store).catch_up()


@contextmanager
def open_data(settings: Settings) -> Iterator[DataDirectory]:
    """Open a data folder for reading, and its graph for projecting.

    Raises NotFoundError where there is no log.
    """
    with LogReader.open(settings.data) as log:
        store = open_graph(settings)
        try:
            yield DataDirectory(settings, log, store, access(settings, log, store))
        finally:
            store.close()


def create_log(folder: Path) -> LogStore:
    """Open the log for writing, creating it; LogLockedError while another process writes."""
    return LogStore.open(folder)
