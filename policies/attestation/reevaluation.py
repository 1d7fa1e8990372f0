"""A decision's report once more, from nothing but what the decision froze."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from catalog import rfc3339
from catalog.errors import InvalidInputError
from policies.acts import BaselineUsed, PackUsed
from policies.evaluation import Evaluation, undecided
from policies.formats.document import Decision
from policies.in_force import Baseline
from policies.pack import PolicyPack
from policies.report import report
from policies.sandbox import SandboxError, Worker
from policies.verdict import ControlResult, GateState, Report
from policies.waiving import Waiver, parse_waiver

TASK = "policies.evaluation:evaluate"


def reevaluate(decision: Decision) -> Report:
    """The frozen evidence under the frozen packs, params, enforcement, waivers and baselines, at the recorded time.

    In a worker with limits, as the gate has it: the packs may come from anybody. INDETERMINATE where no binding chose
    the packs. Raises InvalidInputError for packs or waivers that are none.
    """
    body, evidence = decision.body, decision.body.evidence or {}
    packs = [(_pack(used), used) for used in body.packs]
    waivers = _waivers(body.waivers)
    with Worker(preload=("policies.evaluation",)) as worker:
        evaluated = [(pack, _evaluated(worker, decision, pack, used)) for pack, used in packs]
    told = report(
        evaluated,
        target=body.target.node if body.target else "",
        evidence_digest=body.evidence_digest or "",
        evaluated_at=rfc3339.parse(body.evaluated_at),
        environment=body.environment,
        closure_digest=_closure(evidence),
        waivers=waivers,
        baselines=[_baseline(each) for each in body.baselines],
    )
    return told if body.bindings else replace(told, state=GateState.INDETERMINATE, reasons=body.reasons)


def _pack(used: PackUsed) -> PolicyPack:
    try:
        return PolicyPack.model_validate(used.document)
    except ValidationError as error:
        raise InvalidInputError(
            f"The frozen pack {used.name}@{used.version} is no pack that this version reads.",
            "Replay it with the version of Lineward that made the decision.",
        ) from error


def _evaluated(worker: Worker, decision: Decision, pack: PolicyPack, used: PackUsed) -> Sequence[ControlResult]:
    body, at = decision.body, rfc3339.parse(decision.body.evaluated_at)
    evidence = body.evidence or {}
    asked = Evaluation(
        used.document, evidence, at, body.environment, body.requester, params=used.params, enforcement=used.enforcement
    )
    try:
        found: Sequence[ControlResult] = worker.run(TASK, asked)
    except SandboxError as error:
        return undecided(pack, error.message, evaluated_at=at, document=evidence, enforcement=used.enforcement)
    return found


def _waivers(documents: Sequence[Mapping[str, Any]]) -> list[Waiver]:
    try:
        return [parse_waiver(each) for each in documents]
    except (KeyError, ValueError, TypeError) as error:
        raise InvalidInputError(
            f"A frozen waiver cannot be read: {error}.", "Give the file as it was written."
        ) from error


def _baseline(used: BaselineUsed) -> Baseline:
    since, until = rfc3339.parse(used.since), rfc3339.parse(used.until)
    return Baseline(used.act, used.binding, frozenset(used.findings), since, until)


def _closure(evidence: Mapping[str, Any]) -> str | None:
    subject = evidence.get("subject")
    return subject.get("closureDigest") if isinstance(subject, Mapping) else None
