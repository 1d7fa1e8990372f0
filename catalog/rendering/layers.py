"""Places for the nodes of a graph, left to right as data flows.

The classical steps (Sugiyama, Tagawa and Toda 1981): turn back the edges that close cycles, layer by longest path,
route long edges through a bend in every layer between, order each layer by the mean of its neighbours, then let each
place settle near its neighbours without overlaps. Equal graphs get equal places.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 12
BEND = 0.45  # the room of a bend, in cards
MOST_BENDS = 5_000  # beyond it, nobody could follow a line anyway

Edge = tuple[str, str]
_Slot = str | tuple[Edge, int]  # a node, or the bend of an edge in a layer


@dataclass(frozen=True, slots=True)
class Place:
    """The layer, and the centre's distance from the top, in cards."""

    layer: int
    row: float


@dataclass(frozen=True, slots=True)
class Layout:
    """`bends` are the places an edge passes through, from its source to its target, both left out."""

    places: Mapping[str, Place]
    bends: Mapping[Edge, Sequence[Place]]
    layers: int
    rows: float


def layout(nodes: Sequence[str], edges: Iterable[Edge]) -> Layout:
    """Every node has a place; edges to unknown nodes and loops are left out."""
    known = set(nodes)
    drawn = [edge for edge in dict.fromkeys(edges) if edge[0] != edge[1] and known.issuperset(edge)]
    forward = _without_cycles(nodes, drawn)
    layer_of = _layers(nodes, forward.values())
    chains = _chains(forward, layer_of)
    slots, links = _slots(nodes, chains.values(), layer_of)
    rows = _rows(_ordered(slots, links), links)
    return _layout(nodes, forward, chains, layer_of, rows)


# Layers ------------------------------------------------------------------------------------------------------


