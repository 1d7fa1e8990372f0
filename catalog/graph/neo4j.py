"""The graph in Neo4j (2025 or later, Community is enough): for production, and for people who write Cypher.

`catalog.graph.cypher` shows the shape. The constraints that every key needs are made at the first use of an empty
database. Neo4j may be down at any time, at the start too: then each call raises StoreUnavailableError.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import neo4j
from neo4j.exceptions import AuthError, ClientError, DriverError, Neo4jError, ServiceUnavailable, SessionExpired

from catalog.errors import InvalidInputError, StoreUnavailableError, WrongLogError
from catalog.graph import cypher, neo4j_facts
from catalog.graph.contract import FOREVER, Batch, Cut, Position
from catalog.graph.neo4j_reads import Neo4jReader
from catalog.graph.neo4j_writes import write
from catalog.patience import Patience

SCHEMES = ("neo4j://", "neo4j+s://", "neo4j+ssc://", "bolt://", "bolt+s://", "bolt+ssc://")
CONNECT_WITHIN = 5.0  # seconds
ANSWER_WITHIN = 5.0  # seconds, to say how far it is: a server that takes longer hangs, and is asked nothing else
RETRY_WITHIN = 2.0  # seconds, of deadlocks, elections and lost connections; the projector tries again anyway
_MADE_MEANWHILE = "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists"


class Neo4jGraph:
    """A store that any number of processes share. One projects at a time: a lock in the database sees to it."""

    name = "neo4j"

    def __init__(self, driver: neo4j.Driver, uri: str, database: str) -> None:
        self._driver = driver
        self._uri = uri
        self._database = database
        self._preparing = Lock()
        self._prepared = False
        self._patience = Patience(ANSWER_WITHIN)

    @classmethod
    def connect(
        cls, uri: str, user: str | None = None, password: str | None = None, database: str = "neo4j"
    ) -> "Neo4jGraph":
        """The graph at this address, which need not answer yet. Raises InvalidInputError for what is no address."""
        if not uri.startswith(SCHEMES):
            raise InvalidInputError(f"{uri} is no address of a Neo4j.", "Try neo4j://HOST:7687.")
        off = neo4j.NotificationMinimumSeverity.OFF
        driver = neo4j.GraphDatabase.driver(
            uri,
            auth=(user, password or "") if user else None,
            connection_timeout=CONNECT_WITHIN,
            connection_acquisition_timeout=2 * CONNECT_WITHIN,
            max_transaction_retry_time=RETRY_WITHIN,
            notifications_min_severity=off,
            warn_notification_severity=off,
            telemetry_disabled=True,
        )
        return cls(driver, uri, database)

    def position(self) -> Position | None:
        with self._reaching():
            self._prepare()
            return self._patience.ask(self._ask_position)

    def _ask_position(self) -> Position | None:
        with self._open(neo4j.READ_ACCESS) as session:
            return _position(session.run(cypher.POSITION).values())

    def apply(self, batch: Batch, origin: str, start: int, end: int) -> bool:
        with self._session(neo4j.WRITE_ACCESS) as session:
            try:
                session.execute_write(self._project, batch, Position(origin, start), end)
            except _MovedError:
                return False
            except _ClearingError:
                _clear(session)
                return self.apply(batch, origin, start, end)
        return True

    def _project(self, tx: neo4j.ManagedTransaction, batch: Batch, at: Position, end: int) -> None:
        """The offset first: that takes the lock under which all else is looked up and written."""
        tx.run(cypher.LOCK, origin=at.origin).consume()
        ((held, offset),) = tx.run(cypher.POSITION).values()
        if offset == cypher.CLEARING:
            raise _ClearingError
        if held != at.origin:
            raise WrongLogError(
                f"{self._uri} holds the log {held}, not {at.origin}.",
                "Name another database, or clear this one.",
            )
        if not tx.run(cypher.COMPARE_AND_SET, origin=at.origin, start=at.offset, end=end).values():
            raise _MovedError
        write(tx, batch)

    @contextmanager
    def read(self, known: int | None = None, valid: int = FOREVER) -> Iterator[Neo4jReader]:
        with self._session(neo4j.READ_ACCESS) as session, session.begin_transaction() as tx:

            def ask(query: str, **parameters: Any) -> list[list[Any]]:
                return tx.run(query, **parameters).values()

            rows = ask(cypher.POSITION_AND_EPOCH)
            position = _position([row[:2] for row in rows])
            offset = position.offset if position else 0
            cut = Cut(offset if known is None else min(known, offset), valid)
            yield Neo4jReader(ask, offset, cut, rows[0][2] if rows else None)

    def facts(self) -> Iterator[bytes]:
        """Projectors wait meanwhile, so that the facts are those of one state."""
        with self._session(neo4j.WRITE_ACCESS) as session, session.begin_transaction() as tx:
            tx.run(cypher.HOLD).consume()
            yield from neo4j_facts.facts(tx)

    def clear(self) -> None:
        """In pieces, as no transaction could hold it; the next `apply` finishes what was cut short."""
        with self._session(neo4j.WRITE_ACCESS) as session:
            session.run(cypher.START_CLEARING).consume()
            _clear(session)

    def close(self) -> None:
        self._driver.close()

    @contextmanager
    def _session(self, access: str) -> Iterator[neo4j.Session]:
        with self._reaching():
            if self._patience.exhausted:
                raise TimeoutError(f"no answer within {ANSWER_WITHIN:g} s")
            self._prepare()
            with self._open(access) as session:
                yield session

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Raises StoreUnavailableError where trying again may help, whatever the driver calls it."""
        try:
            yield
        except AuthError as error:
            raise StoreUnavailableError(
                f"Neo4j at {self._uri} refuses the credentials.", "Correct the user and the password."
            ) from error
        except (DriverError, Neo4jError, TimeoutError) as error:
            if not isinstance(error, TimeoutError) and not _may_pass(error):
                raise
            raise StoreUnavailableError(
                f"Neo4j at {self._uri} does not answer: {error}",
                "Start it or correct its address; the graph catches up by itself.",
            ) from error

    def _open(self, access: str) -> neo4j.Session:
        return self._driver.session(database=self._database, default_access_mode=access)

    def _prepare(self) -> None:
        """Once: make what constraints and indexes are missing."""
        with self._preparing:
            if not self._prepared:
                with self._open(neo4j.WRITE_ACCESS) as session:
                    _make_schema(session)
                self._prepared = True


