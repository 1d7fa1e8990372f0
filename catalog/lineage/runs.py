"""A run, put together from all the events that a cut sees of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from catalog.graph.record import EventRecord, ParentRef, Processing, Serving
from catalog.identity import job_id, run_id
from catalog.model import RunState
from catalog.remembered import Remembered

_REMEMBERED = 4_000  # runs, and as many that were asked for before them


@dataclass(frozen=True)
class JobTraits:
    """What a `jobType` facet says of a job or, through its events, of one run."""

    processing: Processing = Processing.BATCH
    job_type: str | None = None
    window: float | None = None


@dataclass(frozen=True)
class Run:
    """The events of one UUID that belong to one job, in their own order; `job_name` is the root name."""

    uuid: str
    job_namespace: str
    job_name: str
    events: tuple[EventRecord, ...]
    traits: JobTraits
    collides: bool
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)  # what others worked out about it

    @cached_property
    def id(self) -> str:
        return run_id(self.uuid, self.job_namespace, self.job_name)

    @cached_property
    def job(self) -> str:
        return job_id(self.job_namespace, self.job_name)

    @property
    def started(self) -> int:
        return self.events[0].at

    @cached_property
    def succeeded(self) -> int | None:
        return next((event.at for event in self.events if event.type == "COMPLETE"), None)

    @cached_property
    def final(self) -> EventRecord | None:
        """The event that ended it: its first COMPLETE, else its first other terminal event."""
        ends = [event for event in self.events if event.terminal]
        return next((event for event in ends if event.type == "COMPLETE"), ends[0] if ends else None)

    @property
    def terminated(self) -> int | None:
        """When it ended, where an event says so."""
        return self.final.at if self.final else None

    @cached_property
    def ended(self) -> int:
        return self.events[-1].at if self.terminated is None else self.terminated

    @property
    def last_event(self) -> EventRecord:
        return self.events[-1]

    @cached_property
    def endless(self) -> bool:
        """Whether no terminal event is expected: services and streams."""
        return self.traits.processing is not Processing.BATCH

    @cached_property
    def momentary(self) -> bool:
        """Whether each event is a derivation of its own."""
        return self.endless or any(event.snapshot for event in self.events)

    @cached_property
    def parent(self) -> ParentRef | None:
        """The last parent that an event names: later events often omit it."""
        return next((event.parent for event in reversed(self.events) if event.parent), None)

    @cached_property
    def serving(self) -> Serving | None:
        return next((event.serving for event in reversed(self.events) if event.serving), None)

    @cached_property
    def own_state(self) -> RunState:
        """The state that its own events tell; ENDED_WITH_PARENT needs the application."""
        ends = {event.type for event in self.events if event.terminal}
        if len(ends) > 1:
            return RunState.CONFLICTED
        return _STATE[next(iter(ends), None)]


def run_of(
    uuid: str, namespace: str, name: str, events: tuple[EventRecord, ...], traits: JobTraits, *, collides: bool
) -> Run:
    """The run of these events. Stores that hand out a record again as the same object get the same run again, with
    all that was worked out about it."""
    key = (uuid, namespace, name, traits, collides, *map(id, events))
    run = _RUNS.find(key)
    if run is None:
        run = Run(uuid, namespace, name, events, traits, collides)
        _RUNS.keep(key, run, 1)
    return run


_RUNS: Remembered[tuple[object, ...], Run] = Remembered(_REMEMBERED)  # a run keeps its events, and so their ids, alive


_STATE = {
    "COMPLETE": RunState.COMPLETED,
    "FAIL": RunState.FAILED,
    "ABORT": RunState.ABORTED,
    None: RunState.RUNNING,
}


def related(one: str, other: str) -> bool:
    """Whether two job names of one namespace may share a run: equal, or one dot-extends the other (Spark's)."""
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")


def root_names(names: Iterable[str]) -> dict[str, str]:
    """Each name's root: the shortest of the names that it equals or dot-extends."""
    by_length = sorted(set(names), key=lambda name: (len(name), name))
    return {name: next(root for root in by_length if name == root or name.startswith(root + ".")) for name in by_length}


def grouped(events: Sequence[EventRecord]) -> list[tuple[str, str, tuple[EventRecord, ...]]]:
    """The events of one UUID as (job namespace, root job name, ordered events), one for each unrelated job."""
    first = events[0]
    if all(e.job_name == first.job_name and e.job_namespace == first.job_namespace for e in events):
        return [(first.job_namespace, first.job_name, tuple(sorted(events, key=_order)))]
    names: dict[str, set[str]] = {}
    for event in events:
        names.setdefault(event.job_namespace, set()).add(event.job_name)
    roots = {namespace: root_names(found) for namespace, found in names.items()}
    groups: dict[tuple[str, str], list[EventRecord]] = {}
    for event in events:
        root = roots[event.job_namespace][event.job_name]
        groups.setdefault((event.job_namespace, root), []).append(event)
    return [(*key, tuple(sorted(group, key=_order))) for key, group in sorted(groups.items())]


def _order(event: EventRecord) -> tuple[int, str]:
    return (event.at, event.digest)


def own_traits(events: Iterable[EventRecord]) -> JobTraits | None:
    """What the last of these events that has a jobType facet says; None where none has."""
    told = [event for event in events if event.processing is not None or event.job_type is not None]
    if not told:
        return None
    last = max(told, key=_order)
    return JobTraits(last.processing or Processing.BATCH, last.job_type, last.window)
