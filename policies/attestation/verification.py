"""Whether a decision in a file is the one that was signed, and whether each part of it is what it claims to be.

Needs the file and a public key: no server, network, clock or database.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from catalog import instant, rfc3339
from catalog.errors import InvalidInputError
from policies.acts import digest
from policies.attestation import envelope as dsse
from policies.attestation.bundle import Held
from policies.attestation.statement import (
    EXTENSION,
    FAILED,
    PREDICATE_TYPE,
    TYPE,
    VERIFIER,
    digest_set,
    statement,
    why_unsigned,
)
from policies.formats.document import Decision, decision_of


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    ABSENT = "absent"  # there is nothing to check, and there need not be


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    outcome: Outcome
    message: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the holder of the file wants of it, beyond that it is genuine."""

    artifact: str | None = None  # digest of what is about to be released
    environment: str | None = None
    allowed_at: int | None = None  # µs; wants an ALLOW that has not lapsed then


@dataclass(frozen=True, slots=True)
class Verification:
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.outcome is Outcome.FAILED)

    @property
    def signed(self) -> bool:
        return all(check.outcome is not Outcome.ABSENT for check in self.checks)


def verify(held: Held, key: SSlibKey, expected: Expectation | None = None) -> Verification:
    """Every check, whatever the earlier ones say. Raises InvalidInputError for what cannot be read at all."""
    checks: list[Check] = []
    said: Mapping[str, Any] | None = None
    if held.envelope is not None:
        envelope = dsse.read(held.envelope)
        said = dsse.statement_of(envelope)
        checks += _signature(envelope, key)
        checks += _form(said)
    if held.decision is not None:
        checks += _decision(held.decision, said)
    if said is not None:
        checks += _expectations(said, expected or Expectation())
    elif expected is not None and expected != Expectation():
        checks.append(_check("expectations", False, "", "nothing is signed that could meet them"))
    return Verification(tuple(checks))


def _check(name: str, holds: bool, right: str, wrong: str) -> Check:
    return Check(name, Outcome.OK if holds else Outcome.FAILED, right if holds else wrong)


# The envelope ------------------------------------------------------------------------------------------------------


def _signature(envelope: Envelope, key: SSlibKey) -> Iterator[Check]:
    yield _check(
        "signature", dsse.is_signed_by(envelope, key), f"made by the key {key.keyid}", _unsigned(envelope, key)
    )
    right = envelope.payload_type == dsse.PAYLOAD_TYPE
    yield _check("payload type", right, envelope.payload_type, f"{envelope.payload_type} is not {dsse.PAYLOAD_TYPE}")


def _unsigned(envelope: Envelope, key: SSlibKey) -> str:
    if key.keyid in envelope.signatures:
        return f"it says the key {key.keyid}, but that key did not sign this: payload, type or signature were changed"
    signers = ", ".join(sorted(envelope.signatures)) or "nobody"
    return (
        f"made by {signers}, not by the key {key.keyid} that you trust; "
        "if you trust that signer, get its public key from whoever runs it and give it with --key"
    )


def _form(said: Mapping[str, Any]) -> Iterator[Check]:
    """What the SLSA text asks of every verification summary."""
    predicate = _object(said.get("predicate"))
    types = (said.get("_type"), said.get("predicateType"))
    right = types == (TYPE, PREDICATE_TYPE)
    yield _check("statement", right, PREDICATE_TYPE, f"{types[1]} in {types[0]} is no verification summary")
    verifier = _object(predicate.get("verifier")).get("id")
    yield _check("verifier", verifier == VERIFIER, VERIFIER, f"{verifier} is not {VERIFIER}")
    result, levels = predicate.get("verificationResult"), predicate.get("verifiedLevels")
    fits = isinstance(levels, list) and (levels == FAILED if result == "FAILED" else "FAILED" not in levels)
    holds = result in ("PASSED", "FAILED") and fits
    yield _check("result", holds, f"{result}", f"{result} does not go with the levels {levels}")


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


# The decision ------------------------------------------------------------------------------------------------------


