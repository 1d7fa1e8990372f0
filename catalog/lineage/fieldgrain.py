"""FIELD grain: columns, and the versions without column lineage that columns reach.

What a job says of columns is read from one run of each structure, as at JOB grain. An output that says nothing of its
columns (a model) is reached by every column of its inputs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from catalog.graph.contract import EdgeKind
from catalog.graph.record import DatasetUse
from catalog.identity import NodeKind, dataset_id, field_id, structure
from catalog.lineage.jobgrain import JobGrain
from catalog.lineage.rungrain import RunGrain
from catalog.lineage.runs import Run
from catalog.lineage.versions import Versions
from catalog.lineage.view import GraphView
from catalog.lineage.walk import Expansion, Flowing
from catalog.model import Basis, Transformation

_INDIRECT = "INDIRECT"


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
                        Flowing(flow.basis, flow.first, flow.last, None, None, {flow.entry}, set(flow.transformations)),
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
        models = self._versions.models_among(outputs)
        made = self._view.reader.incoming(EdgeKind.VERSION_OF, models) if models else {}
        versions = [edge.source for edges in made.values() for edge in edges]
        self._versions.fetch_producers(versions)
        for version in versions:
            for write in self._versions.producers(version):
                if write.run and write.run.job == job:
                    runs.setdefault(write.run.id, write.run)
        return list(runs.values())

    def _of_run(self, run: Run) -> Iterator[ColumnFlow]:
        uses = [(event.seq, use) for event in run.events for use in event.outputs]
        latest: dict[str, tuple[int, DatasetUse]] = {}
        for seq, use in uses:
            if use.columns or use.dataset not in latest:
                latest[use.dataset] = (seq, use)
        for seq, use in latest.values():
            told = list(self._told(use)) if use.columns else []
            for source, path, basis, transformations in told:
                yield ColumnFlow(
                    source, field_id(use.dataset, path), basis, transformations, run.started, run.ended, seq
                )
            if not told:
                yield from self._untold(run, use, seq)

    def _told(self, use: DatasetUse) -> Iterator[tuple[str, str, Basis, frozenset[Transformation]]]:
        """ColumnLineageDatasetFacet 1-2-0: (input column, output path, …); dataset-wide inputs reach every column."""
        names = self._view.reader.bundles((use.bundle,))[use.bundle] if use.bundle else {}
        digest = names.get("columnLineage")
        body: Any = orjson.loads(self._view.reader.bodies((digest,))[digest]) if digest else {}
        fields = body.get("fields") if isinstance(body.get("fields"), Mapping) else {}
        wide = body.get("dataset") if isinstance(body.get("dataset"), list) else []
        for path in sorted({*fields, *self._paths_of(use.dataset)}):
            target = fields.get(path)
            listed = target.get("inputFields") if isinstance(target, Mapping) else None
            for entry in (*(listed or ()), *wide):
                source = _column(entry)
                transformations = _transformations(entry)
                if source and (self._indirect or not _only_indirect(transformations)):
                    yield source, path, Basis.COLUMN, transformations

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
        """The columns that the schema facet in force lists."""
        if dataset not in self._columns:
            body = self._view.facet_bodies((dataset,), "schema").get(dataset)
            self._columns[dataset] = tuple(sorted(set(_schema_paths(orjson.loads(body))))) if body else ()
        return self._columns[dataset]


def _column(entry: object) -> str | None:
    if not isinstance(entry, Mapping):
        return None
    parts = (entry.get("namespace"), entry.get("name"), entry.get("field"))
    if not all(isinstance(part, str) for part in parts):
        return None
    return field_id(dataset_id(str(parts[0]), str(parts[1])), str(parts[2]))


def _transformations(entry: Mapping[str, Any]) -> frozenset[Transformation]:
    listed = entry.get("transformations")
    return frozenset(
        Transformation(str(each.get("type")), each.get("subtype") or None, each.get("masking") is True)
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, Mapping)
    )


def _only_indirect(transformations: Iterable[Transformation]) -> bool:
    kinds = {each.type for each in transformations}
    return kinds == {_INDIRECT}


def _schema_paths(body: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    listed = body.get("fields")
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
            path = prefix + entry["name"]
            yield path
            yield from _schema_paths(entry, path + ".")
