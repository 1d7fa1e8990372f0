"""A pack on an evidence document: verdicts, what they say is missing, and when time alone changes them."""

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import instant, rfc3339
from catalog.errors import InvalidInputError
from policies.evaluation import Evaluation, evaluate, evaluate_pack, undecided
from policies.pack import PolicyPack
from policies.verdict import ControlResult, Enforcement, Missing, Verdict
from tests.policies.packs import control, dataset, each_dataset, evidence, items, pack_of

NOW = rfc3339.parse("2026-11-24T12:00:00Z")
DAY = 86_400 * instant.SECOND


def result_of(made: dict[str, Any] | PolicyPack, document: dict[str, Any], **given_: Any) -> ControlResult:
    pack = made if isinstance(made, PolicyPack) else pack_of(made)
    asked: dict[str, Any] = {"evaluated_at": NOW, "environment": "production", "requester": "rita@example.org"} | given_
    (result,) = evaluate_pack(pack, document, **asked)
    return result


def check(expression: str, message: str = "it does not hold", **parts: Any) -> dict[str, Any]:
    return control(checks=[{"id": "c", "expression": expression, "message": message}], **parts)


# Verdicts ----------------------------------------------------------------------------------------------------------


def test_pass_and_fail() -> None:
    passed = result_of(control(), evidence(subject={"licence": "MIT"}))
    assert (passed.verdict, passed.underlying) == (Verdict.PASS, Verdict.PASS)
    assert items(passed) == [(None, "licence", "pass")]
    failed = result_of(control(), evidence(subject={"licence": "GPL-3.0"}))
    assert failed.verdict is Verdict.FAIL
    assert failed.items[0].message == "it is not MIT"
    assert (failed.pack, failed.control, failed.fields) == ("house@1.0.0", "C-1", ("subject.licence",))


def test_what_is_missing_makes_it_unknown_and_says_who_could_send_it() -> None:
    result = result_of(control(), evidence())
    assert result.verdict is Verdict.UNKNOWN
    assert result.items[0].missing == (
        Missing("subject.licence", "not known; it comes by facet lineward_model (licence)"),
    )


def test_what_cannot_be_computed_is_an_error() -> None:
    result = result_of(check("timestamp(subject.licence) < evaluatedAt"), evidence(subject={"licence": "June"}))
    assert result.verdict is Verdict.ERROR
    assert result.items[0].message.startswith("it cannot be worked out")


def test_whether_it_applies_must_be_known() -> None:
    made = control(applies="subject.riskTier == 'high'")
    unknown = result_of(made, evidence(subject={"licence": "MIT"}))
    assert unknown.verdict is Verdict.UNKNOWN
    assert items(unknown) == [(None, "applies", "unknown")]
    assert [each.path for each in unknown.items[0].missing] == ["subject.riskTier"]
    other = result_of(made, evidence(subject={"riskTier": "limited"}))
    assert (other.verdict, other.note) == (Verdict.NOT_APPLICABLE, "Not applicable: its condition does not hold.")
    assert result_of(made, evidence(subject={"riskTier": "high", "licence": "MIT"})).verdict is Verdict.PASS


def test_other_targets_and_environments_are_not_its_business() -> None:
    document = evidence(subject={"licence": "MIT"})
    assert result_of(control(target="run"), document).note == "Not applicable: it is about a RUN."
    elsewhere = result_of(control(environments=["staging"]), document)
    assert (elsewhere.verdict, elsewhere.note) == (Verdict.NOT_APPLICABLE, "Not applicable: it is about staging.")
    assert result_of(control(environments=["staging"]), document, environment="staging").verdict is Verdict.PASS


