"""From log entries to assertions: a pure reading of each entry, and what the entries of one run say together.

The batch for a stretch of the log depends on the set of entries before it, never on how the log was cut into
batches, so an incremental projection and a rebuild end in the same facts.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from catalog.graph.contract import (
    FOREVER,
    MOMENTS,
    Batch,
    Edge,
    EdgeKind,
    GraphStore,
    Mention,
    NodeRecord,
    RunShape,
)
from catalog.graph.record import REPLACING, Change, DatasetUse, EventRecord, Processing
from catalog.identity import (
    NodeKind,
    field_id,
    job_id,
    moment_version_id,
    named_version_id,
    run_id,
    run_version_id,
)
from catalog.lineage.derivations import derivations
from catalog.lineage.jobgrain import WRITES_ALONE
from catalog.lineage.runs import JobTraits, Run, grouped, own_traits
from catalog.lineage.versions import EVENT
from catalog.log.entry import Entry

_REMEMBERED = 200_000  # assertions known to be in the store; forgetting one costs a write, never a fact


class Interpreted(Protocol):
    """What `ingest.openlineage.interpret` returns."""

    @property
    def record(self) -> EventRecord: ...
    @property
    def datasets(self) -> Mapping[str, tuple[str, str]]: ...
    @property
    def jobs(self) -> Mapping[str, tuple[str, str]]: ...
    @property
    def fields(self) -> Mapping[str, set[str]]: ...
    @property
    def bundles(self) -> Mapping[str, Mapping[str, str]]: ...
    @property
    def bodies(self) -> Mapping[str, bytes]: ...


Interpret = Callable[[Entry], Interpreted | None]


class Projector:
    """Fills one store from entries. Not for use by several threads."""

    def __init__(self, store: GraphStore, origin: str, interpret: Interpret) -> None:
        self._store = store
        self._origin = origin
        self._interpret = interpret
        self._asserted: dict[tuple[str, ...], int] = {}

    @property
    def offset(self) -> int:
        position = self._store.position()
        return position.offset if position else 0

    def project(self, entries: Sequence[Entry]) -> bool:
        """Add consecutive entries; False where the store had already moved on, and nothing changed."""
        if not entries:
            return True
        batch = Batch()
        for entry in entries:
            interpreted = self._interpret(entry)
            if interpreted is not None:
                self._add(batch, interpreted)
        self._add_runs(batch)
        applied = self._store.apply(batch, self._origin, entries[0].seq, entries[-1].seq + 1)
        if not applied:
            self._asserted.clear()
        return applied

    # One event -------------------------------------------------------------------------------------------------

    def _add(self, batch: Batch, read: Interpreted) -> None:
        record = read.record
        batch.events.append(record)
        batch.bundles.update(read.bundles)
        batch.bodies.update(read.bodies)
        self._name_nodes(batch, read)
        for edge in edges_of(record):
            if edge.kind in MOMENTS or self._is_news(("edge", edge.kind, edge.source, edge.target), edge.at):
                batch.edges.append(edge)
        batch.edges += _declared_moments(record)
        batch.mentions += mentions_of(record)

    def _name_nodes(self, batch: Batch, read: Interpreted) -> None:
        seq, at = read.record.seq, read.record.at
        for key, (namespace, name) in read.datasets.items():
            self._node(batch, NodeRecord(key, NodeKind.DATASET, namespace, name, seq, at))
        for key, (namespace, name) in read.jobs.items():
            self._node(batch, NodeRecord(key, NodeKind.JOB, namespace, name, seq, at))
        for dataset, paths in read.fields.items():
            namespace, name = read.datasets[dataset]
            for path in sorted(paths):
                key = field_id(dataset, path)
                self._node(batch, NodeRecord(key, NodeKind.FIELD, namespace, name, seq, at, dataset, path))
        for node in _runs_and_versions(read):
            self._node(batch, node)

    def _node(self, batch: Batch, node: NodeRecord) -> None:
        if self._is_news(("node", node.id), node.at):
            batch.nodes.append(node)

    def _is_news(self, key: tuple[str, ...], at: int) -> bool:
        """Whether no earlier entry with an ordering time as early made this assertion."""
        if self._asserted.get(key, FOREVER) <= at:
            return False
        if len(self._asserted) >= _REMEMBERED:
            self._asserted.clear()
        self._asserted[key] = at
        return True

    # One run ---------------------------------------------------------------------------------------------------

    def _add_runs(self, batch: Batch) -> None:
        """What the events of a run say only together: moments, shape and length."""
        fresh: dict[str, list[EventRecord]] = {}
        for record in batch.events:
            if record.run is not None:
                fresh.setdefault(record.run, []).append(record)
        if not fresh:
            return
        with self._store.read() as reader:
            stored = reader.run_events(fresh)
        for uuid, added in fresh.items():
            known = {event.seq: event for event in stored[uuid]} | {event.seq: event for event in added}
            events = list(known.values())
            batch.edges += moments_of(events) + kept_reads_of(events) + root_edges_of(events)
            batch.shapes += shapes_of(uuid, events) + _vanished(uuid, stored[uuid], events)
            for dataset, span in spans_of(events).items():
                batch.spans[dataset] = max(span, batch.spans.get(dataset, 0))


def edges_of(record: EventRecord) -> list[Edge]:
    """What one event asserts by itself."""
    edges: list[Edge] = []

    def add(kind: EdgeKind, source: str, target: str) -> None:
        edges.append(Edge(kind, source, target, record.at, record.seq))

    for use in (*record.inputs, *record.outputs, *((record.subject,) if record.subject else ())):
        for alias in use.aliases or ():
            add(EdgeKind.ALIAS_OF, use.dataset, alias)
        if use.model:
            add(EdgeKind.HAS_ROLE, use.dataset, "MODEL")
        if use.version is not None:
            add(EdgeKind.VERSION_OF, named_version_id(use.dataset, use.version), use.dataset)
    if record.job is None:
        if record.subject:
            add(EdgeKind.DECLARED, EVENT + record.digest, record.subject.dataset)
        return edges
    for use in record.inputs:
        add(EdgeKind.CONSUMES, record.job, use.dataset)
    for use in record.outputs:
        add(EdgeKind.PRODUCES, record.job, use.dataset)
        for named in {*use.columns, *(s.dataset for s in use.sources or () if s.dataset)}:
            add(EdgeKind.NAMES, record.job, named)
        if use.renamed_from:
            add(EdgeKind.NAMES, record.job, use.renamed_from)
    if record.processing is not None and record.processing.value == "SERVICE":
        add(EdgeKind.HAS_ROLE, record.job, "DEPLOYMENT")
    if record.run is None:
        add(EdgeKind.DECLARED, EVENT + record.digest, record.job)
        return edges
    add(EdgeKind.RUN_OF, record.run, record.job)
    if record.parent:
        add(EdgeKind.CHILD_OF, record.run, record.parent.run)
        add(EdgeKind.PART_OF, record.job, job_id(record.parent.namespace, record.parent.name))
    if record.outputs and not record.inputs and (record.parent or record.job_type == "APPLICATION"):
        add(EdgeKind.HAS_ROLE, record.job, WRITES_ALONE)
    for served in record.serving.models if record.serving else ():
        add(EdgeKind.HAS_ROLE, served.dataset, "MODEL")
        if served.version is not None:
            add(EdgeKind.VERSION_OF, named_version_id(served.dataset, served.version), served.dataset)
    for use in record.inputs:
        if use.version is None:
            add(EdgeKind.READ, record.run, use.dataset)
        else:
            add(EdgeKind.USED, record.run, named_version_id(use.dataset, use.version))
    for use in record.outputs:
        for version, _ in _written(record, use):
            add(EdgeKind.GENERATED, record.run, version)
            add(EdgeKind.VERSION_OF, version, use.dataset)
        for named in {*use.columns, *(s.dataset for s in use.sources or () if s.dataset)}:
            add(EdgeKind.READ, record.run, named)
        if use.renamed_from:
            add(EdgeKind.READ, record.run, use.renamed_from)
    return edges


def _written(record: EventRecord, use: DatasetUse) -> list[tuple[str, str]]:
    """The ids and labels under which this output may be a version, whatever later events say of the run."""
    assert record.run is not None
    if use.version is not None:
        return [(named_version_id(use.dataset, use.version), use.version)]
    moment = moment_version_id(use.dataset, record.run, record.at), f"{record.run}@{record.time}"
    whole = run_version_id(use.dataset, record.run), record.run
    return [whole] if record.processing is not None and record.processing.value == "BATCH" else [whole, moment]


def _runs_and_versions(read: Interpreted) -> Iterable[NodeRecord]:
    record = read.record
    seq, at = record.seq, record.at
    if record.run is not None:
        assert record.job is not None
        namespace, name = record.job_namespace, record.job_name
        key = run_id(record.run, namespace, name)
        yield NodeRecord(key, NodeKind.RUN, namespace, name, seq, at, record.job, record.run)
    if record.parent:
        parent = record.parent
        key = run_id(parent.run, parent.namespace, parent.name)
        job = job_id(parent.namespace, parent.name)
        yield NodeRecord(key, NodeKind.RUN, parent.namespace, parent.name, seq, at, job, parent.run)
    for use, made in _versions_named(record):
        namespace, name = read.datasets[use.dataset]
        for version, label in made:
            yield NodeRecord(version, NodeKind.DATASET_VERSION, namespace, name, seq, at, use.dataset, label)
    for served in record.serving.models if record.serving else ():
        if served.version is not None:
            namespace, name = read.datasets[served.dataset]
            version = named_version_id(served.dataset, served.version)
            yield NodeRecord(
                version, NodeKind.DATASET_VERSION, namespace, name, seq, at, served.dataset, served.version
            )


def _versions_named(record: EventRecord) -> Iterable[tuple[DatasetUse, list[tuple[str, str]]]]:
    """Every use with the (id, label) of each version that it names or may make."""
    for use in record.inputs:
        yield use, _reported(use)
    for use in record.outputs:
        yield use, _written(record, use) if record.run is not None else _reported(use)
    subject = record.subject
    if subject is not None:
        yield subject, _reported(subject)
        if subject.version is None and subject.change is not None:
            yield subject, [(moment_version_id(subject.dataset, "", record.at), record.time)]


def _reported(use: DatasetUse) -> list[tuple[str, str]]:
    return [] if use.version is None else [(named_version_id(use.dataset, use.version), use.version)]


def _declared_moments(record: EventRecord) -> list[Edge]:
    """The moment of a DatasetEvent's lifecycle change."""
    use = record.subject
    if use is None or use.change in (None, Change.ALTER):
        return []
    return _moment(EVENT + record.digest, use, use.change, record.at, record.seq)


