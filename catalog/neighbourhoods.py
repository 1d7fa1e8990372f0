"""What walks worked out about single nodes, kept from one question to the next until an event changes it.

Most of a walk tells again what earlier walks told: which run made this version, and what that run had seen. That is a
pure function of facts, each of which the walk noted (`catalog.lineage.trace`). When the projection has moved on, the
events that came are read once, and what was worked out from a fact that one of them changes is forgotten; the rest is
as true as it was. So answers are put together anew for each question, out of parts that need not be worked out again.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from catalog.assertions import declared_moments_of, mentions_of, statements_of
from catalog.graph.contract import Edge, EdgeKind, GraphReader
from catalog.graph.record import EventRecord
from catalog.lineage.trace import FLEETING, Fact, Kept, Known, Nothing, Of, Seen
from catalog.run_assertions import moments_of

_MOST = 100_000  # facts of all that is kept, some 25 MB; when there are more, all is forgotten
_STRETCH = 1_000  # entries that are looked through for changes; after more of them all is forgotten

_Part = tuple[str, str]


@dataclass(slots=True)
class _Held:
    """Parts with the position at which each was worked out, and by each fact those that rest on it."""

    parts: dict[_Part, tuple[Any, int]] = field(default_factory=dict)
    by_fact: dict[Fact, list[_Part]] = field(default_factory=dict)
    by_chain: dict[str, list[tuple[int, _Part]]] = field(default_factory=dict)
    weight: int = 0

    def add(self, part: _Part, value: Any, since: int, seen: Seen) -> None:
        self.parts[part] = (value, since)
        for fact in seen.facts:
            self.by_fact.setdefault(fact, []).append(part)
        for dataset, until in seen.chains.items():
            self.by_chain.setdefault(dataset, []).append((until, part))
        self.weight += len(seen.facts) + len(seen.chains) + 1

    def drop(self, touched: "Touched") -> None:
        for fact in touched.facts & self.by_fact.keys():
            for part in self.by_fact.pop(fact):
                self.parts.pop(part, None)
        for dataset, at in touched.chains.items():
            resting = self.by_chain.get(dataset)
            if resting is None:
                continue
            for until, part in resting:
                if until >= at:
                    self.parts.pop(part, None)
            self.by_chain[dataset] = [each for each in resting if each[0] < at]


class Neighbourhoods:
    """Of one store. For use by any number of threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held = _Held()
        self._epoch: Hashable = None
        self._position = -1  # up to which all that is kept holds

    def at(self, reader: GraphReader) -> Kept:
        """What may be used at the reader's cut: nothing where valid time is limited."""
        cut = reader.cut
        if not cut.is_open:
            return Nothing()
        with self._lock:
            if self._epoch != reader.epoch or not 0 <= cut.known - self._position <= _STRETCH:
                if self._epoch == reader.epoch and cut.known < self._position:
                    return _At(self, self._held, cut.known)
                self._held, self._epoch = _Held(), reader.epoch
            elif cut.known > self._position:
                self._held.drop(touched(reader, self._position, cut.known))
            self._position = cut.known
            return _At(self, self._held, cut.known)

    def keep(self, held: _Held, part: _Part, known: Known[Any], position: int) -> None:
        """Of what was worked out before the last events came, nobody looked whether they change it."""
        value, seen = known
        if FLEETING in seen.facts:
            return
        with self._lock:
            if held is not self._held or position != self._position:
                return
            if held.weight > _MOST:
                self._held = _Held()
                return
            held.add(part, value, position, seen)


@dataclass(frozen=True, slots=True)
class _At:
    """What one reading uses and adds. What was worked out at a later position is not for an earlier one."""

    of: Neighbourhoods
    held: _Held
    position: int

    def find(self, of: str, key: str) -> Any:
        found = self.held.parts.get((of, key))
        return found[0] if found is not None and found[1] <= self.position else None

    def keep(self, of: str, key: str, known: Known[Any]) -> None:
        self.of.keep(self.held, (of, key), known, self.position)


# Changes -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Touched:
    """Facts that changed, and of each dataset the earliest instant (µs) at which its chain did."""

    facts: set[Fact]
    chains: dict[str, int]


def touched(reader: GraphReader, start: int, end: int) -> Touched:
    """What the entries in [start, end) change of what was read before them. The reader sees them all."""
    events = list(reader.events(range(start, end)).values())
    found = Touched(set(), {})
    for event in events:
        found.facts.update(_facts(event))
        _add_moments(found, declared_moments_of(event))
    runs = {event.run for event in events if event.run is not None}
    for together in reader.run_events(runs).values():
        found.facts.update(_facts_of_jobs(together))
        _add_moments(found, (edge for edge in moments_of(together) if edge.seq >= start))
    return found


def _facts(event: EventRecord) -> Iterable[Fact]:
    if event.run is not None:
        yield Of.RUN, event.run
    for kind, source, target in statements_of(event):
        for of, key in _CHANGED_BY.get(kind, ()):
            yield of, (source, target)[key]
    for mention in mentions_of(event):
        yield Of.MENTIONS, mention.entity


def _facts_of_jobs(run: Sequence[EventRecord]) -> Iterable[Fact]:
    """What a run does counts for whichever of the jobs that it names is its own, and that may have changed."""
    for event in run:
        if event.job is not None:
            yield Of.RUNS, event.job
        for use in event.outputs:
            yield Of.MAKERS, use.dataset


_SOURCE, _TARGET = 0, 1
_CHANGED_BY: dict[EdgeKind, Sequence[tuple[Of, int]]] = {
    EdgeKind.GENERATED: ((Of.GENERATED, _TARGET),),
    EdgeKind.PRODUCES: ((Of.MAKERS, _TARGET),),
    EdgeKind.DECLARED: ((Of.DECLARED, _TARGET),),
    EdgeKind.ALIAS_OF: ((Of.ALIASES, _SOURCE), (Of.ALIASES, _TARGET)),
    EdgeKind.HAS_ROLE: ((Of.ROLES, _SOURCE),),
    EdgeKind.CHILD_OF: ((Of.CHILDREN, _TARGET),),
}


def _add_moments(found: Touched, edges: Iterable[Edge]) -> None:
    for edge in edges:
        if edge.kind is EdgeKind.DROPPED:
            found.facts.add((Of.DROPPED, edge.target))
        else:
            found.chains[edge.target] = min(edge.at, found.chains.get(edge.target, edge.at))
