"""A bank whose policies are in force: models that pass and fail, one that has no version, a waiver, an approval."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.catalog.authority.issuing import claims, rsa, rule, signed
from tests.end_to_end.server_process import PATIENCE, Event, ServerProcess, serving
from tests.explorer.credit import HOSTILE, REGISTRY, event, facet, story, table

SCOPES = [
    "ingest:write",
    "lineage:read",
    "policy:read",
    "policy:write",
    "policy:evaluate",
    "approve",
    "waive",
    "attest",
    "audit:read",
]
READS = ["lineage:read", "policy:read", "policy:evaluate"]
KEY = rsa("bank")
PACK = "base-ml-governance"
ENVIRONMENT = "production"
NAMES = (
    "churn",
    "collections",
    "fraud-cards",
    "income-estimate",
    *HOSTILE[:5],
)  # the third on data under no good licence
LICENCES = ("LicenseRef-internal", "CC-BY-4.0", "CC-BY-NC-4.0")  # the last one is not allowed
CODE = facet(type="git", url="https://git.example/models", version="9c41ad2" + "0" * 33, path="train.py")
DOCUMENTS = [
    {
        "apiVersion": "lineward.dev/v1",
        "kind": "PolicyBinding",
        "metadata": {"name": "retail"},
        "environments": [ENVIRONMENT],
        "packs": [{"name": PACK}],
    }
]


STATEMENTS: dict[str, dict[str, Any]] = {
    "inventory": {"owner": "team:retail-risk", "ownerUnit": "Retail"},
    "classification": {"riskTier": "limited"},
    "approvedUse": {"intendedPurpose": "Rank customers for a call"},
}


@dataclass(frozen=True, slots=True)
class Bank:
    """A server whose readers need no key, and people who act on it."""

    server: ServerProcess

    def does(self, who: str, query: str, **variables: Any) -> Any:
        """The data of an answer to somebody."""
        headers = {"authorization": f"Bearer {token(who)}"}
        asked = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.server.url}/graphql", json=asked, headers=headers, timeout=PATIENCE).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def export(self, form: str, **parameters: Any) -> httpx.Response:
        told = {"pack": PACK, "environment": ENVIRONMENT, **parameters}
        return httpx.get(f"{self.server.url}/api/v1/compliance.{form}", params=told, timeout=PATIENCE)

    def version(self, name: str, version: str = "1") -> str:
        """The id of a version of a model."""
        ref = {"model": {"namespace": REGISTRY, "name": name, "version": version}}
        return str(self.server.ask("query ($ref: NodeRef!) { find(ref: $ref) { id } }", ref=ref)["find"]["id"])


def token(who: str) -> str:
    now = time.time()
    told = claims(sub=who, email=f"{who}@bank.example", email_verified=True, iat=now, exp=now + 300)
    return signed(told, KEY, kid="bank")


@contextmanager
def bank(folder: Path) -> Iterator[Bank]:
    """As it opens in the morning: everything reported, in force, asked for and countersigned."""
    keys = folder / "jwks.json"
    keys.write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    trust = rule(jwks=str(keys), scopes=SCOPES).model_dump(mode="json")
    with serving(folder / "data", issuers=json.dumps([trust]), anonymous_scopes=json.dumps(READS)) as server:
        opened = Bank(server)
        for each in [*story(), *models(), unended()]:
            assert server.post(each, authorization=f"Bearer {token('pipeline')}").status_code == 201
        server.await_projection()
        _enact(opened)
        _act(opened)
        server.await_projection()
        yield opened


def models() -> list[Event]:
    """Models of all sorts of names, each trained once on data of its own; and one that is only named."""
    told = []
    for number, name in enumerate(NAMES):
        data = table(f"features.{number:02}", "1", **_governed(LICENCES[number % len(LICENCES)]))
        told += [
            event(100 + number, f"build_{number}", f"12T{number:02}:00", outputs=[data]),
            event(
                120 + number,
                f"train_{number}",
                f"12T{number:02}:30",
                inputs=[
                    data | {"inputFacets": {"lineward_input": facet(role="training", digest="sha256:" + "ab" * 32)}}
                ],
                outputs=[_model(name)],
                job_facets={"sourceCodeLocation": CODE} if number % 3 else {},
            ),
        ]
    named = event(
        140, "reads", "13T09:00", inputs=[_model("retired-scorecard", None)], outputs=[table("reports.old", "1")]
    )
    return [*told, named]


def _governed(licence: str) -> dict[str, Any]:
    return {
        "ownership": facet(owners=[{"name": "team:data", "type": "OWNER"}]),
        "lineward_dataGovernance": facet(licence=licence, origin={"source": "core banking"}, storageCountry="DE"),
    }


def unended() -> Event:
    return event(141, "nightly_refresh", "03T02:00", "START", inputs=[table("raw.loan_applications")])


def _model(name: str, version: str | None = "1") -> dict[str, Any]:
    return table(name, version, REGISTRY, datasetType=facet(datasetType="MODEL"))


def _enact(opened: Bank) -> None:
    documents = [_shipped(), *DOCUMENTS]
    propose = "mutation ($documents: [JSON!]!) { proposePolicy(documents: $documents) { id } }"
    change = opened.does("ann", propose, documents=documents)["proposePolicy"]["id"]
    opened.does("ben", "mutation ($id: ID!) { confirmPolicy(id: $id) { id } }", id=change)


def _shipped() -> dict[str, Any]:
    from policies.judge import shipped

    pack = shipped(PACK)
    assert pack is not None
    reviewed = {"status": "reviewed", "reviewedBy": [{"name": "Lex"}]}
    document = pack.normalised()
    return document | {"metadata": document["metadata"] | reviewed}


def _act(opened: Bank) -> None:
    target = {"id": opened.version("loan-default", "7")}
    waiver = {
        "target": target,
        "pack": PACK,
        "control": waived_control(),
        "reason": "The registry of approvers moves this week",
        "compensatingControl": "The head of risk signs on paper",
        "expiresAt": in_days(9),
    }
    asked = opened.does("carl", "mutation ($input: WaiveInput!) { waive(input: $input) { id } }", input=waiver)
    confirm = {"waiver": asked["waive"]["id"]}
    opened.does("dora", "mutation ($input: WaiveInput!) { waive(input: $input) { state } }", input=confirm)
    approval = {"target": {"id": opened.version("churn")}, "environment": ENVIRONMENT, "validUntil": in_days(12)}
    opened.does("dora", "mutation ($input: ApproveInput!) { approve(input: $input) { id } }", input=approval)

    state = "mutation ($input: AttestInput!) { attest(input: $input) { id } }"
    for name in NAMES[:4]:
        for kind, statement in STATEMENTS.items():
            about = {"model": {"namespace": REGISTRY, "name": name}}
            told = {"target": about, "type": kind, "statement": statement, "expiresAt": in_days(90)}
            opened.does("carl", state, input=told)


def waived_control() -> str:
    return next(str(each["id"]) for each in _shipped()["controls"] if each["waivable"])


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat().replace("+00:00", "Z")
