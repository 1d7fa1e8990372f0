"""What `lineward doctor` finds out of the machine and of a server; nothing here changes what it looks at."""

import platform
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import files, version
from pathlib import Path

import apsw
import httpx

from catalog.commands.failure import UnreachableError
from catalog.commands.remote import RemoteCatalogue, client_of
from catalog.errors import LinewardError
from catalog.log.schema import refuse_wal_reset_bug

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
    yield _installation()
    yield _sqlite()
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < FEW_FILES:
        yield Finding(Level.WARN, "open files", f"limit {soft:,}", f"raise it to {FEW_FILES:,} with ulimit -n")
    else:
        yield Finding(Level.OK, "open files", f"limit {soft:,}" if soft >= 0 else "no limit")


def _installation() -> Finding:
    """Whether what was installed is still there: packs, schemas and pages are files beside the code."""
    listed = files("lineward") or []
    missing = sorted(str(file) for file in listed if file.suffix != ".pyc" and not Path(file.locate()).exists())
    if missing:
        told = f"{len(missing):,} of {len(listed):,} files are missing: {', '.join(missing[:3])}"
        return Finding(Level.FAIL, "installation", told, "install this version again")
    return Finding(Level.OK, "installation", f"{len(listed):,} files, all there")


def _sqlite() -> Finding:
    """Some versions lose committed writes when a write-ahead log is reset."""
    text = apsw.sqlite_lib_version()
    major, minor, patch = (int(part) for part in text.split(".")[:3])
    return tried("SQLite", lambda: refuse_wal_reset_bug(major * 1_000_000 + minor * 1_000 + patch), lambda _: text)


def server_findings(url: str) -> Iterator[Finding]:
    try:
        with client_of(url) as client:
            log = RemoteCatalogue(client).ask(STATUS, {})["log"]
            ready = client.get("/readyz")
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


def tried(subject: str, check: Callable[[], object], fact: Callable[[object], str]) -> Finding:
    """What a check found; what it raises is what is wrong, with its remedy."""
    try:
        return Finding(Level.OK, subject, fact(check()))
    except LinewardError as error:
        return Finding(Level.FAIL, subject, error.message, error.remedy)
    except OSError as error:
        return Finding(Level.FAIL, subject, f"{error.filename}: {error.strerror}", "correct its owner and its rights")
