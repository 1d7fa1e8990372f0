"""Whatever is changed in a file, verification says what; and it needs nothing but the file and a key."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from catalog import rfc3339
from catalog.errors import InvalidInputError
from policies.acts import digest
from policies.attestation.bundle import attestation, bundle, held, read
from policies.attestation.envelope import PAYLOAD_TYPE, sign, statement_of
from policies.attestation.envelope import read as read_envelope
from policies.attestation.signing import public_document
from policies.attestation.statement import statement
from policies.attestation.verification import Expectation, Outcome, Verification, verify
from policies.formats.document import decision_of
from tests.policies.attestation.decisions import (
    ARTIFACT,
    AT,
    BROKEN,
    LAPSES,
    PASSED,
    SIGNER,
    STRANGER,
    allow,
    body,
    changed,
    deny,
)

ALLOWED = bundle(allow(), SIGNER)
DENIED = bundle(deny(), SIGNER)
KEY = SIGNER.public_key


def checked(document: dict[str, Any], expected: Expectation | None = None) -> Verification:
    return verify(held(document), KEY, expected)


def failed(document: dict[str, Any], expected: Expectation | None = None) -> set[str]:
    return {check.name for check in checked(document, expected).failed}


def is_trusted(document: dict[str, Any]) -> bool:
    """Whether it can be read and its signature holds."""
    try:
        return "signature" not in failed(document)
    except InvalidInputError:
        return False


@pytest.mark.parametrize("document", [ALLOWED, DENIED])
def test_what_was_signed_verifies_as_a_bundle_and_as_an_envelope_alone(document: dict[str, Any]) -> None:
    whole, alone = checked(document), checked(document["envelope"])
    assert not whole.failed
    assert not alone.failed
    assert whole.signed
    assert {check.name for check in alone.checks} < {check.name for check in whole.checks}


def test_it_verifies_after_a_journey_through_a_file(tmp_path: Path) -> None:
    path = tmp_path / "decision.json"
    path.write_text(json.dumps(ALLOWED, indent=3, sort_keys=True))
    assert not verify(read(path), KEY).failed


def test_the_signature_is_over_the_pre_authentication_encoding() -> None:
    envelope = ALLOWED["envelope"]
    payload = b64decode(envelope["payload"])
    pae = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(KEY.keyval["public"])).verify(
        b64decode(envelope["signatures"][0]["sig"]), pae
    )


# Tampering ---------------------------------------------------------------------------------------------------------

DECISION = ("decision",)
CHANGES: dict[str, tuple[tuple[str | int, ...], Any, set[str]]] = {
    "evidence value": ((*DECISION, "evidence", "subject", "name"), "other", {"evidence", "decision"}),
    "artifact digest": (
        (*DECISION, "evidence", "subject", "digest"),
        "sha256:" + "00" * 32,
        {"evidence", "decision", "subject"},
    ),
    "evidence digest": (
        (*DECISION, "evidenceDigest"),
        "sha256:" + "00" * 32,
        {"evidence", "decision", "signed evidence digest", "details"},
    ),
    "verdict": ((*DECISION, "controls", 0, "verdict"), "fail", {"decision", "verdicts"}),
    "message": ((*DECISION, "controls", 0, "title"), "Another", {"decision", "verdicts"}),
    "state": ((*DECISION, "state"), "DENY", {"decision", "state", "levels", "details"}),
    "pack text": (
        (*DECISION, "packs", 0, "document", "controls", 0, "plain"),
        "Nothing.",
        {"decision", "pack base@1.0.0"},
    ),
    "pack digest": (
        (*DECISION, "packs", 0, "digest"),
        "sha256:" + "11" * 32,
        {"decision", "pack base@1.0.0", "packs", "signed pack digests"},
    ),
    "params": ((*DECISION, "packs", 0, "params"), {"days": 9}, {"decision"}),
    "requester": ((*DECISION, "requester"), "eve@example.org", {"decision"}),
    "environment": ((*DECISION, "environment"), "staging", {"decision", "target and environment", "details"}),
    "target": ((*DECISION, "target", "version"), "3", {"decision", "subject", "target and environment"}),
    "time": ((*DECISION, "evaluatedAt"), LAPSES, {"decision", "evaluated at"}),
    "expiry": ((*DECISION, "expiresAt"), "2030-01-01T00:00:00Z", {"decision", "expiry"}),
    "snapshot": ((*DECISION, "snapshot", "root"), "00" * 32, {"decision", "log snapshot"}),
    "approvals": ((*DECISION, "approvals"), [], {"decision", "approvals"}),
    "waivers": ((*DECISION, "waivers"), [], {"decision", "waivers"}),
    "identity": ((*DECISION, "id"), "6a0c3cf5-44ba-4d6c-9d0a-0f2f7a3a2b11", {"decision", "decision id"}),
    "unknown field": ((*DECISION, "extra"), 1, {"decision"}),
    "malformed": ((*DECISION, "controls", 0, "verdict"), "splendid", {"decision"}),
    "evidence of another kind": ((*DECISION, "evidence", "subject"), "none", {"evidence", "decision"}),
    "payload type": (("envelope", "payloadType"), "text/plain", {"signature", "payload type"}),
    "key id": (("envelope", "signatures", 0, "keyid"), "00" * 32, {"signature"}),
    "no signature": (("envelope", "signatures"), [], {"signature"}),
    "no envelope": (("envelope",), None, {"signature"}),
}


@pytest.mark.parametrize(("path", "to", "named"), CHANGES.values(), ids=CHANGES)
def test_what_was_changed_is_named(path: tuple[str | int, ...], to: Any, named: set[str]) -> None:
    assert failed(changed(ALLOWED, *path, to=to)) == named


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path into a document."""
    if path:
        yield path
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in steps:
        yield from places(each, (*path, step))


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


