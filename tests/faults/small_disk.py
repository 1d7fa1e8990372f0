"""A server on a small disk of its own: a file system in memory, in a mount namespace that ends with the server."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end import server_process
from tests.end_to_end.server_process import ServerProcess

_PRIVATE = ("unshare", "--mount", "--map-root-user")  # a user namespace, so that nobody needs to be root
_FILLER = "filler"


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """`path` is where the server sees it, `seen` the same folder from here."""

    path: Path
    seen: Path

    @property
    def free(self) -> int:
        return shutil.disk_usage(self.seen).free

    def fill(self) -> None:
        """Until not a byte is left."""
        with suppress(OSError), (self.seen / _FILLER).open("ab", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))

    def leave_space(self) -> None:
        (self.seen / _FILLER).unlink()


@contextmanager
def serving_on_small_disk(root: Path, size: str) -> Iterator[tuple[ServerProcess, SmallDisk]]:
    """Skips where this machine lets nobody mount anything."""
    disk, log = root / "disk", root / f"server.{time.monotonic_ns()}.log"
    disk.mkdir()
    serve = f"{sys.executable} -m catalog.cli serve --data {disk}/data --port 0"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [*_PRIVATE, "sh", "-c", f"mount -t tmpfs -o size={size} tmpfs {disk} && exec {serve}"],
            stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=server_process._environment({}),
        )  # fmt: skip
    try:
        url = server_process._listening(process, log)
        seen = Path(f"/proc/{process.pid}/root{disk}")
        yield ServerProcess(disk / "data", process, url), SmallDisk(disk, seen)
    finally:
        process.kill()
        process.wait()


def on_read_only_disk(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A `lineward` command whose `--data` is a folder of a disk that is mounted read-only."""
    disk = root / "disk"
    disk.mkdir()
    mounted = f"mount -t tmpfs tmpfs {disk} && mkdir {disk}/data && mount -o remount,ro {disk}"
    run = " ".join([sys.executable, "-m", "catalog.cli", *command, "--data", f"{disk}/data"])
    return subprocess.run(
        [*_PRIVATE, "sh", "-c", f"{mounted} && exec {run}"],
        capture_output=True, text=True, env=server_process._environment({}), timeout=60, check=False,
    )  # fmt: skip


def require_mounts(root: Path) -> None:
    """Skips, visibly, where this machine lets nobody mount anything."""
    tried = subprocess.run([*_PRIVATE, "mount", "-t", "tmpfs", "tmpfs", str(root)], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip(f"no file system can be mounted here: {tried.stderr.decode().strip()}")
