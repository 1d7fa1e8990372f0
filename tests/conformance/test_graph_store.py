"""Every sentence of `catalog/graph/contract.py`, on every store; and every store against the plain one."""

import threading
from hashlib import sha256

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from catalog.errors import WrongLogError
from catalog.graph.contract import (
    FOREVER,
    MOMENTS,
    Batch,
    Cut,
    Edge,
    EdgeKind,
    GraphStore,
    Mention,
    Position,
    RunShape,
    ShapeSummary,
)
from catalog.graph.digest import digest
from catalog.graph.memory import MemoryGraph
from catalog.identity import NodeKind
from tests.conformance.batches import (
    ACTORS,
    BODIES,
    BUNDLES,
    CUTS,
    ORIGIN,
    entries,
    event,
    everything,
    fill,
    hexed,
    joined,
    logs,
    node,
    pieces,
    put,
    shuffled,
)

WROTE, USED, DECLARED = EdgeKind.WROTE, EdgeKind.USED, EdgeKind.DECLARED
X, Y, Z = BUNDLES


def examples(store: GraphStore) -> settings:
    """Few and unshrunk where each example is a hundred round trips: the plain file shrinks the same failures."""
    if store.name == "neo4j":
        return settings(max_examples=5, deadline=None, phases=[Phase.generate])
    return settings(max_examples=60, deadline=None)


# ---- position and apply


def test_an_empty_store_has_no_position_and_answers_nothing(store: GraphStore) -> None:
    assert store.position() is None
    assert list(store.facts()) == []
    with store.read() as reader:
        assert reader.cut == Cut(0)
        assert reader.newest() == 0
        assert reader.of_kind(NodeKind.DATASET) == []


def test_apply_moves_the_offset(store: GraphStore) -> None:
    assert store.apply(Batch(), ORIGIN, 0, 7)
    assert store.position() == Position(ORIGIN, 7)
    assert store.apply(Batch(), ORIGIN, 7, 9)
    assert store.position() == Position(ORIGIN, 9)


@pytest.mark.parametrize("start", [0, 6, 8])
def test_apply_at_another_offset_changes_nothing(store: GraphStore, start: int) -> None:
    put(store, edges=[Edge(WROTE, "a", "b", 1, 0)])
    before = sorted(store.facts())
    assert not store.apply(Batch(edges=[Edge(WROTE, "a", "c", 1, start)]), ORIGIN, start, start + 1)
    assert store.position() == Position(ORIGIN, 100)
    assert sorted(store.facts()) == before


def test_an_empty_store_takes_the_start_of_a_log_only(store: GraphStore) -> None:
    assert not store.apply(Batch(), ORIGIN, 5, 6)
    assert store.position() is None


def test_another_log_is_refused(store: GraphStore) -> None:
    put(store, edges=[Edge(WROTE, "a", "b", 1, 0)])
    before = sorted(store.facts())
    with pytest.raises(WrongLogError):
        store.apply(Batch(edges=[Edge(WROTE, "a", "c", 1, 100)]), "log-b", 100, 101)
    assert store.position() == Position(ORIGIN, 100)
    assert sorted(store.facts()) == before


def test_an_emptied_store_is_in_another_epoch(store: GraphStore) -> None:
    epochs = []
    for _ in range(2):
        for seq in range(2):
            assert store.apply(Batch(nodes=[node(NodeKind.JOB, "j")]), ORIGIN, seq, seq + 1)
            with store.read() as reader:
                epochs.append(reader.epoch)
        store.clear()
    first, still, second, _ = epochs
    assert first == still != second


def test_clear_forgets_everything_and_takes_another_log(store: GraphStore) -> None:
    put(store, nodes=[node(NodeKind.JOB, "j")], edges=[Edge(USED, "a", "b", 1, 0)], events=[event(0, run="r")])
    store.clear()
    assert store.position() is None
    assert list(store.facts()) == []
    edges = [Edge(USED, "a", "b", 5, 0)]
    assert store.apply(Batch(nodes=[node(NodeKind.JOB, "j", at=5)], edges=edges), "log-b", 0, 1)
    with store.read() as reader:
        assert reader.outgoing(USED, ["a"]) == {"a": edges}
        assert [found.at for found in reader.of_kind(NodeKind.JOB)] == [5]


