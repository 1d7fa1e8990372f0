"""An OpenLineage event, read into the record that the graph keeps. Pure: the same body gives the same record.

Facets that lineage needs are understood here, by the tables of the specification (core 2-0-2 and the facet schemas
named below); every facet, known or not, is kept by digest. What does not have the form that its schema gives it is
treated as absent from lineage, and stays visible among the facets. A facet that is null says nothing at all: that is
how serialisers write an absent one.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

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
from catalog.identity import dataset_id, is_shared_namespace, job_id
from ingest.instant import parse_instant
from ingest.namespaces import NamespaceRules

WRITTEN = "lineward_namespace"  # facet on a dataset that a rule moved: the namespace as it was written
GRACE = 300_000_000  # µs that a producer's clock may be ahead before its time no longer counts

Facets = Mapping[str, Any]
_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Interpretation:
    """A record, and what it refers to: names by id, facet bundles and bodies by digest, columns by dataset."""

    record: EventRecord
    datasets: dict[str, tuple[str, str]] = field(default_factory=dict)
    jobs: dict[str, tuple[str, str]] = field(default_factory=dict)
    fields: dict[str, set[str]] = field(default_factory=dict)
    bundles: dict[str, dict[str, str]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    unplaced: set[str] = field(default_factory=set)  # datasets in a shared namespace without a rule


@dataclass(frozen=True, slots=True)
class _Target:
    """An explicit entry's target: its name, the inputs that feed it, and those of its columns that are named."""

    named: Mapping[str, Any]
    inputs: list[Any] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)


_Entries = dict[str, _Target]


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
    return _Reading(body, seq, recorded, actor, rules or ModelRules(), places or NamespaceRules()).interpretation()


