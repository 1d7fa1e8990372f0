"""What one part of an event says: a dataset as it is mentioned, a job, a run. Read from the bytes of that part.

Datasets, jobs and facets come with the same bytes in event after event. A profile of the projector puts half of its
time into parsing and digesting them, so what a part said is remembered by its bytes, within a bound. Remembering
changes nothing: a part that is read in the light of another one (an explicit `lineage` facet) is read anew each time.
"""

import hashlib
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
import orjson

from catalog.graph.record import Change, DatasetUse, ParentRef, Processing, Served, Serving, Source
from catalog.identity import dataset_id, is_shared_namespace, job_id
from catalog.remembered import Remembered
from ingest.namespaces import NamespaceRules

WRITTEN = "lineward_namespace"  # facet on a dataset that a rule moved: the namespace as it was written
NOTHING = msgspec.Raw(b"null")

_REMEMBERED = 4 * 1024 * 1024  # bytes of JSON of each kind of part, and as many of the generation before

Facets = Mapping[str, Any]
RawFacets = Mapping[str, bytes]
_Members = dict[str, msgspec.Raw] | None
IsModel = Callable[[str, str], bool]
_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What is referred to: names by id, facet bundles and bodies by digest, columns by dataset."""

    datasets: dict[str, tuple[str, str]] = field(default_factory=dict)
    jobs: dict[str, tuple[str, str]] = field(default_factory=dict)
    fields: dict[str, frozenset[str]] = field(default_factory=dict)
    bundles: dict[str, dict[str, str]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    unplaced: set[str] = field(default_factory=set)  # datasets in a shared namespace without a rule

    def add_fields(self, dataset: str, paths: frozenset[str]) -> None:
        known = self.fields.get(dataset)
        if known is None or known <= paths:
            self.fields[dataset] = paths
        elif not paths <= known:
            self.fields[dataset] = known | paths


@dataclass(frozen=True, slots=True)
class Target:
    """An explicit entry's target: its name, the inputs that feed it, and those of its columns that are named."""

    named: Mapping[str, Any]
    inputs: list[Any] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)


Entries = dict[str, Target]


class Entity(msgspec.Struct, frozen=True):
    """A job or a dataset, whose facets are not read yet."""

    namespace: str
    name: str
    facets: _Members = None
    inputFacets: _Members = None  # noqa: N815 - the JSON name
    outputFacets: _Members = None  # noqa: N815


@dataclass(frozen=True, slots=True)
class JobPart:
    """A job and what its facets say; `lineage` is a facet whose reading needs the event's sender."""

    id: str
    namespace: str
    name: str
    processing: Processing | None
    job_type: str | None
    snapshot: bool
    window: float | None
    bundle: str | None
    lineage: Any
    found: Found


@dataclass(frozen=True, slots=True)
class RunPart:
    """What a run's facets say."""

    parent: ParentRef | None
    serving: Serving | None
    extraction_failed: bool
    bundle: str | None
    found: Found


@dataclass(frozen=True, slots=True)
class DatasetPart:
    use: DatasetUse
    found: Found