def _moment(source: str, use: DatasetUse, change: Change | None, at: int, seq: int) -> list[Edge]:
    edges = [Edge(EdgeKind.WROTE, source, use.dataset, at, seq)]
    if change in REPLACING:
        edges.append(Edge(EdgeKind.REPLACED, source, use.dataset, at, seq))
    if change is Change.DROP:
        edges.append(Edge(EdgeKind.DROPPED, source, use.dataset, at, seq))
    if change is Change.RENAME and use.renamed_from:
        edges.append(Edge(EdgeKind.WROTE, source, use.renamed_from, at, seq))
        edges.append(Edge(EdgeKind.DROPPED, source, use.renamed_from, at, seq))
    return edges


def moments_of(events: Sequence[EventRecord]) -> list[Edge]:
    """Every instant at which some cut may see a write of this run come into force.

    A batch write does so at one of the run's terminal events, a stream's at its own event; which it is may depend
    on events that a cut does not see, so both are marked and the reading decides.
    """
    outputs = {(event.seq, use.dataset, use.change): (event, use) for event in events for use in event.outputs}
    ends = [event for event in events if event.terminal]
    streams = any(event.processing not in (None, Processing.BATCH) for event in events)
    moments: dict[tuple[EdgeKind, str, int], Edge] = {}
    for event, use in outputs.values():
        own = () if event.processing is Processing.BATCH and not streams else (event,)
        for end in (*own, *ends):
            assert event.run is not None
            for edge in _moment(event.run, use, use.change, end.at, max(event.seq, end.seq)):
                key = (edge.kind, edge.target, edge.at)
                if key not in moments or moments[key].seq > edge.seq:
                    moments[key] = edge
    return list(moments.values())


