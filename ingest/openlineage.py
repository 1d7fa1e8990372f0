"""An OpenLineage event, read into the record that the graph keeps. Pure: the same body gives the same record.

Facets that lineage needs are understood in `ingest.parts`, by the tables of the specification (core 2-0-2 and the facet
schemas named there); every facet, known or not, is kept by digest. What does not have the form that its schema gives it
is treated as absent from lineage, and stays visible among the facets. A facet that is null says nothing at all: that is
how serialisers write an absent one.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import msgspec

from catalog.graph.record import DatasetUse, EventRecord, Shape, Source
from ingest.instant import parse_instant
from ingest.namespaces import NamespaceRules
from ingest.parts import NOTHING, Entries, Found, JobPart, PartReading, Parts, text

GRACE = 300_000_000  # µs that a producer's clock may be ahead before its time no longer counts

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Interpretation:
    """A record, and what the parts of the event refer to. Equal parts of several events may be one object."""

    record: EventRecord
    parts: tuple[Found, ...]

    @property
    def datasets(self) -> dict[str, tuple[str, str]]:
        """Namespace and name by id."""
        return _united(part.datasets for part in self.parts)

    @property
    def jobs(self) -> dict[str, tuple[str, str]]:
        """Namespace and name by id."""
        return _united(part.jobs for part in self.parts)

    @property
    def bundles(self) -> dict[str, dict[str, str]]:
        """Facet names and the digests of their bodies, by digest."""
        return _united(part.bundles for part in self.parts)

    @property
    def bodies(self) -> dict[str, bytes]:
        """Canonical JSON by digest."""
        return _united(part.bodies for part in self.parts)

    @property
    def fields(self) -> dict[str, frozenset[str]]:
        """Columns by dataset."""
        found: dict[str, frozenset[str]] = {}
        for part in self.parts:
            for dataset, paths in part.fields.items():
                found[dataset] = paths | found.get(dataset, frozenset())
        return found

    @property
    def unplaced(self) -> set[str]:
        """Datasets in a shared namespace without a rule."""
        return {dataset for part in self.parts for dataset in part.unplaced}


def _united(parts: Iterable[Mapping[str, _Value]]) -> dict[str, _Value]:
    return {key: value for part in parts for key, value in part.items()}


@dataclass(frozen=True, slots=True)
class ModelRules:
    """Which datasets are models without saying so: namespaces, and path prefixes as (namespace, name prefix)."""

    namespaces: frozenset[str] = frozenset()
    prefixes: tuple[tuple[str, str], ...] = ()

    def match(self, namespace: str, name: str) -> bool:
        return namespace in self.namespaces or any(
            namespace == wanted and name.startswith(prefix) for wanted, prefix in self.prefixes
        )


def interpret(
    body: bytes,
    *,
    seq: int,
    recorded: int,
    actor: str,
    rules: ModelRules | None = None,
    places: NamespaceRules | None = None,
) -> Interpretation:
    """Read a stored event body.

    `recorded` is when the log took it, µs; `places` say what its sender means by shared namespaces. Raises
    InvalidEventError for a time that does not parse, which the door refuses before it reaches the log.
    """
    return _reader(rules or ModelRules(), places or NamespaceRules()).interpretation(body, seq, recorded, actor)


class _Run(msgspec.Struct):
    runId: str  # noqa: N815 - the JSON name
    facets: msgspec.Raw = NOTHING


class _Event(msgspec.Struct):
    """An event whose parts are not read yet."""

    eventTime: str  # noqa: N815
    eventType: str | None = None  # noqa: N815
    run: _Run | None = None
    job: msgspec.Raw = NOTHING
    dataset: msgspec.Raw = NOTHING
    inputs: list[msgspec.Raw] | None = None
    outputs: list[msgspec.Raw] | None = None


_decode = msgspec.json.Decoder(_Event).decode


@lru_cache(maxsize=4)
def _reader(rules: ModelRules, places: NamespaceRules) -> "_Reader":
    return _Reader(Parts(rules.match, places))


class _Reader:
    """Reads events by one set of rules."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def interpretation(self, body: bytes, seq: int, recorded: int, actor: str) -> Interpretation:
        event = _decode(body)
        job = self._parts.job(event.job)
        run = self._parts.run(actor, event.run.facets) if event.run else None
        uses = _Uses(self._parts, actor, job)
        subject = event.dataset if job is None and event.run is None and event.dataset != NOTHING else None
        record = EventRecord(
            seq=seq,
            at=min(parse_instant(event.eventTime).micros, recorded + GRACE),
            recorded=recorded,
            time=event.eventTime,
            actor=actor,
            shape=Shape.DATASET if subject else Shape.RUN if event.run else Shape.JOB,
            digest=hashlib.sha256(body).hexdigest(),
            type=text(event.eventType),
            run=event.run.runId.lower() if event.run else None,
            job=job.id if job else None,
            job_namespace=job.namespace if job else "",
            job_name=job.name if job else "",
            processing=job.processing if job else None,
            job_type=job.job_type if job else None,
            snapshot=job.snapshot if job else False,
            window=job.window if job else None,
            parent=run.parent if run else None,
            inputs=uses.inputs(event.inputs or ()),
            outputs=uses.outputs(event.outputs or ()),
            subject=uses.mention(subject, "inputFacets") if subject else None,
            serving=run.serving if run else None,
            job_bundle=job.bundle if job else None,
            run_bundle=run.bundle if run else None,
            extraction_failed=run.extraction_failed if run else False,
            sources=uses.job_sources,
        )
        return Interpretation(record, (*(part.found for part in (job, run) if part), *uses.found))


class _Uses:
    """The datasets of one event, in the light of what its job's `lineage` facet says."""

    def __init__(self, parts: Parts, actor: str, job: JobPart | None) -> None:
        self._parts, self._actor, self._job = parts, actor, job
        self.found: list[Found] = []
        self._entries: Entries = {}
        self.job_sources: tuple[Source, ...] | None = None
        if job is not None and job.lineage is not None:
            reading = PartReading(parts, actor, job)
            self._entries = reading.entries(job)
            self.job_sources = reading.sources(self._entries[job.id].inputs) if job.id in self._entries else None
            self.found.append(reading.found)

    def mention(self, raw: msgspec.Raw, kind: str, entries: Entries | None = None) -> DatasetUse:
        part = self._parts.dataset(self._actor, raw, kind, self._job, entries or {})
        self.found.append(part.found)
        return part.use

    def inputs(self, listed: Iterable[msgspec.Raw]) -> tuple[DatasetUse, ...]:
        """What the event lists, and what only its lineage facet says that the job read."""
        uses = [self.mention(raw, "inputFacets") for raw in listed]
        if not self.job_sources:
            return tuple(uses)
        named = {source.dataset for source in self.job_sources if source.dataset}
        return (*uses, *(DatasetUse(dataset) for dataset in sorted(named - {use.dataset for use in uses})))

    def outputs(self, listed: Iterable[msgspec.Raw]) -> tuple[DatasetUse, ...]:
        """What the event lists, and the datasets into which only its lineage facet says that data flowed."""
        uses = [self.mention(raw, "outputFacets", self._entries) for raw in listed]
        if not self._entries:
            return tuple(uses)
        told = {use.dataset for use in uses}
        for key, target in self._entries.items():
            if key not in told and target.named.get("type") != "JOB":
                part = PartReading(self._parts, self._actor, self._job).target(key, target)
                self.found.append(part.found)
                uses.append(part.use)
        return tuple(uses)