class Parts:
    """Reads parts, and remembers them by the bytes and, where rules tell places by sender, by who sent them."""

    def __init__(self, is_model: IsModel, places: NamespaceRules) -> None:
        self.is_model = is_model
        self.places = places
        self._jobs: Remembered[bytes, JobPart] = Remembered(_REMEMBERED)
        self._runs: Remembered[tuple[str, bytes], RunPart] = Remembered(_REMEMBERED)
        self._datasets: Remembered[tuple[str, str, bytes], DatasetPart] = Remembered(_REMEMBERED)
        self._versioned: Remembered[Hashable, DatasetPart] = Remembered(_REMEMBERED)
        self._bodies: Remembered[bytes, tuple[str, bytes]] = Remembered(_REMEMBERED)

    def job(self, raw: msgspec.Raw) -> JobPart | None:
        """The event's job; None for null."""
        text = bytes(raw)
        part = self._jobs.find(text)
        if part is None and raw != NOTHING:
            part = PartReading(self, "").job(_decode_entity(text))
            self._jobs.keep(text, part, len(text))
        return part

    def run(self, actor: str, raw: msgspec.Raw) -> RunPart:
        """What these run facets say."""
        text = bytes(raw)
        key = self._sender(actor), text
        part = self._runs.find(key)
        if part is None:
            part = PartReading(self, actor).run(_decode_facets(text))
            self._runs.keep(key, part, len(text))
        return part

    def dataset(self, actor: str, raw: msgspec.Raw, kind: str, job: JobPart | None, entries: Entries) -> DatasetPart:
        """A dataset as it is mentioned; `kind` names the facets of its use, `entries` explicit lineage about it."""
        encoded = bytes(raw)
        key = self._sender(actor), kind, encoded
        part = None if entries else self._datasets.find(key)
        if part is None:
            mention = _mention(_decode_entity(encoded), kind)
            if entries or "lineage" in mention.facets:
                return PartReading(self, actor, job).dataset(mention, entries)
            part = self._of_any_version(actor, mention)
            self._datasets.keep(key, part, len(encoded))
        return part

    def _of_any_version(self, actor: str, mention: "_Mention") -> DatasetPart:
        """A version differs with every write, and all else in a mention with few: so that is remembered without it."""
        if mention.version is None:
            return PartReading(self, actor).dataset(mention, {})
        facets, uses = tuple(mention.facets.items()), tuple(mention.use_facets.items())
        key = self._sender(actor), mention.namespace, mention.name, facets, uses
        part = self._versioned.find(key)
        if part is None:
            part = PartReading(self, actor).dataset(mention, {})
            self._versioned.keep(key, part, sum(len(facet) for _, facet in facets))
        return DatasetPart(msgspec.structs.replace(part.use, version=mention.version), part.found)

    def body(self, raw: bytes) -> tuple[str, bytes]:
        """A facet's digest and its canonical JSON."""
        known = self._bodies.find(raw)
        if known is None:
            canonical = orjson.dumps(orjson.loads(raw), option=orjson.OPT_SORT_KEYS)
            known = hashlib.sha256(canonical).hexdigest(), canonical
            self._bodies.keep(raw, known, len(raw))
        return known

    def _sender(self, actor: str) -> str:
        return actor if self.places.rules else ""


_decode_entity = msgspec.json.Decoder(Entity).decode
_decode_facets = msgspec.json.Decoder(_Members).decode
MAX_ALIAS = 256  # characters, as the schema says
_UNDERSTOOD = frozenset(
    {
        "columnLineage",
        "datasetType",
        "jobType",
        "lifecycleStateChange",
        "lineage",
        "lineward_model",
        "lineward_registry",
        "lineward_serving",
        "parent",
        "parentRun",
        "schema",
        "symlinks",
    }
)


@dataclass(frozen=True, slots=True)
class _Mention:
    """A dataset as it is mentioned. Its version is in its own place, and differs with every write."""

    namespace: str
    name: str
    version: str | None
    facets: RawFacets
    use_facets: RawFacets


def _mention(dataset: Entity, kind: str) -> _Mention:
    facets = _told(dataset.facets)
    facets.pop(WRITTEN, None)  # nobody sends it
    version = text(standing(orjson.loads(facets.get("version", b"null"))).get("datasetVersion"))
    if version is not None:
        del facets["version"]
    uses = dataset.inputFacets if kind == "inputFacets" else dataset.outputFacets
    return _Mention(dataset.namespace, dataset.name, version, facets, _told(uses))