# ---- cuts


def test_a_cut_sees_what_is_known_and_valid(store: GraphStore) -> None:
    put(store, edges=[Edge(WROTE, "a", "b", 10, 5)])
    for known, valid, is_seen in [(6, 10, True), (5, 10, False), (6, 9, False), (6, FOREVER, True)]:
        with store.read(known, valid) as reader:
            assert bool(reader.outgoing(WROTE, ["a"])["a"]) is is_seen


def test_known_is_capped_at_the_projection(store: GraphStore) -> None:
    put(store)
    with store.read(known=1000, valid=5) as reader:
        assert reader.cut == Cut(100, 5)
    with store.read() as reader:
        assert reader.cut == Cut(100)


def test_a_reader_keeps_its_state_while_the_store_moves_on(store: GraphStore) -> None:
    put(store, edges=[Edge(USED, "a", "b", 1, 0)], shapes=[RunShape("r1", "j", "s", 1, 2, 2)], spans={"b": 1})
    with store.read() as reader:
        put(store, edges=[Edge(USED, "a", "c", 1, 100)], events=[event(100, recorded=9)])
        assert [edge.target for edge in reader.outgoing(USED, ["a"])["a"]] == ["b"]
        assert reader.newest() == 0
    with store.read() as reader:
        assert [edge.target for edge in reader.outgoing(USED, ["a"])["a"]] == ["b", "c"]


def test_many_threads_read_while_one_applies(store: GraphStore) -> None:
    """Whatever state a reader meets, it is a whole one: each batch adds an edge in both kinds."""
    torn: list[tuple[int, int, int]] = []
    is_done = threading.Event()

    def look() -> None:
        while not is_done.is_set():
            with store.read() as reader:
                used, wrote = (len(reader.outgoing(kind, ["a"])["a"]) for kind in (USED, WROTE))
                if not used == wrote == reader.cut.known:
                    torn.append((used, wrote, reader.cut.known))

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for seq in range(15):
            edges = [Edge(kind, "a", str(seq), seq, seq) for kind in (USED, WROTE)]
            assert store.apply(Batch(edges=edges), ORIGIN, seq, seq + 1)
    finally:
        is_done.set()
        for thread in threads:
            thread.join()
    assert torn == []


def test_until_only_limits_further(store: GraphStore) -> None:
    put(store, edges=[Edge(WROTE, "a", "b", at, 0) for at in (1, 5, 9)])
    with store.read(known=50, valid=6) as reader:
        assert reader.until(3).cut == Cut(50, 3)
        assert reader.until(8).cut == Cut(50, 6)
        assert [edge.at for edge in reader.until(3).outgoing(WROTE, ["a"])["a"]] == [1]
        assert [edge.at for edge in reader.outgoing(WROTE, ["a"])["a"]] == [1, 5]


def test_newest_is_the_greatest_received_time_that_is_known(store: GraphStore) -> None:
    put(store, events=[event(0, recorded=50, at=99), event(1, recorded=70), event(2, recorded=60)])
    for known, newest in [(0, 0), (1, 50), (2, 70), (3, 70)]:
        with store.read(known, valid=0) as reader:
            assert reader.newest() == newest


# ---- nodes


def test_nodes_come_back_as_they_were_and_unknown_ones_not(store: GraphStore) -> None:
    nodes = [
        node(NodeKind.DATASET, "a:b/@{} 🙂 naïve\n'\"\\" + "n" * 10_000, seq=1, at=3),
        node(NodeKind.RUN, "j", label="uuid", seq=1, at=3),
    ]
    put(store, nodes=nodes)
    with store.read() as reader:
        answer = reader.nodes([*(one.id for one in nodes), "ds_unknown", "", "nul\0", "\ud800", nodes[0].id])
        assert answer == {one.id: one for one in nodes}


def test_a_node_is_seen_when_any_of_its_assertions_is(store: GraphStore) -> None:
    late, early = node(NodeKind.JOB, "j", at=9, seq=1), node(NodeKind.JOB, "j", at=3, seq=7)
    put(store, nodes=[late, early])
    for known, valid, seen in [(2, 9, (9, 1)), (2, 8, None), (8, 3, (3, 7)), (8, 9, (3, 1)), (7, 3, None)]:
        with store.read(known, valid) as reader:
            found = reader.nodes([late.id]).get(late.id)
            assert (found and (found.at, found.seq)) == seen


