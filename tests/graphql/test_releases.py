"""Releases on one line of time, decisions computed again, and what a page asks before a person acts."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from catalog.principal import LOCAL
from policies.outcome import BREAK_GLASS_HOURS
from policies.statements import STATEMENTS
from policies.terms import WAIVER_DAYS
from policies.verdict import Severity
from tests.graphql.test_policies import PEOPLE, READER, STRANGER, TARGET, WAIVE, Desk, decide, inventory
from tests.policies.office import ANN, BOB, CARL, ENVIRONMENT, PACK, PIPELINE, REGISTRY, Office
from tests.policies.test_lapse import serving

RELEASES = """query ($filter: ReleaseFilter, $at: AsOf, $first: Int, $after: String) {
  releases(filter: $filter, at: $at, first: $first, after: $after) {
    totalCount environments pageInfo { hasNextPage endCursor }
    nodes { at outcome decision { id } deployment { environment gate { state decision { id } } } } } }"""
REPLAY = "query ($id: ID!) { replay(decision: $id) { controls differences { what recorded replayed } } }"
SECOND = 1_000_000


@pytest.fixture
def desk() -> Desk:
    office = Office()
    office.enact()
    return Desk(office)


def outcomes(desk: Desk, **filtered: Any) -> list[str]:
    found = desk.ask(ANN, RELEASES, filter=filtered)["releases"]
    assert found["totalCount"] == len(found["nodes"])
    return [each["outcome"] for each in found["nodes"]]


def deploy(desk: Desk) -> None:
    """From noon on a service says that it serves the version."""
    desk.office.tell([serving(43_200)])


def test_deployments_stand_beside_decisions_and_say_how_they_stand_to_them(desk: Desk) -> None:
    deploy(desk)
    desk.office.wait(3_600 * SECOND)
    denied = decide(desk)
    inventory(desk)
    allowed = decide(desk)
    found = desk.ask(ANN, RELEASES)["releases"]
    assert [each["outcome"] for each in found["nodes"]] == ["ALLOW", "DENY", "UNGATED"]
    assert [each["decision"]["id"] for each in found["nodes"][:2]] == [allowed["id"], denied["id"]]
    assert found["nodes"][2]["deployment"] == {
        "environment": ENVIRONMENT,
        "gate": {"state": "UNGATED", "decision": None},
    }
    assert found["environments"] == [ENVIRONMENT]


def test_each_filter_keeps_what_it_names(desk: Desk) -> None:
    deploy(desk)
    desk.office.wait(3_600 * SECOND)
    decide(desk)
    decide(desk, environment="staging")
    assert outcomes(desk) == ["INDETERMINATE", "DENY", "UNGATED"]
    assert outcomes(desk, environment="staging") == ["INDETERMINATE"]
    assert outcomes(desk, outcomes=["UNGATED"]) == ["UNGATED"]
    assert outcomes(desk, outcomes=["DENY", "GATED"]) == ["DENY"]
    assert outcomes(desk, nameContains="CRED") == outcomes(desk)
    assert outcomes(desk, nameContains="other") == []
    whole = {"model": {"namespace": REGISTRY, "name": "credit"}}
    assert outcomes(desk, of=whole) == outcomes(desk, of=TARGET) == outcomes(desk)
    assert outcomes(desk, of={"model": {"namespace": REGISTRY, "name": "nothing"}}) == []
    times = [each["at"] for each in desk.ask(ANN, RELEASES)["releases"]["nodes"]]
    assert outcomes(desk, since=times[1]) == ["INDETERMINATE", "DENY"]
    assert outcomes(desk, until=times[1]) == ["UNGATED"]
    assert [each["outcome"] for each in desk.ask(ANN, RELEASES, at={"valid": times[2]})["releases"]["nodes"]] == [
        "UNGATED"
    ]


def test_pages_of_releases_make_up_the_list(desk: Desk) -> None:
    deploy(desk)
    for _ in range(3):
        desk.office.wait(SECOND)
        decide(desk)
    after, seen = None, []
    for _ in range(4):
        page = desk.ask(ANN, RELEASES, first=1, after=after)["releases"]
        seen += [each["at"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert seen == [each["at"] for each in desk.ask(ANN, RELEASES)["releases"]["nodes"]]
    assert not page["pageInfo"]["hasNextPage"]


def test_who_may_not_see_a_namespace_sees_none_of_its_releases(desk: Desk) -> None:
    deploy(desk)
    decide(desk)
    found = desk.ask(STRANGER, RELEASES)["releases"]
    assert (found["totalCount"], found["environments"]) == (0, [])
    assert desk.code(READER, RELEASES) == "FORBIDDEN"


def test_a_decision_comes_out_again_as_it_was_recorded(desk: Desk) -> None:
    decision = decide(desk)
    replayed = desk.ask(ANN, REPLAY, id=decision["id"])["replay"]
    assert replayed == {"controls": len(decision["controls"]), "differences": []}


def test_what_cannot_be_replayed_says_why(desk: Desk) -> None:
    assert desk.code(ANN, REPLAY, id="dc_nothing") == "NOT_FOUND"
    assert desk.code(READER, REPLAY, id="dc_nothing") == "FORBIDDEN"


def test_the_caller_is_told_who_they_are(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = "{ viewer { principal person open roles grants { scope namespaces } } }"
    ann = desk.ask(ANN, ask)["viewer"]
    assert (ann["person"], ann["open"]) == (ANN.person, False)
    assert {"scope": "approve", "namespaces": ["*"]} in ann["grants"]
    monkeypatch.setitem(PEOPLE, PIPELINE.name, PIPELINE)
    assert desk.ask(PIPELINE, ask)["viewer"]["person"] is None
    monkeypatch.setitem(PEOPLE, LOCAL.name, LOCAL)
    assert desk.ask(LOCAL, ask)["viewer"]["open"] is True


def test_types_of_statements_come_with_a_schema_that_takes_them(desk: Desk) -> None:
    ask = "query ($about: NodeKind) { attestationTypes(about: $about) { name targets schema } }"
    listed = desk.ask(ANN, ask)["attestationTypes"]
    assert [each["name"] for each in listed] == list(STATEMENTS)
    for each in listed:
        Draft202012Validator.check_schema(json.loads(each["schema"]))
    runs = {each["name"] for each in desk.ask(ANN, ask, about="RUN")["attestationTypes"]}
    assert "escalation" in runs
    assert "inventory" not in runs
    schemas = {each["name"]: Draft202012Validator(json.loads(each["schema"])) for each in listed}
    assert schemas["inventory"].is_valid({"owner": "team:credit"})
    assert not schemas["inventory"].is_valid({"wner": "team:credit"})


def test_a_control_says_for_how_long_it_may_be_waived(desk: Desk) -> None:
    ask = (
        "query ($id: ID!) { decision(id: $id) { controls { control severity waiverTerms { days breakGlassHours } } } }"
    )
    found = desk.ask(ANN, ask, id=decide(desk)["id"])["decision"]["controls"]
    terms = {each["control"]: (each["severity"], each["waiverTerms"]) for each in found}
    assert terms["fourEyes"][1] is None
    severity, told = terms["licence"]
    assert told == {"days": WAIVER_DAYS[Severity(severity.lower())], "breakGlassHours": BREAK_GLASS_HOURS}


def test_what_answered_an_act_has_its_own_entry(desk: Desk) -> None:
    said = {
        "target": TARGET,
        "pack": PACK,
        "control": "licence",
        "reason": "the supplier has gone",
        "compensatingControl": "checked by hand",
        "expiresAt": desk.office.later(86_400 * SECOND),
    }
    waiver = desk.ask(ANN, WAIVE, input=said)["waive"]["id"]
    answers = """mutation ($input: WaiveInput!) { waive(input: $input) {
      entry { seq } answers { by name entry { seq type } } } }"""
    signed = desk.ask(BOB, answers, input={"waiver": waiver})["waive"]
    (answer,) = signed["answers"]
    assert (answer["by"], answer["name"]) == (BOB.person, "countersignWaiver")
    assert answer["entry"]["seq"] > signed["entry"]["seq"]


def test_a_version_lists_all_that_several_people_did(desk: Desk) -> None:
    inventory(desk)
    approve = "mutation ($input: ApproveInput!) { approve(input: $input) { id } }"
    for who in (BOB, CARL):
        desk.ask(who, approve, input={"target": TARGET, "environment": ENVIRONMENT})
    read = """query ($ref: NodeRef!) { find(ref: $ref) { ... on ModelVersion {
      approvals { by state answers { by } } } } }"""
    listed = desk.ask(ANN, read, ref=TARGET)["find"]["approvals"]
    assert [(each["by"], each["state"], each["answers"]) for each in listed] == [
        (BOB.person, "STANDING", []),
        (CARL.person, "STANDING", []),
    ]
