"""A decision computed again by the real engine, from its body alone."""

from copy import deepcopy
from typing import Any

import pytest

from catalog.errors import InvalidInputError
from policies.attestation.reevaluation import reevaluate
from policies.attestation.replay import replay
from policies.formats.document import decision_of
from policies.verdict import GateState, Verdict
from tests.policies.attestation.decisions import EVIDENCE, WAIVER, changed, control, pack_document
from tests.policies.attestation.judged import COVER, OWNED, decided

LOOP = {
    "inputs": {"upstream": {}},
    "requires": [{"expression": "size(trainingDatasets) > 0", "missing": "no dataset"}],
    "forEach": {"in": "trainingDatasets", "as": "dataset", "key": "dataset.id"},
}
BASELINE = {
    "act": "po_x",
    "binding": "starter",
    "since": "2026-11-01T00:00:00Z",
    "until": "2026-12-01T00:00:00Z",
    "findings": [["dv_risk", "base", "B-07", "dv_a"]],
}


@pytest.mark.parametrize(
    ("evidence", "waivers", "state"),
    [
        (OWNED, [], GateState.ALLOW),
        (OWNED | {"approvals": OWNED["approvals"][:1]}, [], GateState.PENDING),
        (EVIDENCE, [], GateState.DENY),
        (changed(OWNED, "subject", "owner", to="team:other"), [COVER], GateState.ALLOW),
    ],
    ids=["allow", "pending", "deny", "waived"],
)
def test_every_decision_comes_out_again(
    evidence: dict[str, Any], waivers: list[dict[str, Any]], state: GateState
) -> None:
    decision = decided(evidence, *waivers)
    assert decision.state is state
    found = replay(decision, reevaluate)
    assert not found.differences
    assert found.controls == 3


def test_a_baseline_that_was_applied_is_applied_again() -> None:
    each = control("B-07", "Licences are known", "has(dataset.licence)", **LOOP)
    evidence = deepcopy(OWNED)
    del evidence["trainingDatasets"][0]["licence"]
    decision = decided(evidence, pack=pack_document("base", each), baselines=[BASELINE])
    assert decision.controls[0].verdict is Verdict.WAIVED
    assert not replay(decision, reevaluate).differences
    without = decision_of(changed(decision.document, "baselines", to=[]))
    assert "base@1.0.0 B-07 verdict" in {each.what for each in replay(without, reevaluate).differences}


def test_what_no_binding_chose_is_undecided_again() -> None:
    decision = decision_of(changed(decided(OWNED).document, "bindings", to=[]))
    assert [each.what for each in replay(decision, reevaluate).differences] == ["state"]
    undecided = decision_of(changed(decision.document, "state", to="INDETERMINATE"))
    assert not replay(undecided, reevaluate).differences


def test_evidence_that_was_changed_comes_out_otherwise() -> None:
    decision = decision_of(changed(decided(OWNED).document, "evidence", "subject", "owner", to="team:other"))
    named = {each.what for each in replay(decision, reevaluate).differences}
    assert named >= {"evidence digest", "base@1.0.0 B-03 verdict", "state"}


def test_a_verdict_that_was_changed_is_told_by_the_replay_alone() -> None:
    """Also where digests were made to fit: whoever holds the key cannot make a wrong verdict right."""
    denied = decided(changed(OWNED, "subject", "owner", to="team:other"))
    forged = changed(denied.document, "state", to="ALLOW")
    forged["controls"][1] |= {"verdict": "pass", "underlying": "pass", "items": []}
    named = {each.what for each in replay(decision_of(forged), reevaluate).differences}
    assert named == {
        "base@1.0.0 B-03 verdict", "base@1.0.0 B-03 underlying", "base@1.0.0 B-03 holds", "state",
    }  # fmt: skip


def test_a_waiver_that_was_added_or_dropped_is_told() -> None:
    decision = decided(changed(OWNED, "subject", "owner", to="team:other"), COVER)
    without = decision_of(changed(decision.document, "waivers", to=[]))
    assert "state" in {each.what for each in replay(without, reevaluate).differences}


def test_the_recorded_time_counts_and_not_todays() -> None:
    dated = control("B-08", "Not for ever", "evaluatedAt < timestamp('2026-11-25T00:00:00Z')")
    decision = decided(OWNED, pack=pack_document("base", dated))
    assert decision.controls[0].verdict is Verdict.PASS
    assert not replay(decision, reevaluate).differences
    later = decision_of(changed(decision.document, "evaluatedAt", to="2027-01-01T00:00:00Z"))
    assert "state" in {each.what for each in replay(later, reevaluate).differences}


@pytest.mark.parametrize(
    ("path", "to"), [(("packs", 0, "document"), {"kind": "PolicyPack"}), (("waivers",), [{"id": WAIVER}])]
)
def test_what_cannot_be_read_is_an_error_of_the_file(path: tuple[str | int, ...], to: Any) -> None:
    with pytest.raises(InvalidInputError):
        replay(decision_of(changed(decided(OWNED).document, *path, to=to)), reevaluate)
