"""Reading the log: entries, roots and proofs, beside a writer in this or another process.

Every call reads, copies out and ends its transaction, so that no reader keeps the write-ahead log from being
reused. Entries are never changed, hence several calls agree with each other without sharing a snapshot.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import CorruptLogError, InvalidInputError, NotFoundError
from catalog.log import compression, merkle
from catalog.log.entry import Entry, EntryType, decode_envelope
from catalog.log.merkle import Node
from catalog.log.nodes import stored_nodes
from catalog.log.schema import IS_ACT, connect_reader, rows

_SIZE = "SELECT coalesce(max(seq) + 1, 0) FROM entry"
_ENTRIES = """
SELECT e.seq, e.envelope, b.dictionary, b.compressed
FROM entry e LEFT JOIN body b ON b.seq = e.seq WHERE e.seq >= ? ORDER BY e.seq LIMIT ?
"""
_ACTS = f"""
SELECT e.seq, e.envelope, b.dictionary, b.compressed
FROM entry e LEFT JOIN body b ON b.seq = e.seq
WHERE {IS_ACT} AND e.seq >= ? AND ({{wanted}}) ORDER BY e.seq LIMIT ?
"""
_STORED = """
SELECT e.seq, e.leaf, e.envelope, b.salt, b.dictionary, b.compressed
FROM entry e LEFT JOIN body b ON b.seq = e.seq WHERE e.seq >= ? ORDER BY e.seq LIMIT ?
"""
_DUPLICATES = "SELECT t, digest, seq FROM idem WHERE (t, digest) > (?, ?) ORDER BY t, digest LIMIT 4096"
# One statement is one snapshot: these hold at every moment of a growing log.
_LOOSE_ENDS = """
WITH log(size) AS (SELECT coalesce(max(seq) + 1, 0) FROM entry)
SELECT (SELECT count(*) FROM entry) = size,
       (SELECT count(*) FROM idem) = size,
       NOT EXISTS (SELECT 1 FROM body WHERE seq >= size),
       NOT EXISTS (SELECT 1 FROM node WHERE (idx + 1) << level > size)
FROM log
"""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry's rows as they are; salt, dictionary and compressed are None once the body is erased."""

    seq: int
    leaf: bytes
    envelope: bytes
    salt: bytes | None
    dictionary: int | None
    compressed: bytes | None


class _Session:
    """A connection with its decompressors, for one thread at a time."""

    def __init__(self, directory: Path) -> None:
        self.connection = connect_reader(directory)
        self.decompressors = compression.Decompressors(self._dictionary)
        self.nodes = stored_nodes(self.connection)

    def _dictionary(self, number: int) -> bytes:
        found = rows(self.connection, "SELECT digest, bytes FROM dictionary WHERE id = ?", number)
        if not found or found[0][0] != compression.digest(found[0][1]):
            raise CorruptLogError(f"dictionary {number} is missing or altered", "restore the log from a backup")
        content: bytes = found[0][1]
        return content


