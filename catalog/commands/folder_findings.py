"""What `lineward doctor` finds out of a data folder; nothing here changes what it looks at."""

import fcntl
import os
import shutil
import stat
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from time import perf_counter

from catalog.authority.pepper import FILE as PEPPER
from catalog.authority.pepper import Pepper
from catalog.authority.roll import Roll
from catalog.commands.findings import Finding, Level, tried
from catalog.composition import GRAPH_FILE, open_graph, reading_of
from catalog.erasure.register import ErasureRegister
from catalog.errors import LinewardError, NotFoundError
from catalog.graph.contract import GraphStore
from catalog.health import DISK_FLOOR
from catalog.instant import text
from catalog.log.checkpoint import opened
from catalog.log.checkpoint_key import PRIVATE as CHECKPOINT_KEY
from catalog.log.checkpoint_key import PUBLIC as CHECKPOINT_PUBLIC
from catalog.log.checkpoint_key import verifier_key
from catalog.log.checkpoint_log import FILE as SIGNED
from catalog.log.checkpoint_log import ForkedLogError
from catalog.log.note import VerifierKey
from catalog.log.reader import LogReader
from catalog.log.schema import FILE
from catalog.log.writer import microseconds_now
from catalog.private_key import log_key_in
from catalog.projector import outdated
from catalog.settings import Settings
from policies.attestation.signing import PRIVATE as SIGNING_KEY
from policies.attestation.signing import KeySettings, signing_key

SLOW_FSYNC = 0.02  # seconds; a commit waits for one
PROBES = 8
LITTLE_SPACE = 0.1  # of a file system
LONG_WAL = 256 << 20  # bytes: four times what a checkpoint leaves
SKEW = 300.0  # seconds that a clock may be behind the log, as the clocks of producers may

_LOCK_FILE = "log.lock"
_FLOCK = "hhqqi0q"  # l_type, l_whence, l_start, l_len, l_pid
_REMOTE = ("nfs", "cifs", "smb", "fuse.sshfs", "glusterfs", "ceph", "9p")


def folder_findings(settings: Settings) -> Iterator[Finding]:
    folder = settings.data
    if not folder.is_dir():
        yield Finding(
            Level.WARN,
            "data folder",
            f"{folder.absolute()} does not exist",
            "`lineward serve` makes it, or name another",
        )
        return
    yield _writable(folder)
    yield from _private(folder)
    yield from _file_system(folder)
    yield _space(folder)
    try:
        log = LogReader.open(folder)
    except NotFoundError as error:
        yield Finding(Level.WARN, "log", error.message, error.remedy)
        return
    except LinewardError as error:
        yield Finding(Level.FAIL, "log", error.message, error.remedy)
        return
    with log:
        size = log.size()
        yield Finding(Level.OK, "log", f"{size:,} entries, root {log.root(size).hex()}, {log.origin}")
        yield from _writer(folder)
        yield from _clock(log, size)
        yield from _write_ahead(folder)
        yield from _keys(settings, log)
        yield _graph(settings, log, size)


def _writable(folder: Path) -> Finding:
    try:
        with NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            seconds = min(_fsync_seconds(file.fileno()) for _ in range(PROBES))
    except OSError as error:
        return Finding(
            Level.FAIL, "data folder", f"{folder.absolute()} cannot be written: {error.strerror}", "correct its owner"
        )
    fact = f"{folder.absolute()} is writable, fsync takes {seconds * 1000:.1f} ms"
    if seconds > SLOW_FSYNC:
        return Finding(Level.WARN, "data folder", fact, "every acknowledgement waits for one: use a faster local disk")
    return Finding(Level.OK, "data folder", fact)


def _fsync_seconds(descriptor: int) -> float:
    os.write(descriptor, b"0" * 4096)
    start = perf_counter()
    os.fsync(descriptor)
    return perf_counter() - start


