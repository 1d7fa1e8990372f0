"""One writer at a time: a lock on a file that the operating system releases with the process."""

import errno
import fcntl
import os
import struct
import sys
from pathlib import Path

from catalog.errors import LinewardError, UnsupportedPlatformError


class LogLockedError(LinewardError):
    """Another process writes this log."""

    code = "LOG_LOCKED"


class WriterLock:
    """An exclusive lock on `path`, held from construction to `close`; LogLockedError if it is taken.

    The lock belongs to the open file, not to the process, so that a second writer inside one process is
    refused too, and closing some other descriptor of the file does not release it.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._descriptor)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                os.close(self._descriptor)
                raise UnsupportedPlatformError(
                    f"{path.parent} cannot be locked: {error}", "put the data on a local disk"
                ) from error
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise LogLockedError(
                f"the log in {path.parent} is being written by process {holder or 'unknown'}",
                "stop that server, or talk to it with --url",
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _lock(descriptor: int) -> None:
    if sys.platform == "linux":
        # struct flock: l_type, l_whence, l_start, l_len (0 = to the end), l_pid (must be 0)
        whole_file = struct.pack("hhqqi0q", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, whole_file)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
