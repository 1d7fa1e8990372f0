"""A bank's people with their keys, and a model that one of them wants released: two who approve, one who asks."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from catalog import instant
from catalog.log.writer import microseconds_now
from policies.library import built_in
from policies.loading import load, load_text
from tests.end_to_end.server_process import PATIENCE, Event, ServerProcess, lineward, serving
from tests.explorer.credit import HOSTILE, LAKE, REGISTRY, event, facet, model, table, training

READS = ("lineage:read", "policy:read", "policy:evaluate")
ACTS = ("approve", "waive", "attest")
PEOPLE: Mapping[str, tuple[str, ...]] = {
    "ben": ("admin", "policy:write", *READS),
    "pipeline": ("ingest:write", *READS),
    "rita": (*ACTS, *READS),
    "omar": (*ACTS, *READS),
}
BINDING = """\
apiVersion: lineward.dev/v1
kind: PolicyBinding
metadata: {name: retail-credit}
environments: [production]
packs: [{name: base-ml-governance}]
enforcement:
  base-ml-governance/B-03: block
  base-ml-governance/B-06: block
  base-ml-governance/B-12: block
  "*": advise
enforceDrafts: true
approvals: {count: 2}
"""
DECIDE = "mutation ($input: DecideInput!) { decide(input: $input) { id state } }"
ATTEST = "mutation ($input: AttestInput!) { attest(input: $input) { id } }"
WAIVE = "mutation ($input: WaiveInput!) { waive(input: $input) { id } }"
FIND = "query ($ref: NodeRef!) { find(ref: $ref) { id } }"
PROPOSE = "mutation ($documents: [JSON!]!) { proposePolicy(documents: $documents) { id } }"
CONFIRM = "mutation ($id: ID!) { confirmPolicy(id: $id) { id } }"
STATEMENTS: Mapping[str, Mapping[str, Any]] = {
    "inventory": {"owner": "team:credit", "ownerUnit": "Retail Credit"},
    "approvedUse": {"intendedPurpose": "Ranking of loan applications", "uses": ["consumer credit"]},
    "classification": {"riskTier": "high", "useCase": "consumer credit"},
}


SERVICE = {"jobType": facet(processingType="SERVICE", integration="TEST", jobType="SERVICE")}
SERVES = {"lineward_serving": facet(endpoint="https://score.bank.example", environment="production")}
_WEEK = 7 * 86_400 * instant.SECOND


def address(name: str) -> str:
    return f"{name}@bank.example"


@dataclass(frozen=True, slots=True)
class House:
    """The bank's server, and the key of each by their first name."""

    server: ServerProcess
    keys: Mapping[str, str]

    def ask(self, who: str, query: str, **variables: Any) -> Any:
        """The data of an answer to one of them."""
        answer = httpx.post(
            f"{self.server.url}/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {self.keys[who]}"},
            timeout=PATIENCE,
        ).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def version(self, label: str, name: str = "loan-default") -> str:
        """The id of a version of the model."""
        ref = {"model": {"namespace": REGISTRY, "name": name, "version": label}}
        found = self.ask("pipeline", FIND, ref=ref)
        return str(found["find"]["id"])

    def decide(self, label: str, environment: str = "production", name: str = "loan-default") -> Any:
        """What the gate answers when the pipeline asks: `id`, `state`."""
        wanted = {"target": {"id": self.version(label, name)}, "environment": environment}
        return self.ask("pipeline", DECIDE, input=wanted)["decide"]

    def state_all(self) -> None:
        """What the model is for, who answers for it and how risky it is, in Rita's words."""
        target = {"model": {"namespace": REGISTRY, "name": "loan-default"}}
        for kind, statement in STATEMENTS.items():
            given = {"target": target, "type": kind, "statement": statement, "expiresAt": "2036-01-01T00:00:00Z"}
            self.ask("rita", ATTEST, input=given)

    def waive(self, label: str) -> None:
        """The licence of what nobody knows the origin of, by two."""
        said = {"pack": "base-ml-governance", "control": "B-03", "reason": "the vendor is being asked"}
        more = {"compensatingControl": "checked by hand", "expiresAt": instant.text(microseconds_now() + _WEEK)}
        waiver = self.ask("rita", WAIVE, input={"target": {"id": self.version(label)}, **said, **more})["waive"]["id"]
        self.ask("omar", WAIVE, input={"waiver": waiver})

    def serve(self, label: str) -> None:
        """From now on the service says that it serves this version."""
        said = event(
            9, "loan-scoring", "02T12:00", "RUNNING", inputs=[model(label)], job_facets=SERVICE, run_facets=SERVES
        )
        self.report(said | {"eventTime": instant.text(microseconds_now())})
        self.server.await_projection()

    def report(self, *events: Event) -> None:
        for each in events:
            answer = self.server.post(each, Authorization=f"Bearer {self.keys['pipeline']}")
            assert answer.status_code == 201, answer.text