def test_of_kind_is_ordered_by_namespace_and_name(store: GraphStore) -> None:
    titles = [("b", "Z"), ("a", "é"), ("b", "a"), ("a", "z")]
    nodes = [node(NodeKind.DATASET, name, namespace=namespace) for namespace, name in titles]
    put(store, nodes=[*nodes, node(NodeKind.JOB, "a", namespace="a")])
    with store.read() as reader:
        found = reader.of_kind(NodeKind.DATASET)
        assert [(one.namespace, one.name) for one in found] == sorted(titles)
        assert [one.kind for one in reader.of_kind(NodeKind.JOB)] == [NodeKind.JOB]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["risk"], ["Risk_score", "credit.RISK"]),
        (["RI", "cred"], ["credit.RISK"]),
        (["isk"], []),
        (["score risk"], ["Risk_score"]),
        (["risk.sc"], ["Risk_score"]),
        (["strasse"], ["STRASSE"]),
        (["hauptstrasse"], ["Hauptstraße 5"]),
        (["ﬁn"], ["final"]),  # NFKC: the ligature is two letters
        (["5"], ["Hauptstraße 5"]),
        ([], []),
        (["_", "%"], []),
        (["risk*"], ["Risk_score", "credit.RISK"]),
        (["n" * 100], ["n" * 200]),
        (["n" * 60 + "m"], []),
    ],
)
def test_search_finds_beginnings_of_tokens(store: GraphStore, words: list[str], names: list[str]) -> None:
    every = ["credit.RISK", "Risk_score", "Hauptstraße 5", "STRASSE", "final", "n" * 200, "brisk"]
    put(store, nodes=[node(NodeKind.DATASET, name) for name in every])
    with store.read() as reader:
        assert [one.name for one in reader.search(words, [NodeKind.DATASET])] == names
        assert reader.search(words, [NodeKind.JOB]) == []
        assert reader.search(words, []) == []


def test_search_is_ordered_by_name_and_id_and_bound_to_the_cut(store: GraphStore) -> None:
    nodes = [node(kind, "risk", namespace=space) for kind in (NodeKind.JOB, NodeKind.DATASET) for space in "abc"]
    nodes += [node(NodeKind.JOB, "Risk"), node(NodeKind.JOB, "risk later", at=5), node(NodeKind.JOB, "risky", seq=9)]
    put(store, nodes=nodes)
    with store.read(known=9, valid=4) as reader:
        found = reader.search(["risk"], [NodeKind.JOB, NodeKind.DATASET])
        visible = [one for one in nodes if one.at <= 4 and one.seq < 9]
        assert found == sorted(visible, key=lambda one: (one.name, one.id))


# ---- events


def test_run_events_are_ordered_by_time_then_position(store: GraphStore) -> None:
    told = [event(0, run="r", at=9), event(1, run="r", at=3), event(2, run="s", at=1), event(3, run="r", at=3)]
    put(store, events=[*told, event(4, at=2)])
    with store.read() as reader:
        assert reader.run_events(["r", "s", "unknown"]) == {
            "r": [told[1], told[3], told[0]],
            "s": [told[2]],
            "unknown": [],
        }
    with store.read(known=3, valid=8) as reader:
        assert reader.run_events(["r"]) == {"r": [told[1]]}


def test_events_come_back_as_they_were(store: GraphStore) -> None:
    told = [event(seq, at=seq, run="r" if seq else None, recorded=5) for seq in range(4)]
    put(store, events=told)
    with store.read(known=3, valid=1) as reader:
        assert reader.events([3, 2, 1, 0, 77, -1]) == {0: told[0], 1: told[1]}
        assert reader.events([]) == {}


# ---- edges


