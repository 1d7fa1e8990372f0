"""JOB grain: datasets and jobs, over all runs of each job.

What a job does is kept as triples (input, job, output), so that x→A and y→B of one job never become x→B. Runs of equal
structure are read once: with ten thousand equal runs a job costs what one run costs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from catalog.graph.contract import FOREVER, EdgeKind, ShapeSummary
from catalog.graph.record import EventRecord, Shape
from catalog.identity import NodeKind, structure
from catalog.lineage.rungrain import RunGrain
from catalog.lineage.runs import JobTraits, Run
from catalog.lineage.trace import Known, Of
from catalog.lineage.versions import Versions
from catalog.lineage.view import GraphView
from catalog.lineage.walk import Expansion, Flowing
from catalog.model import STRENGTH, Basis

WRITES_ALONE = "WRITES_ALONE"  # role of a job with a parent that wrote without saying what it read
_UPSTREAM = "makers"  # under which what makes a dataset is kept
_RECENT = 3  # successful runs that must all omit an edge before it is stale
_STRIDE = 8


@dataclass(slots=True)
class Triple:
    """One flow through a job; an end is "" where a read or a write has no partner.

    `latest` is the last event of the run that ended last among those that contribute: (its time, run, position).
    """

    source: str
    target: str
    basis: Basis
    first: int
    last: int
    runs: int
    latest: tuple[int, str, int]

    def unite(self, other: "Triple", runs: int) -> None:
        """Take in what another run, or another derivation of this one, says of the same flow."""
        if STRENGTH[other.basis] < STRENGTH[self.basis]:
            self.basis = other.basis
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.runs += runs
        self.latest = max(self.latest, other.latest)


class _Through(NamedTuple):
    """One flow through a job, as the two edges that an answer shows of it."""

    job: str
    source: str
    target: str
    first: int
    last: int
    into: Flowing
    out: Flowing


class JobGrain:
    """Expands datasets, and as roots jobs."""

    def __init__(self, view: GraphView, versions: Versions, run_grain: RunGrain) -> None:
        self._view = view
        self._versions = versions
        self._runs = run_grain
        self._triples: dict[str, Known[list[Triple]]] = {}
        self._recent: dict[str, Known[list[set[tuple[str, str]]]]] = {}
        self._constant: dict[str, set[tuple[str, str]]] = {}  # what every single run of a job shows
        self._declarations: dict[str, list[EventRecord]] = {}
        self._arrivals: dict[str, dict[str, tuple[int, int]]] = {}  # dataset → job → interval in which it led there

    def begin(self) -> "JobGrain":
        """Forget where an earlier walk arrived; what was read of jobs is kept."""
        self._arrivals = {}
        return self

    # Triples ---------------------------------------------------------------------------------------------------

    def triples(self, job: str) -> list[Triple]:
        if job not in self._triples:
            self._fetch((job,))
        return self._view.trace.use(self._triples[job])

    def examples(self, job: str) -> list[Run]:
        """One run of each structure, the last of its kind; every run where the past is asked for. Latest first."""
        shapes = self._view.reader.shapes((job,))
        if shapes is None:
            edges = self._view.reader.incoming(EdgeKind.RUN_OF, (job,))[job]
            uuids = [edge.source for edge in edges]
        else:
            uuids = [_uuid(summary) for summary in shapes[job]]
        self._view.fetch_runs(uuids)
        runs = {run.id: run for uuid in uuids for run in self._view.runs(uuid) if run.job == job}
        return sorted(runs.values(), key=lambda run: (run.started, run.id), reverse=True)

    def _fetch(self, jobs: Iterable[str]) -> None:
        missing = [job for job in dict.fromkeys(jobs) if job not in self._triples]
        if not missing:
            return
        self._fetch_declarations(missing)
        shapes = self._view.reader.shapes(missing)
        if shapes is None:
            self._fetch_runs(missing)
            return
        self._view.fetch_runs(_uuid(s) for found in shapes.values() for s in found)
        for job in missing:
            self._view.trace.recall(self._triples, job, partial(self._unite_shapes, job, shapes[job]))

    def _unite_shapes(self, job: str, shapes: Sequence[ShapeSummary]) -> list[Triple]:
        self._view.trace.fact(Of.RUNS, job)
        united: dict[tuple[str, str], Triple] = {}
        for summary in shapes:
            example = next(run for run in self._view.runs(_uuid(summary)) if run.job == job)
            for triple in self._of_run(example):
                triple.first, triple.last, triple.runs = summary.first, summary.last, summary.runs
                _unite(united, triple, triple.runs)
        if len(shapes) == 1:
            self._constant[job] = set(united)
        return self._with_declared(job, united)

    def _fetch_runs(self, jobs: Sequence[str]) -> None:
        """The past has no summaries: every run that the cut sees is read."""
        edges = self._view.reader.incoming(EdgeKind.RUN_OF, jobs)
        uuids = {edge.source for found in edges.values() for edge in found}
        self._view.fetch_runs(uuids)
        united: dict[str, dict[tuple[str, str], Triple]] = {job: {} for job in jobs}
        for run in (run for uuid in sorted(uuids) for run in self._view.runs(uuid)):
            if run.job in united:
                for triple in self._of_run(run):
                    _unite(united[run.job], triple, triple.runs)
        self._view.trace.fleeting()
        for job in jobs:
            self._view.trace.recall(self._triples, job, partial(self._with_declared, job, united[job]))

    def _with_declared(self, job: str, united: dict[tuple[str, str], Triple]) -> list[Triple]:
        for triple in self._declared(job):
            _unite(united, triple, triple.runs)
        return list(united.values())

    def _of_run(self, run: Run) -> list[Triple]:
        found: dict[tuple[str, str], Triple] = {}
        for derivation in self._runs.derivations(run):
            for source, target, basis in derivation.triples():
                _unite(found, Triple(source, target, basis, run.started, run.last_event.at, 1, _latest(run)), 0)
            for write in derivation.undeclared:
                for read in self._runs.rolled_up(write):
                    triple = Triple(
                        read.dataset, write.dataset, Basis.ROLLUP, run.started, run.last_event.at, 1, _latest(run)
                    )
                    _unite(found, triple, 0)
        fed = {target for source, target in found if source}
        return [t for t in found.values() if t.source or t.target not in fed]

    def _fetch_declarations(self, jobs: Sequence[str]) -> None:
        edges = self._view.reader.incoming(EdgeKind.DECLARED, jobs)
        seqs = {job: {edge.seq for edge in found} for job, found in edges.items()}
        wanted = sorted(set().union(*seqs.values()))
        events = self._view.reader.events(wanted) if wanted else {}
        for job in jobs:
            found = (events[seq] for seq in seqs[job] if seq in events)
            self._declarations[job] = [event for event in found if event.shape is Shape.JOB]

    def _declared(self, job: str) -> list[Triple]:
        """The job's lineage as its last JobEvent declares it; it counts no run."""
        self._view.trace.fact(Of.DECLARED, job)
        events = self._declarations[job]
        if not events:
            return []
        run = _as_run(max(events, key=lambda event: event.order))
        return [
            Triple(t.source, t.target, t.basis, t.first, t.last, 0, t.latest)
            for t in self._of_run(run)
            if t.source or t.target
        ]

    def _is_stale(self, job: str, source: str, target: str) -> bool:
        if (source, target) in self._constant.get(job, ()):
            return False
        recent = self._view.trace.recall(self._recent, job, partial(self._find_recent, job))
        return len(recent) == _RECENT and not any((source, target) in pairs for pairs in recent)

    def _find_recent(self, job: str) -> list[set[tuple[str, str]]]:
        return [{(triple.source, triple.target) for triple in self._of_run(run)} for run in self._last_successes(job)]

    def _last_successes(self, job: str) -> list[Run]:
        """The job's last successful runs, by start."""
        self._view.trace.fact(Of.RUNS, job)
        found: list[Run] = []
        before, limit = FOREVER, _STRIDE
        while len(found) < _RECENT:
            edges = self._view.reader.latest(EdgeKind.RUN_OF, job, before=before, limit=limit)
            self._view.fetch_runs(edge.source for edge in edges)
            for edge in edges:
                found += [
                    run
                    for run in self._view.runs(edge.source)
                    if run.job == job and run.succeeded is not None and run not in found
                ]
            if len(edges) < limit:
                break
            before = edges[-1].at
        found.sort(key=lambda run: (run.started, run.id), reverse=True)
        return found[:_RECENT]

    # Steps -----------------------------------------------------------------------------------------------------

    def upstream(self, nodes: Sequence[str]) -> Expansion:
        return self._expand(nodes, up=True)

    def downstream(self, nodes: Sequence[str]) -> Expansion:
        return self._expand(nodes, up=False)

    def _expand(self, nodes: Sequence[str], *, up: bool) -> Expansion:
        grown = Expansion()
        datasets = [node for node in nodes if structure(node) is NodeKind.DATASET]
        datasets += self._aliased(grown, [each for each in datasets if each not in self._arrivals], up=up)
        roots = [node for node in nodes if structure(node) is NodeKind.JOB]
        for found in self._beside(datasets, roots, up=up):
            for through in found:
                self._add(grown, through, up=up)
        for job in roots:
            grown.passed.add(job)
            for triple in self.triples(job):
                if triple.source if up else triple.target:
                    self._add(grown, self._through(job, triple), up=up, arrived=False)
        self._aliased(grown, sorted(grown.reached), up=up)
        return grown

    def _beside(self, datasets: Sequence[str], roots: Sequence[str], *, up: bool) -> list[Sequence[_Through]]:
        """What each dataset is made by or, downstream, read by; what the roots do is fetched with it."""
        known: dict[str, Sequence[_Through]] = {}
        if up:
            found = {dataset: self._view.kept.find(_UPSTREAM, dataset) for dataset in datasets}
            known = {dataset: flows for dataset, flows in found.items() if flows is not None}
        missing = [dataset for dataset in datasets if dataset not in known]
        jobs = self._neighbours(missing, up=up) if missing else {}
        self._fetch([*roots, *(job for found in jobs.values() for job in found)])
        for dataset in missing:
            held = self._view.trace.of(partial(self._find_beside, dataset, jobs[dataset], up=up))
            known[dataset] = held[0]
            if up:
                self._view.kept.keep(_UPSTREAM, dataset, held)
        return [known[dataset] for dataset in datasets]

    def _find_beside(self, dataset: str, jobs: Iterable[str], *, up: bool) -> tuple[_Through, ...]:
        self._view.trace.fact(Of.MAKERS, dataset)
        return tuple(
            self._through(job, triple)
            for job in jobs
            for triple in self.triples(job)
            if (triple.target if up else triple.source) == dataset
        )

    def _through(self, job: str, triple: Triple) -> _Through:
        counted = triple.runs if self._view.reader.cut.is_open else None
        stale = self._is_stale(job, triple.source, triple.target)
        entries = (triple.latest[-1],)
        into = Flowing(triple.basis, triple.first, triple.last, counted, stale, entries)
        out = Flowing(Basis.EXPLICIT, triple.first, triple.last, counted, stale, entries)
        return _Through(job, triple.source, triple.target, triple.first, triple.last, into, out)

    def _neighbours(self, datasets: Sequence[str], *, up: bool) -> dict[str, list[str]]:
        kinds = (EdgeKind.PRODUCES,) if up else (EdgeKind.CONSUMES, EdgeKind.NAMES)
        found: dict[str, set[str]] = {dataset: set() for dataset in datasets}
        for kind in kinds:
            for dataset, edges in self._view.reader.incoming(kind, datasets).items():
                found[dataset] |= {edge.source for edge in edges}
        if not up:
            for jobs in found.values():
                jobs |= self._rolling_up(jobs)
        return {dataset: sorted(jobs) for dataset, jobs in found.items()}

    def _rolling_up(self, readers: set[str]) -> set[str]:
        """Jobs that write without inputs beside these readers, under a parent that they share."""
        reader = self._view.reader
        parents, frontier = set(readers), set(readers)
        while frontier:
            edges = reader.outgoing(EdgeKind.PART_OF, frontier)
            frontier = {edge.target for found in edges.values() for edge in found} - parents
            parents |= frontier
        below, frontier = set(parents), parents
        while frontier:
            edges = reader.incoming(EdgeKind.PART_OF, frontier)
            frontier = {edge.source for found in edges.values() for edge in found} - below
            below |= frontier
        roles = reader.outgoing(EdgeKind.HAS_ROLE, below)
        return {job for job, edges in roles.items() if any(edge.target == WRITES_ALONE for edge in edges)}

    def _add(self, grown: Expansion, through: _Through, *, up: bool, arrived: bool = True) -> None:
        job, source, target, earliest, latest, into, out = through
        grown.passed.add(job)
        if source:
            grown.edge(source, job, into)
        if target and (arrived or not up):
            grown.edge(job, target, out)
        onward = source if up else target
        if onward:
            grown.reached.add(onward)
            by_job = self._arrivals.setdefault(onward, {})
            first, last = by_job.get(job, (earliest, latest))
            by_job[job] = (min(first, earliest), max(last, latest))

    # Aliases ---------------------------------------------------------------------------------------------------

    def _aliased(self, grown: Expansion, datasets: Sequence[str], *, up: bool) -> list[str]:
        """The aliases, and theirs, whose interval meets that of the edges which led here: no hop of their own."""
        here = {"": (self._view.now, self._view.now)}
        todo = [(each, interval) for each in datasets for interval in self._arrivals.get(each, here).values()]
        seen = set(todo)
        found: dict[str, None] = {}
        self._versions.aliases.fetch(datasets)
        while todo:
            dataset, interval = todo.pop()
            for other in self._aliases_of(dataset, *interval):
                grown.edge(*((other, dataset) if up else (dataset, other)), Flowing(Basis.EXPLICIT, *interval))
                grown.reached.add(other)
                self._arrivals.setdefault(other, {}).setdefault(f"alias {interval}", interval)
                if (other, interval) not in seen:
                    seen.add((other, interval))
                    todo.append((other, interval))
                    found[other] = None
        return [other for other in found if other not in datasets]

    def _aliases_of(self, dataset: str, first: int, last: int) -> list[str]:
        found = set()
        for edge in self._versions.aliases.edges(dataset):
            instants = {first, last} | ({edge.at} if first <= edge.at <= last else set())
            if edge.source != edge.target and any(
                edge.target in self._versions.aliases.at((edge.source,), instant).get(edge.source, ())
                for instant in instants
            ):
                found.add(edge.target if edge.source == dataset else edge.source)
        return sorted(found)


def _uuid(summary: ShapeSummary) -> str:
    return summary.example.partition("#")[0]


def _latest(run: Run) -> tuple[int, str, int]:
    return run.last_event.at, run.uuid, run.last_event.seq


def _unite(found: dict[tuple[str, str], Triple], triple: Triple, runs: int) -> None:
    """Add a triple; `runs` is how many runs it adds to one that is already there."""
    held = found.setdefault((triple.source, triple.target), triple)
    if held is not triple:
        held.unite(triple, runs)


def _as_run(event: EventRecord) -> Run:
    """A JobEvent read as if it were one run: what the job says that it does. It changes no dataset's life."""
    outputs = tuple(replace(use, change=None, renamed_from=None) for use in event.outputs)
    declared = replace(event, outputs=outputs)
    return Run("", event.job_namespace, event.job_name, (declared,), JobTraits(), False)
