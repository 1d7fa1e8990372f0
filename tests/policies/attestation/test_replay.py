"""A replay compares everything that was recorded with what comes out now."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from catalog.errors import InvalidInputError
from policies.attestation.replay import replay
from policies.formats.document import Decision, decision_of
from policies.verdict import ControlResult, Enforcement, GateState, ItemResult, Report, Verdict
from tests.policies.attestation.decisions import DENIED, NOT_APPLICABLE, PASSED, allow, body, changed, deny


def report(decision: Decision, **more: object) -> Report:
    """The report that was recorded."""
    given = {
        "target": "dv_risk",
        "verdict": Verdict(decision.body.verdict),
        "state": decision.state,
        "reasons": decision.body.reasons,
        "controls": decision.controls,
        "packs": (),
        "evidence_digest": decision.body.evidence_digest or "",
        "evaluated_at": decision.body.evaluated_at,
        "environment": decision.body.environment,
    }
    return Report(**(given | more))  # type: ignore[arg-type]


def differences(decision: Decision, *controls: ControlResult, **more: object) -> list[str]:
    found = replay(decision, lambda _: report(decision, controls=controls, **more))
    return [each.what for each in found.differences]


@pytest.mark.parametrize("decision", [allow(), deny()])
def test_equal_verdicts_are_no_difference(decision: Decision) -> None:
    found = replay(decision, report)
    assert found.controls == len(decision.controls)
    assert not found.differences


CHANGES: dict[str, tuple[Callable[[ControlResult], ControlResult], list[str]]] = {
    "verdict": (lambda c: replace(c, verdict=Verdict.PASS), ["base@1.0.0 B-06 verdict"]),
    "underlying": (lambda c: replace(c, underlying=Verdict.UNKNOWN), ["base@1.0.0 B-06 underlying"]),
    "enforcement": (lambda c: replace(c, enforcement=Enforcement.WARN), ["base@1.0.0 B-06 enforcement"]),
    "waivers": (lambda c: replace(c, waivers=("wv_x",)), ["base@1.0.0 B-06 waivers"]),
    "an item less": (lambda c: replace(c, items=c.items[:1]), ["base@1.0.0 B-06 absent of col:age"]),
    "an item more": (
        lambda c: replace(c, items=(*c.items, ItemResult("col:new", "absent", Verdict.FAIL))),
        ["base@1.0.0 B-06 absent of col:new"],
    ),
    "an item otherwise": (
        lambda c: replace(c, items=(replace(c.items[0], verdict=Verdict.PASS), c.items[1])),
        ["base@1.0.0 B-06 absent of col:sex"],
    ),
}


@pytest.mark.parametrize(("change", "named"), CHANGES.values(), ids=CHANGES)
def test_each_difference_has_a_name(change: Callable[[ControlResult], ControlResult], named: list[str]) -> None:
    assert differences(deny(), PASSED, change(DENIED), NOT_APPLICABLE) == named


def test_a_control_that_comes_or_goes_is_a_difference() -> None:
    assert differences(deny(), PASSED, NOT_APPLICABLE) == ["base@1.0.0 B-06"]
    assert differences(deny(), PASSED, DENIED, NOT_APPLICABLE, replace(PASSED, control="B-99")) == ["base@1.0.0 B-99"]


def test_the_state_is_compared_too() -> None:
    decision = deny()
    assert differences(decision, *decision.controls, state=GateState.ALLOW) == ["state"]
    assert differences(decision, *decision.controls, verdict=Verdict.FAIL) == ["verdict of the whole"]


def test_a_rollback_is_allowed_for_another_reason_than_its_controls() -> None:
    back = {"decision": "dc_x", "allowedAt": "2026-11-01T00:00:00Z", "person": "ann@example.org"}
    decision = decision_of(body("ALLOW", DENIED, rollback=back))
    assert differences(decision, *decision.controls, state=GateState.DENY) == []


def test_a_pack_that_was_evaluated_twice_is_compared_twice() -> None:
    decision = decision_of(body("DENY", PASSED, replace(PASSED, verdict=Verdict.FAIL)))
    assert differences(decision, *decision.controls) == []
    assert differences(decision, PASSED, PASSED) == ["base@1.0.0 B-01 again verdict"]


def test_what_was_altered_is_a_difference_whatever_comes_out() -> None:
    decision = decision_of(changed(deny().document, "evidence", "lineage", "complete", to=False))
    assert differences(decision, *decision.controls) == ["evidence digest"]
    decision = decision_of(changed(deny().document, "packs", 0, "document", "controls", 0, "title", to="x"))
    assert differences(decision, *decision.controls) == ["pack base@1.0.0 digest"]


def test_what_froze_nothing_cannot_be_replayed() -> None:
    document = body("INDETERMINATE", reasons=["the projection lags"])
    del document["evidence"], document["evidenceDigest"]
    with pytest.raises(InvalidInputError, match="the projection lags"):
        replay(decision_of(document), report)
