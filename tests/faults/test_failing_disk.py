"""A disk that fails at one operation, or from it on: while the log is opened, appended to, folded in and closed."""

import resource
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import apsw
import pytest

from catalog.errors import LinewardError, LogClosedError, LogFullError
from catalog.log import audit
from catalog.log import store as log_store
from catalog.log.entry import EntryType, Receipt, Submission
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from tests.end_to_end.senders import Senders
from tests.end_to_end.server_process import PATIENCE, serving
from tests.faults.conftest import Counted
from tests.faults.disk import Disk, Fails, Operation, healthy, in_use
from tests.faults.tier import tiers

NOW = 1_764_000_000_000_000
BATCHES = [
    [
        Submission(EntryType.OPENLINEAGE, "ann", b"%d-%d" % (batch, i), b'{"n": %d, "pad": "%b"}' % (i, b"x" * 700))
        for i in range(4)
    ]
    for batch in range(6)
]
OFTEN = 12  # pages of the write-ahead file after which it is folded in
ERRORS: dict[str, type[apsw.Error]] = {"EIO": apsw.IOError, "ENOSPC": apsw.FullError}


def failing(error: type[apsw.Error], at: int, lasting: bool) -> Fails:
    """Writes and syncs fail at an operation, or from it on."""

    def fails(operation: Operation, number: int) -> apsw.Error | None:
        due = number >= at if lasting else number == at
        return error("the disk fails") if due and operation.kind in ("write", "sync") else None

    return fails


def run(folder: Path, disk: Disk) -> tuple[list[Receipt], bool]:
    """The receipts of what was answered, in the order of `BATCHES`, and whether the store gave up."""
    receipts: list[Receipt] = []
    with in_use(disk):
        try:
            store = LogStore.open(folder)
        except (apsw.Error, LinewardError):
            return receipts, True
        closed = False
        for batch in BATCHES:
            try:
                receipts += store.append(batch, NOW)
            except LogFullError:
                break
            except LogClosedError:
                closed = True
                with pytest.raises(LogClosedError):
                    store.append(batch, NOW)
                break
        with suppress(apsw.Error):  # the last thing that it writes may fail, too
            store.close()
    return receipts, closed


def check(folder: Path, receipts: Sequence[Receipt]) -> None:
    """All that was answered is there; all that was sent is there once when it is sent again."""
    sent = [each for batch in BATCHES for each in batch]
    with LogStore.open(folder) as store:
        assert store.size >= len(receipts)
        again = store.append(sent, NOW)
        assert [one.leaf_hash for one in again[: len(receipts)]] == [one.leaf_hash for one in receipts]
        assert all(one.duplicate for one in again[: len(receipts)])
        assert [one.seq for one in again] == list(range(len(sent)))
        with LogReader.open(folder) as log:
            audit.check(log, {store.size: store.root()})


@tiers("step", 23, 2)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from-then-on"])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_a_failing_disk_loses_nothing_that_was_answered(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    counted: Counted,
    step: int,
    error: type[apsw.Error],
    lasting: bool,
) -> None:
    """F3: at whatever write or sync it fails, nothing is answered that is not on disk, and a retry doubles nothing."""
    monkeypatch.setattr(log_store, "CHECKPOINT_PAGES", OFTEN)
    whole = Disk()
    receipts, closed = run(tmp_path / "whole", whole)
    assert (len(receipts), closed) == (24, False)
    points = [n for n, each in enumerate(whole.operations, 1) if each.kind in ("write", "sync")][::step]
    stopped = 0
    for at in points:
        folder = tmp_path / f"at {at}"
        receipts, closed = run(folder, Disk(fails=failing(error, at, lasting)))
        check(folder, receipts)
        stopped += closed or len(receipts) < 24
    assert stopped > len(points) // 3
    counted("points of failure", len(points))


def test_space_that_comes_back_is_used_without_a_restart(tmp_path: Path, counted: Counted) -> None:
    """F4: a disk that is full at one batch refuses it, and takes it when there is space; nothing else happens."""
    disk = Disk()
    with in_use(disk), LogStore.open(tmp_path) as store:
        for batch in BATCHES:
            size, root = store.size, store.root()
            disk.fails = full
            with pytest.raises(LogFullError):
                store.append(batch, NOW)
            assert (store.size, store.root()) == (size, root)
            disk.fails = healthy
            assert not any(one.duplicate for one in store.append(batch, NOW))
    check(tmp_path, [])
    counted("batches refused and taken later", len(BATCHES))


def full(operation: Operation, number: int) -> apsw.Error | None:
    return apsw.FullError("no space") if operation.kind == "write" else None


@tiers("rounds", 1, 6)
def test_a_server_whose_disk_fails_stops_and_keeps_what_it_answered(
    tmp_path: Path, counted: Counted, rounds: int
) -> None:
    """F3: the process says that it stopped and ends with 1; started again it has all that was answered, once."""
    data, senders = tmp_path / "data", Senders(4)
    for each in range(rounds):
        with serving(data) as server, senders.sending(server):
            senders.await_acknowledgements(20 + 30 * each)
            # The kernel refuses to let files grow: a write in the middle of a commit fails.
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
            assert server.process.wait(PATIENCE) == 1
        senders.check(data)
    counted("servers stopped by their disk", rounds)
    counted("answers kept", len(senders.acknowledged))
