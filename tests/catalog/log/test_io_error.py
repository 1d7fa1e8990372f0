"""A write that the disk refuses: nothing unwritten is acknowledged, and the log stops until it is opened anew."""

import json
import subprocess
import sys
from pathlib import Path

from catalog.log import audit
from catalog.log.entry import EntryType, Submission
from catalog.log.reader import LogReader
from catalog.log.store import LogStore

# The file-size limit makes the kernel refuse writes to the write-ahead file in the middle of a batch.
SCRIPT = """
import json, resource, sys
from pathlib import Path
from catalog.errors import LogClosedError
from catalog.log.entry import EntryType, Submission
from catalog.log.store import LogStore
from catalog.log.writer import LogWriter

directory, failures, refused = Path(sys.argv[1]), [], 0
writer = LogWriter(LogStore.open(directory), on_failure=failures.append)

def send(number):
    item = Submission(EntryType.OPENLINEAGE, "ann", b"%d" % number, b'{"n": %d}' % number)
    return writer.submit(item).result().seq

acknowledged = [send(number) for number in range(20)]
wal = (directory / "log.db-wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (wal + 30_000, resource.RLIM_INFINITY))
for number in range(20, 100):
    try:
        acknowledged.append(send(number))
    except LogClosedError:
        refused += 1
print(json.dumps([acknowledged, refused, [str(error) for error in failures]]), flush=True)
import os; os._exit(0)
"""


def test_what_was_acknowledged_before_an_io_error_is_there_after_it(tmp_path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, check=True)
    acknowledged, refused, failures = json.loads(child.stdout)
    assert len(acknowledged) + refused == 100
    assert refused > 1
    assert len(failures) == 1
    with LogStore.open(tmp_path) as store, LogReader.open(tmp_path) as reader:
        assert acknowledged == list(range(len(acknowledged)))
        audit.check(reader)
        again = [Submission(EntryType.OPENLINEAGE, "ann", b"%d" % number, b"{}") for number in range(100)]
        receipts = store.append(again, 0)
        assert [receipt.seq for receipt in receipts] == list(range(100))
        assert all(receipt.duplicate for receipt in receipts[: len(acknowledged)])
