"""A log as a folder that needs no database: C2SP tlog-tiles, and beside them the bodies that are not erased.

    checkpoint                       the signed note that all of it is checked against
    tile/L/N[.p/W]                   hashes
    tile/entries/N[.p/W]             envelopes
    bodies/N                         a line of JSON for each body of such a bundle: seq, salt, body (Base64)

Whoever serves the first three over HTTP serves the log to any tool that reads tlog-tiles.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import CorruptLogError, InvalidInputError, LinewardError
from catalog.log import checkpoint as checkpoints
from catalog.log import note, tiles
from catalog.log.audit import BODIES, ORDER, AuditError
from catalog.log.checkpoint import SignedCheckpoint
from catalog.log.entry import decode_envelope
from catalog.log.merkle import Node
from catalog.log.note import MalformedError
from catalog.log.tiles import ENTRIES, HEIGHT, Tile

if TYPE_CHECKING:
    from catalog.log.reader import LogReader

CHECKPOINT = "checkpoint"
_TILES, _BODIES = "tile", "bodies"


class MissingPartError(LinewardError):
    """A part of an export is not there: what it held cannot be checked."""

    code = "INCOMPLETE"


@dataclass(frozen=True, slots=True)
class ExportedEntry:
    """An entry as the folder has it."""

    seq: int
    leaf: bytes
    envelope: bytes
    salt: bytes | None
    body: bytes | None


def is_export(folder: Path) -> bool:
    return (folder / CHECKPOINT).is_file() and (folder / _TILES).is_dir()


# Writing -----------------------------------------------------------------------------------------------------------


def write_export(log: "LogReader", signed: SignedCheckpoint, folder: Path, *, bodies: bool = True) -> None:
    """Write what the checkpoint covers into an empty folder, the checkpoint last.

    Raises InvalidInputError for a folder that holds something.
    """
    from catalog.log.tiled_log import cut

    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InvalidInputError(f"{folder} is not empty.", "Name an empty folder, or a new one.")
    for tile in tiles.tiles_of(signed.checkpoint.size):
        _write(folder / tile.path, cut(log, tile))
        if bodies and tile.level is ENTRIES:
            _write(folder / _bodies_path(tile), "".join(_body_lines(log, tile)).encode())
    _write(folder / CHECKPOINT, str(signed.note).encode())


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _body_lines(log: "LogReader", tile: Tile) -> Iterator[str]:
    for stored in log.stored(tile.start, tile.width):
        if stored.salt is not None:
            body = log.decompress(stored, decode_envelope(stored.seq, stored.envelope).body.len)
            told = {"seq": stored.seq, "salt": b64encode(stored.salt).decode(), "body": b64encode(body).decode()}
            yield json.dumps(told) + "\n"


def _bodies_path(tile: Tile) -> str:
    return Tile(ENTRIES, tile.index).path.replace("tile/entries", _BODIES)


# Reading -----------------------------------------------------------------------------------------------------------


class ExportFolder:
    """A folder that was exported, as `audit.check` looks at it. MissingPartError where a file of it is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.note = _file(folder / CHECKPOINT)
        claimed = checkpoints.checkpoint_of(note.read(self.note).text)
        self.origin = claimed.origin
        self._size = claimed.size
        self.has_bodies = (folder / _BODIES).is_dir()
        self._bodies = lru_cache(maxsize=1)(self._read_bodies)

    def size(self) -> int:
        """As its checkpoint claims, which is for others to believe."""
        return self._size

    def stored(self, start: int, limit: int) -> list[ExportedEntry]:
        index, skip = divmod(start, tiles.WIDTH)
        width = tiles.width_at(ENTRIES, index, self._size)
        envelopes, leaves = self._envelopes(Tile(ENTRIES, index, width)), self._hashes(Tile(0, index, width))
        if len(envelopes) != width:
            raise AuditError(index * tiles.WIDTH, f"one of {width} entries from here on is missing", ORDER)
        bodies = self._bodies(Tile(ENTRIES, index, width)) if self.has_bodies else {}
        found = [
            ExportedEntry(seq, leaf, envelope, *bodies.get(seq, (None, None)))
            for seq, (leaf, envelope) in enumerate(zip(leaves, envelopes, strict=True), index * tiles.WIDTH)
        ]
        return found[skip : skip + limit]

    def decompress(self, entry: ExportedEntry, length: int) -> bytes:
        body = entry.body or b""
        if len(body) != length:
            raise CorruptLogError(f"the body has {len(body)} bytes instead of {length}", "export the log again")
        return body

    def nodes(self, keys: list[tuple[int, int]]) -> list[Node]:
        wanted = {(level // HEIGHT, index // tiles.WIDTH) for level, index in keys}
        found = []
        for tall, at in sorted(wanted):
            tile = Tile(tall, at, tiles.width_at(tall, at, self._size))
            hashes = enumerate(self._hashes(tile), tile.start)
            found += [(HEIGHT * tall, index, node) for index, node in hashes]
        return [node for node in found if node[:2] in set(keys)]

    def loose_ends(self) -> list[str]:
        """Files that a log of this size has not."""
        known = {tile.path for tile in tiles.tiles_of(self._size)}
        known |= {_bodies_path(tile) for tile in tiles.tiles_of(self._size) if tile.level is ENTRIES}
        return [
            f"{path} belongs to no entry"
            for top in (_TILES, _BODIES)
            for path in sorted(each.relative_to(self._folder).as_posix() for each in (self._folder / top).rglob("*"))
            if (self._folder / path).is_file() and path not in known
        ]

    def duplicates(self) -> None:
        """An export has no index of duplicates."""

    def _envelopes(self, tile: Tile) -> list[bytes]:
        try:
            return tiles.unbundled(_file(self._folder / tile.path))
        except MalformedError as error:
            raise AuditError(tile.start, f"{tile.path} breaks off", ORDER) from error

    def _hashes(self, tile: Tile) -> list[bytes]:
        data = _file(self._folder / tile.path)
        try:
            return tiles.hashes_of(tile, data)
        except MalformedError as error:
            raise AuditError(tile.start << HEIGHT * (tile.level or 0), error.message, ORDER) from error

    def _read_bodies(self, tile: Tile) -> dict[int, tuple[bytes, bytes]]:
        """(salt, body) by position."""
        found: dict[int, tuple[bytes, bytes]] = {}
        try:
            for line in _file(self._folder / _bodies_path(tile)).splitlines():
                told = json.loads(line)
                seq = int(told["seq"])
                if seq in found or not tile.start <= seq < tile.start + tile.width:
                    raise ValueError("a body of no entry, or a second of one")
                found[seq] = b64decode(told["salt"], validate=True), b64decode(told["body"], validate=True)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise AuditError(tile.start, f"the bodies from here on cannot be read: {error}", BODIES) from error
        return found


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingPartError(f"{path} cannot be read: {error.strerror}.", "Export the log again.") from error
