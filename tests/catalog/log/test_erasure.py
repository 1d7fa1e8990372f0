"""An erasure and the entry that tells of it are one: killed in between, the log has both or neither."""

import signal
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from catalog.errors import InvalidInputError
from catalog.log import audit
from catalog.log.entry import EntryType, Submission
from catalog.log.reader import LogReader
from catalog.log.schema import connect_reader
from catalog.log.store import LogStore

NOW = 1_764_000_000_000_000
WORDS = [sha256(b"%d" % number).hexdigest() for number in range(400)]  # nothing that zstd could shorten


def event(seq: int) -> Submission:
    body = b'{"said":"' + WORDS[seq].encode() + b'"}'
    return Submission(EntryType.OPENLINEAGE, "ann", body, body)


def redaction(folder: Path, *seqs: int) -> Submission:
    with LogReader.open(folder) as log:
        told = [f'{{"seq":{seq},"commit":"{commit_of(log, seq)}"}}' for seq in seqs]
    body = f'{{"act":"erase","erased":[{",".join(told)}]}}'.encode()
    return Submission(EntryType.REDACTION, "ben", body, body, erases=seqs)


def commit_of(log: LogReader, seq: int) -> str:
    stored = log.stored(seq, 1)[0]
    assert stored.salt is not None
    body = log.entry(seq).body or b""
    return b64encode(sha256(stored.salt + body).digest()).decode()


def secrets_of(folder: Path, *seqs: int) -> list[bytes]:
    """What must not be found in any file once these are erased: salts, and bodies as they are stored and written."""
    with LogReader.open(folder) as log:
        stored = [log.stored(seq, 1)[0] for seq in seqs]
    assert all(each.salt and each.compressed for each in stored)
    kept = [part for each in stored for part in (each.salt or b"", each.compressed or b"")]
    return kept + [WORDS[seq].encode() for seq in seqs]


def found_in(folder: Path, wanted: list[bytes]) -> set[bytes]:
    files = [each.read_bytes() for each in folder.rglob("*") if each.is_file()]
    return {each for each in wanted if any(each in content for content in files)}


def test_body_and_salt_go_with_the_entry_that_says_so(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        store.append([event(seq) for seq in range(3)], NOW)
        (receipt,) = store.append([redaction(tmp_path, 1)], NOW)
        assert receipt.seq == 3
        with LogReader.open(tmp_path) as log:
            assert [entry.body is None for entry in log.entries(0, 9)] == [False, True, False, False]
            assert log.stored(1, 1)[0].salt is None
            report = audit.check(log)
            assert (report.erased, report.unexplained) == (1, ())
        assert store.append([event(1)], NOW)[0].duplicate


@pytest.mark.parametrize("opened_beside", [False, True], ids=["alone", "beside a reader"])
def test_nothing_of_it_is_left_in_any_file(tmp_path: Path, opened_beside: bool) -> None:
    """Some bodies lie on overflow pages, in leaves that were split, and in the write-ahead file."""
    with LogStore.open(tmp_path) as store, LogReader.open(tmp_path) as reader:
        large = "".join(WORDS)
        bodies = [event(seq) for seq in range(200)]
        bodies[7] = Submission(EntryType.OPENLINEAGE, "ann", b"large", f'{{"said":"{large}"}}'.encode())
        for start in range(0, 200, 20):
            store.append(bodies[start : start + 20], NOW)
        wanted = secrets_of(tmp_path, 3, 7, 150)
        if opened_beside:
            reader.entries(0, 200)
        assert wanted[0] in found_in(tmp_path, wanted)
        assert wanted[1] in found_in(tmp_path, wanted)
        store.append([redaction(tmp_path, 3, 7, 150)], NOW)
        assert found_in(tmp_path, wanted) == set()
        assert all(reader.entry(seq).body for seq in (2, 4, 6, 8, 149, 151))


def test_a_reader_that_holds_the_past_delays_the_end_of_it_only(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        store.append([event(seq) for seq in range(3)], NOW)
        wanted = secrets_of(tmp_path, 1)
        store._connection.set_busy_timeout(10)
        reader = connect_reader(tmp_path)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM body").fetchall()
        store.append([redaction(tmp_path, 1)], NOW)
        assert found_in(tmp_path, wanted)
        reader.close()
        store.append([event(3)], NOW)
        assert found_in(tmp_path, wanted) == set()


def test_an_erasure_sent_again_changes_nothing(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        store.append([event(seq) for seq in range(3)], NOW)
        said = redaction(tmp_path, 1)
        first, again = store.append([said], NOW), store.append([said], NOW)
        assert (first[0].seq, again[0].seq, again[0].duplicate) == (3, 3, True)


def test_it_takes_nothing_that_comes_after_it(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        store.append([event(0)], NOW)
        store.append([Submission(EntryType.REDACTION, "ben", b"r", b'{"erased":[]}', erases=(1, 2))], NOW)
        store.append([event(1)], NOW)
    with LogReader.open(tmp_path) as log:
        assert all(entry.body for entry in log.entries(0, 9))


def test_only_redactions_erase() -> None:
    with pytest.raises(InvalidInputError):
        Submission(EntryType.OPENLINEAGE, "ann", b"", b"", erases=(1,))


# Erases one body and is killed by itself: at the last moment before the commit, or the first one after.
KILLED = """
import os, signal, sys
from pathlib import Path
from catalog.log.store import LogStore
from tests.catalog.log.test_erasure import NOW, redaction

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[1])
said = redaction(folder, 1, 2)
store = LogStore.open(folder)
if sys.argv[2] == "before":
    store._connection.set_commit_hook(die)
else:
    store._leave_no_traces = die
store.append([said], NOW)
"""


@pytest.mark.parametrize(("moment", "gone"), [("before", False), ("after", True)])
def test_killed_in_between_there_are_both_or_neither(tmp_path: Path, moment: str, gone: bool) -> None:
    with LogStore.open(tmp_path) as store:
        store.append([event(seq) for seq in range(4)], NOW)
    wanted = secrets_of(tmp_path, 1, 2)
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), moment], check=False)
    assert done.returncode == -signal.SIGKILL
    with LogStore.open(tmp_path) as store:
        assert store.size == (5 if gone else 4)
        with LogReader.open(tmp_path) as log:
            assert [entry.body is None for entry in log.entries(0, 4)] == [False, gone, gone, False]
            assert audit.check(log).unexplained == ()
        assert bool(found_in(tmp_path, wanted)) is not gone
