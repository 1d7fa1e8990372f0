"""The Merkle tree of RFC 6962: hashes, roots, inclusion and consistency proofs, and their verification.

Everything here is pure and needs `hashlib` alone, so that a verifier can be read, and copied, on its own.
A hash is 32 bytes. A *node* (level, index) stands for the complete subtree over the leaves
[index << level, (index + 1) << level); proofs are made over a function that answers its hash.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

STORED_LEVELS = 8
"""Every eighth level is worth storing: 0.2 bytes a leaf, and at most 127 hashes to compute for any node."""

EMPTY_ROOT = sha256(b"").digest()

Node = tuple[int, int, bytes]
"""(level, index, hash) of a complete subtree."""

Nodes = Callable[[int, int], bytes]
"""(level, index) -> hash of that complete subtree."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf's data (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root of a complete subtree from the hashes of one of its levels; their number is a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


class Frontier:
    """The growing right edge of a tree: what an append and a root need, at most 64 hashes."""

    __slots__ = ("_hashes", "size")

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self._hashes = list(hashes)

    @classmethod
    def load(cls, size: int, nodes: Nodes) -> "Frontier":
        """The frontier of the first `size` leaves, from their nodes."""
        levels = [level for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]
        # The subtree of a set bit begins where the higher bits end.
        return cls(size, [nodes(level, (size >> level) - 1) for level in levels])

    def copy(self) -> "Frontier":
        return Frontier(self.size, self._hashes)

    def extend(self, leaves: Iterable[bytes]) -> list[Node]:
        """Append leaf hashes; returns the nodes at stored levels that became complete."""
        hashes, completed = self._hashes, []
        for leaf in leaves:
            level, index = 0, self.size
            while index & 1:
                leaf = sha256(b"\x01" + hashes.pop() + leaf).digest()
                level, index = level + 1, index >> 1
                if not level % STORED_LEVELS:
                    completed.append((level, index, leaf))
            hashes.append(leaf)
            self.size += 1
        return completed

    def root(self) -> bytes:
        if not self._hashes:
            return EMPTY_ROOT
        *lefts, result = self._hashes
        for left in reversed(lefts):
            result = node_hash(left, result)
        return result


def root(size: int, nodes: Nodes) -> bytes:
    """The root of the first `size` leaves."""
    return _range_hash(0, size, nodes) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """PATH(index, D[size]) of RFC 6962 section 2.1.1, leaf to root. ValueError unless 0 <= index < size."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} among {size}")
    proof, low, high = [], 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_range_hash(middle, high, nodes))
            high = middle
        else:
            proof.append(_range_hash(low, middle, nodes))
            low = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """PROOF(old, D[new]) of RFC 6962 section 2.1.2. ValueError unless 0 <= old <= new.

    The empty tree is a prefix of every tree and needs no proof.
    """
    if not 0 <= old <= new:
        raise ValueError(f"{old} is no earlier size of {new}")
    if old in (0, new):
        return []
    proof, low, high = [], 0, new
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_range_hash(middle, high, nodes))
            high = middle
        else:
            proof.append(_range_hash(low, middle, nodes))
            low = middle
    if low:  # else the old root is itself the last subtree, and the verifier has it
        proof.append(_range_hash(low, high, nodes))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `leaf` (a leaf hash) is at `index` under `root` of `size` leaves (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(proof):
        return False
    position, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            result = node_hash(sibling, result)
            position, last = _skip_missing_siblings(position, last)
        else:
            result = node_hash(result, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and result == root


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the tree of size `old` is a prefix of that of size `new` (RFC 9162 section 2.1.4.2).

    An old size of 0 is consistent with everything, given the empty root and an empty proof.
    """
    if not 0 <= old <= new or not _are_hashes(proof):
        return False
    if old == new:
        return not proof and old_root == new_root and (new > 0 or new_root == EMPTY_ROOT)
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    return bool(path) and _replay_consistency(old, new, path) == (old_root, new_root)


def _replay_consistency(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The two roots that a consistency path leads to; None if it is too long or too short."""
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_result = new_result = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if position & 1 or position == last:
            old_result, new_result = node_hash(sibling, old_result), node_hash(sibling, new_result)
            position, last = _skip_missing_siblings(position, last)
        else:
            new_result = node_hash(new_result, sibling)
        position, last = position >> 1, last >> 1
    return (old_result, new_result) if last == 0 else None


def _skip_missing_siblings(position: int, last: int) -> tuple[int, int]:
    """Climb the levels on which the right edge has no sibling to hash with."""
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _range_hash(low: int, high: int, nodes: Nodes) -> bytes:
    """MTH(D[low:high]) for a range that RFC 6962's splitting can produce; it holds a leaf at least."""
    size = high - low
    if not size & (size - 1):
        level = size.bit_length() - 1
        return nodes(level, low >> level)
    middle = low + _split(size)
    return node_hash(_range_hash(low, middle, nodes), _range_hash(middle, high, nodes))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _are_hashes(proof: Sequence[bytes]) -> bool:
    return all(len(item) == 32 for item in proof)
