"""What a piece of lineage was worked out from, so that it can be kept until one of these facts changes.

A fact is named by what was asked of the store, and holds until an event speaks of it (`catalog.lineage.touch`). Every
place that takes something from the store, or from what was fetched of it before, says so here, and whatever is worked
out once is kept together with its facts: whoever uses it again depends on them too.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Of(StrEnum):
    """What was asked about a key."""

    RUN = "RUN"  # all events of a UUID
    CHILDREN = "CHILDREN"  # the runs that name a UUID as their parent
    GENERATED = "GENERATED"  # the runs that wrote a version, by the name that it is stored under
    DROPPED = "DROPPED"  # the drops of a dataset
    DECLARED = "DECLARED"  # events without a run about a dataset or job
    ALIASES = "ALIASES"  # with what a dataset was ever connected by symlinks
    MENTIONS = "MENTIONS"  # the facets of a dataset or job
    ROLES = "ROLES"  # what a dataset or job was ever declared to be
    RUNS = "RUNS"  # all runs of a job, and what any of them did
    MAKERS = "MAKERS"  # the jobs that write a dataset
    CLOCK = "CLOCK"  # the newest received time, or what else no event announces: never to be kept


Fact = tuple[Of, str]

FLEETING: Fact = (Of.CLOCK, "")


class Seen:
    """Facts, and of each dataset the last instant (µs) up to which its chain was looked at."""

    __slots__ = ("chains", "facts")

    def __init__(self, facts: set[Fact] | None = None) -> None:
        self.facts: set[Fact] = facts or set()
        self.chains: dict[str, int] = {}

    def chain(self, dataset: str, until: int) -> None:
        if self.chains.get(dataset, -1) < until:
            self.chains[dataset] = until

    def join(self, other: "Seen") -> None:
        self.facts |= other.facts
        for dataset, until in other.chains.items():
            self.chain(dataset, until)


Known = tuple[Value, Seen]


class Trace:
    """What is being looked at. One for each reading, as none is used by several threads."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen = Seen()

    def fact(self, of: Of, key: str) -> None:
        self._seen.facts.add((of, key))

    def chain(self, dataset: str, until: int) -> None:
        self._seen.chain(dataset, until)

    def fleeting(self) -> None:
        """What is being worked out cannot be kept."""
        self._seen.facts.add(FLEETING)

    def of(self, work: Callable[[], Value]) -> Known[Value]:
        """What the work comes to, and what it looked at, which counts for nothing else yet."""
        outer, self._seen = self._seen, Seen()
        try:
            return work(), self._seen
        finally:
            self._seen = outer

    def recall(self, cache: dict[Key, Known[Value]], key: Key, work: Callable[[], Value]) -> Value:
        """What is in the cache, else what the work comes to; whatever that was worked out from was seen now."""
        held = cache.get(key)
        if held is None:
            held = cache[key] = self.of(work)
        return self.use(held)

    def use(self, held: Known[Value]) -> Value:
        self._seen.join(held[1])
        return held[0]


class Kept(Protocol):
    """What earlier readings worked out and this one may use."""

    def find(self, of: str, key: str) -> Any:
        """None for what is not known."""
        ...

    def keep(self, of: str, key: str, known: Known[Any]) -> None:
        """Remember for others what was worked out. It must never be changed."""
        ...


class Nothing:
    """For readings of which nothing is kept."""

    def find(self, of: str, key: str) -> Any:
        return None

    def keep(self, of: str, key: str, known: Known[Any]) -> None:
        pass
