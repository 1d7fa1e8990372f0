"""One consistent reading of the catalog: every question that the doors put, answered at one cut."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import orjson

from catalog.act import Act
from catalog.errors import InvalidInputError, NotFoundError
from catalog.graph.contract import FOREVER, Edge, EdgeKind, GraphReader, NodeRecord
from catalog.graph.record import EventRecord
from catalog.identity import ACTS, NodeKind, base_version, structure
from catalog.instant import optional_text, text
from catalog.lineage.continuation import Continuation
from catalog.lineage.deployments import Deployments, Interval
from catalog.lineage.erased import erased_gaps
from catalog.lineage.fieldgrain import FieldGrain
from catalog.lineage.history import with_history
from catalog.lineage.jobgrain import JobGrain
from catalog.lineage.nodes import Nodes
from catalog.lineage.references import References
from catalog.lineage.registry import Registry
from catalog.lineage.remains import ErasedRows, Remains
from catalog.lineage.rungrain import RunGrain
from catalog.lineage.senders import shared_names
from catalog.lineage.trace import Kept
from catalog.lineage.unknowns import unended, unwritten
from catalog.lineage.versions import Versions
from catalog.lineage.view import GraphView, is_deletion
from catalog.lineage.walk import Step, Walked, walk
from catalog.model import (
    Deployment,
    Direction,
    Facet,
    Gap,
    Grain,
    LineageEdge,
    LineageGraph,
    LineagePath,
    Node,
    NodeRef,
    RegistryAlias,
    Transformation,
    Truncation,
)

MAX_DEPTH = 100
MAX_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Walk:
    """What to walk: see the contract's `lineage` query for each field's meaning."""

    direction: Direction = Direction.UPSTREAM
    depth: int = 5
    grain: Grain = Grain.RUN
    limit: int = 500
    indirect: bool = True
    history: bool = False
    named: bool = False  # nodes need not tell how they stand: only kind, names and parent


@dataclass(frozen=True, slots=True)
class Ancestry:
    """What a version comes from. Rows of the datasets in question that were erased after `held_since` (µs) were in it;
    None: none of theirs ever were. `nodes` are the ids of all that is upstream, and of the datasets."""

    held_since: int | None
    nodes: frozenset[str]
    truncated: bool


class Reading:
    """Answers from one `GraphReader`; not for use by several threads. `kept` is what earlier ones worked out."""

    def __init__(self, reader: GraphReader, kept: Kept | None = None) -> None:
        self._reader = reader
        self._view = GraphView(reader, kept)
        self._versions = Versions(self._view)
        self._runs = RunGrain(self._view, self._versions)
        self._jobs = JobGrain(self._view, self._versions, self._runs)
        self._nodes = Nodes(self._view, self._versions)
        self._references = References(self._view, self._versions)
        self._deployments = Deployments(self._view, self._versions)
        self._registry = Registry(self._view)
        self._fields: dict[bool, FieldGrain] = {}  # by whether they follow indirect ways
        self._concerned: dict[str, list[Edge]] = {}
        self._acts: dict[str, Act] = {}
        self._read_by: dict[str, list[str]] = {}

    @property
    def known(self) -> int:
        return self._reader.cut.known

    @property
    def valid(self) -> str | None:
        cut = self._reader.cut
        return None if cut.is_open else text(cut.valid)

    @property
    def newest(self) -> int:
        """The latest received time of all that it knows, µs; 0 of nothing."""
        return self._reader.newest()

    # Nodes -----------------------------------------------------------------------------------------------------

    def node(self, node: str) -> Node | None:
        return self._nodes.describe((node,)).get(node) if structure(node) else None

    def find(self, reference: NodeRef) -> Node | None:
        """The node that a reference names; None where nothing visible has that name."""
        try:
            return self.node(self._references.id_of(reference))
        except NotFoundError:
            return None

    def describe(self, ids: Iterable[str]) -> dict[str, Node]:
        return self._nodes.describe(ids)

    def search(self, words: str, kinds: Sequence[NodeKind] = ()) -> list[Node]:
        """Nodes in whose name each word begins a token, by (name, id)."""
        wanted = set(kinds) or {NodeKind.DATASET, NodeKind.JOB, NodeKind.MODEL, NodeKind.DEPLOYMENT, NodeKind.FIELD}
        structural = {_STRUCTURAL.get(kind, kind) for kind in wanted}
        records = self._reader.search(words.split(), sorted(structural))
        found = self._nodes.describe(record.id for record in records)
        return [found[r.id] for r in records if r.id in found and found[r.id].kind in wanted | structural_only(wanted)]

    def models(self) -> list[Node]:
        edges = self._reader.incoming(EdgeKind.HAS_ROLE, ("MODEL",))["MODEL"]
        found = self._nodes.describe(edge.source for edge in edges)
        return sorted(found.values(), key=lambda node: (node.namespace or "", node.name, node.id))

    def unwritten(self) -> list[Node]:
        """Datasets that some job reads and none writes, by namespace and name."""
        found = self._nodes.describe(unwritten(self._view))
        return sorted(found.values(), key=lambda node: (node.namespace or "", node.name, node.id))

    def unended(self) -> tuple[list[Node], int, int]:
        """Runs that never ended, the latest first; how many of the latest were looked at, and how many there are."""
        found = unended(self._view)
        return list(self._nodes.describe(found.runs).values()), found.examined, found.total

    def versions_of(self, dataset: str) -> list[Node]:
        """All versions of a dataset, the latest first."""
        edges = self._reader.incoming(EdgeKind.VERSION_OF, (dataset,))[dataset]
        self._versions.fetch_producers(edge.source for edge in edges)
        ids = sorted({each for edge in edges for each in self._versions.lives_of(edge.source, edge.at)})
        found = [
            node
            for node in self._nodes.describe(ids).values()
            if node.state != "DECLARED" or node.kind is NodeKind.MODEL_VERSION
        ]
        return sorted(found, key=lambda node: (node.ended or node.started or "", node.id), reverse=True)

    def aliases(self, version: str) -> list[RegistryAlias]:
        """When a model's version had which alias in its registry, the earliest first."""
        held = self._registry.of_version(version)
        return [RegistryAlias(each.alias, text(each.since), optional_text(each.until)) for each in held]

    def facets(
        self, node: str, names: Sequence[str] | None = None, *, said_by: Callable[[str], bool] | None = None
    ) -> list[Facet]:
        """Facets in force on a dataset or job; on a run or version those of its events besides.

        With `said_by`, those that would be in force had only the senders (actors of the log) spoken that it accepts:
        what one without authority says does not hide what one with it said before.
        """
        kind = structure(node)
        if kind is NodeKind.RUN:
            return self._event_facets(_of_senders(self._run_events(node), said_by), names)
        owner = node
        if kind is NodeKind.DATASET_VERSION:
            record = self._reader.nodes((base_version(node),)).get(base_version(node))
            owner = record.owner if record and record.owner else node
        since = self._versions.last_drop(owner) if kind is not NodeKind.JOB else -1
        winners = self._view.facet_winners((owner,), since, said_by)[owner]
        wanted = {name: won for name, won in winners.items() if names is None or name in names}
        bodies = self._reader.bodies({digest for _, digest in wanted.values()})
        found = [
            Facet(name, bodies[digest].decode(), digest, mention.actor, text(mention.at))
            for name, (mention, digest) in sorted(wanted.items())
            if not is_deletion(bodies[digest])
        ]
        if kind is NodeKind.DATASET_VERSION:
            known = {facet.name for facet in found}
            found += [f for f in self._written_facets(node, names, said_by) if f.name not in known]
        return found

    def _run_events(self, node: str) -> list[EventRecord]:
        record = self._reader.nodes((node,)).get(node)
        runs = self._view.runs(record.label or "") if record else ()
        return [event for run in runs if run.id == node for event in run.events]

    def _event_facets(self, events: Sequence[EventRecord], names: Sequence[str] | None) -> list[Facet]:
        return self._bundled([(event, event.run_bundle) for event in events], names)

    def _written_facets(
        self, version: str, names: Sequence[str] | None, said_by: Callable[[str], bool] | None
    ) -> list[Facet]:
        """Output facets of the writes that made a version."""
        seqs = {seq for write in self._versions.producers(version) for seq in write.entries}
        owner = self._reader.nodes((base_version(version),))[base_version(version)].owner
        uses = [
            (event, use.use_bundle)
            for event in _of_senders(self._reader.events(seqs).values(), said_by)
            for use in event.outputs
            if use.dataset == owner
        ]
        return self._bundled(uses, names)

    def _bundled(self, uses: Sequence[tuple[EventRecord, str | None]], names: Sequence[str] | None) -> list[Facet]:
        bundles = self._reader.bundles({bundle for _, bundle in uses if bundle})
        best: dict[str, tuple[int, str, EventRecord]] = {}
        for event, bundle in uses:
            for name, digest in bundles[bundle].items() if bundle else ():
                if (names is None or name in names) and (event.at, digest) > best.get(name, (-1, ""))[:2]:
                    best[name] = (event.at, digest, event)
        bodies = self._reader.bodies({digest for _, digest, _ in best.values()})
        return [
            Facet(name, bodies[digest].decode(), digest, event.actor, text(at))
            for name, (at, digest, event) in sorted(best.items())
        ]

    def run_events(self, run: str) -> list[EventRecord]:
        """All events of a run, in their own order; none for a run that only a child names."""
        return self._run_events(run)

    def said(self, uses: Sequence[tuple[EventRecord, str | None]], names: Sequence[str] | None = None) -> list[Facet]:
        """Facets of chosen bundles of chosen events: the last word on each name."""
        return self._bundled(uses, names)

    def producers(self, version: str) -> list[Node]:
        """The runs that made a version, the earliest first."""
        runs = [write.run.id for write in self._versions.producers(version) if write.run]
        return list(self._nodes.describe(runs).values())

    def entries(self, seqs: Iterable[int]) -> list[EventRecord]:
        return [event for _, event in sorted(self._reader.events(seqs).items())]

    def prepare(self, nodes: Iterable[str]) -> None:
        """Fetch in bulk what will be asked of these nodes one by one: their facets, makers and acts."""
        wanted = list(dict.fromkeys(nodes))
        versions = [node for node in wanted if structure(node) is NodeKind.DATASET_VERSION]
        records = self._reader.nodes({base_version(node) for node in wanted})
        owners = [record.owner or record.id for record in records.values() if record.kind in _DESCRIBED]
        self._versions.fetch_drops(owners)
        self._view.facet_winners(owners)
        self._versions.fetch_producers(versions)
        self._concerned |= self._reader.incoming(EdgeKind.CONCERNS, {*wanted, *owners} - self._concerned.keys())

    # Acts ------------------------------------------------------------------------------------------------------

    def acts(self, kind: NodeKind, target: str | None = None) -> list[Act]:
        """The acts of one kind that concern a node or answer an act (all of the kind without), in the log's order."""
        about = kind.value if target is None else target
        edges = self._concerned.get(about)
        if edges is None:
            edges = self._reader.incoming(EdgeKind.CONCERNS, (about,))[about]
        records = self._reader.nodes(edge.source for edge in edges)
        return self._read_acts([record for record in records.values() if record.kind is kind])

    def act(self, node: str) -> Act | None:
        """The act with this node id; None for what is no act, and for one that the cut does not see."""
        records = self._reader.nodes((node,)) if structure(node) in ACTS else {}
        return next(iter(self._read_acts(records.values())), None)

    def _read_acts(self, records: Iterable[NodeRecord]) -> list[Act]:
        ordered = sorted(records, key=attrgetter("seq"))
        fresh = [record for record in ordered if record.id not in self._acts]
        bodies = self._reader.bodies({record.label or "" for record in fresh}) if fresh else {}
        for each in fresh:
            body = orjson.loads(bodies[each.label or ""])
            self._acts[each.id] = Act(each.id, each.kind, each.name, each.seq, each.at, body)
        return [self._acts[record.id] for record in ordered]

    # Erasures --------------------------------------------------------------------------------------------------

    def erased(self, ids: Iterable[str]) -> list[Gap]:
        """A gap on each of these nodes of which something is not known any more, because it was erased."""
        return sorted(erased_gaps(self._view, self._versions, self.describe(ids).values()), key=lambda gap: gap.node)

    def erased_by(self, node: str) -> list[tuple[int, str]]:
        """The positions of erased entries that spoke of a node, each with the node of the redaction that did it."""
        edges = self._reader.incoming(EdgeKind.ERASED, (base_version(node),))[base_version(node)]
        return sorted((edge.seq, edge.source) for edge in edges)

    # Lineage ---------------------------------------------------------------------------------------------------

    def lineage(self, reference: NodeRef, wanted: Walk) -> LineageGraph:
        """Walk from a node. Raises NotFoundError, AmbiguousReferenceError or InvalidInputError."""
        _check(wanted)
        node = self._references.id_of(reference)
        step, roots = self._step(self._references.subject_of(node), wanted)
        up = wanted.direction is not Direction.DOWNSTREAM
        down = wanted.direction is not Direction.UPSTREAM
        walked = walk(step, roots, up=up, down=down, depth=wanted.depth, limit=wanted.limit)
        if up and wanted.history and wanted.grain is Grain.RUN:
            self._add_history(walked, wanted)
        return self._answer(node, walked, named=wanted.named)

    def with_and_without_history(self, reference: NodeRef, wanted: Walk) -> tuple[LineageGraph, LineageGraph]:
        """The lineage upstream at RUN grain as it is without history, and with it: the same object where that adds
        nothing. Raises what `lineage` does."""
        _check(wanted)
        node = self._references.id_of(reference)
        roots = self._references.run_grain_roots(self._references.subject_of(node))
        walked = walk(self._runs.begin(), roots, up=True, down=False, depth=wanted.depth, limit=wanted.limit)
        without = self._answer(node, walked)
        before = len(walked.distance), len(walked.edges)
        self._add_history(walked, wanted)
        added = before != (len(walked.distance), len(walked.edges))
        return without, self._answer(node, walked) if added else without

    def _add_history(self, walked: Walked, wanted: Walk) -> None:
        held = Continuation(self._view, self._versions)
        with_history(walked, self._versions, held, self._jobs, self._runs.left_out, wanted.depth, wanted.limit)

    def lineage_of_all(self, nodes: Iterable[str], wanted: Walk) -> LineageGraph | None:
        """One walk from all of these, each with the budget of a walk of its own; None from nothing. `root` is one of
        them. Raises what `lineage` does."""
        _check(wanted)
        known = [self._references.id_of(NodeRef(id=each)) for each in dict.fromkeys(nodes)]
        if not known:
            return None
        steps = [self._step(self._references.subject_of(each), wanted) for each in known]
        roots = [root for _, own in steps for root in own]
        up = wanted.direction is not Direction.DOWNSTREAM
        down = wanted.direction is not Direction.UPSTREAM
        limit = wanted.limit * len(known)
        return self._answer(known[0], walk(steps[-1][0], roots, up=up, down=down, depth=wanted.depth, limit=limit))

    def readers_of(self, nodes: Iterable[str], most: int) -> dict[str, list[Node]]:
        """For each version, or dataset of which none is known, the first so many runs that read it, by id.

        Raises NotFoundError for a node that there is not.
        """
        wanted = [self._references.id_of(NodeRef(id=each)) for each in dict.fromkeys(nodes)]
        self._find_readers([each for each in wanted if each not in self._read_by])
        kept = {node: self._read_by[node][:most] for node in wanted}
        shown = self.describe({run for runs in kept.values() for run in runs})
        return {node: [shown[run] for run in runs if run in shown] for node, runs in kept.items()}

    def _find_readers(self, nodes: Sequence[str]) -> None:
        found: dict[str, set[str]] = {each: set() for each in nodes}
        roots = [each for each in nodes if self._references.run_grain_roots(each) == [each]]
        if roots:
            for source, target in self._runs.begin().downstream(roots).edges:
                if source in found and structure(target) is NodeKind.RUN:
                    found[source].add(target)
        self._read_by |= {node: sorted(runs) for node, runs in found.items()}

    def _step(self, node: str, wanted: Walk) -> tuple[Step, list[str]]:
        if wanted.grain is Grain.RUN:
            roots = self._references.run_grain_roots(node)
            latest_only = frozenset(roots if structure(node) is NodeKind.JOB else ())
            return self._runs.begin(history=wanted.history, latest_only=latest_only), roots
        if wanted.grain is Grain.JOB:
            return self._jobs.begin(), self._references.job_grain_roots(node)
        if wanted.indirect not in self._fields:
            made = FieldGrain(self._view, self._versions, self._runs, self._jobs, indirect=wanted.indirect)
            self._fields[wanted.indirect] = made
        fields = self._fields[wanted.indirect]
        return fields, fields.roots(node)

    def _answer(self, node: str, walked: Walked, *, named: bool = False) -> LineageGraph:
        described = self._nodes.describe([node, *walked.distance], named=named)
        if node not in described:
            raise NotFoundError(f"Nothing reports as {node} any more.", "Name the run by its UUID.")
        shown = sorted((id_ for id_ in walked.distance if id_ in described), key=lambda i: (walked.distance[i], i))
        edges = tuple(
            LineageEdge(
                source,
                target,
                flowing.basis,
                _in_order(flowing.transformations) if flowing.transformations else (),
                optional_text(flowing.first),
                optional_text(flowing.last),
                flowing.runs,
                flowing.stale,
                flowing.entries,
            )
            for (source, target), flowing in sorted(walked.edges.items())
            if source in described and target in described
        )
        nodes = tuple(described[each] for each in shown)
        gaps = walked.gaps | shared_names(self._reader, nodes) | erased_gaps(self._view, self._versions, nodes)
        return LineageGraph(
            described[node],
            nodes,
            edges,
            walked.depth,
            walked.truncated,
            tuple(sorted(gaps, key=lambda gap: (gap.kind, gap.node, gap.reason))),
            self.known,
            self.valid,
        )

    def paths(self, start: NodeRef, end: NodeRef, first: int) -> list[LineagePath]:
        """The shortest ways for data from one node to the other, at RUN grain, at most `first` of them."""
        source, target = (self._references.subject_of(self._references.id_of(each)) for each in (start, end))
        roots = self._references.run_grain_roots(target)
        goals = set(self._references.run_grain_roots(source)) | {source}
        walked = walk(self._runs.begin(), roots, up=True, down=False, depth=MAX_DEPTH, limit=MAX_LIMIT)
        return _shortest(self._answer(target, walked).edges, goals, set(roots), first)

    def remains(self, erased: ErasedRows) -> LineageGraph:
        """Everything in which erased rows may remain, and how they came there: versions and runs, at RUN grain.

        `root` is one of the erased datasets or runs; the versions that held the rows are at distance 0. Raises
        NotFoundError where nothing of it is known.
        """
        held = Remains(self._view, self._versions, erased)
        known = self._reader.nodes(sorted(erased.datasets | erased.runs))
        if not known:
            raise NotFoundError("Nothing known is called like what was erased.", "Check the ids, or the as-of.")
        roots = held.roots()
        walked = walk(held, roots, up=False, down=True, depth=MAX_DEPTH, limit=MAX_LIMIT)
        if len(roots) > MAX_LIMIT:
            walked.truncated = Truncation("LIMIT", len(roots) - MAX_LIMIT)
        return self._answer(min(known), walked)

    def aliases_ever(self, datasets: Iterable[str]) -> frozenset[str]:
        """The datasets, and all that were ever said to be the same."""
        return frozenset(alias for each in datasets for alias in self._versions.aliases.ever(each))

    def ancestry(self, version: str, datasets: frozenset[str]) -> Ancestry:
        """Since when rows of some datasets are in a version, over whatever ways, and the runs on these ways."""
        held = Remains(self._view, self._versions, ErasedRows(datasets, frozenset(), FOREVER))
        walked = walk(held, [version], up=True, down=False, depth=MAX_DEPTH, limit=MAX_LIMIT)
        nodes = frozenset(walked.distance) | held.datasets
        return Ancestry(held.held_since, nodes, walked.truncated is not None)

    # Deployments -----------------------------------------------------------------------------------------------

    def deployments(
        self, environment: str | None = None, model: NodeRef | None = None, job: str | None = None
    ) -> list[Deployment]:
        """Intervals of service, those that hold at the valid time where one is given, else every one."""
        wanted = self._references.id_of(model) if model else None
        found = self._deployments.of_job(job) if job else self._deployments.of_all()
        now = self._view.now
        kept = [
            interval
            for interval in found
            if (environment is None or _environment(interval) == environment)
            and (wanted is None or wanted in (interval.assertion.model, interval.assertion.version))
            and (self._reader.cut.is_open or interval.covers(now))
        ]
        return [_deployment(interval) for interval in sorted(kept, key=lambda i: (i.since, i.id))]


