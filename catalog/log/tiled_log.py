"""A log as tiles: what is served at `/tile/…`, and what an export is made of."""

from collections.abc import Sequence
from typing import Protocol

from catalog.errors import NotFoundError
from catalog.log import tiles
from catalog.log.audit import Stored
from catalog.log.merkle import STORED_LEVELS, Node
from catalog.log.tiles import ENTRIES, Tile

assert STORED_LEVELS == tiles.HEIGHT  # so that a hash tile is a range of stored nodes


class Rows(Protocol):
    """What tiles are cut from: see `LogReader`."""

    def stored(self, start: int, limit: int) -> Sequence[Stored]: ...

    def nodes(self, keys: list[tuple[int, int]]) -> list[Node]: ...


def cut(log: Rows, tile: Tile) -> bytes:
    """The bytes of a tile or bundle. NotFoundError where the log does not reach so far.

    Full ones never change; neither do partial ones, each of which is the beginning of the next.
    """
    parts = _parts(log, tile)
    if len(parts) != tile.width:
        raise NotFoundError(f"The log has no {tile.path} yet.", "See the size in its checkpoint.")
    return tiles.bundle(parts) if tile.level is ENTRIES else b"".join(parts)


def _parts(log: Rows, tile: Tile) -> list[bytes]:
    if tile.level:
        keys = [(tiles.HEIGHT * tile.level, tile.start + i) for i in range(tile.width)]
        return [node for _, _, node in sorted(log.nodes(keys))]
    entries = log.stored(tile.start, tile.width)
    return [each.envelope if tile.level is ENTRIES else each.leaf for each in entries]
