"""The composition root's parts: the only place besides `catalog.server` that names concrete stores.

Everything that opens a log or a graph, be it the server, its projector or a command, does it here.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import structlog
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]

from catalog.access import Access, LogState
from catalog.act import InterpretedAct, interpret_act
from catalog.assertions import Erased, Interpreted
from catalog.authority.roll import Roll
from catalog.erasure.eraser import Eraser
from catalog.erasure.redaction import Keep, Reached
from catalog.erasure.register import ErasureRegister
from catalog.erasure.touching import Touched, Touching, touched_by_act, touched_by_event
from catalog.errors import InvalidInputError, RetryableError
from catalog.follower import Follower
from catalog.graph.contract import GraphStore
from catalog.log import token
from catalog.log.backup_register import still_holding
from catalog.log.entry import Entry, EntryType, Receipt, Submission
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.log.writer import LogWriter, microseconds_now
from catalog.projector import Interpret, Projector, ahead, erased_reading, outdated
from catalog.read_audit import FOLDER as AUDIT
from catalog.read_audit import ReadAudit
from catalog.settings import Settings
from ingest.limits import Limits
from ingest.namespaces import NamespaceRules
from ingest.openlineage import ModelRules, interpret
from policies.attestation.signing import KeySettings, signing_key
from policies.erasure.reach import reached_by
from policies.sandbox import Worker

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


def interpreter(settings: Settings, register: ErasureRegister | None = None) -> Interpret:
    """How entries are read under these settings: events as lineage, acts of people as such; others say nothing.

    Of entries whose bodies were erased, `register` says what is left of them.
    """
    rules = ModelRules(settings.model_namespaces, settings.model_prefixes)
    places = NamespaceRules(settings.namespace_rules)

    def whole(entry: Entry) -> Interpreted | InterpretedAct | None:
        if entry.type is not EntryType.OPENLINEAGE:
            return interpret_act(entry)
        if entry.body is None:
            return None
        return interpret(
            entry.body, seq=entry.seq, recorded=entry.recorded, actor=entry.actor, rules=rules, places=places
        )

    def read(entry: Entry) -> Interpreted | InterpretedAct | Erased | None:
        erased = register.erased_of(entry) if register is not None and entry.body is None else None
        if erased is None:
            return whole(entry)
        return Erased(entry.seq, erased.erasure.node, whole(erased.in_place_of(entry)), erased.entry.touches)

    return read


def touching(settings: Settings) -> Touching:
    """What entries touch, as these settings read them."""
    read = interpreter(settings)

    def touched(entry: Entry, keep: Keep) -> Touched:
        found = read(entry)
        if found is None or isinstance(found, InterpretedAct | Erased):
            return touched_by_act(entry)
        named = (name for part in found.parts for names in (part.datasets, part.jobs) for name in names.values())
        return touched_by_event(entry, found.record, (namespace for namespace, _ in named), keep)

    return touched


def reading_of(settings: Settings, register: ErasureRegister) -> str:
    """A name for how these settings read a log: graphs of equal logs and equal names are equal.

    What was erased by now is a part of it.
    """
    return erased_reading(_rules_of(settings), register.generation)


def _rules_of(settings: Settings) -> str:
    """Empty by default."""
    rules = [
        sorted(settings.model_namespaces),
        sorted(map(list, settings.model_prefixes)),
        list(map(list, settings.namespace_rules)),
    ]
    return sha256(json.dumps(rules).encode()).hexdigest()[:16] if any(rules) else ""


def follower(settings: Settings, log: LogReader, store: GraphStore) -> Follower:
    """A follower of the log.

    A graph that an earlier version projected, or other rules, or before an erasure, or that knows more than the log, is
    emptied: it is made again from the log, whenever that turns out.
    """

    def projector(register: ErasureRegister) -> Projector:
        reading = reading_of(settings, register)
        if outdated(store, log.origin, reading):
            logger.info("projection.renewed", store=store.name)
            store.clear()
        else:
            empty_if_ahead(log, store)
        return Projector(store, log.origin, interpreter(settings, register), reading)

    return Follower(log, projector, settings.batch)


def empty_if_ahead(log: LogReader, store: GraphStore) -> None:
    """To be done before a log that was put back grows past what the graph knows: afterwards nothing tells."""
    if ahead(store, log.size):
        logger.warning("projection.ahead", store=store.name, hint="an older log was put back; the graph is made again")
        store.clear()


def access(settings: Settings, log: LogReader, store: GraphStore) -> Access:
    def state() -> LogState:
        size = log.size()
        return LogState(log.origin, size, log.root(size))

    return Access(store, state, settings.wait_seconds)


def eraser(
    settings: Settings, log: LogReader, reads: Access, append: Callable[[Submission], Receipt], roll: Roll
) -> Eraser:
    """Erasures of this log. Who is who, when two have to agree, the roll says as of then."""

    def same_person(one: str, other: str) -> bool:
        roll.catch_up()
        return roll.persons.canonical(one) == roll.persons.canonical(other)

    def settle(size: int) -> None:
        """A graph without what was erased, within the usual time; one that lags behind will get there."""
        with suppress(RetryableError), reads.reading(at_least=token.encode(log.origin, size)):
            return

    def reach(entries: Sequence[int], concerns: Sequence[str]) -> Reached | None:
        """As far as the graph knows by now; None where its store does not answer: an erasure does not wait for it."""
        with suppress(RetryableError), reads.reading() as reading:
            return reached_by(reading, entries, concerns, microseconds_now())
        return None

    return Eraser(
        log,
        append,
        touching(settings),
        reach=reach,
        same_person=same_person,
        settle=settle,
        copies=lambda entries: still_holding(settings.data, entries),
    )


@contextmanager
def read_audit(settings: Settings) -> Iterator[ReadAudit]:
    """The log of who read what, beside the log itself."""
    folder = settings.data / AUDIT
    with create_log(folder) as store, LogWriter(store) as writer:
        yield ReadAudit(writer, settings.audited_reads)


def log_clock(log: LogReader) -> Callable[[], int]:
    """µs since 1970, never before the newest entry: a clock that was put back brings nothing back that has expired."""

    def now() -> int:
        size = log.size()
        return max(microseconds_now(), log.entry(size - 1).recorded if size else 0)

    return now


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


def signer(settings: Settings) -> Callable[[], CryptoSigner]:
    """The key that signs decisions, made when it is first needed; where it lies is logged."""

    @cache
    def key() -> CryptoSigner:
        return signing_key(KeySettings(), settings.data, lambda said: logger.warning("signing.key", told=said))

    return key


def evaluation_worker() -> Worker:
    """A process that packs are evaluated in: one that runs away is killed, and the service lives."""
    return Worker(preload=("policies.evaluation",))


def create_log(folder: Path) -> LogStore:
    """Open the log for writing, creating it; LogLockedError while another process writes."""
    return LogStore.open(folder)
