"""Reading beside the writer: entries, roots, proofs, from threads and from another process."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catalog.errors import InvalidInputError, NotFoundError
from catalog.log.entry import EntryType, Submission
from catalog.log.merkle import EMPTY_ROOT, leaf_hash, verify_consistency, verify_inclusion
from catalog.log.reader import LogReader
from catalog.log.store import LogStore

NOW = 1_764_000_000_000_000


def submissions(start: int, stop: int) -> list[Submission]:
    return [Submission(EntryType.APPROVAL, "ann", b"%d" % i, b'{"n": %d}' % i) for i in range(start, stop)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LogStore]:
    with LogStore.open(tmp_path) as store:
        yield store


@pytest.fixture
def reader(store: LogStore, tmp_path: Path) -> Iterator[LogReader]:
    with LogReader.open(tmp_path) as reader:
        yield reader


def test_an_empty_log(reader: LogReader) -> None:
    assert (reader.size(), reader.root(), reader.entries(0, 10)) == (0, EMPTY_ROOT, [])
    with pytest.raises(NotFoundError):
        reader.entry(0)


def test_an_entry_is_what_was_submitted(store: LogStore, reader: LogReader) -> None:
    given = Submission(EntryType.DECISION, "oidc:ann", b"raw", b'{"a": 1}', ("/b", "/c"), source="graphql")
    store.append([given], NOW)
    entry = reader.entry(0)
    assert (entry.seq, entry.recorded, entry.type, entry.actor) == (0, NOW, given.type, given.actor)
    assert (entry.source, entry.redactions, entry.body) == ("graphql", ("/b", "/c"), given.body)


def test_entries_come_in_order_and_end_with_the_log(store: LogStore, reader: LogReader) -> None:
    store.append(submissions(0, 20), NOW)
    assert [entry.seq for entry in reader.entries(15, 3)] == [15, 16, 17]
    assert [entry.seq for entry in reader.entries(18, 100)] == [18, 19]
    assert reader.entries(20, 5) == []
    with pytest.raises(NotFoundError):
        reader.entry(20)


def test_growth_is_seen_without_reopening(store: LogStore, reader: LogReader) -> None:
    version = reader.data_version()
    store.append(submissions(0, 3), NOW)
    assert reader.size() == 3
    assert reader.data_version() != version
    assert reader.data_version() == reader.data_version()


def test_every_proof_over_stored_nodes_verifies(store: LogStore, reader: LogReader) -> None:
    sizes = [1, 2, 3, 255, 256, 257, 511, 512, 600, 777]
    roots = {}
    for low, size in zip([0, *sizes], sizes, strict=False):
        store.append(submissions(low, size), NOW)
        roots[size] = store.root()
    leaves = [leaf_hash(entry.envelope) for entry in reader.entries(0, 777)]
    for new in sizes:
        assert reader.root(new) == roots[new]
        for old in (size for size in sizes if size <= new):
            assert verify_consistency(old, new, reader.consistency(old, new), roots[old], roots[new])
        for seq in {0, new // 3, new - 1}:
            assert verify_inclusion(leaves[seq], seq, new, reader.inclusion(seq, new), roots[new])


def test_nothing_is_proved_beyond_the_log(store: LogStore, reader: LogReader) -> None:
    store.append(submissions(0, 5), NOW)
    for ask in (
        lambda: reader.root(6),
        lambda: reader.root(-1),
        lambda: reader.inclusion(5, 5),
        lambda: reader.inclusion(-1, 5),
        lambda: reader.inclusion(0, 6),
        lambda: reader.consistency(4, 6),
        lambda: reader.consistency(5, 4),
        lambda: reader.consistency(-1, 4),
    ):
        with pytest.raises(InvalidInputError):
            ask()


def test_threads_read_while_one_writes(store: LogStore, reader: LogReader) -> None:
    done = threading.Event()

    def follow() -> int:
        seen = 0
        while not done.is_set() or seen < reader.size():
            for entry in reader.entries(seen, 50):
                assert (entry.seq, entry.body) == (seen, b'{"n": %d}' % seen)
                seen += 1
            reader.root()
        return seen

    with ThreadPoolExecutor(4) as pool:
        followers = [pool.submit(follow) for _ in range(4)]
        for start in range(0, 2_000, 40):
            store.append(submissions(start, start + 40), NOW)
        done.set()
        assert [follower.result() for follower in followers] == [2_000] * 4


def test_another_process_reads_what_is_not_checkpointed(store: LogStore, tmp_path: Path) -> None:
    store.append(submissions(0, 9), NOW)
    script = (
        "import sys, pathlib; from catalog.log.reader import LogReader;"
        "r = LogReader.open(pathlib.Path(sys.argv[1])); print(r.origin, r.size(), r.root().hex())"
    )
    answer = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == [store.origin, "9", store.root().hex()]


def test_two_logs_have_two_origins(tmp_path: Path) -> None:
    with LogStore.open(tmp_path / "a") as a, LogStore.open(tmp_path / "b") as b:
        assert a.origin != b.origin
        assert a.origin.startswith("lineward/")
