"""SARIF: valid against the schema of OASIS, a result for each trouble, waivers as suppressions."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from policies.formats.document import Decision, decision_of
from policies.formats.sarif import sarif
from policies.verdict import ControlResult, Enforcement, ItemResult, Severity, Verdict
from tests.policies.attestation.decisions import (
    ADVISED,
    BROKEN,
    DENIED,
    NOT_APPLICABLE,
    PASSED,
    WAIVED,
    WAIVER,
    allow,
    body,
    deny,
    result,
)

SCHEMA = Path(__file__).parents[2] / "fixtures" / "sarif-schema-2.1.0.json"


@cache
def validator() -> Draft4Validator:
    schema = json.loads(SCHEMA.read_text())
    Draft4Validator.check_schema(schema)
    return Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)


def run(decision: Decision, manifest: str | None = None) -> Any:
    log = json.loads(sarif(decision, manifest))
    validator().validate(log)
    return log["runs"][0]


def test_the_schema_is_not_a_formality() -> None:
    log = json.loads(sarif(allow()))
    log["runs"][0]["results"][0]["kind"] = "trouble"
    assert not validator().is_valid(log)


@pytest.mark.parametrize(
    "decision", [allow(), deny(), *(decision_of(body(s, BROKEN)) for s in ("PENDING", "INDETERMINATE"))]
)
def test_every_decision_is_valid(decision: Decision) -> None:
    run(decision)


def test_a_rule_for_each_control_and_a_result_for_each_trouble() -> None:
    found = run(deny())
    rules = found["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["base/B-01", "base/B-06", "base/B-09"]
    assert rules[1]["helpUri"] == "https://example.org/law#B-06"
    assert rules[1]["help"]["text"] == "Remedy of B-06."
    assert "helpUri" not in rules[2]
    results = found["results"]
    assert [each["ruleId"] for each in results] == ["base/B-06"] * 2
    assert [rules[each["ruleIndex"]]["id"] for each in results] == ["base/B-06"] * 2
    assert results[0]["properties"]["witness"] == {"nodes": ["fd_a", "dv_b"], "entries": [3, 4]}
    assert results[0]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "dv_risk"
    assert results[0]["locations"][0]["logicalLocations"][1]["fullyQualifiedName"] == "col:sex"
    assert "column.labels" in results[1]["message"]["text"]
    assert found["invocations"][0]["exitCode"] == 1


def test_a_waiver_is_a_suppression_with_its_reason() -> None:
    waived, advised = run(allow())["results"]
    (suppression,) = waived["suppressions"]
    assert suppression["justification"] == "the owner is on leave"
    assert suppression["status"] == "accepted"
    assert suppression["properties"]["waiver"] == WAIVER
    assert suppression["properties"]["expiresAt"].startswith("2026-12-24")
    assert "suppressions" not in advised


@pytest.mark.parametrize(
    ("enforcement", "severity", "level"),
    [
        ("block", "low", "error"),
        ("block", "critical", "error"),
        ("warn", "critical", "warning"),
        ("warn", "low", "note"),
        ("advise", "critical", "note"),
    ],
)
def test_the_level_says_what_it_does_to_the_release(enforcement: str, severity: str, level: str) -> None:
    control = result("B-01", Verdict.FAIL, enforcement=Enforcement(enforcement), severity=Severity(severity))
    assert [each["level"] for each in run(decision_of(body("DENY", control)))["results"]] == [level]


def test_an_error_without_items_is_a_result_too() -> None:
    found = run(decision_of(body("INDETERMINATE", BROKEN)))
    assert [each["properties"]["verdict"] for each in found["results"]] == ["error"]
    assert found["invocations"][0]["executionSuccessful"] is False


def test_fingerprints_outlive_versions_and_tell_items_apart() -> None:
    def prints(decision: Decision) -> list[str]:
        return [each["partialFingerprints"]["lineward/v1"] for each in run(decision)["results"]]

    target = {**deny().document["target"], "version": "3", "node": "dv_new"}
    upgraded = replace(DENIED, pack="base@1.1.0")
    assert prints(deny()) == prints(decision_of(body("DENY", PASSED, upgraded, target=target)))
    assert len(set(prints(deny()))) == 2
    assert not set(prints(deny())) & set(prints(deny(environment="staging")))


def test_results_lie_at_the_manifest_or_at_the_names_of_the_target() -> None:
    def address(manifest: str | None, **more: Any) -> str:
        location = run(deny(**more), manifest)["results"][0]["locations"][0]
        return str(location["physicalLocation"]["artifactLocation"]["uri"])

    assert address("models/risk.yaml") == "models/risk.yaml"
    assert address(None) == "models/s3%3A%2F%2Fmodels/credit%20risk/2"
    escaping = {**deny().document["target"], "namespace": "..", "name": "../x"}
    assert address(None, target=escaping) == "models/%2E%2E/..%2Fx/2"


@given(st.text(), st.text(), st.sampled_from(list(Verdict)))
def test_whatever_is_said_the_file_is_valid(said: str, key: str, verdict: Verdict) -> None:
    control = result(
        "B-01", verdict, title=said, plain=said, remediation=said, items=(ItemResult(key, said, verdict, said),)
    )
    run(decision_of(body("DENY", control, ADVISED, WAIVED, NOT_APPLICABLE)))


def test_braces_and_brackets_of_others_are_no_placeholders_and_no_links() -> None:
    control: ControlResult = result(
        "B-01", Verdict.FAIL, items=(ItemResult(None, "c", Verdict.FAIL, "see [x](1) {0} \\"),)
    )
    (found,) = run(decision_of(body("DENY", control)))["results"]
    assert found["message"]["text"] == "see \\[x\\](1) {{0}} \\\\ Remedy of B-01."
