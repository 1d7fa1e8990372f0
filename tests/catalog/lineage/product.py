"""The product as a reading of records: projected into a store, then asked like any client would."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import orjson

from catalog.errors import NotFoundError
from catalog.graph.contract import FOREVER, GraphReader, GraphStore
from catalog.graph.memory import MemoryGraph
from catalog.graph.record import DatasetUse, EventRecord, ParentRef
from catalog.identity import is_shared_namespace, run_id
from catalog.lineage.continuation import Continuation
from catalog.lineage.deployments import Deployments
from catalog.lineage.derivations import Read
from catalog.lineage.jobgrain import JobGrain
from catalog.lineage.nodes import Nodes
from catalog.lineage.resolution import Resolutions
from catalog.lineage.rungrain import RunGrain
from catalog.lineage.runs import JobTraits, Run
from catalog.lineage.versions import Link, Versions
from catalog.lineage.view import GraphView
from catalog.log.entry import Entry, EntryType
from catalog.model import Direction, Grain, LineageGraph, NodeRef
from catalog.projector import Projector
from catalog.reading import Reading, Walk
from tests.reference.answers import Answer, JobEdge, Resolution, Served, VersionState
from tests.reference.events import dataset, namespace_of

ORIGIN = "test"


@dataclass(slots=True, eq=False)
class Told:
    """A record as if it had been read from a body: with the facets that it must have had, as one part."""

    record: EventRecord
    datasets: dict[str, tuple[str, str]] = field(default_factory=dict)
    jobs: dict[str, tuple[str, str]] = field(default_factory=dict)
    fields: dict[str, set[str]] = field(default_factory=dict)
    bundles: dict[str, dict[str, str]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)

    @property
    def parts(self) -> tuple["Told"]:
        return (self,)

    @property
    def unplaced(self) -> set[str]:
        return {key for key, (namespace, _) in self.datasets.items() if is_shared_namespace(namespace)}

    def bundle(self, facets: Mapping[str, object]) -> str | None:
        if not facets:
            return None
        names = {}
        for name, body in facets.items():
            encoded = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
            names[name] = hashlib.sha256(encoded).hexdigest()
            self.bodies[names[name]] = encoded
        digest = hashlib.sha256(orjson.dumps(names, option=orjson.OPT_SORT_KEYS)).hexdigest()
        self.bundles[digest] = names
        return digest


class _Names(dict[str, str]):
    """Dataset names by id; what scenarios never alias is called by its id."""

    def __missing__(self, key: str) -> str:
        return key


_WORDS = (*"abcdefghijklmnopqrstuvwxyz", "path", "table", "old", "new", "view", "link", "hive", "loc", "location")


def tell(record: EventRecord, names: Mapping[str, str]) -> Told:
    """Give a record written by hand what a body would have brought along. `names` are dataset names by id."""
    told = Told(record)

    def with_facets(use: DatasetUse) -> DatasetUse:
        mentioned = {use.dataset, *use.columns, *(use.aliases or ())}
        mentioned |= {s.dataset for s in use.sources or () if s.dataset}
        mentioned |= {use.renamed_from} if use.renamed_from else set()
        told.datasets.update({each: _place(each, names) for each in mentioned})
        if use.aliases is None:
            return use
        listed = [
            {"namespace": namespace, "name": name, "type": "TABLE"}
            for namespace, name in (_place(each, names) for each in use.aliases)
        ]
        return msgspec.structs.replace(use, bundle=told.bundle({"symlinks": {"identifiers": listed}}))

    if record.job is not None:
        told.jobs[record.job] = (record.job_namespace, record.job_name)
    for served in record.serving.models if record.serving else ():
        told.datasets[served.dataset] = _place(served.dataset, names)
    job_type: dict[str, object] = {"processingType": record.processing, "jobType": record.job_type}
    if record.window is not None:
        job_type |= {"emissionPattern": {"windowDuration": record.window}}
    told.record = msgspec.structs.replace(
        record,
        inputs=tuple(map(with_facets, record.inputs)),
        outputs=tuple(map(with_facets, record.outputs)),
        subject=with_facets(record.subject) if record.subject else None,
        job_bundle=told.bundle({"jobType": job_type}) if record.processing or record.job_type else None,
    )
    return told


def _place(each: str, names: Mapping[str, str]) -> tuple[str, str]:
    return namespace_of(names[each]), names[each]


NAMES = _Names({dataset(word): word for word in _WORDS})


def project(store: GraphStore, records: Sequence[EventRecord], batch: int = 3) -> None:
    """Project records into an empty store as entries at their positions."""
    told = {record.seq: tell(record, NAMES) for record in records}
    projector = Projector(store, ORIGIN, lambda entry: told.get(entry.seq))
    size = max(told, default=-1) + 1
    entries = [Entry(seq, 0, EntryType.OPENLINEAGE, "", "", (), b"", b"") for seq in range(size)]
    for start in range(0, size, batch):
        assert projector.project(entries[start : start + batch])


def product(records: Sequence[EventRecord], *, known: int | None = None, valid: int | None = None) -> "Questions":
    """`catalog.reading` over the memory store, with the reference's questions."""
    store = MemoryGraph()
    project(store, records)
    with store.read(known, FOREVER if valid is None else valid) as reader:
        cut = reader.cut
        return Questions(reader, [r for r in records if r.seq < cut.known and r.at <= cut.valid])