class _MovedError(Exception):
    """The offset is not where the batch starts: the transaction is to be rolled back."""


class _ClearingError(Exception):
    """A `clear` was cut short."""


def _make_schema(session: neo4j.Session) -> None:
    present = {name for (name,) in session.run(cypher.PRESENT).values()}
    missing = [statement for name, statement in cypher.schema() if name not in present]
    for statement in missing:
        _make(session, statement)
    if missing:
        session.run(cypher.AWAIT_INDEXES).consume()


def _make(session: neo4j.Session, statement: str) -> None:
    """A server and its projector may both find a database empty, and IF NOT EXISTS misses what is still being made."""
    try:
        session.execute_write(lambda tx: tx.run(statement).consume())  # again where two of them deadlock
    except ClientError as error:
        if error.code != _MADE_MEANWHILE:
            raise


def _position(rows: list[list[Any]]) -> Position | None:
    """None for an empty graph, and for one that is being emptied."""
    held = [Position(*row) for row in rows]
    return held[0] if held and held[0].offset != cypher.CLEARING else None


def _clear(session: neo4j.Session) -> None:
    for statement in cypher.CLEAR:
        session.run(statement).consume()


def _may_pass(error: DriverError | Neo4jError) -> bool:
    return error.is_retryable() or isinstance(error, (ServiceUnavailable, SessionExpired))
