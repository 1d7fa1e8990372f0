"""A checkpoint that must outlive a power cut: replaced whole, on disk before anybody hears of it, by one at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp


class CheckpointFile:
    """The last checkpoint that somebody vouched for. For any number of threads and processes.

    Reading needs no lock. Whoever compares and then replaces does both inside `exclusive`, or two of them could each
    find their own newer than the last, and the older win.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes | None:
        """What was last written; None where nothing ever was."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None

    def written_at(self) -> int | None:
        """When that was, µs since 1970; None where nothing ever was."""
        try:
            return self.path.stat().st_mtime_ns // 1000
        except FileNotFoundError:
            return None

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Wait for the turn; the operating system ends it with the process."""
        descriptor = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def replace(self, data: bytes) -> None:
        """Durable when this returns; a reader, and a crash, see the old or the new, never a part."""
        descriptor, name = mkstemp(dir=self.path.parent, prefix=f"{self.path.name}.")
        try:
            with open(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o644)
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            os.rename(name, self.path)
        except BaseException:
            os.unlink(name)
            raise
        _sync_folder(self.path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