def test_each_moment_is_an_edge_and_keeps_its_first_position(store: GraphStore) -> None:
    put(store, edges=[Edge(WROTE, "a", "b", 5, 3), Edge(WROTE, "a", "b", 5, 2), Edge(WROTE, "a", "b", 7, 2)])
    put(store, edges=[Edge(WROTE, "a", "b", 5, 100)])
    with store.read() as reader:
        assert reader.outgoing(WROTE, ["a"]) == {"a": [Edge(WROTE, "a", "b", 5, 2), Edge(WROTE, "a", "b", 7, 2)]}
        assert reader.incoming(WROTE, ["b"])["b"] == reader.outgoing(WROTE, ["a"])["a"]


@pytest.mark.parametrize("kind", sorted(set(EdgeKind) - MOMENTS))
def test_of_other_kinds_the_first_that_the_cut_sees_counts(store: GraphStore, kind: EdgeKind) -> None:
    put(store, edges=[Edge(kind, "a", "b", at, seq) for at, seq in [(9, 1), (9, 2), (5, 3), (6, 4), (2, 6)]])
    seen_by = {(2, 9): (9, 1), (4, 9): (5, 3), (5, 9): (5, 3), (9, 9): (2, 6), (4, 4): None, (9, 3): (2, 6)}
    for (known, valid), seen in seen_by.items():
        with store.read(known, valid) as reader:
            for edges in (reader.outgoing(kind, ["a"])["a"], reader.incoming(kind, ["b"])["b"]):
                assert [(edge.at, edge.seq) for edge in edges] == ([seen] if seen else [])


def test_a_window_applies_to_the_first_edge_outside_moments(store: GraphStore) -> None:
    for kind, seen in [(WROTE, [(5, 1)]), (USED, [])]:
        edges = [Edge(kind, "a", "b", 5, 1), Edge(kind, "a", "b", 2, 3)]
        put(store, edges=edges)
        with store.read() as reader:
            for found in (
                reader.outgoing(kind, ["a"], low=3, high=9)["a"],
                reader.incoming(kind, ["b"], low=3, high=9)["b"],
                reader.latest(kind, "b", before=9, limit=1) if kind is WROTE else [],
            ):
                assert [(edge.at, edge.seq) for edge in found] == seen
            assert reader.count(kind, "b", low=3, high=9) == len(seen)


def test_windows_include_both_ends(store: GraphStore) -> None:
    put(store, edges=[Edge(WROTE, "a", "b", at, 0) for at in range(6)])
    with store.read(valid=3) as reader:
        for edges in (
            reader.outgoing(WROTE, ["a"], low=2, high=4)["a"],
            reader.incoming(WROTE, ["b"], low=2, high=4)["b"],
        ):
            assert [edge.at for edge in edges] == [2, 3]


def test_edges_are_ordered_by_time_position_and_other_end(store: GraphStore) -> None:
    ends = ["é", "Z", "a", "🙂", "b"]
    for kind in (WROTE, USED):
        out = [Edge(kind, "from", end, at, at) for at in (1, 0) for end in ends[at:]]
        put(store, edges=out)
        put(store, edges=[Edge(kind, edge.target, "to", edge.at, edge.seq) for edge in out])
    with store.read() as reader:
        for kind in (WROTE, USED):
            there, back = reader.outgoing(kind, ["from"])["from"], reader.incoming(kind, ["to"])["to"]
            assert there == sorted(there, key=lambda edge: (edge.at, edge.seq, edge.target))
            assert back == sorted(back, key=lambda edge: (edge.at, edge.seq, edge.source))
            assert {edge.target for edge in there} == {edge.source for edge in back} == set(ends)


def test_edges_are_asked_for_many_keys_and_one_kind(store: GraphStore) -> None:
    put(store, edges=[Edge(USED, "a", "b", 1, 0), Edge(WROTE, "a", "c", 1, 0), Edge(USED, "d", "b", 1, 0)])
    with store.read() as reader:
        answer = reader.outgoing(USED, ["a", "d", "unknown", "a"])
        assert {key: [edge.target for edge in edges] for key, edges in answer.items()} == {
            "a": ["b"],
            "d": ["b"],
            "unknown": [],
        }
        assert reader.outgoing(USED, []) == {}
        assert reader.incoming(USED, ["\0", "\ud800"]) == {"\0": [], "\ud800": []}


