"""Decisions as the real engine makes them, from evidence written by hand."""

from collections.abc import Sequence
from typing import Any

from catalog import rfc3339
from policies.acts import digest
from policies.evaluation import evaluate_pack
from policies.formats.document import Decision, control_document, decision_of
from policies.in_force import Baseline
from policies.pack import PolicyPack
from policies.report import report
from policies.waiving import parse_waiver
from tests.policies.attestation.decisions import AT, CLOSURE, EVIDENCE, WAIVER, body, changed, pack_document

PERSON = {"roles": [], "environment": "production", "conditions": [], "current": True, "changed": [], "at": AT}
OWNED = changed(EVIDENCE, "subject", "owner", to="team:credit") | {
    "approvals": [{"id": f"ap_{name}", "person": f"{name}@example.org", **PERSON} for name in ("ann", "bob")]
}
COVER = {
    "id": WAIVER,
    "pack": "base",
    "control": "B-03",
    "since": "2026-11-01T00:00:00Z",
    "expiresAt": "2026-12-01T00:00:00Z",
    "closureDigest": CLOSURE,
    "countersigned": True,
    "reason": "on leave",
}


def decided(
    evidence: dict[str, Any],
    *waivers: dict[str, Any],
    pack: dict[str, Any] | None = None,
    baselines: Sequence[dict[str, Any]] = (),
) -> Decision:
    """What the gate would have recorded of this evidence."""
    document = pack or pack_document()
    parsed = PolicyPack.model_validate(document)
    at = rfc3339.parse(AT)
    results = evaluate_pack(
        parsed,
        evidence,
        evaluated_at=at,
        environment="production",
        requester="ann@example.org",
        enforcement={"*": "block"},
    )
    told = report(
        [(parsed, results)], target="dv_risk", evidence_digest=digest(evidence), evaluated_at=at,
        environment="production", closure_digest=CLOSURE, waivers=[parse_waiver(each) for each in waivers],
        baselines=[_baseline(each) for each in baselines],
    )  # fmt: skip
    named = {"name": "base", "version": "1.0.0", "digest": parsed.digest}
    used = {**named, "document": document, "enforcement": {"*": "block"}}
    return decision_of(
        body(
            told.state, evidence=evidence, packs=[used], waivers=list(waivers), baselines=list(baselines),
            verdict=told.verdict, controls=[control_document(each) for each in told.controls],
        )
    )  # fmt: skip


def _baseline(used: dict[str, Any]) -> Baseline:
    findings = frozenset((node, pack, name, key) for node, pack, name, key in used["findings"])
    return Baseline(used["act"], used["binding"], findings, rfc3339.parse(used["since"]), rfc3339.parse(used["until"]))
