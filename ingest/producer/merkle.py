"""The Merkle tree hash of RFC 6962, section 2.1, over entries that arrive one by one."""

from hashlib import sha256


class MerkleTree:
    """Keeps the roots of the perfect subtrees so far: as many hashes as `count` has bits set."""

    def __init__(self) -> None:
        self.count = 0
        self._subtrees: list[bytes] = []

    def add(self, entry: bytes) -> None:
        """Appends one entry as the next leaf."""
        node = sha256(b"\x00" + entry).digest()
        merges = self.count
        while merges & 1:
            node = _parent(self._subtrees.pop(), node)
            merges >>= 1
        self._subtrees.append(node)
        self.count += 1

    def root(self) -> bytes:
        """The tree hash, 32 bytes; of no entries it is the SHA-256 of nothing."""
        if not self._subtrees:
            return sha256().digest()
        root = self._subtrees[-1]
        for left in reversed(self._subtrees[:-1]):
            root = _parent(left, root)
        return root


def _parent(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()