class PartReading:
    """One pass over one part, collecting what it refers to."""

    def __init__(self, parts: Parts, actor: str, job: JobPart | None = None) -> None:
        self._parts, self._places = parts, parts.places
        self._actor = actor
        self._job_part = job
        self.found = Found()

    # Entities --------------------------------------------------------------------------------------------------

    def job(self, job: Entity) -> JobPart:
        raw = _told(job.facets)
        facets = _understood(raw)
        job_type = standing(facets.get("jobType"))
        pattern = mapping(job_type.get("emissionPattern"))
        return JobPart(
            id=self._job({"namespace": job.namespace, "name": job.name}),
            namespace=job.namespace,
            name=job.name,
            processing=(_word(Processing, job_type.get("processingType")) or Processing.BATCH) if job_type else None,
            job_type=text(job_type.get("jobType")),
            snapshot=pattern.get("eventContentMode") == "COMPLETE_SNAPSHOT",
            window=_number(pattern.get("windowDuration")),
            bundle=self._bundle(raw),
            lineage=facets.get("lineage"),
            found=self.found,
        )

    def run(self, facets: _Members) -> RunPart:
        raw = _told(facets)
        understood = _understood(raw)
        return RunPart(
            parent=self._parent(understood),
            serving=self._serving(understood.get("lineward_serving")),
            extraction_failed="extractionError" in raw,
            bundle=self._bundle(raw),
            found=self.found,
        )

    def _dataset(self, named: Mapping[str, Any]) -> str:
        written, name = named["namespace"], named["name"]
        placed = self._places.place(self._actor, written)
        namespace = written if placed is None else placed
        key = dataset_id(namespace, name)
        self.found.datasets[key] = (namespace, name)
        if placed is None and is_shared_namespace(written):
            self.found.unplaced.add(key)
        return key

    def _dataset_key(self, named: Mapping[str, Any]) -> str:
        placed = self._places.place(self._actor, named["namespace"])
        return dataset_id(named["namespace"] if placed is None else placed, named["name"])

    def _job(self, named: Mapping[str, Any]) -> str:
        key = job_id(named["namespace"], named["name"])
        self.found.jobs[key] = (named["namespace"], named["name"])
        return key

    def _parent(self, run_facets: Facets) -> ParentRef | None:
        """ParentRunFacet 1-2-0; `parentRun` is the key of old producers."""
        facet = mapping(run_facets.get("parent") or run_facets.get("parentRun"))
        run, job = mapping(facet.get("run")), mapping(facet.get("job"))
        if not isinstance(run.get("runId"), str) or not named(job):
            return None
        self._job(job)
        return ParentRef(run["runId"].lower(), job["namespace"], job["name"])

    # Datasets --------------------------------------------------------------------------------------------------

    def dataset(self, mention: _Mention, entries: Entries) -> DatasetPart:
        named = {"namespace": mention.namespace, "name": mention.name}
        key = self._dataset(named)
        raw = mention.facets
        if self._places.place(self._actor, mention.namespace) not in (None, mention.namespace):
            raw = {**raw, WRITTEN: orjson.dumps({"written": mention.namespace})}
        facets, use_facets = _understood(raw), _understood(mention.use_facets)
        change, renamed_from = self._change(facets.get("lifecycleStateChange"))
        serving = mapping(use_facets.get("lineward_serving"))
        columns = _columns(facets.get("schema"))
        targets = [*([entries[key]] if key in entries else ()), *_own_entry(named, facets.get("lineage"))]
        columns.update(column for target in targets for column in target.columns)
        columns.update(mapping(standing(facets.get("columnLineage")).get("fields")))
        self.found.add_fields(key, frozenset(columns))
        use = DatasetUse(
            dataset=key,
            version=mention.version,
            change=change,
            renamed_from=renamed_from,
            model=self._is_model(named, facets),
            bundle=self._bundle(raw),
            use_bundle=self._bundle(mention.use_facets),
            columns=tuple(sorted(self._column_sources(facets.get("columnLineage")))),
            sources=self.sources(each for target in targets for each in target.inputs) if targets else None,
            aliases=self._aliases(facets.get("symlinks")),
            role=text(serving.get("role")),
            share=_number(serving.get("share")),
            column_lineage=self._body(raw["columnLineage"]) if "columnLineage" in raw else None,
            registered=_registered(facets.get("lineward_registry")),
        )
        return DatasetPart(use, self.found)

    def target(self, key: str, target: Target) -> DatasetPart:
        """A dataset into which only explicit lineage says that data flowed."""
        self._dataset(target.named)
        self.found.add_fields(key, frozenset(target.columns))
        return DatasetPart(DatasetUse(key, sources=self.sources(target.inputs)), self.found)

    def _is_model(self, mention: Mapping[str, Any], facets: Facets) -> bool:
        """Declared by type, by our facet or by rule; dbt's `jobType: MODEL` is a job's and means something else."""
        declared = text(standing(facets.get("datasetType")).get("datasetType")) or ""
        return (
            declared.upper() == "MODEL"
            or bool(standing(facets.get("lineward_model")))
            or self._parts.is_model(mention["namespace"], mention["name"])
        )

    def _change(self, facet: Any) -> tuple[Change | None, str | None]:
        """LifecycleStateChangeDatasetFacet 1-0-1."""
        body = standing(facet)
        change = _word(Change, body.get("lifecycleStateChange"))
        previous = mapping(body.get("previousIdentifier"))
        return change, self._dataset(previous) if change and named(previous) else None

    def _aliases(self, facet: Any) -> tuple[str, ...] | None:
        """SymlinksDatasetFacet 1-0-1; a deleted or empty facet ends all aliases, an absent one says nothing."""
        if not isinstance(facet, Mapping):
            return None
        listed = standing(facet).get("identifiers") or []
        if not isinstance(listed, list):
            return None
        return tuple(self._dataset(entry) for entry in listed if named(entry))

    def _column_sources(self, facet: Any) -> set[str]:
        """The datasets that a ColumnLineageDatasetFacet 1-2-0 names."""
        body = standing(facet)
        entries = list(body["dataset"]) if isinstance(body.get("dataset"), list) else []
        for target in mapping(body.get("fields")).values():
            listed = mapping(target).get("inputFields")
            entries += listed if isinstance(listed, list) else []
        fields: dict[str, set[str]] = {}
        for entry in entries:
            if named(entry):
                columns = fields.setdefault(self._dataset(entry), set())
                if isinstance(entry.get("field"), str):
                    columns.add(entry["field"])
        for dataset, columns in fields.items():
            if columns:
                self.found.add_fields(dataset, frozenset(columns))
        return set(fields)

    # Explicit lineage ------------------------------------------------------------------------------------------

    def entries(self, job: JobPart) -> Entries:
        """What the job's `lineage` facet states, by the id of the target."""
        return _lineage_entries(job.lineage, {"namespace": job.namespace, "name": job.name}, self._dataset_key)

    def sources(self, inputs: Iterable[Any]) -> tuple[Source, ...]:
        """LineageFacet 1-0-0 inputs: datasets, and jobs (which say nothing of data's version)."""
        return tuple(source for entry in inputs if (source := self._source(mapping(entry))) is not None)

    def _source(self, entry: Mapping[str, Any]) -> Source | None:
        if entry.get("type") == "JOB":
            return Source(job=self._job_of(entry), run=text(entry.get("runId")))
        if not named(entry):
            return None
        source = Source(dataset=self._dataset(entry), field=text(entry.get("field")))
        if source.dataset and source.field:
            self.found.add_fields(source.dataset, frozenset((source.field,)))
        return source

    def _job_of(self, entry: Mapping[str, Any]) -> str | None:
        """The job that an input names; without a name the event's own."""
        if named(entry):
            return self._job(entry)
        own = self._job_part
        return self._job({"namespace": own.namespace, "name": own.name}) if own else None

    # Serving ---------------------------------------------------------------------------------------------------

    def _serving(self, facet: Any) -> Serving | None:
        body = mapping(facet)
        if not body:
            return None
        listed = body.get("models")
        return Serving(
            text(body.get("environment")),
            text(body.get("endpoint")),
            text(body.get("role")) or "primary",
            _number(body.get("share")),
            tuple(
                Served(
                    self._dataset(entry),
                    text(entry.get("version")),
                    text(entry.get("role")) or text(body.get("role")) or "primary",
                    _number(entry.get("share")),
                )
                for entry in (listed if isinstance(listed, list) else ())
                if named(entry)
            ),
        )

    # Facets ----------------------------------------------------------------------------------------------------

    def _bundle(self, facets: RawFacets) -> str | None:
        if not facets:
            return None
        names = {name: self._body(facet) for name, facet in facets.items()}
        encoded = orjson.dumps(names, option=orjson.OPT_SORT_KEYS)
        digest = hashlib.sha256(encoded).hexdigest()
        self.found.bundles[digest] = names
        return digest

    def _body(self, facet: bytes) -> str:
        digest, canonical = self._parts.body(facet)
        self.found.bodies[digest] = canonical
        return digest


