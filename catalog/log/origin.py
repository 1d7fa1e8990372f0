"""A new origin for a log that cannot go on under its old one, because it has lost what that one signed.

Nothing that a restored backup appends could ever be consistent with the checkpoints that others hold. So its entries
are moved, one place on, behind a first entry that names the predecessor and the last checkpoint that it is known to
have signed. Bodies, salts, times, commitments and the index of duplicates stay as they are: clients that send again
are recognised, and an erasure stays one.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import apsw

from catalog.errors import CorruptLogError, InvalidInputError
from catalog.log import audit
from catalog.log.checkpoint import Checkpoint
from catalog.log.checkpoint_log import FILE as SIGNED
from catalog.log.entry import EntryType, Submission, decode_envelope, format_timestamp
from catalog.log.lock import WriterLock
from catalog.log.merkle import Frontier, leaf_hash
from catalog.log.reader import LogReader
from catalog.log.schema import connect_reader, connect_writer, rows
from catalog.log.store import LOCK_FILE, LogStore

CARRIED = ("key.pepper", "signing-key.pem", "signing-key.pub.pem")
"""What a data folder needs besides its log; the checkpoint's key is made anew, with the origin."""

_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Succession:
    """A log under a new origin: of how many entries, and what it continues."""

    origin: str
    size: int
    predecessor: Checkpoint


def succeed(old: Path, new: Path, *, actor: str, reason: str, now_us: int, signed: bytes | None = None) -> Succession:
    """Move the log in `old` to the new folder `new` under a new origin; `old` stays as it is.

    `signed` is the last checkpoint of the predecessor that anybody holds, by default that of the folder. Raises
    InvalidInputError where `new` holds something, LogLockedError while a server writes `old`, CorruptLogError for a log
    that does not agree with itself.
    """
    if new.exists() and any(new.iterdir()):
        raise InvalidInputError(f"{new} holds something already.", "Name a folder that is not there yet.")
    lock = WriterLock(old / LOCK_FILE)
    try:
        with LogReader.open(old) as log:
            report = audit.check(log)
            predecessor = Checkpoint(log.origin, report.size, report.root)
        if signed is None and (old / SIGNED).is_file():
            signed = (old / SIGNED).read_bytes()
        first = Submission(EntryType.CONFIG, actor, *_told(predecessor, signed, reason, now_us), source="act")
        return _moved(old, new, first, predecessor, now_us)
    finally:
        lock.close()


def _told(predecessor: Checkpoint, signed: bytes | None, reason: str, now_us: int) -> tuple[bytes, bytes]:
    """The body of the first entry, as received and as kept."""
    named = {"origin": predecessor.origin, "size": predecessor.size, "root": predecessor.root.hex()}
    if signed is not None:
        named["signed"] = signed.decode()
    told = {"v": 1, "act": "succeed", "at": format_timestamp(now_us).decode(), "reason": reason, "predecessor": named}
    body = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    return body, body


def _moved(old: Path, new: Path, first: Submission, predecessor: Checkpoint, now_us: int) -> Succession:
    """In a draft beside the new folder, which appears whole or not at all."""
    new.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=new.parent, prefix=f".{new.name}."))
    try:
        source = connect_reader(old)
        try:
            _fill(source, draft, first, now_us)
        finally:
            source.close()
        for name in CARRIED:
            if (old / name).is_file():
                shutil.copy2(old / name, draft / name)
        with LogReader.open(draft) as log:
            report = audit.check(log)
            succession = Succession(log.origin, report.size, predecessor)
        os.rename(draft, new)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return succession


def _fill(source: apsw.Connection, draft: Path, first: Submission, now_us: int) -> None:
    secret: bytes = rows(source, "SELECT secret FROM log")[0][0]
    connect_writer(draft, secret).close()
    with LogStore.open(draft) as store:
        store.append([first], _not_after_the_first(source, now_us))
    target = connect_writer(draft)
    try:
        with target:
            leaf = rows(target, "SELECT leaf FROM entry WHERE seq = 0")[0][0]
            frontier = Frontier()
            frontier.extend([leaf])
            _copy(source, target, frontier)
        target.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    finally:
        target.close()


def _not_after_the_first(source: apsw.Connection, now_us: int) -> int:
    """A time for the entry that goes before all others: no entry is earlier than its predecessor."""
    found = rows(source, "SELECT envelope FROM entry WHERE seq = 0")
    return min(now_us, decode_envelope(0, found[0][0]).recorded) if found else now_us


def _copy(source: apsw.Connection, target: apsw.Connection, frontier: Frontier) -> None:
    target.executemany("INSERT INTO dictionary VALUES (?, ?, ?)", rows(source, "SELECT * FROM dictionary"))
    start = 0
    while found := rows(source, "SELECT seq, envelope FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?", start, _CHUNK):
        end = found[-1][0] + 1
        moved = [(seq + 1, _renumbered(seq, envelope)) for seq, envelope in found]
        entries = [(seq, leaf_hash(envelope), envelope) for seq, envelope in moved]
        target.executemany("INSERT INTO entry VALUES (?, ?, ?)", entries)
        target.executemany("INSERT INTO node VALUES (?, ?, ?)", frontier.extend([leaf for _, leaf, _ in entries]))
        bodies = "SELECT seq + 1, salt, dictionary, compressed FROM body WHERE seq >= ? AND seq < ?"
        target.executemany("INSERT INTO body VALUES (?, ?, ?, ?)", rows(source, bodies, start, end))
        start = end
    target.executemany("INSERT INTO idem VALUES (?, ?, ?)", rows(source, "SELECT t, digest, seq + 1 FROM idem"))


def _renumbered(seq: int, envelope: bytes) -> bytes:
    head, place = b'{"v":1,"seq":%d,', seq
    if not envelope.startswith(head % place):
        raise CorruptLogError(f"entry {seq} is not written as Lineward writes", "restore the log from a backup")
    return head % (seq + 1) + envelope[len(head % place) :]
