"""An OpenLineage event, read into the record that the graph keeps. Pure: the same body gives the same record.

Facets that lineage needs are understood here, by the tables of the specification (core 2-0-2 and the facet schemas
named below); every facet, known or not, is kept by digest. What does not have the form that its schema gives it is
treated as absent from lineage, and stays visible among the facets.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from catalog.graph.record import (
    Change,
    DatasetUse,
    EventRecord,
    ParentRef,
    Processing,
    Served,
    Serving,
    Shape,
    Source,
)
from catalog.identity import dataset_id, job_id
from ingest.instant import parse_instant

GRACE = 300_000_000  # µs that a producer's clock may be ahead before its time no longer counts
_OWN_PLACE = frozenset({"version"})  # facets that are part of identity and differ with every write

Facets = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Interpretation:
    """A record, and what it refers to: names by id, facet bundles and bodies by digest, columns by dataset."""

    record: EventRecord
    datasets: dict[str, tuple[str, str]] = field(default_factory=dict)
    jobs: dict[str, tuple[str, str]] = field(default_factory=dict)
    fields: dict[str, set[str]] = field(default_factory=dict)
    bundles: dict[str, dict[str, str]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelRules:
    """Which datasets are models without saying so: namespaces, and path prefixes as (namespace, name prefix)."""

    namespaces: frozenset[str] = frozenset()
    prefixes: tuple[tuple[str, str], ...] = ()

    def match(self, namespace: str, name: str) -> bool:
        return namespace in self.namespaces or any(
            namespace == wanted and name.startswith(prefix) for wanted, prefix in self.prefixes
        )


def interpret(body: bytes, *, seq: int, recorded: int, actor: str, rules: ModelRules | None = None) -> Interpretation:
    """Read a stored event body.

    `recorded` is when the log took it, µs. Raises InvalidEventError for a time that does not parse, which the door
    refuses before it reaches the log.
    """
    return _Reading(body, seq, recorded, actor, rules or ModelRules()).interpretation()


class _Reading:
    """One pass over one event, collecting what its parts refer to."""

    def __init__(self, body: bytes, seq: int, recorded: int, actor: str, rules: ModelRules) -> None:
        self.event: dict[str, Any] = orjson.loads(body)
        self.digest = hashlib.sha256(body).hexdigest()
        self.seq, self.recorded, self.actor, self.rules = seq, recorded, actor, rules
        self.datasets: dict[str, tuple[str, str]] = {}
        self.jobs: dict[str, tuple[str, str]] = {}
        self.fields: dict[str, set[str]] = {}
        self.bundles: dict[str, dict[str, str]] = {}
        self.bodies: dict[str, bytes] = {}

    def interpretation(self) -> Interpretation:
        return Interpretation(self._record(), self.datasets, self.jobs, self.fields, self.bundles, self.bodies)

    def _record(self) -> EventRecord:
        event = self.event
        job, run = _mapping(event.get("job")), _mapping(event.get("run"))
        job_facets, run_facets = _facets(job), _facets(run)
        entries = _lineage_entries(job_facets.get("lineage"))
        job_type = _mapping(job_facets.get("jobType"))
        pattern = _mapping(job_type.get("emissionPattern"))
        subject = event.get("dataset") if not job and not run else None
        return EventRecord(
            seq=self.seq,
            at=min(parse_instant(event["eventTime"]).micros, self.recorded + GRACE),
            recorded=self.recorded,
            time=event["eventTime"],
            actor=self.actor,
            shape=Shape.DATASET if subject else Shape.RUN if run else Shape.JOB,
            digest=self.digest,
            type=_text(event.get("eventType")),
            run=str(run["runId"]).lower() if run else None,
            job=self._job(job) if job else None,
            job_namespace=job.get("namespace", ""),
            job_name=job.get("name", ""),
            processing=_processing(job_type) if job_type and not _deleted(job_type) else None,
            job_type=_text(job_type.get("jobType")),
            snapshot=pattern.get("eventContentMode") == "COMPLETE_SNAPSHOT",
            window=_number(pattern.get("windowDuration")),
            parent=self._parent(run_facets),
            inputs=tuple(self._use(use, "inputFacets", {}) for use in event.get("inputs") or ()),
            outputs=tuple(self._outputs(event.get("outputs") or (), entries)),
            subject=self._use(subject, "inputFacets", {}) if subject else None,
            serving=self._serving(run_facets.get("lineward_serving")),
            job_bundle=self._bundle(job_facets),
            run_bundle=self._bundle(run_facets),
            extraction_failed="extractionError" in run_facets,
            sources=self._job_sources(job, entries),
        )

    # Entities --------------------------------------------------------------------------------------------------

    def _dataset(self, named: Mapping[str, Any]) -> str:
        key = dataset_id(named["namespace"], named["name"])
        self.datasets[key] = (named["namespace"], named["name"])
        return key

    def _job(self, named: Mapping[str, Any]) -> str:
        key = job_id(named["namespace"], named["name"])
        self.jobs[key] = (named["namespace"], named["name"])
        return key

    def _parent(self, run_facets: Facets) -> ParentRef | None:
        """ParentRunFacet 1-2-0; `parentRun` is the key of old producers."""
        facet = _mapping(run_facets.get("parent") or run_facets.get("parentRun"))
        run, job = _mapping(facet.get("run")), _mapping(facet.get("job"))
        if not isinstance(run.get("runId"), str) or not _named(job):
            return None
        self._job(job)
        return ParentRef(run["runId"].lower(), job["namespace"], job["name"])

    # Datasets --------------------------------------------------------------------------------------------------

    def _outputs(self, outputs: Iterable[Any], entries: dict[str, list[Any]]) -> Iterable[DatasetUse]:
        told = set()
        for output in outputs:
            use = self._use(output, "outputFacets", entries)
            told.add(use.dataset)
            yield use
        for key, inputs in entries.items():
            if key not in told and key in self.datasets:
                yield DatasetUse(key, sources=tuple(self._sources(inputs)))

    def _use(self, mention: Mapping[str, Any], kind: str, entries: dict[str, list[Any]]) -> DatasetUse:
        key = self._dataset(mention)
        facets, use_facets = _facets(mention), _mapping(mention.get(kind))
        change, renamed_from = self._change(facets.get("lifecycleStateChange"))
        serving = _mapping(use_facets.get("lineward_serving"))
        self._collect_columns(key, facets.get("schema"))
        stated = entries.get(key)
        own = _mapping(facets.get("lineage"))
        if own and not _deleted(own):
            stated = [*(stated or ()), *_entry_inputs(own)]
        return DatasetUse(
            dataset=key,
            version=_text(_mapping(facets.get("version")).get("datasetVersion")),
            change=change,
            renamed_from=renamed_from,
            model=self._is_model(mention, facets),
            bundle=self._bundle({name: body for name, body in facets.items() if name not in _OWN_PLACE}),
            use_bundle=self._bundle(use_facets),
            columns=tuple(sorted(self._column_sources(facets.get("columnLineage")))),
            sources=None if stated is None else tuple(self._sources(stated)),
            aliases=self._aliases(facets.get("symlinks")),
            role=_text(serving.get("role")),
            share=_number(serving.get("share")),
        )

    def _is_model(self, mention: Mapping[str, Any], facets: Facets) -> bool:
        """Declared by type, by our facet or by rule; dbt's `jobType: MODEL` is a job's and means something else."""
        declared = _text(_mapping(facets.get("datasetType")).get("datasetType")) or ""
        return (
            declared.upper() == "MODEL"
            or "lineward_model" in facets
            or self.rules.match(mention["namespace"], mention["name"])
        )

    def _change(self, facet: Any) -> tuple[Change | None, str | None]:
        """LifecycleStateChangeDatasetFacet 1-0-1."""
        body = _mapping(facet)
        word = body.get("lifecycleStateChange")
        if word not in set(Change) or _deleted(body):
            return None, None
        previous = _mapping(body.get("previousIdentifier"))
        return Change(word), self._dataset(previous) if _named(previous) else None

    def _aliases(self, facet: Any) -> tuple[str, ...] | None:
        """SymlinksDatasetFacet 1-0-1; a deleted facet ends all aliases, an absent one says nothing."""
        if not isinstance(facet, Mapping):
            return None
        if _deleted(facet):
            return ()
        listed = facet.get("identifiers")
        return tuple(self._dataset(entry) for entry in (listed if isinstance(listed, list) else ()) if _named(entry))

    def _collect_columns(self, dataset: str, facet: Any) -> None:
        """SchemaDatasetFacet 1-2-0, nested fields as dotted paths."""
        found = self.fields.setdefault(dataset, set())
        stack = [("", _mapping(facet).get("fields"))]
        while stack:
            prefix, listed = stack.pop()
            for entry in listed if isinstance(listed, list) else ():
                if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
                    path = prefix + entry["name"]
                    found.add(path)
                    stack.append((path + ".", entry.get("fields")))

    def _column_sources(self, facet: Any) -> set[str]:
        """The datasets that a ColumnLineageDatasetFacet 1-2-0 names."""
        body = _mapping(facet)
        if _deleted(body):
            return set()
        entries = list(body["dataset"]) if isinstance(body.get("dataset"), list) else []
        for target in _mapping(body.get("fields")).values():
            listed = _mapping(target).get("inputFields")
            entries += listed if isinstance(listed, list) else []
        found = set()
        for entry in entries:
            if _named(entry):
                key = self._dataset(entry)
                found.add(key)
                if isinstance(entry.get("field"), str):
                    self.fields.setdefault(key, set()).add(entry["field"])
        return found

    # Explicit lineage ------------------------------------------------------------------------------------------

    def _sources(self, inputs: Iterable[Any]) -> Iterable[Source]:
        """LineageFacet 1-0-0 inputs: datasets, and jobs (which say nothing of data's version)."""
        for entry in inputs:
            if not isinstance(entry, Mapping):
                continue
            if entry.get("type") == "JOB":
                job = (
                    self._job(entry)
                    if _named(entry)
                    else job_id(self.event["job"]["namespace"], self.event["job"]["name"])
                )
                yield Source(job=job, run=_text(entry.get("runId")))
            elif _named(entry):
                yield Source(dataset=self._dataset(entry), field=_text(entry.get("field")))

    def _job_sources(self, job: Mapping[str, Any], entries: dict[str, list[Any]]) -> tuple[Source, ...] | None:
        if not job:
            return None
        inputs = entries.get(job_id(job["namespace"], job["name"]))
        return None if inputs is None else tuple(self._sources(inputs))

    # Serving ---------------------------------------------------------------------------------------------------

    def _serving(self, facet: Any) -> Serving | None:
        body = _mapping(facet)
        if not body:
            return None
        listed = body.get("models")
        return Serving(
            _text(body.get("environment")),
            _text(body.get("endpoint")),
            _text(body.get("role")) or "primary",
            _number(body.get("share")),
            tuple(
                Served(
                    self._dataset(entry),
                    _text(entry.get("version")),
                    _text(entry.get("role")) or _text(body.get("role")) or "primary",
                    _number(entry.get("share")),
                )
                for entry in (listed if isinstance(listed, list) else ())
                if _named(entry)
            ),
        )

    # Facets ----------------------------------------------------------------------------------------------------

    def _bundle(self, facets: Facets) -> str | None:
        if not facets:
            return None
        names = {name: self._body(facet) for name, facet in facets.items()}
        encoded = orjson.dumps(names, option=orjson.OPT_SORT_KEYS)
        digest = hashlib.sha256(encoded).hexdigest()
        self.bundles[digest] = names
        return digest

    def _body(self, facet: Any) -> str:
        encoded = orjson.dumps(facet, option=orjson.OPT_SORT_KEYS)
        digest = hashlib.sha256(encoded).hexdigest()
        self.bodies[digest] = encoded
        return digest


def _lineage_entries(facet: Any) -> dict[str, list[Any]]:
    """LineageJobFacet 1-0-0: the stated inputs of each target, entity and field level together, by target id."""
    body = _mapping(facet)
    entries = body.get("entries")
    found: dict[str, list[Any]] = {}
    if _deleted(body) or not isinstance(entries, list):
        return found
    for entry in entries:
        if _named(entry):
            make = job_id if entry.get("type") == "JOB" else dataset_id
            found.setdefault(make(entry["namespace"], entry["name"]), []).extend(_entry_inputs(entry))
    return found


def _entry_inputs(entry: Mapping[str, Any]) -> list[Any]:
    listed = entry.get("inputs")
    inputs = list(listed) if isinstance(listed, list) else []
    for target in _mapping(entry.get("fields")).values():
        of_field = _mapping(target).get("inputs")
        inputs += of_field if isinstance(of_field, list) else []
    return inputs


def _processing(job_type: Mapping[str, Any]) -> Processing:
    word = job_type.get("processingType")
    return Processing(word) if word in set(Processing) else Processing.BATCH


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _facets(entity: Mapping[str, Any]) -> Facets:
    return _mapping(entity.get("facets"))


def _named(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("namespace"), str) and isinstance(value.get("name"), str)


def _deleted(body: Mapping[str, Any]) -> bool:
    return body.get("_deleted") is True


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
