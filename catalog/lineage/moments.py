"""The latest moments of datasets, fetched for many datasets at once and then answered from memory.

A walk asks of each dataset what was current at one instant or another, and mostly the last few writes tell. What lies
further back is asked of the store, one dataset at a time, so that no chain's length matters.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from catalog.graph.contract import FOREVER, Edge, EdgeKind, GraphReader
from catalog.lineage.trace import Trace

_HELD = 32  # moments of each dataset

_at = attrgetter("at")


@dataclass(frozen=True, slots=True)
class _Tail:
    """All moments after `floor`, in the order of (at, seq, source); every one where `floor` is -1."""

    edges: list[Edge]
    floor: int


class Moments:
    """Answers as the `GraphReader` of the same names does, for kinds in MOMENTS."""

    def __init__(self, reader: GraphReader, trace: Trace) -> None:
        self._reader = reader
        self._trace = trace
        self._tails: dict[tuple[EdgeKind, str], _Tail] = {}

    def fetch(self, kind: EdgeKind, datasets: Iterable[str]) -> None:
        missing = [dataset for dataset in dict.fromkeys(datasets) if (kind, dataset) not in self._tails]
        if not missing:
            return
        for dataset, edges in self._reader.last(kind, missing, limit=_HELD).items():
            floor = -1 if len(edges) < _HELD else edges[-1].at  # the last instant may have been cut in two
            self._tails[kind, dataset] = _Tail([edge for edge in reversed(edges) if edge.at > floor], floor)

    def latest(self, kind: EdgeKind, dataset: str, *, before: int, limit: int) -> list[Edge]:
        self._trace.chain(dataset, before - 1)
        tail = self._tail(kind, dataset)
        end = bisect_left(tail.edges, before, key=_at)
        if end < limit and tail.floor >= 0:
            return self._reader.latest(kind, dataset, before=before, limit=limit)
        return tail.edges[max(0, end - limit) : end][::-1]

    def earliest(self, kind: EdgeKind, dataset: str, *, after: int, limit: int) -> list[Edge]:
        self._trace.chain(dataset, FOREVER)
        tail = self._tail(kind, dataset)
        if after < tail.floor:
            return self._reader.earliest(kind, dataset, after=after, limit=limit)
        begin = bisect_right(tail.edges, after, key=_at)
        return tail.edges[begin : begin + limit]

    def between(self, kind: EdgeKind, dataset: str, low: int, high: int) -> list[Edge]:
        """Those with `low <= at <= high`, in order."""
        self._trace.chain(dataset, high)
        tail = self._tail(kind, dataset)
        if low <= tail.floor:
            return self._reader.incoming(kind, (dataset,), low=low, high=high)[dataset]
        return tail.edges[bisect_left(tail.edges, low, key=_at) : bisect_right(tail.edges, high, key=_at)]

    def count(self, kind: EdgeKind, dataset: str, *, low: int, high: int) -> int:
        self._trace.chain(dataset, high)
        if low <= self._tail(kind, dataset).floor:
            return self._reader.count(kind, dataset, low=low, high=high)
        return len({edge.source for edge in self.between(kind, dataset, low, high)})

    def _tail(self, kind: EdgeKind, dataset: str) -> _Tail:
        if (kind, dataset) not in self._tails:
            self.fetch(kind, (dataset,))
        return self._tails[kind, dataset]