def test_the_last_moments_of_many_targets(store: GraphStore) -> None:
    moments = [("r1", "t", 3), ("r2", "t", 5), ("r3", "t", 5), ("r1", "t", 7), ("r1", "u", 4)]
    edges = [Edge(WROTE, source, target, at, seq) for seq, (source, target, at) in enumerate(moments)]
    store.apply(Batch(edges=edges), "log", 0, len(edges))
    with store.read() as reader:
        for limit in (1, 2, 3, 9):
            found = reader.last(WROTE, ["t", "u", "unknown"], limit=limit)
            assert found.keys() == {"t", "u", "unknown"}
            for target, held in found.items():
                assert held == reader.latest(WROTE, target, before=FOREVER, limit=limit)
    with store.read(known=3, valid=6) as reader:
        assert [edge.at for edge in reader.last(WROTE, ["t"], limit=2)["t"]] == [5, 5]
        assert reader.last(EdgeKind.REPLACED, ["t"], limit=2) == {"t": []}


def test_latest_goes_backwards(store: GraphStore) -> None:
    told = [(1, 0, "a"), (5, 2, "b"), (5, 2, "é"), (5, 1, "c"), (7, 0, "d"), (9, 3, "e")]
    for kind in (WROTE, USED):
        put(store, edges=[Edge(kind, source, "t", at, seq) for at, seq, source in told])
    with store.read(valid=8) as reader:
        for kind in (WROTE, USED):
            found = [(edge.at, edge.seq, edge.source) for edge in reader.latest(kind, "t", before=7, limit=3)]
            assert found == [(5, 2, "é"), (5, 2, "b"), (5, 1, "c")]
            assert [edge.at for edge in reader.latest(kind, "t", before=99, limit=1)] == [7]
            assert reader.latest(kind, "unknown", before=99, limit=1) == []
            assert reader.latest(kind, "t", before=1, limit=1) == []
            assert [edge.at for edge in reader.latest(kind, "t", before=FOREVER, limit=2)] == [7, 5]


def test_earliest_goes_forwards(store: GraphStore) -> None:
    told = [(1, 0, "a"), (5, 2, "é"), (5, 2, "b"), (5, 1, "c"), (7, 0, "d"), (9, 3, "e")]
    for kind in (WROTE, USED):
        put(store, edges=[Edge(kind, source, "t", at, seq) for at, seq, source in told])
        put(store, edges=[Edge(kind, "a", "t", 6, 100)])
    with store.read(valid=8) as reader:
        for kind in (WROTE, USED):
            found = [(edge.at, edge.seq, edge.source) for edge in reader.earliest(kind, "t", after=1, limit=3)]
            assert found == [(5, 1, "c"), (5, 2, "b"), (5, 2, "é")]
            assert [edge.at for edge in reader.earliest(kind, "t", after=7, limit=3)] == []
            assert reader.earliest(kind, "unknown", after=0, limit=1) == []
            assert reader.earliest(kind, "t", after=FOREVER, limit=1) == []
        assert [edge.source for edge in reader.earliest(WROTE, "t", after=5, limit=9)] == ["a", "d"]
        assert [edge.source for edge in reader.earliest(USED, "t", after=5, limit=9)] == ["d"]


def test_count_counts_sources_once(store: GraphStore) -> None:
    put(store, edges=[Edge(WROTE, s, "t", at, 0) for s, at in [("a", 1), ("a", 2), ("b", 2), ("c", 3), ("d", 9)]])
    with store.read(valid=8) as reader:
        assert reader.count(WROTE, "t", low=1, high=2) == 2
        assert reader.count(WROTE, "t", low=0, high=FOREVER) == 3
        assert reader.count(WROTE, "t", low=4, high=5) == 0
        assert reader.count(WROTE, "unknown", low=0, high=9) == 0


# ---- mentions and facets


def test_the_last_mention_of_each_bundle_and_actor(store: GraphStore) -> None:
    alice, bob = ACTORS
    told = [
        Mention("e", X, 5, 1, alice),
        Mention("e", X, 3, 2, alice),
        Mention("e", X, 5, 3, alice),
        Mention("e", X, 4, 3, bob),
        Mention("e", Y, 1, 4, alice),
        Mention("f", Z, 1, 4, alice),
    ]
    put(store, mentions=told)
    order = sorted([told[0], told[3], told[4]], key=lambda one: (one.at, one.bundle, one.actor))
    with store.read() as reader:
        assert reader.mentions(["e", "unknown"]) == {"e": order, "unknown": []}
    with store.read(known=3, valid=4) as reader:
        assert reader.mentions(["e"]) == {"e": [told[1]]}


