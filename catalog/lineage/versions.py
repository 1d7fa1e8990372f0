"""Which version of a dataset was current when, and which ones a read saw."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial as bound
from heapq import merge
from itertools import islice

from catalog.graph.contract import FOREVER, Edge, EdgeKind, NodeRecord
from catalog.identity import NodeKind, base_version, named_version_id, variant
from catalog.lineage.aliases import Aliases
from catalog.lineage.derivations import Derivation, Write, declared, derivations
from catalog.lineage.runs import Run
from catalog.lineage.trace import Known, Of
from catalog.lineage.view import GraphView

EVENT = "event:"  # the source of a moment that no run made; `Edge.seq` finds the event
_STRIDE = 16
_FEW = 4  # moments that mostly tell what is current


@dataclass(frozen=True, slots=True)
class Link:
    """One write in its place in the chain; a drop makes no version."""

    write: Write
    version: str

    @property
    def key(self) -> tuple[int, bool, str, str]:
        """Order in the chain. A drop comes after what was written at its instant, and ends it."""
        assert self.write.moment is not None
        return (self.write.moment, self.write.drops, self.write.digest, self.version)


class Versions:
    """The chains of datasets, read backwards from an instant so that their length does not matter."""

    def __init__(self, view: GraphView) -> None:
        self._view = view
        self._trace = view.trace
        self.aliases = Aliases(view)
        self._derivations: dict[str, list[Derivation]] = {}
        self._writes: dict[str, list[Write]] = {}
        self._producers: dict[str, Known[list[Write]]] = {}
        self._owners: dict[str, str | None] = {}
        self._drops: dict[str, Known[list[tuple[int, str]]]] = {}  # (moment, run)
        self._dropped: dict[str, list[Edge]] = {}
        self._declared_writes: dict[str, list[Write]] = {}
        self._generated: dict[str, tuple[str, ...]] = {}
        self._own: dict[str, Known[frozenset[str]]] = {}  # run → what it wrote
        self._links: dict[tuple[str, Edge], Known[list[Link]]] = {}

    # Names -----------------------------------------------------------------------------------------------------

    def fetch_drops(self, datasets: Iterable[str]) -> None:
        missing = [dataset for dataset in set(datasets) if dataset not in self._drops]
        if not missing:
            return
        self._dropped.update(self._view.reader.incoming(EdgeKind.DROPPED, missing))
        self._fetch_writers(edge for dataset in missing for edge in self._dropped[dataset])
        for dataset in missing:
            self._trace.recall(self._drops, dataset, bound(self._find_drops, dataset))

    def _find_drops(self, dataset: str) -> list[tuple[int, str]]:
        self._trace.fact(Of.DROPPED, dataset)
        edges = self._dropped[dataset]
        links = self._writes_at(edges, dataset) if edges else ()
        return sorted({(w.current, w.run.id if w.run else "") for w in links if w.drops and w.current is not None})

    def version_at(self, dataset: str, base: str, instant: int, reader: Run | None = None) -> str:
        """The id of a version name in the incarnation that stands at an instant; a reader sees no drop of its own."""
        drops = self._drops_of(dataset)
        if not drops:
            return base
        own = reader.id if reader else None
        before = [drop for drop, run in drops if drop < instant and run != own]
        return variant(base, "after", str(before[-1])) if before else base

    def _drops_of(self, dataset: str) -> list[tuple[int, str]]:
        if dataset not in self._drops:
            self.fetch_drops((dataset,))
        return self._trace.use(self._drops[dataset])

    def last_drop(self, dataset: str) -> int:
        """The moment of the last drop, -1 without one."""
        drops = self._drops_of(dataset)
        return drops[-1][0] if drops else -1

    def dropped_before(self, link: Link) -> int:
        """The last drop before the link's moment, -1 without one."""
        return max((drop for drop, _ in self._drops_of(link.write.dataset) if drop < link.key[0]), default=-1)

    def drop_after(self, link: Link) -> int | None:
        """When the link's incarnation ended."""
        return min((drop for drop, _ in self._drops_of(link.write.dataset) if drop >= link.key[0]), default=None)

    def id_of(self, write: Write) -> str:
        return self.version_at(write.dataset, write.base, write.placed)

    # Chains ----------------------------------------------------------------------------------------------------

    def derivations(self, run: Run) -> list[Derivation]:
        if run.id not in self._derivations:
            found = derivations(run) if run.events else []  # a reader that is no run reads all the same
            self._derivations[run.id] = found
        return self._derivations[run.id]

    def writes_by(self, run: Run) -> list[Write]:
        if run.id not in self._writes:
            self._writes[run.id] = [w for derivation in self.derivations(run) for w in derivation.writes]
        return self._writes[run.id]

    def _writes_at(self, edges: Sequence[Edge], dataset: str) -> list[Write]:
        """The writes whose moment is exactly that of an edge: edges only say where one may be."""
        found: dict[tuple[str, str, int, bool, str], Write] = {}
        for edge in edges:
            for write in self._candidates(edge):
                if write.dataset == dataset and write.moment == edge.at:
                    found[
                        (write.run.id if write.run else edge.source, write.base, edge.at, write.drops, write.digest)
                    ] = write
        return list(found.values())

    def _links_at(self, dataset: str, edge: Edge) -> list[Link]:
        return self._trace.recall(self._links, (dataset, edge), lambda: self._find_links(dataset, edge))

    def _find_links(self, dataset: str, edge: Edge) -> list[Link]:
        writes = self._writes_at((edge,), dataset)
        return [Link(write, "" if write.drops else self.id_of(write)) for write in writes]

    def _candidates(self, edge: Edge) -> Iterator[Write]:
        if edge.source.startswith(EVENT):
            for event in self._view.reader.events((edge.seq,)).values():
                yield from declared(event)
            return
        for run in self._view.runs(edge.source):
            yield from self.writes_by(run)

    def links(self, dataset: str, edges: Iterable[Edge]) -> list[Link]:
        edges = list(edges)
        self._fetch_writers(edges)
        found = [link for edge in edges for link in self._links_at(dataset, edge)]
        return sorted(found, key=lambda link: link.key) if len(found) > 1 else found

    def backwards(self, dataset: str, before: int) -> Iterator[Link]:
        """The chain's links with a moment before an instant, the latest first."""
        limit = _FEW
        while True:
            edges = self._view.moments.latest(EdgeKind.WROTE, dataset, before=before, limit=limit)
            complete = len(edges) < limit
            floor = -1 if complete else edges[-1].at  # the last instant may have been cut in two
            yield from reversed(self.links(dataset, (edge for edge in edges if edge.at > floor)))
            if complete:
                return
            if floor == edges[0].at:
                limit *= 2  # one instant with more writes than the stride
            else:
                before, limit = floor + 1, _STRIDE

    def between(self, dataset: str, low: int, high: int) -> list[Link]:
        """The chain's links with `low <= moment <= high`, in order."""
        return self.links(dataset, self._view.moments.between(EdgeKind.WROTE, dataset, low, high))

    def superseded(self, link: Link) -> int:
        """When the link's version stops being what an unversioned read may see; FOREVER for never.

        A service does not see its own writes, so its next write alone does not hide this one from itself.
        """
        after = link.key[0]
        writers: set[str] = set()
        while True:
            edges = self._view.moments.earliest(EdgeKind.WROTE, link.write.dataset, after=after, limit=_STRIDE)
            for found in self.links(link.write.dataset, edges):
                if found.write.partial:
                    continue
                run = found.write.run
                writers.add(run.id if run else "")
                if run is None or not run.endless or len(writers) > 1:
                    return found.key[0]
            if len(edges) < _STRIDE:
                return FOREVER
            after = edges[-1].at

    def current(
        self, datasets: Sequence[str], instant: int = FOREVER - 1, run: Run | None = None
    ) -> tuple[Link | None, bool]:
        """What was current in the chain of some datasets at an instant, seen by a run that does not see its own
        writes and drops; and whether the last thing before it in the chain was a partial write."""
        own = self.own_versions(run) if run else frozenset()
        chains = [self.backwards(dataset, instant + 1) for dataset in datasets]
        partial = False
        for link in merge(*chains, key=lambda each: each.key, reverse=True) if len(chains) > 1 else chains[0]:
            write = link.write
            if write.drops:
                ended = write.current is not None and write.current < instant
                if ended and not (run and write.run and write.run.id == run.id):
                    return None, partial
            elif write.partial:
                partial = partial or (link.key[0] < instant and link.version not in own)
            elif link.version not in own:
                return link, partial
        return None, partial

    def own_versions(self, run: Run) -> frozenset[str]:
        return self._trace.recall(
            self._own, run.id, lambda: frozenset(self.id_of(write) for write in self.writes_by(run) if not write.drops)
        )

    def latest(self, dataset: str) -> str | None:
        """A dataset named without version: its current, else its latest written, else its latest declared one."""
        self._trace.fleeting()  # asks for what no fact stands for
        datasets = self.aliases.component(dataset, FOREVER - 1)
        link, _ = self.current(datasets)
        if link:
            return link.version
        written = [write for each in datasets for write in self._last_writes(each)]
        if written:
            return max((w.began if w.moment is None else w.moment, w.digest, self.id_of(w)) for w in written)[-1]
        return next((version for each in datasets if (version := self._declared(each))), None)

    def _last_writes(self, dataset: str) -> list[Write]:
        """The last link of the chain that made a version, and what is in progress since."""
        last = list(islice((link.write for link in self.backwards(dataset, FOREVER) if not link.write.drops), 1))
        edges = self._view.reader.latest(EdgeKind.VERSION_OF, dataset, before=FOREVER, limit=_STRIDE)
        self.fetch_producers(edge.source for edge in edges)
        runs = {run.id: run for e in edges for run in self._writers(e.source)}
        open_ = [write for run in runs.values() for write in self.writes_by(run) if write.moment is None]
        return last + [write for write in open_ if write.dataset == dataset and not write.drops]

    def _declared(self, dataset: str) -> str | None:
        """The version that the last DatasetEvent names."""
        reader = self._view.reader
        edges = reader.incoming(EdgeKind.DECLARED, (dataset,))[dataset]
        events = sorted(reader.events(edge.seq for edge in edges).values(), key=lambda event: event.order)
        named = [(event.at, event.subject.version) for event in events if event.subject and event.subject.version]
        if not named:
            return None
        at, version = named[-1]
        return self.version_at(dataset, named_version_id(dataset, version), at)

    def fetch_runs_before(self, instants: Iterable[tuple[str, int]]) -> None:
        """The runs that wrote each dataset last before an instant."""
        moments = self._view.moments
        self._fetch_writers(
            edge
            for dataset, before in instants
            for edge in moments.latest(EdgeKind.WROTE, dataset, before=before, limit=_FEW)
        )

    def _fetch_writers(self, edges: Iterable[Edge]) -> None:
        self._view.fetch_runs({edge.source for edge in edges if not edge.source.startswith(EVENT)})

    # Producers -------------------------------------------------------------------------------------------------

    def fetch_producers(self, versions: Iterable[str]) -> None:
        bases = {base for version in versions if (base := base_version(version)) not in self._generated}
        if not bases:
            return
        for base, edges in self._view.reader.incoming(EdgeKind.GENERATED, bases).items():
            self._generated[base] = tuple(sorted({edge.source for edge in edges}))
        self._view.fetch_runs(uuid for base in bases for uuid in self._generated[base])
        runs = [run for base in bases for uuid in self._generated[base] for run in self._view.runs(uuid)]
        self._view.fetch_runs(run.parent.run for run in runs if run.parent)
        self.fetch_drops(write.dataset for run in runs for write in self.writes_by(run))

    def producers(self, version: str) -> list[Write]:
        """The writes that made a version, those of its twins included, ordered by (begin, run id)."""
        return self._trace.recall(self._producers, version, lambda: self._find_producers(version))

    def _find_producers(self, version: str) -> list[Write]:
        self.fetch_producers((version,))
        base = base_version(version)
        own = [
            write
            for run in self._writers(base)
            for write in self.writes_by(run)
            if write.base == base and not write.drops and self.id_of(write) == version
        ]
        every = {
            (w.run.id, w.base, w.began, w.digest): w for write in own for w in (write, *self._twins(write)) if w.run
        }
        return sorted(every.values(), key=lambda write: (write.began, write.run.id if write.run else ""))

    def _writers(self, base: str) -> list[Run]:
        """The runs that may have made a version, once they were fetched."""
        self._trace.fact(Of.GENERATED, base)
        return [run for uuid in self._generated[base] for run in self._view.runs(uuid)]

    def equals(self, write: Write) -> list[str]:
        """The version that a write made and those of its twins."""
        return list(dict.fromkeys(self.id_of(each) for each in (write, *self._twins(write))))

    def _twins(self, write: Write) -> list[Write]:
        """Writes of the same dataset that overlap this one inside its application."""
        run = write.run
        application = self._view.application(run) if run and not run.endless else None
        if run is None or application is None:
            return []
        return [
            other
            for member in self._view.members(application)
            if member.id != run.id and not member.endless
            and member.started <= run.ended and run.started <= member.ended
            for other in self.writes_by(member)
            if other.dataset == write.dataset and not other.drops
            and not (other.reported and write.reported and other.base != write.base)
        ]  # fmt: skip

    # Places and lives -------------------------------------------------------------------------------------------

    def links_of(self, version: str) -> list[Link]:
        """The version's own places in its chain, in order: none for one that nobody wrote or that is in progress,
        several for one that was written again under the same name."""
        base = base_version(version)
        made = [*self.producers(version), *self._declarations(base)]
        own = [w for w in made if w.moment is not None and w.base == base and self.id_of(w) == version]
        return sorted((Link(write, version) for write in own), key=lambda link: link.key)

    def link_of(self, version: str) -> Link | None:
        """Its last place; one in which it became current before one in which it did not."""
        links = self.links_of(version)
        return max(links, key=lambda link: (link.write.current is not None, link.key), default=None)

    def writes_of(self, version: str) -> list[Write]:
        """Every write that made the version itself, with a run or without, its twins' left out."""
        base = base_version(version)
        made = [*self.producers(version), *self._declarations(base)]
        return [write for write in made if write.base == base and self.id_of(write) == version]

    def owner(self, node: str) -> str | None:
        """The dataset of a version; a dataset itself."""
        self.fetch_owners((node,))
        owner = self._owners[base_version(node)]
        if owner is None:
            self._trace.fleeting()  # an event may yet name it
        return owner

    def fetch_owners(self, nodes: Iterable[str]) -> None:
        missing = {base for node in nodes if (base := base_version(node)) not in self._owners}
        if missing:
            records = self._view.reader.nodes(missing)
            self._owners.update((each, _owner(records.get(each))) for each in missing)

    def lives_of(self, base: str, mentioned: int) -> set[str]:
        """A version name in every incarnation that wrote it; where none did, in the one that mentioned it."""
        self.fetch_producers((base,))
        runs = self._writers(base)
        writes = [*(w for run in runs for w in self.writes_by(run)), *self._declarations(base)]
        made = [w for w in writes if w.base == base and not w.drops]
        owner = self.owner(base)
        return {self.id_of(write) for write in made} or ({self.version_at(owner, base, mentioned)} if owner else set())

    def renames_of(self, dataset: str) -> list[Write]:
        """What DatasetEvents renamed this dataset into."""
        self._drops_of(dataset)
        seqs = [edge.seq for edge in self._dropped[dataset] if edge.source.startswith(EVENT)]
        events = self._view.reader.events(seqs).values() if seqs else ()
        return [write for event in events for write in declared(event) if write.renamed_from == dataset]

    def fetch_declarations(self, versions: Iterable[str]) -> None:
        bases = {base for version in versions if (base := base_version(version)) not in self._declared_writes}
        if not bases:
            return
        self._declared_writes.update((base, []) for base in bases)
        self.fetch_owners(bases)
        owners = {owner for base in bases if (owner := self._owners[base]) is not None}
        edges = self._view.reader.incoming(EdgeKind.DECLARED, owners)
        seqs = {edge.seq for found in edges.values() for edge in found}
        events = self._view.reader.events(sorted(seqs)).values() if seqs else ()
        for write in (write for event in events for write in declared(event)):
            if write.base in bases and not write.drops:
                self._declared_writes[write.base].append(write)

    def _declarations(self, base: str) -> list[Write]:
        """Writes without a run: the lifecycle changes that DatasetEvents declare for a version."""
        if base not in self._declared_writes:
            self.fetch_declarations((base,))
        owner = self.owner(base)
        if owner is not None:
            self._trace.fact(Of.DECLARED, owner)
        return self._declared_writes[base]

    def fetch_places(self, versions: Iterable[str]) -> None:
        """What telling the states of versions asks for, all at once."""
        versions = list(versions)
        self.fetch_producers(versions)
        self.fetch_declarations(versions)
        made = (write for version in versions for write in self.writes_of(version))
        datasets = list(dict.fromkeys(write.dataset for write in made))
        self._view.models_among(datasets)
        moments = self._view.moments
        for kind in (EdgeKind.WROTE, EdgeKind.REPLACED):
            moments.fetch(kind, datasets)
        self.fetch_runs_before((dataset, FOREVER) for dataset in datasets)


def _owner(record: NodeRecord | None) -> str | None:
    if record is None or record.kind not in (NodeKind.DATASET, NodeKind.DATASET_VERSION):
        return None
    return record.owner or record.id
