"""The questions that can be put."""

from typing import Annotated

import strawberry

from catalog import model, prediction
from catalog.access import LogState
from catalog.identity import NodeKind
from catalog.model import Direction, Grain
from catalog.reading import Reading, Walk
from catalog_graphql import inputs
from catalog_graphql.connection import After, Connection, First, Page, checked_first
from catalog_graphql.desk import Info
from catalog_graphql.lineage import (
    Depth,
    History,
    Indirect,
    Limit,
    LineageGraph,
    LineagePath,
    lineage_graph,
    lineage_path,
)
from catalog_graphql.log import LogStatus, log_status
from catalog_graphql.nodes import MODELS, NODES, Model, Node, common, node
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, micros
from catalog_graphql.service import DeploymentConnection, Environment, connection, interval_page
from catalog_graphql.trace import PredictionTrace, prediction_trace

At = Annotated[inputs.AsOf | None, strawberry.argument(description="The point in both times; left out: now.")]
AtLeast = Annotated[
    str | None,
    strawberry.argument(
        description="The token of a write that the answer must know: it waits, or fails as STALE_PROJECTION."
    ),
]
_PATHS = 5


@strawberry.type(description="Questions. Each is answered from one state of the graph.")
class Query:
    @resolver("The node with an id; null where the graph, at that point, has none.")
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The id, from an earlier answer.")],  # noqa: A002
        at: At = None,
        at_least: AtLeast = None,
    ) -> Node | None:
        cut, found = await info.context.open(inputs.as_of(at), at_least, lambda reading: reading.node(str(id)))
        return node(found, cut) if found else None

    @resolver("The node with a name; null where the graph, at that point, has none.")
    async def find(
        self,
        info: Info,
        ref: Annotated[inputs.NodeRef, strawberry.argument(description="The name.")],
        at: At = None,
        at_least: AtLeast = None,
    ) -> Node | None:
        wanted = inputs.reference(ref)
        cut, found = await info.context.open(inputs.as_of(at), at_least, lambda reading: reading.find(wanted))
        return node(found, cut) if found else None

    @resolver("Nodes in whose name each word begins a part, in the order of their names.")
    async def search(
        self,
        info: Info,
        text: Annotated[str, strawberry.argument(description="Words; case does not matter.")],
        kinds: Annotated[
            list[NodeKind] | None,
            strawberry.argument(
                description="Only these kinds; left out: datasets, models, jobs, deployments, columns."
            ),
        ] = None,
        at: At = None,
        first: First = None,
        after: After = None,
    ) -> Connection[Node]:
        cut, page = await info.context.open(
            inputs.as_of(at), None, lambda reading: NODES.page(reading.search(text, kinds or ()), first, after)
        )
        return page.connection(lambda found: node(found, cut))

    @resolver("Where a node comes from, or what comes from it.")
    async def lineage(
        self,
        info: Info,
        of: Annotated[inputs.NodeRef, strawberry.argument(description="The node to start from.")],
        direction: Annotated[Direction, strawberry.argument(description="Which way.")] = Direction.UPSTREAM,
        depth: Depth = 5,
        grain: Annotated[Grain, strawberry.argument(description="What the nodes of the answer are.")] = Grain.RUN,
        limit: Limit = 500,
        indirect: Indirect = True,
        history: History = False,
        at: At = None,
        at_least: AtLeast = None,
    ) -> LineageGraph:
        wanted = Walk(direction, depth, grain, limit, indirect, history)
        start = inputs.reference(of)
        desk = info.context

        def question(reading: Reading) -> tuple[model.LineageGraph, LogState]:
            return reading.lineage(start, wanted), desk.sources.access.log_state()

        cut, (found, state) = await desk.open(inputs.as_of(at), at_least, question)
        return lineage_graph(found, cut, state)

    @resolver("The shortest ways for data from one node to another.")
    async def paths(
        self,
        info: Info,
        from_: Annotated[inputs.NodeRef, strawberry.argument(name="from", description="Where the data starts.")],
        to: Annotated[inputs.NodeRef, strawberry.argument(description="Where it arrives.")],
        at: At = None,
        first: Annotated[int, strawberry.argument(description="How many ways, at most 200.")] = _PATHS,
    ) -> list[LineagePath]:
        start, end, count = inputs.reference(from_), inputs.reference(to), checked_first(first)

        def question(reading: Reading) -> tuple[list[model.LineagePath], dict[str, model.Node]]:
            found = reading.paths(start, end, count)
            return found, reading.describe(each for path in found for each in path.nodes)

        cut, (found, described) = await info.context.open(inputs.as_of(at), None, question)
        return [lineage_path(each, described, cut) for each in found]

    @resolver("Models, in the order of their namespaces and names.")
    async def models(
        self,
        info: Info,
        filter: Annotated[  # noqa: A002
            inputs.ModelFilter | None, strawberry.argument(description="Which ones; left out: all.")
        ] = None,
        at: At = None,
        first: First = None,
        after: After = None,
    ) -> Connection[Model]:
        wanted = filter or inputs.ModelFilter()

        def question(reading: Reading) -> Page[model.Node]:
            return MODELS.page([each for each in reading.models() if wanted.accepts(each)], first, after)

        cut, page = await info.context.open(inputs.as_of(at), None, question)
        return page.connection(lambda found: Model(**common(found, cut)))

    @resolver("What served when, the earliest first; with at.valid only what served at that instant.")
    async def deployments(
        self,
        info: Info,
        environment: Environment = None,
        model: Annotated[
            inputs.NodeRef | None, strawberry.argument(description="Only this model, or this version of one.")
        ] = None,
        at: At = None,
        first: First = None,
        after: After = None,
    ) -> DeploymentConnection:
        wanted = inputs.reference(model) if model else None
        cut, page = await info.context.open(
            inputs.as_of(at),
            None,
            lambda reading: interval_page(reading.deployments(environment, wanted), first, after),
        )
        return connection(page, cut)

    @resolver("What stands behind one prediction, each part a node or an explicit unknown.")
    async def prediction(
        self,
        info: Info,
        deployment: Annotated[inputs.NodeRef, strawberry.argument(description="The service that was asked.")],
        request_id: Annotated[
            str | None, strawberry.argument(description="The request id; a UUIDv7 holds the time of the prediction.")
        ] = None,
        at: Annotated[
            DateTime | None,
            strawberry.argument(description="When it was made: needed where the request id is no UUIDv7."),
        ] = None,
    ) -> PredictionTrace | None:
        wanted, moment = inputs.reference(deployment), micros(at)
        cut, found = await info.context.open(
            model.AsOf(), None, lambda reading: prediction.trace(reading, wanted, request_id, moment)
        )
        return prediction_trace(found, cut)

    @resolver("The log, and how far the graph has come.")
    async def log(self, info: Info) -> LogStatus:
        return await log_status(info.context)
