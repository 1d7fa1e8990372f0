"""The tree against the published vectors, against RFC 6962's own definition, and against liars."""

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.log.merkle import (
    EMPTY_ROOT,
    Frontier,
    Nodes,
    consistency_proof,
    fold,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# The reference inputs and roots of transparency-dev/merkle (also Google's original test data).
VECTORS = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [bytes.fromhex(text) for text in (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)]  # fmt: skip


def definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word, over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node_hash(definition(leaves[:k]), definition(leaves[k:]))


def nodes_of(leaves: list[bytes]) -> Nodes:
    return lambda level, index: fold(leaves[index << level : (index + 1) << level])


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(str(i).encode()) for i in range(count)]


LEAVES = leaves_of(130)
NODES = nodes_of(LEAVES)
TREE_ROOTS = [definition(LEAVES[:n]) for n in range(131)]


def test_known_roots() -> None:
    leaves = [leaf_hash(data) for data in VECTORS]
    frontier = Frontier()
    for size, expected in enumerate(ROOTS, start=1):
        frontier.extend([leaves[size - 1]])
        assert frontier.root() == expected
        assert root(size, nodes_of(leaves)) == expected


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Frontier().root() == root(0, NODES) == EMPTY_ROOT


def test_known_inclusion_and_consistency_proofs() -> None:
    nodes = nodes_of([leaf_hash(data) for data in VECTORS])
    assert [item.hex() for item in inclusion_proof(5, 8, nodes)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [item.hex() for item in consistency_proof(6, 8, nodes)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_every_inclusion_proof_up_to_130_leaves() -> None:
    for size in range(1, 131):
        for index in range(size):
            proof = inclusion_proof(index, size, NODES)
            assert verify_inclusion(LEAVES[index], index, size, proof, TREE_ROOTS[size])
            assert not verify_inclusion(LEAVES[index], index, size, [*proof, EMPTY_ROOT], TREE_ROOTS[size])
            assert not proof or not verify_inclusion(LEAVES[index], index, size, proof[:-1], TREE_ROOTS[size])
            assert not verify_inclusion(EMPTY_ROOT, index, size, proof, TREE_ROOTS[size])


def test_every_consistency_proof_up_to_130_leaves() -> None:
    for new in range(131):
        for old in range(new + 1):
            proof, roots = consistency_proof(old, new, NODES), (TREE_ROOTS[old], TREE_ROOTS[new])
            assert verify_consistency(old, new, proof, *roots)
            assert not verify_consistency(old, new, [*proof, EMPTY_ROOT], *roots)
            assert not proof or not verify_consistency(old, new, proof[:-1], *roots)
            assert not verify_consistency(old, new, proof, node_hash(*roots), roots[1])
            # Everything begins with nothing, whatever its root is.
            assert verify_consistency(old, new, proof, roots[0], node_hash(*roots)) == (old == 0 < new)


@given(
    size=st.integers(2, 130),
    at=st.integers(0),
    change=st.sampled_from(["flip", "drop", "insert", "swap", "shorten", "index", "size", "root"]),
    where=st.integers(0),
)
def test_a_changed_inclusion_proof_is_refused(size: int, at: int, change: str, where: int) -> None:
    index = at % size
    proof = inclusion_proof(index, size, NODES)
    claimed, claimed_root = (index, size), TREE_ROOTS[size]
    if change == "index":
        claimed = ((index + 1 + where % (size - 1)) % size, size)
    elif change == "size":  # a size of the same shape at this leaf proves nothing else about it
        claimed, claimed_root = (index, size), TREE_ROOTS[(size + 1 + where) % 131]
        if claimed_root == TREE_ROOTS[size]:
            return
    elif change == "root":
        claimed_root = flipped(claimed_root, where)
    else:
        proof = changed(proof, change, where)
    assert not verify_inclusion(LEAVES[index], *claimed, proof, claimed_root)


@given(
    new=st.integers(3, 130),
    at=st.integers(0),
    change=st.sampled_from(["flip", "drop", "insert", "swap", "shorten", "old", "new"]),
    where=st.integers(0),
)
def test_a_changed_consistency_proof_is_refused(new: int, at: int, change: str, where: int) -> None:
    old = 1 + at % (new - 1)
    proof, old_root, new_root = consistency_proof(old, new, NODES), TREE_ROOTS[old], TREE_ROOTS[new]
    if change == "old":
        old_root = flipped(old_root, where)
    elif change == "new":
        new_root = flipped(new_root, where)
    else:
        proof = changed(proof, change, where)
    assert not verify_consistency(old, new, proof, old_root, new_root)


def changed(proof: list[bytes], change: str, where: int) -> list[bytes]:
    """A proof that differs from the given one, which holds a hash at least."""
    result, at = list(proof), where % len(proof)
    match change:
        case "flip":
            result[at] = flipped(result[at], where)
        case "drop":
            del result[at]
        case "insert":
            result.insert(at, sha256(result[at]).digest())
        case "swap" if len(result) > 1:
            other = (at + 1) % len(result)
            result[at], result[other] = result[other], result[at]
        case _:
            result[at] = result[at][:-1]
    return result


def flipped(data: bytes, where: int) -> bytes:
    at = where % len(data)
    return data[:at] + bytes([data[at] ^ 1 << where % 8]) + data[at + 1 :]


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 4), (4, 4), (5, 4)])
def test_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, size, NODES)
    assert not verify_inclusion(LEAVES[0], index, size, [], LEAVES[0])


@pytest.mark.parametrize(("old", "new"), [(5, 4), (-1, 4)])
def test_no_consistency_with_what_is_no_earlier_size(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no earlier size"):
        consistency_proof(old, new, NODES)
    assert not verify_consistency(old, new, [], TREE_ROOTS[4], TREE_ROOTS[4])


@given(index=st.integers(0, 2**63 - 1), extra=st.integers(1, 2**62))
def test_verification_holds_for_trees_nobody_can_build(index: int, extra: int) -> None:
    """A proof along the path of a huge tree, hashed upwards here and checked by the verifier."""
    size = index + extra
    position, last, result, proof = index, size - 1, LEAVES[0], []
    while last:
        sibling = sha256(result).digest()
        if position & 1:
            result = node_hash(sibling, result)
            proof.append(sibling)
        elif position != last:
            result = node_hash(result, sibling)
            proof.append(sibling)
        position, last = position >> 1, last >> 1
    assert verify_inclusion(LEAVES[0], index, size, proof, result)
    assert not verify_inclusion(LEAVES[1], index, size, proof, result)


@given(cuts=st.lists(st.integers(0, 700), max_size=8))
def test_a_frontier_is_the_same_however_the_leaves_came(cuts: list[int]) -> None:
    leaves = [leaf_hash(str(i).encode()) for i in range(700)]
    grown, completed = Frontier(), []
    bounds = sorted([0, *cuts, 700])
    for low, high in pairwise(bounds):
        completed += grown.extend(leaves[low:high])
    loaded = Frontier.load(700, nodes_of(leaves))
    assert grown.root() == loaded.root() == root(700, nodes_of(leaves))
    assert completed == [(8, 0, fold(leaves[:256])), (8, 1, fold(leaves[256:512]))]


def test_a_copied_frontier_grows_alone() -> None:
    frontier = Frontier()
    frontier.extend(LEAVES[:5])
    frontier.copy().extend(LEAVES[5:9])
    assert (frontier.size, frontier.root()) == (5, TREE_ROOTS[5])
