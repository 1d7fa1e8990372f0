"""A lineage graph as trees: each node once, where the walk first met it, and references to it elsewhere."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from catalog.model import Direction, LineageEdge, LineageGraph, Node


@dataclass(slots=True)
class Branch:
    """A node under the edge that leads to it; a reference has no branches of its own."""

    node: Node
    edge: LineageEdge | None = None
    reference: bool = False
    branches: list["Branch"] = field(default_factory=list)


def spanning(graph: LineageGraph, direction: Direction) -> list[Branch]:
    """Upstream or downstream trees, the root's first; every node of the graph is in one.

    Trees are grown breadth first, so that none is deeper than the walk was. Branches are ordered by name.
    """
    grower = _Grower(graph, direction)
    starts = _starts(graph)
    trees = grower.grow(starts)
    return trees + [tree for node in graph.nodes if not grower.has(node.id) for tree in grower.grow([node])]


def _starts(graph: LineageGraph) -> list[Node]:
    """Where the walk began: at the root, or at what stands for it, which then is the nearest node."""
    at_root = [node for node in graph.nodes if node.id == graph.root.id]
    return at_root or list(graph.nodes[:1]) or [graph.root]


class _Grower:
    def __init__(self, graph: LineageGraph, direction: Direction) -> None:
        self._nodes = {node.id: node for node in graph.nodes}
        self._onward: dict[str, list[tuple[str, LineageEdge]]] = {}
        for edge in graph.edges:
            here, there = (edge.target, edge.source) if direction is Direction.UPSTREAM else (edge.source, edge.target)
            if there in self._nodes:
                self._onward.setdefault(here, []).append((there, edge))
        self._met: set[str] = set()

    def has(self, node: str) -> bool:
        return node in self._met

    def grow(self, starts: Iterable[Node]) -> list[Branch]:
        trees = [Branch(node) for node in starts]
        self._met.update(tree.node.id for tree in trees)
        growing = deque(trees)
        while growing:
            branch = growing.popleft()
            branch.branches = self._branches(branch.node)
            growing += (each for each in branch.branches if not each.reference)
        return trees

    def _branches(self, node: Node) -> list[Branch]:
        found = []
        for there, edge in sorted(self._onward.get(node.id, ()), key=lambda way: _order(self._nodes[way[0]])):
            found.append(Branch(self._nodes[there], edge, reference=there in self._met))
            self._met.add(there)
        return found


def _order(node: Node) -> tuple[str, str, str]:
    return (node.name, node.label or "", node.id)
