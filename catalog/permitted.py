"""A reading for somebody who may not see everything: what they may not read is absent, and how much is told.

Whether a node may be seen follows from its namespace alone, however somebody came to its id: by name, by search, from
an edge or from an act. What is hidden is refused in the very words for what does not exist.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import msgspec

from catalog.act import Act
from catalog.errors import AmbiguousReferenceError, NotFoundError
from catalog.graph.contract import EdgeKind, GraphReader
from catalog.graph.record import DatasetUse, EventRecord
from catalog.identity import ACTS, NodeKind, base_version
from catalog.lineage.references import References
from catalog.lineage.trace import Kept
from catalog.lineage.versions import Versions
from catalog.lineage.view import GraphView
from catalog.lineage.walk import Walked
from catalog.model import DatasetRef, Deployment, Facet, Gap, GapKind, LineageGraph, Node, NodeRef
from catalog.principal import Principal, Scope
from catalog.reading import Reading


class PermittedReading(Reading):
    """Answers as `Reading` does, less what the principal has no `lineage:read` for."""

    def __init__(self, reader: GraphReader, principal: Principal, kept: Kept | None = None) -> None:
        super().__init__(reader, kept)
        self._sight = _Sight(reader, principal)
        self._references = _PermittedReferences(self._view, self._versions, self._sight)

    # Nodes -----------------------------------------------------------------------------------------------------

    def node(self, node: str) -> Node | None:
        return self._shown(super().node(node))

    def describe(self, ids: Iterable[str]) -> dict[str, Node]:
        return {node.id: node for node in self._seen(super().describe(ids).values())}

    def search(self, words: str, kinds: Sequence[NodeKind] = ()) -> list[Node]:
        return self._seen(super().search(words, kinds))

    def models(self) -> list[Node]:
        return self._seen(super().models())

    def unwritten(self) -> list[Node]:
        return self._seen(super().unwritten())

    def unended(self) -> tuple[list[Node], int, int]:
        """The numbers count what may not be seen as well: they tell how far back somebody looked."""
        found, examined, total = super().unended()
        return self._seen(found), examined, total

    def versions_of(self, dataset: str) -> list[Node]:
        return self._seen(super().versions_of(dataset))

    def producers(self, version: str) -> list[Node]:
        return [] if self._sight.hidden([version]) else self._seen(super().producers(version))

    def facets(
        self, node: str, names: Sequence[str] | None = None, *, said_by: Callable[[str], bool] | None = None
    ) -> list[Facet]:
        return [] if self._sight.hidden([node]) else super().facets(node, names, said_by=said_by)

    def run_events(self, run: str) -> list[EventRecord]:
        """The run's events, less the datasets that may not be seen."""
        if self._sight.hidden([run]):
            return []
        events = super().run_events(run)
        hidden = self._sight.hidden({use.dataset for event in events for use in _uses(event)})
        return [_without(event, hidden) for event in events]

    def entries(self, seqs: Iterable[int]) -> list[EventRecord]:
        """Whole events of which everything may be seen: their text tells all that is in them."""
        events = super().entries(seqs)
        hidden = self._sight.hidden({each for event in events for each in _named(event)})
        return [event for event in events if hidden.isdisjoint(_named(event))]

    def _shown(self, node: Node | None) -> Node | None:
        return next(iter(self._seen([node] if node else [])), None)

    def _seen(self, nodes: Iterable[Node]) -> list[Node]:
        """Those that may be seen, in their order, without parents that may not."""
        found = list(nodes)
        hidden = self._sight.hidden({each for node in found for each in (node.id, node.parent_run) if each})
        return [
            replace(node, parent_run=None) if node.parent_run in hidden else node
            for node in found
            if node.id not in hidden
        ]

    # Acts ------------------------------------------------------------------------------------------------------

    def acts(self, kind: NodeKind, target: str | None = None) -> list[Act]:
        """Acts about what may be seen; those about nothing in particular are for whoever has `policy:read`."""
        found = super().acts(kind, target)
        hidden = self._sight.hidden(act.id for act in found)
        return [act for act in found if act.id not in hidden]

    def act(self, node: str) -> Act | None:
        return None if self._sight.hidden([node]) else super().act(node)

    # Lineage ---------------------------------------------------------------------------------------------------

    def _answer(self, node: str, walked: Walked, *, named: bool = False) -> LineageGraph:
        """The walk without what may not be seen, and without what only that leads to."""
        hidden = self._sight.hidden(walked.distance)
        if not hidden:
            return super()._answer(node, walked, named=named)
        lost = _reached(walked, frozenset()) - _reached(walked, hidden)
        kept = {each: far for each, far in walked.distance.items() if each not in hidden and each not in lost}
        edges = {pair: flowing for pair, flowing in walked.edges.items() if kept.keys() >= set(pair)}
        gaps = {gap for gap in walked.gaps if gap.node in kept}
        gaps.add(Gap(GapKind.NOT_PERMITTED, node, _withheld(len(hidden))))
        return super()._answer(node, replace(walked, distance=kept, edges=edges, gaps=gaps), named=named)

    def deployments(
        self, environment: str | None = None, model: NodeRef | None = None, job: str | None = None
    ) -> list[Deployment]:
        """Intervals of which both the service and the model may be seen."""
        found = super().deployments(environment, model, job)
        hidden = self._sight.hidden({each for d in found for each in (d.job, d.model)})
        return [each for each in found if hidden.isdisjoint((each.job, each.model))]