_OF_JOB = frozenset({EdgeKind.CONSUMES, EdgeKind.PRODUCES, EdgeKind.NAMES, EdgeKind.PART_OF, EdgeKind.RUN_OF})


def root_edges_of(events: Sequence[EventRecord]) -> list[Edge]:
    """What an event says of its job, said also of each reported job that this one dot-extends.

    One of them is the run's job. Which one depends on the cut, so all of them lead to it.
    """
    names = {(event.job_namespace, event.job_name) for event in events}
    if len(names) == 1:
        return []
    edges: list[Edge] = []
    for event in events:
        for namespace, root in names:
            if namespace == event.job_namespace and event.job_name.startswith(root + "."):
                key = job_id(namespace, root)
                edges += [
                    replace(edge, target=key) if edge.kind is EdgeKind.RUN_OF else replace(edge, source=key)
                    for edge in edges_of(event)
                    if edge.kind in _OF_JOB
                ]
                if event.outputs and not event.inputs and event.parent:
                    edges.append(Edge(EdgeKind.HAS_ROLE, key, WRITES_ALONE, event.at, event.seq))
    return edges


def shapes_of(uuid: str, events: Sequence[EventRecord]) -> list[RunShape]:
    """The structure of the run, or of each of the runs that collide under one UUID (`UUID#1` and so on)."""
    groups = grouped(events)
    shapes = []
    for index, (namespace, name, ordered) in enumerate(groups):
        run = Run(uuid, namespace, name, ordered, own_traits(ordered) or JobTraits(), len(groups) > 1)
        key = f"{uuid}#{index}" if index else uuid
        digest = hashlib.sha256(_structure(run).encode()).hexdigest()[:32]
        shapes.append(RunShape(key, run.job, digest, run.started, run.last_event.at, run.succeeded or 0))
    return shapes


