"""Copies of a data folder: taken while its server writes, checked before they count, put back only where they hold.

A backup is a folder: the log as one database file without a write-ahead file, what the folder publishes (public keys,
the last signed checkpoint), on request its secret keys, and `manifest.json`, which is written last and names size, root
and every file by digest. The graph is left out: it is made again from the log.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import file_digest
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Literal

import apsw
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from catalog.errors import CorruptLogError, InvalidInputError, LinewardError, NotFoundError
from catalog.log import audit
from catalog.log.audit import AuditReport
from catalog.log.reader import LogReader
from catalog.log.schema import FILE, connect_reader
from catalog.log.sealing import fingerprint, seal, unseal

MANIFEST = "manifest.json"
KEYS = ("checkpoint-key.pem", "checkpoint-key.mldsa44.pem", "key.pepper", "signing-key.pem")
"""Secret files of a data folder: in a backup only where it was asked for."""

PUBLISHED = ("checkpoint", "checkpoint.cosigned", "checkpoint-key.vkey", "signing-key.pub.pem")
"""What others hold already, or may."""

_KNOWN = frozenset({FILE, *KEYS, *PUBLISHED})
_MOST_MANIFEST = 1 << 20
_UNSEALED = ".unsealed-backup-"

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class IncompleteBackupError(LinewardError):
    """A backup without some of its files: it may have been interrupted, or copied in part."""

    code = "INCOMPLETE_BACKUP"


class CopyFailedError(LinewardError):
    """The operating system refused to read or to write; nothing was left behind."""

    code = "COPY_FAILED"


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class BackedUpFile(_Document):
    """A file by its name within the backup, its size in bytes and the SHA-256 of its content."""

    name: str
    bytes: Annotated[int, Field(ge=0)]
    sha256: Digest


class Manifest(_Document):
    """What a backup holds: the first `size` entries of the log `origin`, whose root is `root`.

    `left_out` are the secret files that the data folder had and the backup has not; `key` is the fingerprint of the key
    without which nothing of it can be read (see `catalog.log.sealing`), None where it is not encrypted.
    """

    format: Literal["lineward/backup/1"] = "lineward/backup/1"
    origin: str
    size: Annotated[int, Field(ge=0)]
    root: Digest
    taken_at: str
    left_out: tuple[str, ...]
    lineward: str
    sqlite: str
    files: tuple[BackedUpFile, ...]
    key: Digest | None = None


class BackupMade(_Document):
    """That a backup was made: when, of what, where it was put, and which key opens it."""

    taken_at: str
    origin: str
    size: Annotated[int, Field(ge=0)]
    root: Digest
    key: Digest | None = None
    place: str


# Taking ------------------------------------------------------------------------------------------------------------


def take(data: Path, target: Path, *, with_keys: bool = False, key: bytes | None = None) -> Manifest:
    """Copy the log in `data` to the new folder `target`, as of one moment, beside whatever writes it.

    With a `key` everything but the manifest is sealed with it; what is not sealed yet lies in `data` meanwhile.

    The folder appears whole, on disk, or not at all. Raises NotFoundError where there is no log, InvalidInputError
    where `target` holds something, CorruptLogError for a copy that disagrees with the log, CopyFailedError for a full
    disk and the like.
    """
    with _told(), LogReader.open(data) as log, _new_folder(target) as draft:
        with _plain(data, draft, key) as plain:
            _copy_small(data, plain, (*PUBLISHED, *(KEYS if with_keys else ())))  # before the log: never newer than it
            _copy_log(data, plain)
            with LogReader.open(plain) as copy:
                size = copy.size()
                root = copy.root(size)
            if log.root(size) != root:
                raise CorruptLogError(
                    "the copy has another root than the log", "check the disk, then `lineward verify`"
                )
        manifest = Manifest(
            origin=log.origin,
            size=size,
            root=root.hex(),
            taken_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            left_out=() if with_keys else tuple(name for name in KEYS if (data / name).is_file()),
            lineward=version("lineward"),
            sqlite=apsw.sqlite_lib_version(),
            files=tuple(_described(path) for path in sorted(draft.iterdir())),
            key=None if key is None else fingerprint(key),
        )
        (draft / MANIFEST).write_text(manifest.model_dump_json(by_alias=True, indent=2, exclude_none=True) + "\n")
    return manifest


@contextmanager
def _plain(data: Path, draft: Path, key: bytes | None) -> Iterator[Path]:
    """Where to copy to: the draft itself, or beside the log what is then sealed into the draft and removed."""
    if key is None:
        yield draft
        return
    for left in data.glob(f"{_UNSEALED}*"):  # by a backup that was killed
        shutil.rmtree(left)
    plain = Path(mkdtemp(dir=data, prefix=_UNSEALED))
    try:
        yield plain
        for path in sorted(plain.iterdir()):
            seal(path, draft / path.name, key)
    finally:
        shutil.rmtree(plain)


def _copy_log(data: Path, draft: Path) -> None:
    """All pages in one step: several would begin again whenever another process writes."""
    source = connect_reader(data)
    try:
        copy = apsw.Connection(str(draft / FILE))
        try:
            with copy.backup("main", source, "main") as running:
                running.step(-1)
            copy.pragma("journal_mode", "delete")  # one file, readable where nothing may be written
            if copy.pragma("quick_check") != "ok":
                raise CorruptLogError("the copy is damaged", "check the disk, then `lineward verify`")
        finally:
            copy.close()
    finally:
        source.close()


def _copy_small(data: Path, draft: Path, names: tuple[str, ...]) -> None:
    for name in names:
        if (data / name).is_file():
            shutil.copyfile(data / name, draft / name)


def _described(path: Path) -> BackedUpFile:
    with path.open("rb") as file:
        return BackedUpFile(name=path.name, bytes=path.stat().st_size, sha256=file_digest(file, "sha256").hexdigest())


# Putting back ------------------------------------------------------------------------------------------------------


def restore(
    backup: Path,
    data: Path,
    known_roots: Mapping[int, bytes] | None = None,
    *,
    key: bytes | None = None,
    finish: Callable[[Path], None] = lambda _draft: None,
) -> tuple[Manifest, AuditReport]:
    """Put a backup back as the new data folder `data`, after checking all of it.

    `key` opens one that is encrypted; `finish` is called with the folder before it has its name, once it is checked.

    Every file has its digest; the log is recomputed from its first entry to the manifest's root, and to `known_roots`
    (size -> root) that were kept elsewhere. Raises InvalidInputError for what is no backup and where `data` holds
    something, IncompleteBackupError where files are missing, CorruptLogError where something was changed,
    CopyFailedError for a full disk and the like.
    """
    manifest = read(backup)
    _check_key(manifest, key)
    with _told(), _new_folder(data) as draft:
        for file in manifest.files:
            _take_back(backup, draft, file, key)
        with LogReader.open(draft) as log:
            if log.origin != manifest.origin:
                raise _changed(f"its log is {log.origin}, and not {manifest.origin}")
            if log.size() != manifest.size:
                raise _changed(f"its log has {log.size()} entries, and not {manifest.size}")
            report = audit.check(log, {manifest.size: bytes.fromhex(manifest.root), **(known_roots or {})})
            if report.root.hex() != manifest.root:
                raise _changed("its log has another root than the manifest says")
        finish(draft)
    return manifest, report


def _check_key(manifest: Manifest, key: bytes | None) -> None:
    if manifest.key is None and key is not None:
        raise InvalidInputError("the backup is not encrypted", "Leave --key out.")
    if manifest.key is not None and (key is None or fingerprint(key) != manifest.key):
        which = "it needs its key" if key is None else "this is not its key"
        raise InvalidInputError(
            f"the backup is encrypted, and {which}: {manifest.key[:16]}…", "Name the key's file with --key."
        )


def read(backup: Path) -> Manifest:
    """The manifest of a backup. Raises NotFoundError, InvalidInputError or IncompleteBackupError."""
    path = backup / MANIFEST
    if not backup.is_dir():
        raise NotFoundError(f"there is no backup in {backup}", "name the folder that `lineward backup` made")
    try:
        with path.open("rb") as file:
            manifest = Manifest.model_validate_json(file.read(_MOST_MANIFEST))
    except FileNotFoundError as error:
        raise IncompleteBackupError(f"{backup} has no {MANIFEST}", "name the folder that `backup` made") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise _no_manifest(path, f"{where}: {first['msg']}") from error
    names = [file.name for file in manifest.files]
    if FILE not in names or not _KNOWN.issuperset(names) or len(set(names)) != len(names):
        raise _no_manifest(path, f"the files are {', '.join(names)}")
    return manifest


def _take_back(backup: Path, draft: Path, file: BackedUpFile, key: bytes | None) -> None:
    """Copied first and compared then, so that what was compared is what is there."""
    try:
        shutil.copyfile(backup / file.name, draft / file.name)
    except FileNotFoundError as error:
        raise IncompleteBackupError(f"{file.name} is missing from {backup}", "copy the backup whole") from error
    if _described(draft / file.name) != file:
        raise _changed(f"{file.name} is not what the manifest says")
    if key is not None:
        sealed = draft / file.name
        opened = draft / f".{file.name}"
        unseal(sealed, opened, key)
        os.replace(opened, sealed)


def _changed(what: str) -> CorruptLogError:
    return CorruptLogError(f"the backup was changed: {what}", "take another backup")


def _no_manifest(path: Path, why: str) -> InvalidInputError:
    return InvalidInputError(f"{path} is no manifest of a backup: {why}", "name the folder that `backup` made")


# Folders -----------------------------------------------------------------------------------------------------------


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """A draft beside `target` that becomes it, on disk, when nothing goes wrong, and vanishes when something does."""
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise InvalidInputError(f"{target} holds something already", "name a folder that is not there yet")
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=target.parent, prefix=f".{target.name}."))  # for its owner alone
    try:
        yield draft
        _make_durable(draft)
        os.rename(draft, target)
    except BaseException:
        shutil.rmtree(draft)
        raise
    _sync(target.parent)


@contextmanager
def _told() -> Iterator[None]:
    """What SQLite and the operating system raise, as what happened and what to do."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise CorruptLogError(f"the log's file is damaged: {error}", "restore another backup") from error
    except (OSError, apsw.FullError, apsw.IOError, apsw.CantOpenError, apsw.PermissionsError) as error:
        raise CopyFailedError(f"the copy failed: {error}", "check space and rights, and run it again") from error


def _make_durable(folder: Path) -> None:
    for path in folder.iterdir():
        path.chmod(0o600)
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
