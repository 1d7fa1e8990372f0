"""RUN grain: versions and runs. A version leads to the runs that made it, by the derivations that made *it*."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from catalog.graph.contract import FOREVER, EdgeKind
from catalog.identity import NodeKind, base_version, structure
from catalog.lineage.continuation import Continuation
from catalog.lineage.derivations import Derivation, Flow, Read, Write
from catalog.lineage.resolution import How, Resolution, Resolutions
from catalog.lineage.runs import Run
from catalog.lineage.trace import Known, Seen
from catalog.lineage.versions import Versions
from catalog.lineage.view import GraphView
from catalog.lineage.walk import Expansion, Flowing
from catalog.model import Basis, Gap, GapKind, RunState

_EXTERNAL = "read, but no version of it was ever written here"
_UNPRODUCED = "no event says which run wrote this version"
_ROLLED_UP = "inputs are those of its application, not declared"
_UPSTREAM = "upstream"  # under which a version's explanation is kept
ABANDONED = 24 * 3600 * 1_000_000  # µs without an event after which a batch run is not waited for


class _Explained(NamedTuple):
    """What leads to one version, one hop up. `left_out`: runs with datasets of which they read more than is shown."""

    edges: tuple[tuple[tuple[str, str], Flowing], ...]
    gaps: frozenset[Gap]
    passed: frozenset[str]
    reached: frozenset[str]
    left_out: tuple[tuple[str, str], ...]


class RunGrain:
    """Expands versions, external datasets and, as roots, runs."""

    def __init__(self, view: GraphView, versions: Versions) -> None:
        self._view = view
        self._versions = versions
        self._continuation = Continuation(view, versions)
        self._resolutions = Resolutions(view, versions)
        self._history = False
        self._latest_only: frozenset[str] = frozenset()
        self.left_out: dict[str, set[str]] = {}  # run → datasets of which it read more versions than an answer shows
        self._clean: dict[str, Known[set[str]]] = {}  # output → versions known not to descend from it
        self._rollups: dict[str, Known[tuple[Read, ...]]] = {}

    def begin(self, *, history: bool = False, latest_only: frozenset[str] = frozenset()) -> "RunGrain":
        """Start another walk. `history`: follow later versions that continue one; `latest_only`: services that were
        asked for as jobs, of which only the latest event counts."""
        self._history, self._latest_only, self.left_out = history, latest_only, {}
        return self

    def derivations(self, run: Run) -> list[Derivation]:
        return self._versions.derivations(run)

    # Upstream --------------------------------------------------------------------------------------------------

    def upstream(self, nodes: Sequence[str]) -> Expansion:
        grown = Expansion()
        versions = [node for node in nodes if structure(node) is NodeKind.DATASET_VERSION]
        explained = {version: self._view.kept.find(_UPSTREAM, version) for version in versions}
        self._fetch([version for version, known in explained.items() if known is None])
        for version, known in explained.items():
            self._add(grown, known or self._explained(version))
        for run in self._root_runs(nodes):
            if run.id in nodes:
                self._meet(grown, run)
            self._explain_run(grown, run)
        return grown

    def _explained(self, version: str) -> _Explained:
        known = self._view.trace.of(partial(self._explain_version, version))
        self._view.kept.keep(_UPSTREAM, version, known)
        return known[0]

    def _explain_version(self, version: str) -> _Explained:
        outer, self.left_out = self.left_out, {}
        grown = Expansion()
        for write in self._versions.producers(version):
            self._explain(grown, version, write)
        self._explain_renamed(grown, version)
        left_out = tuple((run, dataset) for run, datasets in self.left_out.items() for dataset in sorted(datasets))
        self.left_out = outer
        edges = tuple(grown.edges.items())
        return _Explained(edges, frozenset(grown.gaps), frozenset(grown.passed), frozenset(grown.reached), left_out)

    def _add(self, grown: Expansion, explained: _Explained) -> None:
        for ends, flowing in explained.edges:
            grown.join_edge(ends, flowing)
        grown.gaps |= explained.gaps
        grown.passed |= explained.passed
        grown.reached |= explained.reached
        for run, dataset in explained.left_out:
            self.left_out.setdefault(run, set()).add(dataset)

    def _fetch(self, versions: Sequence[str]) -> None:
        """What a level asks for, in bulk: who made these versions, and what they had read for it."""
        if not versions:
            return
        self._versions.fetch_producers(versions)
        self._versions.fetch_declarations(versions)
        writes = (write for version in versions for write in self._versions.producers(version))
        self._resolutions.fetch(flow.read for write in writes for flow in self._flows_into(write))

    def _explain(self, grown: Expansion, version: str, write: Write) -> None:
        run = write.run
        assert run is not None
        self._meet(grown, run)
        grown.edge(run.id, version, _during(run, Basis.EXPLICIT, write.entries))
        for flow in self._flows_into(write):
            self._arrive(grown, flow.read, flow.basis)
        if self._is_undeclared(write):
            self._arrive_rolled_up(grown, write)

    def _explain_renamed(self, grown: Expansion, version: str) -> None:
        """What a DatasetEvent carried over from another name, without a run."""
        for write in self._versions.writes_of(version):
            if write.renamed_from is None or write.run is not None:
                continue
            for seen in self._renamed(write):
                grown.reached.add(seen)
                grown.edge(seen, version, Flowing(Basis.EXPLICIT, write.began, write.began, entries=write.entries))
                if seen == write.renamed_from:
                    grown.gap(GapKind.EXTERNAL, seen, _EXTERNAL)

    def _renamed(self, write: Write) -> tuple[str, ...]:
        """What a DatasetEvent's RENAME carried over: the version of the old name, or the name itself."""
        assert write.renamed_from is not None
        datasets = self._versions.aliases.component(write.renamed_from, write.began)
        link, _ = self._versions.current(datasets, write.began)
        return (link.version if link else write.renamed_from,)

    def _explain_run(self, grown: Expansion, run: Run) -> None:
        for derivation in self._standing(run):
            for flow in derivation.flows:
                self._arrive(grown, flow.read, flow.basis)
            for read in derivation.unused:
                self._arrive(grown, read, Basis.INFERRED)
            for write in derivation.undeclared:
                self._arrive_rolled_up(grown, write)

    def _standing(self, run: Run) -> list[Derivation]:
        """All that a run did; of a service that was asked for as a job, its latest event."""
        found = self.derivations(run)
        return found[-1:] if run.endless and run.id in self._latest_only else found

    def _arrive(self, grown: Expansion, read: Read, basis: Basis, only: str | None = None) -> None:
        """Add the edges from what a read saw (downstream: from the one node that is followed) to its run, and what is
        not known about it."""
        run = read.run
        self._meet(grown, run)
        resolution = self._resolutions.resolve(read)
        for seen in resolution.versions or (read.dataset,):
            if only not in (None, seen):
                continue
            grown.reached.add(seen)
            grown.edge(seen, run.id, _during(run, basis, read.entries))
        if resolution.count > len(resolution.versions):
            self.left_out.setdefault(run.id, set()).add(read.dataset)
        _tell_gaps(grown, read, resolution)

    def _arrive_rolled_up(self, grown: Expansion, write: Write) -> None:
        """Add the edges from what its application read to the run that wrote."""
        run = write.run
        assert run is not None
        for read in self._application_reads(write):
            for seen in self._taken(read, write):
                self._meet(grown, run)
                grown.gap(GapKind.ROLLED_UP, self._versions.id_of(write), _ROLLED_UP)
                grown.reached.add(seen)
                grown.edge(seen, run.id, _during(run, Basis.ROLLUP, read.entries))
                _tell_gaps(grown, read, self._resolutions.resolve(read))

    # Roll-up ---------------------------------------------------------------------------------------------------

    def _flows_into(self, write: Write) -> Iterator[Flow]:
        assert write.run is not None
        for derivation in self.derivations(write.run):
            for flow in derivation.flows:
                if flow.write.base == write.base and flow.write.began == write.began:
                    yield flow

    def _is_undeclared(self, write: Write) -> bool:
        assert write.run is not None
        return any(
            open_write.base == write.base
            for derivation in self.derivations(write.run)
            for open_write in derivation.undeclared
        )

    def rolled_up(self, write: Write) -> list[Read]:
        """The reads inside the application, by runs that began before this one ended, of which it can be made."""
        return [read for read in self._application_reads(write) if self._taken(read, write)]

    def _application_reads(self, write: Write) -> tuple[Read, ...]:
        run = write.run
        assert run is not None
        return self._view.trace.recall(self._rollups, run.id, partial(self._find_application_reads, run))

    def _find_application_reads(self, run: Run) -> tuple[Read, ...]:
        application = self._view.application(run)
        members = self._view.members(application) if application else ()
        return tuple(
            read
            for member in members
            if member.started < run.ended or member.id == run.id
            for derivation in self.derivations(member)
            for read in derivation.reads
        )

    def _taken(self, read: Read, write: Write) -> tuple[str, ...]:
        """What a roll-up takes of one read: an external dataset, or the versions that stood before."""
        resolution = self._resolutions.resolve(read)
        if not resolution.versions:
            return (read.dataset,)
        return tuple(version for version in resolution.versions if self._stood_before(version, write))

    def _stood_before(self, version: str, write: Write) -> bool:
        """Whether a roll-up may take a version: there before the output, and not made from it."""
        assert write.run is not None
        made = [w for w in self._versions.writes_of(version) if not w.drops]
        own = self._versions.id_of(write)
        if not made:
            return version != own
        return (
            min(each.placed for each in made) < write.placed
            and not any(self._within(each, write) for each in made)
            and not self._descends(version, own)
        )

    def _within(self, candidate: Write, write: Write) -> bool:
        """Whether the candidate is an earlier write of the same dataset by the same application."""
        if candidate.dataset != write.dataset or candidate.run is None or write.run is None:
            return False
        one, other = self._view.application(candidate.run), self._view.application(write.run)
        return one is not None and other is not None and one.id == other.id

    def _descends(self, version: str, ancestor: str) -> bool:
        """Whether declared flows lead from one version to another, whatever their clocks say."""
        clean, before = self._clean.setdefault(ancestor, (set(), Seen()))
        found, seen = self._view.trace.of(partial(self._search_ancestor, version, ancestor, clean))
        before.join(seen)
        self._view.trace.use((clean, before))
        return found

    def _search_ancestor(self, version: str, ancestor: str, clean: set[str]) -> bool:
        seen, frontier = {version}, [version]
        while frontier:
            current = frontier.pop()
            if current == ancestor:
                return True
            if current in clean or structure(current) is not NodeKind.DATASET_VERSION:
                continue
            for made in self._versions.producers(current):
                for flow in self._flows_into(made):
                    fresh = set(self._resolutions.resolve(flow.read).versions) - seen
                    seen |= fresh
                    frontier += sorted(fresh)
        clean |= seen
        return False

    # Downstream ------------------------------------------------------------------------------------------------

    def downstream(self, nodes: Sequence[str]) -> Expansion:
        grown = Expansion()
        versions = [node for node in nodes if structure(node) is NodeKind.DATASET_VERSION]
        if self._history:
            versions += self._heirs(grown, versions)
        users = self._view.reader.incoming(EdgeKind.USED, {base_version(version) for version in versions})
        self._view.fetch_runs(edge.source for edges in users.values() for edge in edges)
        self._versions.fetch_places(versions)
        named = {version: {edge.source for edge in users[base_version(version)]} for version in versions}
        readers = {version: named[version] | self._unversioned_readers(version) for version in versions}
        self._fetch_readers(set().union(*readers.values()))
        for version, uuids in readers.items():
            self._follow(grown, version, uuids)
        for dataset in (node for node in nodes if structure(node) is NodeKind.DATASET):
            self._follow(grown, dataset, self._readers(dataset, 0, FOREVER))
        self._versions.fetch_owners(nodes)
        owners = {owner for node in nodes if (owner := self._versions.owner(node)) is not None}
        self._versions.aliases.fetch(owners)
        self._versions.fetch_drops(owners)
        for node in nodes:
            self._follow_renames(grown, node)
        for run in self._root_runs(nodes):
            writes = [w for d in self._standing(run) for w in d.writes if not w.drops]
            if run.id in nodes or writes:
                self._leave(grown, run, writes)
        return grown

    def _fetch_readers(self, uuids: Iterable[str]) -> None:
        """What these runs read, in bulk."""
        runs = [run for uuid in uuids for run in self._view.runs(uuid)]
        self._view.fetch_runs(run.parent.run for run in runs if run.parent)
        self._resolutions.fetch(read for run in runs for each in self.derivations(run) for read in each.reads)

    def _heirs(self, grown: Expansion, versions: Sequence[str]) -> list[str]:
        """Later versions that still hold the rows of these, up to the next replacement."""
        found: dict[str, None] = {}
        for version in versions:
            link = self._versions.link_of(version)
            for heir in self._continuation.continuing(link) if link else ():
                if heir.version not in versions:
                    found[heir.version] = None
                    grown.reached.add(heir.version)
                    grown.edge(version, heir.version, Flowing(Basis.INFERRED, heir.write.began, heir.key[0]))
        return list(found)

    def _unversioned_readers(self, version: str) -> set[str]:
        return {
            run
            for link in self._versions.links_of(version)
            if link.write.current is not None
            for run in self._readers(link.write.dataset, link.key[0], self._versions.superseded(link))
        }

    def _readers(self, dataset: str, low: int, high: int) -> set[str]:
        """Runs that may have read the dataset, or what it was ever an alias of, between two instants."""
        datasets = self._versions.aliases.ever(dataset)
        span = max(self._view.reader.spans(datasets).values(), default=0)
        edges = self._view.reader.incoming(
            EdgeKind.READ, datasets, low=max(0, low - span), high=min(FOREVER, high + span)
        )
        found = {edge.source for group in edges.values() for edge in group}
        self._view.fetch_runs(found)
        return found

    def _follow(self, grown: Expansion, node: str, readers: Iterable[str]) -> None:
        for run in (run for uuid in sorted(readers) for run in self._view.runs(uuid)):
            for derivation in self.derivations(run):
                self._follow_derivation(grown, node, derivation)
            self._follow_application(grown, node, run)

    def _sees(self, read: Read, node: str) -> bool:
        resolution = self._resolutions.resolve(read)
        return node in resolution.versions or (not resolution.versions and read.dataset == node)

    def _follow_derivation(self, grown: Expansion, node: str, derivation: Derivation) -> None:
        for flow in derivation.flows:
            if self._sees(flow.read, node):
                self._arrive(grown, flow.read, flow.basis, node)
                self._leave(grown, derivation.run, (flow.write,))
        for read in derivation.unused:
            if self._sees(read, node):
                self._arrive(grown, read, Basis.INFERRED, node)

    def _follow_renames(self, grown: Expansion, node: str) -> None:
        """What a DatasetEvent made of it under another name."""
        dataset = self._versions.owner(node)
        names = sorted(self._versions.aliases.ever(dataset)) if dataset else []
        for write in (write for name in names for write in self._versions.renames_of(name)):
            if node in self._renamed(write):
                version = self._versions.id_of(write)
                grown.reached.add(version)
                grown.edge(node, version, Flowing(Basis.EXPLICIT, write.began, write.began, entries=write.entries))
                if node == dataset:
                    grown.gap(GapKind.EXTERNAL, node, _EXTERNAL)

    def _follow_application(self, grown: Expansion, node: str, reader: Run) -> None:
        """The rolled-up outputs that this reader's application made from the node."""
        application = self._view.application(reader)
        for member in self._view.members(application) if application else ():
            for derivation in self.derivations(member):
                for write in derivation.undeclared:
                    self._follow_rollup(grown, node, member, write)

    def _follow_rollup(self, grown: Expansion, node: str, run: Run, write: Write) -> None:
        for read in self._application_reads(write):
            if node in self._taken(read, write):
                grown.edge(node, run.id, _during(run, Basis.ROLLUP, read.entries))
                grown.gap(GapKind.ROLLED_UP, self._versions.id_of(write), _ROLLED_UP)
                self._leave(grown, run, (write,))

    def _leave(self, grown: Expansion, run: Run, writes: Iterable[Write]) -> None:
        self._meet(grown, run)
        for write in writes:
            for version in self._versions.equals(write):
                grown.reached.add(version)
                grown.edge(run.id, version, _during(run, Basis.EXPLICIT, write.entries))

    # Runs ------------------------------------------------------------------------------------------------------

    def _root_runs(self, nodes: Sequence[str]) -> list[Run]:
        """The runs among the nodes, with all below them: a parent's walk is its children's too."""
        roots = [node for node in nodes if structure(node) is NodeKind.RUN]
        records = self._view.reader.nodes(roots)
        found: dict[str, Run] = {}
        for node in roots:
            record = records.get(node)
            for run in self._view.runs(record.label) if record and record.label else ():
                if run.id == node:
                    found.update((member.id, member) for member in self._view.descendants(run))
        return list(found.values())

    def _meet(self, grown: Expansion, run: Run) -> None:
        """Add a run and what is not known of it."""
        if run.id in grown.passed:
            return
        grown.passed.add(run.id)
        state = self._view.state(run)
        if state is RunState.ENDED_WITH_PARENT:
            grown.gap(GapKind.NEVER_ENDED, run.id, "started only; its application has ended")
        if state is RunState.RUNNING and not run.endless and self._view.now - run.last_event.at > ABANDONED:
            grown.gap(GapKind.NEVER_ENDED, run.id, "no event for a day and no terminal one")
        if state is RunState.CONFLICTED:
            grown.gap(GapKind.CONFLICTED, run.id, "its terminal events contradict each other")
        if run.collides:
            grown.gap(GapKind.RUN_ID_COLLISION, run.id, "unrelated jobs report under its run id")
        if any(event.extraction_failed for event in run.events):
            grown.gap(GapKind.EXTRACTION_ERROR, run.id, "its producer could not extract all lineage")
        if run.parent and self._view.bound(run.parent) is None:
            grown.gap(GapKind.UNREPORTED_PARENT, run.id, "its parent run never reported")


def _during(run: Run, basis: Basis, entries: tuple[int, ...]) -> Flowing:
    return Flowing(basis, run.started, run.ended, entries=entries)


def _tell_gaps(grown: Expansion, read: Read, resolution: Resolution) -> None:
    """What is not known about what a read saw."""
    if not resolution.versions:
        grown.gap(GapKind.EXTERNAL, read.dataset, _EXTERNAL)
    if resolution.unwritten:
        grown.gap(GapKind.UNKNOWN_PRODUCER, resolution.versions[0], _UNPRODUCED)
    if resolution.how is How.AMBIGUOUS:
        grown.gap(GapKind.AMBIGUOUS, read.run.id, f"{resolution.count} versions were current while it read")
    if resolution.after_partial:
        grown.gap(GapKind.PARTIAL, read.run.id, "the last write before its read failed")
