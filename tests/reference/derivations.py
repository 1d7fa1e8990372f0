"""Section 3: which reads flow into which outputs, before anything is resolved."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.graph.record import Change, DatasetUse, EventRecord, Shape
from catalog.model import Basis
from tests.reference.runs import Run, Runs

Use = tuple[str, str | None]  # dataset, reported version


@dataclass(frozen=True, eq=False)
class Derivation:
    """A run's (or a JobEvent's) inputs and outputs at one interval; a DROP is no output."""

    run: Run | None
    job: str
    events: tuple[EventRecord, ...]
    reads: frozenset[Use]
    outputs: frozenset[Use]
    changes: dict[str, DatasetUse]  # dataset → the use that states its change
    start: int
    end: int
    batch: bool

    def pairs(self, output: str) -> dict[Use, Basis]:
        """What flows into an output dataset, and why."""
        explicit = self.explicit(output)
        if explicit is not None:
            return {use: Basis.EXPLICIT for dataset in explicit for use in self._as_read(dataset)}
        columns = self.columns(output)
        named = {use: Basis.COLUMN for dataset in columns for use in self._as_read(dataset)}
        return dict.fromkeys(self.reads, Basis.INFERRED) | named

    def explicit(self, output: str) -> frozenset[str] | None:
        entries = [use.sources for use in self._mentions(output) if use.sources is not None]
        if not entries:
            return None
        return frozenset(source.dataset for entry in entries for source in entry if source.dataset is not None)

    def columns(self, output: str) -> frozenset[str]:
        stated = [use.columns for use in self._mentions(output) if use.columns]
        return frozenset(stated[-1]) if stated else frozenset()

    def all_reads(self) -> set[Use]:
        return set(self.reads).union(*(self.pairs(dataset) for dataset, _ in self.outputs))

    def _mentions(self, output: str) -> list[DatasetUse]:
        return [use for event in self.events for use in event.outputs if use.dataset == output]

    def _as_read(self, dataset: str) -> set[Use]:
        return {use for use in self.reads if use[0] == dataset} or {(dataset, None)}


def derivations_of(run: Run, runs: Runs) -> list[Derivation]:
    if not runs.by_event(run):
        reads = [use for event in run.events for use in event.inputs]
        return [_derivation(run, run.events, reads, run.events, batch=True)]
    live = runs.is_live(run)
    found = []
    carried: Sequence[DatasetUse] = ()
    for event in run.events:
        keeps = live and not event.inputs and not event.snapshot
        carried = carried if keeps else event.inputs
        if event.inputs or event.outputs:
            deciding = (event,) if live else run.events
            found.append(_derivation(run, (event,), carried, deciding, batch=not live))
    return found


def _derivation(
    run: Run,
    events: tuple[EventRecord, ...],
    reads: Sequence[DatasetUse],
    deciding: tuple[EventRecord, ...],
    *,
    batch: bool,
) -> Derivation:
    changes = {use.dataset: use for event in deciding for use in event.outputs if use.change is not None}
    outputs = _uses(use for event in events for use in event.outputs)
    written = frozenset(use for use in outputs if not drops(changes, use[0]))
    start, end = (run.start, run.end) if batch else (events[0].at, events[0].at)
    return Derivation(run, run.job, events, _uses(reads), written, changes, start, end, batch)


def declared(records: Sequence[EventRecord]) -> list[Derivation]:
    """What the last JobEvent of each job says, as a derivation without a run."""
    last = {event.job: event for event in sorted(records, key=lambda event: event.order) if event.shape is Shape.JOB}
    return [
        Derivation(None, job, (event,), _uses(event.inputs), _uses(event.outputs), {}, event.at, event.at, True)
        for job, event in last.items()
        if job is not None
    ]


def drops(changes: dict[str, DatasetUse], dataset: str) -> bool:
    return dataset in changes and changes[dataset].change is Change.DROP


def _uses(mentions: Iterable[DatasetUse]) -> frozenset[Use]:
    uses = {(use.dataset, use.version) for use in mentions}
    versioned = {dataset for dataset, version in uses if version is not None}
    return frozenset(use for use in uses if use[1] is not None or use[0] not in versioned)
