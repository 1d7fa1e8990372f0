"""Decisions as the gate logs them, made by hand: one that allows with a waiver, one that denies."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]

from policies.acts import digest
from policies.formats.document import Decision, control_document, decision_of
from policies.pack import PolicyPack
from policies.verdict import ControlResult, Enforcement, ItemResult, Missing, Severity, Verdict, Witness

ARTIFACT = "sha256:" + "ab" * 32
CLOSURE = "sha256:" + "cd" * 32
AT = "2026-11-24T12:00:00.000000Z"
LAPSES = "2026-11-25T12:00:00.000000Z"
WAIVER = "wv_aaaaaaaaaaaaaaaaaaaaaa"
PACK = "base@1.0.0"
SIGNER = CryptoSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = CryptoSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


def control(name: str, title: str, expression: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "title": title,
        "citation": {"article": f"Art. {name}", "uri": f"https://example.org/law#{name}"},
        "plain": f"{title}.",
        "severity": "high",
        "assurance": "automatic",
        "checks": [{"id": "holds", "expression": expression, "message": f"{title}: not so"}],
        "remediation": f"See to it: {title}.",
        **more,
    }


def pack_document(name: str = "base", *controls: dict[str, Any]) -> dict[str, Any]:
    given = controls or (
        control("B-01", "A digest is known", "has(subject.digest)"),
        control("B-03", "An owner is known", "subject.owner == 'team:credit'"),
        control("B-06", "Two people approved", "size(approvals) >= 2", awaits="approvals"),
    )
    pack = {
        "apiVersion": "lineward.dev/v1",
        "kind": "PolicyPack",
        "metadata": {"name": name, "version": "1.0.0", "status": "reviewed"},
        "source": {
            "instrument": "House rules",
            "uri": "https://example.org",
            "binding": "internal",
            "certainty": "enacted",
        },
        "controls": list(given),
    }
    return PolicyPack.model_validate(pack).normalised()


def result(name: str, verdict: Verdict, **more: Any) -> ControlResult:
    given = {
        "pack": PACK,
        "control": name,
        "title": f"Title of {name}",
        "severity": Severity.HIGH,
        "assurance": "automatic",
        "enforcement": Enforcement.BLOCK,
        "verdict": verdict,
        "underlying": verdict,
        "plain": f"{name} in plain words.",
        "citation": f"Art. {name}",
        "remediation": f"Remedy of {name}.",
    }
    return ControlResult(**(given | more))


PASSED = result("B-01", Verdict.PASS)
WAIVED = result(
    "B-03",
    Verdict.WAIVED,
    underlying=Verdict.UNKNOWN,
    waivers=(WAIVER,),
    items=(
        ItemResult(None, "holds", Verdict.WAIVED, "no owner", (Missing("subject.owner", "nobody said"),), None, WAIVER),
    ),
)
NOT_APPLICABLE = result("B-09", Verdict.NOT_APPLICABLE, note="not in force before 2027-12-02")
ADVISED = result(
    "B-10",
    Verdict.FAIL,
    enforcement=Enforcement.ADVISE,
    items=(ItemResult("run-7", "recent", Verdict.FAIL, "run-7 is old"),),
)
DENIED = result(
    "B-06",
    Verdict.FAIL,
    items=(
        ItemResult("col:sex", "absent", Verdict.FAIL, "sex reaches the model", (), Witness(("fd_a", "dv_b"), (3, 4))),
        ItemResult("col:age", "absent", Verdict.UNKNOWN, "", (Missing("column.labels", "never classified"),)),
    ),
)
BROKEN = result("B-07", Verdict.ERROR, note="the evaluation was killed after 5 s")

EVIDENCE = {
    "schema": "lineward.dev/evidence/v1",
    "subject": {
        "id": "dv_risk",
        "kind": "MODEL_VERSION",
        "namespace": "s3://models",
        "name": "credit risk",
        "version": "2",
        "digest": ARTIFACT,
        "closureDigest": CLOSURE,
    },
    "lineage": {"complete": True},
    "trainingDatasets": [{"id": "dv_a", "namespace": "file", "name": "train.csv", "licence": "CC-BY-4.0"}],
}


def body(state: str, *controls: ControlResult, **more: Any) -> dict[str, Any]:
    """The body of a `decide` in that state, consistent with itself."""
    packs = [pack_document()]
    waived = any(each.waivers for each in controls)
    document = {
        "v": 1,
        "act": "decide",
        "id": "6a0c3cf5-44ba-4d6c-9d0a-0f2f7a3a2b10",
        "at": AT,
        "by": {"principal": "key:ci", "roles": []},
        "target": {
            "node": "dv_risk",
            "kind": "MODEL_VERSION",
            "namespace": "s3://models",
            "name": "credit risk",
            "version": "2",
        },
        "environment": "production",
        "requester": "ann@example.org",
        "state": state,
        "reasons": ["all controls hold"] if state == "ALLOW" else [f"{len(controls)} controls do not hold"],
        "preview": False,
        "snapshot": {"origin": "lineward/abc", "logSize": 42, "root": "ef" * 32, "known": 42},
        "evaluatedAt": AT,
        "evidence": deepcopy(EVIDENCE),
        "packs": [
            {
                "name": "base",
                "version": "1.0.0",
                "digest": digest(each),
                "document": each,
                "params": {},
                "enforcement": {"*": "block"},
            }
            for each in packs
        ],
        "bindings": [{"name": "starter", "digest": "sha256:" + "00" * 32}],
        "controls": [control_document(each) for each in controls],
        "approvals": ["ap_aaaaaaaaaaaaaaaaaaaaaa"],
        "waivers": [waiver()] if waived else [],
        "verdict": "pass",
        **({"expiresAt": LAPSES} if state == "ALLOW" else {}),
        **more,
    }
    return document | {"evidenceDigest": digest(document["evidence"])} if "evidence" in document else document


def waiver() -> dict[str, Any]:
    return {
        "id": WAIVER,
        "control": "B-03",
        "reason": "the owner is on leave",
        "compensatingControl": "weekly review",
        "expiresAt": "2026-12-24T00:00:00.000000Z",
    }


def allow(**more: Any) -> Decision:
    return decision_of(body("ALLOW", PASSED, WAIVED, NOT_APPLICABLE, ADVISED, **more))


def deny(**more: Any) -> Decision:
    return decision_of(body("DENY", PASSED, DENIED, NOT_APPLICABLE, **more))


def changed(document: Mapping[str, Any], *path: str | int, to: Any) -> dict[str, Any]:
    """A deep copy with one value in another way."""
    copy: dict[str, Any] = deepcopy(dict(document))
    place: Any = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return copy
