"""What served when. A deployment is the job; each of its intervals is a stretch with one version in one role."""

from collections.abc import Iterable
from typing import Annotated

import strawberry

from catalog.model import AsOf
from catalog.model import Deployment as Served
from catalog_graphql.connection import Connection, Listing, Page
from catalog_graphql.desk import Info
from catalog_graphql.enums import ServiceState
from catalog_graphql.log import FirstEntries, LogEntry, log_entries
from catalog_graphql.nodes import Deployment, Model, ModelVersion, Node, Run, node
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, optional_time, time
from policies.lapse import GateStanding, gated


@strawberry.type(description="How a deployment stands to the release gate.")
class DeploymentGate:
    state: GateStanding = strawberry.field(description="Whether it was allowed before it was deployed.")
    decision: Node | None = strawberry.field(description="The decision that says so; null where there is none.")


@strawberry.type(
    description="A stretch of time in which a deployment said that it served one model version in one role."
)
class DeploymentInterval:
    id: strawberry.ID = strawberry.field(description="Opaque id of the interval.")
    environment: str | None = strawberry.field(description="Stage of delivery, such as production.")
    endpoint: str | None = strawberry.field(description="Address that callers use.")
    role: str = strawberry.field(description="primary answers callers, canary answers some, shadow sees requests only.")
    share: float | None = strawberry.field(description="Part of the live traffic, 0 to 1; null where nobody said.")
    since: DateTime = strawberry.field(description="The first event that says so.")
    until: DateTime | None = strawberry.field(
        description="The end, not included; of an UNKNOWN interval the last word; null while it goes on."
    )
    state: ServiceState = strawberry.field(description="How it stands.")
    record: strawberry.Private[Served]
    cut: strawberry.Private[AsOf]

    @resolver("Whether the gate had allowed what served.")
    async def gate(self, info: Info) -> DeploymentGate:
        whole = AsOf(known=self.cut.known)  # a release goes back beyond the instant that was asked about
        found = await info.context.ask(whole, lambda reading: gated(reading, self.record))
        decided = await info.context.node(whole, found.decision) if found.decision else None
        return DeploymentGate(state=found.state, decision=node(decided, self.cut) if decided else None)

    @resolver("The service.")
    async def deployment(self, info: Info) -> Deployment | None:
        found = await self._node(info, self.record.job)
        return found if isinstance(found, Deployment) else None

    @resolver("The run of the service whose events say so.")
    async def run(self, info: Info) -> Run | None:
        found = await self._node(info, self.record.run)
        return found if isinstance(found, Run) else None

    @resolver("The model.")
    async def model(self, info: Info) -> Model | None:
        found = await self._node(info, self.record.model)
        return found if isinstance(found, Model) else None

    @resolver("The version that served.")
    async def model_version(self, info: Info) -> ModelVersion | None:
        found = await self._node(info, self.record.model_version)
        return found if isinstance(found, ModelVersion) else None

    @resolver("The first and the last entry of the log that say so.")
    async def events(self, info: Info, first: FirstEntries = None) -> list[LogEntry]:
        return await log_entries(info, self.cut, self.record.entries, first)

    async def _node(self, info: Info, wanted: str) -> Node | None:
        found = await info.context.node(self.cut, wanted)
        return node(found, self.cut) if found else None


@strawberry.type(description="One page of intervals of service.")
class DeploymentConnection(Connection[DeploymentInterval]):
    pass


INTERVALS: Listing[Served] = Listing("deployments", lambda interval: (interval.since, interval.id))


def interval_page(found: Iterable[Served], first: int | None, after: str | None) -> Page[Served]:
    return INTERVALS.page(found, first, after)


def connection(found: Page[Served], cut: AsOf) -> DeploymentConnection:
    made = found.connection(lambda each: interval(each, cut))
    return DeploymentConnection(
        edges=made.edges, nodes=made.nodes, page_info=made.page_info, total_count=made.total_count
    )


def interval(found: Served, cut: AsOf) -> DeploymentInterval:
    return DeploymentInterval(
        id=strawberry.ID(found.id),
        environment=found.environment,
        endpoint=found.endpoint,
        role=found.role,
        share=found.share,
        since=time(found.since),
        until=optional_time(found.until),
        state=ServiceState(found.state),
        record=found,
        cut=cut,
    )


Environment = Annotated[str | None, strawberry.argument(description="Only intervals in this environment.")]
