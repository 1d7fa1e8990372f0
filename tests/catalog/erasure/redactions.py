"""Redactions as entries of a log, for tests of what they amount to."""

from base64 import b64encode
from hashlib import sha256
from typing import Any

from catalog.erasure import redaction
from catalog.erasure.redaction import Body, EntryRef, ErasedEntry
from catalog.log.entry import Entry, EntryType
from catalog.principal import Principal, Scope, grants

START = 1_767_225_600_000_000  # 2026-01-01T00:00Z, µs


def person(name: str) -> Principal:
    return Principal(f"key:{name}", f"{name}@example.com", grants([Scope.REDACT, Scope.LINEAGE_READ]))


ANN, BEN = person("ann"), person("ben")


def commit(seq: int) -> str:
    return b64encode(sha256(b"%d" % seq).digest()).decode()


def ref(seq: int) -> EntryRef:
    return EntryRef(seq=seq, commit=commit(seq))


def gone(seq: int, keeps: dict[str, Any] | None = None, touches: tuple[str, ...] = ()) -> ErasedEntry:
    return ErasedEntry(seq=seq, commit=commit(seq), leaf="0" * 64, keeps=keeps, touches=touches)


def entry_of(body: Body, seq: int) -> Entry:
    return Entry(
        seq, START + seq, EntryType.REDACTION, body.by.principal, "act", (), redaction.serialise(body), b"envelope"
    )
