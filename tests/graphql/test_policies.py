"""Approvals, waivers, decisions and reports through GraphQL and the flat door, with the identity of who calls."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from catalog.errors import UnauthenticatedError
from catalog.principal import Principal, Scope
from catalog_graphql.application import create_graphql
from policies.attestation.bundle import held
from policies.attestation.verification import verify
from policies.gate import Gate
from policies.governance import Governance
from policies.http import GateDoor, gate_routes
from policies.judge import Judge
from tests.graphql.world import stored
from tests.policies.office import ANN, BOB, CARL, ENVIRONMENT, PACK, REGISTRY, Office, person

MODEL = {"namespace": REGISTRY, "name": "credit", "version": "1"}
TARGET = {"model": MODEL}
READER = person("reader", scopes=[Scope.LINEAGE_READ])
STRANGER = person("stranger", scopes=list(Scope), namespaces=["elsewhere*"])
PEOPLE = {each.name: each for each in (ANN, BOB, CARL, READER, STRANGER)}

Answer = dict[str, Any]


def principal_of(headers: Mapping[str, str]) -> Principal:
    found = PEOPLE.get(headers.get("authorization", "").removeprefix("Bearer "))
    if found is None:
        raise UnauthenticatedError("Nobody is known by that.", "Send a key.")
    return found


class Desk:
    """A server over an office, asked by people."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.signer = CryptoSigner.generate_ed25519()
        judge = Judge()
        governance = Governance(
            office.journal, office.register, judge, Gate(office.journal, judge), lambda: self.signer
        )
        graphql = create_graphql(
            office.access, lambda seq: office.entries[seq], principal_of=principal_of, governance=governance
        )
        routes = [Route("/graphql", graphql), *gate_routes(GateDoor(governance, principal_of))]
        self.client = TestClient(Starlette(routes=routes))

    def send(self, who: Principal | None, query: str, **variables: Any) -> Answer:
        headers = {"Authorization": f"Bearer {who.name}"} if who else {}
        response = self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        answer: Answer = response.json()
        return answer

    def ask(self, who: Principal, query: str, **variables: Any) -> Answer:
        answer = self.send(who, query, **variables)
        assert "errors" not in answer, answer
        data: Answer = answer["data"]
        return data

    def code(self, who: Principal | None, query: str, **variables: Any) -> str:
        return str(self.send(who, query, **variables)["errors"][0]["extensions"]["code"])


@pytest.fixture
def desk() -> Desk:
    office = Office()
    office.enact()
    return Desk(office)


DECIDE = """mutation ($input: DecideInput!) { decide(input: $input) {
  id state allow reasons environment requester verdict packs bindings preview expiresAt evidenceDigest evidence
  target { id name ... on ModelVersion { version } }
  controls { pack control verdict underlying enforcement remediation checks { key check verdict message missing { path }
             witness { nodes { name } events { seq type } } waiver } }
  snapshot { logSize known } bundle attestation entry { seq type actor } } }"""
APPROVE = """mutation ($input: ApproveInput!) { approve(input: $input) {
  id kind state by at environment closureDigest role conditions target { name } entry { type seq } } }"""
WAIVE = (
    """mutation ($input: WaiveInput!) { waive(input: $input) { id state by countersignedBy control items until } }"""
)
ATTEST = """mutation ($input: AttestInput!) { attest(input: $input) { id state type statement until by } }"""
EVALUATE = """query ($target: NodeRef!) { evaluate(target: $target, environment: "production") {
  verdict state reasons packs evidenceDigest evidence controls { control verdict fields } target { name } } }"""


def decide(desk: Desk, who: Principal = ANN, **more: Any) -> Answer:
    decision: Answer = desk.ask(who, DECIDE, input={"target": TARGET, "environment": ENVIRONMENT, **more})["decide"]
    return decision