class Questions:
    """One reader's answers, in the reference's words."""

    def __init__(self, reader: GraphReader, records: Sequence[EventRecord]) -> None:
        self._uuids = sorted({record.run for record in records if record.run is not None})
        self._stubs = sorted({(p.run, p.namespace, p.name) for p in (record.parent for record in records) if p})
        self._reading = Reading(reader)
        self._view = GraphView(reader)
        self._versions = Versions(self._view)
        self._nodes = Nodes(self._view, self._versions)

    def run_lineage(self, root: str, direction: Direction, depth: int, history: bool = False) -> Answer:
        return self._walk(root, Walk(direction, depth, Grain.RUN, 10_000, history=history))

    def job_lineage(self, root: str, direction: Direction, depth: int) -> Answer:
        return self._walk(root, Walk(direction, depth, Grain.JOB, 10_000))

    def _walk(self, root: str, wanted: Walk) -> Answer:
        """The reference answers for what nobody mentioned too: with the root alone."""
        try:
            return _answer(self._reading.lineage(NodeRef(id=root), wanted))
        except NotFoundError:
            return Answer(frozenset({root}), frozenset())

    def job_edge(self, source: str, target: str) -> JobEdge | None:
        grain = JobGrain(self._view, self._versions, RunGrain(self._view, self._versions))
        for way in (grain.upstream, grain.downstream):
            for start in (source, target):
                found = way([start]).edges.get((source, target))
                if found is not None and found.first is not None and found.last is not None:
                    return JobEdge(found.basis, found.first, found.last, found.runs, bool(found.stale))
        return None

    def resolve(
        self, dataset: str, start: int, end: int, run: str | None = None, version: str | None = None
    ) -> Resolution:
        reader = next((each for each in self._runs() if each.id == run), _NOBODY)
        found = Resolutions(self._view, self._versions).resolve(Read(reader, dataset, version, start, end))
        return Resolution(found.how.value, found.versions, found.count, found.after_partial, found.unwritten)

    def _runs(self) -> list[Run]:
        return [run for uuid in self._uuids for run in self._view.runs(uuid)]

    def versions(self, dataset: str) -> list[VersionState]:
        made = [write for run in self._runs() for write in self._versions.writes_by(run)]
        links = self._versions.between(dataset, 0, FOREVER - 1)
        ids = [self._versions.id_of(w) for w in made if w.dataset == dataset and not w.drops]
        ids += [link.version for link in links if not link.write.drops]
        found = [self._state(each, dataset, links) for each in dict.fromkeys(ids)]
        return sorted(found, key=lambda one: (one.moments or (FOREVER,), one.id))

    def _state(self, version: str, dataset: str, links: Sequence[Link]) -> VersionState:
        link = self._versions.link_of(version)
        count, since = Continuation(self._view, self._versions).continued(link) if link else (0, None)
        moments = sorted(
            {each.write.current for each in links if each.version == version and each.write.current is not None}
        )
        producers = {write.run.id for write in self._versions.producers(version) if write.run}
        state = self._nodes.describe((version,))[version].state
        return VersionState(version, str(state), tuple(moments), frozenset(producers), count, since)

    def deployments(self) -> list[Served]:
        return [
            Served(
                interval.run.job,
                interval.run.id,
                interval.assertion.model,
                interval.assertion.version,
                interval.assertion.role,
                interval.assertion.share,
                interval.since,
                interval.until,
                interval.state,
            )
            for interval in sorted(
                Deployments(self._view, self._versions).of_all(), key=lambda i: (i.since, i.run.id, i.assertion.version)
            )
        ]

    def run_states(self) -> dict[str, str]:
        states = {run.id: self._view.state(run).value for run in self._runs()}
        for uuid, namespace, name in self._stubs:
            if self._view.bound(ParentRef(uuid, namespace, name)) is None:
                states[run_id(uuid, namespace, name)] = "UNREPORTED"
        return states


_NOBODY = Run("", "", "", (), JobTraits(), False)


def _answer(graph: LineageGraph) -> Answer:
    return Answer(
        frozenset(node.id for node in graph.nodes),
        frozenset((edge.source, edge.target, edge.basis) for edge in graph.edges),
        frozenset((gap.kind, gap.node) for gap in graph.gaps),
    )
