"""A running server in which a command acts: GraphQL over HTTP, with the caller's key."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from catalog import rfc3339
from catalog.commands.governing import Answer, Change, Evaluated, Said, Standing, Version
from catalog.commands.remote import RemoteCatalogue, reference
from catalog.instant import optional_text
from catalog.model import NodeRef
from policies.attestation.strict_json import parse
from policies.formats.document import decision_of
from policies.request import ApproveRequest, AttestRequest, RevokeRequest, WaiveRequest
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.in_force import Finding
    from policies.request import DecideRequest

DECIDE = "mutation Decide($input: DecideInput!) { decide(input: $input) { bundle attestation } }"
EVALUATE = """
query Evaluate($target: NodeRef!, $packs: [String!], $environment: String, $at: AsOf) {
  evaluate(target: $target, packs: $packs, environment: $environment, at: $at) {
    evidence evaluatedAt requester
    controls { pack control verdict underlying fields }
  }
}
"""
FIND = """
query Find($target: NodeRef!) {
  find(ref: $target) {
    id namespace name
    ... on ModelVersion { version }
    ... on DatasetVersion { version }
  }
}
"""
MODELS = """
query Models($at: AsOf, $after: String) {
  models(at: $at, first: 200, after: $after) {
    nodes { id }
    pageInfo { hasNextPage endCursor }
  }
}
"""
VERSIONS = """
query Versions($model: ID!, $at: AsOf, $first: Int, $after: String) {
  node(id: $model, at: $at) {
    ... on Model {
      versions(first: $first, after: $after) {
        nodes { id namespace name version }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""
PACKS = "query Packs($at: AsOf) { policyPacks(at: $at) { name version inForceSince } }"
BINDINGS = "query Bindings($at: AsOf) { policyBindings(at: $at) { name document } }"
SAID = """
query Said($act: ID!) {
  node(id: $act) {
    ... on OtherAct { body }
    ... on Waiver {
      pack control items environment reason compensatingControl expiresAt: until
      target { namespace name ... on ModelVersion { version } }
      person: by
    }
  }
}
"""
APPROVE = """
mutation Approve($input: ApproveInput!) { approve(input: $input) { id state by until closureDigest } }
"""
REVOKE_APPROVAL = """
mutation Revoke($input: RevokeInput!) { revokeApproval(input: $input) { id state by until closureDigest } }
"""
WAIVE = """
mutation Waive($input: WaiveInput!) { waive(input: $input) { id state by until countersignedBy } }
"""
REVOKE_WAIVER = """
mutation Revoke($input: RevokeInput!) { revokeWaiver(input: $input) { id state by until countersignedBy } }
"""
ATTEST = """
mutation Attest($input: AttestInput!) { attest(input: $input) { id state by until } }
"""
REVOKE_ATTESTATION = """
mutation Revoke($input: RevokeInput!) { revokeAttestation(input: $input) { id state by until } }
"""
_CHANGE = "{ id verb proposedBy confirmedBy }"
PROPOSE = f"""
mutation Propose($documents: [JSON!]!, $reason: String) {{
  proposePolicy(documents: $documents, reason: $reason) {_CHANGE}
}}
"""
RETIRE = f"""
mutation Retire($names: [String!]!, $reason: String) {{ retirePolicy(names: $names, reason: $reason) {_CHANGE} }}
"""
BASELINE = f"""
mutation Baseline($binding: String!, $until: DateTime!, $findings: [FindingInput!]!) {{
  acceptBaseline(binding: $binding, until: $until, findings: $findings) {_CHANGE}
}}
"""
CONFIRM = f"mutation Confirm($id: ID!) {{ confirmPolicy(id: $id) {_CHANGE} }}"

_CASE = """
{
  id state basis reason openedBy openedAt dueAt erasedBefore entries asOf known truncated
  datasets { id namespace name }
  versions {
    id namespace name version open path
    disposition { id way by at reason successor expiresAt stands }
  }
  deployments { job version environment role since until state }
  decisions { id state environment at version }
  gaps { kind node name reason }
}
"""
ERASURE_REPORT = f"query Report($id: ID, $about: NodeRef) {{ erasureReport(id: $id, about: $about) {_CASE} }}"
ERASURE_CASES = f"query Cases {{ erasureCases {_CASE} }}"
DISPOSE = f"mutation Dispose($input: DisposeErasureInput!) {{ disposeErasure(input: $input) {_CASE} }}"


@dataclass(frozen=True, slots=True)
class ServerGoverning:
    catalogue: RemoteCatalogue

    @classmethod
    @contextmanager
    def connect(cls, url: str) -> Iterator["ServerGoverning"]:
        with RemoteCatalogue.connect(url) as remote:
            yield cls(remote)

    # Deciding --------------------------------------------------------------------------------------------------

    def decide(self, request: "DecideRequest") -> Answer:
        asked = {
            "target": reference(request.target),
            "environment": request.environment,
            "packs": list(request.packs),
            "use": request.use,
            "atLeast": request.at_least,
            "preview": request.preview,
            "rollback": request.rollback,
        }
        found = self._act(DECIDE, asked)
        bundle = parse(found["bundle"], "the server's answer")
        signed = found["attestation"]
        return Answer(
            decision_of(bundle["decision"]), bundle, None if signed is None else parse(signed, "the attestation")
        )

    def evaluate(
        self, target: NodeRef, *, packs: Sequence[str] = (), environment: str | None = None, at: int | None = None
    ) -> Evaluated:
        asked = {"target": reference(target), "packs": list(packs), "environment": environment, "at": _at(at)}
        found = self.catalogue.ask(EVALUATE, asked)["evaluate"]
        return Evaluated(
            orjson.loads(found["evidence"]),
            rfc3339.parse(found["evaluatedAt"]),
            found["requester"],
            tuple(
                Said(
                    each["pack"],
                    each["control"],
                    Verdict[each["verdict"]],
                    Verdict[each["underlying"]],
                    tuple(each["fields"]),
                )
                for each in found["controls"]
            ),
        )

    def find(self, target: NodeRef) -> Version | None:
        found = self.catalogue.ask(FIND, {"target": reference(target)})["find"]
        if found is None:
            return None
        return Version(found["id"], found["namespace"] or "", found["name"], found.get("version") or "")

    def versions(self, at: int | None = None, *, latest: bool = False) -> list[Version]:
        return [
            Version(each["id"], each["namespace"] or "", each["name"], each["version"])
            for model in self._pages(MODELS, {"at": _at(at)}, ("models",))
            for each in self._versions_of(model["id"], at, latest)
        ]

    def _versions_of(self, model: str, at: int | None, latest: bool) -> Iterator[dict[str, Any]]:
        asked = {"model": model, "at": _at(at), "first": 1 if latest else 200}
        return islice(self._pages(VERSIONS, asked, ("node", "versions")), 1 if latest else None)

    def _pages(self, query: str, variables: Mapping[str, Any], path: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The nodes of a connection, which the path leads to."""
        after = None
        while True:
            page: Any = self.catalogue.ask(query, {**variables, "after": after})
            for name in path:
                page = page[name]
            yield from page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    # What is in force ------------------------------------------------------------------------------------------

    def packs_in_force(self, at: int | None = None) -> Mapping[str, str]:
        found = self.catalogue.ask(PACKS, {"at": _at(at)})["policyPacks"]
        return {each["name"]: each["version"] for each in found if each["inForceSince"] is not None}

    def bindings_in_force(self, at: int | None = None) -> Mapping[str, Mapping[str, Any]]:
        found = self.catalogue.ask(BINDINGS, {"at": _at(at)})["policyBindings"]
        return {each["name"]: orjson.loads(each["document"]) for each in found}

    # Acts ------------------------------------------------------------------------------------------------------

    def said(self, act: str) -> Mapping[str, Any] | None:
        found: dict[str, Any] | None = self.catalogue.ask(SAID, {"act": act})["node"]
        if not found:
            return None
        if "body" in found:
            body: dict[str, Any] = orjson.loads(found["body"])
            return body
        return {**found, "by": {"person": found["person"]}} if "pack" in found else None

    def approve(self, request: ApproveRequest) -> Standing:
        asked = {
            "target": reference(request.target),
            "environment": request.environment,
            "use": request.use,
            "role": request.role,
            "conditions": list(request.conditions),
            "validUntil": request.valid_until,
            "reason": request.reason,
            "expects": request.expects,
            "reaffirms": request.reaffirms,
        }
        return _standing(self._act(APPROVE, asked))

    def revoke_approval(self, request: RevokeRequest) -> Standing:
        return self._revoke(REVOKE_APPROVAL, request)

    def waive(self, request: WaiveRequest) -> Standing:
        asked = {
            "target": None if request.target is None else reference(request.target),
            "pack": request.pack,
            "control": request.control,
            "reason": request.reason,
            "compensatingControl": request.compensating_control,
            "expiresAt": request.expires_at or None,
            "environment": request.environment,
            "items": list(request.items),
            "breakGlass": request.break_glass,
            "waiver": request.waiver,
        }
        return _standing(self._act(WAIVE, asked))

    def revoke_waiver(self, request: RevokeRequest) -> Standing:
        return self._revoke(REVOKE_WAIVER, request)

    def attest(self, request: AttestRequest) -> Standing:
        asked = {
            "target": reference(request.target),
            "type": request.type,
            "statement": dict(request.statement),
            "expiresAt": request.expires_at,
            "documentDigest": request.document_digest,
            "documentUri": request.document_uri,
            "role": request.role,
            "effectiveAt": request.effective_at,
        }
        return _standing(self._act(ATTEST, asked))

    def revoke_attestation(self, request: RevokeRequest) -> Standing:
        return self._revoke(REVOKE_ATTESTATION, request)

    def propose(self, documents: Sequence[Mapping[str, Any]], reason: str | None) -> Change:
        return self._changed(PROPOSE, documents=list(documents), reason=reason)

    def retire(self, names: Sequence[str], reason: str | None) -> Change:
        return self._changed(RETIRE, names=list(names), reason=reason)

    def accept_baseline(self, binding: str, until: str, findings: "Sequence[Finding]") -> Change:
        told = [
            {"target": target, "pack": pack, "control": control, "item": item}
            for target, pack, control, item in findings
        ]
        return self._changed(BASELINE, binding=binding, until=until, findings=told)

    def confirm(self, change: str) -> Change:
        return self._changed(CONFIRM, id=change)

    # Erasures --------------------------------------------------------------------------------------------------

    def erasure_report(self, case: str | None, about: NodeRef | None) -> dict[str, Any]:
        asked = {"id": case, "about": None if about is None else reference(about)}
        found: dict[str, Any] = self.catalogue.ask(ERASURE_REPORT, asked)["erasureReport"]
        return found

    def erasure_cases(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.catalogue.ask(ERASURE_CASES, {})["erasureCases"]
        return found

    def dispose_erasure(
        self, case: str, version: NodeRef, way: str, reason: str, successor: NodeRef | None, expires_at: str | None
    ) -> dict[str, Any]:
        asked = {
            "id": case,
            "version": reference(version),
            "way": way,
            "reason": reason,
            "successor": None if successor is None else reference(successor),
            "expiresAt": expires_at,
        }
        return self._act(DISPOSE, asked)

    def _revoke(self, mutation: str, request: RevokeRequest) -> Standing:
        return _standing(self._act(mutation, {"id": request.id, "reason": request.reason}))

    def _act(self, mutation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        (found,) = self.catalogue.ask(mutation, {"input": asked}).values()
        answered: dict[str, Any] = found
        return answered

    def _changed(self, mutation: str, **asked: Any) -> Change:
        (found,) = self.catalogue.ask(mutation, asked).values()
        return Change(found["id"], found["verb"], found["proposedBy"], found["confirmedBy"])


def _standing(found: Mapping[str, Any]) -> Standing:
    return Standing(
        found["id"],
        found["state"],
        found["by"],
        found["until"],
        found.get("countersignedBy"),
        found.get("closureDigest"),
    )


def _at(valid: int | None) -> dict[str, Any]:
    return {"valid": optional_text(valid)}
