"""Receipts (C2SP tlog-proof v1): one entry, the proof that it is in the log, and the checkpoint where the proof ends.

The entry itself goes into the `extra` line as JSON: `envelope`, as it was hashed, and while the body is not erased
`salt` and, where it was asked for, `body`. The envelope binds the body by SHA-256(salt ‖ body).
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from catalog.log import checkpoint as checkpoints
from catalog.log.checkpoint import SignedCheckpoint
from catalog.log.merkle import leaf_hash, verify_inclusion
from catalog.log.note import ForgedError, MalformedError, VerifierKey

HEAD = "c2sp.org/tlog-proof@v1"
MOST_BYTES = 64 << 20
MEDIA_TYPE = "text/plain; charset=utf-8"
SUFFIX = ".tlog-proof"

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_HASH = re.compile(r"[A-Za-z0-9+/]{43}=")


@dataclass(frozen=True, slots=True)
class Held:
    """What a receipt holds of its entry, in bytes as they were hashed."""

    envelope: bytes
    salt: bytes | None = None
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class EntryReceipt:
    """A receipt as written; nothing in it is believed yet. `checkpoint` is a signed note."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    held: Held

    def encode(self) -> bytes:
        """The bytes of a tlog-proof file."""
        lines = [HEAD, f"extra {b64encode(_extra(self.held)).decode()}", f"index {self.index}"]
        lines += [b64encode(each).decode() for each in self.proof]
        return "\n".join([*lines, "", ""]).encode() + self.checkpoint


@dataclass(frozen=True, slots=True)
class Proven:
    """What a receipt proves: this envelope (parsed) is entry `index` of the log of the checkpoint.

    `body` is its body, where the receipt holds it.
    """

    index: int
    envelope: dict[str, Any]
    signed: SignedCheckpoint
    salt: bytes | None
    body: bytes | None

    def binds(self, body: bytes) -> bool:
        """Whether these bytes are the entry's body. False also where the receipt holds no salt to tell with."""
        return self.salt is not None and _commitment(self.salt, body) == self.envelope["body"]["commit"]


def is_receipt(data: bytes) -> bool:
    return data.startswith(HEAD.encode() + b"\n")


def read(data: bytes) -> EntryReceipt:
    """The receipt in `data`. Raises MalformedError."""
    if len(data) > MOST_BYTES:
        raise _no_receipt(f"it is longer than {MOST_BYTES} bytes")
    head, blank, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise _no_receipt("its proof is not plain text") from error
    if not blank or lines[0] != HEAD:
        raise _no_receipt(f"it does not begin with {HEAD}")
    if len(lines) < 3 or not lines[1].startswith("extra "):
        raise _no_receipt("it holds no entry, so there is nothing to check")
    index = _INDEX.fullmatch(lines[2])
    if index is None:
        raise _no_receipt("it has no index")
    return EntryReceipt(int(index[1]), tuple(map(_hash, lines[3:])), note, _held(_decoded(lines[1][6:])))


def proven(receipt: EntryReceipt, log: VerifierKey, witnesses: Iterable[VerifierKey] = ()) -> Proven:
    """What the receipt proves to somebody who trusts these keys.

    Raises ForgedError where any part does not hold: signature, proof, position, body. MalformedError for a checkpoint
    or an envelope that is none.
    """
    signed = checkpoints.opened(receipt.checkpoint, log, witnesses)
    size, root = signed.checkpoint.size, signed.checkpoint.root
    if not verify_inclusion(leaf_hash(receipt.held.envelope), receipt.index, size, receipt.proof, root):
        raise ForgedError(f"entry {receipt.index} is not in the log of this checkpoint as the receipt has it")
    envelope = _envelope(receipt.held.envelope)
    if envelope["seq"] != receipt.index:
        raise ForgedError(f"the entry at {receipt.index} says that it is entry {envelope['seq']}")
    found = Proven(receipt.index, envelope, signed, receipt.held.salt, receipt.held.body)
    if found.body is not None and not found.binds(found.body):
        raise ForgedError(f"the body of entry {receipt.index} is not the one that was logged")
    return found


def _commitment(salt: bytes, body: bytes) -> str:
    return b64encode(sha256(salt + body).digest()).decode()


def _extra(held: Held) -> bytes:
    told = {"envelope": held.envelope.decode()}
    if held.salt is not None:
        told["salt"] = b64encode(held.salt).decode()
    if held.body is not None:
        told["body"] = b64encode(held.body).decode()
    return json.dumps(told, separators=(",", ":")).encode()


def _held(extra: bytes) -> Held:
    try:
        told = json.loads(extra)
        salt, body = told.get("salt"), told.get("body")
        held = Held(
            told["envelope"].encode(),
            None if salt is None else b64decode(salt, validate=True),
            None if body is None else b64decode(body, validate=True),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_receipt("its extra line holds no entry of Lineward") from error
    if _extra(held) != extra:
        raise _no_receipt("its extra line holds more than an entry")
    return held


def _envelope(data: bytes) -> dict[str, Any]:
    try:
        envelope: dict[str, Any] = json.loads(data)
        facts = (envelope["seq"], envelope["ts"], envelope["type"], envelope["actor"], envelope["body"]["commit"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MalformedError(
            "The entry of this receipt is none of Lineward.", "Check it with its log's tools."
        ) from error
    if envelope.get("v") != 1 or [type(each) for each in facts] != [int, str, str, str, str]:
        raise MalformedError("The entry of this receipt is of a later version.", "Upgrade Lineward.")
    return envelope


def _hash(line: str) -> bytes:
    if not _HASH.fullmatch(line):
        raise _no_receipt("a line of its proof is no hash")
    return _decoded(line)


def _decoded(text: str) -> bytes:
    try:
        value = b64decode(text, validate=True)
    except ValueError as error:
        raise _no_receipt("a line of it is no Base64") from error
    if b64encode(value).decode() != text:
        raise _no_receipt("a line of it is no plain Base64")
    return value


def _no_receipt(reason: str) -> MalformedError:
    return MalformedError(f"This is no receipt: {reason}.", "Give the file as it was written, .tlog-proof.")
