"""The graph as plain lists: the reference for every other store, and the fake in tests.

Everything is kept as it came and found by looking at all of it, so this file reads as the contract's meaning.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import attrgetter
from threading import Lock
from typing import TypeVar

from catalog.errors import WrongLogError
from catalog.graph import digest
from catalog.graph.contract import (
    FOREVER,
    MOMENTS,
    Batch,
    Cut,
    Edge,
    EdgeKind,
    Mention,
    NodeRecord,
    Position,
    RunShape,
    ShapeSummary,
)
from catalog.graph.record import EventRecord
from catalog.graph.tokens import found, wanted
from catalog.identity import ACTS, NodeKind

Assertion = TypeVar("Assertion", NodeRecord, Edge, EventRecord, Mention)


class MemoryGraph:
    """A store that forgets when the process ends."""

    name = "memory"

    def __init__(self) -> None:
        self._lock = Lock()
        self._position: Position | None = None
        self._held = Batch()
        self._epoch = 0

    def position(self) -> Position | None:
        return self._position

    def apply(self, batch: Batch, origin: str, start: int, end: int) -> bool:
        with self._lock:
            position = self._position or Position(origin, 0)
            if position.origin != origin:
                raise WrongLogError(
                    f"The graph holds the log {position.origin}, not {origin}.", "Start with an empty graph."
                )
            if position.offset != start:
                return False
            self._held = _joined(self._held, batch)
            self._position = Position(origin, end)
            return True

    @contextmanager
    def read(self, known: int | None = None, valid: int = FOREVER) -> Iterator["MemoryReader"]:
        with self._lock:
            offset = self._position.offset if self._position else 0
            held, epoch = self._held, self._epoch
        yield MemoryReader(held, offset, Cut(offset if known is None else min(known, offset), valid), epoch)

    def facts(self) -> Iterator[bytes]:
        with self.read() as reader:
            yield from reader.facts()

    def clear(self) -> None:
        with self._lock:
            self._position = None
            self._held = Batch()
            self._epoch += 1

    def close(self) -> None:
        pass


def _joined(held: Batch, batch: Batch) -> Batch:
    """Both together, as a new batch: readers keep the one they have."""
    spans = held.spans | {dataset: max(span, held.spans.get(dataset, 0)) for dataset, span in batch.spans.items()}
    return Batch(
        nodes=held.nodes + batch.nodes,
        edges=held.edges + batch.edges,
        events=held.events + batch.events,
        mentions=held.mentions + batch.mentions,
        bundles={**held.bundles, **batch.bundles},
        bodies=held.bodies | batch.bodies,
        shapes=list({shape.run: shape for shape in held.shapes + batch.shapes}.values()),
        spans=spans,
    )


@dataclass(frozen=True, slots=True)
class MemoryReader:
    """One state and one cut."""

    held: Batch
    offset: int
    cut: Cut
    epoch: int

    def until(self, valid: int) -> "MemoryReader":
        return replace(self, cut=Cut(self.cut.known, min(valid, self.cut.valid)))

    def newest(self) -> int:
        return max((event.recorded for event in self.held.events if event.seq < self.cut.known), default=0)

    def nodes(self, ids: Iterable[str]) -> dict[str, NodeRecord]:
        seen = self._nodes()
        return {id_: seen[id_] for id_ in ids if id_ in seen}

    def run_events(self, runs: Iterable[str]) -> dict[str, list[EventRecord]]:
        answer: dict[str, list[EventRecord]] = {run: [] for run in runs}
        for event in sorted(self._events(), key=attrgetter("at", "seq")):
            if event.run in answer:
                answer[event.run].append(event)
        return answer

    def events(self, seqs: Iterable[int]) -> dict[int, EventRecord]:
        seen = {event.seq: event for event in self._events()}
        return {seq: seen[seq] for seq in seqs if seq in seen}

    def outgoing(
        self, kind: EdgeKind, sources: Iterable[str], *, low: int = 0, high: int = FOREVER
    ) -> dict[str, list[Edge]]:
        answer: dict[str, list[Edge]] = {source: [] for source in sources}
        for edge in sorted(self._edges(kind), key=attrgetter("at", "seq", "target")):
            if edge.source in answer and low <= edge.at <= high:
                answer[edge.source].append(edge)
        return answer

    def incoming(
        self, kind: EdgeKind, targets: Iterable[str], *, low: int = 0, high: int = FOREVER
    ) -> dict[str, list[Edge]]:
        answer: dict[str, list[Edge]] = {target: [] for target in targets}
        for edge in sorted(self._edges(kind), key=attrgetter("at", "seq", "source")):
            if edge.target in answer and low <= edge.at <= high:
                answer[edge.target].append(edge)
        return answer

    def latest(self, kind: EdgeKind, target: str, *, before: int, limit: int) -> list[Edge]:
        earlier = self.incoming(kind, [target], high=before - 1)[target]
        return earlier[::-1][:limit]

    def earliest(self, kind: EdgeKind, target: str, *, after: int, limit: int) -> list[Edge]:
        return self.incoming(kind, [target], low=after + 1)[target][:limit]

    def last(self, kind: EdgeKind, targets: Iterable[str], *, limit: int) -> dict[str, list[Edge]]:
        return {target: edges[::-1][:limit] for target, edges in self.incoming(kind, targets).items()}

    def count(self, kind: EdgeKind, target: str, *, low: int, high: int) -> int:
        return len({edge.source for edge in self.incoming(kind, [target], low=low, high=high)[target]})

    def mentions(self, entities: Iterable[str]) -> dict[str, list[Mention]]:
        answer: dict[str, list[Mention]] = {entity: [] for entity in entities}
        last: dict[tuple[str, str, str], Mention] = {}
        for mention in sorted(self._visible(self.held.mentions), key=lambda one: (one.at, -one.seq)):
            last[mention.entity, mention.bundle, mention.actor] = mention
        for mention in sorted(last.values(), key=attrgetter("at", "bundle", "actor")):
            if mention.entity in answer:
                answer[mention.entity].append(mention)
        return answer

    def bundles(self, digests: Iterable[str]) -> dict[str, Mapping[str, str]]:
        return {one: self.held.bundles[one] for one in digests if one in self.held.bundles}

    def bodies(self, digests: Iterable[str]) -> dict[str, bytes]:
        return {one: self.held.bodies[one] for one in digests if one in self.held.bodies}

    def shapes(self, jobs: Iterable[str]) -> dict[str, list[ShapeSummary]] | None:
        if self.cut != Cut(self.offset):
            return None
        groups: defaultdict[tuple[str, str], list[RunShape]] = defaultdict(list)
        for shape in self.held.shapes:
            groups[shape.job, shape.shape].append(shape)
        answer: dict[str, list[ShapeSummary]] = {job: [] for job in jobs}
        for (job, _), runs in sorted(groups.items()):
            if job in answer:
                answer[job].append(_summary(runs))
        return answer

    def spans(self, datasets: Iterable[str]) -> dict[str, int]:
        return {dataset: self.held.spans.get(dataset, 0) for dataset in datasets}

    def search(self, words: Sequence[str], kinds: Iterable[NodeKind]) -> list[NodeRecord]:
        prefixes, kinds = wanted(words), set(kinds) - ACTS
        nodes = [node for node in self._nodes().values() if prefixes and node.kind in kinds]
        return sorted((node for node in nodes if found(node.name, prefixes)), key=attrgetter("name", "id"))

    def of_kind(self, kind: NodeKind) -> list[NodeRecord]:
        nodes = [node for node in self._nodes().values() if node.kind is kind]
        return sorted(nodes, key=attrgetter("namespace", "name", "id"))

    def facts(self) -> Iterator[bytes]:
        """The store's facts, where this reader has the open cut."""
        yield from map(digest.node_fact, self._nodes().values())
        yield from {
            digest.edge_fact(edge.kind, edge.source, edge.target, edge.at)
            for kind in EdgeKind
            for edge in self._edges(kind)
        }
        yield from map(digest.event_fact, self.held.events)
        yield from {digest.mention_fact(one.entity, one.bundle, one.at, one.actor) for one in self.held.mentions}
        yield from (digest.bundle_fact(bundle, facets) for bundle, facets in self.held.bundles.items())
        yield from map(digest.body_fact, self.held.bodies)
        for one in self.held.shapes:
            yield digest.shape_fact(one.run, one.job, one.shape, one.first, one.last, one.succeeded)
        yield from (digest.span_fact(dataset, span) for dataset, span in self.held.spans.items())

    def _visible(self, assertions: list[Assertion]) -> list[Assertion]:
        known, valid = self.cut.known, self.cut.valid
        return [one for one in assertions if one.seq < known and one.at <= valid]

    def _nodes(self) -> dict[str, NodeRecord]:
        """Each visible node with the smallest `at` and, apart from it, the smallest `seq` of its visible assertions."""
        seen: dict[str, NodeRecord] = {}
        for node in self._visible(self.held.nodes):
            first = seen.get(node.id, node)
            seen[node.id] = replace(first, at=min(first.at, node.at), seq=min(first.seq, node.seq))
        return seen

    def _edges(self, kind: EdgeKind) -> list[Edge]:
        """One for each moment, or the first of each (source, target)."""
        first: dict[tuple[str, str, int], Edge] = {}
        for edge in sorted(self._visible(self.held.edges), key=attrgetter("at", "seq")):
            if edge.kind is kind:
                first.setdefault((edge.source, edge.target, edge.at if kind in MOMENTS else 0), edge)
        return list(first.values())

    def _events(self) -> list[EventRecord]:
        return self._visible(self.held.events)


def _summary(runs: list[RunShape]) -> ShapeSummary:
    example = max(runs, key=attrgetter("last", "run"))
    return ShapeSummary(example.shape, example.run, min(run.first for run in runs), example.last, len(runs))
