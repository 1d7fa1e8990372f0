"""OpenLineage events as producers write them, and a catalog that has taken them in through the door's own check.

Times are seconds on 1 March 2026 or the text that a producer sent; run ids are made from readable labels and shown
as them. Datasets live in one namespace unless they say otherwise.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from catalog import instant
from catalog.act import InterpretedAct, interpret_act
from catalog.graph.contract import FOREVER, GraphStore
from catalog.graph.memory import MemoryGraph
from catalog.identity import NodeKind, structure
from catalog.log.entry import Entry, EntryType
from catalog.model import Basis, DatasetRef, Direction, GapKind, Grain, LineageGraph, Node, NodeRef
from catalog.projector import Projector
from catalog.reading import Reading, Walk
from ingest.instant import parse_instant
from ingest.limits import Limits
from ingest.openlineage import Interpretation, interpret
from ingest.shape import check_event

Event = dict[str, Any]
Mention = str | Event

DATA = "postgres://warehouse:5432"
JOBS = "scheduler"
ORIGIN = "origin"
DAY = 86_400
MIDNIGHT = parse_instant("2026-03-01T00:00:00Z").micros
PRODUCER = "https://example.com/producer"
CORE = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"

_LABELS: dict[str, str] = {}


# Events ----------------------------------------------------------------------------------------------------------


def uuid(label: str) -> str:
    """The UUID of a run's label; a UUID is its own."""
    try:
        return str(UUID(label))
    except ValueError:
        made = str(uuid5(NAMESPACE_URL, label))
        _LABELS[made] = label
        return made


def at(seconds: float) -> int:
    """µs of that many seconds into the day."""
    return MIDNIGHT + round(seconds * instant.SECOND)


def time(when: float | str) -> str:
    return when if isinstance(when, str) else instant.text(at(when))


def facet(**fields: Any) -> Event:
    return {"_producer": PRODUCER, "_schemaURL": f"{PRODUCER}/facet.json", **fields}


def dataset(name: str, namespace: str = DATA, *, use: Mapping[str, Event] | None = None, **facets: Any) -> Event:
    """A dataset as an event lists it; `use` are its input and output facets."""
    kinds = {"inputFacets": dict(use), "outputFacets": dict(use)} if use else {}
    return {"namespace": namespace, "name": name, "facets": facets, **kinds}


def versioned(name: str, version: str, namespace: str = DATA, **facets: Any) -> Event:
    return dataset(name, namespace, version=facet(datasetVersion=version), **facets)


def model(name: str, version: str | None = None, namespace: str = "mlflow://registry:5000", **facets: Any) -> Event:
    declared = dataset(name, namespace, datasetType=facet(datasetType="MODEL"), **facets)
    if version is not None:
        declared["facets"]["version"] = facet(datasetVersion=version)
    return declared


def run_event(
    type_: str,
    when: float | str,
    run: str = "etl",
    job: str | None = None,
    *,
    reads: Iterable[Mention] = (),
    writes: Iterable[Mention] = (),
    namespace: str = JOBS,
    job_facets: Mapping[str, Any] | None = None,
    **run_facets: Any,
) -> Event:
    """One event of a run, whose job has the run's label where no job is named."""
    return {
        "eventType": type_,
        "eventTime": time(when),
        "producer": PRODUCER,
        "schemaURL": CORE + "RunEvent",
        "run": {"runId": uuid(run), "facets": run_facets},
        "job": {"namespace": namespace, "name": run if job is None else job, "facets": dict(job_facets or {})},
        "inputs": [_mention(each) for each in reads],
        "outputs": [_mention(each) for each in writes],
    }


def whole_run(run: str, start: float, end: float, **details: Any) -> list[Event]:
    """START and COMPLETE, both with everything that is told."""
    return [run_event("START", start, run, **details), run_event("COMPLETE", end, run, **details)]


def dataset_event(when: float | str, subject: Event) -> Event:
    return {
        "eventTime": time(when),
        "producer": PRODUCER,
        "schemaURL": CORE + "DatasetEvent",
        "dataset": subject,
    }


