"""Entries of the log: what is submitted, what is answered, what is read back, and the envelope in between.

The envelope is the leaf of the tree. It is encoded once, stored, and hashed as stored; nobody encodes it
again to verify it. The body stays outside, bound by `commit = SHA-256(salt ‖ body)`, so that erasing body and
salt breaks no proof and leaves nothing to test guesses against.
"""

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

import msgspec

from catalog.errors import CorruptLogError, InvalidInputError

SALT_BYTES = 16
MAX_NAME = 1024
# Transparency-log tiles carry an entry's length in 16 bits, which the redactions alone could outgrow.
MAX_REDACTIONS_BYTES = 32 * 1024


class EntryType(StrEnum):
    OPENLINEAGE = "openlineage"
    APPROVAL = "approval"
    WAIVER = "waiver"
    ATTESTATION = "attestation"
    DECISION = "decision"
    REDACTION = "redaction"
    CONFIG = "config"
    KEY = "key"
    POLICY = "policy"
    ACCESS = "access"  # only in the log of reads


@dataclass(frozen=True, slots=True)
class Submission:
    """Something to append.

    `received` are the bytes that came in: with actor and type they decide what is a duplicate. `body` is what
    is kept, after redaction; `redactions` are JSON pointers to what was removed. `event_time` (microseconds
    since 1970) only places the duplicate index's row near its neighbours, so it must follow from `received`. `erases`
    are earlier positions whose bodies go in the transaction that writes this.
    InvalidInputError for an actor or source longer than 1,024 characters, or not encodable as UTF-8.
    """

    type: EntryType
    actor: str
    received: bytes
    body: bytes
    redactions: tuple[str, ...] = ()
    source: str = "http"
    event_time: int = 0
    erases: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        _json_name(self.actor)
        _json_name(self.source)
        if self.erases and self.type is not EntryType.REDACTION:
            raise InvalidInputError(f"{self.type} erases nothing", "log a redaction")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a durable append. A duplicate has the position and leaf hash of the first."""

    seq: int
    leaf_hash: bytes
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as read: `recorded` in microseconds since 1970; `body` is None once erased."""

    seq: int
    recorded: int
    type: EntryType
    actor: str
    source: str
    redactions: tuple[str, ...]
    body: bytes | None
    envelope: bytes


class BodyReference(msgspec.Struct, frozen=True):
    """What the envelope says of the body: `commit` is base64, `len` bytes before compression."""

    commit: str
    len: int
    media: str
    redactions: tuple[str, ...]
    redactionsOmitted: int = 0  # noqa: N815 - the JSON name


class Envelope(msgspec.Struct, frozen=True):
    """A decoded envelope; field names are those of the JSON."""

    v: int
    seq: int
    ts: str
    type: EntryType
    actor: str
    idem: str
    src: str
    body: BodyReference

    @property
    def recorded(self) -> int:
        """`ts` in microseconds since 1970."""
        return _microseconds(self.ts)


_FORMAT = (
    b'{"v":1,"seq":%d,"ts":"%b","type":"%b","actor":%b,"idem":"%b","src":%b,'
    b'"body":{"commit":"%b","len":%d,"media":"application/json","redactions":%b}}'
)
_TYPES = {entry_type: entry_type.value.encode() for entry_type in EntryType}
_decode = msgspec.json.Decoder(Envelope).decode


def commitment(salt: bytes, body: bytes) -> bytes:
    """The 32 bytes that bind a body without revealing it."""
    digest = sha256(salt)
    digest.update(body)
    return digest.digest()


def encode_envelope(submission: Submission, seq: int, timestamp: bytes, idem: bytes, commit: bytes) -> bytes:
    """The JSON bytes of an envelope; `timestamp` is from `format_timestamp`, `idem` and `commit` are raw."""
    return _FORMAT % (
        seq,
        timestamp,
        _TYPES[submission.type],
        _json_name(submission.actor),
        b64encode(idem),
        _json_name(submission.source),
        b64encode(commit),
        len(submission.body),
        _json_redactions(submission.redactions) if submission.redactions else b"[]",
    )


def decode_envelope(seq: int, envelope: bytes) -> Envelope:
    """The stored envelope of entry `seq`; CorruptLogError if it is none, or of a later version."""
    try:
        decoded = _decode(envelope)
        _microseconds(decoded.ts)
    except (msgspec.DecodeError, ValueError) as error:
        raise CorruptLogError(
            f"entry {seq}: the envelope does not decode: {error}", "restore the log from a backup"
        ) from error
    if decoded.v != 1:
        raise CorruptLogError(f"entry {seq}: envelope version {decoded.v} is not known", "upgrade Lineward")
    return decoded


def format_timestamp(microseconds: int) -> bytes:
    """RFC 3339 in UTC with six decimals."""
    seconds, fraction = divmod(microseconds, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:06d}Z".encode()


@lru_cache(maxsize=1024)  # one commit gives all its entries one timestamp
def _microseconds(timestamp: str) -> int:
    moment = datetime.fromisoformat(timestamp)
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond


@lru_cache(maxsize=4096)
def _json_name(name: str) -> bytes:
    if len(name) > MAX_NAME or not _is_utf8(name):
        raise InvalidInputError(
            f"an actor or source of {len(name)} characters cannot be logged",
            f"use at most {MAX_NAME} characters, without lone surrogates",
        )
    return json.dumps(name).encode()


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _json_redactions(pointers: tuple[str, ...]) -> bytes:
    """A JSON array of as many pointers as fit, and the number of those that do not."""
    kept, used = [], 0
    for pointer in pointers:
        text = json.dumps(pointer.encode(errors="replace").decode()).encode()
        used += len(text) + 1
        if used > MAX_REDACTIONS_BYTES:
            break
        kept.append(text)
    array = b"[" + b",".join(kept) + b"]"
    omitted = len(pointers) - len(kept)
    return array + b',"redactionsOmitted":%d' % omitted if omitted else array
