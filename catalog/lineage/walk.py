"""The breadth-first walk that every grain shares: levels, a node budget, and what was left out.

One hop is one run or job. A level is expanded whole; where it does not fit the budget, its nodes are cut in the order
of their ids, so that the same graph always gives the same answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from catalog.model import STRENGTH, Basis, Gap, GapKind, Transformation, Truncation


class Flowing(msgspec.Struct, frozen=True, gc=False):
    """What is known of an edge: the strongest basis, the widest interval, every entry that says so, in order.

    Walks share them. A struct, since one is made for each edge of each answer that is not remembered.
    """

    basis: Basis
    first: int | None = None
    last: int | None = None
    runs: int | None = None
    stale: bool | None = None
    entries: tuple[int, ...] = ()
    transformations: frozenset[Transformation] = frozenset()

    def united(self, other: "Flowing") -> "Flowing":
        if other == self:
            return self
        return Flowing(
            min(self.basis, other.basis, key=STRENGTH.__getitem__),
            _least(self.first, other.first),
            _greatest(self.last, other.last),
            self.runs,
            self.stale,
            tuple(sorted({*self.entries, *other.entries})),
            self.transformations | other.transformations,
        )


def _least(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _greatest(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


@dataclass(slots=True)
class Expansion:
    """What one level adds: edges, gaps, nodes met on the way and nodes to go on from."""

    edges: dict[tuple[str, str], Flowing] = field(default_factory=dict)
    gaps: set[Gap] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    reached: set[str] = field(default_factory=set)

    def edge(self, source: str, target: str, flowing: Flowing) -> None:
        self.join_edge((source, target), flowing)

    def join_edge(self, ends: tuple[str, str], flowing: Flowing) -> None:
        held = self.edges.setdefault(ends, flowing)
        if held is not flowing:
            self.edges[ends] = held.united(flowing)

    def gap(self, kind: GapKind, node: str, reason: str) -> None:
        self.gaps.add(Gap(kind, node, reason))


class Step(Protocol):
    """Expands a level of nodes in one direction."""

    def upstream(self, nodes: Sequence[str]) -> Expansion: ...

    def downstream(self, nodes: Sequence[str]) -> Expansion: ...


@dataclass(slots=True)
class Walked:
    """Nodes with their distance in hops, edges between them, and what was not walked."""

    distance: dict[str, int]
    edges: dict[tuple[str, str], Flowing]
    gaps: set[Gap]
    depth: int = 0
    truncated: Truncation | None = None


def walk(step: Step, roots: Iterable[str], *, up: bool, down: bool, depth: int, limit: int) -> Walked:
    """Both directions start at the roots; each keeps its own frontier, so that no walk turns round at a node."""
    start = sorted(set(roots))
    walked = Walked(dict.fromkeys(start[:limit], 0), {}, set())
    ways = [way for way, wanted in ((step.upstream, up), (step.downstream, down)) if wanted]
    for way in ways:
        _walk_one_way(walked, way, start[:limit], depth, limit)
    return walked


def _walk_one_way(walked: Walked, way: object, start: list[str], depth: int, limit: int) -> None:
    assert callable(way)
    frontier, seen = start, set(start)
    for level in range(1, depth + 1):
        grown: Expansion = way(frontier)
        added = sorted((grown.passed | grown.reached) - walked.distance.keys())
        room = limit - len(walked.distance)
        kept = added[:room]
        walked.distance.update(dict.fromkeys(kept, level))
        _keep(walked, grown)
        if grown.edges or kept:
            walked.depth = max(walked.depth, level)
        if len(added) > room:
            walked.truncated = Truncation("LIMIT", len(added) - room)
            return
        frontier = sorted(grown.reached - seen)
        seen |= grown.reached
        if not frontier:
            return
    beyond: Expansion = way(frontier)
    unseen = (beyond.passed | beyond.reached) - walked.distance.keys()
    if unseen:
        walked.truncated = walked.truncated or Truncation("DEPTH", len(unseen))


def _keep(walked: Walked, grown: Expansion) -> None:
    distance, edges = walked.distance, walked.edges
    for ends, flowing in grown.edges.items():
        if ends[0] in distance and ends[1] in distance:
            held = edges.setdefault(ends, flowing)
            if held is not flowing:
                edges[ends] = held.united(flowing)
    walked.gaps |= {gap for gap in grown.gaps if gap.node in walked.distance}
