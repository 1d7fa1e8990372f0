"""Instants at which something has to be looked at."""

from collections.abc import Hashable, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Alarms(Generic[K]):
    """At most one instant (µs) for each thing."""

    def __init__(self) -> None:
        self._set: dict[K, int] = {}
        self._heap: list[tuple[int, int, K]] = []
        self._order = count()  # so that things never have to be compared

    def put(self, key: K, instant: int | None) -> None:
        """Set, or with None take back, the alarm of a thing."""
        if instant is None:
            self._set.pop(key, None)
        elif self._set.get(key) != instant:
            self._set[key] = instant
            heappush(self._heap, (instant, next(self._order), key))

    def until(self, instant: int) -> Iterator[K]:
        """The things whose alarm is not after an instant, the earliest first. They are set no longer."""
        while self._heap and self._heap[0][0] <= instant:
            due, _, key = heappop(self._heap)
            if self._set.get(key) == due:
                del self._set[key]
                yield key

    @property
    def next(self) -> int | None:
        """The earliest instant that is set."""
        while self._heap and self._set.get(self._heap[0][2]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None
