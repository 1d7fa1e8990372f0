"""Models against one pack through GraphQL, what is not known of all of them, and what is about to end."""

from typing import Any

import pytest

from catalog.model import DatasetRef, NodeRef
from catalog.principal import Scope
from tests.graphql.test_policies import READER, STRANGER, Desk
from tests.ingest.events import model, run_event, versioned, whole_run
from tests.policies.office import ANN, BOB, CARL, DAY, ENVIRONMENT, PACK, REGISTRY, Office, person

NAMES = ("a", "b", "c")
MODEL = NodeRef(model=DatasetRef(REGISTRY, "credit"))
MATRIX = """query ($pack: String!, $at: AsOf, $evaluatedAt: DateTime, $first: Int, $after: String, $name: String,
               $latest: Boolean! = true) {
  compliance(pack: $pack, environment: "production", at: $at, evaluatedAt: $evaluatedAt, first: $first, after: $after,
             latest: $latest, name: $name) {
    pack known evaluatedAt totalCount pageInfo { hasNextPage endCursor }
    nodes { model { name } rows { verdict trouble servesIn target { id version }
            controls { control verdict enforcement } waivers { control state until } } } } }"""
REASON = """query ($target: NodeRef!, $at: AsOf, $evaluatedAt: DateTime) {
  complianceOf(target: $target, pack: "base", environment: "production", at: $at, evaluatedAt: $evaluatedAt) {
    target { version } controls { control verdict remediation checks { message } } } }"""
ENDING = (
    "query ($days: Int!, $at: AsOf) { ending(days: $days, at: $at) { nodes { kind what by until target { name } } } }"
)


@pytest.fixture
def desk() -> Desk:
    office = Office()
    office.enact()
    office.tell(
        each
        for number, name in enumerate(NAMES)
        for each in whole_run(f"train {name}", 10 + number, 10.5 + number, writes=[model(name, "1")])
    )
    return Desk(office)


def matrix(desk: Desk, **asked: Any) -> Any:
    return desk.ask(ANN, MATRIX, pack=PACK, **({"evaluatedAt": desk.office.later(0)} | asked))["compliance"]


def test_pages_of_one_position_are_one_matrix(desk: Desk) -> None:
    whole = matrix(desk)
    first = matrix(desk, first=3)
    desk.office.tell(whole_run("train z", 30, 31, writes=[model("0", "1")]))
    desk.office.wait(DAY)
    position = {"at": {"known": first["known"]}, "evaluatedAt": first["evaluatedAt"]}
    second = matrix(desk, first=3, after=first["pageInfo"]["endCursor"], **position)
    assert first["nodes"] + second["nodes"] == whole["nodes"]
    assert [each["model"]["name"] for each in whole["nodes"]] == ["a", "b", "c", "credit"]
    assert (whole["pack"], whole["totalCount"]) == (f"{PACK}@1.0.0", 4)
    assert matrix(desk)["totalCount"] == 5


def test_a_row_says_what_evaluating_the_version_says(desk: Desk) -> None:
    row = matrix(desk, name="credit")["nodes"][0]["rows"][0]
    evaluate = """query ($id: ID!) { evaluate(target: {id: $id}, environment: "production") {
      verdict controls { control verdict enforcement } } }"""
    said = desk.ask(ANN, evaluate, id=row["target"]["id"])["evaluate"]
    assert (row["verdict"], row["controls"]) == (said["verdict"], said["controls"])


def test_every_version_is_judged_on_demand(desk: Desk) -> None:
    rows = matrix(desk, name="credit", latest=False)["nodes"][0]["rows"]
    assert [each["target"]["version"] for each in rows] == ["2", "1"]


def test_a_waiver_is_in_the_row_with_its_end(desk: Desk) -> None:
    desk.office.waive(ANN, "licence", "2")
    assert matrix(desk, name="credit")["nodes"][0]["rows"][0]["waivers"][0]["state"] == "PROPOSED"
    desk.office.waive(BOB, "licence", "2")
    row = matrix(desk, name="credit")["nodes"][0]["rows"][0]
    assert row["waivers"] == [{"control": "licence", "state": "STANDING", "until": desk.office.later(10 * DAY)}]
    assert {each["control"]: each["verdict"] for each in row["controls"]}["licence"] == "WAIVED"


def test_a_model_without_a_version_has_a_row_that_says_so(desk: Desk) -> None:
    desk.office.tell(whole_run("read", 20, 21, reads=[model("named")]))
    row = matrix(desk, name="named")["nodes"][0]["rows"][0]
    assert (row["target"], row["verdict"], row["controls"]) == (None, "UNKNOWN", [])
    assert "no version" in row["trouble"]


def test_the_reason_is_that_of_the_same_position(desk: Desk) -> None:
    page = matrix(desk, name="credit")
    asked = {"target": {"id": page["nodes"][0]["rows"][0]["target"]["id"]}}
    position = {"at": {"known": page["known"]}, "evaluatedAt": page["evaluatedAt"]}
    before = desk.ask(ANN, REASON, **asked, **position)
    desk.office.attest(CARL, "inventory", MODEL, statement={"owner": "team:credit"})
    assert desk.ask(ANN, REASON, **asked, **position) == before
    assert desk.ask(ANN, REASON, **asked, evaluatedAt=desk.office.later(0)) != before
    assert before["complianceOf"]["controls"][0]["checks"][0]["message"] == "nobody is told"