def test_requirements_come_before_checks() -> None:
    params = {"least": {"type": "int", "default": 2, "min": 1}}
    made = check(
        "evaluations.all(e, e.kind == 'x')",
        requires=[{"expression": "size(evaluations) >= params.least", "missing": "fewer than {least} evaluations"}],
    )
    lacking = result_of(pack_of(made, params=params), evidence())
    assert items(lacking) == [(None, "requires", "unknown")]
    assert lacking.items[0].message == "fewer than 2 evaluations"
    one = evidence(evaluations=[{"run": "r", "kind": "x", "at": "2026-01-01T00:00:00Z"}])
    assert result_of(pack_of(made, params=params), one, params={"least": 1}).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("blocked", "gap", "kinds"),
    [
        (["AMBIGUOUS"], "AMBIGUOUS", ("AMBIGUOUS",)),
        (["UNRESOLVED"], "EXTERNAL", ("EXTERNAL",)),
        (["UNRESOLVED"], "UNKNOWN_PRODUCER", ("UNKNOWN_PRODUCER",)),
        (["UNRESOLVED"], "AMBIGUOUS", ()),
        ([], "AMBIGUOUS", ()),
    ],
)
def test_gaps_that_a_control_names_block_it(blocked: list[str], gap: str, kinds: tuple[str, ...]) -> None:
    made = check("lineage.depthReached > 0", inputs={"upstream": {}, "blockedBy": blocked})
    gaps = [{"kind": gap, "node": "version:7", "reason": "two were current"}]
    result = result_of(made, evidence(lineage={"complete": False, "gaps": gaps}))
    assert result.blocked_by == kinds
    assert result.verdict is (Verdict.UNKNOWN if kinds else Verdict.PASS)
    if kinds:
        assert (result.items[0].key, result.items[0].message) == ("version:7", f"{gap}: two were current")


def test_a_walk_that_was_cut_off_blocks_too() -> None:
    made = check("lineage.depthReached > 0", inputs={"upstream": {}, "blockedBy": ["TRUNCATED"]})
    assert result_of(made, evidence(lineage={"truncated": True})).blocked_by == ("TRUNCATED",)


ERASED = {"complete": False, "gaps": [{"kind": "ERASED", "node": "version:7", "reason": "it was erased"}]}


@pytest.mark.parametrize(
    "made",
    [
        control(),
        control(applies="subject.licence == 'GPL-3.0'"),
        check("lineage.depthReached > 0", inputs={"upstream": {}}),
        check("subject.licence == 'MIT' || approvals.size() > 0"),
    ],
    ids=["a fact", "what may not apply", "lineage", "approvals among others"],
)
def test_what_was_erased_lets_nothing_pass_and_nothing_off(made: dict[str, Any]) -> None:
    document = evidence(subject={"licence": "MIT"}, lineage=ERASED)
    result = result_of(made, document)
    assert (result.verdict, result.blocked_by) == (Verdict.UNKNOWN, ("ERASED",))


def test_approvals_alone_are_counted_whatever_was_erased() -> None:
    made = check("approvals.size() >= 0")
    assert result_of(made, evidence(lineage=ERASED, approvals=[])).verdict is Verdict.PASS


def test_each_item_has_its_own_answer_under_its_own_key() -> None:
    made = each_dataset("dataset.licence == 'MIT'")
    document = evidence(
        trainingDatasets=[dataset("a", licence="MIT"), dataset("b", licence="GPL"), dataset("c")],
    )
    result = result_of(made, document)
    assert items(result) == [
        ("dataset:a", "each", "pass"),
        ("dataset:b", "each", "fail"),
        ("dataset:c", "each", "unknown"),
    ]
    assert result.verdict is Verdict.FAIL
    assert result.items[1].message == "b will not do"
    assert [each.path for each in result.items[2].missing] == ["trainingDatasets.licence"]


def test_a_requirement_about_the_item_makes_that_item_unknown() -> None:
    made = each_dataset("dataset.labels.all(l, l != 'x')")
    made["requires"].append({"expression": "size(dataset.labels) > 0", "missing": "no label"})
    document = evidence(trainingDatasets=[dataset("a", labels=["y"]), dataset("b")])
    assert items(result_of(made, document)) == [("dataset:a", "each", "pass"), ("dataset:b", "requires", "unknown")]


