"""Appending: positions, duplicates, times, one writer only, and what happens when writing fails."""

import stat
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import CorruptLogError, LogClosedError, LogFullError
from catalog.log import audit
from catalog.log.entry import EntryType, Submission
from catalog.log.lock import LogLockedError
from catalog.log.merkle import leaf_hash
from catalog.log.reader import LogReader
from catalog.log.schema import FILE
from catalog.log.store import LOCK_FILE, LogStore

NOW = 1_764_000_000_000_000


def submission(text: str, actor: str = "ann", event_time: int = 0) -> Submission:
    received = text.encode()
    body = b'{"kept": "' + received + b'"}'
    return Submission(EntryType.OPENLINEAGE, actor, received, body, event_time=event_time)


def connect(directory: Path) -> apsw.Connection:
    return apsw.Connection(str(directory / FILE))


def test_positions_are_contiguous_over_batches_and_restarts(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        first = store.append([submission("a"), submission("b")], NOW)
        origin = store.origin
    with LogStore.open(tmp_path) as store:
        second = store.append([submission("c")], NOW)
        assert (store.size, store.origin) == (3, origin)
        assert [receipt.seq for receipt in first + second] == [0, 1, 2]


def test_receipts_hold_the_hash_of_the_stored_envelope(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store, LogReader.open(tmp_path) as reader:
        receipts = store.append([submission(str(i)) for i in range(5)], NOW)
        assert [r.leaf_hash for r in receipts] == [leaf_hash(e.envelope) for e in reader.entries(0, 5)]
        assert store.root() == reader.root()


def test_an_empty_batch_is_nothing(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        assert store.append([], NOW) == []
        assert store.size == 0


def test_a_duplicate_is_answered_with_the_first_receipt(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        one, again, other = store.append([submission("a"), submission("a"), submission("b")], NOW)
        assert (again.seq, again.leaf_hash, again.duplicate) == (one.seq, one.leaf_hash, True)
        assert (one.duplicate, other.duplicate, other.seq) == (False, False, 1)
    with LogStore.open(tmp_path) as store:
        assert store.append([submission("b"), submission("a")], NOW + 5) == [
            type(other)(1, other.leaf_hash, True),
            again,
        ]
        assert store.size == 2


def test_who_sent_it_and_as_what_decides_what_is_a_duplicate(tmp_path: Path) -> None:
    same = [
        submission("a", "ann"),
        submission("a", "bob"),
        Submission(EntryType.WAIVER, "ann", b"a", b"{}"),
        submission("na", "an"),  # actor and bytes run together differently
    ]
    with LogStore.open(tmp_path) as store:
        assert [receipt.seq for receipt in store.append(same, NOW)] == [0, 1, 2, 3]


def test_duplicates_go_by_what_was_received_not_by_what_is_kept(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        first = Submission(EntryType.OPENLINEAGE, "ann", b"raw", b'{"redacted": 1}', ("/x",))
        retried = Submission(EntryType.OPENLINEAGE, "ann", b"raw", b'{"redacted": 2}')
        assert [r.duplicate for r in store.append([first, retried], NOW)] == [False, True]


@pytest.mark.parametrize("event_time", [0, -1, NOW, 2**63, -(2**70), 2**90])
def test_any_event_time_will_do(tmp_path: Path, event_time: int) -> None:
    item = submission("a", event_time=event_time)
    with LogStore.open(tmp_path) as store:
        assert [r.duplicate for r in store.append([item], NOW) + store.append([item], NOW)] == [False, True]


def test_recorded_times_never_fall(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        store.append([submission("a")], NOW)
        store.append([submission("b")], NOW - 3_600_000_000)
    with LogStore.open(tmp_path) as store:
        store.append([submission("c")], NOW - 1)
        store.append([submission("d")], NOW + 1)
    with LogReader.open(tmp_path) as reader:
        assert [entry.recorded for entry in reader.entries(0, 9)] == [NOW, NOW, NOW, NOW + 1]


@settings(max_examples=25, deadline=None)
@given(batches=st.lists(st.lists(st.integers(0, 30), max_size=40), max_size=12), reopen=st.integers(0, 11))
def test_any_batches_make_the_log_of_their_first_occurrences(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], reopen: int
) -> None:
    directory = tmp_path_factory.mktemp("log")
    expected: list[int] = []
    store = LogStore.open(directory)
    for number, batch in enumerate(batches):
        if number == reopen:
            store.close()
            store = LogStore.open(directory)
        receipts = store.append([submission(str(i), event_time=i % 3) for i in batch], NOW)
        for value, receipt in zip(batch, receipts, strict=True):
            assert receipt.duplicate == (value in expected)
            expected += [] if receipt.duplicate else [value]
            assert receipt.seq == expected.index(value)
    store.close()
    with LogReader.open(directory) as reader:
        bodies = [entry.body for entry in reader.entries(0, 1000)]
        assert bodies == [submission(str(value)).body for value in expected]
        assert audit.check(reader).size == len(expected)


def test_large_batches_find_every_duplicate(tmp_path: Path) -> None:
    items = [submission(str(i), event_time=i * 1000) for i in range(700)]
    with LogStore.open(tmp_path) as store:
        store.append(items, NOW)
        assert [r.seq for r in store.append(items[::-1], NOW)] == list(range(700))[::-1]
        assert store.size == 700


def test_commits_are_synchronous_and_written_ahead(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        pragma = store._connection.pragma
        assert (pragma("journal_mode"), pragma("synchronous")) == ("wal", 2)


def test_data_is_its_owners_alone(tmp_path: Path) -> None:
    with LogStore.open(tmp_path / "new" / "data"):
        assert stat.S_IMODE((tmp_path / "new" / "data").stat().st_mode) == 0o700


def test_bodies_of_an_erasure_leave_no_trace_in_the_file(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        store.append([submission("jane.doe@example.com")], NOW)
        store._connection.execute("DELETE FROM body")
    assert b"jane.doe" not in (tmp_path / FILE).read_bytes()
    with LogReader.open(tmp_path) as reader:
        assert reader.entry(0).body is None
    with LogStore.open(tmp_path) as store:
        assert store.append([submission("jane.doe@example.com")], NOW)[0].duplicate


def test_a_second_writer_is_refused_and_told_who_writes(tmp_path: Path) -> None:
    with LogStore.open(tmp_path), pytest.raises(LogLockedError, match="written by process"):
        LogStore.open(tmp_path)
    LogStore.open(tmp_path).close()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    script = "import sys, pathlib; from catalog.log.store import LogStore; LogStore.open(pathlib.Path(sys.argv[1]))"
    with LogStore.open(tmp_path):
        second = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False
        )
    assert second.returncode == 1
    assert "LogLockedError" in second.stderr


def test_closing_another_descriptor_of_the_lock_file_does_not_release_it(tmp_path: Path) -> None:
    with LogStore.open(tmp_path):
        (tmp_path / LOCK_FILE).read_text()
        with pytest.raises(LogLockedError):
            LogStore.open(tmp_path)


def test_a_writer_of_a_past_epoch_is_refused(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as stale:
        stale.append([submission("a")], NOW)
        (tmp_path / LOCK_FILE).unlink()  # a lock lost: the next writer locks another file
        with LogStore.open(tmp_path) as current:
            assert current.epoch == stale.epoch + 1
            with pytest.raises(LogClosedError, match="taken over"):
                stale.append([submission("b")], NOW)
            with pytest.raises(LogClosedError):
                stale.append([submission("b")], NOW)
            assert current.append([submission("c")], NOW)[0].seq == 1


def test_a_full_disk_refuses_the_batch_and_nothing_else(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store, LogReader.open(tmp_path) as reader:
        store.append([submission("a")], NOW)
        root, pages = store.root(), store._connection.pragma("page_count")
        store._connection.pragma("max_page_count", pages)
        big = [submission(str(i) * 3_000 + str(i * 7919)) for i in range(500)]
        with pytest.raises(LogFullError):
            store.append(big, NOW)
        assert (store.size, store.root(), reader.size()) == (1, root, 1)
        store._connection.pragma("max_page_count", 1_000_000)
        assert [receipt.seq for receipt in store.append(big, NOW)] == list(range(1, 501))
        assert audit.check(reader).root == store.root()


def test_after_a_failed_commit_the_store_takes_nothing_more(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        store.append([submission("a")], NOW)
        store._connection.set_commit_hook(lambda: True)
        with pytest.raises(LogClosedError):
            store.append([submission("b")], NOW)
        store._connection.set_commit_hook(None)
        with pytest.raises(LogClosedError, match="no more entries"):
            store.append([submission("c")], NOW)
    with LogStore.open(tmp_path) as store:
        assert [r.seq for r in store.append([submission("a"), submission("b")], NOW)] == [0, 1]


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = LogStore.open(tmp_path)
    store.close()
    store.close()
    with pytest.raises(LogClosedError):
        store.append([submission("a")], NOW)


@pytest.mark.parametrize(
    "damage",
    [
        "DROP TRIGGER entry_UPDATE; UPDATE entry SET envelope = zeroblob(9) WHERE seq = 299",
        "DROP TRIGGER entry_DELETE; DELETE FROM entry WHERE seq = 290",
        "DROP TRIGGER node_DELETE; DELETE FROM node",
    ],
)
def test_a_log_whose_edge_is_damaged_is_not_written_on(tmp_path: Path, damage: str) -> None:
    with LogStore.open(tmp_path) as store:
        store.append([submission(str(i)) for i in range(300)], NOW)
    connection = connect(tmp_path)
    connection.execute(damage)
    connection.close()
    for _ in range(2):  # and a failed opening releases the lock
        with pytest.raises(CorruptLogError):
            LogStore.open(tmp_path)


def test_the_write_ahead_file_is_folded_in_as_it_grows(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store, LogReader.open(tmp_path) as reader:
        before = (tmp_path / FILE).stat().st_size
        for start in range(0, 24_000, 1_000):
            store.append([submission(f"{i:0500d}") for i in range(start, start + 1_000)], NOW)
        assert (tmp_path / FILE).stat().st_size > before + 1_000_000
        assert reader.root() == store.root()
