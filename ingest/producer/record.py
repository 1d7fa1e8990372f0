"""A prediction as one line of a service's log, and as one entry of a window's Merkle tree.

A line is a JSON object whose first member is the salt. The record is the line without that member, byte for
byte, so that checking an entry needs no JSON library:

    {"salt":"<32 hex>","decision":…}   is the salt <32 hex> and the record   {"decision":…}
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from ingest.producer.dataset import Model, digest_of
from ingest.producer.deployment import Deployment

SALT_BYTES = 16
_OPENING = b'{"salt":"'
_AFTER_SALT = len(_OPENING) + 2 * SALT_BYTES + len(b'",')


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a prediction record says; `time` is in UTC to the millisecond, `features` are any JSON."""

    request_id: str
    time: datetime
    deployment: Deployment
    model: Model
    features: object
    output: object
    decision: str | None
    latency_ms: float
    window_id: str


def line_of(prediction: Prediction) -> bytes:
    """The line for the log, without its line break. What is no JSON is written as text."""
    salt = secrets.token_hex(SALT_BYTES).encode()
    return _OPENING + salt + b'",' + _record(prediction)[1:]


def entry_of(line: bytes) -> bytes:
    """The tree entry of a line: SHA-256 of the salt's 16 bytes followed by the record's bytes."""
    salt = bytes.fromhex(line[len(_OPENING) : _AFTER_SALT - 2].decode())
    return sha256(salt + b"{" + line[_AFTER_SALT:].rstrip(b"\n")).digest()


def feature_digest(features: object) -> str:
    """SHA-256 over the features as JSON with sorted keys and no spaces, as `sha256:` and hex."""
    return digest_of(_canonical(_plain(features)))


def uuid7(at: datetime) -> UUID:
    """A UUIDv7 (RFC 9562, section 5.7) for a time, to the millisecond."""
    milliseconds = _milliseconds(at)
    random = secrets.randbits(74)
    high, low = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | (7 << 76) | (high << 64) | (0b10 << 62) | low)


def rfc3339(at: datetime) -> str:
    """A time in UTC with milliseconds and `Z`."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


def _record(prediction: Prediction) -> bytes:
    deployment, model = prediction.deployment, prediction.model
    return _canonical(
        {
            "requestId": prediction.request_id,
            "time": rfc3339(prediction.time),
            "deployment": {"namespace": deployment.namespace, "name": deployment.name},
            "model": {"namespace": model.namespace, "name": model.name, "version": model.version},
            "featureDigest": feature_digest(prediction.features),
            "output": _plain(prediction.output),
            "decision": prediction.decision,
            "latencyMs": round(prediction.latency_ms, 3),
            "windowId": prediction.window_id,
        }
    )


def _plain(value: object) -> object:
    try:
        _canonical(value)
    except (TypeError, ValueError):  # keys of mixed types, cycles, NaN
        return repr(value)
    return value


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=str).encode()
