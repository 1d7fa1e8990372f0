"""Nodes of the graph: one interface, and a type for each kind with what that kind knows."""

from typing import TYPE_CHECKING, Annotated, TypedDict

import strawberry

from catalog import model
from catalog.identity import ACTS, NodeKind, structure
from catalog.model import AsOf
from catalog.reading import Reading
from catalog.reported import code_of, evaluations_of, parameters_of
from catalog_graphql import facts
from catalog_graphql.connection import After, Connection, First, Listing, Page
from catalog_graphql.desk import Info
from catalog_graphql.enums import NodeState
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, optional_time

if TYPE_CHECKING:
    from catalog_graphql.acts import Approval, Attestation, Waiver
    from catalog_graphql.service import DeploymentConnection

FacetNames = Annotated[
    list[str] | None, strawberry.argument(description="Only facets with these names; left out: all.")
]


@strawberry.interface(description="Anything in the graph. Ids are opaque and stay the same for ever.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque id.")
    kind: NodeKind = strawberry.field(description="What the node is.")
    namespace: str | None = strawberry.field(description="Namespace as its producers write it.")
    name: str = strawberry.field(
        description="Name: of a version or column that of its dataset, of a run that of its job."
    )
    record: strawberry.Private[model.Node]
    cut: strawberry.Private[AsOf]

    @resolver("Facets in force on the node; of a run or version those of its events.")
    async def facets(self, info: Info, names: FacetNames = None) -> list[facts.Facet]:
        found = await info.context.ask(self.cut, lambda reading: reading.facets(self.record.id, names))
        return [facts.facet(each) for each in found]


@strawberry.type(description="Data under a name: a table, a file, a topic.")
class Dataset(Node):
    @resolver("What people stated about it, the earliest first; withdrawn and expired statements too.")
    async def attestations(self, info: Info) -> list[Annotated["Attestation", strawberry.lazy("catalog_graphql.acts")]]:
        from catalog_graphql.acts import attestations_of

        return await attestations_of(info, self)

    @resolver("Its versions, the latest first.")
    async def versions(self, info: Info, first: First = None, after: After = None) -> Connection["DatasetVersion"]:
        page = await info.context.ask(self.cut, lambda reading: _versions(reading, self.record.id, first, after))
        return page.connection(lambda found: DatasetVersion(**common(found, self.cut)))

    @resolver("The version that a reader sees; null where none is current.")
    async def current_version(self, info: Info) -> "DatasetVersion | None":
        found = await info.context.ask(self.cut, lambda reading: _current(reading, self.record.id))
        return DatasetVersion(**common(found, self.cut)) if found else None


@strawberry.type(description="A dataset that holds a model, such as an entry of a model registry.")
class Model(Node):
    @resolver("What people stated about it, the earliest first; withdrawn and expired statements too.")
    async def attestations(self, info: Info) -> list[Annotated["Attestation", strawberry.lazy("catalog_graphql.acts")]]:
        from catalog_graphql.acts import attestations_of

        return await attestations_of(info, self)

    @resolver("Its versions, the latest first.")
    async def versions(self, info: Info, first: First = None, after: After = None) -> Connection["ModelVersion"]:
        page = await info.context.ask(self.cut, lambda reading: _versions(reading, self.record.id, first, after))
        return page.connection(lambda found: ModelVersion(**common(found, self.cut)))

    @resolver("The version registered last; null where none is current.")
    async def current_version(self, info: Info) -> "ModelVersion | None":
        found = await info.context.ask(self.cut, lambda reading: _current(reading, self.record.id))
        return ModelVersion(**common(found, self.cut)) if found else None


@strawberry.type(description="What one write left in a dataset.")
class DatasetVersion(Node):
    @resolver("What people stated about it, the earliest first; withdrawn and expired statements too.")
    async def attestations(self, info: Info) -> list[Annotated["Attestation", strawberry.lazy("catalog_graphql.acts")]]:
        from catalog_graphql.acts import attestations_of

        return await attestations_of(info, self)

    @resolver("Name of the version: its producer's, or made from its run.")
    def version(self) -> str:
        return self.record.label or ""

    @resolver("How it stands.")
    def state(self) -> NodeState:
        return NodeState(self.record.state or "DECLARED")

    @resolver("When its write began.")
    def started(self) -> DateTime | None:
        return optional_time(self.record.started)

    @resolver("When it became current; null if it never did.")
    def current(self) -> DateTime | None:
        return optional_time(self.record.ended)

    @resolver("What it still holds of earlier writes; null where it replaced everything.")
    def continues(self) -> facts.Continues | None:
        return facts.continues(self.record.continues)

    @resolver("What its write said of the dataset, such as its schema then; facets tell what is in force now.")
    async def written(self, info: Info, names: FacetNames = None) -> list[facts.Facet]:
        found = await info.context.ask(self.cut, lambda reading: _written(reading, self.record, names))
        return [facts.facet(each) for each in found]

    @resolver("The dataset that it is a version of.")
    async def dataset(self, info: Info) -> Dataset | None:
        found = await _parent(info, self)
        return found if isinstance(found, Dataset) else None

    @resolver("The runs that wrote it, the earliest first.")
    async def producers(self, info: Info) -> list["Run"]:
        return await _producers(info, self)


