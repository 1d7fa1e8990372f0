"""What is not known of everything, and what is about to end: lists of work for people. `Query` inherits them."""

from typing import Annotated

import strawberry

from catalog import model
from catalog.errors import InvalidInputError
from catalog.instant import text
from catalog.model import AsOf
from catalog.principal import Scope
from catalog.reading import Reading
from catalog_graphql import inputs
from catalog_graphql.connection import After, Connection, First, Listing, Page
from catalog_graphql.desk import Info
from catalog_graphql.nodes import MODELS, Model, Node, Run, common, node
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, Long, time_of
from policies import ending
from policies.ending import EndingKind, unapproved

At = Annotated[inputs.AsOf | None, strawberry.argument(description="The point in both times; left out: now.")]
_MOST_DAYS = 3_650


@strawberry.type(description="One page of runs that never ended, the latest first.")
class UnendedRunConnection(Connection[Run]):
    examined: Long = strawberry.field(description="How many of the latest runs were looked at.")
    runs: Long = strawberry.field(description="How many runs there are.")


@strawberry.type(description="An act that stands, and will not much longer.")
class Ending:
    kind: EndingKind = strawberry.field(description="What it is.")
    until: DateTime = strawberry.field(description="When it ends, not included.")
    what: str = strawberry.field(description="The environment, or the control as PACK/CONTROL.")
    by: str = strawberry.field(description="Who did it, or who asked for it.")
    node_id: strawberry.Private[str]
    act_id: strawberry.Private[str]
    cut: strawberry.Private[AsOf]

    @resolver("The version that it is about; null where it may not be seen.")
    async def target(self, info: Info) -> Node | None:
        found = await info.context.node(self.cut, self.node_id)
        return node(found, self.cut) if found else None

    @resolver("The decision, approval or waiver.")
    async def act(self, info: Info) -> Node | None:
        found = await info.context.node(self.cut, self.act_id)
        return node(found, self.cut) if found else None


@strawberry.type(description="One page of what is about to end, the next first.")
class EndingConnection(Connection[Ending]):
    pass


UNWRITTEN: Listing[model.Node] = Listing("unwritten", lambda n: (n.namespace or "", n.name, n.id))
UNENDED: Listing[model.Node] = Listing("unended", lambda n: (n.started or "", n.id), descending=True)
ENDINGS: Listing[ending.Ending] = Listing("ending", lambda each: (text(each.until), each.act))


@strawberry.type
class Unknowns:
    """What nobody can answer yet."""

    @resolver("Datasets that some job reads and none is known to write: where their data comes from is not known.")
    async def unresolved_datasets(
        self, info: Info, at: At = None, first: First = None, after: After = None
    ) -> Connection[Node]:
        cut, page = await info.context.open(
            inputs.as_of(at), None, lambda reading: UNWRITTEN.page(reading.unwritten(), first, after)
        )
        return page.connection(lambda found: node(found, cut))

    @resolver("Runs that never ended: no event for a day and no terminal one, or their application has ended.")
    async def unended_runs(
        self, info: Info, at: At = None, first: First = None, after: After = None
    ) -> UnendedRunConnection:
        def question(reading: Reading) -> tuple[Page[model.Node], int, int]:
            found, examined, total = reading.unended()
            return UNENDED.page(found, first, after), examined, total

        cut, (page, examined, total) = await info.context.open(inputs.as_of(at), None, question)
        made = page.connection(lambda found: Run(**common(found, cut)))
        return UnendedRunConnection(
            edges=made.edges,
            nodes=made.nodes,
            page_info=made.page_info,
            total_count=made.total_count,
            examined=Long(examined),
            runs=Long(total),
        )

    @resolver("Models of which no version has an approval that stands.")
    async def unapproved_models(
        self, info: Info, at: At = None, first: First = None, after: After = None
    ) -> Connection[Model]:
        desk, wanted = info.context, inputs.as_of(at)
        desk.principal.require(Scope.POLICY_READ)
        instant = desk.now() if wanted.valid is None else wanted.valid
        cut, page = await desk.open(
            wanted, None, lambda reading: MODELS.page(unapproved(reading, instant), first, after)
        )
        return page.connection(lambda found: Model(**common(found, cut)))

    @resolver("Allows that wait to be deployed, approvals and waivers that end within some days.")
    async def ending(
        self,
        info: Info,
        days: Annotated[
            int, strawberry.argument(description="How far to look ahead, at most 3650 days.")
        ] = ending.DAYS,
        at: At = None,
        first: First = None,
        after: After = None,
    ) -> EndingConnection:
        desk, wanted = info.context, inputs.as_of(at)
        desk.principal.require(Scope.POLICY_READ)
        if not 1 <= days <= _MOST_DAYS:
            raise InvalidInputError(f"days is {days}.", f"Use 1 to {_MOST_DAYS}.", pointer="/days")
        instant = desk.now() if wanted.valid is None else wanted.valid
        whole = AsOf(known=wanted.known)  # deployments are looked at over all time
        cut, page = await desk.open(
            whole, None, lambda reading: ENDINGS.page(ending.ending(reading, instant, days), first, after)
        )
        made = page.connection(lambda found: _ending(found, cut))
        return EndingConnection(
            edges=made.edges, nodes=made.nodes, page_info=made.page_info, total_count=made.total_count
        )


def _ending(found: ending.Ending, cut: AsOf) -> Ending:
    return Ending(
        kind=found.kind,
        until=time_of(found.until),
        what=found.what,
        by=found.by,
        node_id=found.node,
        act_id=found.act,
        cut=cut,
    )
