"""Section 7, JOB grain: triples over all runs of a job, and walks over datasets and jobs."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.identity import NodeKind, structure
from catalog.model import Basis, Direction
from tests.reference.answers import JobEdge
from tests.reference.derivations import Derivation
from tests.reference.flows import Flows
from tests.reference.runs import Run, Runs
from tests.reference.trace import Trace, strongest
from tests.reference.versions import Versions

Place = tuple[str, tuple[int, int] | None]  # dataset, interval of the edge it was reached by


@dataclass(frozen=True)
class Triple:
    """One run (or JobEvent) says that a job takes an input to an output; either may be missing."""

    source: str | None
    job: str
    target: str | None
    basis: Basis
    run: Run | None
    first: int
    last: int

    @property
    def key(self) -> tuple[str | None, str, str | None]:
        return (self.source, self.job, self.target)


class Jobs:
    def __init__(
        self, runs: Runs, versions: Versions, flows: Flows, declared: Sequence[Derivation], *, counted: bool
    ) -> None:
        self.runs = runs
        self.aliases = versions.aliases()
        self.counted = counted
        self.triples = [*_of_flows(flows), *_of_writes(versions), *_of_job_events(declared)]

    # -- single edges

    def edge(self, source: str, target: str) -> JobEdge | None:
        found = [t for t in self.triples if (source, target) in ((t.source, t.job), (t.job, t.target))]
        if not found:
            return None
        outgoing = any(t.target == target for t in found)
        by = {t.run.id for t in found if t.run is not None}
        return JobEdge(
            basis=Basis.EXPLICIT if outgoing else strongest(t.basis for t in found),
            first_seen=min(t.first for t in found),
            last_seen=max(t.last for t in found),
            runs=len(by) if self.counted else None,
            stale=self._stale(found[0].job, by),
            by=frozenset(by),
        )

    def _stale(self, job: str, by: set[str]) -> bool:
        successful = sorted(
            (run.success.at, run.id) for run in self.runs.all if run.job == job and run.success is not None
        )
        recent = {run for _, run in successful[-3:]}
        return len(recent) == 3 and not recent & by

    # -- walks

    def walk(self, root: str, direction: Direction, depth: int) -> Trace:
        trace = Trace(root)
        if direction is not Direction.DOWNSTREAM:
            self._walk(root, depth, trace, self.triples, up=True)
        if direction is not Direction.UPSTREAM:
            self._walk(root, depth, trace, self.triples, up=False)
        return trace

    def join(self, dataset: str, runs: set[str], depth: int, trace: Trace, *, up: bool) -> None:
        """Walk from a dataset, the first hop through certain runs only."""
        if depth > 0:
            first = [t for t in self.triples if t.run is not None and t.run.id in runs]
            reached = self._hop({(dataset, None)}, trace, first, up=up)
            self._go_on(reached, depth - 1, trace, up=up)

    def _walk(self, root: str, depth: int, trace: Trace, triples: list[Triple], *, up: bool) -> None:
        if depth <= 0:
            return
        if structure(root) is NodeKind.JOB:
            mine = [t for t in triples if t.job == root]
            self._go_on(self._take(mine, trace, up=up, root_job=True), depth - 1, trace, up=up)
        else:
            self._go_on({(root, None)}, depth, trace, up=up)

    def _go_on(self, reached: set[Place], depth: int, trace: Trace, *, up: bool) -> None:
        seen: set[Place] = set()
        frontier = self._with_aliases(reached, trace, up=up)
        for _ in range(depth):
            seen |= frontier
            frontier = self._with_aliases(self._hop(frontier, trace, self.triples, up=up), trace, up=up) - seen

    def _hop(self, frontier: set[Place], trace: Trace, triples: list[Triple], *, up: bool) -> set[Place]:
        datasets = {dataset for dataset, _ in frontier}
        arrived = [t for t in triples if (t.target if up else t.source) in datasets]
        return self._take(arrived, trace, up=up)

    def _take(self, triples: list[Triple], trace: Trace, *, up: bool, root_job: bool = False) -> set[Place]:
        """Put triples into the answer and say which datasets they lead to."""
        for triple in triples:
            if triple.source is not None and (up or not root_job):
                trace.edge(triple.source, triple.job, triple.basis)
            if triple.target is not None and not (up and root_job):
                trace.edge(triple.job, triple.target, Basis.EXPLICIT)
        far = [(t.source if up else t.target, t.job) for t in triples]
        return {(dataset, self._interval(dataset, job, triples, up=up)) for dataset, job in far if dataset is not None}

    @staticmethod
    def _interval(dataset: str, job: str, triples: list[Triple], *, up: bool) -> tuple[int, int]:
        same = [t for t in triples if t.job == job and (t.source if up else t.target) == dataset]
        return (min(t.first for t in same), max(t.last for t in same))

    def _with_aliases(self, places: set[Place], trace: Trace, *, up: bool) -> set[Place]:
        reached = set(places)
        todo = list(places)
        for dataset, interval in todo:
            for alias in self._aliases_of(dataset, interval):
                source, target = (alias, dataset) if up else (dataset, alias)
                trace.edge(source, target, Basis.EXPLICIT)
                if (alias, interval) not in reached:
                    reached.add((alias, interval))
                    todo.append((alias, interval))
        return reached

    def _aliases_of(self, dataset: str, interval: tuple[int, int] | None) -> set[str]:
        """Datasets whose alias meets an interval; at a root, those that hold at the cut."""
        found = set()
        for one, two, since, until in self.aliases:
            meets = until is None if interval is None else _meets(since, until, *interval)
            if meets and dataset in (one, two) and one != two:
                found.add(two if dataset == one else one)
        return found


def _meets(since: int, until: int | None, first: int, last: int) -> bool:
    return since <= last and (until is None or until > first)


def _of_flows(flows: Flows) -> list[Triple]:
    return [
        Triple(
            flow.mention,
            flow.run.job,
            flow.output.dataset if flow.output else None,
            flow.basis,
            flow.run,
            flow.run.start,
            flow.run.last,
        )
        for flow in flows.all
        if flow.run is not None
    ]


def _of_writes(versions: Versions) -> list[Triple]:
    return [
        Triple(None, write.run.job, write.dataset, Basis.EXPLICIT, write.run, write.run.start, write.run.last)
        for write in versions.writes
        if write.run is not None
    ]


def _of_job_events(declared: Sequence[Derivation]) -> list[Triple]:
    triples = []
    for derivation in declared:
        at = derivation.start
        flowing: set[str] = set()
        for output, _ in derivation.outputs:
            triples.append(Triple(None, derivation.job, output, Basis.EXPLICIT, None, at, at))
            for (source, _), basis in derivation.pairs(output).items():
                flowing.add(source)
                triples.append(Triple(source, derivation.job, output, basis, None, at, at))
        idle = {source for source, _ in derivation.reads} - flowing
        triples += [Triple(source, derivation.job, None, Basis.INFERRED, None, at, at) for source in idle]
    return triples
