"""What `lineward doctor` finds out, one fact after the other; nothing here changes what it looks at."""

import os
import platform
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile
from time import perf_counter

import apsw
import httpx

from catalog.commands.failure import UnreachableError
from catalog.commands.remote import RemoteCatalogue
from catalog.composition import GRAPH_FILE, open_graph
from catalog.errors import LinewardError, NotFoundError
from catalog.log.reader import LogReader
from catalog.log.schema import refuse_wal_reset_bug
from catalog.settings import Settings

SLOW_FSYNC = 0.02  # seconds; a commit waits for one
PROBES = 8
FEW_FILES = 4096
STATUS = "{ log { size root projection { store offset lagSeconds } } }"


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` is empty where all is well."""

    level: Level
    subject: str
    fact: str
    remedy: str = ""


def machine_findings() -> Iterator[Finding]:
    packages = ", ".join(f"{name} {version(name)}" for name in ("lineward", "apsw", "neo4j", "openlineage-python"))
    yield Finding(Level.OK, "versions", f"{packages}, Python {platform.python_version()} on {sys.platform}")
    yield _sqlite()
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < FEW_FILES:
        yield Finding(Level.WARN, "open files", f"limit {soft:,}", f"raise it to {FEW_FILES:,} with ulimit -n")
    else:
        yield Finding(Level.OK, "open files", f"limit {soft:,}" if soft >= 0 else "no limit")


def _sqlite() -> Finding:
    """Some versions lose committed writes when a write-ahead log is reset."""
    text = apsw.sqlite_lib_version()
    major, minor, patch = (int(part) for part in text.split(".")[:3])
    return _tried("SQLite", lambda: refuse_wal_reset_bug(major * 1_000_000 + minor * 1_000 + patch), lambda _: text)


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
        yield _graph(settings, log.origin, size)


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


def _graph(settings: Settings, origin: str, size: int) -> Finding:
    if settings.graph == "sqlite" and not (settings.data / GRAPH_FILE).exists():
        return Finding(Level.WARN, "graph", "sqlite, not made yet", "`lineward serve` or `lineward rebuild` makes it")
    try:
        store = open_graph(settings)
        try:
            position = store.position()
        finally:
            store.close()
    except LinewardError as error:
        return Finding(Level.FAIL, "graph", error.message, error.remedy)
    if position is None:
        return Finding(
            Level.OK if not size else Level.WARN,
            "graph",
            f"{store.name}, empty",
            "`lineward rebuild` fills it" if size else "",
        )
    if position.origin.partition("#")[0] != origin:
        fact = f"{store.name} holds another log, {position.origin}"
        return Finding(Level.FAIL, "graph", fact, "name another graph, or `lineward rebuild` this one")
    lag = size - position.offset
    fact = f"{store.name}, {position.offset:,} entries projected"
    if lag > 0:
        return Finding(Level.WARN, "graph", f"{fact}, {lag:,} behind", "a running server catches up by itself")
    return Finding(Level.OK, "graph", fact)


def server_findings(url: str) -> Iterator[Finding]:
    try:
        with RemoteCatalogue.connect(url) as server:
            log = server.ask(STATUS, {})["log"]
            ready = server.client.get("/readyz")
    except (LinewardError, httpx.HTTPError) as error:
        told = error if isinstance(error, LinewardError) else UnreachableError(str(error), "check --url")
        yield Finding(Level.FAIL, "server", told.message, told.remedy)
        return
    level = Level.OK if ready.is_success else Level.WARN
    yield Finding(
        level, "server", f"{url} answers, {ready.text.strip()[:200]}", "" if ready.is_success else "see its log"
    )
    projection = log["projection"]
    fact = f"{log['size']:,} entries; {projection['store']} holds {projection['offset']:,}"
    if projection["lagSeconds"] > 60:
        yield Finding(
            Level.WARN, "projection", f"{fact}, {projection['lagSeconds']:.0f} s behind", "see the server's log"
        )
    else:
        yield Finding(Level.OK, "projection", fact)


def _tried(subject: str, check: Callable[[], object], fact: Callable[[object], str]) -> Finding:
    try:
        return Finding(Level.OK, subject, fact(check()))
    except LinewardError as error:
        return Finding(Level.FAIL, subject, error.message, error.remedy)