def kept_reads_of(events: Sequence[EventRecord]) -> list[Edge]:
    """The moments at which a stream that names no inputs reads those of an earlier event again.

    Which earlier event it is depends on the cut; every dataset that the run ever read may be meant.
    """
    moments = [e for e in events if e.outputs and not e.inputs and e.processing is not Processing.BATCH]
    if not moments:
        return []
    first: dict[str, int] = {}
    for event in events:
        for edge in edges_of(event):
            if edge.kind is EdgeKind.READ:
                first[edge.target] = min(edge.seq, first.get(edge.target, edge.seq))
    return [
        Edge(EdgeKind.READ, str(event.run), dataset, event.at, max(event.seq, seq))
        for event in moments
        for dataset, seq in first.items()
    ]


def _vanished(uuid: str, before: Sequence[EventRecord], after: Sequence[EventRecord]) -> list[RunShape]:
    """Blanks for runs that turned out to be one: a late event can relate two jobs that seemed to collide."""
    was, now = (len(grouped(events)) if events else 0 for events in (before, after))
    return [RunShape(f"{uuid}#{index}", "", "", 0, 0, 0) for index in range(now, was)]


def _structure(run: Run) -> str:
    """Text that is equal only for runs whose JOB-grain edges are equal."""
    found = derivations(run)
    if any(derivation.undeclared for derivation in found):
        return f"alone:{run.id}"  # a roll-up depends on other runs
    if own_traits(run.events) is None:
        return f"untold:{[_event_structure(event) for event in run.events]!r}"  # read as its job's facet says
    return repr(sorted({triple for derivation in found for triple in derivation.triples()}))


def _event_structure(event: EventRecord) -> tuple[object, ...]:
    outputs = [(u.dataset, u.columns, u.sources, u.change, u.renamed_from) for u in event.outputs]
    return ([use.dataset for use in event.inputs], outputs, event.snapshot)


def mentions_of(record: EventRecord) -> list[Mention]:
    """Which facets the event says its datasets and its job have."""
    found = [
        (use.dataset, use.bundle)
        for use in (*record.inputs, *record.outputs, *((record.subject,) if record.subject else ()))
    ]
    if record.job is not None:
        found.append((record.job, record.job_bundle))
    return [
        Mention(entity, bundle, record.at, record.seq, record.actor)
        for entity, bundle in dict.fromkeys(found)
        if bundle is not None
    ]


def spans_of(events: Sequence[EventRecord]) -> dict[str, int]:
    """How long the run lasted, for each dataset that it reads without a version; streams read at instants."""
    first = min(events, key=lambda event: event.order)
    if first.processing is not None and first.processing.value != "BATCH":
        return {}
    span = max(event.at for event in events) - first.at
    read = {use.dataset for event in events for use in event.inputs if use.version is None}
    read |= {dataset for event in events for use in event.outputs for dataset in use.columns}
    read |= {s.dataset for e in events for use in e.outputs for s in use.sources or () if s.dataset}
    read |= {use.renamed_from for event in events for use in event.outputs if use.renamed_from}
    return dict.fromkeys(read, span) if span else {}
