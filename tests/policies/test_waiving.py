"""Waivers and baselines: what they cover, for how long, and what they never cover."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import instant, rfc3339
from policies.evaluation import evaluate_pack
from policies.in_force import Baseline
from policies.verdict import ControlResult, Verdict
from policies.waiving import BASELINE, Waiver, parse_waiver, with_baselines, with_waivers
from tests.policies.packs import control, dataset, each_dataset, evidence, items, pack_of

NOW = rfc3339.parse("2026-11-24T12:00:00Z")
HOUR = 3_600 * instant.SECOND
WAIVER = Waiver("waiver:1", "house", "C-1", NOW - HOUR, NOW + HOUR, countersigned=True)


def failing(**parts: Any) -> ControlResult:
    (result,) = evaluate_pack(pack_of(control(**parts)), evidence(subject={"licence": "x"}), evaluated_at=NOW)
    return result


def waived(result: ControlResult, *waivers: Waiver, at: int = NOW, **where: Any) -> ControlResult:
    (found,) = with_waivers([result], waivers, at=at, **where)
    return found


def test_a_waiver_is_shown_and_what_was_said_is_kept() -> None:
    result = waived(failing(), WAIVER)
    assert (result.verdict, result.underlying, result.waivers) == (Verdict.WAIVED, Verdict.FAIL, ("waiver:1",))
    (item,) = result.items
    assert (item.verdict, item.underlying, item.waiver) == (Verdict.WAIVED, Verdict.FAIL, "waiver:1")
    assert item.message == "it is not MIT"
    assert result.next_flip_at == instant.text(NOW + HOUR)


@settings(deadline=None)
@given(st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3))
def test_it_lasts_from_its_start_until_before_its_end(start: int, end: int, at: int) -> None:
    waiver = replace(WAIVER, since=start, until=end)
    assert waiver.counts(at) is (start <= at < end)
    assert (waived(failing(), waiver, at=at).verdict is Verdict.WAIVED) is (start <= at < end)


@pytest.mark.parametrize(
    ("changed", "covers"),
    [
        ({}, True),
        ({"pack": "other"}, False),
        ({"control": "C-2"}, False),
        ({"environment": "production"}, True),
        ({"environment": "staging"}, False),
        ({"closure_digest": "sha256:aa"}, True),
        ({"closure_digest": "sha256:bb"}, False),
        ({"countersigned": False}, False),
        ({"items": ("dataset:a",)}, False),
    ],
)
def test_it_covers_one_control_of_one_pack_there_and_then(changed: dict[str, Any], covers: bool) -> None:
    result = waived(failing(), replace(WAIVER, **changed), environment="production", closure="sha256:aa")
    assert (result.verdict is Verdict.WAIVED) is covers


def test_breaking_the_glass_takes_one_person_and_lasts_a_day() -> None:
    glass = replace(WAIVER, countersigned=False, break_glass=True, since=NOW, until=NOW + 100 * HOUR)
    assert waived(failing(), glass, at=NOW + 24 * HOUR - 1).verdict is Verdict.WAIVED
    assert waived(failing(), glass, at=NOW + 24 * HOUR).verdict is Verdict.FAIL
    assert waived(failing(), replace(glass, countersigned=True), at=NOW + 24 * HOUR).verdict is Verdict.WAIVED


def test_an_error_is_never_waived() -> None:
    checks = [{"id": "c", "expression": "timestamp(subject.licence) < evaluatedAt", "message": "m"}]
    result = failing(checks=checks)
    assert result.verdict is Verdict.ERROR
    assert waived(result, WAIVER) == result


def test_nor_is_a_control_that_is_not_waivable() -> None:
    result = failing(waivable=False)
    assert waived(result, WAIVER) == result


def test_nor_a_pass() -> None:
    (result,) = evaluate_pack(pack_of(), evidence(subject={"licence": "MIT"}), evaluated_at=NOW)
    assert waived(result, WAIVER) == result


def test_named_items_leave_the_others() -> None:
    document = evidence(trainingDatasets=[dataset("a", licence="x"), dataset("b", licence="x"), dataset("c")])
    (result,) = evaluate_pack(pack_of(each_dataset("dataset.licence == 'MIT'")), document, evaluated_at=NOW)
    some = waived(result, replace(WAIVER, items=("dataset:a", "dataset:c")))
    assert [verdict for _, _, verdict in items(some)] == ["waived", "fail", "waived"]
    assert (some.verdict, some.underlying) == (Verdict.FAIL, Verdict.FAIL)
    every = waived(
        result, replace(WAIVER, items=("dataset:a", "dataset:c")), replace(WAIVER, id="w2", items=("dataset:b",))
    )
    assert (every.verdict, every.waivers) == (Verdict.WAIVED, ("waiver:1", "w2"))


def test_the_longest_waiver_covers() -> None:
    longer = replace(WAIVER, id="w2", until=NOW + 5 * HOUR)
    assert waived(failing(), WAIVER, longer) == waived(failing(), longer, WAIVER)
    assert waived(failing(), WAIVER, longer).next_flip_at == instant.text(NOW + 5 * HOUR)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"environment": "e", "items": ("a",), "closure_digest": "d", "break_glass": True},
        {"reason": "on leave", "compensating_control": "looked at by hand"},
    ],
)
def test_a_decision_keeps_a_waiver(changed: dict[str, Any]) -> None:
    waiver = replace(WAIVER, **changed)
    assert parse_waiver(waiver.plain() | {"note": "said elsewhere"}) == waiver


def baseline(*findings: tuple[str, str, str, str | None]) -> Baseline:
    return Baseline("act:1", "b", frozenset(findings), NOW - HOUR, NOW + HOUR)


def test_a_baseline_accepts_what_was_found_until_it_ends() -> None:
    held = baseline(("version:1", "house", "C-1", None))
    (result,) = with_baselines([failing()], [held], target="version:1", at=NOW)
    assert (result.verdict, result.waivers) == (Verdict.WAIVED, (BASELINE,))
    assert result.note == "Accepted by a baseline until 2026-11-24T13:00:00.000000Z."
    assert result.next_flip_at == "2026-11-24T13:00:00.000000Z"
    for target, at in (("version:2", NOW), ("version:1", NOW + HOUR), ("version:1", NOW - HOUR - 1)):
        assert with_baselines([failing()], [held], target=target, at=at) == [failing()]


def test_a_new_finding_is_not_in_it() -> None:
    document = evidence(trainingDatasets=[dataset("a", licence="x"), dataset("b", licence="x")])
    (result,) = evaluate_pack(pack_of(each_dataset("dataset.licence == 'MIT'")), document, evaluated_at=NOW)
    held = baseline(("version:1", "house", "C-1", "dataset:a"))
    (accepted,) = with_baselines([result], [held], target="version:1", at=NOW)
    assert [verdict for _, _, verdict in items(accepted)] == ["waived", "fail"]
    assert accepted.verdict is Verdict.FAIL


def test_a_baseline_never_stands_in_for_people_or_prohibitions() -> None:
    held = baseline(("version:1", "house", "C-1", None))
    for result in (failing(waivable=False), replace(failing(), awaits_approval=True)):
        assert with_baselines([result], [held], target="version:1", at=NOW) == [result]