class LogReader:
    """Reads one log from any number of threads. Positions are 0-based: size N holds entries 0 to N - 1."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._idle: deque[_Session] = deque()
        self._watch = _Session(directory)
        self._watching = threading.Lock()
        self.origin = str(rows(self._watch.connection, "SELECT origin FROM log")[0][0])

    @classmethod
    def open(cls, directory: Path) -> "LogReader":
        """NotFoundError when there is no log, WrongLogError when the file is something else."""
        return cls(directory)

    def close(self) -> None:
        self._watch.connection.close()
        while self._idle:
            self._idle.pop().connection.close()

    def __enter__(self) -> "LogReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def size(self) -> int:
        """The number of entries; cheap enough to poll."""
        with self._session() as session:
            return _size(session)

    def data_version(self) -> int:
        """A number that changes whenever the file does (an append, an erasure)."""
        with self._watching:
            version: int = self._watch.connection.pragma("data_version")
            return version

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` entries, by default all. InvalidInputError beyond the log."""
        with self._session() as session:
            return merkle.root(_known_size(session, size), session.nodes)

    def inclusion(self, seq: int, size: int) -> list[bytes]:
        """The proof that entry `seq` is among the first `size`. InvalidInputError outside the log."""
        with self._session() as session:
            if not 0 <= seq < _known_size(session, size):
                raise _out_of_range(seq, size)
            return merkle.inclusion_proof(seq, size, session.nodes)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the first `new` entries begin with the first `old`. InvalidInputError as above."""
        with self._session() as session:
            if not 0 <= old <= _known_size(session, new):
                raise _out_of_range(old, new)
            return merkle.consistency_proof(old, new, session.nodes)

    def entries(self, start: int, limit: int) -> list[Entry]:
        """At most `limit` entries from position `start` on, in order; empty at the end of the log."""
        with self._session() as session:
            found = rows(session.connection, _ENTRIES, start, limit)
            return [_entry(session.decompressors, *row) for row in found]

    def acts(self, types: Sequence[EntryType], start: int, limit: int) -> list[Entry]:
        """The first `limit` entries of these types from position `start` on, in order.

        Events are not among the types: there is no quicker way to them than `entries`. The cost follows the number of
        acts and not that of events, in a log that was ever written since there is an index of them.
        """
        wanted = " OR ".join(f"instr(e.envelope, x'{_typed(each)}')" for each in types)
        with self._session() as session:
            found = rows(session.connection, _ACTS.format(wanted=wanted), start, limit)
            return [_entry(session.decompressors, *row) for row in found]

    def entry(self, seq: int) -> Entry:
        """NotFoundError when the log has no such position."""
        for entry in self.entries(seq, 1):
            if entry.seq == seq:
                return entry
        raise NotFoundError(f"the log has no entry {seq}", f"positions run from 0 to {self.size() - 1}")

    def stored(self, start: int, limit: int) -> list[StoredEntry]:
        """Rows as they are, unverified, for whoever checks them."""
        with self._session() as session:
            return [StoredEntry(*row) for row in rows(session.connection, _STORED, start, limit)]

    def decompress(self, entry: StoredEntry, length: int) -> bytes:
        """The body of an entry that is not erased; CorruptLogError if it cannot be had."""
        if entry.dictionary is None or entry.compressed is None:
            raise CorruptLogError(f"entry {entry.seq}: half of the body is missing", "restore from a backup")
        with self._session() as session:
            return session.decompressors.decompress(entry.dictionary, entry.compressed, length)

    def nodes(self, keys: list[tuple[int, int]]) -> list[Node]:
        """Those of the nodes (level, index) that are stored."""
        with self._session() as session:
            query = "SELECT level, idx, hash FROM node WHERE level = ? AND idx = ?"
            found = [row for key in keys for row in rows(session.connection, query, *key)]
        return [(level, index, node) for level, index, node in found]

    def duplicates(self) -> Iterator[tuple[bytes, int]]:
        """The rows (digest, position) of the duplicate index, unverified, in the order of the index."""
        after: tuple[int, bytes] = (-(2**63), b"")
        while True:
            with self._session() as session:
                found = rows(session.connection, _DUPLICATES, *after)
            if not found:
                return
            yield from ((digest, seq) for _, digest, seq in found)
            after = found[-1][:2]

    def loose_ends(self) -> list[str]:
        """What the tables hold that no entry accounts for, or lack, and dictionaries that were altered."""
        with self._session() as session:
            (row,) = rows(session.connection, _LOOSE_ENDS)
            dictionaries = rows(session.connection, "SELECT id, digest, bytes FROM dictionary")
        complaints = (
            "entries are missing",
            "the duplicate index does not match the entries",
            "there are bodies beyond the last entry",
            "there are tree nodes beyond the last entry",
        )
        altered = [
            f"dictionary {number} is altered"
            for number, digest, content in dictionaries
            if digest != compression.digest(content)
        ]
        return [complaint for holds, complaint in zip(row, complaints, strict=True) if not holds] + altered

    @contextmanager
    def _session(self) -> Iterator[_Session]:
        try:
            session = self._idle.pop()
        except IndexError:
            session = _Session(self._directory)
        try:
            yield session
        finally:
            self._idle.append(session)


def _typed(kind: EntryType) -> str:
    """Hexadecimal of what stands in the envelope of such an entry."""
    return f'"type":"{kind.value}"'.encode().hex()


def _size(session: _Session) -> int:
    size: int = rows(session.connection, _SIZE)[0][0]
    return size


def _known_size(session: _Session, size: int | None) -> int:
    known = _size(session)
    if size is None:
        return known
    if not 0 <= size <= known:
        raise InvalidInputError(f"the log holds {known} entries, not {size}", "ask for a size up to that")
    return size


def _out_of_range(position: int, size: int) -> InvalidInputError:
    return InvalidInputError(f"{position} does not lie within the first {size} entries", "ask within the log")


def _entry(
    decompressors: compression.Decompressors,
    seq: int,
    envelope: bytes,
    dictionary: int | None,
    data: bytes | None,
) -> Entry:
    decoded = decode_envelope(seq, envelope)
    body = None
    if dictionary is not None and data is not None:
        body = decompressors.decompress(dictionary, data, decoded.body.len)
    return Entry(
        seq=seq,
        recorded=decoded.recorded,
        type=decoded.type,
        actor=decoded.actor,
        source=decoded.src,
        redactions=decoded.body.redactions,
        body=body,
        envelope=envelope,
    )
