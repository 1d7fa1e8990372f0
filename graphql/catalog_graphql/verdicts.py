"""What policies say of a target: each control's verdict, the evidence behind it, and what would change it."""

from typing import Annotated

import orjson
import strawberry

from catalog.model import AsOf
from catalog_graphql.desk import Info
from catalog_graphql.log import FirstEntries, LogEntry, Snapshot, log_entries
from catalog_graphql.nodes import Node, node
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, optional_time, time
from policies import verdict
from policies.evidence import gaps
from policies.needed import Needed, needed
from policies.outcome import BREAK_GLASS_HOURS
from policies.senders import sender
from policies.terms import WAIVER_DAYS
from policies.verdict import Enforcement, GateState, Severity, Verdict


@strawberry.type(description="A field of the evidence that was read and is not known.")
class MissingField:
    path: str = strawberry.field(description="The field as expressions name it, such as trainingDatasets.licence.")
    reason: str = strawberry.field(description="Why it is missing.")


@strawberry.type(description="The way through the graph that proves an item.")
class Witness:
    entry_positions: strawberry.Private[tuple[int, ...]]
    node_ids: strawberry.Private[tuple[str, ...]]
    cut: strawberry.Private[AsOf]

    @resolver("The nodes from where it begins to the target, the way data flows.")
    async def nodes(self, info: Info) -> list[Node]:
        found = [await info.context.node(self.cut, each) for each in self.node_ids]
        return [node(each, self.cut) for each in found if each]

    @resolver("The entries of the log that say so.")
    async def events(self, info: Info, first: FirstEntries = None) -> list[LogEntry]:
        return await log_entries(info, self.cut, self.entry_positions, first)


@strawberry.type(description="One check on one item, or a requirement that does not hold.")
class CheckResult:
    key: str | None = strawberry.field(description="Which item, where the control looks at each of a list.")
    check: str = strawberry.field(description="Id of the check within its control.")
    verdict: Verdict = strawberry.field(description="What it says.")
    underlying: Verdict | None = strawberry.field(description="What it would say without its waiver.")
    message: str = strawberry.field(description="Why, in a sentence.")
    missing: list[MissingField] = strawberry.field(description="What would have to be known.")
    witness: Witness | None = strawberry.field(description="The way through the graph that proves it.")
    waiver: strawberry.ID | None = strawberry.field(description="The waiver that covers it.")


@strawberry.type(description="How long a control may be set aside.")
class WaiverTerms:
    days: int = strawberry.field(description="By two people, at most.")
    break_glass_hours: int = strawberry.field(description="By one person alone, at most.")


@strawberry.type(description="What one control says of the target.")
class ControlVerdict:
    pack: str = strawberry.field(description="The pack as NAME@VERSION.")
    control: str = strawberry.field(description="Id of the control in its pack.")
    title: str = strawberry.field(description="What it is about.")
    plain: str = strawberry.field(description="What must hold, in plain words.")
    citation: str = strawberry.field(description="The article of the law or standard.")
    severity: Severity = strawberry.field(description="How bad a failure is.")
    assurance: str = strawberry.field(
        description="automatic: from recorded facts; attested: from a person's word; mixed: both."
    )
    enforcement: Enforcement = strawberry.field(description="What a failure does to a release here and now.")
    verdict: Verdict = strawberry.field(description="What it says, waivers applied.")
    underlying: Verdict = strawberry.field(description="What it says without waivers.")
    note: str = strawberry.field(
        description="Why it does not apply, or only advises; empty where nothing needs saying."
    )
    remediation: str = strawberry.field(description="What to do about a failure.")
    checks: list[CheckResult] = strawberry.field(description="Everything that was looked at.")
    blocked_by: list[str] = strawberry.field(description="Kinds of the gaps that keep it from being known.")
    fields: list[str] = strawberry.field(description="The evidence that it reads.")
    next_flip_at: DateTime | None = strawberry.field(description="When time alone will change the verdict.")
    awaits_approval: bool = strawberry.field(description="Whether nothing is missing but approvals.")
    waiver_terms: WaiverTerms | None = strawberry.field(
        description="For how long it may be waived; null for one that may not."
    )


@strawberry.type(description="A way in which a field of the evidence can come to be known.")
class EvidenceSender:
    kind: str = strawberry.field(
        description="standard: a facet of OpenLineage; custom: one of ours; attested: a person's word; computed."
    )
    name: str = strawberry.field(description="The facet, the type of the statement, or what works it out.")
    property: str = strawberry.field(description="The part of it that carries the field; empty where it is the whole.")
    words: str = strawberry.field(description="All of that in words.")
    snippet: str = strawberry.field(description="What to paste so that it is sent; empty where nobody can send it.")


