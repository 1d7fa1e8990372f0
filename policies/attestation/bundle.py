"""Files that hold a decision: the bundle, from which everything can be computed again, or the envelope alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]

from catalog.errors import InvalidInputError
from policies.attestation import envelope, strict_json
from policies.attestation.signing import public_document
from policies.attestation.statement import statement, why_unsigned
from policies.formats.document import Decision

FORMAT = "lineward.dev/decision/v1"


def attestation(decision: Decision, signer: CryptoSigner) -> dict[str, Any] | None:
    """The signed envelope of a decision; None where it has none: see `why_unsigned`."""
    return None if why_unsigned(decision) else envelope.sign(statement(decision), signer)


def bundle(decision: Decision, signer: CryptoSigner) -> dict[str, Any]:
    """`decision` (the body as logged), and where it is signed `envelope` and the `publicKey` as a hint."""
    signed = attestation(decision, signer)
    head: dict[str, Any] = {"bundle": FORMAT, "decision": decision.document}
    return head if signed is None else head | {"envelope": signed, "publicKey": public_document(signer.public_key)}


@dataclass(frozen=True, slots=True)
class Held:
    """What a file holds. A bundle of an unsigned decision has no envelope, a bare envelope has no decision."""

    decision: Mapping[str, Any] | None
    envelope: Mapping[str, Any] | None


def read(path: Path) -> Held:
    """The decision, the envelope or both. Raises InvalidInputError for any other file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    return held(strict_json.parse(content, str(path)))


def held(document: Mapping[str, Any]) -> Held:
    """The same of a document that was read already."""
    if "payloadType" in document:
        return Held(None, document)
    found = document.get("bundle"), document.get("decision"), document.get("envelope")
    if found[0] != FORMAT or not isinstance(found[1], dict) or not isinstance(found[2], dict | None):
        raise InvalidInputError(
            "This is neither a decision bundle nor a DSSE envelope.",
            "Give a file that `lineward gate` wrote with --json or --attest.",
        )
    return Held(found[1], found[2])