@contextmanager
def open_house(data: Path) -> Iterator[House]:
    """A server with its people hired, its policy in force and its model trained.

    Nobody can put other operations to it than these here, and those that come with Lineward.
    """
    folder = data.with_name("operations")
    folder.mkdir()
    for number, text in enumerate((DECIDE, ATTEST, WAIVE, FIND, PROPOSE, CONFIRM)):
        (folder / f"{number}.graphql").write_text(text)
    done = lineward("keys", "create", "--bootstrap", "--owner", address("ada"), "--data", data)
    assert done.returncode == 0, done.stderr
    with serving(data, trusted_documents=str(folder)) as server:
        keys = {"ada": done.stdout.strip()}
        keys["ada"] = _hired(server, keys, "ada", PEOPLE["ben"])
        for name, scopes in PEOPLE.items():
            keys[name] = _hired(server, keys, name, scopes)
        house = House(server, keys)
        for administrator in ("ada", "ben"):
            who = {"alias": f"email:{address('dana')}", "person": address("dana")}
            _posted(server, keys[administrator], "/api/v1/people", who)
        house.report(*released())
        _enact(house)
        yield house


def _hired(server: ServerProcess, keys: Mapping[str, str], name: str, scopes: tuple[str, ...]) -> str:
    """Who may approve or waive is let in by two administrators."""
    made = _posted(server, keys["ada"], "/api/v1/keys", {"owner": address(name), "scopes": list(scopes)})
    if made["key"]["state"] == "PENDING":
        _posted(server, keys["ben"], f"/api/v1/keys/{made['key']['id']}/confirm", {})
    return str(made["secret"])


def _posted(server: ServerProcess, key: str, path: str, content: Mapping[str, Any]) -> Any:
    answer = httpx.post(server.url + path, json=content, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE)
    assert answer.is_success, answer.text
    return answer.json()


def _enact(house: House) -> None:
    read = (*load(built_in()["base-ml-governance"]).documents, *load_text(BINDING.encode(), "binding.yaml").documents)
    documents = [each.normalised() for each in read]
    change = house.ask("ada", PROPOSE, documents=documents)["proposePolicy"]["id"]
    house.ask("ben", CONFIRM, id=change)


def _by_dana(trained: Event, artifact: str) -> Event:
    """The run with who wrote it, and its model with the digest of the artifact."""
    trained["run"]["facets"]["lineward_training"] = facet(authors=[f"Dana <{address('dana')}>"], seed=7)
    trained["outputs"][0]["facets"]["lineward_model"] = facet(framework="xgboost", digest=f"sha256:{artifact * 32}")
    return trained


def released() -> list[Event]:
    """Two versions, of which the first serves without ever having been let through the gate, and a hostile one."""
    raw = table("raw.loan_applications", "2026-10-01")
    governed = facet(licence="internal:bank-data-v1", personalData=True, purposes=["credit"])
    features = [table("features.loan_default", each, lineward_dataGovernance=governed) for each in ("40", "41")]
    hostile = table(HOSTILE[0] + HOSTILE[2], "1", REGISTRY, datasetType=facet(datasetType="MODEL"))
    return [
        event(1, "build_features", "01T05:00", inputs=[raw], outputs=[features[0]]),
        _by_dana(training(2, "02T09:00", "40", "6"), "a1"),
        event(3, "loan-scoring", "02T12:00", "RUNNING", inputs=[model("6")], job_facets=SERVICE, run_facets=SERVES),
        event(4, "build_features", "09T05:00", inputs=[raw], outputs=[features[1]]),
        _by_dana(training(5, "10T09:00", "41", "7"), "b2"),
        event(6, "train_hostile", "11T09:00", inputs=[table(HOSTILE[4], "1", LAKE), raw], outputs=[hostile]),
    ]