class _Reading:
    """One pass over one event, collecting what its parts refer to."""

    def __init__(
        self, body: bytes, seq: int, recorded: int, actor: str, rules: ModelRules, places: NamespaceRules
    ) -> None:
        self.event: dict[str, Any] = orjson.loads(body)
        self.digest = hashlib.sha256(body).hexdigest()
        self.seq, self.recorded, self.actor, self.rules = seq, recorded, actor, rules
        self.places = places
        self.datasets: dict[str, tuple[str, str]] = {}
        self.jobs: dict[str, tuple[str, str]] = {}
        self.fields: dict[str, set[str]] = {}
        self.bundles: dict[str, dict[str, str]] = {}
        self.bodies: dict[str, bytes] = {}
        self.unplaced: set[str] = set()

    def interpretation(self) -> Interpretation:
        record = self._record()
        return Interpretation(record, self.datasets, self.jobs, self.fields, self.bundles, self.bodies, self.unplaced)

    def _record(self) -> EventRecord:
        event = self.event
        job, run = _mapping(event.get("job")), _mapping(event.get("run"))
        job_facets, run_facets = _facets(job), _facets(run)
        entries = _lineage_entries(job_facets.get("lineage"), job, self._dataset_key)
        job_type = _standing(job_facets.get("jobType"))
        sources = self._job_sources(job, entries)
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
            processing=(_word(Processing, job_type.get("processingType")) or Processing.BATCH) if job_type else None,
            job_type=_text(job_type.get("jobType")),
            snapshot=pattern.get("eventContentMode") == "COMPLETE_SNAPSHOT",
            window=_number(pattern.get("windowDuration")),
            parent=self._parent(run_facets),
            inputs=tuple(self._inputs(event.get("inputs") or (), sources or ())),
            outputs=tuple(self._outputs(event.get("outputs") or (), entries)),
            subject=self._use(subject, "inputFacets", {}) if subject else None,
            serving=self._serving(run_facets.get("lineward_serving")),
            job_bundle=self._bundle(job_facets),
            run_bundle=self._bundle(run_facets),
            extraction_failed="extractionError" in run_facets,
            sources=sources,
        )

    # Entities --------------------------------------------------------------------------------------------------

    def _dataset(self, named: Mapping[str, Any]) -> str:
        written, name = named["namespace"], named["name"]
        placed = self.places.place(self.actor, written)
        namespace = written if placed is None else placed
        key = dataset_id(namespace, name)
        self.datasets[key] = (namespace, name)
        if placed is None and is_shared_namespace(written):
            self.unplaced.add(key)
        return key

    def _dataset_key(self, named: Mapping[str, Any]) -> str:
        placed = self.places.place(self.actor, named["namespace"])
        return dataset_id(named["namespace"] if placed is None else placed, named["name"])

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

    def _inputs(self, inputs: Iterable[Any], sources: Iterable[Source]) -> Iterable[DatasetUse]:
        """What the event lists, and what only its lineage facet says that the job read."""
        told = set()
        for each in inputs:
            use = self._use(each, "inputFacets", {})
            told.add(use.dataset)
            yield use
        named = {source.dataset for source in sources if source.dataset}
        yield from (DatasetUse(dataset) for dataset in sorted(named - told))

    def _outputs(self, outputs: Iterable[Any], entries: _Entries) -> Iterable[DatasetUse]:
        """What the event lists, and the datasets into which only its lineage facet says that data flowed."""
        told = set()
        for output in outputs:
            use = self._use(output, "outputFacets", entries)
            told.add(use.dataset)
            yield use
        for key, target in entries.items():
            if key not in told and target.named.get("type") != "JOB":
                self.fields.setdefault(self._dataset(target.named), set()).update(target.columns)
                yield DatasetUse(key, sources=tuple(self._sources(target.inputs)))

    def _use(self, mention: Mapping[str, Any], kind: str, entries: _Entries) -> DatasetUse:
        key = self._dataset(mention)
        facets, use_facets = _facets(mention), _facets(mention, kind)
        facets.pop(WRITTEN, None)  # nobody sends it
        if self.places.place(self.actor, mention["namespace"]) not in (None, mention["namespace"]):
            facets[WRITTEN] = {"written": mention["namespace"]}
        change, renamed_from = self._change(facets.get("lifecycleStateChange"))
        serving = _mapping(use_facets.get("lineward_serving"))
        self._collect_columns(key, facets.get("schema"))
        targets = [*([entries[key]] if key in entries else ()), *_own_entry(mention, facets.get("lineage"))]
        self.fields[key].update(column for target in targets for column in target.columns)
        version = _text(_standing(facets.get("version")).get("datasetVersion"))
        if version is not None:  # it is in its own place, and differs with every write
            del facets["version"]
        return DatasetUse(
            dataset=key,
            version=version,
            change=change,
            renamed_from=renamed_from,
            model=self._is_model(mention, facets),
            bundle=self._bundle(facets),
            use_bundle=self._bundle(use_facets),
            columns=tuple(sorted(self._column_sources(key, facets.get("columnLineage")))),
            sources=tuple(self._sources(each for target in targets for each in target.inputs)) if targets else None,
            aliases=self._aliases(facets.get("symlinks")),
            role=_text(serving.get("role")),
            share=_number(serving.get("share")),
            column_lineage=self._body(facets["columnLineage"]) if "columnLineage" in facets else None,
        )

    def _is_model(self, mention: Mapping[str, Any], facets: Facets) -> bool:
        """Declared by type, by our facet or by rule; dbt's `jobType: MODEL` is a job's and means something else."""
        declared = _text(_standing(facets.get("datasetType")).get("datasetType")) or ""
        return (
            declared.upper() == "MODEL"
            or bool(_standing(facets.get("lineward_model")))
            or self.rules.match(mention["namespace"], mention["name"])
        )

    def _change(self, facet: Any) -> tuple[Change | None, str | None]:
        """LifecycleStateChangeDatasetFacet 1-0-1."""
        body = _standing(facet)
        change = _word(Change, body.get("lifecycleStateChange"))
        previous = _mapping(body.get("previousIdentifier"))
        return change, self._dataset(previous) if change and _named(previous) else None

    def _aliases(self, facet: Any) -> tuple[str, ...] | None:
        """SymlinksDatasetFacet 1-0-1; a deleted or empty facet ends all aliases, an absent one says nothing."""
        if not isinstance(facet, Mapping):
            return None
        listed = _standing(facet).get("identifiers") or []
        if not isinstance(listed, list):
            return None
        return tuple(self._dataset(entry) for entry in listed if _named(entry))

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

    def _column_sources(self, dataset: str, facet: Any) -> set[str]:
        """The datasets that a ColumnLineageDatasetFacet 1-2-0 names. Its columns are columns of the dataset."""
        body = _standing(facet)
        self.fields[dataset].update(_mapping(body.get("fields")))
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
                named = entry if _named(entry) else self.event.get("job")
                yield Source(job=self._job(named) if named else None, run=_text(entry.get("runId")))
            elif _named(entry):
                source = Source(dataset=self._dataset(entry), field=_text(entry.get("field")))
                if source.dataset and source.field:
                    self.fields.setdefault(source.dataset, set()).add(source.field)
                yield source

    def _job_sources(self, job: Mapping[str, Any], entries: _Entries) -> tuple[Source, ...] | None:
        stated = entries.get(job_id(job["namespace"], job["name"])) if job else None
        return None if stated is None else tuple(self._sources(stated.inputs))

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