def _lineage_entries(facet: Any, own: Mapping[str, Any], dataset_key: Callable[[Mapping[str, Any]], str]) -> Entries:
    """LineageJobFacet 1-0-0: each target with its stated inputs, entity and field level together, by target id.

    A target without a name is the event's own job.
    """
    listed = standing(facet).get("entries")
    found: Entries = {}
    for entry in listed if isinstance(listed, list) else ():
        inputs = _entry_inputs(mapping(entry))
        of_job = inputs is not None and entry.get("type") == "JOB"
        target = {**own, "type": "JOB"} if of_job and own and not named(entry) else entry
        if inputs is not None and named(target):
            key = job_id(target["namespace"], target["name"]) if of_job else dataset_key(target)
            stated = found.setdefault(key, Target(target))
            stated.inputs.extend(inputs)
            stated.columns.update(mapping(entry.get("fields")))
    return found


def _own_entry(dataset: Mapping[str, Any], facet: Any) -> Iterable[Target]:
    """LineageDatasetFacet 1-0-0: an entry whose target is the dataset that has the facet."""
    body = standing(facet)
    inputs = _entry_inputs(body)
    if inputs is not None:
        yield Target(dataset, inputs, set(mapping(body.get("fields"))))


def _entry_inputs(entry: Mapping[str, Any]) -> list[Any] | None:
    """The inputs that an entry states; an empty list says that there are none, None that it cannot be read."""
    lists = [entry.get("inputs"), *(mapping(of).get("inputs") for of in mapping(entry.get("fields")).values())]
    stated = [listed for listed in lists if isinstance(listed, list)]
    inputs = [each for listed in stated for each in listed]
    legible = [each for each in inputs if named(each) or mapping(each).get("type") == "JOB"]
    return legible if legible or (stated and not inputs) else None


