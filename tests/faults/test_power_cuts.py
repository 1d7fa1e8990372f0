"""Power cuts at any operation of the disk, while the log is made, appended to, folded in and closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import apsw
import pytest

from catalog.log import audit
from catalog.log import store as log_store
from catalog.log.entry import EntryType, Receipt, Submission
from catalog.log.reader import LogReader
from catalog.log.schema import FILE
from catalog.log.store import LogStore
from tests.faults.conftest import Counted
from tests.faults.disk import Disk, in_use
from tests.faults.tier import tiers

BATCHES = 24
OFTEN = 40  # pages of the write-ahead file after which it is folded in, so that cuts fall into that, too
NOW = 1_764_000_000_000_000
BEGAN = 3  # operations before a database is there at all


@dataclass(frozen=True, slots=True)
class Answered:
    """What a client was told after so many operations, and the size and root that the log then had."""

    after: int
    sent: Sequence[Submission]
    receipts: Sequence[Receipt]
    size: int
    root: bytes


def written(folder: Path, disk: Disk, random: Random, synchronous: str) -> list[Answered]:
    """Two servers' worth of batches, one after the other."""
    answers: list[Answered] = []
    with in_use(disk):
        for server in range(2):
            with LogStore.open(folder) as store:
                store._connection.pragma("synchronous", synchronous)
                for number in range(BATCHES):
                    sent = [submission(random, f"{server}-{number}-{i}") for i in range(random.choice((1, 1, 3, 20)))]
                    receipts = store.append(sent, NOW)
                    answers.append(Answered(len(disk.operations), sent, receipts, store.size, store.root()))
    return answers


def submission(random: Random, text: str) -> Submission:
    body = b'{"event": "%b", "value": "%b"}' % (
        text.encode(),
        random.randbytes(random.randrange(10, 1500)).hex().encode(),
    )
    return Submission(EntryType.OPENLINEAGE, "ann", text.encode(), body)


def laid_out(files: dict[str, bytes], folder: Path) -> Path:
    folder.mkdir()
    for path, content in files.items():
        (folder / Path(path).name).write_bytes(content)
    return folder


def check(folder: Path, answers: Sequence[Answered]) -> None:
    """The log opens, agrees with itself, holds all that was answered, and knows it when it is sent again."""
    with LogStore.open(folder) as store:
        with LogReader.open(folder) as log:
            audit.check(log, {each.size: each.root for each in answers})
        size = store.size
        for each in answers:
            again = store.append(each.sent, NOW)
            assert [(one.seq, one.leaf_hash) for one in again] == [(one.seq, one.leaf_hash) for one in each.receipts]
            assert all(one.duplicate for one in again)
        assert store.size == size
    connection = apsw.Connection(str(folder / FILE))
    assert connection.pragma("integrity_check") == "ok"
    connection.close()


@tiers("cuts", 60, 1_000)
@pytest.mark.parametrize("all_lost", [True, False], ids=["all-lost", "some-lost"])
def test_a_power_cut_loses_nothing_that_was_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: Counted, cuts: int, all_lost: bool
) -> None:
    """F2: what was answered is there, once and where it was; what was not may be; nothing is damaged."""
    monkeypatch.setattr(log_store, "CHECKPOINT_PAGES", OFTEN)
    disk, random = Disk(), Random(20_261_124 + all_lost)
    answers = written(tmp_path / "log", disk, random, "FULL")
    for cut in range(cuts):
        at = random.randrange(BEGAN, len(disk.operations) + 1)
        found = laid_out(disk.after_power_cut(at, random, all_lost=all_lost), tmp_path / f"cut {cut}")
        check(found, [each for each in answers if each.after <= at])
    assert any(each.kind == "write" and each.path.endswith(FILE) for each in disk.operations[: answers[-1].after])
    counted("power cuts", cuts)


def test_with_less_syncing_the_same_cuts_lose_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: Counted
) -> None:
    """F2: the test has teeth: with synchronous=NORMAL the cuts lose what was answered."""
    monkeypatch.setattr(log_store, "CHECKPOINT_PAGES", OFTEN)
    disk, random = Disk(), Random(20_261_124)
    answers = written(tmp_path / "log", disk, random, "NORMAL")
    lost = 0
    for cut in range(30):
        at = random.randrange(answers[0].after, len(disk.operations) + 1)
        found = laid_out(disk.after_power_cut(at, random, all_lost=True), tmp_path / f"cut {cut}")
        answered = max(each.size for each in answers if each.after <= at)
        with LogStore.open(found) as store:
            lost += store.size < answered
    assert lost > 10
    counted("of 30 cuts lost answers with synchronous=NORMAL", lost)
