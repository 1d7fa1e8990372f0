"""The offline check: does the log agree with itself, and with roots that somebody kept elsewhere?

A log that somebody with the file rewrote from end to end agrees with itself; only a root kept outside tells.
Pass the ones you have. What is checked may be a database or a folder of tiles: see `Audited`.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Generic, Protocol, TypeVar

from catalog.errors import CorruptLogError
from catalog.log.entry import EntryType, Envelope, commitment, decode_envelope
from catalog.log.merkle import Frontier, Node, leaf_hash

ORDER, BODIES, ROOT, TREE, INDEX = "order", "bodies", "root", "tree", "index"

_CHUNK = 256
_SUM = 1 << 256


class Stored(Protocol):
    """An entry's rows as they are, unverified; the last three are None once the body is erased."""

    @property
    def seq(self) -> int: ...
    @property
    def leaf(self) -> bytes: ...
    @property
    def envelope(self) -> bytes: ...
    @property
    def salt(self) -> bytes | None: ...


S = TypeVar("S", bound=Stored)


class Audited(Protocol[S]):
    """What holds a log: `LogReader`, or a folder that was exported."""

    def size(self) -> int: ...

    def stored(self, start: int, limit: int) -> list[S]:
        """At most `limit` entries from a position on, in order, as many as are at hand together."""
        ...

    def decompress(self, entry: S, length: int) -> bytes:
        """CorruptLogError for a body that is not to be had."""
        ...

    def nodes(self, keys: list[tuple[int, int]]) -> list[Node]:
        """Those of the nodes (level, index) that are stored."""
        ...

    def loose_ends(self) -> list[str]:
        """What is held that no entry accounts for, or lacking."""
        ...

    def duplicates(self) -> Iterable[tuple[bytes, int]] | None:
        """The duplicate index, (digest, position) in any order; None where there is none to check."""
        ...


class AuditError(CorruptLogError):
    """The first entry that is wrong (`seq`, None when no single entry is to blame), what is wrong, by which check."""

    def __init__(self, seq: int | None, what: str, check: str) -> None:
        place = "the log" if seq is None else f"entry {seq}"
        super().__init__(f"{place}: {what}", "restore the log from a backup and compare their roots")
        self.seq = seq
        self.what = what
        self.check = check


@dataclass(frozen=True, slots=True)
class AuditReport:
    """A log that agrees with itself: its size and root, and how many bodies are erased.

    `unexplained` are the positions of those whose erasure no later entry records.
    """

    size: int
    root: bytes
    erased: int
    unexplained: tuple[int, ...] = field(default=())


def check(log: Audited[S], known_roots: Mapping[int, bytes] | None = None) -> AuditReport:
    """Recompute the log from its first entry to its present size; AuditError names the first thing wrong.

    Checked are: positions without gaps, leaf = hash of the stored envelope, times that never fall, bodies
    against their commitments, stored tree nodes and `known_roots` (size -> root) against the leaves, the duplicate
    index against the envelopes, and that nothing holds more than the entries account for.
    """
    size = log.size()
    expected = dict(known_roots or {})
    walk = _Walk(log, expected)
    for chunk in _chunks(log, size):
        walk.check(chunk)
    if expected:
        raise AuditError(
            size, f"missing, and what followed: the log has {size} entries, and once had {max(expected)}", ROOT
        )
    for complaint in log.loose_ends():
        raise AuditError(None, complaint, INDEX)
    walk.check_duplicates(size)
    return AuditReport(size, walk.frontier.root(), walk.erased, tuple(sorted(walk.unexplained.values())))


