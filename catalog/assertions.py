"""What one entry asserts by itself, whatever else the log holds."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from catalog.act import InterpretedAct
from catalog.erasure.skeleton import ERASED_DIGEST
from catalog.graph.contract import Edge, EdgeKind, Mention, NodeRecord
from catalog.graph.record import REPLACING, Change, DatasetUse, EventRecord
from catalog.identity import (
    NodeKind,
    job_id,
    moment_version_id,
    named_version_id,
    registry_key,
    run_id,
    run_version_id,
)
from catalog.instant import text
from catalog.lineage.erased import BLURRED
from catalog.lineage.jobgrain import WRITES_ALONE
from catalog.lineage.versions import EVENT


class Part(Protocol):
    """What one part of an event refers to. Hashable: the same object says the same again."""

    @property
    def datasets(self) -> Mapping[str, tuple[str, str]]: ...
    @property
    def jobs(self) -> Mapping[str, tuple[str, str]]: ...
    @property
    def fields(self) -> Mapping[str, Collection[str]]: ...
    @property
    def unplaced(self) -> Collection[str]:
        """Datasets in a namespace that every machine has, where no rule says whose is meant."""
        ...

    @property
    def bundles(self) -> Mapping[str, Mapping[str, str]]: ...
    @property
    def bodies(self) -> Mapping[str, bytes]: ...


class Interpreted(Protocol):
    """What `ingest.openlineage.interpret` returns."""

    @property
    def record(self) -> EventRecord: ...
    @property
    def parts(self) -> Sequence[Part]: ...


@dataclass(frozen=True, slots=True)
class Erased:
    """What is left of an entry without its body: its skeleton as read, if any, and what lost something with it.

    `by` is the node of the redaction that erased it.
    """

    seq: int
    by: str
    read: Interpreted | InterpretedAct | None
    touches: tuple[str, ...]

    def edges(self) -> list[Edge]:
        """Where not even the time of the event is left, it is missed at all times."""
        at = 0
        if isinstance(self.read, InterpretedAct):
            at = self.read.node.at
        elif self.read is not None:
            at = self.read.record.at
        found = [(EdgeKind.ERASED, self.by, node) for node in self.touches]
        found += [(EdgeKind.HAS_ROLE, entity, BLURRED) for entity in self._blurred()]
        return [Edge(*statement, at, self.seq) for statement in found]

    def _blurred(self) -> list[str]:
        if self.read is None or isinstance(self.read, InterpretedAct):
            return []
        blurred = {
            bundle
            for part in self.read.parts
            for bundle, told in part.bundles.items()
            if ERASED_DIGEST in told.values()
        }
        return sorted({each.entity for each in mentions_of(self.read.record) if each.bundle in blurred})


Statement = tuple[EdgeKind, str, str]
"""An edge without when and where it was said: kind, source, target."""


def edges_of(record: EventRecord) -> list[Edge]:
    """What one event asserts by itself."""
    return [Edge(*statement, record.at, record.seq) for statement in statements_of(record)]


def statements_of(record: EventRecord) -> list[Statement]:
    """The edges that one event asserts by itself."""
    found: list[Statement] = []
    for use in _uses(record):
        if use.aliases:
            found += [(EdgeKind.ALIAS_OF, use.dataset, alias) for alias in use.aliases]
        if use.model:
            found.append((EdgeKind.HAS_ROLE, use.dataset, "MODEL"))
        if use.version is not None and use.registered is not None:
            found += _of_registry(use, named_version_id(use.dataset, use.version))
        if use.version is not None:
            found.append((EdgeKind.VERSION_OF, named_version_id(use.dataset, use.version), use.dataset))
    if record.job is not None:
        found += _of_job(record, record.job)
    if record.run is not None:
        found += _of_run(record, record.run)
    elif record.job is not None or record.subject:
        about = record.job or (record.subject.dataset if record.subject else "")
        found.append((EdgeKind.DECLARED, EVENT + record.digest, about))
    return found


def _of_registry(use: DatasetUse, version: str) -> list[Statement]:
    """All aliases of a version at once: to itself it says when that was, so that one left out is one lost."""
    keys = [registry_key(use.dataset, alias) for alias in use.registered or ()]
    return [(EdgeKind.ALIASED, version, target) for target in (version, *keys)]


def _of_job(record: EventRecord, job: str) -> list[Statement]:
    found = [(EdgeKind.CONSUMES, job, use.dataset) for use in record.inputs]
    for use in record.outputs:
        found.append((EdgeKind.PRODUCES, job, use.dataset))
        found += [(EdgeKind.NAMES, job, named) for named in _named_by(use)]
    if record.processing is not None and record.processing.value == "SERVICE":
        found.append((EdgeKind.HAS_ROLE, job, "DEPLOYMENT"))
    return found


def _of_run(record: EventRecord, run: str) -> list[Statement]:
    assert record.job is not None
    found: list[Statement] = [(EdgeKind.RUN_OF, run, record.job)]
    if record.parent:
        found.append((EdgeKind.CHILD_OF, run, record.parent.run))
        found.append((EdgeKind.PART_OF, record.job, job_id(record.parent.namespace, record.parent.name)))
    if record.outputs and not record.inputs and (record.parent or record.job_type == "APPLICATION"):
        found.append((EdgeKind.HAS_ROLE, record.job, WRITES_ALONE))
    for served in record.serving.models if record.serving else ():
        found.append((EdgeKind.HAS_ROLE, served.dataset, "MODEL"))
        if served.version is not None:
            version = named_version_id(served.dataset, served.version)
            found.append((EdgeKind.VERSION_OF, version, served.dataset))
    for use in record.inputs:
        if use.version is None:
            found.append((EdgeKind.READ, run, use.dataset))
        else:
            found.append((EdgeKind.USED, run, named_version_id(use.dataset, use.version)))
    for use in record.outputs:
        for version, _ in _written(record, use):
            found.append((EdgeKind.GENERATED, run, version))
            found.append((EdgeKind.VERSION_OF, version, use.dataset))
        found += [(EdgeKind.READ, run, named) for named in _named_by(use)]
    return found


def _uses(record: EventRecord) -> Sequence[DatasetUse]:
    uses = record.inputs + record.outputs
    return uses if record.subject is None else (*uses, record.subject)


def _named_by(use: DatasetUse) -> Iterable[str]:
    """The datasets that an output's column or explicit lineage and its renaming mention as sources."""
    named = set(use.columns)
    if use.sources:
        named.update(source.dataset for source in use.sources if source.dataset)
    if use.renamed_from:
        named.add(use.renamed_from)
    return named


