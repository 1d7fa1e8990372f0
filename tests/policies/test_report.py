"""Many verdicts as one answer of the gate."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import instant
from policies.evaluation import evaluate_pack
from policies.report import gate_state, report
from policies.verdict import ControlResult, Enforcement, GateState, Verdict, Witness, roll_up
from policies.waiving import Waiver
from tests.policies.packs import control, dataset, each_dataset, evidence, pack_of

NOW = 1_800_000_000_000_000
BLOCK, WARN, ADVISE = Enforcement.BLOCK, Enforcement.WARN, Enforcement.ADVISE
(TEMPLATE,) = evaluate_pack(pack_of(), evidence(), evaluated_at=NOW)


def result(verdict: str, enforcement: Enforcement = BLOCK, **parts: Any) -> ControlResult:
    return replace(TEMPLATE, verdict=Verdict(verdict), enforcement=enforcement, items=(), **parts)


@pytest.mark.parametrize(
    ("controls", "state"),
    [
        ([], "INDETERMINATE"),
        ([result("not_applicable")], "INDETERMINATE"),
        ([result("pass")], "ALLOW"),
        ([result("pass"), result("waived"), result("not_applicable")], "ALLOW"),
        ([result("pass"), result("fail")], "DENY"),
        ([result("pass"), result("unknown")], "DENY"),
        ([result("fail", WARN), result("unknown", ADVISE)], "ALLOW"),
        ([result("error", WARN), result("pass")], "ALLOW"),
        ([result("error"), result("fail")], "INDETERMINATE"),
        ([result("fail", awaits_approval=True), result("pass")], "PENDING"),
        ([result("fail", awaits_approval=True), result("unknown", awaits_approval=True)], "PENDING"),
        ([result("fail", awaits_approval=True), result("fail")], "DENY"),
        ([result("fail", awaits_approval=True), result("fail", WARN)], "PENDING"),
        ([result("fail", awaits_approval=True), result("error")], "INDETERMINATE"),
    ],
)
def test_the_gate(controls: list[ControlResult], state: str) -> None:
    assert gate_state(controls) is GateState(state)


VERDICTS = st.builds(
    result,
    st.sampled_from([each.value for each in Verdict]),
    st.sampled_from(list(Enforcement)),
    awaits_approval=st.booleans(),
)


@settings(deadline=None)
@given(st.lists(VERDICTS, max_size=6).flatmap(lambda each: st.tuples(st.just(each), st.permutations(each))))
def test_the_order_of_controls_does_not_count(pair: tuple[list[ControlResult], list[ControlResult]]) -> None:
    one, other = pair
    assert gate_state(one) is gate_state(other)
    assert roll_up(each.verdict for each in one) is roll_up(each.verdict for each in other)


@settings(deadline=None)
@given(st.lists(VERDICTS, max_size=6))
def test_an_allow_has_something_that_holds_and_nothing_that_blocks(controls: list[ControlResult]) -> None:
    if gate_state(controls) is GateState.ALLOW:
        assert any(each.verdict is not Verdict.NOT_APPLICABLE for each in controls)
        blocking = {each.verdict for each in controls if each.enforcement is BLOCK}
        assert blocking <= {Verdict.PASS, Verdict.WAIVED, Verdict.NOT_APPLICABLE}


def reported(*made: dict[str, Any], document: dict[str, Any] | None = None, **given_: Any) -> Any:
    pack = pack_of(*made)
    evaluated = [(pack, evaluate_pack(pack, document or evidence(), evaluated_at=NOW))]
    asked: dict[str, Any] = {"target": "version:1", "evidence_digest": "sha256:e", "evaluated_at": NOW} | given_
    return report(evaluated, **asked)


def test_the_whole_answer() -> None:
    pack = pack_of()
    found = reported(environment="production")
    assert (found.state, found.verdict) == (GateState.DENY, Verdict.UNKNOWN)
    assert found.reasons == ("C-1 is not known: it is not MIT: subject.licence is not known.",)
    assert found.packs == (("house@1.0.0", pack.digest),)
    assert (found.target, found.environment, found.evidence_digest) == ("version:1", "production", "sha256:e")
    assert found.evaluated_at == instant.text(NOW)


def test_reasons_are_short_and_about_what_blocks() -> None:
    document = evidence(trainingDatasets=[dataset("a", licence="x"), dataset("b", licence="x")])
    found = reported(each_dataset("dataset.licence == 'MIT'"), control(id="C-2", enforcement="warn"), document=document)
    assert found.reasons == ("C-1 fails: a will not do (and 1 more).",)


def test_an_allow_says_what_stands_behind_it() -> None:
    document = evidence(subject={"licence": "MIT"})
    failing = control(id="C-2", enforcement="advise", checks=[{"id": "c", "expression": "false", "message": "m"}])
    found = reported(control(), failing, document=document)
    assert (found.state, found.verdict) == (GateState.ALLOW, Verdict.FAIL)
    assert found.reasons == ("No control stops it: 1 holds, 1 only advises.",)
    nothing = reported(control(applies="false"))
    assert nothing.reasons == ("No control applies, so nothing can be said.",)


def test_waivers_and_when_they_end_show_in_the_whole() -> None:
    waiver = Waiver("waiver:1", "house", "C-1", NOW, NOW + 5, countersigned=True)
    found = reported(waivers=[waiver])
    assert (found.state, found.verdict, found.waivers) == (GateState.ALLOW, Verdict.WAIVED, ("waiver:1",))
    assert found.next_flip_at == instant.text(NOW + 5)


def test_what_does_not_hold_has_its_witness() -> None:
    document = evidence(trainingDatasets=[dataset("a", licence="x"), dataset("b", licence="MIT")])
    witness = Witness(("dataset:a", "run:1", "version:1"), (3, 4))
    found = reported(
        each_dataset("dataset.licence == 'MIT'"),
        document=document,
        witnesses={"dataset:a": witness, "dataset:b": witness},
    )
    assert [each.witness for each in found.controls[0].items] == [witness, None]