def _without_cycles(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[Edge, Edge]:
    """Each edge, turned round where it leads back on a depth-first way from the sources, or else the last nodes."""
    onward: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in edges:
        onward[source].append(target)
    entered: set[str] = set()
    left: set[str] = set()
    backward: set[Edge] = set()
    fed = {target for _, target in edges}
    backwards = nodes[::-1]
    for start in sorted(backwards, key=fed.__contains__):
        ways = [] if start in entered else [(start, iter(onward[start]))]
        entered.add(start)
        while ways:
            here, rest = ways[-1]
            there = next(rest, None)
            if there is None:
                left.add(here)
                ways.pop()
            elif there not in entered:
                entered.add(there)
                ways.append((there, iter(onward[there])))
            elif there not in left:
                backward.add((here, there))
    return {edge: edge[::-1] if edge in backward else edge for edge in edges}


def _layers(nodes: Sequence[str], edges: Iterable[Edge]) -> dict[str, int]:
    """By longest path; what has no origin moves right, next to what it feeds."""
    onward: dict[str, list[str]] = {node: [] for node in nodes}
    origins = dict.fromkeys(nodes, 0)
    for source, target in edges:
        onward[source].append(target)
        origins[target] += 1
    layer = dict.fromkeys(nodes, 0)
    sources = [node for node in nodes if not origins[node]]
    ready = list(sources)
    while ready:
        here = ready.pop()
        for there in onward[here]:
            layer[there] = max(layer[there], layer[here] + 1)
            origins[there] -= 1
            if not origins[there]:
                ready.append(there)
    for node in sources:
        layer[node] = min((layer[there] for there in onward[node]), default=1) - 1
    first = min(layer.values(), default=0)
    return {node: each - first for node, each in layer.items()}


# Order -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Links:
    left: Mapping[_Slot, list[_Slot]]
    right: Mapping[_Slot, list[_Slot]]


def _chains(forward: Mapping[Edge, Edge], layer_of: Mapping[str, int]) -> dict[Edge, list[_Slot]]:
    """Each edge as it is drawn, through its bends; all edges straight where there would be too many."""
    spans = {edge: range(layer_of[edge[0]] + 1, layer_of[edge[1]]) for edge in forward.values()}
    bent = sum(map(len, spans.values())) <= MOST_BENDS
    return {edge: [edge[0], *((edge, layer) for layer in span if bent), edge[1]] for edge, span in spans.items()}


def _slots(
    nodes: Sequence[str], chains: Iterable[list[_Slot]], layer_of: Mapping[str, int]
) -> tuple[list[list[_Slot]], _Links]:
    slots: list[list[_Slot]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for node in nodes:
        slots[layer_of[node]].append(node)
    left, right = dict[_Slot, list[_Slot]](), dict[_Slot, list[_Slot]]()
    for chain in chains:
        for slot in chain[1:-1]:
            assert isinstance(slot, tuple)
            slots[slot[1]].append(slot)
        for one, other in pairwise(chain):
            right.setdefault(one, []).append(other)
            left.setdefault(other, []).append(one)
    return slots, _Links(left, right)


def _ordered(layers: list[list[_Slot]], links: _Links) -> list[list[_Slot]]:
    """Sweep to and fro; each slot goes to the mean rank of its neighbours on the side that the sweep comes from."""
    rank = {slot: float(place) for layer in layers for place, slot in enumerate(layer)}
    for sweep in range(SWEEPS):
        side = links.right if sweep % 2 else links.left
        for layer in reversed(layers) if sweep % 2 else layers:
            wanted = {slot: _mean([rank[each] for each in side.get(slot, ())], rank[slot]) for slot in layer}
            layer.sort(key=wanted.__getitem__)
            rank.update((slot, float(place)) for place, slot in enumerate(layer))
    return layers


# Rows --------------------------------------------------------------------------------------------------------


def _rows(layers: list[list[_Slot]], links: _Links) -> dict[_Slot, float]:
    """From the top down at first, then near their neighbours, keeping order and distance."""
    row: dict[_Slot, float] = {}
    for layer in layers:
        row.update(_apart(layer, dict.fromkeys(layer, 0.0)))
    for sweep in range(SWEEPS):
        for layer in reversed(layers) if sweep % 2 else layers:
            wanted = {
                slot: _mean([row[each] for each in (*links.left.get(slot, ()), *links.right.get(slot, ()))], row[slot])
                for slot in layer
            }
            row.update(_apart(layer, wanted))
    top = min((row[slot] - _half(slot) for slot in row), default=0.0)
    return {slot: place - top for slot, place in row.items()}


def _apart(layer: Sequence[_Slot], wanted: Mapping[_Slot, float]) -> dict[_Slot, float]:
    """The places nearest to the wanted ones (least squares) that keep the order and do not overlap.

    Measured from where each slot would be if all stood close together, the places must only not fall, which is
    isotonic regression: neighbours that would overlap join into a block at the mean of their wishes.
    """
    offsets: list[float] = []
    reach = 0.0
    for slot in layer:
        offsets.append(reach + _half(slot))
        reach += 2 * _half(slot)
    blocks: list[tuple[float, int]] = []  # mean, size
    for slot, offset in zip(layer, offsets, strict=True):
        mean, size = wanted[slot] - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, count = blocks.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        blocks.append((mean, size))
    means = [mean for mean, size in blocks for _ in range(size)]
    return {slot: mean + offset for slot, mean, offset in zip(layer, means, offsets, strict=True)}


def _half(slot: _Slot) -> float:
    return 0.5 if isinstance(slot, str) else BEND / 2


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _layout(
    nodes: Sequence[str],
    forward: Mapping[Edge, Edge],
    chains: Mapping[Edge, list[_Slot]],
    layer_of: Mapping[str, int],
    rows: Mapping[_Slot, float],
) -> Layout:
    bends: dict[Edge, list[Place]] = {}
    for edge, drawn in forward.items():
        between = [Place(slot[1], rows[slot]) for slot in chains[drawn] if isinstance(slot, tuple)]
        bends[edge] = between if edge == drawn else between[::-1]
    return Layout(
        {node: Place(layer_of[node], rows[node]) for node in nodes},
        bends,
        max(layer_of.values(), default=-1) + 1,
        max((rows[slot] + _half(slot) for slot in rows), default=0.0),
    )