_DESCRIBED = frozenset({NodeKind.DATASET, NodeKind.DATASET_VERSION})
_STRUCTURAL = {
    NodeKind.MODEL: NodeKind.DATASET,
    NodeKind.MODEL_VERSION: NodeKind.DATASET_VERSION,
    NodeKind.DEPLOYMENT: NodeKind.JOB,
}


def structural_only(wanted: set[NodeKind]) -> set[NodeKind]:
    """A search for datasets finds models too, and one for jobs deployments: they are kinds of these."""
    return {role for role, kind in _STRUCTURAL.items() if kind in wanted}


def _of_senders(events: Iterable[EventRecord], said_by: Callable[[str], bool] | None) -> list[EventRecord]:
    return [event for event in events if said_by is None or said_by(event.actor)]


def _in_order(transformations: Iterable[Transformation]) -> tuple[Transformation, ...]:
    return tuple(sorted(transformations, key=lambda t: (t.type, t.subtype or "", t.masking)))


def _check(wanted: Walk) -> None:
    if not 0 <= wanted.depth <= MAX_DEPTH:
        raise InvalidInputError(f"depth is {wanted.depth}.", f"Use 0 to {MAX_DEPTH}.", pointer="/depth")
    if not 1 <= wanted.limit <= MAX_LIMIT:
        raise InvalidInputError(f"limit is {wanted.limit}.", f"Use 1 to {MAX_LIMIT}.", pointer="/limit")


