"""Tiles: the paths and widths of the specification, and that a tree read from tiles is the log's tree."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import InvalidInputError, NotFoundError
from catalog.log import audit, merkle, tiles
from catalog.log.audit import AuditError
from catalog.log.checkpoint_log import CheckpointLog
from catalog.log.entry import EntryType, Submission
from catalog.log.export import ExportFolder, MissingPartError, write_export
from catalog.log.merkle import Frontier, leaf_hash
from catalog.log.note import MalformedError, Signer
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.log.tiled_log import cut
from catalog.log.tiles import ENTRIES, Tile, tiled_nodes, tiles_of, width_at

SIZE = 700


# Paths -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(1, 999), "tile/1/999"),
        (Tile(1, 1000), "tile/1/x001/000"),
        (Tile(2, 0, 1), "tile/2/000.p/1"),
        (Tile(63, 273, 112), "tile/63/273.p/112"),
        (Tile(ENTRIES, 1234067, 255), "tile/entries/x001/x234/067.p/255"),
    ],
)
def test_paths_are_those_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert Tile.parse(path) == tile


@given(st.one_of(st.none(), st.integers(0, 63)), st.integers(0, 2**40), st.integers(1, 256))
def test_every_path_leads_back(level: int | None, index: int, width: int) -> None:
    assert Tile.parse(Tile(level, index, width).path) == Tile(level, index, width)


@pytest.mark.parametrize(
    "path",
    [
        "tile/64/000", "tile/00/000", "tile/0/0", "tile/0/1000", "tile/0/x000/001", "tile/0/001/x000", "tile/-1/000",
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000/", "tile//000",
        "tile/0/../000", "tile/0/٠٠٠", "tile/entries/x1/000", "tile/names/000", "tile/0/" + "x001/" * 20 + "000",
    ],
)  # fmt: skip
def test_other_spellings_are_no_tiles(path: str) -> None:
    with pytest.raises(MalformedError):
        Tile.parse(path)


@given(st.text("tile/enrsx0123456789.p", max_size=40))
def test_any_text_is_a_tile_or_malformed(text: str) -> None:
    for each in (text, f"tile/{text}", f"tile/0/{text}"):
        try:
            assert Tile.parse(each).path == each
        except MalformedError:
            continue


# Widths ------------------------------------------------------------------------------------------------------------


def test_a_tree_of_70_000_has_the_tiles_of_the_specification() -> None:
    held = list(tiles_of(70_000))
    full = Counter(tile.level for tile in held if tile.width == 256)
    partial = {tile.level: tile.width for tile in held if tile.width < 256}
    assert full == {0: 273, 1: 1, ENTRIES: 273}
    assert partial == {0: 112, 1: 17, 2: 1, ENTRIES: 112}


def test_a_tree_of_256_has_a_full_tile_and_a_partial_one_above() -> None:
    assert [tile.path for tile in tiles_of(256)] == ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]


def test_an_empty_tree_has_no_tiles() -> None:
    assert list(tiles_of(0)) == []
    assert width_at(0, 0, 0) == 0


@given(st.integers(0, 2**24), st.integers(0, 3))
def test_the_partial_tile_is_as_wide_as_the_specification_says(size: int, level: int) -> None:
    held = size // 256**level
    last = held // 256
    assert width_at(level, last, size) == held % 256
    assert width_at(level, last + 1, size) == 0
    if last:
        assert width_at(level, last - 1, size) == 256


# Bundles -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_gives_back_its_entries(entries: list[bytes]) -> None:
    assert tiles.unbundled(tiles.bundle(entries)) == entries


@pytest.mark.parametrize("data", [b"\0", b"\0\1", b"\0\1a\0", b"\0\2a", b"\xff\xff"])
def test_a_bundle_that_breaks_off_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError, match="breaks off"):
        tiles.unbundled(data)


# A tree of tiles ---------------------------------------------------------------------------------------------------


def tree_of(size: int) -> tuple[list[bytes], Callable[[Tile], bytes]]:
    """The leaves of a made-up tree, and its hash tiles."""
    leaves = [leaf_hash(b"%d" % i) for i in range(size)]
    rows = [leaves]
    while len(rows[-1]) >= 256:
        row = rows[-1]
        rows.append([merkle.fold(row[i : i + 256]) for i in range(0, len(row) - 255, 256)])

    def fetch(tile: Tile) -> bytes:
        assert tile.level is not None
        return b"".join(rows[tile.level][tile.start : tile.start + tile.width])

    return leaves, fetch


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 513, 70_000])
def test_a_tree_read_from_tiles_has_the_root(size: int) -> None:
    leaves, fetch = tree_of(size)
    frontier = Frontier()
    frontier.extend(leaves)
    assert merkle.root(size, tiled_nodes(fetch, size)) == frontier.root()


@given(st.data())
def test_proofs_read_from_tiles_hold(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 1_000))
    old = data.draw(st.integers(1, new))
    index = data.draw(st.integers(0, old - 1))
    leaves, fetch = tree_of(new)
    roots = [merkle.root(size, tiled_nodes(fetch, size)) for size in (old, new)]
    proof = merkle.consistency_proof(old, new, tiled_nodes(fetch, new))
    assert merkle.verify_consistency(old, new, proof, *roots)
    path = merkle.inclusion_proof(index, new, tiled_nodes(fetch, new))
    assert merkle.verify_inclusion(leaves[index], index, new, path, roots[1])


def test_a_tile_of_another_length_is_malformed() -> None:
    with pytest.raises(MalformedError, match="31 bytes instead of 32"):
        merkle.root(256, tiled_nodes(lambda _tile: bytes(31), 256))


# A log as tiles ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 700 entries, and its export in `export`."""
    folder = tmp_path_factory.mktemp("log")
    with LogStore.open(folder) as store:
        for start in range(0, SIZE, 100):
            batch = [
                Submission(EntryType.OPENLINEAGE, "ann", b"%d" % i, b'{"n": %d}' % i) for i in range(start, start + 100)
            ]
            store.append(batch, 1_764_000_000_000_000 + start)
    with LogReader.open(folder) as log:
        signed = CheckpointLog(log, Signer(log.origin, Ed25519PrivateKey.generate()), folder).current()
        write_export(log, signed, folder / "export")
    return folder


