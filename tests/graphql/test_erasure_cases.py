"""Cases of erasure through GraphQL: looking, deciding, and who may not."""

from typing import Any

import pytest

from catalog.identity import dataset_id
from tests.graphql.test_policies import READER, Desk
from tests.ingest.events import DATA
from tests.policies.office import ANN, BOB, REGISTRY
from tests.policies.test_erasure_cases import ANEW, RAW, Bank

REPORT = """query ($id: ID, $about: NodeRef) { erasureReport(id: $id, about: $about) {
  id state dueAt known truncated datasets { name } gaps { kind }
  versions { name version open path disposition { way by successor expiresAt stands } }
} }"""
CASES = "query ($state: ErasureCaseState) { erasureCases(state: $state) { id versions { open } } }"
DISPOSE = """mutation ($input: DisposeErasureInput!) { disposeErasure(input: $input) {
  state versions { version open disposition { way by successor } }
} }"""
FINDINGS = "{ findings(kinds: [OPEN_ERASURE]) { kind act { id } target { name } } }"


def model(version: str) -> dict[str, Any]:
    return {"model": {"namespace": REGISTRY, "name": "credit", "version": version}}


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_a_case_is_looked_at_and_decided(bank: Bank) -> None:
    desk, case = Desk(bank), bank.erased()
    report = desk.ask(BOB, REPORT, id=case)["erasureReport"]
    assert (report["id"], report["state"], report["datasets"]) == (case, "OPEN", [{"name": "applications"}])
    (version,) = report["versions"]
    assert (version["version"], version["open"], version["disposition"]) == ("1", True, None)
    assert len(version["path"]) > 1
    assert desk.ask(BOB, FINDINGS)["findings"] == [
        {"kind": "OPEN_ERASURE", "act": {"id": case}, "target": {"name": "credit"}}
    ]
    bank.tell(ANEW)
    said = {"id": case, "version": model("1"), "way": "retrain", "reason": "anew", "successor": model("2")}
    done = desk.ask(BOB, DISPOSE, input=said)["disposeErasure"]
    assert done["state"] == "CLOSED"
    assert done["versions"][0]["disposition"]["by"] == "bob@example.org"
    assert desk.ask(BOB, CASES, state="OPEN")["erasureCases"] == []
    assert desk.ask(BOB, CASES)["erasureCases"] == [{"id": case, "versions": [{"open": False}]}]


def test_a_preview_is_no_case(bank: Bank) -> None:
    about = {"dataset": {"namespace": DATA, "name": "applications"}}
    report = Desk(bank).ask(BOB, REPORT, about=about)["erasureReport"]
    assert (report["id"], report["state"], len(report["versions"])) == (None, None, 1)
    assert dataset_id(DATA, "applications") == RAW


def test_what_is_wrong_is_told_by_its_code(bank: Bank) -> None:
    desk, case = Desk(bank), bank.erased(ANN)
    assert desk.code(READER, CASES) == "FORBIDDEN"
    assert desk.code(READER, REPORT, id=case) == "FORBIDDEN"
    assert desk.code(BOB, REPORT) == "INVALID_INPUT"
    assert desk.code(BOB, REPORT, id="er_none") == "NOT_FOUND"
    said = {"id": case, "version": model("1"), "reason": "r"}
    assert desk.code(BOB, DISPOSE, input=said | {"way": "forget"}) == "INVALID_INPUT"
    assert desk.code(BOB, DISPOSE, input=said | {"way": "retrain"}) == "INVALID_INPUT"
    assert desk.code(ANN, DISPOSE, input=said | {"way": "accept", "expiresAt": bank.later(10**9)}) == "FORBIDDEN"
