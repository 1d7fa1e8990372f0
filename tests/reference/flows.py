"""Sections 5 and 6: what each read resolves to, and so which version flows into which."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog.model import Basis, GapKind
from tests.reference.answers import Resolution
from tests.reference.derivations import Derivation, Use
from tests.reference.runs import Run, Runs
from tests.reference.versions import Versions, Write

LONG = 10


@dataclass(frozen=True)
class Flow:
    """A node's data reached a run and, unless the run only read it, one of the run's versions."""

    source: str
    mention: str  # the dataset that the reader named
    run: Run | None  # None where a DatasetEvent renames
    output: Write | None
    basis: Basis
    gaps: frozenset[tuple[GapKind, str]]
    derivation: Derivation | None
    left_out: tuple[str, ...] = ()  # versions of a long read that are not told

    @property
    def target(self) -> str | None:
        return self.output.version if self.output else None


class Flows:
    def __init__(self, runs: Runs, versions: Versions, derivations: Sequence[Derivation]) -> None:
        self.runs = runs
        self.versions = versions
        self.derivations = derivations
        self.all = self._twinned([*self._declared(), *self._renames(), *self._only_read()])
        self.all += self._twinned(self._rollups())

    # -- section 6

    def resolve(
        self, dataset: str, start: int, end: int, run: str | None, version: str | None
    ) -> tuple[Resolution, tuple[str, ...]]:
        """The resolution, and the versions that a long one leaves out."""
        if version is not None:
            named = self.versions.named(dataset, version, start, run)
            return Resolution("REPORTED", (named,), 1, unknown=not self.versions.is_written(named)), ()
        found = self._candidates(dataset, start, end, run)
        partial = self._after_partial(dataset, start, run)
        if not found:
            return Resolution("EXTERNAL", (), 0, partial), ()
        told = found if len(found) <= LONG else [found[0], found[-1]]
        left_out = () if len(found) <= LONG else tuple(found[1:-1])
        how = "SINGLE" if len(found) == 1 else "AMBIGUOUS"
        return Resolution(how, tuple(told), len(found), partial), left_out

    def _candidates(self, dataset: str, start: int, end: int, run: str | None) -> list[str]:
        datasets = self.versions.component(dataset, start)
        own = self.versions.of_run(run) if run else set()
        current = self.versions.current(datasets, start, own, run)
        during = [
            write.version
            for write in self.versions.chain(datasets)
            if write.moment is not None and start < write.moment < end and write.version not in own
        ]
        return list(dict.fromkeys(([current.version] if current else []) + during))

    def _after_partial(self, dataset: str, start: int, run: str | None) -> bool:
        datasets = self.versions.component(dataset, start)
        own = self.versions.of_run(run) if run else set()
        dropped = self.versions.last_drop(datasets, start, run)
        before = [
            write
            for write in self.versions.chain(datasets)
            if write.version not in own
            and (write.key[0] < start or (write.moment is not None and write.moment <= start))
            and (dropped is None or write.key[0] > dropped)
        ]
        return bool(before) and before[-1].moment is None

    # -- flows of single derivations

    def _read(self, derivation: Derivation, use: Use, output: Write | None, basis: Basis) -> list[Flow]:
        dataset, version = use
        run = derivation.run
        name = run.id if run else ""
        found, left_out = self.resolve(dataset, derivation.start, derivation.end, name, version)
        gaps = set()
        if found.how == "AMBIGUOUS":
            gaps.add((GapKind.AMBIGUOUS, name))
        if found.how == "EXTERNAL":
            gaps.add((GapKind.EXTERNAL, dataset))
        if found.partial:
            gaps.add((GapKind.PARTIAL, name))
        if found.unknown:
            gaps.add((GapKind.UNKNOWN_PRODUCER, found.versions[0]))
        return [
            Flow(node, dataset, run, output, basis, frozenset(gaps), derivation, left_out)
            for node in found.versions or (dataset,)
        ]

    def _declared(self) -> list[Flow]:
        return [
            flow
            for write in self.versions.writes
            if write.derivation is not None
            for use, basis in write.derivation.pairs(write.dataset).items()
            for flow in self._read(write.derivation, use, write, basis)
        ]

    def _only_read(self) -> list[Flow]:
        """Inputs that flow into no output of their derivation."""
        return [
            flow
            for derivation in self.derivations
            for use in derivation.reads
            if not any(use in derivation.pairs(output) for output, _ in derivation.outputs)
            for flow in self._read(derivation, use, None, Basis.INFERRED)
        ]

    def _renames(self) -> list[Flow]:
        return [
            f for write in self.versions.writes if write.renamed_from for f in self._rename(write, write.renamed_from)
        ]

    def _rename(self, write: Write, old: str) -> list[Flow]:
        at = write.begin if write.derivation is None else write.derivation.end
        name = write.run.id if write.run else None
        found, _ = self.resolve(old, at, at, name, None)
        gaps = set() if found.versions else {(GapKind.EXTERNAL, old)}
        if found.partial and name:
            gaps.add((GapKind.PARTIAL, name))
        source = found.versions[0] if found.versions else old
        return [Flow(source, old, write.run, write, Basis.EXPLICIT, frozenset(gaps), write.derivation)]

    def _twinned(self, flows: list[Flow]) -> list[Flow]:
        """What flows into a version flows into its twins too, through the same run."""
        copies = [
            replace(flow, output=twin)
            for flow in flows
            if flow.output is not None
            for twin in self.versions.twins(flow.output)
        ]
        return [*flows, *copies]

    # -- section 5: roll-up

    def _rollups(self) -> list[Flow]:
        return [
            flow
            for write in self.versions.writes
            if write.derivation is not None
            and not write.renamed_from
            and self._declares_nothing(write.derivation, write.dataset)
            for flow in self._rollup(write)
        ]

    @staticmethod
    def _declares_nothing(derivation: Derivation, output: str) -> bool:
        silent = derivation.explicit(output) is None and not derivation.columns(output)
        return derivation.batch and not derivation.reads and silent

    def _rollup(self, output: Write) -> list[Flow]:
        assert output.run is not None
        application = self.runs.application(output.run)
        if application is None:
            return []
        return [
            self._rolled(flow, output)
            for derivation in self.derivations
            if derivation.run is not None
            and self.runs.application(derivation.run) is application
            and (derivation.run.start < output.run.end or derivation.run is output.run)
            for use in derivation.all_reads()
            for flow in self._read(derivation, use, None, Basis.ROLLUP)
            if self._stood_before(flow.source, output, application)
        ]

    def _rolled(self, flow: Flow, output: Write) -> Flow:
        gaps = flow.gaps | {(GapKind.ROLLED_UP, output.version)}
        return replace(flow, run=output.run, output=output, gaps=gaps)

    def _stood_before(self, node: str, output: Write, application: Run) -> bool:
        """Whether a version was there before an output and owes it nothing."""
        writes = [write for write in self.versions.writes if write.version == node]
        if not writes:
            return node != output.version
        own = any(
            write.dataset == output.dataset
            and write.run is not None
            and self.runs.application(write.run) is application
            for write in writes
        )
        earlier = min(write.stands for write in writes) < output.stands
        return earlier and not own and output.version not in self._ancestors(node)

    def _ancestors(self, version: str) -> set[str]:
        """All that declared flows (no roll-up) lead from into a version."""
        found: set[str] = set()
        frontier = {version}
        while frontier:
            above = {flow.source for flow in self.all if flow.target in frontier}
            frontier = above - found
            found |= above
        return found