class _Walk(Generic[S]):
    """What is carried from entry to entry."""

    def __init__(self, log: Audited[S], expected: dict[int, bytes]) -> None:
        self._log, self._expected = log, expected
        self._recorded = 0
        self._agreed = 0
        self._digests = 0
        self.frontier = Frontier()
        self.erased = 0
        self.unexplained: dict[str, int] = {}  # position by commitment, which outlives a move to a new origin
        self._check_root()

    def check(self, chunk: Sequence[S]) -> None:
        completed: list[Node] = []
        for stored in chunk:
            self._check_entry(stored)
            completed += self.frontier.extend([stored.leaf])
            self._check_root()
        self._check_nodes(completed)

    def check_duplicates(self, size: int) -> None:
        """The index of duplicates says of every entry what its envelope says: a sum, since it has another order."""
        held = self._log.duplicates()
        if held is not None and sum(_image(*row) for row in held if row[1] < size) % _SUM != self._digests:
            raise AuditError(None, "the duplicate index does not say what the entries say", INDEX)

    def _check_entry(self, stored: S) -> None:
        seq = self.frontier.size
        if stored.seq != seq:
            raise AuditError(seq, f"missing; {stored.seq} follows", ORDER)
        if leaf_hash(stored.envelope) != stored.leaf:
            raise AuditError(seq, "the leaf is not the hash of the envelope", ORDER)
        try:
            envelope = decode_envelope(seq, stored.envelope)
            self._digests = (self._digests + _image(b64decode(envelope.idem), seq)) % _SUM
        except (CorruptLogError, ValueError) as error:
            raise AuditError(seq, str(error), ORDER) from error
        if envelope.seq != seq:
            raise AuditError(seq, f"the envelope says {envelope.seq}", ORDER)
        if envelope.recorded < self._recorded:
            raise AuditError(seq, "recorded before its predecessor", ORDER)
        self._recorded = envelope.recorded
        self._check_body(stored, envelope)

    def _check_body(self, stored: S, envelope: Envelope) -> None:
        if stored.salt is None:
            self.erased += 1
            self.unexplained[envelope.body.commit] = stored.seq
            return
        try:
            body = self._log.decompress(stored, envelope.body.len)
        except CorruptLogError as error:
            raise AuditError(stored.seq, error.message, BODIES) from error
        if b64encode(commitment(stored.salt, body)).decode() != envelope.body.commit:
            raise AuditError(stored.seq, "the body does not match its commitment", BODIES)
        if envelope.type is EntryType.REDACTION:
            for commit in _erased_by(stored.seq, body):
                self.unexplained.pop(commit, None)

    def _check_root(self) -> None:
        size = self.frontier.size
        if size not in self._expected:
            return
        if self._expected.pop(size) != self.frontier.root():
            said = f"the root of size {size} is another than once known, that of size {self._agreed} was the same"
            raise AuditError(max(size - 1, 0), said, ROOT)
        self._agreed = size

    def _check_nodes(self, completed: list[Node]) -> None:
        stored = {(level, index): node for level, index, node in self._log.nodes([n[:2] for n in completed])}
        for level, index, node in completed:
            if stored.get((level, index)) != node:
                last = ((index + 1) << level) - 1
                raise AuditError(last, f"the tree's node ({level}, {index}) is missing or altered", TREE)


def _chunks(log: Audited[S], size: int) -> Iterator[list[S]]:
    """All entries below `size`, a bounded number at a time, whatever holes there are."""
    start = 0
    while start < size:
        chunk = [stored for stored in log.stored(start, _CHUNK) if stored.seq < size]
        if not chunk:
            raise AuditError(start, "missing, and whatever followed", ORDER)
        yield chunk
        start = chunk[-1].seq + 1


def _image(digest: bytes, seq: int) -> int:
    return int.from_bytes(sha256(seq.to_bytes(8, "big", signed=True) + digest).digest(), "big")


def _erased_by(seq: int, body: bytes) -> list[str]:
    """The commitments of the bodies that a redaction says it erased: `commit` of each of `erased` in its JSON."""
    try:
        return [str(each["commit"]) for each in json.loads(body)["erased"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise AuditError(seq, "the redaction does not say what it erased", BODIES) from error
