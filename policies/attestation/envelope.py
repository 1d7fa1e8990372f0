"""DSSE envelopes: a payload, its type, and signatures over both (DSSE v1.0, "pre-authentication encoding")."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import Signer, SSlibKey  # type: ignore[attr-defined]

from catalog.canonical import dumps
from catalog.errors import InvalidInputError
from policies.attestation import strict_json

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_REMEDY = "Give the file as it was written, by `gate --attest` or `gate --json`."


def sign(statement: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """The envelope of a statement, as JSON: `payload`, `payloadType`, `signatures`."""
    envelope = Envelope(dumps(dict(statement)), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    document: dict[str, Any] = envelope.to_dict()
    return document


def read(document: Mapping[str, Any]) -> Envelope:
    """The envelope that JSON holds. Raises InvalidInputError for what is none, or not in plain base64."""
    try:
        b64decode(document["payload"], validate=True)
        signatures = [dict(each) for each in document["signatures"]]
        for each in signatures:
            b64decode(each["sig"], validate=True)
        if not isinstance(document["payloadType"], str) or not all(
            isinstance(each["keyid"], str) for each in signatures
        ):
            raise ValueError("a type and key ids are texts")
        return Envelope.from_dict({**document, "signatures": signatures})
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(f"This is no DSSE envelope: {error}.", _REMEDY) from error


def statement_of(envelope: Envelope) -> dict[str, Any]:
    """The statement in the payload. Raises InvalidInputError for a payload that is no JSON object."""
    return strict_json.parse(envelope.payload, "the payload of the envelope")


def is_signed_by(envelope: Envelope, key: SSlibKey) -> bool:
    try:
        envelope.verify([key], 1)
    except VerificationError:
        return False
    return True
