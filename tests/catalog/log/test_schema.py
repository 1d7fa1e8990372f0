"""Which SQLite may write the log, and what the tables refuse."""

from pathlib import Path

import apsw
import pytest

from catalog.errors import CorruptLogError, NotFoundError, UnsupportedPlatformError, WrongLogError
from catalog.log.entry import EntryType, Submission
from catalog.log.reader import LogReader
from catalog.log.schema import FILE, refuse_wal_reset_bug
from catalog.log.store import LogStore


@pytest.mark.parametrize("version", [3007000, 3040001, 3044005, 3045000, 3050006, 3051000, 3051002])
def test_versions_that_lose_commits_are_refused(version: int) -> None:
    with pytest.raises(UnsupportedPlatformError):
        refuse_wal_reset_bug(version)


@pytest.mark.parametrize("version", [3006023, 3044006, 3044009, 3050007, 3051003, 3052000, 3054001])
def test_repaired_versions_are_taken(version: int) -> None:
    refuse_wal_reset_bug(version)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET envelope = x'00'",
        "DELETE FROM entry",
        "UPDATE body SET compressed = x'00'",
        "UPDATE idem SET seq = 9",
        "DELETE FROM idem",
        "UPDATE dictionary SET bytes = x'00'",
        "DELETE FROM dictionary",
        "UPDATE node SET hash = x'00'",
        "DELETE FROM node",
        "UPDATE log SET origin = 'another'",
        "UPDATE log SET secret = x'00'",
        "DELETE FROM log",
    ],
)
def test_the_tables_are_append_only(tmp_path: Path, statement: str) -> None:
    with LogStore.open(tmp_path) as store:
        store.append([Submission(EntryType.CONFIG, "a", str(i).encode(), b"{}") for i in range(256)], 0)
    connection = apsw.Connection(str(tmp_path / FILE))
    connection.execute("INSERT INTO dictionary VALUES (1, x'00', x'00')")
    with pytest.raises(apsw.ConstraintError, match="append-only"):
        connection.execute(statement)
    connection.close()


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / FILE))
    connection.execute("CREATE TABLE theirs(x); PRAGMA application_id = 5")
    connection.close()
    with pytest.raises(WrongLogError):
        LogStore.open(tmp_path)
    with pytest.raises(WrongLogError):
        LogReader.open(tmp_path)


def test_a_log_of_a_later_format_is_refused(tmp_path: Path) -> None:
    LogStore.open(tmp_path).close()
    connection = apsw.Connection(str(tmp_path / FILE))
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(WrongLogError, match="format 99"):
        LogStore.open(tmp_path)


def test_a_file_that_is_no_database_is_corruption(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, but long enough to look like something" * 100)
    with pytest.raises(CorruptLogError):
        LogStore.open(tmp_path)
    with pytest.raises(CorruptLogError):
        LogReader.open(tmp_path)


def test_a_reader_does_not_create_a_log(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        LogReader.open(tmp_path)
    assert not list(tmp_path.iterdir())