def test_no_item_of_a_kind_is_a_pass_where_what_is_required_holds() -> None:
    made = each_dataset("dataset.licence == 'MIT'")
    made["forEach"]["in"] = "trainingDatasets.filter(d, d.personalData)"
    result = result_of(made, evidence(trainingDatasets=[dataset("a", personalData=False)]))
    assert (result.verdict, result.items) == (Verdict.PASS, ())
    unsaid = result_of(made, evidence(trainingDatasets=[dataset("a")]))
    assert items(unsaid) == [(None, "forEach", "unknown")]


def test_variables_are_worked_out_only_where_they_are_read() -> None:
    variables = [
        {"name": "broken", "expression": "timestamp(subject.name)"},
        {"name": "tier", "expression": "subject.riskTier"},
        {"name": "isHigh", "expression": "variables.tier == 'high'"},
    ]
    made = check(
        "subject.licence == 'MIT' || (variables.isHigh && variables.broken < evaluatedAt)", variables=variables
    )
    assert result_of(made, evidence(subject={"licence": "MIT"})).verdict is Verdict.PASS
    assert result_of(made, evidence(subject={"licence": "x"})).items[0].missing[0].path == "subject.riskTier"
    assert result_of(made, evidence(subject={"licence": "x", "riskTier": "low"})).verdict is Verdict.FAIL
    assert result_of(made, evidence(subject={"licence": "x", "riskTier": "high"})).verdict is Verdict.ERROR


def test_words_have_their_params_filled_in() -> None:
    made = check("false", message="not within {days}", plain="within {days}", remediation="wait {days}")
    result = result_of(pack_of(made, params={"days": {"type": "int", "default": 7}}), evidence(), params={"days": 9})
    assert (result.plain, result.remediation, result.items[0].message) == ("within 9", "wait 9", "not within 9")


def test_a_message_that_cannot_be_worked_out_does_not_hide_the_failure() -> None:
    result = result_of(check("false", message="=subject.licence"), evidence())
    assert (result.verdict, result.items[0].message) == (Verdict.FAIL, "c does not hold")


def test_without_environment_and_requester_they_are_empty() -> None:
    made = check("environment == '' && requester == ''")
    assert result_of(made, evidence(), environment=None, requester=None).verdict is Verdict.PASS


def test_it_is_a_function_of_its_arguments_and_survives_a_trip_to_another_process() -> None:
    pack = pack_of(control(), each_dataset("has(dataset.licence)", id="C-2"))
    document = evidence(subject={"licence": "MIT"}, trainingDatasets=[dataset("a")])
    here = evaluate_pack(pack, document, evaluated_at=NOW)
    asked = pickle.loads(pickle.dumps(Evaluation(pack.normalised(), document, NOW)))
    assert evaluate(asked) == here == evaluate_pack(pack, document, evaluated_at=NOW)
    assert pickle.loads(pickle.dumps(here)) == here


def test_schema_and_facts_are_not_for_expressions() -> None:
    document = {**evidence(subject={"licence": "MIT"}), "schema": "s", "facts": [{"pointer": "/x"}]}
    assert result_of(control(), document).verdict is Verdict.PASS


def test_params_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"has no param days"):
        result_of(control(), evidence(), params={"days": 1})
    with pytest.raises(InvalidInputError, match="these settings cannot be read"):
        result_of(control(), evidence(), enforcement={"*": "perhaps"})


def test_a_pack_whose_evaluation_was_stopped_is_an_error_in_every_control() -> None:
    pack = pack_of(control(), control(id="C-2", enforcement="warn"))
    results = undecided(pack, "stopped", evaluated_at=NOW, document=evidence(), enforcement={})
    assert [(each.control, each.verdict) for each in results] == [("C-1", Verdict.ERROR), ("C-2", Verdict.ERROR)]
    assert [each.enforcement for each in results] == [Enforcement.BLOCK, Enforcement.WARN]


# Waiting for approvals -----------------------------------------------------------------------------------------------


def approval(person: str, **parts: Any) -> dict[str, Any]:
    at = "2026-11-20T00:00:00Z"
    given_ = {"id": person, "person": person, "at": at, "environment": "production", "current": True}
    return {**given_, "conditions": [], "roles": [], "changed": [], **parts}