@pytest.fixture
def export(kept: Path, tmp_path: Path) -> Path:
    """A copy of the export to spoil."""
    shutil.copytree(kept / "export", tmp_path / "export")
    return tmp_path / "export"


def test_tiles_cut_from_a_log_have_its_root(kept: Path) -> None:
    with LogReader.open(kept) as log:
        for size in (1, 255, 256, 300, 512, SIZE):
            assert merkle.root(size, tiled_nodes(lambda tile: cut(log, tile), size)) == log.root(size)


def test_each_entry_of_a_bundle_hashes_to_its_place_in_the_tile(kept: Path) -> None:
    with LogReader.open(kept) as log:
        for tile in tiles_of(SIZE):
            if tile.level is ENTRIES:
                leaves = tiles.hashes_of(tile, cut(log, Tile(0, tile.index, tile.width)))
                assert [leaf_hash(entry) for entry in tiles.unbundled(cut(log, tile))] == leaves


@pytest.mark.parametrize("tile", [Tile(0, 2, 189), Tile(1, 0, 3), Tile(ENTRIES, 3, 1), Tile(2, 0, 1), Tile(0, 9)])
def test_what_the_log_has_not_reached_is_not_cut(kept: Path, tile: Tile) -> None:
    with LogReader.open(kept) as log, pytest.raises(NotFoundError):
        cut(log, tile)


# An export ---------------------------------------------------------------------------------------------------------


def test_an_export_agrees_with_its_log(kept: Path) -> None:
    with LogReader.open(kept) as log:
        report = audit.check(log)
    assert audit.check(ExportFolder(kept / "export")) == report


def test_an_export_goes_into_an_empty_folder_only(kept: Path, export: Path) -> None:
    with LogReader.open(kept) as log:
        signed = CheckpointLog(log, Signer(log.origin, Ed25519PrivateKey.generate()), export.parent).current()
        with pytest.raises(InvalidInputError, match="not empty"):
            write_export(log, signed, export)


def test_an_export_without_bodies_has_proofs_all_the_same(kept: Path, tmp_path: Path) -> None:
    with LogReader.open(kept) as log:
        signed = CheckpointLog(log, Signer(log.origin, Ed25519PrivateKey.generate()), tmp_path).current()
        write_export(log, signed, tmp_path / "export", bodies=False)
        assert audit.check(ExportFolder(tmp_path / "export")).root == log.root()


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def entries(path: Path) -> list[bytes]:
    return tiles.unbundled(path.read_bytes())


def swapped(items: list[bytes], a: int, b: int) -> list[bytes]:
    changed = list(items)
    changed[a], changed[b] = changed[b], changed[a]
    return changed


SPOILED: dict[str, tuple[Callable[[Path], object], int | None]] = {
    "an entry dropped": (
        lambda f: (f / "tile/entries/001").write_bytes(tiles.bundle(entries(f / "tile/entries/001")[:-1])),
        256,
    ),
    "two entries swapped": (
        lambda f: (f / "tile/entries/001").write_bytes(tiles.bundle(swapped(entries(f / "tile/entries/001"), 4, 5))),
        260,
    ),
    "an entry and its hash swapped with the next": (
        lambda f: (
            (f / "tile/entries/001").write_bytes(tiles.bundle(swapped(entries(f / "tile/entries/001"), 4, 5))),
            (f / "tile/0/001").write_bytes(
                b"".join(swapped(tiles.hashes_of(Tile(0, 1), (f / "tile/0/001").read_bytes()), 4, 5))
            ),
        ),
        260,
    ),
    "a bundle cut": (lambda f: (f / "tile/entries/002.p/188").write_bytes(b"\1"), 512),
    "a tile cut": (lambda f: (f / "tile/0/000").write_bytes(b"\1"), 0),
    "a hash above changed": (lambda f: (f / "tile/1/000.p/2").write_bytes(bytes(64)), 255),
    "a body changed": (
        lambda f: (f / "bodies/001").write_bytes((f / "bodies/001").read_bytes().replace(b"257", b"256", 1)),
        256,
    ),
    "bodies that are no JSON": (lambda f: (f / "bodies/001").write_bytes(b"{"), 256),
    "a tile too many": (lambda f: (f / "tile/0/003").write_bytes(bytes(32)), None),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILED)
def test_damage_to_an_export_is_found_and_placed(export: Path, how: str) -> None:
    spoil, seq = SPOILED[how]
    spoil(export)
    with pytest.raises(AuditError) as caught:
        audit.check(ExportFolder(export))
    assert caught.value.seq == seq


@pytest.mark.parametrize("path", ["tile/0/001", "tile/1/000.p/2", "tile/entries/002.p/188", "bodies/000"])
def test_a_missing_file_is_named(export: Path, path: str) -> None:
    (export / path).unlink()
    with pytest.raises(MissingPartError, match=path):
        audit.check(ExportFolder(export))


def test_a_body_left_out_is_listed(export: Path) -> None:
    (export / "bodies/002").write_bytes(b"".join(lines(export / "bodies/002")[1:]))
    assert audit.check(ExportFolder(export)).unexplained == (512,)
