"""What is asked of many nodes at once is what is told of each of them alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import NotFoundError
from catalog.graph.contract import FOREVER
from catalog.graph.memory import MemoryGraph
from catalog.identity import NodeKind, dataset_id, structure
from catalog.model import Direction, Grain, LineageEdge, LineageGraph, Node, NodeRef
from catalog.reading import Reading, Walk
from tests.policies.evidence.histories import histories
from tests.policies.evidence.world import VERSION, Telling, fill

MOST = 1_000
READ = {NodeKind.DATASET, NodeKind.DATASET_VERSION}


@contextmanager
def reading_of(told: list[Telling]) -> Iterator[Reading]:
    store = MemoryGraph()
    fill(store, told)
    with store.read(valid=FOREVER) as reader:
        yield Reading(reader)


def behind(reading: Reading) -> LineageGraph:
    return reading.lineage(NodeRef(id=VERSION), Walk(depth=100, limit=MOST, history=True))


def ends(edge: LineageEdge) -> tuple[str, str, str, frozenset[int]]:
    return edge.source, edge.target, edge.basis.value, frozenset(edge.entries)


@settings(max_examples=30, deadline=None)
@given(histories(), st.data())
def test_the_readers_of_many_are_those_of_each(told: list[Telling], data: st.DataObject) -> None:
    with reading_of(told) as reading:
        nodes = sorted(node.id for node in behind(reading).nodes if structure(node.id) in READ)
        chosen = data.draw(st.lists(st.sampled_from(nodes))) if nodes else []
        together = reading.readers_of(chosen, MOST)
        assert together == {node: _walked_readers(reading, node) for node in chosen}
    with reading_of(told) as afresh:
        assert {node: afresh.readers_of([node], MOST)[node] for node in chosen} == together
        assert afresh.readers_of(chosen, 1) == {node: runs[:1] for node, runs in together.items()}


def _walked_readers(reading: Reading, node: str) -> list[Node]:
    walked = reading.lineage(NodeRef(id=node), Walk(direction=Direction.DOWNSTREAM, depth=1, limit=MOST))
    runs = {edge.target for edge in walked.edges if edge.source == node}
    found = (each for each in walked.nodes if each.kind is NodeKind.RUN and each.id in runs)
    return sorted(found, key=lambda run: run.id)


@settings(max_examples=30, deadline=None)
@given(histories(), st.sampled_from([Grain.FIELD, Grain.RUN]))
def test_a_walk_from_many_is_all_the_walks_from_each(told: list[Telling], grain: Grain) -> None:
    wanted = Walk(depth=100, limit=MOST, grain=grain)
    with reading_of(told) as reading:
        starts = sorted(node.id for node in behind(reading).nodes if structure(node.id) in READ)
        alone = [reading.lineage(NodeRef(id=start), wanted) for start in starts]
        together = reading.lineage_of_all(starts, wanted)
        if together is None:
            assert not starts
            return
        assert {node.id: node for node in together.nodes} == {node.id: node for each in alone for node in each.nodes}
        assert set(map(ends, together.edges)) == {ends(edge) for each in alone for edge in each.edges}


@settings(max_examples=30, deadline=None)
@given(histories())
def test_one_walk_tells_of_both_histories(told: list[Telling]) -> None:
    with reading_of(told) as reading:
        found = reading.with_and_without_history(NodeRef(id=VERSION), Walk(depth=100, limit=MOST))
    with reading_of(told) as afresh:
        ways = (Walk(depth=100, limit=MOST, history=history) for history in (False, True))
        assert found == tuple(afresh.lineage(NodeRef(id=VERSION), way) for way in ways)


@settings(max_examples=15, deadline=None)
@given(histories())
def test_what_was_prepared_is_told_the_same(told: list[Telling]) -> None:
    with reading_of(told) as plain, reading_of(told) as prepared:
        nodes = [node.id for node in behind(plain).nodes]
        prepared.prepare(nodes)
        for node in nodes:
            assert prepared.facets(node) == plain.facets(node)
            assert prepared.producers(node) == plain.producers(node)
            assert prepared.acts(NodeKind.ATTESTATION, node) == plain.acts(NodeKind.ATTESTATION, node)


def test_a_node_that_there_is_not_is_no_node_without_readers() -> None:
    with reading_of([]) as reading, pytest.raises(NotFoundError):
        reading.readers_of([dataset_id("nowhere", "nothing")], MOST)
