"""Finding what the log already has: a keyed digest of type, actor and the bytes received.

The digest is keyed with a secret of the log, because it stays in the envelope after an erasure: a plain one
would let anyone test guesses against a body that is gone. Another actor's identical bytes are no duplicate.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import apsw

from catalog.log.entry import EntryType, Receipt, Submission
from catalog.log.schema import rows

IdemKey = tuple[int, bytes]
"""(event time in ms, 16-byte digest): the time makes neighbours in time neighbours in the index."""

IdemRow = tuple[int, bytes, int]

_MAX_KEYS = 256
_INT64 = 2**63 - 1


class DuplicateIndex:
    """Looks batches up in the table `idem`."""

    def __init__(self, connection: apsw.Connection, secret: bytes) -> None:
        self._connection = connection
        self._keyed = blake2b(key=secret, digest_size=16)

    def keys(self, batch: Sequence[Submission]) -> list[IdemKey]:
        """The key of each submission."""
        return [(_milliseconds(item.event_time), self._digest(item)) for item in batch]

    def find(self, keys: Sequence[IdemKey]) -> dict[IdemKey, Receipt]:
        """Receipts of those keys that the log has."""
        found = {}
        for start in range(0, len(keys), _MAX_KEYS):
            part = keys[start : start + _MAX_KEYS]
            width = 1 << (len(part) - 1).bit_length()
            # Few widths keep the statements prepared; the last key repeated changes no answer.
            bindings = [value for key in [*part, *[part[-1]] * (width - len(part))] for value in key]
            for t, digest, seq, leaf in rows(self._connection, _lookup(width), *bindings):
                found[t, digest] = Receipt(seq, leaf, True)
        return found

    def _digest(self, submission: Submission) -> bytes:
        digest = self._keyed.copy()
        digest.update(_sender(submission.type, submission.actor))
        digest.update(len(submission.received).to_bytes(8, "big"))
        digest.update(submission.received)
        return digest.digest()


@lru_cache
def _lookup(width: int) -> str:
    values = ", ".join(["(?, ?)"] * width)
    return (
        "SELECT i.t, i.digest, i.seq, e.leaf FROM idem i CROSS JOIN entry e ON e.seq = i.seq"
        f" WHERE (i.t, i.digest) IN (VALUES {values})"
    )


@lru_cache(maxsize=4096)
def _sender(entry_type: EntryType, actor: str) -> bytes:
    parts = (entry_type.value.encode(), actor.encode())
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def _milliseconds(event_time: int) -> int:
    return max(-_INT64, min(event_time // 1000, _INT64))