@strawberry.type(description="A field of the evidence that is not known, and who could say it.")
class EvidenceGap:
    path: str = strawberry.field(description="The field as expressions name it, such as trainingDatasets.licence.")
    item: strawberry.ID | None = strawberry.field(
        description="Id of the node that lacks it; null for the target itself."
    )
    name: str = strawberry.field(description="What that node is called.")
    meaning: str = strawberry.field(description="What the field says.")
    controls: list[str] = strawberry.field(description="The controls that do not pass and read it.")
    senders: list[EvidenceSender] = strawberry.field(description="The ways in which it can come to be known.")


@strawberry.type(description="Every control of every pack on one target.")
class PolicyReport:
    verdict: Verdict = strawberry.field(
        description="The worst of all: error, fail, unknown, waived, pass, not_applicable."
    )
    state: GateState = strawberry.field(description="What the release gate would answer.")
    reasons: list[str] = strawberry.field(description="Why, in sentences.")
    controls: list[ControlVerdict] = strawberry.field(description="In the order of packs and controls.")
    packs: list[str] = strawberry.field(description="The packs, as NAME@VERSION.")
    environment: str | None = strawberry.field(description="The environment that it is for.")
    requester: str = strawberry.field(description="Who asks, and so counts as none of those who approve.")
    evidence_digest: str = strawberry.field(description="SHA-256 of the evidence document (RFC 8785).")
    evidence: str = strawberry.field(description="The evidence document as canonical JSON text.")
    evaluated_at: DateTime = strawberry.field(description="The instant at which ages and expiries were judged.")
    next_flip_at: DateTime | None = strawberry.field(description="When time alone will change a verdict.")
    waivers: list[strawberry.ID] = strawberry.field(description="Waivers that cover something here.")
    snapshot: Snapshot = strawberry.field(description="The state that it was read from.")
    target_id: strawberry.Private[str]
    cut: strawberry.Private[AsOf]

    @resolver("What was judged.")
    async def target(self, info: Info) -> Node | None:
        found = await info.context.node(self.cut, self.target_id)
        return node(found, self.cut) if found else None

    @resolver("What is not known, and who could say it.")
    def gaps(
        self,
        paths: Annotated[
            list[str] | None,
            strawberry.argument(description="These fields; left out: those that a control reads which does not pass."),
        ] = None,
    ) -> list[EvidenceGap]:
        return [_gap(each) for each in needed(orjson.loads(self.evidence), self.controls, paths)]


def report(found: verdict.Report, requester: str, evidence: str, cut: AsOf, snapshot: Snapshot) -> PolicyReport:
    return PolicyReport(
        verdict=found.verdict,
        state=found.state,
        reasons=list(found.reasons),
        controls=[control(each, cut) for each in found.controls],
        packs=[name for name, _ in found.packs],
        environment=found.environment,
        requester=requester,
        evidence_digest=found.evidence_digest,
        evidence=evidence,
        evaluated_at=time(found.evaluated_at),
        next_flip_at=optional_time(found.next_flip_at),
        waivers=[strawberry.ID(each) for each in found.waivers],
        snapshot=snapshot,
        target_id=found.target,
        cut=cut,
    )


def control(found: verdict.ControlResult, cut: AsOf) -> ControlVerdict:
    return ControlVerdict(
        pack=found.pack,
        control=found.control,
        title=found.title,
        plain=found.plain,
        citation=found.citation,
        severity=found.severity,
        assurance=found.assurance,
        enforcement=found.enforcement,
        verdict=found.verdict,
        underlying=found.underlying,
        note=found.note,
        remediation=found.remediation,
        checks=[_check(each, cut) for each in found.items],
        blocked_by=list(found.blocked_by),
        fields=list(found.fields),
        next_flip_at=optional_time(found.next_flip_at),
        awaits_approval=found.awaits_approval,
        waiver_terms=WaiverTerms(days=WAIVER_DAYS[found.severity], break_glass_hours=BREAK_GLASS_HOURS)
        if found.waivable
        else None,
    )


def _check(found: verdict.ItemResult, cut: AsOf) -> CheckResult:
    return CheckResult(
        key=found.key,
        check=found.check,
        verdict=found.verdict,
        underlying=found.underlying,
        message=found.message,
        missing=[MissingField(path=each.path, reason=each.reason) for each in found.missing],
        witness=None
        if found.witness is None
        else Witness(entry_positions=found.witness.entries, node_ids=found.witness.nodes, cut=cut),
        waiver=None if found.waiver is None else strawberry.ID(found.waiver),
    )


def _gap(found: Needed) -> EvidenceGap:
    gap = found.gap
    return EvidenceGap(
        path=gap.path,
        item=None if gap.item is None else strawberry.ID(gap.item),
        name=gap.name,
        meaning=gap.meaning,
        controls=list(found.controls),
        senders=[_sender(each) for each in gap.senders],
    )


def _sender(found: gaps.Sender) -> EvidenceSender:
    source = found.source
    return EvidenceSender(
        kind=source.kind.value,
        name=source.name,
        property=source.property,
        words=sender(source),
        snippet=found.snippet,
    )
