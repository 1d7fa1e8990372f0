"""What one run read and wrote, and which read flowed into which write: a pure reading of its events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from catalog.graph.record import Change, DatasetUse, EventRecord, Source
from catalog.identity import moment_version_id, named_version_id, run_version_id
from catalog.instant import text
from catalog.lineage.runs import Run
from catalog.model import Basis


@dataclass(frozen=True, slots=True)
class Read:
    """A dataset read by a run between two instants, in the version that it says, if any."""

    run: Run
    dataset: str
    version: str | None
    start: int
    end: int
    entries: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[str, str | None, int]:
        return (self.dataset, self.version, self.start)


@dataclass(frozen=True, slots=True)
class Write:
    """A version as its run makes it, named within its dataset but for the incarnation (`base`).

    `current` is when it came into force, None while it has not; `moment` its place in the chain, None while its run
    is in progress. A DROP is a write that makes no version.
    """

    run: Run | None
    dataset: str
    base: str
    label: str
    began: int
    current: int | None
    moment: int | None
    change: Change | None
    reported: bool
    renamed_from: str | None = None
    drops: bool = False
    entries: tuple[int, ...] = ()
    digest: str = ""  # of the event that gave it its moment

    @property
    def partial(self) -> bool:
        return self.current is None and self.moment is not None

    @property
    def placed(self) -> int:
        """The instant that decides its incarnation."""
        return self.began if self.current is None else self.current


@dataclass(frozen=True, slots=True)
class Flow:
    read: Read
    write: Write
    basis: Basis


@dataclass(frozen=True)
class Derivation:
    """Reads, writes and the flows between them. `undeclared` are the writes that a roll-up has to explain."""

    run: Run
    at: int
    reads: tuple[Read, ...]
    writes: tuple[Write, ...]
    flows: tuple[Flow, ...]
    undeclared: tuple[Write, ...]
    explicit: frozenset[str] = frozenset()  # datasets written with an explicit entry

    @cached_property
    def unused(self) -> tuple[Read, ...]:
        """Reads that flow into no write: the run has them all the same."""
        used = {flow.read.key for flow in self.flows}
        return tuple(read for read in self.reads if read.key not in used)

    def triples(self) -> Iterable[tuple[str, str, Basis]]:
        """(input dataset, output dataset, basis), with an empty end for a read or a write without partner."""
        fed = set()
        for flow in self.flows:
            fed.add(flow.write.dataset)
            yield flow.read.dataset, flow.write.dataset, flow.basis
        for read in self.unused:
            yield read.dataset, "", Basis.INFERRED
        for write in self.writes:
            if not write.drops and write.dataset not in fed:
                yield "", write.dataset, Basis.EXPLICIT


def derivations(run: Run) -> list[Derivation]:
    """One for a batch run, one for each event with inputs or outputs of a service, a stream or a snapshot run.

    Worked out once for each `Run`; not to be changed.
    """
    found: list[Derivation] | None = run.memo.get(_MEMO)
    if found is None:
        found = run.memo[_MEMO] = _derivations(run)
    return found


_MEMO = "derivations"


def _derivations(run: Run) -> list[Derivation]:
    if not run.momentary:
        return [_derivation(run, run.events, run.events, run.started, run.ended)]
    found: list[Derivation] = []
    kept: tuple[EventRecord, ...] = ()
    for event in run.events:
        if event.inputs or event.snapshot or not run.endless:
            kept = (event,)
        if not event.inputs and not event.outputs:
            continue
        start, end = (event.at, event.at) if run.endless else (run.started, run.ended)
        found.append(_derivation(run, kept, (event,), start, end))
    return found


def _derivation(
    run: Run, readers: Sequence[EventRecord], writers: Sequence[EventRecord], start: int, end: int
) -> Derivation:
    reads = _reads(run, readers, start, end)
    writes = writes_of(run, writers)
    made = [write for write in writes if not write.drops]
    explicit = _explicit(writers)
    columns = _columns(writers)
    flows: list[Flow] = []
    undeclared: list[Write] = []
    extra: dict[tuple[str, str | None, int], Read] = {}
    for write in made:
        sources = explicit.get(write.dataset)
        pairs = (
            _product(run, reads, columns.get(write.dataset, ()), start, end)
            if sources is None
            else _stated(run, reads, sources, start, end)
        )
        if write.renamed_from is not None:
            flows.append(Flow(Read(run, write.renamed_from, None, end, end), write, Basis.EXPLICIT))
        flows += [Flow(read, write, basis) for read, basis in pairs]
        extra.update((read.key, read) for read, _ in pairs)
        renamed = write.renamed_from is not None
        if sources is None and not pairs and not renamed and not run.momentary:
            undeclared.append(write)
    merged = {read.key: read for read in reads} | extra
    return Derivation(
        run, start, tuple(merged.values()), tuple(writes), tuple(flows), tuple(undeclared), frozenset(explicit)
    )


def _reads(run: Run, events: Iterable[EventRecord], start: int, end: int) -> list[Read]:
    """The union over the events; a reported version hides the unversioned mention of its dataset."""
    entries: dict[tuple[str, str | None], list[int]] = {}
    for event in events:
        for use in event.inputs:
            entries.setdefault((use.dataset, use.version), []).append(event.seq)
    versioned = {dataset for dataset, version in entries if version is not None}
    return [
        Read(run, dataset, version, start, end, tuple(sorted(seqs)))
        for (dataset, version), seqs in entries.items()
        if version is not None or dataset not in versioned
    ]


def _product(run: Run, reads: Sequence[Read], columns: Iterable[str], start: int, end: int) -> list[tuple[Read, Basis]]:
    named = set(columns)
    pairs = [(read, Basis.COLUMN if read.dataset in named else Basis.INFERRED) for read in reads]
    missing = named - {read.dataset for read in reads}
    return pairs + [(Read(run, dataset, None, start, end), Basis.COLUMN) for dataset in sorted(missing)]


def _stated(
    run: Run, reads: Sequence[Read], sources: Iterable[Source], start: int, end: int
) -> list[tuple[Read, Basis]]:
    pairs: dict[tuple[str, str | None, int], tuple[Read, Basis]] = {}
    for source in sources:
        if source.dataset is None:
            continue
        known = [read for read in reads if read.dataset == source.dataset]
        for read in known or [Read(run, source.dataset, None, start, end)]:
            pairs[read.key] = (read, Basis.EXPLICIT)
    return list(pairs.values())


def _explicit(events: Iterable[EventRecord]) -> dict[str, list[Source]]:
    """Explicit entries by output dataset, accumulated over the events (spec: accumulate over a run)."""
    found: dict[str, list[Source]] = {}
    for event in events:
        for use in event.outputs:
            if use.sources is not None:
                found.setdefault(use.dataset, []).extend(use.sources)
    return found


def _columns(events: Iterable[EventRecord]) -> dict[str, tuple[str, ...]]:
    """Datasets that the last columnLineage facet of each output names: a facet is replaced whole."""
    found: dict[str, tuple[str, ...]] = {}
    for event in events:
        for use in event.outputs:
            if use.columns or use.column_lineage is not None:
                found[use.dataset] = use.columns
    return found


def writes_of(run: Run, events: Sequence[EventRecord]) -> list[Write]:
    """The versions that these events of the run make, and the drops."""
    uses = _mentions(events)
    changes = _changes(events if run.endless else run.events)
    versioned = {dataset for dataset, version in uses if version is not None}
    writes: list[Write] = []
    for (dataset, version), mentions in uses.items():
        if version is None and dataset in versioned:
            continue
        writes += _write(run, dataset, version, mentions, changes.get(dataset))
    return writes


Mentions = dict[tuple[str, str | None], list[tuple[EventRecord, DatasetUse]]]


def _mentions(events: Iterable[EventRecord]) -> Mentions:
    """Outputs by (dataset, reported version), each with the events that mention it."""
    uses: Mentions = {}
    for event in events:
        for use in event.outputs:
            uses.setdefault((use.dataset, use.version), []).append((event, use))
    return uses


def _changes(events: Iterable[EventRecord]) -> dict[str, DatasetUse]:
    """For each dataset the last use that states a lifecycle change."""
    return {use.dataset: use for event in events for use in event.outputs if use.change is not None}


def _write(
    run: Run,
    dataset: str,
    version: str | None,
    mentions: Sequence[tuple[EventRecord, DatasetUse]],
    changed: DatasetUse | None,
) -> list[Write]:
    change = changed.change if changed else None
    if run.endless:
        event = mentions[0][0]
        began = current = moment = event.at
        digest = event.digest
        unnamed = moment_version_id(dataset, run.uuid, event.at), f"{run.uuid}@{text(event.at)}"
    else:
        began, current = run.started, run.succeeded  # type: ignore[assignment]
        moment = run.terminated  # type: ignore[assignment]
        digest = run.final.digest if run.final else ""
        unnamed = run_version_id(dataset, run.uuid), run.uuid
    base, label = unnamed if version is None else (named_version_id(dataset, version), version)
    write = Write(
        run,
        dataset,
        base,
        label,
        began,
        current,
        moment,
        change,
        version is not None,
        changed.renamed_from if changed and change is Change.RENAME else None,
        change is Change.DROP,
        tuple(sorted(event.seq for event, _ in mentions)),
        digest,
    )
    if write.renamed_from is None:
        return [write]
    ended = replace(write, dataset=write.renamed_from, base="", label="", drops=True, renamed_from=None)
    return [write, ended]


def declared(event: EventRecord) -> list[Write]:
    """What a DatasetEvent's lifecycle change does, at its own time and without a run."""
    use = event.subject
    if use is None or use.change in (None, Change.ALTER):
        return []
    version = use.version
    base, label = (
        (moment_version_id(use.dataset, "", event.at), text(event.at))
        if version is None
        else (named_version_id(use.dataset, version), version)
    )
    renamed = use.renamed_from if use.change is Change.RENAME else None
    write = Write(
        None, use.dataset, base, label, event.at, event.at, event.at, use.change,
        version is not None, renamed, use.change is Change.DROP, (event.seq,), event.digest,
    )  # fmt: skip
    if renamed is None:
        return [write]
    return [write, replace(write, dataset=renamed, base="", label="", drops=True, renamed_from=None)]
