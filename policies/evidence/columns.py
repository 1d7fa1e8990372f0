"""Labelled columns that reach the model, and how.

FIELD grain follows what producers say of columns. Where an output says nothing of its columns, every column of what it
was made from may be in every one of it: such steps are taken as a whole, from the inputs at RUN grain, so that silence
never hides a column. Which columns such an input had is told by the write of that very version, where it says: FIELD
grain knows those that the dataset has today, and a later write must neither hide a column of a version nor add one.
INDIRECT ways count as others do. A column is *masked* when every way from it has a step with masking; what that is
worth for its label, the controls decide.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from catalog.identity import NodeKind, field_id
from catalog.lineage.columns import schema_paths
from catalog.model import Basis, Grain, LineageEdge, Node
from catalog.reading import Reading, Walk
from catalog.reported import only
from policies.evidence.data import Data
from policies.evidence.tags import is_sensitive
from policies.evidence.upstream import MODELS, PASSING, Upstream
from policies.verdict import Witness


@dataclass(frozen=True, slots=True)
class Column:
    """A labelled column with its shortest way down to the model: node ids, what each step did, and log entries."""

    id: str
    dataset: Node
    field: str
    labels: tuple[str, ...]
    path: tuple[str, ...]
    transformations: tuple[str, ...]
    masked: bool
    entries: tuple[int, ...]

    @property
    def witness(self) -> Witness:
        return Witness(self.path, self.entries)


@dataclass(frozen=True, slots=True)
class _Step:
    """Data flows on to `target`; `clear` where nothing masks it."""

    target: str
    clear: bool
    told: tuple[str, ...] = ()
    entries: tuple[int, ...] = ()


class Columns:
    """Follows columns from where they are labelled. `data` are the datasets and versions behind the model."""

    def __init__(self, reading: Reading, upstream: Upstream, data: Data, *, depth: int, rows: int) -> None:
        self._reading = reading
        self._upstream = upstream
        self._data = data
        self._depth, self._rows = depth, rows
        self._steps: dict[str, list[_Step]] = {}
        self._fields: dict[str, Node] = {}
        self._datasets: dict[str, Node] = {}
        self._walked: set[str] = set()
        self._written: dict[str, frozenset[str] | None] = {}
        self.truncated = False
        self._tell_whole_steps(self._follow())

    # What flows where ------------------------------------------------------------------------------------------

    def _follow(self) -> set[str]:
        """Walk from the model, and from each version that is taken as a whole; these are returned."""
        whole: set[str] = set()
        self._walk([self._upstream.root])
        fresh = self._inputs_of_silent({self._upstream.root})
        while fresh:
            whole |= fresh
            self._walk(self._unwalked(sorted(fresh)))
            self._walk(field for node in sorted(fresh) for field in self._lost_since(node))
            fresh = self._inputs_of_silent(whole | self._touched) - whole
        return whole

    def _unwalked(self, nodes: Iterable[str]) -> Iterator[str]:
        for node in nodes:
            if not self._is_walked_through(node):
                self._walked.add(node)
                yield node

    @property
    def _touched(self) -> set[str]:
        """Versions at RUN grain of which some column reaches the model."""
        reached = {node.parent for node in self._fields.values()}
        return {node.id for node in self._upstream.nodes.values() if (node.parent or node.id) in reached}

    def _is_walked_through(self, node: str) -> bool:
        """Whether a walk from a model met all columns of this input of it, and went on from these.

        FIELD grain follows each version of a model, of other datasets one run of each structure.
        """
        onward = self._upstream.leaving(node)
        readers = [edge.target for edge in onward if edge.basis is not Basis.ROLLUP]
        made = {edge.target for run in readers for edge in self._upstream.leaving(run)} & self._walked
        silent = any(self._upstream.nodes[each].kind in MODELS and not self.tells(each) for each in made)
        return silent and len(readers) == len(onward) and self.tells(node)

    def _walk(self, nodes: Iterable[str]) -> None:
        """From all of these at once: most of what is behind one is behind another too."""
        starts = list(nodes)
        self._walked.update(starts)
        wanted = Walk(depth=self._depth, grain=Grain.FIELD, limit=self._rows)
        walked = self._reading.lineage_of_all(starts, wanted)
        if walked is None:
            return
        self.truncated |= walked.truncated is not None
        self._fields |= {each.id: each for each in (walked.root, *walked.nodes) if each.kind is NodeKind.FIELD}
        for edge in walked.edges:
            if not self._was_there(edge.source, edge.target):
                continue
            step = _Step(edge.target, not _masks(edge), _told(edge), edge.entries)
            if step not in self._steps.setdefault(edge.source, []):
                self._steps[edge.source].append(step)

    # What versions had -----------------------------------------------------------------------------------------

    def _lost_since(self, node: str) -> Iterator[str]:
        """The columns that a version had when it was written, and that its dataset may have lost since."""
        described = self._upstream.nodes[node]
        for path in sorted(self.written(described) or ()):
            field = field_id(described.parent or "", path)
            if field not in self._fields and self._reading.node(field) is not None:
                yield field

    def written(self, version: Node) -> frozenset[str] | None:
        """The columns that the write of a version says it has, in schema or columnLineage; None without a schema.

        A version that holds rows of earlier writes may have their columns too, so nothing is known of it here.
        """
        if version.id not in self._written:
            self._written[version.id] = self._told_by_write(version)
        return self._written[version.id]

    def _told_by_write(self, version: Node) -> frozenset[str] | None:
        if version.kind is not NodeKind.DATASET_VERSION or version.continues is not None:
            return None
        uses = [
            (event, use.bundle)
            for maker in self._reading.producers(version.id)
            for event in self._reading.run_events(maker.id)
            for use in event.outputs
            if use.dataset == version.parent and use.version in (None, version.label)
        ]
        told = {facet.name: facet for facet in self._reading.said(uses, ["schema", "columnLineage"])}
        if "schema" not in told:
            return None
        mapped = only([told["columnLineage"]] if "columnLineage" in told else []).get("fields")
        return frozenset(schema_paths(told["schema"].body.encode())).union(
            mapped if isinstance(mapped, Mapping) else ()
        )

    def _was_there(self, source: str, target: str) -> bool:
        """Whether a column can have flowed into a whole version: some input of its makers had it, or may have had."""
        field, version = self._fields.get(source), self._upstream.nodes.get(target)
        if field is None or version is None or version.kind in PASSING:
            return True
        read = [
            self._upstream.nodes[edge.source]
            for maker in self._upstream.makers(target)
            for edge in self._upstream.into(maker.id)
        ]
        columns = [self.written(each) for each in read if (each.parent or each.id) == field.parent]
        return not columns or any(had is None or field.label in had for had in columns)

    def _inputs_of_silent(self, nodes: Iterable[str]) -> set[str]:
        """What those of these were made from that say nothing of their columns."""
        return {
            edge.source
            for node in nodes
            if not self.tells(node)
            for maker in self._upstream.into(node)
            for edge in (
                self._upstream.into(maker.source) if self._upstream.nodes[maker.source].kind in PASSING else [maker]
            )
            if self._upstream.nodes[edge.source].kind not in PASSING
        }

    def _tell_whole_steps(self, whole: set[str]) -> None:
        """Each column of a version that is taken as a whole flows into it, and it flows down at RUN grain."""
        for node in sorted(whole):
            for column in self._columns_of(self._upstream.nodes[node]):
                self._steps.setdefault(column, []).append(_Step(node, True))
            down = self._upstream.witness(node)
            for here, there in zip(down.nodes, down.nodes[1:], strict=False):
                step = _Step(there, True, (), down.entries)
                if step not in self._steps.setdefault(here, []):
                    self._steps[here].append(step)

    def _columns_of(self, node: Node) -> list[str]:
        """The columns that the walks met, and those that are labelled, which need no schema."""
        dataset, had = node.parent or node.id, self.written(node)
        met = {field.label for field in self._fields.values() if field.parent == dataset}
        paths = {path for path in met if path} | {field for field, _ in self._labelled(node)}
        return sorted(field_id(dataset, path) for path in paths if had is None or path in had)

    # What producers say of columns -----------------------------------------------------------------------------

    def tells(self, node: str) -> bool:
        """Whether what made a version says where its columns come from."""
        described = self._upstream.nodes[node]
        if described.kind in (NodeKind.DATASET, NodeKind.MODEL):
            return bool(only(self._reading.facets(node, ["columnLineage"])).get("fields"))
        return any(
            use.column_lineage is not None or any(source.field for source in use.sources or ())
            for maker in self._upstream.makers(node)
            if maker.kind is NodeKind.RUN
            for event in self._reading.run_events(maker.id)
            for use in event.outputs
            if use.dataset == described.parent and use.version in (None, described.label)
        )

    def coverage(self, versions: Iterable[Node]) -> float:
        """The part of the derived versions among these that say where their columns come from; 1 where none is."""
        derived = [
            node.id
            for node in versions
            if node.kind is NodeKind.DATASET_VERSION
            and any(self._upstream.into(maker.id) for maker in self._upstream.makers(node.id))
        ]
        return sum(map(self.tells, derived)) / len(derived) if derived else 1.0

    # Answers ---------------------------------------------------------------------------------------------------

    @cached_property
    def found(self) -> list[Column]:
        """The labelled columns that reach the model, by id."""
        clear = self._reaching(clear_only=True)
        ways = self._reaching(clear_only=False)
        found = {}
        for dataset in self._labelled_datasets():
            for field, labels in self._labelled(dataset):
                column = field_id(dataset.parent or dataset.id, field)
                if column in ways and column not in found:
                    found[column] = self._column(column, dataset, field, labels, ways, column not in clear)
        return [found[column] for column in sorted(found)]

    @property
    def datasets(self) -> frozenset[str]:
        """Every dataset with a column on the way."""
        return frozenset(node.parent for node in self._fields.values() if node.parent) | frozenset(self._datasets)

    @property
    def jobs(self) -> frozenset[str]:
        """Every job that says something of these columns."""
        told = {entry for steps in self._steps.values() for step in steps for entry in step.entries}
        return frozenset(event.job for event in self._reading.entries(told) if event.job)

    def _labelled_datasets(self) -> list[Node]:
        """Datasets behind the model at either grain, by id."""
        ids = {node.parent for node in self._fields.values() if node.parent}
        ids |= {n.parent or n.id for n in self._upstream.nodes.values() if n.kind not in PASSING | MODELS}
        self._datasets = self._reading.describe(sorted(ids))
        return [node for _, node in sorted(self._datasets.items())]

    def _labelled(self, node: Node) -> list[tuple[str, tuple[str, ...]]]:
        if node.kind in MODELS:
            return []
        found = self._data.labels_of(node).columns
        return [(field, labels) for field, labels in found.items() if any(map(is_sensitive, labels))]

    def _reaching(self, *, clear_only: bool) -> Mapping[str, _Step]:
        """For each node from which the model is reached the first step of a shortest way; ties by node id."""
        back: dict[str, list[tuple[str, _Step]]] = {}
        for source, steps in self._steps.items():
            for step in steps:
                if step.clear or not clear_only:
                    back.setdefault(step.target, []).append((source, step))
        found: dict[str, _Step] = {}
        queue = deque(self._sinks())
        sinks = set(queue)
        while queue:
            target = queue.popleft()
            for source, step in sorted(back.get(target, ()), key=lambda pair: (pair[0], pair[1].told, pair[1].entries)):
                if source not in found and source not in sinks:
                    found[source] = step
                    queue.append(source)
        return found

    def _sinks(self) -> list[str]:
        """The version, and the columns of the model where it has any."""
        model = self._upstream.nodes[self._upstream.root].parent
        own = sorted(each.id for each in self._fields.values() if each.parent == model)
        return [self._upstream.root, *own]

    def _column(
        self, column: str, dataset: Node, field: str, labels: tuple[str, ...], ways: Mapping[str, _Step], masked: bool
    ) -> Column:
        path: list[str] = [column]
        told: list[str] = []
        entries: set[int] = set()
        while path[-1] in ways:
            step = ways[path[-1]]
            path.append(step.target)
            told += step.told
            entries.update(step.entries)
        if path[-1] != self._upstream.root:
            path.append(self._upstream.root)
        return Column(column, dataset, field, labels, tuple(path), tuple(told), masked, tuple(sorted(entries)))


def _masks(edge: LineageEdge) -> bool:
    """Whether all that a step does to a column masks it."""
    return bool(edge.transformations) and all(each.masking for each in edge.transformations)


def _told(edge: LineageEdge) -> tuple[str, ...]:
    return tuple(
        each.type + (f"/{each.subtype}" if each.subtype else "") + (" masking" if each.masking else "")
        for each in edge.transformations
    )