def inventory(desk: Desk) -> None:
    statement = {"owner": "team:credit", "ownerUnit": "Retail"}
    target = {"model": {"namespace": REGISTRY, "name": "credit"}}
    until = desk.office.later(30 * 86_400 * 1_000_000)
    given = {"target": target, "type": "inventory", "statement": statement, "expiresAt": until}
    assert desk.ask(CARL, ATTEST, input=given)["attest"]["state"] == "STANDING"


def test_a_decision_says_what_denied_it_and_what_to_do(desk: Desk) -> None:
    decision = decide(desk)
    assert (decision["state"], decision["allow"], decision["requester"]) == ("DENY", False, "ann@example.org")
    assert decision["target"]["version"] == "1"
    assert {each["verdict"] for each in decision["controls"]} == {"UNKNOWN"}
    assert {each["remediation"] for each in decision["controls"]} == {"Name an owner."}
    assert decision["entry"]["type"] == "DECISION"


def test_a_decision_is_found_again_and_its_bundle_verifies(desk: Desk) -> None:
    inventory(desk)
    decision = decide(desk)
    assert (decision["state"], decision["verdict"]) == ("ALLOW", "PASS")
    again = desk.ask(ANN, "query ($id: ID!) { decision(id: $id) { state bundle } }", id=decision["id"])["decision"]
    assert again["state"] == "ALLOW"
    checked = verify(held(json.loads(again["bundle"])), desk.signer.public_key)
    assert checked.signed
    assert not checked.failed
    listed = desk.ask(ANN, "{ decisions { nodes { id state } totalCount } }")["decisions"]
    assert listed["nodes"] == [{"id": decision["id"], "state": "ALLOW"}]


def test_the_answer_of_a_report_is_that_of_the_gate(desk: Desk) -> None:
    report = desk.ask(ANN, EVALUATE, target=TARGET)["evaluate"]
    decision = decide(desk)
    assert (report["state"], report["evidenceDigest"]) == (decision["state"], decision["evidenceDigest"])
    assert json.loads(report["evidence"]) == json.loads(decision["evidence"])


def test_why_a_release_was_denied_is_a_stored_question(desk: Desk) -> None:
    decide(desk)
    named = {"namespace": REGISTRY, "model": "credit", "version": "1"}
    (found,) = desk.ask(ANN, stored("why-was-this-release-denied"), **named)["decisions"]["nodes"]
    assert found["state"] == "DENY"
    assert {each["remediation"] for each in found["controls"]} == {"Name an owner."}


def test_a_preview_records_nothing(desk: Desk) -> None:
    before = len(desk.office.entries)
    decision = decide(desk, preview=True)
    assert (decision["state"], decision["preview"], decision["entry"]) == ("DENY", True, None)
    assert len(desk.office.entries) == before


def test_an_approval_is_a_node_until_it_is_revoked(desk: Desk) -> None:
    approval = desk.ask(BOB, APPROVE, input={"target": TARGET, "environment": ENVIRONMENT})["approve"]
    assert (approval["kind"], approval["state"], approval["by"]) == ("APPROVAL", "STANDING", "bob@example.org")
    revoke = "mutation ($input: RevokeInput!) { revokeApproval(input: $input) { id state revokedBy } }"
    desk.ask(CARL, revoke, input={"id": approval["id"], "reason": "too early"})
    read = "query ($id: ID!) { node(id: $id) { id kind ... on Approval { state by revokedBy environment } } }"
    assert desk.ask(ANN, read, id=approval["id"])["node"] == {
        "id": approval["id"],
        "kind": "APPROVAL",
        "state": "REVOKED",
        "by": "bob@example.org",
        "revokedBy": "carl@example.org",
        "environment": ENVIRONMENT,
    }


