"""What one entry asserts by itself, whatever else the log holds."""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from catalog.graph.contract import Edge, EdgeKind, Mention, NodeRecord
from catalog.graph.record import REPLACING, Change, DatasetUse, EventRecord
from catalog.identity import NodeKind, job_id, moment_version_id, named_version_id, run_id, run_version_id
from catalog.instant import text
from catalog.lineage.jobgrain import WRITES_ALONE
from catalog.lineage.versions import EVENT


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
    def unplaced(self) -> Collection[str]:
        """Datasets in a namespace that every machine has, where no rule says whose is meant."""
        ...

    @property
    def bundles(self) -> Mapping[str, Mapping[str, str]]: ...
    @property
    def bodies(self) -> Mapping[str, bytes]: ...


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
    moment = moment_version_id(use.dataset, record.run, record.at), f"{record.run}@{text(record.at)}"
    whole = run_version_id(use.dataset, record.run), record.run
    return [whole] if record.processing is not None and record.processing.value == "BATCH" else [whole, moment]


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


def senders_of(read: Interpreted) -> list[Edge]:
    """Who mentioned the datasets whose namespace does not tell senders apart."""
    record = read.record
    return [Edge(EdgeKind.TOLD_BY, dataset, record.actor, record.at, record.seq) for dataset in sorted(read.unplaced)]


def nodes_of(read: Interpreted) -> Iterable[NodeRecord]:
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
            yield subject, [(moment_version_id(subject.dataset, "", record.at), text(record.at))]


def _reported(use: DatasetUse) -> list[tuple[str, str]]:
    return [] if use.version is None else [(named_version_id(use.dataset, use.version), use.version)]


def declared_moments_of(record: EventRecord) -> list[Edge]:
    """The moment of a DatasetEvent's lifecycle change."""
    use = record.subject
    if use is None or use.change in (None, Change.ALTER):
        return []
    return moment_edges(EVENT + record.digest, use, use.change, record.at, record.seq)


def moment_edges(source: str, use: DatasetUse, change: Change | None, at: int, seq: int) -> list[Edge]:
    edges = [Edge(EdgeKind.WROTE, source, use.dataset, at, seq)]
    if change in REPLACING:
        edges.append(Edge(EdgeKind.REPLACED, source, use.dataset, at, seq))
    if change is Change.DROP:
        edges.append(Edge(EdgeKind.DROPPED, source, use.dataset, at, seq))
    if change is Change.RENAME and use.renamed_from:
        edges.append(Edge(EdgeKind.WROTE, source, use.renamed_from, at, seq))
        edges.append(Edge(EdgeKind.DROPPED, source, use.renamed_from, at, seq))
    return edges
