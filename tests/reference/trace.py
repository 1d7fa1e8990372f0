"""An answer in the making: an edge that several derivations share takes the strongest basis."""

from collections.abc import Iterable

from catalog.model import STRENGTH, Basis, GapKind
from tests.reference.answers import Answer


def strongest(bases: Iterable[Basis]) -> Basis:
    return min(bases, key=lambda basis: STRENGTH[basis])


class Trace:
    def __init__(self, root: str) -> None:
        self.nodes = {root}
        self.bases: dict[tuple[str, str], Basis] = {}
        self.gaps: set[tuple[GapKind, str]] = set()

    def edge(self, source: str, target: str, basis: Basis) -> None:
        self.nodes |= {source, target}
        self.bases[source, target] = strongest([self.bases.get((source, target), basis), basis])

    def answer(self) -> Answer:
        edges = frozenset((source, target, basis) for (source, target), basis in self.bases.items())
        return Answer(frozenset(self.nodes), edges, frozenset(self.gaps))