def _lineage_entries(facet: Any, own: Mapping[str, Any], dataset_key: Callable[[Mapping[str, Any]], str]) -> _Entries:
    """LineageJobFacet 1-0-0: each target with its stated inputs, entity and field level together, by target id.

    A target without a name is the event's own job.
    """
    listed = _standing(facet).get("entries")
    found: _Entries = {}
    for entry in listed if isinstance(listed, list) else ():
        inputs = _entry_inputs(_mapping(entry))
        of_job = inputs is not None and entry.get("type") == "JOB"
        named = {**own, "type": "JOB"} if of_job and own and not _named(entry) else entry
        if inputs is not None and _named(named):
            key = job_id(named["namespace"], named["name"]) if of_job else dataset_key(named)
            target = found.setdefault(key, _Target(named))
            target.inputs.extend(inputs)
            target.columns.update(_mapping(entry.get("fields")))
    return found


def _own_entry(dataset: Mapping[str, Any], facet: Any) -> Iterable[_Target]:
    """LineageDatasetFacet 1-0-0: an entry whose target is the dataset that has the facet."""
    body = _standing(facet)
    inputs = _entry_inputs(body)
    if inputs is not None:
        yield _Target(dataset, inputs, set(_mapping(body.get("fields"))))


def _entry_inputs(entry: Mapping[str, Any]) -> list[Any] | None:
    """The inputs that an entry states; an empty list says that there are none, None that it cannot be read."""
    lists = [entry.get("inputs"), *(_mapping(of).get("inputs") for of in _mapping(entry.get("fields")).values())]
    stated = [listed for listed in lists if isinstance(listed, list)]
    inputs = [each for listed in stated for each in listed]
    legible = [each for each in inputs if _named(each) or _mapping(each).get("type") == "JOB"]
    return legible if legible or (stated and not inputs) else None


def _word(words: type[_Word], value: Any) -> _Word | None:
    return words(value) if isinstance(value, str) and value in set(words) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _standing(facet: Any) -> Mapping[str, Any]:
    """A facet's body, empty where it is absent, of another form, or deleted."""
    body = _mapping(facet)
    return {} if body.get("_deleted") is True else body


def _facets(entity: Mapping[str, Any], kind: str = "facets") -> dict[str, Any]:
    return {name: facet for name, facet in _mapping(entity.get(kind)).items() if facet is not None}


def _named(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("namespace"), str) and isinstance(value.get("name"), str)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
