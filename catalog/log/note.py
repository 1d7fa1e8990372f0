"""Signed notes (C2SP signed-note v1.0.0) and cosignatures (C2SP tlog-cosignature, Ed25519 and ML-DSA-44).

A note is a text that ends in a newline, an empty line, and signature lines `— NAME BASE64(key id ‖ signature)`.
Reading one proves nothing; `opened` tells which of the keys that you trust have signed it.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from catalog.errors import CorruptLogError, InvalidInputError

MOST_BYTES = 64 * 1024
_DASH = "— "
_KEY_ID = 4
_TIME = 8
_LATEST = 2**63 - 1
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_HASH = 32
_TREE_HEAD = re.compile(r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[^\n]+)\n")
_NAME = re.compile(r"[^\s+]+")
_VKEY = re.compile(r"(?P<name>[^\s+]+)\+(?P<id>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/]+=*)")


class MalformedError(InvalidInputError):
    """Text that is no note, key, checkpoint, tile or proof."""

    code = "MALFORMED"


class ForgedError(CorruptLogError):
    """A signature or a proof that does not hold, or that nobody trusted has made."""

    code = "FORGED"

    def __init__(self, message: str) -> None:
        super().__init__(message, "do not rely on it; get it again, and the key from whoever runs the log")


class KeyKind(IntEnum):
    """What a key signs: the byte that its id is made with."""

    ED25519 = 0x01  # the text
    COSIGNATURE = 0x04  # the text of a checkpoint, and when it was seen
    MLDSA44 = 0x06  # origin, size and root of a checkpoint, who says so, and when it was seen

    @property
    def public_bytes(self) -> int:
        return 1312 if self is KeyKind.MLDSA44 else 32

    @property
    def is_timed(self) -> bool:
        """Whether its signatures begin with when they were made."""
        return self is not KeyKind.ED25519


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name; as text a *vkey*, NAME+ID+KEY."""

    name: str
    kind: KeyKind
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.public) != self.kind.public_bytes:
            raise MalformedError(
                f"{self.name!r} names no key of this kind",
                f"Names hold neither spaces nor plus; keys have {self.kind.public_bytes} bytes.",
            )

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """The key in a vkey. Raises MalformedError, also where the id is not that of name and key."""
        match = _VKEY.fullmatch(text.strip())
        if match is None:
            raise _no_key(text)
        key = _bytes(match["key"])
        if not key or key[0] not in set(KeyKind) or len(key) != 1 + KeyKind(key[0]).public_bytes:
            raise _no_key(text)
        found = cls(match["name"], KeyKind(key[0]), key[1:])
        if found.id.hex() != match["id"]:
            raise _no_key(text)
        return found

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_KEY_ID]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    def seen(self, text: str, value: bytes) -> int | None:
        """When a cosignature over `text` was made, seconds since 1970; None for a plain signature.

        Raises ForgedError where `value` is not this key's signature over the text.
        """
        time, signature = None, value
        if self.kind.is_timed:
            time, signature = int.from_bytes(value[:_TIME], "big"), value[_TIME:]
        try:
            if time is not None and time > _LATEST:
                raise InvalidSignature
            self._verify(signature, _message(self, text, time))
        except (InvalidSignature, MalformedError) as error:
            raise ForgedError(f"the signature of {self.name} does not hold: text or signature were changed") from error
        return time

    def _verify(self, signature: bytes, message: bytes) -> None:
        if self.kind is KeyKind.MLDSA44:
            MLDSA44PublicKey.from_public_bytes(self.public).verify(signature, message)
        else:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, whoever made it."""

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {b64encode(self.key_id + self.value).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and what claims to sign it."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that holds: whose, and for a cosignature when, seconds since 1970."""

    key: VerifierKey
    time: int | None


