"""Where rows that were erased may remain: what was made from them before they went, and from that, and so on.

A person's rows are erased from datasets at one instant. Every version of these datasets that was begun before it held
them, and so may whatever came from one of those: over any number of runs, and in later versions that continue one (an
unknown write means append). The datasets themselves are clean since: their later versions continue nothing of what
went. Data that nobody of ours wrote has no versions; who began to read it before the instant read the rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from catalog.graph.contract import FOREVER, EdgeKind
from catalog.identity import NodeKind, base_version, named_version_id, structure
from catalog.lineage.derivations import Read, Write
from catalog.lineage.resolution import Resolutions
from catalog.lineage.rungrain import RunGrain
from catalog.lineage.runs import Run
from catalog.lineage.versions import Link, Versions
from catalog.lineage.view import GraphView
from catalog.lineage.walk import Expansion, Flowing
from catalog.model import Basis

Key = tuple[int, bool, str, str]  # a link's place in its chain


@dataclass(frozen=True, slots=True)
class ErasedRows:
    """What is gone: the rows that `datasets` held `before` an instant (µs), and what the `runs` said of what they did.

    Both are node ids. What the runs wrote rests on them, whenever they wrote it.
    """

    datasets: frozenset[str]
    runs: frozenset[str]
    before: int


class Remains(RunGrain):
    """Walks both ways between erased rows and what rests on them. `held_since` is filled by walks upstream."""

    def __init__(self, view: GraphView, versions: Versions, erased: ErasedRows) -> None:
        super().__init__(view, versions)
        self._resolutions = Resolutions(view, versions, whole=True)
        self._erased = erased
        self._passed_on: dict[str, Key] = {}  # dataset → the first link that all later ones hold
        self._held: dict[str, int] = {}  # version → from when on a later one holds the dataset
        self.datasets = frozenset(alias for each in erased.datasets for alias in versions.aliases.ever(each))
        self.held_since: int | None = None
        """The instant (µs) such that a later erasure of the datasets reaches what was walked from; None: none does."""
        self.begin(history=True)

    def roots(self) -> list[str]:
        """The versions that held the rows, the datasets for whoever reads no version of them, and what the runs
        wrote."""
        found = set(self.datasets)
        found |= {version for version in self._versions_of(self.datasets) if self._began(version) < self._erased.before}
        for run in self._runs_among(self._erased.runs):
            writes = (write for write in self._versions.writes_by(run) if not write.drops)
            found |= {version for write in writes for version in self._versions.equals(write)}
        return sorted(found)

    def _versions_of(self, datasets: Iterable[str]) -> Iterator[str]:
        """Those that somebody wrote, or named: the graph also holds ids of versions that never came to be."""
        for dataset in datasets:
            links = self._versions.between(dataset, 0, FOREVER - 1)
            yield from (link.version for link in links if not link.write.drops)
        for edges in self._view.reader.incoming(EdgeKind.VERSION_OF, datasets).values():
            self._versions.fetch_producers(edge.source for edge in edges)
            records = self._view.reader.nodes(edge.source for edge in edges)
            for edge in edges:
                named = named_version_id(edge.target, records[edge.source].label or "") == edge.source
                for version in self._versions.lives_of(edge.source, edge.at):
                    if named or self._versions.writes_of(version):
                        yield version

    def _began(self, version: str) -> int:
        """When the first write of a version began; of what nobody reported writing, when somebody first named it."""
        writes = [write for write in self._versions.writes_of(version) if not write.drops]
        if writes:
            return min(write.began for write in writes)
        return self._view.reader.nodes((base_version(version),))[base_version(version)].at

    def _runs_among(self, nodes: Iterable[str]) -> Iterator[Run]:
        for record in self._view.reader.nodes(sorted(nodes)).values():
            yield from (run for run in self._view.runs(record.label or "") if run.id == record.id)

    # Downstream --------------------------------------------------------------------------------------------------

    def _heirs(self, grown: Expansion, versions: Sequence[str]) -> list[str]:
        own = (each for each in versions if self._versions.owner(each) not in self.datasets)
        every = (link for each in own for link in self._versions.links_of(each) if not link.write.partial)
        found: dict[str, None] = {}
        for link in (each for each in sorted(every, key=lambda each: each.key) if not self._is_passed_on(each)):
            for heir in self._continuation.continuing(link):
                if heir.version not in (link.version, *versions):
                    found[heir.version] = None
                    grown.reached.add(heir.version)
                    grown.edge(link.version, heir.version, Flowing(Basis.INFERRED, heir.write.began, heir.key[0]))
        return list(found)

    def _is_passed_on(self, link: Link) -> bool:
        """Whether all that continues this link was reached from an earlier one, which nothing ever replaced."""
        dataset, key = link.write.dataset, link.key
        first = self._passed_on.get(dataset)
        if first is not None and first < key:
            return True
        ends = (EdgeKind.REPLACED, EdgeKind.DROPPED)
        if not any(self._view.moments.earliest(kind, dataset, after=0, limit=1) for kind in ends):
            self._passed_on[dataset] = key
        return False

    def _sees(self, read: Read, node: str) -> bool:
        return super()._sees(read, node) and not self._is_late(node, read.start)

    # Upstream ----------------------------------------------------------------------------------------------------

    def upstream(self, nodes: Sequence[str]) -> Expansion:
        grown = super().upstream(nodes)
        for version in (node for node in nodes if structure(node) is NodeKind.DATASET_VERSION):
            if self._versions.owner(version) in self.datasets:
                self._note(self._began(version))
            else:
                self._precede(grown, version)
        return grown

    def _precede(self, grown: Expansion, version: str) -> None:
        """Earlier versions of which this one still holds the rows, back to the last replacement."""
        for link in (each for each in self._versions.links_of(version) if not each.write.partial):
            since = self._continuation.held_from(link)
            if self._held.get(version, since + 1) <= since:
                continue  # a later version, which holds as much, was asked before
            for earlier in self._continuation.preceding(link):
                self._held[earlier.version] = min(since, self._held.get(earlier.version, since))
                grown.reached.add(earlier.version)
                grown.edge(earlier.version, version, Flowing(Basis.INFERRED, earlier.write.began, link.key[0]))

    def _arrive(self, grown: Expansion, read: Read, basis: Basis, only: str | None = None) -> None:
        seen = self._resolutions.resolve(read).versions or (read.dataset,)
        if not self._is_late(seen[0], read.start):
            super()._arrive(grown, read, basis, only)

    def _taken(self, read: Read, write: Write) -> tuple[str, ...]:
        return tuple(each for each in super()._taken(read, write) if not self._is_late(each, read.start))

    def _renamed(self, write: Write) -> tuple[str, ...]:
        return tuple(each for each in super()._renamed(write) if not self._is_late(each, write.began))

    def _is_late(self, node: str, at: int) -> bool:
        """Whether somebody took data that has no versions, and is one of the datasets, after the rows had gone."""
        if node not in self.datasets:
            return False
        self._note(at)
        return at >= self._erased.before

    def _note(self, at: int) -> None:
        self.held_since = at if self.held_since is None else min(at, self.held_since)