def test_each_of_several_approvals_is_told_as_it_stands(desk: Desk) -> None:
    given = {"target": TARGET, "environment": ENVIRONMENT}
    first, second = (desk.ask(who, APPROVE, input=given)["approve"]["id"] for who in (BOB, CARL))
    revoke = "mutation ($input: RevokeInput!) { revokeApproval(input: $input) { id } }"
    desk.ask(BOB, revoke, input={"id": second, "reason": "too early"})
    read = "query ($ref: NodeRef!) { find(ref: $ref) { ... on ModelVersion { approvals { id state } } } }"
    told = desk.ask(ANN, read, ref=TARGET)["find"]["approvals"]
    assert told == [{"id": first, "state": "STANDING"}, {"id": second, "state": "REVOKED"}]


GAPS = """query ($target: NodeRef!, $paths: [String!]) { evaluate(target: $target, environment: "production") {
  gaps(paths: $paths) { path item name meaning controls senders { kind name property words snippet } } } }"""


def test_what_is_not_known_comes_with_who_could_say_it(desk: Desk) -> None:
    gaps = desk.ask(ANN, GAPS, target=TARGET)["evaluate"]["gaps"]
    owner = next(each for each in gaps if each["path"] == "subject.owner")
    assert (owner["item"], owner["name"]) == (None, "credit@1")
    assert owner["controls"]
    assert {"facet ownership (owners)", "attestation inventory (owner)"} <= {each["words"] for each in owner["senders"]}
    assert all(each["snippet"] for each in owner["senders"])


def test_what_is_not_known_can_be_asked_of_any_field(desk: Desk) -> None:
    paths = ["subject.riskTier", "subject.name", "no.such.field"]
    (gap,) = desk.ask(ANN, GAPS, target=TARGET, paths=paths)["evaluate"]["gaps"]
    assert (gap["path"], gap["controls"]) == ("subject.riskTier", [])


def test_a_waiver_waits_for_a_second_person(desk: Desk) -> None:
    said = {
        "target": TARGET,
        "pack": PACK,
        "control": "licence",
        "reason": "the supplier has gone",
        "compensatingControl": "checked by hand",
        "expiresAt": desk.office.later(86_400 * 1_000_000),
    }
    proposed = desk.ask(ANN, WAIVE, input=said)["waive"]
    assert (proposed["state"], proposed["countersignedBy"]) == ("PROPOSED", None)
    assert desk.code(ANN, WAIVE, input={"waiver": proposed["id"]}) in ("FORBIDDEN", "CONFLICT")
    signed = desk.ask(BOB, WAIVE, input={"waiver": proposed["id"]})["waive"]
    assert (signed["state"], signed["countersignedBy"]) == ("STANDING", "bob@example.org")
    waived = next(each for each in decide(desk, who=CARL)["controls"] if each["control"] == "licence")
    assert (waived["verdict"], waived["underlying"]) == ("WAIVED", "UNKNOWN")


def test_policies_come_into_force_by_two_people(desk: Desk) -> None:
    documents = [each.body for each in desk.office.entries if each.type == "policy"][:1]
    told = json.loads(documents[0] or b"{}")["documents"]
    propose = "mutation ($documents: [JSON!]!) { proposePolicy(documents: $documents) { id confirmedBy } }"
    proposed = desk.ask(CARL, propose, documents=told)["proposePolicy"]
    assert proposed["confirmedBy"] is None
    confirm = "mutation ($id: ID!) { confirmPolicy(id: $id) { proposedBy confirmedBy } }"
    assert desk.code(CARL, confirm, id=proposed["id"]) == "FORBIDDEN"
    assert desk.ask(BOB, confirm, id=proposed["id"])["confirmPolicy"]["confirmedBy"] == "bob@example.org"
    held_packs = desk.ask(ANN, "{ policyPacks { name confirmedBy controls { id } } }")["policyPacks"]
    assert next(each for each in held_packs if each["name"] == PACK)["confirmedBy"] == "bob@example.org"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        (DECIDE, {"input": {"target": TARGET, "environment": ENVIRONMENT}}),
        (APPROVE, {"input": {"target": TARGET, "environment": ENVIRONMENT}}),
        (EVALUATE, {"target": TARGET}),
        ("{ decisions { totalCount } }", {}),
        ("{ policyPacks { name } }", {}),
    ],
)
def test_who_may_only_read_lineage_may_do_nothing_else(desk: Desk, query: str, variables: Answer) -> None:
    assert desk.code(READER, query, **variables) == "FORBIDDEN"


