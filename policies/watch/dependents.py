"""From a node to everything that was worked out from it."""

from collections.abc import Iterable
from typing import Generic, TypeVar

K = TypeVar("K")


class Dependents(Generic[K]):
    """Which things depend on which nodes; a thing's dependencies are replaced as a whole."""

    def __init__(self) -> None:
        self._nodes: dict[K, frozenset[str]] = {}
        self._dependents: dict[str, set[K]] = {}

    def of(self, node: str) -> Iterable[K]:
        return self._dependents.get(node, ())

    def nodes_of(self, key: K) -> frozenset[str]:
        return self._nodes.get(key, frozenset())

    def put(self, key: K, nodes: frozenset[str]) -> None:
        before = self._nodes.get(key, frozenset())
        for node in before - nodes:
            self._forget(node, key)
        for node in nodes - before:
            self._dependents.setdefault(node, set()).add(key)
        self._nodes[key] = nodes

    def drop(self, key: K) -> None:
        for node in self._nodes.pop(key, frozenset()):
            self._forget(node, key)

    def _forget(self, node: str, key: K) -> None:
        held = self._dependents[node]
        held.remove(key)
        if not held:
            del self._dependents[node]