def _decision(document: Mapping[str, Any], said: Mapping[str, Any] | None) -> Iterator[Check]:
    try:
        decision = decision_of(document)
    except InvalidInputError as error:
        yield Check("decision", Outcome.FAILED, f"it is not written as decisions are: {error.message}")
        return
    yield from own_digests(decision)
    reason = why_unsigned(decision)
    if said is not None and reason is None:
        yield from _agreement(decision, said)
    elif said is not None:
        yield Check("decision", Outcome.FAILED, f"it is signed, though {reason}")
    elif reason is not None:
        yield Check("signature", Outcome.ABSENT, f"there is none: {reason}")
    else:
        yield Check("signature", Outcome.FAILED, f"there is none, though every {decision.state} has one")


def own_digests(decision: Decision) -> Iterator[Check]:
    """The frozen evidence and the frozen packs against the digests that the decision states."""
    body = decision.body
    if body.evidence is not None or body.evidence_digest is not None:
        found = digest(body.evidence or {})
        wrong = f"it hashes to {found}, the decision says {body.evidence_digest}"
        yield _check("evidence", found == body.evidence_digest, found, wrong)
    for pack in body.packs:
        found = digest(pack.document)
        wrong = f"it hashes to {found}, the decision says {pack.digest}"
        yield _check(f"pack {pack.name}@{pack.version}", found == pack.digest, found, wrong)


def _agreement(decision: Decision, said: Mapping[str, Any]) -> Iterator[Check]:
    """The decision against the signed statement, part by part, so that a difference has a name."""
    actual = _object(said.get("predicate"))
    expected = statement(decision, _object(_object(actual.get("verifier")).get("version")) or {"lineward": ""})
    told, meant = _object(actual.get(EXTENSION)), expected["predicate"][EXTENSION]
    same = digest(decision.document) == told.get("decisionDigest")
    yield _check("decision", same, meant["decisionDigest"], "its body is not the one that was signed")
    yield _same("subject", said.get("subject"), expected["subject"])
    for name, label in _SIGNED.items():
        yield _same(label, actual.get(name), expected["predicate"][name])
    for name, label in _EXTENDED.items():
        yield _same(label, told.get(name), meant.get(name))
    signed, held = ({name: said.get(name) for name in _DETAILS} for said in (told, meant))
    yield _same("details", signed, held)


_SIGNED = {
    "resourceUri": "target and environment",
    "policy": "packs",
    "inputAttestations": "signed evidence digest",
    "verificationResult": "state",
    "verifiedLevels": "levels",
    "timeVerified": "evaluated at",
}
_EXTENDED = {
    "id": "decision id",
    "controlsDigest": "verdicts",
    "packs": "signed pack digests",
    "snapshot": "log snapshot",
    "approvals": "approvals",
    "waivers": "waivers",
    "expiresAt": "expiry",
}
_DETAILS = ("state", "environment", "use", "evidenceDigest", "rollback", "subjectDigestOf")


def _same(name: str, signed: Any, held: Any) -> Check:
    return _check(name, signed == held, "as signed", f"{_short(held)} is not what was signed, {_short(signed)}")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"


# What the holder wants ---------------------------------------------------------------------------------------------


def _expectations(said: Mapping[str, Any], expected: Expectation) -> Iterator[Check]:
    predicate = _object(said.get("predicate"))
    told = _object(predicate.get(EXTENSION))
    if expected.artifact is not None:
        subjects = said.get("subject")
        digests = [_object(each).get("digest") for each in subjects] if isinstance(subjects, list) else []
        holds = digest_set(expected.artifact) in digests and told.get("subjectDigestOf") == "artifact"
        yield _check("artifact", holds, expected.artifact, f"{expected.artifact} is not what was decided on, {digests}")
    if expected.environment is not None:
        environment = told.get("environment")
        holds = environment == expected.environment
        yield _check("environment", holds, f"{environment}", f"{environment} is not {expected.environment}")
    if expected.allowed_at is not None:
        yield _allow(predicate.get("verificationResult"), told.get("expiresAt"), expected.allowed_at)


def _allow(result: Any, expires: Any, at: int) -> Check:
    if result != "PASSED":
        return Check("allow", Outcome.FAILED, "the release was not allowed")
    try:
        until = rfc3339.parse(expires)
    except (ValueError, TypeError):
        return Check("allow", Outcome.FAILED, f"it has no end that can be read: {expires}")
    return _check("allow", at < until, f"until {expires}", f"it lapsed at {expires}, and now it is {instant.text(at)}")
