"""Tiles (C2SP tlog-tiles): a log's tree and entries as files of 256 hashes or entries, and a tree read from them."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from catalog.log.merkle import Nodes, fold
from catalog.log.note import MalformedError

HEIGHT = 8
WIDTH = 1 << HEIGHT
HASH = 32
ENTRIES = None
"""The level of an entry bundle, which hash tiles do not have."""

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One file: `width` hashes of nodes at 8 · `level`, or as many entries, from `index` · 256 on."""

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """`tile/L/N[.p/W]`, N in groups of three digits."""
        digits = f"{self.index:03d}"
        digits = digits.rjust(-(-len(digits) // 3) * 3, "0")
        *high, low = (digits[i : i + 3] for i in range(0, len(digits), 3))
        groups = "".join(f"x{group}/" for group in high) + low
        part = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is ENTRIES else self.level}/{groups}{part}"

    @property
    def start(self) -> int:
        """The index of its first hash or entry at its level."""
        return self.index * WIDTH

    @classmethod
    def parse(cls, path: str) -> "Tile":
        """The tile at a path. Raises MalformedError, also for another spelling than `path` has."""
        match = _PATH.fullmatch(path)
        if match is not None and len(path) <= 64:
            level = ENTRIES if match["level"] == "entries" else int(match["level"])
            index = int(match["index"].replace("x", "").replace("/", ""))
            tile = cls(level, index, int(match["width"] or WIDTH))
            if (level is ENTRIES or level < 64) and tile.path == path:
                return tile
        raise MalformedError(
            f"{path[:100]!r} is no tile.", "Write it as tile/LEVEL/INDEX[.p/WIDTH], see C2SP tlog-tiles."
        )


def width_at(level: int | None, index: int, size: int) -> int:
    """How many hashes or entries the tile has in a tree of `size` leaves; 0 where it has none."""
    held = size >> HEIGHT * (level or 0)
    return max(0, min(WIDTH, held - index * WIDTH))


def tiles_of(size: int) -> Iterator[Tile]:
    """All tiles and bundles that a tree of `size` leaves has: hashes level by level, then entries."""
    for level in count():
        if not size >> HEIGHT * level:
            break
        yield from _row(level, size)
    yield from _row(ENTRIES, size)


def _row(level: int | None, size: int) -> Iterator[Tile]:
    for index in count():
        width = width_at(level, index, size)
        if not width:
            return
        yield Tile(level, index, width)


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries, each behind its length in two bytes; none is longer than those can say."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundled(data: bytes) -> list[bytes]:
    """The entries of a bundle. Raises MalformedError where it breaks off."""
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if at + 2 > len(data) or end > len(data):
            raise MalformedError("An entry bundle breaks off.", "Get it again.")
        entries.append(data[at + 2 : end])
        at = end
    return entries


def hashes_of(tile: Tile, data: bytes) -> list[bytes]:
    """The hashes in a hash tile. Raises MalformedError where it has not the length that its width asks for."""
    if len(data) != HASH * tile.width:
        raise MalformedError(
            f"{tile.path} has {len(data)} bytes instead of {HASH * tile.width}.", "Get it again from the log."
        )
    return [data[i : i + HASH] for i in range(0, len(data), HASH)]


def tiled_nodes(fetch: Callable[[Tile], bytes], size: int) -> Nodes:
    """(level, index) -> hash in a tree of `size` leaves, from tiles; each is fetched once.

    What is fetched is believed: whoever uses the hashes checks a root or a proof made of them. Passes on what `fetch`
    raises, and raises MalformedError for a tile of another length.
    """
    known: dict[Tile, Sequence[bytes]] = {}

    def node(level: int, index: int) -> bytes:
        tall, above = divmod(level, HEIGHT)
        first = index << above
        at = first // WIDTH
        tile = Tile(tall, at, width_at(tall, at, size))
        if tile not in known:
            known[tile] = hashes_of(tile, fetch(tile))
        low = first - tile.start
        return fold(known[tile][low : low + (1 << above)])

    return node
