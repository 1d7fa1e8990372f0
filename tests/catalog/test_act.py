"""Acts of people: read from the log, found again at any cut, and never in the way of lineage."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from catalog.act import Act, interpret_act
from catalog.errors import CorruptLogError, NotFoundError
from catalog.graph.contract import FOREVER, EdgeKind
from catalog.graph.memory import MemoryGraph
from catalog.identity import NodeKind, act_id, dataset_id, job_id, run_id, run_version_id
from catalog.log.entry import Entry, EntryType
from catalog.model import Direction, Grain, NodeRef
from catalog.reading import Reading, Walk
from tests.ingest.events import DATA, JOBS, act_entry, at, entries_of, project, time, uuid, whole_run

RUN = uuid("etl")
VERSION = run_version_id(dataset_id(DATA, "b"), RUN)
APPROVAL = act_id(NodeKind.APPROVAL, uuid("approval"))


def reading(*acts: Entry, known: int | None = None, valid: int = FOREVER) -> Reading:
    """A catalog with one run (entries 0 and 1) and then these acts."""
    store = MemoryGraph()
    project(store, [*entries_of(whole_run("etl", 1, 2, reads=["a"], writes=["b"])), *numbered(*acts)])
    return Reading(store.read(known, valid).__enter__())


def numbered(*acts: Entry) -> list[Entry]:
    return [replace(act, seq=seq) for seq, act in enumerate(acts, 2)]


def approve(when: float = 10, target: str = VERSION, **told: Any) -> Entry:
    return act_entry(EntryType.APPROVAL, "approve", "approval", when, target=target, **told)


def revoke(when: float = 20) -> Entry:
    return act_entry(EntryType.APPROVAL, "revokeApproval", "revocation", when, refers_to=APPROVAL)


def test_an_act_is_a_node_and_what_it_concerns() -> None:
    body = approve(10).body or b""
    read = interpret_act(approve(10))
    assert read is not None
    node = read.node
    assert (node.id, node.kind, node.namespace, node.name, node.owner) == (
        APPROVAL,
        NodeKind.APPROVAL,
        DATA,
        "approve",
        VERSION,
    )
    assert node.at == at(10)
    assert {(edge.kind, edge.source, edge.target) for edge in read.edges} == {
        (EdgeKind.CONCERNS, APPROVAL, VERSION),
        (EdgeKind.CONCERNS, APPROVAL, "APPROVAL"),
    }
    assert read.bodies == {node.label: body}


@pytest.mark.parametrize("type_", [EntryType.KEY, EntryType.CONFIG, EntryType.OPENLINEAGE])
def test_other_entries_are_no_acts(type_: EntryType) -> None:
    assert interpret_act(replace(approve(), type=type_)) is None


def test_an_erased_act_says_nothing() -> None:
    assert interpret_act(replace(approve(), body=None)) is None


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'{"act":"approve"}', b'{"id":"x","act":"approve","at":"yesterday"}', b'{"id":1,"act":"a","at":1}'],
)
def test_what_no_door_can_have_written_is_a_corrupt_log(body: bytes) -> None:
    with pytest.raises(CorruptLogError):
        interpret_act(replace(approve(), body=body))


def test_acts_come_in_the_order_of_the_log_whatever_their_times() -> None:
    """The second was accepted by a clock that ran behind."""
    asked = reading(approve(10), act_entry(EntryType.APPROVAL, "approve", "second", 5, target=VERSION))
    assert [(act.verb, act.seq) for act in asked.acts(NodeKind.APPROVAL, VERSION)] == [("approve", 2), ("approve", 3)]


def test_an_act_is_read_as_it_was_written() -> None:
    act = approve(10, environment="production", closureDigest="sha256:00")
    asked = reading(act)
    expected = Act(APPROVAL, NodeKind.APPROVAL, "approve", 2, at(10), orjson.loads(act.body or b""))
    assert asked.act(APPROVAL) == expected
    assert asked.acts(NodeKind.APPROVAL, VERSION) == [expected]


def test_an_answer_is_found_by_the_act_that_it_answers() -> None:
    asked = reading(approve(), revoke())
    assert [act.verb for act in asked.acts(NodeKind.APPROVAL, APPROVAL)] == ["revokeApproval"]
    assert [act.verb for act in asked.acts(NodeKind.APPROVAL, VERSION)] == ["approve"]
    assert [act.verb for act in asked.acts(NodeKind.APPROVAL)] == ["approve", "revokeApproval"]


def test_acts_of_another_kind_are_not_meant() -> None:
    asked = reading(approve(), act_entry(EntryType.WAIVER, "waive", "waiver", 10, target=VERSION))
    assert [act.verb for act in asked.acts(NodeKind.WAIVER, VERSION)] == ["waive"]
    assert asked.acts(NodeKind.ATTESTATION, VERSION) == []


def test_an_act_without_a_target_is_found_by_its_kind() -> None:
    asked = reading(act_entry(EntryType.POLICY, "proposePolicy", "policy", 10))
    assert [act.verb for act in asked.acts(NodeKind.POLICY)] == ["proposePolicy"]


@pytest.mark.parametrize(
    ("known", "valid", "verbs"),
    [
        (2, FOREVER, []),
        (3, FOREVER, ["approve"]),
        (None, FOREVER, ["approve", "revokeApproval"]),
        (None, at(15), ["approve"]),
        (None, at(9), []),
    ],
)
def test_a_cut_sees_the_acts_that_were_known_and_valid(known: int | None, valid: int, verbs: list[str]) -> None:
    asked = reading(approve(10), revoke(20), known=known, valid=valid)
    assert [act.verb for act in asked.acts(NodeKind.APPROVAL)] == verbs


def test_an_act_that_is_no_act_or_not_known_yet_is_none() -> None:
    asked = reading(approve(), known=2)
    assert [asked.act(node) for node in (APPROVAL, VERSION, "APPROVAL", "", "nonsense")] == [None] * 5


def test_an_act_is_described_as_a_node() -> None:
    found = reading(approve(10)).node(APPROVAL)
    assert found is not None
    assert (found.kind, found.namespace, found.name, found.parent) == (NodeKind.APPROVAL, DATA, "approve", VERSION)
    assert (found.started, found.label, found.state) == (time(10), None, None)


def test_an_act_has_no_facets_and_is_never_searched() -> None:
    asked = reading(approve())
    assert asked.facets(APPROVAL) == []
    assert asked.search("approve") == asked.search("approve", [NodeKind.APPROVAL]) == []


@pytest.mark.parametrize("target", [VERSION, dataset_id(DATA, "b"), job_id(JOBS, "etl"), run_id(RUN, JOBS, "etl")])
@pytest.mark.parametrize("grain", list(Grain))
def test_a_walk_from_an_act_is_one_from_what_it_is_about(target: str, grain: Grain) -> None:
    asked = reading(approve(target=target))
    wanted = Walk(Direction.BOTH, 3, grain)
    ours, theirs = (asked.lineage(NodeRef(id=each), wanted) for each in (APPROVAL, target))
    assert (ours.nodes, ours.edges, ours.gaps) == (theirs.nodes, theirs.edges, theirs.gaps)
    assert (ours.root.id, theirs.root.id) == (APPROVAL, target)


@pytest.mark.parametrize("grain", list(Grain))
def test_a_walk_from_an_act_about_nothing_stays_there(grain: Grain) -> None:
    asked = reading(act_entry(EntryType.POLICY, "proposePolicy", "policy", 10))
    policy = act_id(NodeKind.POLICY, uuid("policy"))
    graph = asked.lineage(NodeRef(id=policy), Walk(Direction.BOTH, 3, grain))
    assert ([node.id for node in graph.nodes], graph.edges) == ([policy], ())


def test_an_act_about_what_the_cut_does_not_see_stands_alone() -> None:
    """A sender's clock may be ahead of ours by minutes: the act is older than what it is about."""
    early = approve(0.5)
    graph = reading(early, valid=at(0.7)).lineage(NodeRef(id=APPROVAL), Walk())
    assert [node.id for node in graph.nodes] == [APPROVAL]
    with pytest.raises(NotFoundError):
        reading(early, valid=at(0.7)).lineage(NodeRef(id=VERSION), Walk())


@pytest.mark.parametrize("grain", list(Grain))
def test_acts_do_not_disturb_lineage(grain: Grain) -> None:
    wanted, node = Walk(Direction.BOTH, 3, grain), NodeRef(id=VERSION)
    alone, among = reading().lineage(node, wanted), reading(approve(), revoke()).lineage(node, wanted)
    assert replace(among, known=0) == replace(alone, known=0)
