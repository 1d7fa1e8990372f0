"""Data folders made without a server: events straight into a log, and what a log holds."""

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from catalog.log.entry import Entry
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from ingest.intake import Intake

_BATCH = 512


def write_log(folder: Path, events: Iterable[bytes]) -> int:
    """Append all, as the door would; how many."""
    intake, remaining, written = Intake(), iter(events), 0
    with LogStore.open(folder) as log:
        while batch := list(islice(remaining, _BATCH)):
            log.append([intake.submission(event, "local", "http") for event in batch], time.time_ns() // 1000)
            written += len(batch)
    return written


def batches(folder: Path, size: int, most: int) -> Iterator[list[Entry]]:
    """The first `most` entries of a log, `size` at a time."""
    with LogReader.open(folder) as log:
        offset = 0
        while offset < most and (batch := log.entries(offset, min(size, most - offset))):
            yield batch
            offset += len(batch)
