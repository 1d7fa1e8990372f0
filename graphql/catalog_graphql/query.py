"""The questions that can be put."""

from typing import Annotated

import strawberry

from catalog import model, prediction
from catalog.access import LogState
from catalog.act import Act
from catalog.identity import NodeKind
from catalog.model import Direction, Grain
from catalog.principal import Scope
from catalog.reading import Reading, Walk
from catalog_graphql import inputs
from catalog_graphql.bindings import PolicyBinding, policy_bindings
from catalog_graphql.compliance import Compliance
from catalog_graphql.connection import After, Connection, First, Page, checked_first
from catalog_graphql.decisions import DECISIONS, Decision, DecisionConnection, chosen, decision
from catalog_graphql.desk import Info
from catalog_graphql.erasure_cases import CaseQuestions
from catalog_graphql.erasures import ErasureQuestions
from catalog_graphql.findings import Overview
from catalog_graphql.lineage import (
    Depth,
    History,
    Indirect,
    Limit,
    LineageGraph,
    LineagePath,
    asks_only_names,
    lineage_graph,
    lineage_path,
)
from catalog_graphql.log import LogStatus, log_status, snapshot
from catalog_graphql.nodes import MODELS, NODES, Model, Node, common, node
from catalog_graphql.packs import PolicyPack, policy_packs
from catalog_graphql.releases import Timeline
from catalog_graphql.replays import Replaying
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, micros, time_of
from catalog_graphql.service import DeploymentConnection, Environment, connection, interval_page
from catalog_graphql.statements import Vocabulary
from catalog_graphql.trace import PredictionTrace, prediction_trace
from catalog_graphql.unknowns import Unknowns
from catalog_graphql.verdicts import PolicyReport, report
from catalog_graphql.viewer import Identity

At = Annotated[inputs.AsOf | None, strawberry.argument(description="The point in both times; left out: now.")]
AtLeast = Annotated[
    str | None,
    strawberry.argument(
        description="The token of a write that the answer must know: it waits, or fails as STALE_PROJECTION."
    ),
]
_PATHS = 5


@strawberry.type(description="Questions. Each is answered from one state of the graph.")
class Query(
    Overview,
    Compliance,
    Unknowns,
    Timeline,
    Replaying,
    Vocabulary,
    Identity,
    ErasureQuestions,
    CaseQuestions,
):
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
        wanted = Walk(direction, depth, grain, limit, indirect, history, named=asks_only_names(info))
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

    @resolver("Policy packs in force then, and those that come with Lineward.")
    async def policy_packs(self, info: Info, at: At = None) -> list[PolicyPack]:
        wanted, desk = inputs.as_of(at), info.context
        desk.principal.require(Scope.POLICY_READ)
        instant = desk.now() if wanted.valid is None else wanted.valid
        _, found = await desk.open(wanted, None, lambda reading: policy_packs(reading, instant))
        return found

    @resolver("Policy bindings in force then.")
    async def policy_bindings(self, info: Info, at: At = None) -> list[PolicyBinding]:
        wanted, desk = inputs.as_of(at), info.context
        desk.principal.require(Scope.POLICY_READ)
        instant = desk.now() if wanted.valid is None else wanted.valid
        _, found = await desk.open(wanted, None, lambda reading: policy_bindings(reading, instant))
        return found

    @resolver("What the policies say of a target, now or as of then, without a decision.")
    async def evaluate(
        self,
        info: Info,
        target: Annotated[inputs.NodeRef, strawberry.argument(description="What is judged.")],
        packs: Annotated[
            list[str] | None, strawberry.argument(description="Packs to add to those that the bindings choose.")
        ] = None,
        environment: Annotated[
            str | None, strawberry.argument(description="The environment, whose bindings choose the packs.")
        ] = None,
        at: At = None,
        at_least: AtLeast = None,
    ) -> PolicyReport:
        desk, wanted, reference = info.context, inputs.as_of(at), inputs.reference(target)

        def work() -> PolicyReport:
            judged = desk.governance.gate.evaluate(
                desk.principal,
                reference,
                packs=packs or (),
                environment=environment,
                as_of=wanted,
                at_least=at_least,
            )
            cut = model.AsOf(wanted.valid, judged.known)
            state = desk.sources.access.log_state()
            valid = None if wanted.valid is None else time_of(wanted.valid)
            evidence = judged.built.bytes.decode()
            return report(judged.report, judged.requester, evidence, cut, snapshot(state, valid, judged.known))

        return await desk.in_thread(work)

    @resolver("Decisions of the gate, the latest first.")
    async def decisions(
        self,
        info: Info,
        target: Annotated[
            inputs.NodeRef | None, strawberry.argument(description="Only on this target; left out: all.")
        ] = None,
        environment: Annotated[str | None, strawberry.argument(description="Only for this environment.")] = None,
        at: At = None,
        first: First = None,
        after: After = None,
    ) -> DecisionConnection:
        wanted = inputs.reference(target) if target else None
        info.context.principal.require(Scope.POLICY_READ)

        def question(reading: Reading) -> Page[Act]:
            found = reading.find(wanted) if wanted else None
            none = wanted is not None and found is None
            listed = () if none else chosen(reading, found.id if found else None, environment)
            return DECISIONS.page(listed, first, after)

        cut, page = await info.context.open(inputs.as_of(at), None, question)
        made = page.connection(lambda act: decision(act, cut))
        return DecisionConnection(
            edges=made.edges, nodes=made.nodes, page_info=made.page_info, total_count=made.total_count
        )

    @resolver("One decision; null where there is none with that id.")
    async def decision(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")],  # noqa: A002
    ) -> Decision | None:
        info.context.principal.require(Scope.POLICY_READ)
        cut, act = await info.context.open(model.AsOf(), None, lambda reading: reading.act(str(id)))
        return decision(act, cut) if act is not None and act.verb == "decide" else None

    @resolver("The log, and how far the graph has come.")
    async def log(self, info: Info) -> LogStatus:
        return await log_status(info.context)
