"""What people should look at, and what the policies say of everything at once: the compliance matrix."""

from dataclasses import replace
from typing import Annotated

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from catalog.model import AsOf
from catalog.principal import Principal, Scope
from catalog_graphql.changes import watching_of
from catalog_graphql.connection import MOST, After, Connection, First, Listing, Page, checked_first
from catalog_graphql.desk import Info
from catalog_graphql.nodes import Node, node
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, Long, time_of
from policies import lapse
from policies.lapse import FindingKind
from policies.verdict import Enforcement, Verdict
from policies.watch.change import StandingVerdict, name_of

_MEANINGS = {
    FindingKind.UNGATED_DEPLOYMENT: "A version serves without a valid allow.",
    FindingKind.LAPSED_ALLOW: "An allow that nobody used in time.",
    FindingKind.LAPSED_APPROVAL: "An approval whose time is over.",
    FindingKind.EXPIRED_WAIVER: "A waiver whose time is over.",
    FindingKind.BREAK_GLASS: "One person alone set a control aside.",
    FindingKind.FLIP_DUE: "Time alone has changed a verdict behind the allow of a version that serves.",
    FindingKind.OPEN_ERASURE: "A version rests on an erasure, and nothing that stands is decided about it.",
    FindingKind.REPLACED_IN_SERVICE: "A version serves that another one was to replace because of an erasure.",
}


def _explain() -> None:
    made = strawberry.enum(FindingKind, description="What a finding is about.")
    definition: StrawberryEnumDefinition = made.__dict__["__strawberry_definition__"]
    for value in definition.values:
        value.description = _MEANINGS[FindingKind(value.value)]


_explain()


@strawberry.type(description="Something that a person should look at. It shuts nothing down.")
class Finding:
    kind: FindingKind = strawberry.field(description="What it is.")
    since: DateTime = strawberry.field(description="Since when it is so.")
    message: str = strawberry.field(description="What is the matter, in a sentence.")
    remedy: str = strawberry.field(description="What to do about it.")
    node_id: strawberry.Private[str]
    act_id: strawberry.Private[str | None]
    cut: strawberry.Private[AsOf]

    @resolver("What it is about.")
    async def target(self, info: Info) -> Node | None:
        found = await info.context.node(self.cut, self.node_id)
        return node(found, self.cut) if found else None

    @resolver("What it follows from, such as the decision or the waiver; null where nobody did anything.")
    async def act(self, info: Info) -> Node | None:
        found = await info.context.node(self.cut, self.act_id) if self.act_id else None
        return node(found, self.cut) if found else None


@strawberry.type(description="The present verdict of one control.")
class ControlStanding:
    pack: str = strawberry.field(description="The pack as NAME@VERSION.")
    control: str = strawberry.field(description="Id of the control in its pack.")
    verdict: Verdict = strawberry.field(description="What it says, waivers applied.")
    enforcement: Enforcement = strawberry.field(description="What a failure does to a release here and now.")


@strawberry.type(description="What the bindings' packs say of one model version in one environment: a row of a matrix.")
class Standing:
    environment: str = strawberry.field(description="The environment whose bindings chose the packs.")
    verdict: Verdict = strawberry.field(description="The worst of all.")
    controls: list[ControlStanding] = strawberry.field(description="In the order of packs and controls.")
    evaluated_at: DateTime = strawberry.field(description="The instant at which ages and expiries were judged last.")
    known: Long = strawberry.field(description="How many entries of the log were known.")
    next_flip_at: DateTime | None = strawberry.field(description="When time alone will change a verdict.")
    trouble: str | None = strawberry.field(description="Why nothing can be judged; null where it can.")
    target_id: strawberry.ID = strawberry.field(description="Id of the version.")
    cut: strawberry.Private[AsOf]

    @resolver("The version; null where it is not there any more.")
    async def target(self, info: Info) -> Node | None:
        found = await info.context.node(self.cut, self.target_id)
        return node(found, self.cut) if found else None