def job_event(when: float | str, job: str, *, reads: Iterable[Mention] = (), writes: Iterable[Mention] = ()) -> Event:
    return {
        "eventTime": time(when),
        "producer": PRODUCER,
        "schemaURL": CORE + "JobEvent",
        "job": {"namespace": JOBS, "name": job},
        "inputs": [_mention(each) for each in reads],
        "outputs": [_mention(each) for each in writes],
    }


def job_type(
    integration: str, kind: str | None = None, processing: str = "BATCH", **pattern: Any
) -> dict[str, dict[str, Any]]:
    """Job facets with a jobType."""
    told = facet(processingType=processing, integration=integration)
    if kind is not None:
        told["jobType"] = kind
    if pattern:
        told["emissionPattern"] = pattern
    return {"jobType": told}


def parent(run: str, job: str | None = None) -> Event:
    return facet(run={"runId": uuid(run)}, job={"namespace": JOBS, "name": job or run})


def symlinks(*names: str) -> Event:
    return facet(identifiers=[{"namespace": DATA, "name": name, "type": "TABLE"} for name in names])


def change(word: str, before: str | None = None) -> Event:
    told = facet(lifecycleStateChange=word)
    return told | ({"previousIdentifier": {"namespace": DATA, "name": before}} if before else {})


def schema(*columns: str) -> Event:
    return facet(fields=[{"name": column, "type": "string"} for column in columns])


def columns_from(**sources: Sequence[tuple[str, str]]) -> Event:
    """A columnLineage facet: for each column its (dataset, column) sources."""
    return facet(
        fields={
            column: {
                "inputFields": [
                    {
                        "namespace": DATA,
                        "name": name,
                        "field": field,
                        "transformations": [{"type": "DIRECT", "subtype": "IDENTITY", "masking": False}],
                    }
                    for name, field in told
                ]
            }
            for column, told in sources.items()
        }
    )


def _mention(mention: Mention) -> Event:
    return dataset(mention) if isinstance(mention, str) else mention


# Acts of people --------------------------------------------------------------------------------------------------


def act_entry(
    type_: EntryType,
    verb: str,
    label: str,
    when: float | str,
    *,
    target: str | None = None,
    refers_to: str | None = None,
    seq: int = 0,
    **told: Any,
) -> Entry:
    """An act as the log holds it, accepted when it says; `label` makes its UUID."""
    body = {
        "v": 1,
        "act": verb,
        "id": uuid(label),
        "at": time(when),
        "by": {"principal": "key-1", "person": "ann@example.org", "roles": []},
        **({"target": {"node": target, "namespace": DATA}} if target else {}),
        **({"refersTo": refers_to} if refers_to else {}),
        **told,
    }
    encoded = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    recorded = parse_instant(str(body["at"])).micros
    return Entry(seq, recorded, type_, "key-1", "http", (), encoded, b"")


# Taking them in --------------------------------------------------------------------------------------------------


def read_event(event: Event, seq: int = 0, recorded: int | None = None, actor: str = "local") -> Interpretation:
    """What an event means once the door let it in; received a second after it happened unless told."""
    outline = check_event(event, Limits())
    received = outline.event_time + instant.SECOND if recorded is None else recorded
    return interpret(orjson.dumps(event), seq=seq, recorded=received, actor=actor)


def entries_of(events: Iterable[Event], recorded: Callable[[int, Event], int] | None = None) -> list[Entry]:
    """Log entries for events, in the order given."""
    received = recorded or (lambda _, event: parse_instant(event["eventTime"]).micros + instant.SECOND)
    return [
        Entry(seq, received(seq, event), EntryType.OPENLINEAGE, "local", "http", (), orjson.dumps(event), b"")
        for seq, event in enumerate(events)
    ]


def interpret_entry(entry: Entry) -> Interpretation:
    assert entry.body is not None
    return interpret(entry.body, seq=entry.seq, recorded=entry.recorded, actor=entry.actor)


def read_entry(entry: Entry) -> Interpretation | InterpretedAct | None:
    """What the projector reads of an entry of any type."""
    return interpret_entry(entry) if entry.type is EntryType.OPENLINEAGE else interpret_act(entry)