def test_what_is_no_version_of_a_model_is_refused(desk: Desk) -> None:
    for target in ({"model": {"namespace": REGISTRY, "name": "credit"}}, {"id": "dv_nothing"}):
        assert desk.code(ANN, REASON, target=target) == "NOT_FOUND"
    assert desk.code(ANN, MATRIX, pack="nothing") == "NOT_FOUND"


def test_rights_are_those_of_evaluation(desk: Desk) -> None:
    assert desk.code(READER, MATRIX, pack=PACK) == "FORBIDDEN"
    assert desk.ask(STRANGER, MATRIX, pack=PACK)["compliance"]["nodes"] == []
    assert desk.code(None, MATRIX, pack=PACK) == "UNAUTHENTICATED"


# What is not known -------------------------------------------------------------------------------------------------


def test_datasets_that_are_read_and_never_written_are_unresolved(desk: Desk) -> None:
    query = "{ unresolvedDatasets { totalCount nodes { name } } }"
    assert desk.ask(ANN, query)["unresolvedDatasets"]["totalCount"] == 0
    desk.office.tell(whole_run("report", 20, 21, reads=[versioned("bureau", "7"), versioned("applications", "a1")]))
    assert desk.ask(ANN, query)["unresolvedDatasets"] == {"totalCount": 1, "nodes": [{"name": "bureau"}]}
    desk.office.tell(whole_run("receive", 22, 23, writes=[versioned("bureau", "7")]))
    assert desk.ask(ANN, query)["unresolvedDatasets"]["totalCount"] == 0
    assert desk.ask(STRANGER, query)["unresolvedDatasets"]["totalCount"] == 0


def test_runs_without_an_end_are_listed_after_a_day_of_silence(desk: Desk) -> None:
    query = "{ unendedRuns { totalCount examined runs nodes { name } } }"
    desk.office.tell([run_event("START", 20, "hangs")])
    assert desk.ask(ANN, query)["unendedRuns"]["totalCount"] == 0
    desk.office.tell(whole_run("next day", 90_000, 90_001))
    found = desk.ask(ANN, query)["unendedRuns"]
    assert (found["totalCount"], found["nodes"]) == (1, [{"name": "hangs"}])
    assert found["examined"] == found["runs"]


def test_models_without_an_approver_are_those_without_a_standing_approval(desk: Desk) -> None:
    query = "query ($at: AsOf) { unapprovedModels(at: $at) { nodes { name } } }"
    desk.office.approve(ANN, "1", valid_until=desk.office.later(DAY))
    said = desk.ask(BOB, query, at={"valid": desk.office.later(0)})["unapprovedModels"]["nodes"]
    assert [each["name"] for each in said] == list(NAMES)
    desk.office.wait(2 * DAY)
    later = desk.ask(BOB, query, at={"valid": desk.office.later(0)})["unapprovedModels"]["nodes"]
    assert [each["name"] for each in later] == [*NAMES, "credit"]


def test_what_ends_within_some_days_is_listed_the_next_first(desk: Desk) -> None:
    office = desk.office
    office.approve(ANN, "1", valid_until=office.later(3 * DAY))
    office.waive(ANN, "licence", "2", expires_at=office.later(5 * DAY))
    office.waive(BOB, "licence", "2", expires_at=office.later(5 * DAY))
    office.waive(ANN, "secret", "2", expires_at=office.later(30 * DAY))
    office.waive(BOB, "secret", "2", expires_at=office.later(30 * DAY))
    office.waive(ANN, "secret", "1", expires_at=office.later(2 * DAY))  # waits for a second person
    office.decided()
    now = {"valid": office.later(0)}
    found = desk.ask(ANN, ENDING, days=14, at=now)["ending"]["nodes"]
    assert [(each["kind"], each["what"]) for each in found] == [
        ("ALLOW", ENVIRONMENT),
        ("APPROVAL", ENVIRONMENT),
        ("WAIVER", f"{PACK}/licence"),
    ]
    assert {each["target"]["name"] for each in found} == {"credit"}
    assert [each["kind"] for each in desk.ask(ANN, ENDING, days=60, at=now)["ending"]["nodes"]][-1] == "WAIVER"
    office.wait(4 * DAY)
    later = desk.ask(ANN, ENDING, days=14, at={"valid": office.later(0)})["ending"]["nodes"]
    assert [each["kind"] for each in later] == ["WAIVER"]


def test_looking_ahead_for_no_days_is_refused_and_reading_policies_needed(desk: Desk) -> None:
    assert desk.code(ANN, ENDING, days=0) == "INVALID_INPUT"
    assert desk.code(person("reads", scopes=[Scope.LINEAGE_READ]), ENDING, days=14) == "UNAUTHENTICATED"
    assert desk.code(READER, ENDING, days=14) == "FORBIDDEN"
