"""The log's database file: its tables, how connections to it are set up, and which SQLite may touch it."""

import uuid
from pathlib import Path
from secrets import token_bytes
from typing import Any

import apsw

from catalog.errors import CorruptLogError, NotFoundError, UnsupportedPlatformError, WrongLogError

FILE = "log.db"
APPLICATION_ID = 0x4C4E5744  # "LNWD"
USER_VERSION = 1
SECRET_BYTES = 32

_TABLES = """
CREATE TABLE log(
  id INTEGER PRIMARY KEY CHECK (id = 1), origin TEXT NOT NULL, secret BLOB NOT NULL, epoch INTEGER NOT NULL
) STRICT;
CREATE TABLE entry(seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, envelope BLOB NOT NULL) STRICT;
CREATE TABLE body(  -- a row deleted is a body erased
  seq INTEGER PRIMARY KEY, salt BLOB NOT NULL, dictionary INTEGER NOT NULL, compressed BLOB NOT NULL
) STRICT;
CREATE TABLE idem(  -- milliseconds first: a random key alone dirties a page per entry
  t INTEGER NOT NULL, digest BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(t, digest)
) STRICT, WITHOUT ROWID;
CREATE TABLE node(
  level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY(level, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE dictionary(id INTEGER PRIMARY KEY, digest BLOB NOT NULL, bytes BLOB NOT NULL) STRICT;
"""

_EVENT = b'"type":"openlineage"'
IS_ACT = f"instr(envelope, x'{_EVENT.hex()}') = 0"
"""Whether an entry is no event. Names in an envelope are JSON, which has no bare quote, so none of them looks so."""

_ACTS = f"CREATE INDEX IF NOT EXISTS act ON entry(seq) WHERE {IS_ACT}"

_APPEND_ONLY = """
CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table} BEGIN
  SELECT RAISE(ABORT, '{table} is append-only');
END;
"""
_REFUSED = [
    *((table, verb) for table in ("entry", "node", "dictionary", "idem") for verb in ("UPDATE", "DELETE")),
    ("body", "UPDATE"),
    ("log", "DELETE"),
    ("log", "UPDATE OF origin, secret"),
]


def refuse_wal_reset_bug(version: int = apsw.SQLITE_VERSION_NUMBER) -> None:
    """UnsupportedPlatformError for an SQLite (number as in 3054001) that can lose committed transactions.

    See https://sqlite.org/wal.html#the_wal_reset_bug: 3.7.0 to 3.51.2, but for 3.44.6 and 3.50.7 onwards.
    """
    major, minor, patch = version // 1_000_000, version // 1_000 % 1_000, version % 1_000
    repaired = (minor == 44 and patch >= 6) or (minor == 50 and patch >= 7)
    if (3, 7, 0) <= (major, minor, patch) <= (3, 51, 2) and not repaired:
        raise UnsupportedPlatformError(
            f"SQLite {major}.{minor}.{patch} can lose committed entries", "install a current apsw wheel"
        )


def connect_writer(directory: Path, secret: bytes | None = None) -> apsw.Connection:
    """A durable connection to the log in `directory`, which is created when there is none.

    A new log has a new secret, unless it continues another and is given that one's.
    """
    _refuse_linked_sqlite()
    connection = apsw.Connection(str(directory / FILE), statementcachesize=64)
    try:
        _make_durable(connection)
        if connection.pragma("user_version") == 0 and not connection.pragma("application_id"):
            _create(connection, secret or token_bytes(SECRET_BYTES))
        _refuse_other_files(connection, directory)
        connection.execute(_ACTS)  # a log from before it had this index gets it now, and is read without it till then
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(directory: Path) -> apsw.Connection:
    """A read-only connection; NotFoundError when there is no log in `directory`."""
    _refuse_linked_sqlite()
    try:
        connection = apsw.Connection(str(directory / FILE), flags=apsw.SQLITE_OPEN_READONLY, statementcachesize=64)
    except apsw.CantOpenError as error:
        raise NotFoundError(f"there is no log in {directory}", "start a server on it first") from error
    try:
        connection.set_busy_timeout(5_000)
        _refuse_other_files(connection, directory)
    except BaseException:
        connection.close()
        raise
    return connection


def rows(connection: apsw.Connection, query: str, *bindings: int | str | bytes) -> list[tuple[Any, ...]]:
    """All rows of a query, copied out, so that its read transaction is over."""
    return connection.execute(query, bindings).fetchall()


def _refuse_linked_sqlite() -> None:
    major, minor, patch = (int(part) for part in apsw.sqlite_lib_version().split(".")[:3])
    refuse_wal_reset_bug(major * 1_000_000 + minor * 1_000 + patch)


def _make_durable(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(5_000)
    try:
        connection.pragma("page_size", 4096)
        mode = connection.pragma("journal_mode", "wal")
    except apsw.NotADBError as error:
        raise CorruptLogError("the log's file is no database", "restore the log from a backup") from error
    connection.pragma("synchronous", "FULL")
    if mode != "wal" or connection.pragma("synchronous") != 2:
        raise UnsupportedPlatformError(
            f"write-ahead logging is not to be had here (got {mode})", "put the data on a local disk"
        )
    connection.pragma("cache_size", -32 * 1024)
    connection.pragma("journal_size_limit", 64 * 1024 * 1024)
    connection.pragma("trusted_schema", False)
    connection.pragma("cell_size_check", True)
    connection.pragma("mmap_size", 0)
    connection.pragma("secure_delete", True)  # an erased body must not live on in a free page


def _create(connection: apsw.Connection, secret: bytes) -> None:
    triggers = (
        _APPEND_ONLY.format(table=table, verb=verb).replace(f"{table}_{verb}", f"{table}_{verb.split()[0]}")
        for table, verb in _REFUSED
    )
    with connection:
        connection.execute(_TABLES + "".join(triggers))
        connection.execute(
            "INSERT INTO log VALUES (1, ?, ?, 0)",
            (f"lineward/{uuid.uuid4().hex}", secret),
        )
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", USER_VERSION)


def _refuse_other_files(connection: apsw.Connection, directory: Path) -> None:
    try:
        found = connection.pragma("application_id"), connection.pragma("user_version")
    except apsw.NotADBError as error:
        raise CorruptLogError(f"{directory / FILE} is no database", "restore the log from a backup") from error
    if found[0] != APPLICATION_ID:
        raise WrongLogError(f"{directory / FILE} is not a log of Lineward", "name another data directory")
    if found[1] != USER_VERSION:
        raise WrongLogError(f"the log has format {found[1]}, this is {USER_VERSION}", "upgrade Lineward")