def test_scopes_hold_in_their_namespaces_only(desk: Desk) -> None:
    approval = {"target": TARGET, "environment": ENVIRONMENT}
    assert desk.code(STRANGER, APPROVE, input=approval) == "FORBIDDEN"
    assert desk.code(STRANGER, DECIDE, input=approval) == "FORBIDDEN"
    find = "query ($ref: NodeRef!) { find(ref: $ref) { id } }"
    known = desk.ask(ANN, find, ref=TARGET)["find"]["id"]
    assert desk.ask(STRANGER, find, ref=TARGET)["find"] is None
    assert desk.ask(STRANGER, "query ($id: ID!) { node(id: $id) { id } }", id=known)["node"] is None


def test_nobody_known_is_answered_nothing(desk: Desk) -> None:
    response = desk.client.post("/graphql", json={"query": "{ log { size } }"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert desk.code(None, "{ log { size } }") == "UNAUTHENTICATED"


def test_a_version_lists_what_people_did_to_it(desk: Desk) -> None:
    desk.ask(BOB, APPROVE, input={"target": TARGET, "environment": ENVIRONMENT})
    read = """query ($ref: NodeRef!) { find(ref: $ref) { ... on ModelVersion {
      approvals { by state } waivers { control } attestations { type } } } }"""
    assert desk.ask(ANN, read, ref=TARGET)["find"] == {
        "approvals": [{"by": "bob@example.org", "state": "STANDING"}],
        "waivers": [],
        "attestations": [],
    }


# The flat door -----------------------------------------------------------------------------------------------------

FLAT = {"namespace": REGISTRY, "model": "credit", "version": "1", "environment": ENVIRONMENT}


def flat(desk: Desk, who: Principal | None, content: Any) -> tuple[int, Answer]:
    headers = {"Authorization": f"Bearer {who.name}"} if who else {}
    response = desk.client.post("/api/v1/gate/decisions", content=json.dumps(content), headers=headers)
    return response.status_code, response.json()


def test_the_flat_door_answers_200_for_every_state(desk: Desk) -> None:
    status, denied = flat(desk, ANN, FLAT)
    assert (status, denied["state"], denied["allow"]) == (200, "DENY", False)
    assert denied["reasons"]
    assert denied["decisionId"].startswith("dc_")
    inventory(desk)
    assert flat(desk, ANN, FLAT)[1]["state"] == "ALLOW"
    assert flat(desk, ANN, FLAT | {"environment": "moon"})[1]["state"] == "INDETERMINATE"


@pytest.mark.parametrize(
    ("who", "content", "status"),
    [
        (None, FLAT, 401),
        (READER, FLAT, 403),
        (ANN, FLAT | {"version": "99"}, 404),
        (ANN, FLAT | {"verson": "1"}, 400),
        (ANN, {"environment": ENVIRONMENT}, 400),
        (ANN, FLAT | {"id": "dv_x"}, 400),
        (ANN, [], 400),
    ],
)
def test_the_flat_door_refuses_what_asks_nothing(desk: Desk, who: Principal | None, content: Any, status: int) -> None:
    told = flat(desk, who, content)
    assert told[0] == status
    assert told[1]["error"]["message"]


def test_the_schemas_of_policy_documents_are_served_to_anybodys_editor(desk: Desk) -> None:
    found = desk.client.get("/spec/policies/v1/PolicyPack.json")
    assert (found.status_code, found.headers["content-type"]) == (200, "application/schema+json")
    assert found.json()["$id"].endswith("/spec/policies/v1/PolicyPack.json")
    assert desk.client.get("/spec/policies/v1/Nothing.json").status_code == 404
