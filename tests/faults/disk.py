"""A disk that forgets and fails, as a file system of SQLite's: in a test process, as any user, and the same each time.

What is written goes through to real files, so that the log under test goes on, and is recorded. From the recording come
the files that a machine finds after its power was cut: all that was synced, and of the rest nothing, some, or pieces.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

import apsw

Kind = Literal["create", "write", "truncate", "sync", "delete"]
Fails = Callable[["Operation", int], apsw.Error | None]
"""What befalls an operation, given its number from 1 among all that change the disk."""

SECTOR = 512  # bytes that are written whole or not at all
_REAL = "unix"


@dataclass(frozen=True, slots=True)
class Operation:
    kind: Kind
    path: str
    offset: int = 0  # of a truncation, the size
    data: bytes = b""


def healthy(operation: Operation, number: int) -> None:
    """Nothing befalls it."""


@dataclass(slots=True)
class Disk:
    """What was done to it; `fails` may be set at any time."""

    operations: list[Operation] = field(default_factory=list)
    fails: Fails = healthy
    number: int = 0

    def note(self, operation: Operation) -> None:
        """Raises what befalls the operation, which then was not done; of a failed write the first half was."""
        self.number += 1
        error = self.fails(operation, self.number)
        if error is None:
            self.operations.append(operation)
            return
        raise error

    def after_power_cut(self, at: int, random: Random, *, all_lost: bool) -> dict[str, bytes]:
        """The files, after the first `at` operations. Of what was not synced some survives, unless `all_lost`.

        What was deleted is back, or may be, until the directory was synced. SQLite does so at the first sync of a new
        journal or write-ahead file (`unixOpen` in os_unix.c).
        """
        files = _Files()
        for operation in self.operations[:at]:
            files.see(operation)
        for path in list(files.deleted):
            if all_lost or random.random() < 0.5:
                files.content.setdefault(path, files.deleted[path])
        if not all_lost:
            for path, operations in files.unsynced.items():
                for each in operations:
                    _apply_perhaps(files.content[path], each, random)
        return {path: bytes(content) for path, content in files.content.items()}


@dataclass(slots=True)
class _Files:
    """What is sure to be on the disk, and what has yet to get there."""

    content: dict[str, bytearray] = field(default_factory=dict)
    unsynced: dict[str, list[Operation]] = field(default_factory=dict)
    deleted: dict[str, bytearray] = field(default_factory=dict)
    new_journals: set[str] = field(default_factory=set)

    def see(self, operation: Operation) -> None:
        path = operation.path
        match operation.kind:
            case "create":
                self.content[path], self.unsynced[path] = bytearray(), []
                if path.endswith(("-journal", "-wal")):
                    self.new_journals.add(path)
            case "sync":
                for each in self.unsynced.pop(path, []):
                    _apply(self.content[path], each)
                if path in self.new_journals:
                    self.new_journals.remove(path)
                    self.deleted.clear()
            case "delete":
                self.deleted[path] = self.content.pop(path)
                self.unsynced.pop(path, None)
            case _:
                self.unsynced.setdefault(path, []).append(operation)


def _apply(content: bytearray, operation: Operation) -> None:
    if operation.kind == "truncate":
        del content[operation.offset :]
        return
    content.extend(bytes(max(0, operation.offset - len(content))))
    content[operation.offset : operation.offset + len(operation.data)] = operation.data


def _apply_perhaps(content: bytearray, operation: Operation, random: Random) -> None:
    """Whole, not at all, or the first sectors of it: in any order, as caches write."""
    chance = random.random()
    if chance < 0.45:
        return
    if chance < 0.6 and operation.kind == "write":
        kept = random.randrange(0, len(operation.data) + 1, SECTOR)
        operation = Operation("write", operation.path, operation.offset, operation.data[:kept])
    _apply(content, operation)


@contextmanager
def in_use(disk: Disk) -> Iterator[None]:
    """Databases that are opened from now on, by path and nothing else, lie on that disk. One connection to each."""
    file_system = _FileSystem(disk)
    apsw.connection_hooks.append(_alone)
    try:
        yield
    finally:
        apsw.connection_hooks.remove(_alone)
        file_system.unregister()


def _alone(connection: apsw.Connection) -> None:
    """Without shared memory, which a file system in Python does not offer."""
    connection.pragma("locking_mode", "exclusive")


class _FileSystem(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(f"disk {id(disk)}", _REAL, makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> "_File":  # noqa: N802 - SQLite's name
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is not None and not Path(path).exists():
            self._disk.note(Operation("create", path))
        return _File(self._disk, name, flags, path)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self._disk.note(Operation("delete", filename))
        super().xDelete(filename, syncdir)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int], path: str | None) -> None:
        super().__init__(_REAL, name, flags)
        self._disk, self._path = disk, path  # a temporary file has no name, and no meaning after a power cut

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self._path is not None:
            try:
                self._disk.note(Operation("write", self._path, offset, bytes(data)))
            except apsw.Error:
                super().xWrite(data[: len(data) // 2], offset)
                raise
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        if self._path is not None:
            self._disk.note(Operation("truncate", self._path, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self._path is not None:
            self._disk.note(Operation("sync", self._path))
        super().xSync(flags)