def _word(words: type[_Word], value: Any) -> _Word | None:
    return words(value) if isinstance(value, str) and value in set(words) else None


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def standing(facet: Any) -> Mapping[str, Any]:
    """A facet's body, empty where it is absent, of another form, or deleted."""
    body = mapping(facet)
    return {} if body.get("_deleted") is True else body


def _told(facets: _Members) -> dict[str, bytes]:
    return {name: bytes(facet) for name, facet in facets.items() if facet != NOTHING} if facets else {}


def _understood(facets: RawFacets) -> dict[str, Any]:
    """The facets that lineage reads, parsed."""
    return {name: orjson.loads(facet) for name, facet in facets.items() if name in _UNDERSTOOD}


def _columns(facet: Any) -> set[str]:
    """SchemaDatasetFacet 1-2-0, nested fields as dotted paths."""
    found: set[str] = set()
    stack = [("", mapping(facet).get("fields"))]
    while stack:
        prefix, listed = stack.pop()
        for entry in listed if isinstance(listed, list) else ():
            if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
                path = prefix + entry["name"]
                found.add(path)
                stack.append((path + ".", entry.get("fields")))
    return found


def named(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("namespace"), str) and isinstance(value.get("name"), str)


def text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _registered(facet: Any) -> tuple[str, ...] | None:
    """LinewardRegistryDatasetFacet: all aliases of a version; () where it is deleted, None where it says nothing."""
    if not isinstance(facet, Mapping):
        return None
    listed = standing(facet).get("aliases", [])
    if not isinstance(listed, list):
        return None
    return tuple(sorted({each for each in listed if isinstance(each, str) and 0 < len(each) <= MAX_ALIAS}))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
