"""Checkpoints (C2SP tlog-checkpoint): a log's origin, size and root, as the text of a signed note."""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.log import note
from catalog.log.note import ForgedError, MalformedError, Note, Signed, VerifierKey

_TEXT = re.compile(r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*")
_MOST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: the root (32 bytes) over its first `size` entries."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """As it is signed."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    def __str__(self) -> str:
        return f"{self.size}:{self.root.hex()}"


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that the log has signed: the note it was in, and the witnesses who cosigned it."""

    checkpoint: Checkpoint
    note: Note
    cosigned: tuple[Signed, ...] = ()


def checkpoint_of(text: str) -> Checkpoint:
    """The checkpoint in a note's text; lines beyond the third are allowed and mean nothing. Raises MalformedError."""
    match = _TEXT.fullmatch(text)
    if match is None or int(match["size"]) > _MOST:
        raise MalformedError("This note is no checkpoint.", "A checkpoint has the lines origin, size and root.")
    root = b64decode(match["root"])
    if b64encode(root).decode() != match["root"]:
        raise MalformedError("The root of this checkpoint is no hash.", "Give the file as it was written.")
    return Checkpoint(match["origin"], int(match["size"]), root)


def opened(data: bytes, log: VerifierKey, witnesses: Iterable[VerifierKey] = ()) -> SignedCheckpoint:
    """The checkpoint in `data`, signed by `log`, whose name is the origin; with cosignatures of those `witnesses`.

    Raises MalformedError for what is no checkpoint, ForgedError for one that this log has not signed, and for a
    signature of a known key that does not hold.
    """
    read = note.read(data)
    found, known = checkpoint_of(read.text), set(witnesses)
    signed = note.opened(read, [log, *known])
    if not any(each.key == log for each in signed):
        raise ForgedError(f"{log.name} has not signed this checkpoint of {found.origin}")
    if found.origin != log.name:
        raise ForgedError(f"this is a checkpoint of {found.origin}, not of {log.name}")
    cosigned = tuple(each for each in signed if each.key in known)
    return SignedCheckpoint(found, read, cosigned)
