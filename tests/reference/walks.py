"""Section 7, RUN grain: walks over versions and runs."""

from collections.abc import Iterable

from catalog.identity import NodeKind, structure
from catalog.model import Basis, Direction
from tests.reference.answers import Answer
from tests.reference.flows import Flow, Flows
from tests.reference.jobs import Jobs
from tests.reference.runs import Run, Runs
from tests.reference.trace import Trace
from tests.reference.versions import Versions, Write

EVER = 1 << 62


class Walks:
    def __init__(self, runs: Runs, versions: Versions, flows: Flows, jobs: Jobs) -> None:
        self.runs = runs
        self.versions = versions
        self.flows = flows
        self.jobs = jobs

    def walk(self, root: str, direction: Direction, depth: int, history: bool) -> Answer:
        start = self._stand_for(root)
        trace = Trace(start)
        if direction is not Direction.DOWNSTREAM:
            self._upstream(start, root, depth, history, trace)
        if direction is not Direction.UPSTREAM:
            self._downstream(start, root, depth, history, trace)
        for node in list(trace.nodes):
            met = self.runs.by_id(node)
            trace.gaps |= self.runs.gaps(met) if met else set()
        return trace.answer()

    # -- roots

    def _stand_for(self, root: str) -> str:
        kind = structure(root)
        if kind is NodeKind.DATASET:
            return self._version_of(root) or root
        if kind is NodeKind.JOB:
            latest = self._latest(root)
            return latest.id if latest else root
        return root

    def _version_of(self, dataset: str) -> str | None:
        """The current version, else the latest written, else the latest declared one."""
        datasets = self.versions.component(dataset, EVER)
        current = self.versions.current(datasets, EVER, set())
        if current is not None:
            return current.version
        written = [write for write in self.versions.writes if write.dataset in datasets]
        if written:
            return max(written, key=lambda write: write.key).version
        declared = self._declared(datasets)
        return declared[-1] if declared else None

    def _declared(self, datasets: set[str]) -> list[str]:
        subjects = [(event.subject, event.at) for event in self.versions.records if event.subject is not None]
        return [
            self.versions.named(use.dataset, use.version, at)
            for use, at in subjects
            if use.dataset in datasets and use.version is not None
        ]

    def _latest(self, job: str) -> Run | None:
        runs = [run for run in self.runs.all if run.job == job]
        return max(runs, key=lambda run: (run.start, run.id)) if runs else None

    def _root_flows(self, run: Run, root: str) -> tuple[list[Flow], list[Write]]:
        """What goes through a run and its descendants; through a service asked for as a job, by its last event."""
        mine = [derivation for derivation in self.flows.derivations if derivation.run is run]
        if structure(root) is NodeKind.JOB and self.runs.is_live(run):
            last = mine[-1:]
            flows = [flow for flow in self.flows.all if flow.run is run and flow.derivation in last]
            return flows, [write for write in self.versions.writes if write.derivation in last]
        family = self.runs.family(run)
        flows = [flow for flow in self.flows.all if flow.run in family]
        return flows, [write for write in self.versions.writes if write.run in family]

    # -- upstream

    def _upstream(self, start: str, root: str, depth: int, history: bool, trace: Trace) -> None:
        if depth <= 0:
            return
        run = self.runs.by_id(start)
        if run is None:
            self._rise({start}, depth, history, trace)
        else:
            flows, _ = self._root_flows(run, root)
            self._into_runs(flows, depth - 1, history, trace)
            self._rise({flow.source for flow in flows}, depth - 1, history, trace)

    def _rise(self, frontier: set[str], depth: int, history: bool, trace: Trace) -> None:
        seen: set[str] = set()
        for left in range(depth, 0, -1):
            seen |= frontier
            for version in frontier:
                self._producers(version, trace)
                if history:
                    self._join_continued(version, left, trace)
            flows = [flow for flow in self.flows.all if flow.target in frontier]
            self._into_runs(flows, left - 1, history, trace)
            frontier = {flow.source for flow in flows} - seen

    def _producers(self, version: str, trace: Trace) -> None:
        for write in self.versions.writes:
            if write.version == version:
                for one in [write, *self.versions.twins(write)]:
                    if one.run is not None:
                        trace.edge(one.run.id, version, Basis.EXPLICIT)

    def _into_runs(self, flows: Iterable[Flow], left: int, history: bool, trace: Trace) -> None:
        for flow in flows:
            trace.gaps |= flow.gaps
            if flow.run is not None:
                trace.edge(flow.source, flow.run.id, flow.basis)
            elif flow.target is not None:
                trace.edge(flow.source, flow.target, flow.basis)
            if history:
                self._join_left_out(flow, left, trace)

    # -- downstream

    def _downstream(self, start: str, root: str, depth: int, history: bool, trace: Trace) -> None:
        if depth <= 0:
            return
        run = self.runs.by_id(start)
        if run is None:
            self._fall({start}, depth, history, trace)
        else:
            _, writes = self._root_flows(run, root)
            outputs = [(write, one) for write in writes for one in [write, *self.versions.twins(write)]]
            for write, one in outputs:
                if write.run is not None:
                    trace.edge(write.run.id, one.version, Basis.EXPLICIT)
            self._fall({one.version for _, one in outputs}, depth - 1, history, trace)

    def _fall(self, frontier: set[str], depth: int, history: bool, trace: Trace) -> None:
        seen: set[str] = set()
        for left in range(depth, 0, -1):
            frontier = self._with_heirs(frontier, trace) if history else frontier
            seen |= frontier
            flows = [flow for flow in self.flows.all if flow.source in frontier]
            self._into_runs(flows, 0, False, trace)
            for flow in flows:
                if flow.run is not None and flow.target is not None:
                    trace.edge(flow.run.id, flow.target, Basis.EXPLICIT)
            if history:
                self._join_readers(frontier, left, trace)
            frontier = {flow.target for flow in flows if flow.target is not None} - seen

    # -- history

    def _join_continued(self, version: str, left: int, trace: Trace) -> None:
        for write in self.versions.writes:
            if write.version == version:
                runs = {one.run.id for one in self.versions.continued(write) if one.run is not None}
                self.jobs.join(write.dataset, runs, left, trace, up=True)

    def _join_left_out(self, flow: Flow, left: int, trace: Trace) -> None:
        for write in self.versions.writes:
            if write.version in flow.left_out and write.run is not None:
                self.jobs.join(write.dataset, {write.run.id}, left, trace, up=True)

    def _join_readers(self, frontier: set[str], left: int, trace: Trace) -> None:
        for flow in self.flows.all:
            if frontier & set(flow.left_out) and flow.run is not None:
                self.jobs.join(flow.mention, {flow.run.id}, left, trace, up=False)

    def _with_heirs(self, frontier: set[str], trace: Trace) -> set[str]:
        """The versions and the later ones that still hold their rows."""
        heirs = {
            write.version
            for write in self.versions.writes
            if any(earlier.version in frontier for earlier in self.versions.continued(write))
        }
        trace.nodes |= heirs
        return frontier | heirs