def _private(folder: Path) -> Iterator[Finding]:
    """The log holds what people wrote into events, and the folder the keys that sign for it."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        yield Finding(
            Level.WARN, "data folder", f"others on this machine may open it (mode {mode:o})", f"chmod 700 {folder}"
        )


def _file_system(folder: Path) -> Iterator[Finding]:
    """Locks and shared memory, which the log needs, do not hold across machines."""
    if sys.platform != "linux":
        return
    mounts = [line.split()[1:3] for line in Path("/proc/self/mounts").read_text().splitlines()]
    absolute = folder.resolve()
    over = [(Path(where), kind) for where, kind in mounts if absolute.is_relative_to(where)]
    where, kind = max(over, key=lambda mount: len(mount[0].parts), default=(absolute, ""))
    if kind.startswith(_REMOTE):
        yield Finding(Level.FAIL, "file system", f"{where} is {kind}", "put the data on a local disk")


def _space(folder: Path) -> Finding:
    total, _, free = shutil.disk_usage(folder)
    fact = f"{free / 1e9:,.1f} of {total / 1e9:,.1f} GB free"
    if free < DISK_FLOOR:
        return Finding(Level.FAIL, "disk", fact, "free some space: no events are taken until then, and none is lost")
    if free < LITTLE_SPACE * total:
        return Finding(Level.WARN, "disk", fact, "free some space, or move the data folder to a larger disk")
    return Finding(Level.OK, "disk", fact)


def _writer(folder: Path) -> Iterator[Finding]:
    if sys.platform != "linux" or not (folder / _LOCK_FILE).exists():
        return
    with (folder / _LOCK_FILE).open("rb") as file:
        wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        found = fcntl.fcntl(file.fileno(), fcntl.F_OFD_GETLK, wanted)
        holder = file.read(32).decode(errors="replace").strip()
    if struct.unpack(_FLOCK, found)[0] == fcntl.F_UNLCK:
        yield Finding(Level.OK, "writer", "nobody writes the log")
    elif holder.isdecimal() and Path(f"/proc/{holder}").exists():
        yield Finding(Level.OK, "writer", f"process {holder} writes the log")
    else:
        yield Finding(
            Level.WARN,
            "writer",
            f"process {holder or 'unknown'}, which is not to be seen from here, writes the log",
            "look for it in the other containers that have this folder; only one of them can serve it",
        )


def _clock(log: LogReader, size: int) -> Iterator[Finding]:
    """Entries never carry an earlier time than their predecessors: behind the log, all get the same."""
    if not size:
        return
    last = log.entry(size - 1).recorded
    behind = (last - microseconds_now()) / 1_000_000
    if behind <= 0:
        yield Finding(Level.OK, "clock", f"past the last entry, {text(last)}")
        return
    yield Finding(
        Level.FAIL if behind > SKEW else Level.WARN,
        "clock",
        f"{behind:,.0f} s before the last entry, {text(last)}",
        "set the clock, best by NTP: until it has caught up, entries and decisions carry that time",
    )


def _write_ahead(folder: Path) -> Iterator[Finding]:
    path = folder / f"{FILE}-wal"
    held = path.stat().st_size if path.exists() else 0
    if held > LONG_WAL:
        yield Finding(
            Level.WARN,
            "write-ahead file",
            f"{held / 1e9:,.1f} GB",
            "some process keeps an old reading of the log open: end it, then restart the server",
        )


# Keys --------------------------------------------------------------------------------------------------------------


def _keys(settings: Settings, log: LogReader) -> Iterator[Finding]:
    made = len(Roll(log).keys)
    if made:
        yield tried(
            "API keys", lambda: Pepper(settings.data, settings.key_pepper).secret(), lambda _: f"{made:,}, pepper found"
        )
    yield from _exposed(settings.data / PEPPER)
    yield from _signing_key(settings.data)
    path = settings.data / CHECKPOINT_KEY
    if path.exists():
        yield from _exposed(path)
        yield tried("checkpoint key", lambda: log_key_in(path, _unheard), lambda _: str(path))
    yield from _checkpoints(settings.data, log)


def _checkpoints(folder: Path, log: LogReader) -> Iterator[Finding]:
    """Whether the log continues what was signed last, and by which key. Nothing is signed, made or published."""
    if not (folder / SIGNED).exists():
        return

    def signed() -> VerifierKey:
        key = verifier_key(str(folder / CHECKPOINT_PUBLIC))
        last = opened((folder / SIGNED).read_bytes(), key).checkpoint
        if log.size() < last.size or log.root(last.size) != last.root:
            raise ForkedLogError(f"the log does not continue its checkpoint of {last.size:,} entries")
        return key

    yield tried("checkpoints", signed, lambda key: f"the log continues what was signed by {key}")


def _signing_key(folder: Path) -> Iterator[Finding]:
    """Read as the server would, but neither made nor published."""
    given = KeySettings()
    path = given.signing_key_file or folder / SIGNING_KEY
    if given.signing_key is not None:
        place = "LINEWARD_SIGNING_KEY"
    elif given.signing_key_file is None and not path.exists():
        yield Finding(Level.OK, "signing key", "none yet: the first decision makes it")
        return
    else:
        place = str(path)
        given = given.model_copy(update={"signing_key_file": path})
        yield from _exposed(path)
    yield tried("signing key", lambda: signing_key(given, folder, _unheard), lambda _: place)


def _exposed(path: Path) -> Iterator[Finding]:
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding(Level.WARN, path.name, "others on this machine may read it", f"chmod 600 {path}")


def _unheard(_said: str) -> None:
    """What a key's file is exposed to is found beside."""


# The graph ---------------------------------------------------------------------------------------------------------


def _graph(settings: Settings, log: LogReader, size: int) -> Finding:
    if settings.graph == "sqlite" and not (settings.data / GRAPH_FILE).exists():
        return Finding(Level.WARN, "graph", "sqlite, not made yet", "`lineward serve` or `lineward rebuild` makes it")
    try:
        store = open_graph(settings)
        try:
            return _projected(settings, store, log, size)
        finally:
            store.close()
    except LinewardError as error:
        return Finding(Level.FAIL, "graph", error.message, error.remedy)


def _projected(settings: Settings, store: GraphStore, log: LogReader, size: int) -> Finding:
    position = store.position()
    if position is None:
        remedy = "`lineward rebuild` fills it" if size else ""
        return Finding(Level.WARN if size else Level.OK, "graph", f"{store.name}, empty", remedy)
    if position.origin.partition("#")[0] != log.origin:
        fact = f"{store.name} holds another log, {position.origin}"
        return Finding(Level.FAIL, "graph", fact, "name another graph, or `lineward rebuild` this one")
    if outdated(store, log.origin, reading_of(settings, ErasureRegister.of(log))):
        fact = f"{store.name} was projected by another version, by other rules or before an erasure"
        return Finding(Level.WARN, "graph", fact, "`lineward serve` and `lineward rebuild` project it again")
    lag = size - position.offset
    fact = f"{store.name}, {position.offset:,} entries projected"
    if lag > 0:
        return Finding(Level.WARN, "graph", f"{fact}, {lag:,} behind", "a running server catches up by itself")
    if lag < 0:
        fact = f"{fact}, and the log has {size:,}: an older log was put back"
        return Finding(Level.FAIL, "graph", fact, "`lineward rebuild` makes it again from this log")
    return Finding(Level.OK, "graph", fact)