class _Sight:
    """Which nodes a principal may see at one cut. Remembers what it found."""

    def __init__(self, reader: GraphReader, principal: Principal) -> None:
        self._reader = reader
        self._principal = principal
        self._known: dict[str, bool] = {}
        self._spaces: dict[str, bool] = {}

    def may(self, namespace: str) -> bool:
        if namespace not in self._spaces:
            self._spaces[namespace] = self._principal.may(Scope.LINEAGE_READ, namespace)
        return self._spaces[namespace]

    def hidden(self, ids: Iterable[str]) -> set[str]:
        """Those that exist and may not be seen."""
        wanted = set(ids)
        fresh = {base for each in wanted if (base := base_version(each)) not in self._known}
        for each, record in self._reader.nodes(fresh).items():
            bound = record.namespace or record.kind not in ACTS
            self._known[each] = self.may(record.namespace) if bound else self._may_see_act(each)
        return {each for each in wanted if not self._known.get(base_version(each), True)}

    def _may_see_act(self, act: str) -> bool:
        """One that says of no namespace: as the acts that it answers, else it is a policy's."""
        subjects = self._subjects(act)
        if not subjects:
            return self._principal.may(Scope.POLICY_READ)
        return all(self.may(namespace) for namespace in subjects)

    def _subjects(self, act: str) -> set[str]:
        """The namespaces of all that it answers; empty for a policy act."""
        passed, frontier = {act}, {act}
        while frontier:
            edges = self._reader.outgoing(EdgeKind.CONCERNS, frontier)
            frontier = {edge.target for found in edges.values() for edge in found} - passed
            passed |= frontier
        records = self._reader.nodes(base_version(each) for each in passed)
        return {record.namespace for record in records.values() if record.namespace}


class _PermittedReferences(References):
    """Names lead to nothing that may not be seen, and errors list nothing of it."""

    def __init__(self, view: GraphView, versions: Versions, sight: _Sight) -> None:
        super().__init__(view, versions)
        self._sight = sight
        self._runs_of = view.runs

    def id_of(self, reference: NodeRef) -> str:
        named = _name(reference)
        if named is not None and not self._sight.may(named.namespace):
            raise _unknown(f"{named.namespace} {named.name}")
        node = super().id_of(reference)
        if self._sight.hidden([node]):
            raise _no_run(reference.run) if reference.run is not None else _unknown(reference.id or node)
        return node

    def _run(self, uuid: str) -> str:
        runs = self._runs_of(uuid.lower())
        seen = [run for run in runs if self._sight.may(run.job_namespace)]
        if len(seen) == len(runs):
            return super()._run(uuid)
        if len(seen) == 1:
            return seen[0].id
        if not seen:
            raise _no_run(uuid)
        listed = ", ".join(f"{run.job_name} ({run.id})" for run in seen)
        raise AmbiguousReferenceError(
            f"Unrelated jobs report under the run id {uuid}: {listed}.", "Name the run by its node id."
        )


def _name(reference: NodeRef) -> DatasetRef | None:
    return reference.dataset or reference.model or reference.job or (reference.field[0] if reference.field else None)


def _unknown(shown: str) -> NotFoundError:
    return NotFoundError(f"Nothing known is called {shown}.", "Check the spelling with a search, or the as-of.")


def _no_run(uuid: str | None) -> NotFoundError:
    return NotFoundError(f"No run {uuid} is known.", "Check the id, or the as-of.")


def _withheld(count: int) -> str:
    nodes = "1 node lies" if count == 1 else f"{count} nodes lie"
    return f"{nodes} where you may not read; what only they lead to is left out"


def _reached(walked: Walked, hidden: Iterable[str]) -> set[str]:
    """What hangs together with the roots by edges between nodes that are not hidden."""
    closed = set(hidden)
    beside: dict[str, list[str]] = {}
    for source, target in walked.edges:
        beside.setdefault(source, []).append(target)
        beside.setdefault(target, []).append(source)
    frontier = [node for node, distance in walked.distance.items() if distance == 0 and node not in closed]
    reached = set(frontier)
    while frontier:
        node = frontier.pop()
        onward = [each for each in beside.get(node, ()) if each not in closed and each not in reached]
        reached.update(onward)
        frontier += onward
    return reached


def _uses(event: EventRecord) -> tuple[DatasetUse, ...]:
    return (*event.inputs, *event.outputs, *((event.subject,) if event.subject else ()))


def _named(event: EventRecord) -> set[str]:
    """Every dataset and job that the event's text names."""
    served = {each.dataset for each in event.serving.models} if event.serving else set()
    sources = {each for use in _uses(event) for source in use.sources or () for each in (source.dataset, source.job)}
    sources |= {each for source in event.sources or () for each in (source.dataset, source.job)}
    datasets = {
        each for use in _uses(event) for each in (use.dataset, use.renamed_from, *use.columns, *(use.aliases or ()))
    }
    return {each for each in {event.job, *served, *sources, *datasets} if each}


def _without(event: EventRecord, hidden: set[str]) -> EventRecord:
    if not hidden:
        return event
    return msgspec.structs.replace(
        event,
        inputs=tuple(use for use in event.inputs if use.dataset not in hidden),
        outputs=tuple(use for use in event.outputs if use.dataset not in hidden),
    )
