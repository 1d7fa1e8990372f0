"""What somebody may not read is absent from every answer, however it is asked for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from catalog.access import Access, LogState
from catalog.act import interpret_act
from catalog.errors import AmbiguousReferenceError, NotFoundError
from catalog.graph.memory import MemoryGraph
from catalog.identity import NodeKind, act_id, dataset_id, job_id, run_id
from catalog.log.entry import Entry, EntryType
from catalog.model import DatasetRef, Direction, GapKind, Grain, NodeRef
from catalog.permitted import PermittedReading
from catalog.principal import LOCAL, Principal, Scope, grants
from catalog.projector import Interpret, Projector
from catalog.reading import Reading, Walk
from ingest.openlineage import interpret

T0 = 1_772_366_400_000_000
SECRET, OPEN = "secret", "open"
INGEST, PREPARE, TRAIN, SERVE, SHARED = (f"0195d0e2-7a3c-7000-8000-00000000000{n}" for n in range(1, 6))


def dataset(namespace: str, name: str, version: str, **facets: Any) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "name": name,
        "facets": {"version": {"datasetVersion": version}, "schema": {"fields": [{"name": "age", "type": "int"}]}}
        | facets,
    }


def model(namespace: str, name: str) -> dict[str, Any]:
    return dataset(namespace, name, "1", datasetType={"datasetType": "MODEL"})


def event(run: str, job: tuple[str, str], minute: int, **more: Any) -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": f"2026-03-01T12:{minute:02}:00Z",
        "run": {"runId": run},
        "job": {"namespace": job[0], "name": job[1]},
    } | more


EVENTS = [
    # raw (secret) → ingest (secret job) → table (open), and the chain before it is open again
    event(INGEST, (OPEN, "ingest"), 0, inputs=[dataset(OPEN, "origin", "o1")], outputs=[dataset(SECRET, "raw", "r1")]),
    event(PREPARE, (OPEN, "prepare"), 1, inputs=[dataset(SECRET, "raw", "r1"), dataset(OPEN, "codes", "c1")],
          outputs=[dataset(OPEN, "table", "t1")]),
    event(TRAIN, (OPEN, "train"), 2, inputs=[dataset(OPEN, "table", "t1")],
          outputs=[model(OPEN, "risk"), model(SECRET, "hidden risk")]),
    event(SERVE, (SECRET, "serve"), 3, inputs=[model(OPEN, "risk")], eventType="RUNNING") | {
        "job": {"namespace": SECRET, "name": "serve", "facets": {"jobType": {"processingType": "SERVICE"}}}},
    event(SHARED, (SECRET, "one"), 4), event(SHARED, (OPEN, "two"), 5),
]  # fmt: skip


def act(verb: str, number: int, **more: Any) -> bytes:
    return orjson.dumps({"act": verb, "id": f"id-{number}", "at": "2026-03-01T13:00:00Z"} | more)


RISK, HIDDEN_RISK = dataset_id(OPEN, "risk"), dataset_id(SECRET, "hidden risk")
ACTS = [
    (EntryType.APPROVAL, act("approve", 1, target={"node": RISK, "namespace": OPEN})),
    (EntryType.APPROVAL, act("approve", 2, target={"node": HIDDEN_RISK, "namespace": SECRET})),
    (EntryType.APPROVAL, act("revokeApproval", 3, refersTo=act_id(NodeKind.APPROVAL, "id-1"))),
    (EntryType.APPROVAL, act("revokeApproval", 4, refersTo=act_id(NodeKind.APPROVAL, "id-2"))),
    (EntryType.POLICY, act("proposePolicy", 5)),
]


@dataclass
class World:
    store: MemoryGraph = field(default_factory=MemoryGraph)

    def __post_init__(self) -> None:
        told = [(EntryType.OPENLINEAGE, orjson.dumps(each)) for each in EVENTS] + ACTS
        entries = [Entry(n, T0 + n, kind, "sender", "test", (), body, b"") for n, (kind, body) in enumerate(told)]
        assert Projector(self.store, "test", _interpreter()).project(entries)
        self.access = Access(self.store, lambda: LogState("test", len(entries), b""))

    @contextmanager
    def reading(self, principal: Principal | None) -> Iterator[Reading]:
        with self.access.reading(principal=principal) as reading:
            yield reading


def _interpreter() -> Interpret:
    def read(entry: Entry) -> Any:
        if entry.type is EntryType.OPENLINEAGE:
            return interpret(entry.body or b"", seq=entry.seq, recorded=entry.recorded, actor=entry.actor)
        return interpret_act(entry)

    return read


READER = Principal("reader", "r@example.org", grants([Scope.LINEAGE_READ], [OPEN]))
GOVERNOR = Principal("governor", None, grants([Scope.LINEAGE_READ, Scope.POLICY_READ], [OPEN]))
SENDER = Principal("sender", None, grants([Scope.INGEST_WRITE, Scope.ADMIN]))


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture
def all_(world: World) -> Iterator[Reading]:
    with world.reading(None) as reading:
        yield reading


@pytest.fixture
def some(world: World) -> Iterator[Reading]:
    with world.reading(READER) as reading:
        yield reading


def ref(namespace: str, name: str, version: str | None = None) -> NodeRef:
    return NodeRef(dataset=DatasetRef(namespace, name, version))


def names(nodes: Any) -> set[str]:
    return {node.name for node in nodes}


def everything(reading: Reading) -> list[str]:
    """The ids of all nodes that a walk in both directions meets."""
    graph = reading.lineage(ref(OPEN, "risk"), Walk(Direction.BOTH, depth=20, grain=Grain.RUN))
    return [node.id for node in graph.nodes]


def test_whoever_may_read_everything_gets_a_plain_reading(world: World) -> None:
    for principal in (None, LOCAL):
        with world.reading(principal) as reading:
            assert type(reading) is Reading
    with world.reading(READER) as reading:
        assert type(reading) is PermittedReading


HIDDEN: dict[str, Callable[[], str]] = {
    "dataset": lambda: dataset_id(SECRET, "raw"),
    "model": lambda: HIDDEN_RISK,
    "deployment": lambda: job_id(SECRET, "serve"),
    "run": lambda: run_id(SERVE, SECRET, "serve"),
    "act": lambda: act_id(NodeKind.APPROVAL, "id-2"),
    "answering act": lambda: act_id(NodeKind.APPROVAL, "id-4"),
    "policy act": lambda: act_id(NodeKind.POLICY, "id-5"),
}


@pytest.mark.parametrize("what", HIDDEN)
def test_an_id_leads_to_nothing_hidden(all_: Reading, some: Reading, what: str) -> None:
    node = HIDDEN[what]()
    assert all_.node(node) is not None
    assert some.node(node) is None
    assert some.find(NodeRef(id=node)) is None
    assert some.describe([node, RISK]).keys() == {RISK}
    assert some.facets(node) == []
    assert some.run_events(node) == []
    assert some.act(node) is None


def test_a_hidden_version_is_as_hidden_as_its_dataset(all_: Reading, some: Reading) -> None:
    (version,) = all_.versions_of(dataset_id(SECRET, "raw"))
    assert some.node(version.id) is None
    assert some.versions_of(dataset_id(SECRET, "raw")) == []
    assert all_.facets(version.id)
    assert some.facets(version.id) == []
    assert all_.producers(version.id)
    assert some.producers(version.id) == []


def test_what_may_be_seen_is_seen_as_ever(all_: Reading, some: Reading) -> None:
    for namespace, name in ((OPEN, "table"), (OPEN, "risk")):
        found = some.find(ref(namespace, name))
        assert found is not None
        assert found == all_.find(ref(namespace, name))
        assert some.facets(found.id) == all_.facets(found.id) != []
        assert some.versions_of(found.id) == all_.versions_of(found.id) != []


REFERENCES = [
    ref(SECRET, "raw"),
    ref(SECRET, "raw", "r1"),
    ref(SECRET, "raw", "no such version"),
    NodeRef(model=DatasetRef(SECRET, "hidden risk")),
    NodeRef(job=DatasetRef(SECRET, "serve")),
    NodeRef(run=SERVE),
    NodeRef(field=(DatasetRef(SECRET, "raw"), "age")),
    NodeRef(id=dataset_id(SECRET, "raw")),
]


@pytest.mark.parametrize("reference", REFERENCES, ids=str)
def test_a_hidden_name_is_refused_like_one_that_does_not_exist(some: Reading, reference: NodeRef) -> None:
    assert some.find(reference) is None
    with pytest.raises(NotFoundError) as hidden:
        some.lineage(reference, Walk())
    absent = NodeRef(
        **{
            name: _elsewhere(getattr(reference, name)) if getattr(reference, name) is not None else None
            for name in ("id", "dataset", "model", "job", "run", "field")
        }
    )
    with pytest.raises(NotFoundError) as unknown:
        some.lineage(absent, Walk())
    assert _blank(hidden.value.message, reference) == _blank(unknown.value.message, absent)
    assert hidden.value.remedy == unknown.value.remedy
    with pytest.raises(NotFoundError):
        some.paths(reference, ref(OPEN, "risk"), 5)


def _elsewhere(value: Any) -> Any:
    if isinstance(value, DatasetRef):
        return DatasetRef("nowhere", value.name, value.version)
    if isinstance(value, tuple):
        return (_elsewhere(value[0]), value[1])
    return value[:-4] + "0fff"


def _blank(message: str, reference: NodeRef) -> str:
    named = reference.dataset or reference.model or reference.job or (reference.field and reference.field[0])
    return message.replace(reference.id or reference.run or (named.namespace if named else ""), "…")


def test_a_run_id_of_two_jobs_means_the_one_that_may_be_seen(all_: Reading, some: Reading) -> None:
    with pytest.raises(AmbiguousReferenceError):
        all_.find(NodeRef(run=SHARED))
    found = some.find(NodeRef(run=SHARED))
    assert found is not None
    assert (found.namespace, found.name) == (OPEN, "two")


def test_lists_leave_out_what_is_hidden(all_: Reading, some: Reading) -> None:
    assert names(all_.models()) == {"risk", "hidden risk"}
    assert names(some.models()) == {"risk"}
    assert names(all_.search("risk")) == {"risk", "hidden risk"}
    assert names(some.search("risk")) == {"risk"}
    assert names(all_.search("serve", [NodeKind.DEPLOYMENT])) == {"serve"}
    assert some.search("serve", [NodeKind.DEPLOYMENT]) == some.search("raw") == []


def test_deployments_are_seen_where_service_and_model_are(all_: Reading, some: Reading, world: World) -> None:
    assert len(all_.deployments()) == 1
    assert some.deployments() == []
    assert some.deployments(job=job_id(SECRET, "serve")) == []
    with pytest.raises(NotFoundError):
        some.deployments(model=ref(SECRET, "hidden risk"))
    other = Principal("other", None, grants([Scope.LINEAGE_READ], [SECRET]))
    with world.reading(other) as reading:
        assert reading.deployments() == []  # it sees the service, and not what it serves


def test_a_walk_ends_at_what_is_hidden_and_says_how_much(all_: Reading, some: Reading) -> None:
    walk = Walk(Direction.UPSTREAM, depth=10)
    whole, seen = (reading.lineage(ref(OPEN, "risk"), walk) for reading in (all_, some))
    assert {"raw", "origin", "ingest"} <= names(whole.nodes)
    assert names(seen.nodes) == {"risk", "train", "table", "prepare", "codes"}
    ids = {node.id for node in seen.nodes}
    assert all(edge.source in ids and edge.target in ids for edge in seen.edges)
    assert {(edge.source, edge.target) for edge in seen.edges} == {
        (edge.source, edge.target) for edge in whole.edges if {edge.source, edge.target} <= ids
    }
    told = [gap for gap in seen.gaps if gap.kind is GapKind.NOT_PERMITTED]
    assert [(gap.node, gap.reason.split(" ")[0]) for gap in told] == [(seen.root.id, "1")]
    assert {gap.node for gap in seen.gaps} <= ids | {seen.root.id}


@pytest.mark.parametrize("grain", Grain)
@pytest.mark.parametrize("direction", Direction)
def test_no_grain_and_no_direction_shows_what_is_hidden(some: Reading, grain: Grain, direction: Direction) -> None:
    for start in (ref(OPEN, "risk"), ref(OPEN, "table"), ref(OPEN, "origin")):
        graph = some.lineage(start, Walk(direction, depth=20, grain=grain, history=True))
        assert {node.namespace for node in (*graph.nodes, graph.root)} == {OPEN}
        shown = {node.id for node in graph.nodes}
        assert all({edge.source, edge.target} <= shown for edge in graph.edges)
        assert "secret" not in str(graph)


def test_a_walk_that_hides_nothing_has_no_such_gap(world: World) -> None:
    with world.reading(GOVERNOR) as reading:
        graph = reading.lineage(ref(OPEN, "codes"), Walk(Direction.UPSTREAM))
    assert [gap for gap in graph.gaps if gap.kind is GapKind.NOT_PERMITTED] == []


def test_no_path_leads_through_what_is_hidden(all_: Reading, some: Reading) -> None:
    origin, codes, risk = ref(OPEN, "origin", "o1"), ref(OPEN, "codes", "c1"), ref(OPEN, "risk")
    assert all_.paths(origin, risk, 5)
    assert some.paths(origin, risk, 5) == []
    assert some.paths(codes, risk, 5) == all_.paths(codes, risk, 5) != []


def test_an_event_is_shown_whole_or_not_at_all(all_: Reading, some: Reading) -> None:
    assert [event.seq for event in all_.entries(range(6))] == [0, 1, 2, 3, 4, 5]
    assert [event.seq for event in some.entries(range(6))] == [5]


def test_events_of_a_run_that_may_be_seen_lose_what_may_not(all_: Reading, some: Reading) -> None:
    run = run_id(PREPARE, OPEN, "prepare")
    assert len(all_.run_events(run)[0].inputs) == 2
    (event,) = some.run_events(run)
    assert [use.dataset for use in event.inputs] == [dataset_id(OPEN, "codes")]
    assert [use.dataset for use in event.outputs] == [dataset_id(OPEN, "table")]


def test_acts_are_seen_where_what_they_concern_is(all_: Reading, some: Reading) -> None:
    assert [act.body["id"] for act in all_.acts(NodeKind.APPROVAL)] == ["id-1", "id-2", "id-3", "id-4"]
    assert [act.body["id"] for act in some.acts(NodeKind.APPROVAL)] == ["id-1", "id-3"]
    assert [act.body["id"] for act in some.acts(NodeKind.APPROVAL, RISK)] == ["id-1"]
    assert some.acts(NodeKind.APPROVAL, HIDDEN_RISK) == []


def test_policy_acts_are_for_those_who_read_policies(some: Reading, world: World) -> None:
    assert some.acts(NodeKind.POLICY) == []
    with world.reading(GOVERNOR) as reading:
        assert [act.body["id"] for act in reading.acts(NodeKind.POLICY)] == ["id-5"]


def test_whoever_may_read_nothing_sees_nothing(world: World) -> None:
    with world.reading(SENDER) as reading:
        assert reading.models() == []
        assert reading.search("risk") == []
        assert reading.entries(range(6)) == []
        assert reading.find(ref(OPEN, "risk")) is None
        assert [act for kind in NodeKind for act in reading.acts(kind)] == []


def test_globs_say_what_may_be_read(world: World) -> None:
    for glob, seen in (
        ("o*n", {"risk"}),
        ("*", {"risk", "hidden risk"}),
        ("ope", set()),
        ("[os]*", {"risk", "hidden risk"}),
    ):
        principal = Principal("x", None, grants([Scope.LINEAGE_READ], [glob]))
        with world.reading(principal) as reading:
            assert names(reading.models()) == seen