def _written(record: EventRecord, use: DatasetUse) -> list[tuple[str, str]]:
    """The ids and labels under which this output may be a version, whatever later events say of the run."""
    assert record.run is not None
    if use.version is not None:
        return [(named_version_id(use.dataset, use.version), use.version)]
    whole = run_version_id(use.dataset, record.run), record.run
    if record.processing is not None and record.processing.value == "BATCH":
        return [whole]
    moment = moment_version_id(use.dataset, record.run, record.at), f"{record.run}@{text(record.at)}"
    return [whole, moment]


def mentions_of(record: EventRecord) -> list[Mention]:
    """Which facets the event says its datasets and its job have."""
    found = [(use.dataset, use.bundle) for use in _uses(record)]
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
    unplaced = {dataset for part in read.parts for dataset in part.unplaced}
    return [Edge(EdgeKind.TOLD_BY, dataset, record.actor, record.at, record.seq) for dataset in sorted(unplaced)]


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
    named = {dataset: place for part in read.parts for dataset, place in part.datasets.items()}
    for use, made in _versions_named(record):
        for version, label in made:
            namespace, name = named[use.dataset]
            yield NodeRecord(version, NodeKind.DATASET_VERSION, namespace, name, seq, at, use.dataset, label)
    for served in record.serving.models if record.serving else ():
        if served.version is not None:
            namespace, name = named[served.dataset]
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