@given(st.sampled_from(list(places(ALLOWED["decision"]))), values)
def test_no_value_of_the_decision_can_be_another(path: tuple[str | int, ...], to: Any) -> None:
    altered = changed(ALLOWED, "decision", *path, to=to)
    same = digest(altered["decision"]) == digest(ALLOWED["decision"])
    assert bool(failed(altered)) != same


@given(st.sampled_from(list(places(ALLOWED["envelope"]))), values)
def test_whatever_the_envelope_holds_it_is_refused_or_fails(path: tuple[str | int, ...], to: Any) -> None:
    altered = changed(ALLOWED["envelope"], *path, to=to)
    assert altered == ALLOWED["envelope"] or not is_trusted(altered)


@given(st.sampled_from(list(places(statement(allow())))), values)
def test_a_signed_statement_of_any_shape_is_checked_without_an_accident(path: tuple[str | int, ...], to: Any) -> None:
    altered = changed(statement(allow()), *path, to=to)
    wanted = Expectation(ARTIFACT, "production", 0)
    document = {**ALLOWED, "envelope": sign(altered, SIGNER)}
    harmless = altered == statement(allow()) or path[:3] == ("predicate", "verifier", "version")
    assert bool(failed(document, wanted)) != harmless


def test_evidence_that_was_changed_with_its_digest_is_not_what_was_signed() -> None:
    altered = changed(ALLOWED, "decision", "evidence", "lineage", "complete", to=False)
    altered["decision"]["evidenceDigest"] = digest(altered["decision"]["evidence"])
    assert failed(altered) == {"decision", "signed evidence digest", "details"}


def test_a_payload_that_was_changed_has_no_signature() -> None:
    said = statement_of(read_envelope(ALLOWED["envelope"]))
    said["predicate"]["resourceUri"] += "2"
    payload = b64encode(json.dumps(said).encode()).decode()
    assert failed(changed(ALLOWED, "envelope", "payload", to=payload)) == {"signature", "target and environment"}


@given(st.data())
def test_no_bit_of_payload_or_signature_can_be_turned(data: st.DataObject) -> None:
    document = deepcopy(ALLOWED["envelope"])
    place = data.draw(st.sampled_from([document, document["signatures"][0]]))
    name = "payload" if place is document else "sig"
    content = bytearray(b64decode(place[name]))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    place[name] = b64encode(content).decode()
    assert not is_trusted(document)


def test_a_strangers_signature_is_not_trusted_though_the_file_brings_its_key() -> None:
    forged = bundle(allow(), STRANGER)
    assert forged["publicKey"] == public_document(STRANGER.public_key)
    (check,) = checked(forged).failed
    assert check.name == "signature"
    assert STRANGER.public_key.keyid in check.message
    assert "--key" in check.message


def test_a_strangers_signature_under_our_key_id_does_not_verify() -> None:
    forged = bundle(allow(), STRANGER)["envelope"]
    forged["signatures"][0]["keyid"] = KEY.keyid
    assert failed(forged) == {"signature"}


