"""Places of nodes: with the flow, apart from each other, the same for the same graph."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from catalog.rendering.layers import layout

KEYS = [f"n{number}" for number in range(9)]
EDGES = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)), max_size=24)


@given(EDGES)
def test_no_two_nodes_of_a_layer_overlap(edges: list[tuple[str, str]]) -> None:
    placed = layout(KEYS, edges)
    for one, other in combinations(placed.places.values(), 2):
        assert one.layer != other.layer or abs(one.row - other.row) >= 0.999


@given(EDGES)
def test_data_flows_to_the_right_where_there_is_no_cycle(edges: list[tuple[str, str]]) -> None:
    forward = [(a, b) for a, b in edges if a < b]
    placed = layout(KEYS, forward)
    for source, target in forward:
        assert placed.places[source].layer < placed.places[target].layer


@given(EDGES)
def test_a_long_edge_bends_once_in_each_layer_between(edges: list[tuple[str, str]]) -> None:
    placed = layout(KEYS, edges)
    for (source, target), bends in placed.bends.items():
        start, end = placed.places[source].layer, placed.places[target].layer
        step = 1 if end > start else -1
        assert [bend.layer for bend in bends] == list(range(start + step, end, step))


@given(EDGES)
def test_the_order_of_edges_that_form_no_cycle_does_not_move_layers(edges: list[tuple[str, str]]) -> None:
    forward = sorted({(a, b) for a, b in edges if a < b})
    one, other = layout(KEYS, forward), layout(KEYS, forward[::-1])
    assert {key: place.layer for key, place in one.places.items()} == {
        key: place.layer for key, place in other.places.items()
    }


@given(EDGES)
def test_everything_is_inside(edges: list[tuple[str, str]]) -> None:
    placed = layout(KEYS, edges)
    for place in placed.places.values():
        assert 0 <= place.layer < placed.layers
        assert 0.499 <= place.row <= placed.rows - 0.499


def test_a_source_stands_beside_what_it_feeds() -> None:
    placed = layout(["a", "b", "c", "late"], [("a", "b"), ("b", "c"), ("late", "c")])
    assert placed.places["late"].layer == placed.places["b"].layer


def test_a_graph_of_nothing_has_a_layout() -> None:
    assert layout([], []).layers == 0
