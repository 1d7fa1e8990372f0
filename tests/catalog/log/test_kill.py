"""kill -9 at random moments under load: nothing acknowledged is missing, nothing is there twice."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import apsw

from catalog.log import audit
from catalog.log.entry import EntryType, Submission
from catalog.log.reader import LogReader
from catalog.log.schema import FILE
from catalog.log.store import LogStore

ROUNDS = 10
SENDERS = 6

# Each sender sends again what the last round sent, then goes on; every answer is a line "text seq hash".
LOAD = """
import os, sys, threading
from pathlib import Path
from catalog.log.entry import EntryType, Submission
from catalog.log.store import LogStore
from catalog.log.writer import LogWriter

directory, start, senders = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
store = LogStore.open(directory)
writer = LogWriter(store)

def send(sender):
    for number in range(start, start + 100_000):
        text = f"{sender}-{number}"
        item = Submission(EntryType.OPENLINEAGE, "ann", text.encode(), b'{"event": "' + text.encode() + b'"}' * 20)
        receipt = writer.submit(item).result()
        os.write(1, f"{text} {receipt.seq} {receipt.leaf_hash.hex()}\\n".encode())

for sender in range(senders):
    threading.Thread(target=send, args=(sender,)).start()
"""

Acknowledged = dict[str, tuple[int, str]]


def run_until_killed(directory: Path, start: int, seconds: float) -> Acknowledged:
    """The answers that a loaded process gave before it was killed, `seconds` after its first."""
    child = subprocess.Popen(
        [sys.executable, "-c", LOAD, str(directory), str(start), str(SENDERS)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    with child.stdout as answers:
        lines = [answers.readline()]
        killer_due = time.monotonic() + seconds
        while time.monotonic() < killer_due:
            lines.append(answers.readline())
        child.send_signal(signal.SIGKILL)
        lines += answers.readlines()
    child.wait()
    # The last line may be cut in half, as its answer was never given.
    whole = [line.decode().split() for line in lines if line.endswith(b"\n")]
    return {text: (int(seq), leaf) for text, seq, leaf in whole}


def test_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    moments = random.Random(20_261_124)
    acknowledged: Acknowledged = {}
    highest = 0
    for _ in range(ROUNDS):
        answers = run_until_killed(tmp_path, max(0, highest - 20), moments.uniform(0, 0.15))
        # A submission repeated over a crash has the answer that it had before.
        for text in answers.keys() & acknowledged.keys():
            assert answers[text] == acknowledged[text]
        acknowledged |= answers
        highest = max(int(text.split("-")[1]) for text in acknowledged)
        check(tmp_path, acknowledged)
    assert len(acknowledged) > 10 * ROUNDS


def check(directory: Path, acknowledged: Acknowledged) -> None:
    with LogReader.open(directory) as reader:
        report = audit.check(reader)
        entries = reader.entries(0, report.size)
    connection = apsw.Connection(str(directory / FILE))
    assert connection.pragma("integrity_check") == "ok"
    connection.close()
    assert [entry.seq for entry in entries] == list(range(report.size))
    texts = [(entry.body or b"").split(b'"')[3].decode() for entry in entries]
    assert len(set(texts)) == len(texts)
    assert {text: seq for text, (seq, _) in acknowledged.items()}.items() <= {
        text: seq for seq, text in enumerate(texts)
    }.items()


def test_sending_again_after_a_kill_gives_the_same_positions(tmp_path: Path) -> None:
    acknowledged = run_until_killed(tmp_path, 0, 0.1)
    with LogStore.open(tmp_path) as store:
        size = store.size
        again = [Submission(EntryType.OPENLINEAGE, "ann", text.encode(), b"whatever") for text in acknowledged]
        receipts = store.append(again, 0)
        assert store.size == size
    assert [(r.seq, r.leaf_hash.hex(), r.duplicate) for r in receipts] == [
        (seq, leaf, True) for seq, leaf in acknowledged.values()
    ]
