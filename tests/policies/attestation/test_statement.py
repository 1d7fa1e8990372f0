"""What is signed: the shapes of in-toto and SLSA, and never a yes where there was none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import InvalidInputError
from policies.acts import Target, digest
from policies.attestation.statement import EXTENSION, levels, resource_uri, statement, urn, why_unsigned
from policies.formats.document import decision_of
from tests.policies.attestation.decisions import (
    ADVISED,
    ARTIFACT,
    BROKEN,
    CLOSURE,
    DENIED,
    EVIDENCE,
    LAPSES,
    NOT_APPLICABLE,
    PASSED,
    WAIVED,
    WAIVER,
    allow,
    body,
    changed,
    deny,
    pack_document,
)


def test_an_allow_is_a_passed_summary_of_the_artifact() -> None:
    decision = allow()
    made = statement(decision)
    predicate = made["predicate"]
    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert made["subject"] == [
        {"name": "urn:lineward:model:s3%3A%2F%2Fmodels:credit%20risk:2", "digest": {"sha256": ARTIFACT[7:]}}
    ]
    assert predicate["resourceUri"] == made["subject"][0]["name"] + "?=environment=production"
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["policy"]["digest"] == {"sha256": decision.body.packs[0].digest[7:]}
    assert [each["digest"] for each in predicate["inputAttestations"]] == [{"sha256": digest(EVIDENCE)[7:]}]
    assert set(predicate["verifier"]) == {"id", "version"}
    extension = predicate[EXTENSION]
    assert extension["subjectDigestOf"] == "artifact"
    assert extension["id"] == decision.id
    assert extension["expiresAt"] == LAPSES
    assert [each["id"] for each in extension["waivers"]] == [WAIVER]


def test_extension_fields_are_named_by_uris_and_levels_are_not_slsas() -> None:
    predicate = statement(allow())["predicate"]
    given = {"verifier", "timeVerified", "resourceUri", "policy", "inputAttestations"}
    found = {"verificationResult", "verifiedLevels"}
    assert {name for name in predicate if "://" not in name} == given | found
    assert not [level for level in predicate["verifiedLevels"] if level.startswith("SLSA_")]


def test_a_deny_has_the_level_failed_and_no_other() -> None:
    predicate = statement(deny())["predicate"]
    assert predicate["verificationResult"] == "FAILED"
    assert predicate["verifiedLevels"] == ["FAILED"]
    assert "expiresAt" not in predicate[EXTENSION]


def test_a_pack_counts_as_met_only_where_none_of_its_controls_is_in_trouble() -> None:
    assert levels(decision_of(body("ALLOW", PASSED))) == ["LINEWARD_RELEASE_GATE", "LINEWARD_BASE"]
    assert levels(decision_of(body("ALLOW", PASSED, WAIVED)))[1:] == ["LINEWARD_BASE_WITH_WAIVERS"]
    assert levels(decision_of(body("ALLOW", PASSED, ADVISED)))[1:] == []
    assert levels(decision_of(body("ALLOW", NOT_APPLICABLE)))[1:] == []


def test_without_an_artifact_digest_the_closure_is_the_subject_and_says_so() -> None:
    bare = changed(EVIDENCE, "subject", "digest", to="md5:abc")
    made = statement(decision_of(body("ALLOW", PASSED, evidence=bare)))
    assert made["subject"][0]["name"].startswith("lineward+closure:urn:lineward:model:")
    assert made["subject"][0]["digest"] == {"sha256": CLOSURE[7:]}
    assert made["predicate"][EXTENSION]["subjectDigestOf"] == "closure"


@pytest.mark.parametrize("state", ["PENDING", "INDETERMINATE"])
def test_what_is_neither_yes_nor_no_has_no_summary(state: str) -> None:
    decision = decision_of(body(state, BROKEN))
    assert state in (why_unsigned(decision) or "")
    with pytest.raises(InvalidInputError, match=state):
        statement(decision)


def test_a_preview_is_never_signed() -> None:
    assert why_unsigned(decision_of(body("ALLOW", PASSED, preview=True))) == "a preview is no release decision"


def test_a_target_without_any_digest_is_never_signed() -> None:
    nameless = changed(EVIDENCE, "subject", to={"id": "dv_risk", "digest": "sha256:short"})
    assert "neither" in (why_unsigned(decision_of(body("ALLOW", PASSED, evidence=nameless))) or "")


def test_of_several_packs_the_digest_is_over_the_list_in_order() -> None:
    used = [
        {"name": name, "version": "1.0.0", "digest": digest(pack_document(name)), "document": pack_document(name)}
        for name in ("base", "eu")
    ]
    both = statement(decision_of(body("DENY", DENIED, packs=used)))["predicate"]["policy"]
    turned = statement(decision_of(body("DENY", DENIED, packs=used[::-1])))["predicate"]["policy"]
    assert both["digest"] == {"sha256": digest({"packs": [each["digest"] for each in used]})[7:]}
    assert both["uri"] == "urn:lineward:packs:base@1.0.0,eu@1.0.0"
    assert both != turned


names = st.text(max_size=6)
targets = st.builds(
    Target, node=st.just("dv_x"), kind=st.sampled_from(["MODEL_VERSION", "RUN"]), namespace=names, name=names,
    version=st.none() | names,
)  # fmt: skip


@given(targets, targets, names, names)
def test_different_targets_and_environments_have_different_addresses(a: Target, b: Target, x: str, y: str) -> None:
    assert (resource_uri(a, x) == resource_uri(b, y)) == ((a, x) == (b, y))
    assert urn(a).isascii()
    assert not set(urn(a)) & set(' <>"?#')
