"""Walks: nodes and edges of a question, what was cut off, and what is not known."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Annotated, cast

import strawberry
from strawberry.types.nodes import FragmentSpread, InlineFragment, SelectedField, Selection

from catalog import model
from catalog.access import LogState
from catalog.model import AsOf, Basis, GapKind
from catalog_graphql.desk import Info
from catalog_graphql.enums import TransformationType, TruncationReason
from catalog_graphql.log import FirstEntries, LogEntry, Snapshot, log_entries, snapshot
from catalog_graphql.nodes import Node, class_of, node
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, optional_time
from catalog_graphql.unmade import Making, Unmade


@strawberry.type(description="One step by which a column was made from another (OpenLineage column lineage).")
class Transformation:
    type: TransformationType = strawberry.field(description="Whether values flowed, or only decided what flowed.")
    subtype: str | None = strawberry.field(description="The producer's closer word, such as IDENTITY or AGGREGATION.")
    masking: bool = strawberry.field(description="Whether the producer counts it as masking; hashing counts.")


@strawberry.type(description="Data flowed from one node to the other.")
class LineageEdge:
    from_: strawberry.ID = strawberry.field(name="from", description="Id of the node that the data came from.")
    to: strawberry.ID = strawberry.field(description="Id of the node that the data went to.")
    basis: Basis = strawberry.field(description="Why this is believed.")
    transformations: list[Transformation] = strawberry.field(description="How columns changed; empty at other grains.")
    first_seen: DateTime | None = strawberry.field(description="The first event that shows it.")
    last_seen: DateTime | None = strawberry.field(description="The last event that shows it.")
    runs: int | None = strawberry.field(
        description="At JOB grain the number of runs that show it; null elsewhere, and where valid is given."
    )
    stale: bool | None = strawberry.field(
        description="At JOB grain whether the job's last three successful runs left it out; null elsewhere."
    )
    entries: strawberry.Private[tuple[int, ...]]
    cut: strawberry.Private[AsOf]

    @resolver("Entries of the log that say so, the earliest first.")
    async def events(self, info: Info, first: FirstEntries = None) -> list[LogEntry]:
        return await log_entries(info, self.cut, self.entries, first)


@strawberry.type(description="That a walk stopped early.")
class Truncation:
    reason: TruncationReason = strawberry.field(description="Why.")
    omitted: int = strawberry.field(description="How many nodes were seen at the border and left out.")


@strawberry.type(description="Something within the answer that is not known.")
class Gap:
    kind: GapKind = strawberry.field(description="What kind of thing.")
    node: strawberry.ID = strawberry.field(description="Id of the node that it concerns.")
    reason: str = strawberry.field(description="What exactly, in words.")


@strawberry.type(description="The answer of a walk: nodes by their distance from the root, and the flows between them.")
class LineageGraph:
    root: Node = strawberry.field(description="The node that was asked about.")
    nodes: list[Node] = strawberry.field(
        description="All nodes, nearest first; at RUN grain a dataset is its current version, a job its latest run."
    )
    edges: list[LineageEdge] = strawberry.field(description="All flows between them; every edge points with the data.")
    depth_reached: int = strawberry.field(
        description="Hops from the root to the farthest node; one hop is one run or job."
    )
    truncated: Truncation | None = strawberry.field(description="Where the walk stopped early; null where all is here.")
    gaps: list[Gap] = strawberry.field(description="What is not known, by kind.")
    snapshot: Snapshot = strawberry.field(description="The state that all of this was read from.")


@strawberry.type(description="One way by which data gets from a node to another.")
class LineagePath:
    nodes: list[Node] = strawberry.field(description="The nodes on the way, both ends included.")
    edges: list[LineageEdge] = strawberry.field(description="The flows between them, in order.")


Depth = Annotated[int, strawberry.argument(description="How many hops, 0 to 100. One hop is one run or job.")]
Limit = Annotated[int, strawberry.argument(description="How many nodes at most, 1 to 10000.")]
Indirect = Annotated[
    bool, strawberry.argument(description="At FIELD grain: also what only filtered, joined, grouped or sorted.")
]
History = Annotated[
    bool,
    strawberry.argument(
        description="At RUN grain: also the jobs that fed what a version still holds of earlier writes."
    ),
]


_OF_NODES = frozenset({"root", "nodes"})
_NAMING = frozenset(
    {"__typename", "id", "kind", "namespace", "name", "version", "runId", "path"}  # what names a node
    | {"dataset", "model", "job", "facets"}  # what is asked for by its id or its parent's
)


def asks_only_names(info: Info) -> bool:
    """Whether a question for a `LineageGraph` asks nothing of nodes that takes more than naming them.

    To tell how versions and runs stand costs as much as the walk to them.
    """
    asked = [each for top in info.selected_fields for each in _fields(top.selections)]
    below = (each for field in asked if field.name in _OF_NODES for each in _fields(field.selections))
    return all(field.name in _NAMING for field in below)


def _fields(selections: Iterable[Selection]) -> Iterator[SelectedField]:
    """All fields of a selection, whatever their conditions and in whatever fragment."""
    for each in selections:
        if isinstance(each, InlineFragment | FragmentSpread):
            yield from _fields(each.selections)
        else:
            yield each


def lineage_graph(found: model.LineageGraph, cut: AsOf, state: LogState) -> LineageGraph:
    return LineageGraph(
        root=node(found.root, cut),
        nodes=cast(list[Node], Unmade(found.nodes, Making(partial(node, cut=cut), class_of, _OF_NODE))),
        edges=cast(list[LineageEdge], Unmade(found.edges, Making(partial(_edge, cut=cut), _class_of_edge, _OF_EDGE))),
        depth_reached=found.depth_reached,
        truncated=_truncation(found.truncated),
        gaps=[Gap(kind=gap.kind, node=strawberry.ID(gap.node), reason=gap.reason) for gap in found.gaps],
        snapshot=snapshot(state, optional_time(found.valid), found.known),
    )


_OF_NODE = {name: name for name in ("id", "kind", "namespace", "name")}
_OF_EDGE = {"from_": "source", "to": "target"} | {
    name: name for name in ("basis", "first_seen", "last_seen", "runs", "stale")
}


def _class_of_edge(edge: model.LineageEdge) -> type[LineageEdge]:
    return LineageEdge


def lineage_path(found: model.LineagePath, described: dict[str, model.Node], cut: AsOf) -> LineagePath:
    return LineagePath(
        nodes=[node(described[each], cut) for each in found.nodes],
        edges=[_edge(each, cut) for each in found.edges],
    )


def _edge(found: model.LineageEdge, cut: AsOf) -> LineageEdge:
    return LineageEdge(
        from_=strawberry.ID(found.source),
        to=strawberry.ID(found.target),
        basis=found.basis,
        transformations=[_transformation(each) for each in found.transformations],
        first_seen=optional_time(found.first_seen),
        last_seen=optional_time(found.last_seen),
        runs=found.runs,
        stale=found.stale,
        entries=found.entries,
        cut=cut,
    )


def _transformation(found: model.Transformation) -> Transformation:
    return Transformation(type=TransformationType(found.type), subtype=found.subtype, masking=found.masking)


def _truncation(found: model.Truncation | None) -> Truncation | None:
    return Truncation(reason=TruncationReason(found.reason), omitted=found.omitted) if found else None