@strawberry.type(description="One version of a model.")
class ModelVersion(Node):
    @resolver("Name of the version: the registry's, or made from its run.")
    def version(self) -> str:
        return self.record.label or ""

    @resolver("How it stands. Whether it serves is told by deployments.")
    def state(self) -> NodeState:
        return NodeState(self.record.state or "DECLARED")

    @resolver("When its write began.")
    def started(self) -> DateTime | None:
        return optional_time(self.record.started)

    @resolver("When it became current; null if it never did.")
    def current(self) -> DateTime | None:
        return optional_time(self.record.ended)

    @resolver("The model that it is a version of.")
    async def model(self, info: Info) -> Model | None:
        found = await _parent(info, self)
        return found if isinstance(found, Model) else None

    @resolver("Which aliases it had in its registry when, the earliest first (facet lineward_registry).")
    async def aliases(self, info: Info) -> list[facts.RegistryAlias]:
        found = await info.context.ask(self.cut, lambda reading: reading.aliases(self.record.id))
        return [facts.registry_alias(each) for each in found]

    @resolver("The runs that made it, the earliest first: its training runs.")
    async def producers(self, info: Info) -> list["Run"]:
        return await _producers(info, self)

    @resolver("Approvals of it, the earliest first; revoked and expired ones too.")
    async def approvals(self, info: Info) -> list[Annotated["Approval", strawberry.lazy("catalog_graphql.acts")]]:
        from catalog_graphql.acts import approvals_of

        return await approvals_of(info, self)

    @resolver("Waivers of controls on it, the earliest first; proposed, revoked and expired ones too.")
    async def waivers(self, info: Info) -> list[Annotated["Waiver", strawberry.lazy("catalog_graphql.acts")]]:
        from catalog_graphql.acts import waivers_of

        return await waivers_of(info, self)

    @resolver("What people stated about it, the earliest first; withdrawn and expired statements too.")
    async def attestations(self, info: Info) -> list[Annotated["Attestation", strawberry.lazy("catalog_graphql.acts")]]:
        from catalog_graphql.acts import attestations_of

        return await attestations_of(info, self)

    @resolver("What runs that read this version measured of it, the earliest first.")
    async def evaluations(self, info: Info) -> list["Evaluation"]:
        found = await info.context.ask(self.cut, lambda reading: evaluations_of(reading, self.record.id))
        return [
            Evaluation(
                run=Run(**common(each.run, self.cut)),
                kind=each.kind,
                metrics=[facts.metric(metric) for metric in each.metrics],
            )
            for each in found
        ]


@strawberry.type(description="A run's measurements of a model version (facet lineward_evaluation).")
class Evaluation:
    run: "Run" = strawberry.field(description="The run that measured.")
    kind: str | None = strawberry.field(description="What was examined, such as performance or bias.")
    metrics: list[facts.Metric] = strawberry.field(description="The numbers.")


@strawberry.type(description="A column of a dataset.")
class Field(Node):
    @resolver("Path of the column; nested ones are joined by dots.")
    def path(self) -> str:
        return self.record.label or ""

    @resolver("The dataset or model that has the column.")
    async def dataset(self, info: Info) -> Node | None:
        return await _parent(info, self)


@strawberry.type(description="Something that runs again and again under a name.")
class Job(Node):
    pass


@strawberry.type(description="A job that serves. What it served when are its intervals.")
class Deployment(Node):
    @resolver("What it served when, the earliest first.")
    async def intervals(
        self, info: Info, first: First = None, after: After = None
    ) -> Annotated["DeploymentConnection", strawberry.lazy("catalog_graphql.service")]:
        from catalog_graphql.service import connection, interval_page

        found = await info.context.ask(
            self.cut, lambda reading: interval_page(reading.deployments(job=self.record.id), first, after)
        )
        return connection(found, self.cut)


