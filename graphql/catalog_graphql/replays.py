"""A decision computed again, from the evidence and the packs that it froze."""

from typing import Annotated

import strawberry

from catalog.errors import NotFoundError
from catalog.model import AsOf
from catalog.principal import Scope
from catalog_graphql.desk import Info
from catalog_graphql.resolver import resolver
from policies.formats.document import decision_of


@strawberry.type(description="One thing that was recorded otherwise than it comes out now.")
class ReplayDifference:
    what: str = strawberry.field(description="What it is, such as a control's verdict.")
    recorded: str = strawberry.field(description="As the decision has it.")
    replayed: str = strawberry.field(description="As it comes out now.")


@strawberry.type(
    description="What came out when a decision was computed again: by this server's code, from what the log holds."
)
class DecisionReplay:
    controls: int = strawberry.field(description="How many controls were evaluated.")
    differences: list[ReplayDifference] = strawberry.field(description="Everything that comes out otherwise.")


@strawberry.type
class Replaying:
    """The question whether a decision still comes out: `Query` inherits it."""

    @resolver("Compute a decision again: `lineward decision replay` does the same offline. One at a time.")
    async def replay(
        self,
        info: Info,
        decision: Annotated[strawberry.ID, strawberry.argument(description="Its id.")],
    ) -> DecisionReplay:
        desk = info.context
        desk.principal.require(Scope.POLICY_READ)
        _, act = await desk.open(AsOf(), None, lambda reading: reading.act(str(decision)))
        if act is None or act.verb != "decide":
            raise NotFoundError(f"There is no decision {decision}.", "Take an id from an answer.")
        found = await desk.in_thread(lambda: desk.governance.replay(decision_of(act.body)))
        return DecisionReplay(
            controls=found.controls,
            differences=[
                ReplayDifference(what=each.what, recorded=each.recorded, replayed=each.replayed)
                for each in found.differences
            ],
        )