FOUR_EYES = control(
    awaits="approvals",
    waivable=False,
    inputs={"upstream": {}},
    requires=[{"expression": "subject.developersKnown", "missing": "a developer is nobody that we know"}],
    checks=[
        {
            "id": "people",
            "expression": "approvals.filter(a, a.current && !(a.person in subject.developedBy) &&"
            " a.person != requester && (!has(a.validUntil) || evaluatedAt < timestamp(a.validUntil)))"
            ".map(a, a.person).distinctCount() >= 2",
            "message": "too few people approved",
        }
    ],
)


def test_too_few_approvals_is_something_to_wait_for() -> None:
    known: dict[str, Any] = {"developersKnown": True, "developedBy": ["ann"]}
    one = result_of(FOUR_EYES, evidence(subject=known, approvals=[approval("bob"), approval("ann")]))
    assert (one.verdict, one.awaits_approval) == (Verdict.FAIL, True)
    two = result_of(FOUR_EYES, evidence(subject=known, approvals=[approval("bob"), approval("cy")]))
    assert (two.verdict, two.awaits_approval) == (Verdict.PASS, False)


def test_an_unknown_developer_is_not() -> None:
    unknown = result_of(FOUR_EYES, evidence(subject={"developersKnown": False, "developedBy": []}))
    assert (unknown.verdict, unknown.awaits_approval) == (Verdict.UNKNOWN, False)


# Time --------------------------------------------------------------------------------------------------------------


def at(days: float) -> str:
    return instant.text(NOW + int(days * DAY))


def flip_of(made: dict[str, Any] | PolicyPack, document: dict[str, Any], **given_: Any) -> str | None:
    return result_of(made, document, **given_).next_flip_at


def test_an_age_limit_is_reached_to_the_microsecond() -> None:
    pack = pack_of(
        check("evaluatedAt - timestamp(subject.placedOnMarketAt) < days(params.most)"),
        params={"most": {"type": "int", "default": 30}},
    )
    document = evidence(subject={"placedOnMarketAt": at(-10)})
    assert flip_of(pack, document) == at(20)
    assert flip_of(pack, document, params={"most": 11}) == at(1)
    assert flip_of(pack, document, params={"most": 10}) is None, "it failed before and will fail"
    lenient = pack_of(
        check("evaluatedAt - timestamp(subject.placedOnMarketAt) <= days(30)"),
    )
    assert flip_of(lenient, document) == instant.text(NOW + 20 * DAY + 1)


def test_an_approval_that_runs_out_flips_four_eyes() -> None:
    subject = {"developersKnown": True, "developedBy": ["ann"]}
    approvals = [approval("bob", validUntil=at(3)), approval("cy"), approval("dora", validUntil=at(5))]
    assert flip_of(FOUR_EYES, evidence(subject=subject, approvals=approvals)) == at(5), "until then two are left"


def test_the_earliest_item_counts_and_only_if_it_changes_the_whole() -> None:
    made = each_dataset("evaluatedAt < timestamp(dataset.retentionUntil)")
    ages = [dataset("a", retentionUntil=at(9)), dataset("b", retentionUntil=at(4)), dataset("c", retentionUntil=at(7))]
    assert flip_of(made, evidence(trainingDatasets=ages)) == at(4)
    lapsed = [*ages, dataset("d", retentionUntil=at(-1))]
    assert flip_of(made, evidence(trainingDatasets=lapsed)) is None, "it fails already, and time heals nothing"


def test_of_many_items_the_one_that_stays_bad_settles_it() -> None:
    made = each_dataset("dataset.licence == 'MIT' && evaluatedAt - timestamp(dataset.classifiedAt) < days(300)")
    many = [dataset(str(n), licence="MIT", classifiedAt=instant.text(NOW - n)) for n in range(3_000)]
    assert flip_of(made, evidence(trainingDatasets=many)) == instant.text(NOW + 300 * DAY - 2_999)
    many[7]["licence"] = "GPL-3.0"
    assert flip_of(made, evidence(trainingDatasets=many)) is None