@strawberry.type(description="One execution of a job.")
class Run(Node):
    @resolver("The run's UUID, as its events name it.")
    def run_id(self) -> strawberry.ID:
        return strawberry.ID(self.record.label or "")

    @resolver("How it stands.")
    def state(self) -> NodeState:
        return NodeState(self.record.state or NodeState.UNREPORTED)

    @resolver("Time of its first event.")
    def started(self) -> DateTime | None:
        return optional_time(self.record.started)

    @resolver("Time of its terminal event.")
    def ended(self) -> DateTime | None:
        return optional_time(self.record.ended)

    @resolver("The job or deployment that ran.")
    async def job(self, info: Info) -> Node | None:
        return await _parent(info, self)

    @resolver("The run that this one is part of; one that never reported has the state UNREPORTED.")
    async def parent_run(self, info: Info) -> "Run | None":
        named = self.record.parent_run
        if named is None:
            return None
        found = await info.context.ask(self.cut, lambda reading: _run_named(reading, named))
        return Run(**common(found, self.cut)) if found else None

    @resolver("The code that ran, as the run's own events say; null where none does.")
    async def code(self, info: Info) -> facts.Code | None:
        found = await info.context.ask(self.cut, lambda reading: code_of(reading, self.record.id))
        return facts.code(found) if found else None

    @resolver("Its parameters, in the order reported.")
    async def parameters(self, info: Info) -> list[facts.Parameter]:
        found = await info.context.ask(self.cut, lambda reading: parameters_of(reading, self.record.id))
        return [facts.parameter(each) for each in found]


TYPES: dict[NodeKind, type[Node]] = {
    NodeKind.DATASET: Dataset,
    NodeKind.DATASET_VERSION: DatasetVersion,
    NodeKind.MODEL: Model,
    NodeKind.MODEL_VERSION: ModelVersion,
    NodeKind.FIELD: Field,
    NodeKind.JOB: Job,
    NodeKind.DEPLOYMENT: Deployment,
    NodeKind.RUN: Run,
}


ACT_TYPES: dict[str, type[Node]] = {}  # by verb; filled by the modules that define them, which need nodes themselves


def node(found: model.Node, cut: AsOf) -> Node:
    """The GraphQL object of a node; what lies below it is read at the cut."""
    return class_of(found)(**common(found, cut))


def class_of(found: model.Node) -> type[Node]:
    return ACT_TYPES.get(found.name, ACT_TYPES[""]) if found.kind in ACTS else TYPES[found.kind]


class Common(TypedDict):
    """The fields of the interface."""

    id: strawberry.ID
    kind: NodeKind
    namespace: str | None
    name: str
    record: model.Node
    cut: AsOf


def common(found: model.Node, cut: AsOf) -> Common:
    return {
        "id": strawberry.ID(found.id),
        "kind": found.kind,
        "namespace": found.namespace,
        "name": found.name,
        "record": found,
        "cut": cut,
    }


async def _parent(info: Info, child: Node) -> Node | None:
    found = await info.context.node(child.cut, child.record.parent) if child.record.parent else None
    return node(found, child.cut) if found else None


async def _producers(info: Info, version: Node) -> list[Run]:
    found = await info.context.ask(version.cut, lambda reading: reading.producers(version.record.id))
    return [Run(**common(run, version.cut)) for run in found]


def _written(reading: Reading, version: model.Node, names: list[str] | None) -> list[model.Facet]:
    uses = [
        (event, use.bundle)
        for maker in reading.producers(version.id)
        for event in reading.run_events(maker.id)
        for use in event.outputs
        if use.dataset == version.parent and use.version in (None, version.label)
    ]
    return reading.said(uses, names)


def _run_named(reading: Reading, named: str) -> model.Node | None:
    """A parent is named by its node, or by its UUID where it never reported."""
    if structure(named):
        return reading.node(named)
    return reading.find(model.NodeRef(run=named))


# Lists -------------------------------------------------------------------------------------------------------------

VERSIONS: Listing[model.Node] = Listing("versions", lambda n: (n.ended or n.started or "", n.id), descending=True)
NODES: Listing[model.Node] = Listing("nodes", lambda n: (n.name, n.id))
MODELS: Listing[model.Node] = Listing("models", lambda n: (n.namespace or "", n.name, n.id))


def _versions(reading: Reading, dataset: str, first: int | None, after: str | None) -> Page[model.Node]:
    return VERSIONS.page(reading.versions_of(dataset), first, after)


def _current(reading: Reading, dataset: str) -> model.Node | None:
    return next((found for found in reading.versions_of(dataset) if found.state == NodeState.CURRENT), None)
