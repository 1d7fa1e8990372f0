"""What the packs that come with Lineward say: their form, their dates, and the traps that each of them avoids."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import rfc3339
from policies.evaluation import Evaluation, evaluate, evaluate_pack
from policies.evidence.closure import digest_of
from policies.examples import Example, folder_of, merged, read_examples
from policies.library import FOLDER, built_in
from policies.loading import load_pack
from policies.pack import GAPS, PolicyPack, Status
from policies.statements import statement_type
from policies.verdict import ControlResult, Enforcement, Verdict

BASE = "base-ml-governance"
NAMES = sorted(built_in())
DRAFTS = {"@enforceDrafts": "true"}
OFFICIAL = {
    "doi.org",
    "eur-lex.europa.eu",
    "lineward.dev",
    "uscode.house.gov",
    "www.ecfr.gov",
    "www.federalregister.gov",
    "www.federalreserve.gov",
    "www.iso.org",
    "www.nyc.gov",
}


@cache
def pack(name: str) -> PolicyPack:
    return load_pack(built_in()[name])


@cache
def example(name: str, control: str, case: str) -> Example:
    file = folder_of(built_in()[name], pack(name)) / f"{control}.yaml"
    return next(each for each in read_examples(file) if each.name == case)


def judged(
    name: str, control: str, case: str = "pass", over: Mapping[str, Any] | None = None, **settings: Any
) -> ControlResult:
    """A control on one of its examples, with parts of the evidence replaced."""
    chosen = example(name, control, case)
    asked: dict[str, Any] = {
        "evaluated_at": chosen.evaluated_at,
        "environment": chosen.environment,
        "requester": chosen.requester,
    }
    results = evaluate_pack(pack(name), merged(chosen.document, over or {}), **(asked | settings))
    return next(each for each in results if each.control == control)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_what_is_kept_of_an_evaluation_changes_no_later_one(name: str, data: st.DataObject) -> None:
    """Whatever was asked before, and at whatever time: a worker answers as one that never kept anything."""
    control = data.draw(st.sampled_from([each.id for each in pack(name).controls]))
    chosen = example(name, control, data.draw(st.sampled_from(["pass", "fail", "unknown"])))
    document = dict(chosen.document)
    for days in data.draw(st.lists(st.integers(-400, 400), min_size=1, max_size=3)):
        at = chosen.evaluated_at + days * 86_400 * 1_000_000
        asked = Evaluation(
            pack(name).normalised(),
            document,
            at,
            chosen.environment,
            chosen.requester,
            chosen.params,
            data.draw(st.sampled_from([{}, DRAFTS])),
            pack(name).digest,
            digest_of(document),
        )
        anew = evaluate_pack(
            pack(name),
            document,
            evaluated_at=at,
            environment=asked.environment,
            requester=asked.requester,
            params=asked.params,
            enforcement=asked.enforcement,
        )
        assert evaluate(asked) == anew


# Form --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_pack_is_a_draft_that_cites_official_addresses(name: str) -> None:
    found = pack(name)
    assert found.metadata.status is Status.DRAFT
    addresses = [found.source.uri, *(each.citation.uri or "" for each in found.controls)]
    assert {urlsplit(each).hostname for each in addresses} <= OFFICIAL
    assert all(each.startswith("https://") for each in addresses)


@pytest.mark.parametrize("name", NAMES)
def test_every_control_says_what_it_must_know_first(name: str) -> None:
    assert [each.id for each in pack(name).controls if not each.requires] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_control_is_one_sentence(name: str) -> None:
    told = {control.id: control.plain for control in pack(name).controls}
    assert [each for each, text in told.items() if not text.endswith(".") or re.search(r"[^t]\. [A-Z]", text)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_remediation_names_statements_that_can_be_made(name: str) -> None:
    for control in pack(name).controls:
        named = re.findall(r"[Aa]ttest `(\w+)`", control.remediation)
        assert [each for each in named if statement_type(each).name != each] == []
        expressions = [each.expression for each in control.checks]
        read = {each for text in expressions for each in re.findall(r"'(\w+)' in variables\.held", text)}
        assert {each for each in read if f"`{each}`" not in control.remediation} == set(), control.id


@pytest.mark.parametrize("name", NAMES)
def test_every_interval_says_whose_it_is(name: str) -> None:
    assert [key for key, param in pack(name).params.items() if key.endswith("Days") and not param.note] == []


def test_related_controls_exist() -> None:
    ids = {control.id for name in NAMES for control in pack(name).controls}
    assert {each for name in NAMES for control in pack(name).controls for each in control.related} <= ids


def test_what_cannot_be_waived() -> None:
    fixed = {control.id for name in NAMES for control in pack(name).controls if not control.waivable}
    assert fixed == {"B-06", "EUAIA-5", "GDPR-9", "REGB-1"}


# Examples ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_of_a_control(name: str) -> None:
    files = {path.stem for path in (FOLDER / "examples" / name).glob("*.yaml")}
    assert files == {each.id for each in pack(name).controls}


@pytest.mark.parametrize("control", [each.id for each in pack(BASE).controls])
def test_applying_the_remediation_flips_it(control: str) -> None:
    before, after = judged(BASE, control, "fail"), judged(BASE, control, "remedied")
    assert (before.verdict, after.verdict) == (Verdict.FAIL, Verdict.PASS)
    assert before.remediation


@pytest.mark.parametrize("name", NAMES)
def test_whoever_fails_is_told_why(name: str) -> None:
    for control in pack(name).controls:
        failed = [each for each in judged(name, control.id, "fail").items if each.verdict is Verdict.FAIL]
        assert failed
        assert [each for each in failed if not each.message or each.message.endswith("does not hold")] == []


# Gaps --------------------------------------------------------------------------------------------------------------


def gap(kind: str) -> dict[str, Any]:
    return {"lineage": {"complete": False, "gaps": [{"kind": kind, "node": "run:1", "reason": "for the test"}]}}


ALWAYS = ("ERASED", "TRUNCATED")  # what is gone, or was not looked at, might have changed anything


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", sorted(kind for kind, of in GAPS.items() if of == {kind} and kind not in ALWAYS))
def test_only_the_gaps_that_a_control_names_make_it_unknown(name: str, kind: str) -> None:
    for control in pack(name).controls:
        blocks = kind in {each for alias in control.inputs.blocked_by for each in GAPS[alias]}
        expected = Verdict.UNKNOWN if blocks else Verdict.PASS
        assert judged(name, control.id, "pass", gap(kind)).verdict is expected, control.id


@pytest.mark.parametrize("name", NAMES)
def test_what_was_erased_stops_every_control_but_those_of_approvals(name: str) -> None:
    for control in pack(name).controls:
        told = judged(name, control.id, "pass", gap("ERASED"))
        reads_more = any(not field.startswith("approvals") for field in told.fields)
        assert told.verdict is (Verdict.UNKNOWN if reads_more else Verdict.PASS), control.id


def test_runs_that_never_ended_stop_no_control() -> None:
    assert not [c.id for name in NAMES for c in pack(name).controls if "NEVER_ENDED" in c.inputs.blocked_by]


def test_what_is_about_roles_does_not_believe_rolled_up_inputs() -> None:
    assert judged(BASE, "B-04", "pass", gap("ROLLED_UP")).verdict is Verdict.UNKNOWN
    assert judged(BASE, "B-13", "pass", gap("ROLLED_UP")).verdict is Verdict.PASS


# Columns -----------------------------------------------------------------------------------------------------------


def column(label: str, masked: bool, **more: Any) -> dict[str, Any]:
    of = {"id": "field:c", "dataset": "applications", "datasetId": "version:applications", "field": "c", "path": []}
    return {"inputColumns": [{**of, "transformations": [], "labels": [label], "masked": masked, **more}]}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    ("name", "control", "label"),
    [
        (BASE, "B-13", "protected:sex"),
        (BASE, "B-13", "special:health"),
        (BASE, "B-13", "proxy:postcode"),
        ("us-credit-regb-fcra", "REGB-1", "protected:race"),
        ("us-credit-regb-fcra", "REGB-1", "proxy:postcode"),
        ("eu-ai-act-high-risk", "EUAIA-4a", "special:health"),
    ],
)
def test_masking_makes_no_sensitive_column_harmless(name: str, control: str, label: str, masked: bool) -> None:
    assert judged(name, control, "pass", column(label, masked)).verdict is Verdict.FAIL


@pytest.mark.parametrize("masked", [False, True])
def test_a_special_category_needs_a_condition_however_it_is_masked(masked: bool) -> None:
    silent = {"trainingDatasets": [{**example("gdpr-training-data", "GDPR-9", "pass").document["trainingDatasets"][0]}]}
    silent["trainingDatasets"][0] |= {"specialCategories": [], "art9Condition": "none"}
    over = {**silent, **column("special:health", masked)}
    assert judged("gdpr-training-data", "GDPR-9", "pass", over).verdict is Verdict.FAIL


@pytest.mark.parametrize(("masked", "expected"), [(True, Verdict.PASS), (False, Verdict.FAIL)])
def test_masking_counts_for_personal_data_where_the_control_says_so(masked: bool, expected: Verdict) -> None:
    assert judged("gdpr-training-data", "GDPR-5.1c", "pass", column("pii:phone", masked)).verdict is expected


def test_no_reason_excuses_a_prohibited_basis() -> None:
    with_reason = column("protected:race", False, justification="it predicts well")
    assert judged("us-credit-regb-fcra", "REGB-1", "pass", with_reason).verdict is Verdict.FAIL


def test_no_labelled_column_is_a_pass_only_where_columns_are_known() -> None:
    assert judged(BASE, "B-13", "pass", {"inputColumns": []}).verdict is Verdict.PASS
    sparse = {"inputColumns": [], "lineage": {"columnCoverage": 0.9}}
    assert judged(BASE, "B-13", "pass", sparse).verdict is Verdict.UNKNOWN


# Approvals ---------------------------------------------------------------------------------------------------------


def approval(person: str, **more: Any) -> dict[str, Any]:
    act = {"id": f"approval:{person}", "person": person, "at": "2026-11-20T00:00:00Z", "environment": "production"}
    return {**act, "roles": [], "conditions": [], "current": True, "changed": [], **more}


ENOUGH = [approval("bob@example.org"), approval("cy@example.org")]
WORTHLESS = [
    approval("bob@example.org"),
    approval("ann@example.org"),
    approval("rita@example.org"),
    approval("dora@example.org", current=False),
    approval("eve@example.org", validUntil="2026-11-24T00:00:00Z"),
    approval("fay@example.org", environment="staging"),
]


@cache
def four_eyes_alone() -> PolicyPack:
    document = pack(BASE).normalised()
    return PolicyPack.model_validate(document | {"controls": [c for c in document["controls"] if c["id"] == "B-06"]})


def four_eyes(approvals: list[dict[str, Any]], **settings: Any) -> ControlResult:
    chosen = example(BASE, "B-06", "pass")
    asked: dict[str, Any] = {"environment": chosen.environment, "requester": chosen.requester}
    document = merged(chosen.document, {"approvals": approvals})
    (result,) = evaluate_pack(four_eyes_alone(), document, evaluated_at=chosen.evaluated_at, **(asked | settings))
    return result


@given(st.permutations(ENOUGH + WORTHLESS))
def test_two_people_are_enough_in_any_order(approvals: list[dict[str, Any]]) -> None:
    assert four_eyes(approvals).verdict is Verdict.PASS


@given(st.lists(st.sampled_from(WORTHLESS), max_size=12))
def test_no_number_of_approvals_that_do_not_count_replaces_the_second_person(approvals: list[dict[str, Any]]) -> None:
    result = four_eyes(approvals)
    assert result.verdict is Verdict.FAIL
    assert result.awaits_approval


def test_an_approval_that_lapses_a_moment_later_still_counts_and_the_moment_is_known() -> None:
    result = four_eyes([ENOUGH[0], approval("cy@example.org", validUntil="2026-11-24T00:00:01Z")])
    assert (result.verdict, result.next_flip_at) == (Verdict.PASS, "2026-11-24T00:00:01.000000Z")


def test_a_role_that_is_asked_for_must_be_among_the_approvers() -> None:
    wanted = {"approverRoles": ["risk"]}
    assert four_eyes(ENOUGH, params=wanted).verdict is Verdict.FAIL
    assert four_eyes([ENOUGH[0], approval("cy@example.org", roles=["risk"])], params=wanted).verdict is Verdict.PASS


def test_approvals_say_nothing_where_no_environment_is_named() -> None:
    result = four_eyes(ENOUGH, environment=None)
    assert (result.verdict, result.awaits_approval) == (Verdict.UNKNOWN, False)


def test_an_approval_of_an_earlier_state_says_what_changed() -> None:
    stale = approval("cy@example.org", current=False, changed=["input late.csv added"])
    result = four_eyes([approval("bob@example.org"), stale])
    said = "approved by 1 of 2 people; no longer by cy@example.org, since input late.csv added"
    assert said in {item.message for item in result.items}


def test_an_unknown_developer_is_nothing_that_approvals_could_heal() -> None:
    result = judged(BASE, "B-06", "unknown")
    assert (result.verdict, result.awaits_approval) == (Verdict.UNKNOWN, False)


# Statements of people ----------------------------------------------------------------------------------------------


def attested() -> list[tuple[str, str, str]]:
    """(pack, control, type) of the controls that ask for a statement of a person."""
    found = []
    for name in NAMES:
        for control in pack(name).controls:
            asked = [each.expression for each in control.requires if "attestations.exists" in each.expression]
            found += [(name, control.id, each.split("'")[1]) for each in asked]
    return found


@pytest.mark.parametrize(("name", "control", "statement"), attested())
def test_a_statement_is_missing_or_lapsed_or_about_something_else(name: str, control: str, statement: str) -> None:
    made = [dict(each) for each in example(name, control, "pass").document["attestations"]]
    others = [each for each in made if each["type"] != statement]
    (own,) = (each for each in made if each["type"] == statement)

    def having(*statements: Mapping[str, Any]) -> Verdict:
        return judged(name, control, "pass", {"attestations": [*others, *statements]}).verdict

    assert having() is Verdict.UNKNOWN
    assert having(own | {"expiresAt": "2026-11-24T00:00:00Z"}) is Verdict.FAIL
    assert having(own | {"expiresAt": "2026-11-24T00:00:01Z"}) is Verdict.PASS
    assert having(own | {"current": False}) is Verdict.FAIL


# Services ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("control", ["B-07", "B-08", "B-09", "B-10", "B-16"])
def test_what_is_about_services_does_not_keep_a_first_release_back(control: str) -> None:
    assert judged(BASE, control, "fail", {"deployments": []}).verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize("control", ["B-07", "B-08", "B-09", "B-16"])
def test_only_services_of_the_environment_are_judged(control: str) -> None:
    assert judged(BASE, control, "fail", environment="staging").verdict is Verdict.NOT_APPLICABLE
    assert judged(BASE, control, "fail", environment=None).verdict is Verdict.FAIL


# Data --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("separation", "more", "expected"),
    [
        ("digest", {}, Verdict.PASS),
        ("digest", {"rowOverlap": 3}, Verdict.FAIL),
        ("split", {"splitGroup": "credit-2026"}, Verdict.PASS),
        ("split", {"splitGroup": "other"}, Verdict.UNKNOWN),
        ("split", {"splitGroup": "other", "rowOverlap": 0}, Verdict.PASS),
        ("rows", {"rowOverlap": 0}, Verdict.PASS),
        ("rows", {"splitGroup": "credit-2026"}, Verdict.UNKNOWN),
    ],
)
def test_how_sure_we_are_that_test_rows_are_new(separation: str, more: dict[str, Any], expected: Verdict) -> None:
    measured = {"run": "run:p", "kind": "performance", "at": "2026-08-20T00:00:00Z", "passed": True}
    over = {"evaluations": [{**measured, "datasetDigest": "sha256:bb02", **more}]}
    assert judged(BASE, "B-04", "pass", over, params={"separation": separation}).verdict is expected


def data(name: str = "d", **said: Any) -> dict[str, Any]:
    return {"id": f"version:{name}", "namespace": "s3://lake", "name": name, "labels": [], **said}


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("MIT", Verdict.PASS),
        ("GPL-3.0-only OR MIT", Verdict.PASS),
        ("MIT AND Apache-2.0", Verdict.PASS),
        ("MIT AND GPL-3.0-only", Verdict.FAIL),
        ("(MIT OR GPL-3.0-only) AND GPL-3.0-only", Verdict.FAIL),
        ("", Verdict.FAIL),
    ],
)
def test_licences_are_read_cautiously(licence: str, expected: Verdict) -> None:
    assert judged(BASE, "B-03", "pass", {"trainingDatasets": [data(licence=licence)]}).verdict is expected


@pytest.mark.parametrize(
    ("name", "control"),
    [
        (BASE, "B-02"),
        (BASE, "B-03"),
        (BASE, "B-13"),
        ("eu-ai-act-high-risk", "EUAIA-10.2b"),
        ("gdpr-training-data", "GDPR-32"),
        ("us-credit-regb-fcra", "REGB-1"),
        ("iso-42001", "ISO42001-A.7.3"),
        ("nist-ai-rmf", "NIST-MAP-4.1"),
    ],
)
def test_what_is_made_from_others_need_not_say_anew_what_they_said(name: str, control: str) -> None:
    told = example(name, control, "pass").document["trainingDatasets"]

    def beside(derived: bool) -> Verdict:
        features = data("features", version="1", digest="sha256:fe", derived=derived)
        return judged(name, control, "pass", {"trainingDatasets": [*told, features]}).verdict

    assert beside(derived=True) is Verdict.PASS
    assert beside(derived=False) is Verdict.UNKNOWN


def test_a_licence_that_is_stated_counts_wherever_it_is_stated() -> None:
    told = [data("raw", licence="MIT", derived=False), data("features", licence="GPL-3.0-only", derived=True)]
    assert judged(BASE, "B-03", "pass", {"trainingDatasets": told}).verdict is Verdict.FAIL


# Dates -------------------------------------------------------------------------------------------------------------

DAYS = [
    ("eu-ai-act-high-risk", "EUAIA-9.6", {}, "2027-12-01", "2027-12-02"),
    ("eu-ai-act-high-risk", "EUAIA-9.6", {"annex": "I"}, "2028-08-01", "2028-08-02"),
    ("eu-ai-act-high-risk", "EUAIA-5", {}, "2025-02-01", "2025-02-02"),
    ("eu-ai-act-high-risk", "EUAIA-4a", {}, "2026-07-26", "2026-07-27"),
    ("eu-ai-act-high-risk", "EUAIA-50", {"annex": "III"}, "2026-08-01", "2026-08-02"),
    ("eu-ai-act-high-risk", "EUAIA-53", {}, "2025-08-01", "2025-08-02"),
    ("gdpr-training-data", "GDPR-9", {}, "2018-05-24", "2018-05-25"),
    ("us-mrm-sr26-2", "MRM-8", {}, "2026-04-16", "2026-04-17"),
    ("us-mrm-sr11-7", "SR117-7", {}, "2011-04-03", "2011-04-04"),
    ("nyc-ll144", "LL144-2", {}, "2023-07-04", "2023-07-05"),
    ("iso-42001", "ISO42001-A.7.4", {}, "2023-12-17", "2023-12-18"),
    ("nist-ai-rmf", "NIST-GAI-IP", {}, "2024-07-25", "2024-07-26"),
]


def on(day: str) -> int:
    return rfc3339.parse(f"{day}T12:00:00Z")


@pytest.mark.parametrize(("name", "control", "subject", "before", "since"), DAYS)
def test_the_day_decides_what_is_in_force(
    name: str, control: str, subject: dict[str, str], before: str, since: str
) -> None:
    def enforced(day: str) -> Enforcement:
        return judged(name, control, "fail", {"subject": subject}, evaluated_at=on(day), enforcement=DRAFTS).enforcement

    assert (enforced(before), enforced(since)) == (Enforcement.ADVISE, Enforcement.BLOCK)


@pytest.mark.parametrize(
    ("name", "control", "last", "after"),
    [
        ("us-mrm-sr11-7", "SR117-4", "2026-04-16", "2026-04-17"),
        ("us-credit-regb-fcra", "REGB-5", "2026-07-20", "2026-07-21"),
    ],
)
def test_what_was_repealed_advises_from_that_day(name: str, control: str, last: str, after: str) -> None:
    results = [judged(name, control, "fail", evaluated_at=on(day), enforcement=DRAFTS) for day in (last, after)]
    assert [each.enforcement for each in results] == [Enforcement.BLOCK, Enforcement.ADVISE]
    assert results[1].verdict is Verdict.FAIL, "it still answers"


@pytest.mark.parametrize("day", ["2011-04-04", "2026-04-16", "2026-04-17", "2030-01-01"])
def test_one_guidance_on_model_risk_is_in_force_on_every_day(day: str) -> None:
    asked = [("us-mrm-sr11-7", "SR117-7"), ("us-mrm-sr26-2", "MRM-8")]
    found = [judged(*each, "fail", evaluated_at=on(day), enforcement=DRAFTS).enforcement for each in asked]
    assert sorted(found) == [Enforcement.ADVISE, Enforcement.BLOCK]


@pytest.mark.parametrize(
    ("control", "placed", "before", "since"),
    [
        ("EUAIA-50.2", "2026-08-01T00:00:00Z", "2026-12-01", "2026-12-02"),
        ("EUAIA-53", "2025-08-01T00:00:00Z", "2027-08-01", "2027-08-02"),
    ],
)
def test_what_was_on_the_market_before_has_longer(control: str, placed: str, before: str, since: str) -> None:
    def verdict(day: str) -> Verdict:
        over = {"subject": {"placedOnMarketAt": placed}}
        return judged("eu-ai-act-high-risk", control, "fail", over, evaluated_at=on(day)).verdict

    assert (verdict(before), verdict(since)) == (Verdict.NOT_APPLICABLE, Verdict.FAIL)


def test_a_draft_only_advises_unless_a_binding_says_otherwise() -> None:
    assert judged(BASE, "B-01", "fail").enforcement is Enforcement.ADVISE
    assert judged(BASE, "B-01", "fail", enforcement=DRAFTS).enforcement is Enforcement.BLOCK
