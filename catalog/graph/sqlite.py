"""The graph in one SQLite file: the embedded default.

Several assertions of one node make one record, as in every store: `at` is the smallest and `seq` the smallest that the
cut sees, each for itself.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import apsw

from catalog.errors import WrongLogError
from catalog.graph import sqlite_facts, sqlite_schema
from catalog.graph.contract import FOREVER, Batch, Cut, Position
from catalog.graph.sqlite_reads import SqliteReader
from catalog.graph.sqlite_records import REMEMBERED, Known, RecordDecoder
from catalog.graph.sqlite_writes import Writer
from catalog.remembered import Remembered

IDLE = 8  # connections kept for the next readers


class SqliteGraph:
    """A store for one writing process, any number of reading ones, and any number of threads."""

    name = "sqlite"

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection
        self._writer = Writer(connection)
        self._lock = Lock()
        self._idle: deque[_Reading] = deque()
        self._known: Known = Remembered(REMEMBERED)
        self._leaves_traces = _position(connection) is None  # perhaps of a clearing that was cut short
        self._closed = False

    @classmethod
    def open(cls, path: Path) -> "SqliteGraph":
        """The graph in this file, made where it is missing. Raises InvalidInputError for somebody else's database."""
        return cls(path, sqlite_schema.connect(str(path)))

    def position(self) -> Position | None:
        with self._lock:
            return _position(self._connection)

    def apply(self, batch: Batch, origin: str, start: int, end: int) -> bool:
        with self._writing():
            position = _position(self._connection) or Position(origin, 0)
            if position.origin != origin:
                raise WrongLogError(
                    f"{self._path} holds the log {position.origin}, not {origin}.",
                    "Name another file, or clear this one.",
                )
            if position.offset != start:
                return False
            self._writer.add(batch)
            _move(self._connection, Position(origin, end))
        self._leave_no_traces()
        return True

    @contextmanager
    def read(self, known: int | None = None, valid: int = FOREVER) -> Iterator[SqliteReader]:
        with self._reading() as (connection, records):
            position = _position(connection)
            offset = position.offset if position else 0
            cut = Cut(offset if known is None else min(known, offset), valid)
            epoch = connection.pragma("schema_version")  # tables are made anew when the graph is emptied
            yield SqliteReader(connection, records, offset, cut, epoch)

    def facts(self) -> Iterator[bytes]:
        with self._reading() as (connection, records):
            yield from sqlite_facts.facts(connection, records)

    def clear(self) -> None:
        """Nothing of it stays in the file, either: it may have been erased from the log."""
        with self._writing():
            sqlite_schema.recreate(self._connection)
            self._writer.forget()
        self._known = Remembered(REMEMBERED)
        self._leaves_traces = True
        self._leave_no_traces()

    def close(self) -> None:
        """Readers that are still at work close their connections themselves."""
        self._closed = True
        while self._idle:
            self._idle.pop()[0].close()
        with self._lock:
            self._connection.close()

    def _leave_no_traces(self) -> None:
        """Write the file anew, without its free pages, and empty the write-ahead file; later, where somebody reads."""
        if not self._leaves_traces:
            return
        with self._lock:
            try:
                self._connection.execute("vacuum")
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            except (apsw.BusyError, apsw.LockedError, apsw.FullError):
                return
            self._leaves_traces = False

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield
                self._connection.execute("commit")
            except BaseException:
                self._writer.forget()
                _roll_back(self._connection)
                raise

    @contextmanager
    def _reading(self) -> Iterator["_Reading"]:
        """A connection of one's own, in a transaction that its first statement fixes to one state."""
        connection, records = self._take()
        try:
            connection.execute("begin")
            yield connection, records
        finally:
            _roll_back(connection)
            self._give_back((connection, records))

    def _take(self) -> "_Reading":
        try:
            return self._idle.pop()
        except IndexError:
            connection = sqlite_schema.connect_reader(str(self._path))
            return connection, RecordDecoder(connection, self._known)

    def _give_back(self, reading: "_Reading") -> None:
        if len(self._idle) < IDLE and not self._closed:
            self._idle.append(reading)
        else:
            reading[0].close()


_Reading = tuple[apsw.Connection, RecordDecoder]


def _position(connection: apsw.Connection) -> Position | None:
    row = connection.execute("select origin, offset from position").fetchone()
    return Position(*row) if row else None


def _roll_back(connection: apsw.Connection) -> None:
    """SQLite may have done so itself, on a full disk for instance."""
    if connection.in_transaction:
        connection.execute("rollback")


def _move(connection: apsw.Connection, position: Position) -> None:
    connection.execute("delete from position")
    connection.execute("insert into position (origin, offset) values (?, ?)", (position.origin, position.offset))