def test_time_can_heal() -> None:
    assert flip_of(
        check("evaluatedAt >= timestamp(subject.registeredAt)"), evidence(subject={"registeredAt": at(2)})
    ) == at(2)


def test_it_does_not_suppose_that_a_verdict_flips_only_once() -> None:
    made = check("evaluatedAt < timestamp(subject.registeredAt) || evaluatedAt >= timestamp(subject.placedOnMarketAt)")
    document = evidence(subject={"registeredAt": at(2), "placedOnMarketAt": at(1)})
    assert flip_of(made, document) is None, "the two stretches meet"
    apart = evidence(subject={"registeredAt": at(1), "placedOnMarketAt": at(2)})
    assert flip_of(made, apart) == at(1)
    assert flip_of(made, apart, evaluated_at=NOW + DAY) == at(2)


def test_what_does_not_read_the_time_never_flips() -> None:
    assert flip_of(control(), evidence(subject={"licence": "MIT", "registeredAt": at(1)})) is None


def test_a_law_that_comes_into_force_makes_a_finding_block() -> None:
    day = datetime.fromtimestamp(NOW / instant.SECOND, UTC).date() + timedelta(days=9)
    pack = pack_of(timeline=[{"appliesFrom": day.isoformat()}])
    failing = result_of(pack, evidence(subject={"licence": "x"}))
    assert (failing.enforcement, failing.next_flip_at) == (Enforcement.ADVISE, f"{day}T00:00:00.000000Z")
    assert flip_of(pack, evidence(subject={"licence": "MIT"})) is None, "a pass blocks nothing"


@settings(max_examples=60, deadline=None)
@given(
    times=st.lists(st.integers(-6, 6), min_size=1, max_size=4),
    most=st.integers(1, 4),
    sign=st.sampled_from(["<", "<=", ">", ">="]),
    quantifier=st.sampled_from(["all", "exists"]),
    shift=st.sampled_from(["", " - days(1)"]),
)
def test_the_next_flip_is_the_one_that_trying_every_instant_finds(
    times: list[int], most: int, sign: str, quantifier: str, shift: str
) -> None:
    """Every verdict from now on, tried at each instant of a fine grid, against the one answer."""
    made = check(
        f"size(trainingDatasets) > 0 && trainingDatasets.{quantifier}(d, evaluatedAt{shift} - timestamp(d.classifiedAt)"
        f" {sign} days(params.most))",
        inputs={"upstream": {}},
    )
    pack = pack_of(made, params={"most": {"type": "int", "default": most}})
    document = evidence(trainingDatasets=[dataset(str(n), classifiedAt=at(each)) for n, each in enumerate(times)])
    now = result_of(pack, document)
    grid = sorted(moment + tick for moment in range(NOW, NOW + 14 * DAY, DAY) for tick in (0, 1) if moment + tick > NOW)
    tried = (each for each in grid if result_of(pack, document, evaluated_at=each).verdict is not now.verdict)
    assert now.next_flip_at == instant.optional_text(next(tried, None))


@settings(max_examples=30, deadline=None)
@given(times=st.lists(st.integers(1, 9), min_size=1, max_size=5), limit=st.integers(1, 9))
def test_looking_at_items_one_by_one_is_looking_at_them_together(times: list[int], limit: int) -> None:
    ages = [dataset(str(n), retentionUntil=at(each), licence="MIT") for n, each in enumerate(times)]
    document = evidence(trainingDatasets=ages, subject={"registeredAt": at(limit)})
    each = each_dataset(
        "evaluatedAt < timestamp(dataset.retentionUntil) || evaluatedAt < timestamp(subject.registeredAt)"
    )
    whole = check(
        "trainingDatasets.all(d, evaluatedAt < timestamp(d.retentionUntil) ||"
        " evaluatedAt < timestamp(subject.registeredAt))",
        inputs={"upstream": {}},
        requires=[{"expression": "size(trainingDatasets) > 0", "missing": "none"}],
    )
    assert flip_of(each, document) == flip_of(whole, document)
