"""The offline check: does the log agree with itself, and with roots that somebody kept elsewhere?

A log that somebody with the file rewrote from end to end agrees with itself; only a root kept outside tells.
Pass the ones you have.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog.errors import CorruptLogError
from catalog.log.entry import commitment, decode_envelope
from catalog.log.merkle import Frontier, Node, leaf_hash
from catalog.log.reader import LogReader, StoredEntry

_CHUNK = 256


class AuditError(CorruptLogError):
    """The first entry that is wrong (`seq`, None when no single entry is to blame), and what is wrong."""

    def __init__(self, seq: int | None, what: str) -> None:
        place = "the log" if seq is None else f"entry {seq}"
        super().__init__(f"{place}: {what}", "restore the log from a backup and compare their roots")
        self.seq = seq
        self.what = what


@dataclass(frozen=True, slots=True)
class AuditReport:
    """A log that agrees with itself: its size and root, and how many bodies are erased."""

    size: int
    root: bytes
    erased: int


def check(reader: LogReader, known_roots: Mapping[int, bytes] | None = None) -> AuditReport:
    """Recompute the log from its first entry to its present size; AuditError names the first thing wrong.

    Checked are: positions without gaps, leaf = hash of the stored envelope, times that never fall, bodies
    against their commitments, stored tree nodes and `known_roots` (size -> root) against the leaves, and that
    no table holds more than the entries account for.
    """
    size = reader.size()
    expected = dict(known_roots or {})
    walk = _Walk(reader, expected)
    for chunk in _chunks(reader, size):
        walk.check(chunk)
    for complaint in reader.loose_ends():
        raise AuditError(None, complaint)
    if expected:
        raise AuditError(None, f"it has {size} entries, and once had {max(expected)}")
    return AuditReport(size, walk.frontier.root(), walk.erased)


class _Walk:
    """What is carried from entry to entry."""

    def __init__(self, reader: LogReader, expected: dict[int, bytes]) -> None:
        self._reader, self._expected = reader, expected
        self._recorded = 0
        self.frontier = Frontier()
        self.erased = 0
        self._check_root()

    def check(self, chunk: list[StoredEntry]) -> None:
        completed: list[Node] = []
        for stored in chunk:
            self._check_entry(stored)
            completed += self.frontier.extend([stored.leaf])
            self._check_root()
        self._check_nodes(completed)

    def _check_entry(self, stored: StoredEntry) -> None:
        seq = self.frontier.size
        if stored.seq != seq:
            raise AuditError(seq, f"missing; {stored.seq} follows")
        if leaf_hash(stored.envelope) != stored.leaf:
            raise AuditError(seq, "the leaf is not the hash of the envelope")
        try:
            envelope = decode_envelope(seq, stored.envelope)
        except CorruptLogError as error:
            raise AuditError(seq, error.message) from error
        if envelope.seq != seq:
            raise AuditError(seq, f"the envelope says {envelope.seq}")
        if envelope.recorded < self._recorded:
            raise AuditError(seq, "recorded before its predecessor")
        self._recorded = envelope.recorded
        self._check_body(stored, envelope.body.commit, envelope.body.len)

    def _check_body(self, stored: StoredEntry, commit: str, length: int) -> None:
        if stored.salt is None:
            self.erased += 1
            return
        try:
            body = self._reader.decompress(stored, length)
        except CorruptLogError as error:
            raise AuditError(stored.seq, error.message) from error
        if b64encode(commitment(stored.salt, body)).decode() != commit:
            raise AuditError(stored.seq, "the body does not match its commitment")

    def _check_root(self) -> None:
        size = self.frontier.size
        if size in self._expected and self._expected.pop(size) != self.frontier.root():
            raise AuditError(max(size - 1, 0), f"the root of size {size} is another than once known")

    def _check_nodes(self, completed: list[Node]) -> None:
        stored = {(level, index): node for level, index, node in self._reader.nodes([n[:2] for n in completed])}
        for level, index, node in completed:
            if stored.get((level, index)) != node:
                last = ((index + 1) << level) - 1
                raise AuditError(last, f"the tree's node ({level}, {index}) is missing or altered")


def _chunks(reader: LogReader, size: int) -> Iterator[list[StoredEntry]]:
    """All entries below `size`, a bounded number at a time, whatever holes there are."""
    start = 0
    while start < size:
        chunk = [stored for stored in reader.stored(start, _CHUNK) if stored.seq < size]
        yield chunk
        start = chunk[-1].seq + 1