class Signer:
    """A private key with its name. An ML-DSA-44 key signs in the one way there is for it."""

    def __init__(
        self, name: str, private: Ed25519PrivateKey | MLDSA44PrivateKey, kind: KeyKind = KeyKind.ED25519
    ) -> None:
        self._private = private
        told = KeyKind.MLDSA44 if isinstance(private, MLDSA44PrivateKey) else kind
        self.key = VerifierKey(name, told, private.public_key().public_bytes_raw())

    def sign(self, text: str, time: int | None = None) -> Signature:
        """A signature over a text that ends in a newline; `time`, seconds since 1970, where the kind has one.

        Raises MalformedError where an ML-DSA-44 key is to sign what is no checkpoint.
        """
        assert text.endswith("\n")
        assert (time is not None) == self.key.kind.is_timed
        stamp = b"" if time is None else time.to_bytes(_TIME, "big")
        return Signature(self.key.name, self.key.id, stamp + self._private.sign(_message(self.key, text, time)))


def read(data: bytes) -> Note:
    """The note in `data`, believed by nobody yet. Raises MalformedError."""
    if len(data) > MOST_BYTES:
        raise _no_note(f"it is longer than {MOST_BYTES} bytes")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise _no_note("it is no UTF-8") from error
    if _CONTROL.search(whole):
        raise _no_note("it holds control characters")
    text, blank, lines = whole.rpartition("\n\n")
    if not (text and blank and lines.endswith("\n")):
        raise _no_note("no signatures follow an empty line")
    return Note(text + "\n", tuple(map(_signature, lines.removesuffix("\n").split("\n"))))


def opened(note: Note, keys: Iterable[VerifierKey]) -> tuple[Signed, ...]:
    """The signatures by `keys`, each of which holds; signatures by others are passed over.

    Raises ForgedError where one of these keys is named and did not sign, or where none is named.
    """
    known = {(key.name, key.id): key for key in keys}
    signed: dict[VerifierKey, Signed] = {}
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            signed[key] = Signed(key, key.seen(note.text, signature.value))
    if not signed:
        names = ", ".join(dict.fromkeys(signature.name for signature in note.signatures))
        raise ForgedError(f"it is signed by {names}, and by none of the keys that are trusted")
    return tuple(signed.values())


def _message(key: VerifierKey, text: str, time: int | None) -> bytes:
    """What is signed, in the form of each kind of key."""
    if time is None:
        return text.encode()
    if key.kind is KeyKind.COSIGNATURE:
        return f"cosignature/v1\ntime {time}\n{text}".encode()
    return _subtree(key.name, time, text)


def _subtree(cosigner: str, time: int, text: str) -> bytes:
    """The `cosigned_message` of a whole tree: section "ML-DSA-44 signed message" of tlog-cosignature."""
    lines = _TREE_HEAD.match(text)
    root = None if lines is None else _bytes(lines["root"])
    if lines is None or root is None or len(root) != _HASH or int(lines["size"]) > _LATEST:
        raise MalformedError("This text is no checkpoint.", "An ML-DSA-44 key signs checkpoints alone.")
    start, end = 0, int(lines["size"])
    parts = (
        b"subtree/v1\n\0",
        _short(cosigner),
        time.to_bytes(8, "big"),
        _short(lines["origin"]),
        start.to_bytes(8, "big"),
        end.to_bytes(8, "big"),
        root,
    )
    return b"".join(parts)


def _short(text: str) -> bytes:
    """`opaque <1..2^8-1>`: a byte of length, then the text."""
    encoded = text.encode()
    if not 0 < len(encoded) < 256:
        raise MalformedError(f"{text[:50]!r} is too long a name to be signed.", "Names have at most 255 bytes.")
    return bytes([len(encoded)]) + encoded


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    value = _bytes(encoded)
    if not (line.startswith(_DASH) and space and _NAME.fullmatch(name)) or value is None or len(value) <= _KEY_ID:
        raise _no_note("a line after the empty one is no signature")
    return Signature(name, value[:_KEY_ID], value[_KEY_ID:])


def _bytes(text: str) -> bytes | None:
    """Of plain Base64 in its one right spelling."""
    try:
        value = b64decode(text, validate=True)
    except ValueError:
        return None
    return value if b64encode(value).decode() == text else None


def _no_note(reason: str) -> MalformedError:
    return MalformedError(f"This is no signed note: {reason}.", "Give the file as it was written.")


def _no_key(text: str) -> MalformedError:
    return MalformedError(
        f"{text.strip()[:200]!r} is no key of a log or a witness.", "Give it as it was told, NAME+ID+KEY."
    )