def test_a_repeated_bundle_is_one_mention(store: GraphStore) -> None:
    put(store, mentions=[Mention("e", X, at, at % 90, "alice") for at in range(2000)])
    with store.read() as reader:
        assert reader.mentions(["e"]) == {"e": [Mention("e", X, 1999, 1999 % 90, "alice")]}


def test_bundles_and_bodies_by_digest(store: GraphStore) -> None:
    put(store, bundles={**BUNDLES, hexed("none"): {}}, bodies=BODIES)
    put(store, bundles={X: BUNDLES[X]}, bodies=BODIES)
    with store.read(known=0) as reader:
        assert reader.bundles([X, hexed("none"), hexed("unknown")]) == {X: BUNDLES[X], hexed("none"): {}}
        assert reader.bodies([*BODIES, hexed("unknown")]) == BODIES
        assert reader.bodies([]) == {}


# ---- shapes and spans


def test_shapes_sum_up_the_latest_of_each_run(store: GraphStore) -> None:
    put(store, shapes=[RunShape("r1", "j", "s", 1, 2, 0), RunShape("r2", "j", "s", 0, 9, 9)])
    put(store, shapes=[RunShape("r1", "j", "s", 1, 9, 9), RunShape("r3", "j", "t", 4, 5, 5)])
    with store.read() as reader:
        assert reader.shapes(["j", "unknown"]) == {
            "j": [ShapeSummary("s", "r2", 0, 9, 2), ShapeSummary("t", "r3", 4, 5, 1)],
            "unknown": [],
        }
    put(store, shapes=[RunShape("r2", "j", "s", 8, 8, 9), RunShape("r2", "j", "t", 4, 5, 5)])
    with store.read() as reader:
        assert reader.shapes(["j"]) == {"j": [ShapeSummary("s", "r1", 1, 9, 1), ShapeSummary("t", "r3", 4, 5, 2)]}


def test_a_shape_without_runs_is_gone(store: GraphStore) -> None:
    put(store, shapes=[RunShape("r1", "j", "s", 1, 2, 0)])
    put(store, shapes=[RunShape("r1", "k", "s", 1, 2, 0)])
    with store.read() as reader:
        assert reader.shapes(["j", "k"]) == {"j": [], "k": [ShapeSummary("s", "r1", 1, 2, 1)]}


def test_shapes_have_no_past(store: GraphStore) -> None:
    put(store, shapes=[RunShape("r1", "j", "s", 1, 2, 0)])
    for known, valid in [(99, FOREVER), (100, 50)]:
        with store.read(known, valid) as reader:
            assert reader.shapes(["j"]) is None
    with store.read(known=100) as reader:
        assert reader.shapes(["j"]) is not None
        assert reader.until(50).shapes(["j"]) is None


def test_the_longest_span_stays(store: GraphStore) -> None:
    for span in (3, 8, 5):
        put(store, spans={"a": span})
    with store.read(known=0, valid=0) as reader:
        assert reader.spans(["a", "b"]) == {"a": 8, "b": 0}


# ---- facts


def test_facts_hold_no_log_position(store: GraphStore) -> None:
    def parts(seq: int) -> Batch:
        return Batch(
            nodes=[node(NodeKind.JOB, "j", seq=seq)],
            edges=[Edge(USED, "a", "b", 1, seq), Edge(WROTE, "a", "b", 1, seq), Edge(DECLARED, str(seq), "b", 1, seq)],
            events=[event(seq, recorded=seq)],
            mentions=[Mention("e", X, 1, seq, "alice")],
        )

    assert store.apply(parts(3), ORIGIN, 0, 10)
    once = digest(store)
    store.clear()
    assert store.apply(parts(7), ORIGIN, 0, 10)
    assert digest(store) == once


