"""The offline check finds every kind of tampering, and names the first entry that is wrong."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from catalog.log import audit, compression
from catalog.log.audit import AuditError, AuditReport
from catalog.log.entry import EntryType, Submission
from catalog.log.merkle import EMPTY_ROOT, leaf_hash
from catalog.log.reader import LogReader
from catalog.log.schema import FILE
from catalog.log.store import LogStore

NOW = 1_764_000_000_000_000
SIZE = 600


@pytest.fixture
def roots(tmp_path: Path) -> dict[int, bytes]:
    """A log of 600 entries in `tmp_path`; its roots at three sizes, as somebody else keeps them."""
    with LogStore.open(tmp_path) as store:
        result = {}
        for start in range(0, SIZE, 200):
            store.append(
                [
                    Submission(EntryType.OPENLINEAGE, "ann", b"%d" % i, b'{"n": %d}' % i)
                    for i in range(start, start + 200)
                ],
                NOW + start,
            )
            result[store.size] = store.root()
    return result


@pytest.fixture
def database(roots: dict[int, bytes], tmp_path: Path) -> Iterator[apsw.Connection]:
    """The log's file in the hands of somebody who removes the triggers first."""
    connection = apsw.Connection(str(tmp_path / FILE))
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')
    yield connection
    connection.close()


def check(directory: Path, roots: dict[int, bytes] | None = None) -> AuditReport:
    with LogReader.open(directory) as reader:
        return audit.check(reader, roots)


def test_an_honest_log_passes(tmp_path: Path, roots: dict[int, bytes]) -> None:
    assert check(tmp_path, {0: EMPTY_ROOT, **roots}) == AuditReport(SIZE, roots[SIZE], 0)


def test_an_empty_log_passes(tmp_path: Path) -> None:
    LogStore.open(tmp_path).close()
    assert check(tmp_path) == AuditReport(0, EMPTY_ROOT, 0)


def test_erased_bodies_are_counted_and_harm_no_proof(
    tmp_path: Path, roots: dict[int, bytes], database: apsw.Connection
) -> None:
    database.execute("DELETE FROM body WHERE seq IN (3, 599)")
    assert check(tmp_path, roots) == AuditReport(SIZE, roots[SIZE], 2, unexplained=(3, 599))


@pytest.mark.parametrize(
    ("damage", "seq", "what"),
    [
        ("UPDATE entry SET envelope = zeroblob(100) WHERE seq = 7", 7, "hash of the envelope"),
        ("UPDATE entry SET leaf = zeroblob(32) WHERE seq = 8", 8, "hash of the envelope"),
        ("DELETE FROM entry WHERE seq = 9", 9, "missing"),
        ("DELETE FROM entry WHERE seq < 300", 0, "missing"),
        ("UPDATE entry SET seq = seq + 1000 WHERE seq = 300", 300, "missing"),
        ("UPDATE body SET salt = zeroblob(16) WHERE seq = 10", 10, "commitment"),
        ("UPDATE body SET compressed = zeroblob(16) WHERE seq = 11", 11, "body"),
        ("UPDATE body SET dictionary = 5 WHERE seq = 12", 12, "dictionary 5"),
        ("UPDATE node SET hash = zeroblob(32) WHERE idx = 1", 511, "node"),
        ("DELETE FROM node WHERE idx = 0", 255, "node"),
        ("INSERT INTO node VALUES (8, 2, zeroblob(32))", None, "nodes beyond"),
        ("INSERT INTO body VALUES (600, zeroblob(16), 0, zeroblob(9))", None, "bodies beyond"),
        ("DELETE FROM idem WHERE seq = 13", None, "duplicate index"),
        ("DELETE FROM entry WHERE seq >= 590", None, "duplicate index"),
    ],
)
def test_damage_is_found_and_placed(
    tmp_path: Path, database: apsw.Connection, damage: str, seq: int | None, what: str
) -> None:
    database.execute(damage)
    with pytest.raises(AuditError) as caught:
        check(tmp_path)
    assert caught.value.seq == seq
    assert what in caught.value.what


def replace_envelope(database: apsw.Connection, seq: int, old: bytes, new: bytes) -> None:
    """Change an envelope and its leaf hash with it."""
    envelope: bytes = database.execute("SELECT envelope FROM entry WHERE seq = ?", (seq,)).fetchall()[0][0]  # type: ignore[assignment]
    assert old in envelope
    changed = envelope.replace(old, new)
    database.execute("UPDATE entry SET envelope = ?, leaf = ? WHERE seq = ?", (changed, leaf_hash(changed), seq))


@pytest.mark.parametrize(
    ("seq", "old", "new", "bad", "what"),
    [
        (20, b'"actor":"ann"', b'"actor":"bob"', 255, "node"),
        (21, b'"seq":21', b'"seq":22', 21, "says 22"),
        (250, b"16:00:00.000200Z", b"15:00:00.000200Z", 250, "before its predecessor"),
        (22, b'"v":1', b'"v":9', 22, "version 9"),
        (23, b'"len":9', b'"len":8', 23, "bytes"),
    ],
)
def test_a_leaf_changed_with_its_envelope_is_found(
    tmp_path: Path, database: apsw.Connection, seq: int, old: bytes, new: bytes, bad: int, what: str
) -> None:
    replace_envelope(database, seq, old, new)
    with pytest.raises(AuditError) as caught:
        check(tmp_path)
    assert caught.value.seq == bad
    assert what in caught.value.what


def test_swapped_entries_are_found(tmp_path: Path, database: apsw.Connection) -> None:
    database.execute(
        "UPDATE entry SET seq = -1 WHERE seq = 5; UPDATE entry SET seq = 5 WHERE seq = 6;"
        "UPDATE entry SET seq = 6 WHERE seq = -1"
    )
    with pytest.raises(AuditError, match="entry 5: the envelope says 6"):
        check(tmp_path)


def test_a_consistent_rewrite_is_found_by_a_root_kept_elsewhere(
    tmp_path: Path, roots: dict[int, bytes], database: apsw.Connection
) -> None:
    """Beyond the last stored node nothing inside the log contradicts the new leaf."""
    replace_envelope(database, 590, b'"actor":"ann"', b'"actor":"bob"')
    assert check(tmp_path).root != roots[SIZE]
    with pytest.raises(AuditError, match="the root of size 600"):
        check(tmp_path, roots)


def test_a_log_cut_back_is_found_by_a_root_kept_elsewhere(
    tmp_path: Path, roots: dict[int, bytes], database: apsw.Connection
) -> None:
    for table in ("entry", "body", "idem"):
        database.execute(f"DELETE FROM {table} WHERE seq >= 590")
    assert check(tmp_path).size == 590
    with pytest.raises(AuditError, match="once had 600"):
        check(tmp_path, roots)


def test_bodies_under_a_dictionary_are_checked_too(tmp_path: Path, database: apsw.Connection) -> None:
    dictionary = compression.train(b'{"run": {"runId": "%d"}, "job": {"name": "%d"}}' % (i, i) for i in range(500))
    body = compression.Compressor(1, dictionary).compress(b'{"n": 30}')
    database.execute("INSERT INTO dictionary VALUES (1, ?, ?)", (compression.digest(dictionary), dictionary))
    database.execute("UPDATE body SET dictionary = 1, compressed = ? WHERE seq = 30", (body,))
    assert check(tmp_path).size == SIZE
    database.execute("UPDATE dictionary SET digest = zeroblob(32)")
    with pytest.raises(AuditError) as caught:
        check(tmp_path)
    assert caught.value.seq == 30