@strawberry.type(description="One page of standing verdicts, by model, version and environment.")
class StandingConnection(Connection[Standing]):
    pending: int = strawberry.field(
        description="How many models and versions wait to be looked at: 0 where the list is complete."
    )


ROWS: Listing[StandingVerdict] = Listing(
    "standing", lambda row: (row.target.namespace or "", row.target.name, row.target.id, row.environment)
)


@strawberry.type
class Overview:
    """Questions about everything at once: `Query` inherits them."""

    @resolver("What a person should look at, the latest first: nothing here shuts anything down.")
    async def findings(
        self,
        info: Info,
        kinds: Annotated[
            list[FindingKind] | None, strawberry.argument(description="Only these kinds; left out: all.")
        ] = None,
        first: Annotated[int, strawberry.argument(description="How many, at most 200.")] = MOST,
    ) -> list[Finding]:
        desk, most = info.context, checked_first(first)
        desk.principal.require(Scope.POLICY_READ)
        now = desk.now()
        cut, found = await desk.open(AsOf(), None, lambda reading: lapse.findings(reading, now))
        chosen = [each for each in reversed(found) if kinds is None or each.kind in kinds]
        return [_finding(each, cut) for each in chosen[:most]]

    @resolver("What the packs that the bindings choose say of each model version now, kept up as facts change.")
    async def standing(
        self,
        info: Info,
        environment: Annotated[
            str | None, strawberry.argument(description="Only this environment; left out: all.")
        ] = None,
        verdicts: Annotated[
            list[Verdict] | None,
            strawberry.argument(description="Only versions of which this is the worst verdict; left out: all."),
        ] = None,
        pack: Annotated[
            str | None, strawberry.argument(description="Only controls of this pack, as NAME or NAME@VERSION.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> StandingConnection:
        desk = info.context
        desk.principal.require(Scope.POLICY_READ)
        desk.principal.require(Scope.LINEAGE_READ)
        watching = watching_of(desk)

        def question() -> tuple[Page[StandingVerdict], int]:
            standing, pending = watching.standing()
            rows = (_of_pack(each, pack) for each in standing if environment in (None, each.environment))
            chosen = (each for each in rows if each is not None and (verdicts is None or each.verdict in verdicts))
            return ROWS.page((each for each in chosen if _may_see(desk.principal, each)), first, after), pending

        page, pending = await desk.in_thread(question)
        made = page.connection(_standing)
        return StandingConnection(
            edges=made.edges,
            nodes=made.nodes,
            page_info=made.page_info,
            total_count=made.total_count,
            pending=pending,
        )


def _of_pack(row: StandingVerdict, pack: str | None) -> StandingVerdict | None:
    """The row with the controls of one pack; None where it has none of them."""
    if pack is None:
        return row
    controls = tuple(each for each in row.controls if pack in (each.pack, name_of(each.pack)))
    return replace(row, controls=controls) if controls else None


def _may_see(principal: Principal, row: StandingVerdict) -> bool:
    return principal.may(Scope.LINEAGE_READ, row.target.namespace or "")


def _finding(found: lapse.Finding, cut: AsOf) -> Finding:
    return Finding(
        kind=found.kind,
        since=time_of(found.since),
        message=found.message,
        remedy=found.remedy,
        node_id=found.node,
        act_id=found.act,
        cut=cut,
    )


def _standing(row: StandingVerdict) -> Standing:
    return Standing(
        environment=row.environment,
        verdict=row.verdict,
        controls=[
            ControlStanding(pack=each.pack, control=each.control, verdict=each.verdict, enforcement=each.enforcement)
            for each in row.controls
        ],
        evaluated_at=time_of(row.evaluated_at),
        known=Long(row.known),
        next_flip_at=None if row.next_flip_at is None else time_of(row.next_flip_at),
        trouble=row.trouble,
        target_id=strawberry.ID(row.target.id),
        cut=AsOf(known=row.known),
    )