def test_each_fact_comes_once(store: GraphStore) -> None:
    again = Batch(
        nodes=[node(NodeKind.JOB, "j", seq=1, at=5), node(NodeKind.JOB, "j", seq=2, at=3)],
        edges=[Edge(kind, "a", "b", at, seq) for kind in (USED, WROTE) for at, seq in [(5, 1), (5, 2), (3, 3)]]
        + [Edge(DECLARED, str(seq), "b", 1, seq) for seq in (1, 2)],
        mentions=[Mention("e", X, 1, seq, "alice") for seq in (1, 2)],
        bundles=BUNDLES,
        bodies=BODIES,
        spans={"a": 1},
        shapes=[RunShape("r1", "j", "s", 1, 2, 0), RunShape("r1", "j", "s", 1, 3, 0)],
    )
    assert store.apply(again, ORIGIN, 0, 100)
    facts = list(store.facts())
    assert len(set(facts)) == len(facts) == 1 + (1 + 2 + 1) + 1 + len(BUNDLES) + len(BODIES) + 1 + 1


def test_the_digest_is_the_sum_of_hashes(store: GraphStore) -> None:
    assert digest(store) == "0" * 64
    put(store, edges=[Edge(USED, "a", "b", 1, 0), Edge(USED, "a", "c", 1, 0)])
    total = sum(int(sha256(fact).hexdigest(), 16) for fact in store.facts())
    assert digest(store) == f"{total % 2**256:064x}"


# ---- whatever comes


def test_every_answer_is_the_plain_stores(store: GraphStore) -> None:
    @examples(store)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        log = data.draw(logs())
        plain = MemoryGraph()
        store.clear()
        fill(plain, log)
        for start, end in data.draw(pieces(log)):
            assert store.apply(data.draw(shuffled(joined(log[start:end]))), ORIGIN, start, end)
        for cut in data.draw(st.lists(CUTS, min_size=1, max_size=2)):
            with store.read(cut.known, cut.valid) as mine, plain.read(cut.known, cut.valid) as right:
                assert mine.cut == right.cut
                assert everything(mine) == everything(right)
        assert sorted(store.facts()) == sorted(plain.facts())

    check()


def test_a_cut_equals_the_projection_of_that_part(store: GraphStore) -> None:
    """Save for what has no past: facet texts, shapes and spans."""
    timeless = {"bundles", "bodies", "shapes", "spans"}

    @examples(store)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        log, known = data.draw(logs()), data.draw(st.integers(1, 8))
        part = MemoryGraph()
        store.clear()
        fill(part, log[:known])
        fill(store, log)
        with store.read(known) as mine, part.read() as right:
            assert {verb: answer for verb, answer in everything(mine).items() if verb not in timeless} == {
                verb: answer for verb, answer in everything(right).items() if verb not in timeless
            }

    check()


def test_the_digest_knows_nothing_of_pieces(store: GraphStore) -> None:
    @examples(store)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        log = data.draw(logs())
        whole = MemoryGraph()
        fill(whole, log)
        store.clear()
        fill(store, log, data.draw(pieces(log)))
        assert digest(store) == digest(whole)

    check()


def test_a_stale_batch_changes_nothing(store: GraphStore) -> None:
    @examples(store)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        log = data.draw(logs())
        stretches = data.draw(pieces(log))
        store.clear()
        fill(store, log, stretches)
        before = sorted(store.facts()), store.position()
        start, end = data.draw(st.sampled_from(stretches))
        assert not store.apply(joined(log[start:end]), ORIGIN, start, end)
        assert not store.apply(data.draw(entries(start)), ORIGIN, start, end)
        assert (sorted(store.facts()), store.position()) == before

    check()


def test_a_hundred_thousand_inputs_fit_in_one_batch(store: GraphStore) -> None:
    """Fewer here, as the size only matters for how they are sent."""
    many = 100_000 if store.name != "neo4j" else 5_000
    ids = [f"ds_{number:022d}" for number in range(many)]
    put(store, edges=[Edge(EdgeKind.READ, "run", id_, 1, 0) for id_ in ids])
    with store.read() as reader:
        assert [edge.target for edge in reader.outgoing(EdgeKind.READ, ["run"])["run"]] == ids
        assert all(len(edges) == 1 for edges in reader.incoming(EdgeKind.READ, ids).values())