def _environment(interval: Interval) -> str | None:
    return interval.run.serving.environment if interval.run.serving else None


def _deployment(interval: Interval) -> Deployment:
    serving = interval.run.serving
    until = interval.until if interval.until is not None else interval.silent_since
    return Deployment(
        interval.id,
        interval.run.job,
        interval.run.id,
        interval.assertion.model,
        interval.assertion.version,
        serving.environment if serving else None,
        serving.endpoint if serving else None,
        interval.assertion.role,
        interval.assertion.share,
        text(interval.since),
        optional_text(until),
        interval.state,
        interval.entries,
    )


def _shortest(edges: Iterable[LineageEdge], sources: set[str], targets: set[str], first: int) -> list[LineagePath]:
    """Breadth first along the flow, so that shorter paths come first; equal lengths by node ids."""
    onward: dict[str, list[LineageEdge]] = {}
    for edge in edges:
        onward.setdefault(edge.source, []).append(edge)
    found: list[LineagePath] = []
    frontier = [LineagePath((source,), ()) for source in sorted(sources)]
    while frontier and len(found) < first:
        found += [path for path in frontier if path.nodes[-1] in targets and path.edges]
        frontier = [
            LineagePath((*path.nodes, edge.target), (*path.edges, edge))
            for path in frontier
            if path.nodes[-1] not in targets
            for edge in sorted(onward.get(path.nodes[-1], ()), key=lambda e: e.target)
            if edge.target not in path.nodes
        ][:MAX_LIMIT]
    return found[:first]