@pytest.mark.parametrize(
    ("path", "to", "named"),
    [
        (("_type",), "https://in-toto.io/Statement/v0.1", "statement"),
        (("predicateType",), "https://slsa.dev/provenance/v1", "statement"),
        (("predicate", "verifier", "id"), "https://example.org", "verifier"),
        (("predicate", "verificationResult"), "FAILED", "result"),
        (("predicate", "verifiedLevels"), ["FAILED"], "result"),
        (("predicate", "verifiedLevels"), None, "result"),
        (("predicate",), None, "result"),
    ],
)
def test_a_rightly_signed_statement_of_another_kind_is_refused(path: tuple[str, ...], to: Any, named: str) -> None:
    said = statement_of(read_envelope(ALLOWED["envelope"]))
    assert named in failed(sign(changed(said, *path, to=to), SIGNER))


def test_a_signed_summary_beside_an_undecided_decision_is_refused() -> None:
    pending = body("PENDING", PASSED)
    assert failed({**ALLOWED, "decision": pending}) == {"decision"}


def test_an_undecided_decision_has_no_signature_and_says_why() -> None:
    document = bundle(decision_of(body("INDETERMINATE", BROKEN)), SIGNER)
    found = checked(document)
    assert set(document) == {"bundle", "decision"}
    assert attestation(decision_of(document["decision"]), SIGNER) is None
    assert not found.failed
    assert not found.signed
    assert [check.name for check in found.checks if check.outcome is Outcome.ABSENT] == ["signature"]


# What the holder wants ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", [ALLOWED, ALLOWED["envelope"]], ids=["bundle", "envelope"])
def test_expectations_hold_for_the_envelope_alone_too(document: dict[str, Any]) -> None:
    wanted = Expectation(ARTIFACT, "production", rfc3339.parse(AT))
    assert not checked(document, wanted).failed
    assert failed(document, Expectation(artifact="sha256:" + "00" * 32)) == {"artifact"}
    assert failed(document, Expectation(environment="staging")) == {"environment"}


def test_an_allow_holds_until_before_it_lapses() -> None:
    lapses = rfc3339.parse(LAPSES)
    assert not failed(ALLOWED, Expectation(allowed_at=lapses - 1))
    assert failed(ALLOWED, Expectation(allowed_at=lapses)) == {"allow"}
    assert failed(DENIED, Expectation(allowed_at=0)) == {"allow"}


def test_a_closure_digest_is_no_artifact() -> None:
    bare = changed(allow().document["evidence"], "subject", "digest", to="none")
    closure = bare["subject"]["closureDigest"]
    document = bundle(decision_of(body("ALLOW", PASSED, evidence=bare)), SIGNER)
    assert failed(document, Expectation(artifact=closure)) == {"artifact"}


def test_nothing_signed_meets_no_expectation() -> None:
    document = bundle(decision_of(body("PENDING", PASSED)), SIGNER)
    assert failed(document, Expectation(environment="production")) == {"expectations"}


# Files -------------------------------------------------------------------------------------------------------------

MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"PK\x03\x04",
    "a list": b"[]",
    "another document": b'{"kind": "PolicyPack"}',
    "a name twice": b'{"bundle": "lineward.dev/decision/v1", "decision": {}, "decision": {}}',
    "a number too large": b'{"payloadType": "a", "payload": "", "signatures": [], "n": 9007199254740993}',
    "no number": b'{"payloadType": "a", "payload": "", "signatures": [], "n": NaN}',
    "half a character": b'{"payloadType": "\\ud800", "payload": "", "signatures": []}',
    "very deep": b'{"a":' * 200 + b"1" + b"}" * 200,
    "deeper than any stack": b"[" * 200_000,
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_other_files_are_refused_with_what_to_do(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        verify(read(path), KEY)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "spoil",
    [
        lambda envelope: envelope.pop("payload"),
        lambda envelope: envelope.update(payload="%%%"),
        lambda envelope: envelope.update(payload=b64encode(b"[]").decode()),
        lambda envelope: envelope.update(signatures={}),
        lambda envelope: envelope["signatures"].append({"keyid": 1, "sig": ""}),
        lambda envelope: envelope["signatures"].append(dict(envelope["signatures"][0])),
        lambda envelope: envelope["signatures"].append("x"),
    ],
)
def test_what_is_no_envelope_is_refused(spoil: Callable[[dict[str, Any]], Any]) -> None:
    envelope = deepcopy(ALLOWED["envelope"])
    spoil(envelope)
    assert not is_trusted(envelope)
