"""FIELD grain: columns, and the versions without column lineage that columns reach.

What a job says of columns is read from one run of each structure, as at JOB grain. An output that says nothing of its
columns (a model) is reached by every column of its inputs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalog.graph.contract import EdgeKind
from catalog.graph.record import DatasetUse, EventRecord
from catalog.identity import NodeKind, field_id, structure
from catalog.lineage.columns import ColumnLineage, column_lineage, schema_paths, stated_lineage
from catalog.lineage.jobgrain import JobGrain
from catalog.lineage.rungrain import RunGrain
from catalog.lineage.runs import Run
from catalog.lineage.versions import Versions
from catalog.lineage.view import GraphView
from catalog.lineage.walk import Expansion, Flowing
from catalog.model import Basis, Transformation


@dataclass(frozen=True, slots=True)
class ColumnFlow:
    """A column (or, as a whole, a version) made from a column. Ids; `whole` names an output without columns."""

    source: str
    target: str
    basis: Basis
    transformations: frozenset[Transformation]
    first: int
    last: int
    entry: int


class FieldGrain:
    def __init__(self, view: GraphView, versions: Versions, runs: RunGrain, jobs: JobGrain, *, indirect: bool) -> None:
        self._view = view
        self._versions = versions
        self._runs = runs
        self._jobs = jobs
        self._indirect = indirect
        self._flows: dict[str, list[ColumnFlow]] = {}
        self._columns: dict[str, tuple[str, ...]] = {}

    def roots(self, node: str) -> list[str]:
        """A column is its own root; a dataset stands for its columns, a model for its version."""
        if structure(node) is NodeKind.DATASET:
            return [*self._columns_of(node), self._versions.latest(node) or node]
        if structure(node) is NodeKind.DATASET_VERSION:
            owner = self._owner(node)
            return [*self._columns_of(owner), node]
        return [node]

    def upstream(self, nodes: Sequence[str]) -> Expansion:
        return self._expand(nodes, EdgeKind.PRODUCES, up=True)

    def downstream(self, nodes: Sequence[str]) -> Expansion:
        return self._expand(nodes, EdgeKind.CONSUMES, up=False)

    def _expand(self, nodes: Sequence[str], kind: EdgeKind, *, up: bool) -> Expansion:
        grown = Expansion()
        wanted = set(nodes)
        for job in self._neighbours({self._owner(node) for node in nodes}, kind):
            for flow in self._of_job(job):
                here, there = (flow.target, flow.source) if up else (flow.source, flow.target)
                if here in wanted:
                    grown.reached.add(there)
                    grown.edge(
                        flow.source,
                        flow.target,
                        Flowing(flow.basis, flow.first, flow.last, None, None, (flow.entry,), flow.transformations),
                    )
        return grown

    def _owner(self, node: str) -> str:
        if structure(node) is NodeKind.DATASET:
            return node
        record = self._view.reader.nodes((node.partition("~")[0],)).get(node.partition("~")[0])
        return record.owner if record and record.owner else node

    def _neighbours(self, datasets: set[str], kind: EdgeKind) -> list[str]:
        kinds = (kind,) if kind is EdgeKind.PRODUCES else (kind, EdgeKind.NAMES)
        found = {
            edge.source
            for each in kinds
            for edges in self._view.reader.incoming(each, datasets).values()
            for edge in edges
        }
        return sorted(found)

    # What a job says of columns --------------------------------------------------------------------------------

    def _of_job(self, job: str) -> list[ColumnFlow]:
        if job not in self._flows:
            flows: dict[tuple[str, str, Basis], ColumnFlow] = {}
            for run in self._runs_that_tell(job):
                for flow in self._of_run(run):
                    flows.setdefault((flow.source, flow.target, flow.basis), flow)
            self._flows[job] = list(flows.values())
        return self._flows[job]

    def _runs_that_tell(self, job: str) -> list[Run]:
        """One run of each structure, and every run that made a version of a model: each version is a sink."""
        runs = {run.id: run for run in self._jobs.examples(job)}
        outputs = {use.dataset for run in runs.values() for event in run.events for use in event.outputs}
        models = self._view.models_among(outputs)
        made = self._view.reader.incoming(EdgeKind.VERSION_OF, models) if models else {}
        versions = [edge.source for edges in made.values() for edge in edges]
        self._versions.fetch_producers(versions)
        for version in versions:
            for write in self._versions.producers(version):
                if write.run and write.run.job == job:
                    runs.setdefault(write.run.id, write.run)
        return list(runs.values())

    def _of_run(self, run: Run) -> Iterator[ColumnFlow]:
        for event, use in self._last_words(run):
            told = self._told(event, use)
            if told is None:
                yield from self._untold(run, use, event.seq)
                continue
            lineage, basis = told
            for path in sorted({*lineage.fields, *(self._paths_of(use.dataset) if lineage.wide else ())}):
                for source in (*lineage.fields.get(path, ()), *lineage.wide):
                    if self._indirect or not source.indirect:
                        target = field_id(use.dataset, path)
                        yield ColumnFlow(
                            source.column, target, basis, source.transformations, run.started, run.ended, event.seq
                        )

    def _last_words(self, run: Run) -> list[tuple[EventRecord, DatasetUse]]:
        """For each output the last event that speaks of its columns, else any that names it."""
        latest: dict[str, tuple[EventRecord, DatasetUse]] = {}
        for event in run.events:
            for use in event.outputs:
                speaks = use.column_lineage is not None or use.sources is not None
                if speaks or use.dataset not in latest:
                    latest[use.dataset] = (event, use)
        return list(latest.values())

    def _told(self, event: EventRecord, use: DatasetUse) -> tuple[ColumnLineage, Basis] | None:
        """Explicit lineage before column lineage; None where neither tells of a column."""
        stated = self._stated(event, use) if use.sources is not None else None
        if stated is not None and (stated.fields or stated.wide):
            return stated, Basis.EXPLICIT
        if use.sources is None and use.column_lineage is not None:
            found = column_lineage(self._view.reader.bodies((use.column_lineage,))[use.column_lineage])
            return (found, Basis.COLUMN) if found.fields or found.wide else None
        return None

    def _stated(self, event: EventRecord, use: DatasetUse) -> ColumnLineage | None:
        bundles = self._view.reader.bundles({each for each in (event.job_bundle, use.bundle) if each})
        for bundle, dataset in ((event.job_bundle, use.dataset), (use.bundle, None)):
            digest = bundles[bundle].get("lineage") if bundle else None
            if digest:
                return stated_lineage(self._view.reader.bodies((digest,))[digest], dataset)
        return None

    def _untold(self, run: Run, use: DatasetUse, seq: int) -> Iterator[ColumnFlow]:
        """Every column of every input reaches the output as a whole."""
        for derivation in self._runs.derivations(run):
            for flow in derivation.flows:
                if flow.write.dataset != use.dataset:
                    continue
                whole = self._versions.id_of(flow.write)
                for column in self._columns_of(flow.read.dataset):
                    yield ColumnFlow(column, whole, Basis.INFERRED, frozenset(), run.started, run.ended, seq)

    def _columns_of(self, dataset: str) -> tuple[str, ...]:
        return tuple(field_id(dataset, path) for path in self._paths_of(dataset))

    def _paths_of(self, dataset: str) -> tuple[str, ...]:
        """The columns that the facets in force tell of: the schema's, and those that column lineage leads to."""
        if dataset not in self._columns:
            schema = self._view.facet_bodies((dataset,), "schema").get(dataset)
            lineage = self._view.facet_bodies((dataset,), "columnLineage").get(dataset)
            paths = schema_paths(schema) if schema else set()
            paths |= column_lineage(lineage).fields.keys() if lineage else set()
            self._columns[dataset] = tuple(sorted(paths))
        return self._columns[dataset]