def project(store: GraphStore, entries: Sequence[Entry], cuts: Iterable[int] = (), *, start: int = 0) -> None:
    """Project consecutive entries, the first of them at `start`, in batches that end where the cuts say."""
    projector = Projector(store, ORIGIN, read_entry)
    ends = sorted({cut for cut in cuts if 0 < cut < len(entries)} | {len(entries)})
    for first, end in zip([0, *ends[:-1]], ends, strict=True):
        assert projector.project(entries[first:end])
    assert projector.offset == start + len(entries)


# Asking ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """An answer in words: nodes and edges by readable names."""

    nodes: frozenset[str]
    edges: frozenset[tuple[str, str, Basis]]
    gaps: frozenset[tuple[GapKind, str]]

    def into(self, target: str) -> set[tuple[str, Basis]]:
        return {(source, basis) for source, to, basis in self.edges if to == target}

    @property
    def pairs(self) -> set[tuple[str, str]]:
        return {(source, target) for source, target, _ in self.edges}


class Catalog:
    """A catalog that knows some events, in order of arrival, and answers in names: `table`, `table@version`, `run`."""

    def __init__(
        self,
        events: Iterable[Event],
        *,
        valid: float | None = None,
        recorded: Callable[[int, Event], int] | None = None,
    ) -> None:
        store = MemoryGraph()
        taken = list(events)
        for event in taken:
            check_event(event, Limits())
        project(store, entries_of(taken, recorded), range(0, len(taken), 2))
        self._context = store.read(valid=FOREVER if valid is None else at(valid))
        self.reading = Reading(self._context.__enter__())

    def dataset(self, name: str, version: str | None = None, namespace: str = DATA) -> NodeRef:
        return NodeRef(dataset=DatasetRef(namespace, name, version))

    def upstream(self, reference: NodeRef | str, depth: int = 1, grain: Grain = Grain.RUN, **wanted: bool) -> Told:
        return self._walk(Direction.UPSTREAM, reference, depth, grain, **wanted)

    def downstream(self, reference: NodeRef | str, depth: int = 1, grain: Grain = Grain.RUN, **wanted: bool) -> Told:
        return self._walk(Direction.DOWNSTREAM, reference, depth, grain, **wanted)

    def _walk(self, way: Direction, reference: NodeRef | str, depth: int, grain: Grain, **wanted: bool) -> Told:
        asked = self.dataset(reference) if isinstance(reference, str) else reference
        return self.told(self.reading.lineage(asked, Walk(way, depth, grain, **wanted)))

    def told(self, graph: LineageGraph) -> Told:
        names = {node.id: shown(node) for node in (graph.root, *graph.nodes)}
        return Told(
            frozenset(names[node.id] for node in graph.nodes),
            frozenset((names[edge.source], names[edge.target], edge.basis) for edge in graph.edges),
            frozenset((gap.kind, names.get(gap.node, gap.node)) for gap in graph.gaps),
        )

    def run(self, label: str) -> Node:
        found = self.reading.find(NodeRef(run=uuid(label)))
        assert found is not None, label
        return found

    def find(self, reference: NodeRef) -> Node:
        found = self.reading.find(reference)
        assert found is not None, reference
        return found

    def states(self, name: str) -> dict[str, str | None]:
        """The versions of a dataset, and in which state each is."""
        return {shown(node): node.state for node in self.reading.versions_of(self.find(self.dataset(name)).id)}

    def facets(self, reference: NodeRef) -> dict[str, Any]:
        """Facets in force by name, without what every facet has."""
        found = self.reading.facets(self.find(reference).id)
        return {
            each.name: {k: v for k, v in orjson.loads(each.body).items() if not k.startswith("_")} for each in found
        }


def shown(node: Node) -> str:
    label = _LABELS.get(node.label or "", node.label)
    kind = structure(node.id)
    if kind is NodeKind.RUN:
        return str(label)
    if kind is NodeKind.DATASET_VERSION:
        return f"{node.name}@{label}"
    return f"{node.name}.{label}" if kind is NodeKind.FIELD else node.name
