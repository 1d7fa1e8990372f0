"""One cut of the graph in Neo4j, read in one transaction. Keys go in by the list, never singly.

Neo4j reads what is committed at each moment, not a snapshot. The cut makes one of it: what is committed later has
`seq >= known`, and is not seen.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, TypeVar

from catalog.graph import cypher
from catalog.graph.contract import (
    FOREVER,
    Cut,
    Edge,
    EdgeKind,
    Mention,
    NodeRecord,
    ShapeSummary,
)
from catalog.graph.record import EventRecord, decode
from catalog.graph.tokens import found, wanted
from catalog.identity import ACTS, NodeKind

KEYS = 10_000  # a statement's
PREFIX = 60  # characters: Lucene cuts tokens at 255 UTF-16 units
PREFIXES = 50

_SURROGATE = re.compile("[\ud800-\udfff]")

T = TypeVar("T")

# A run's transaction: takes a query and its parameters. The store's own, which names the mistakes of the driver.
Ask = Callable[..., list[list[Any]]]


@dataclass(frozen=True, slots=True)
class Neo4jReader:
    """One transaction and one cut; `offset` is how far the projection was when both were made."""

    ask: Ask
    offset: int
    cut: Cut
    epoch: str | None

    def until(self, valid: int) -> "Neo4jReader":
        return replace(self, cut=Cut(self.cut.known, min(valid, self.cut.valid)))

    def newest(self) -> int:
        rows = self.ask(cypher.PEAK_BEFORE, known=self.cut.known)
        return rows[0][0] if rows else 0

    def nodes(self, ids: Iterable[str]) -> dict[str, NodeRecord]:
        rows = self._each(cypher.NODES, _distinct(ids))
        return {node.id: node for node in self._records(rows)}

    def run_events(self, runs: Iterable[str]) -> dict[str, list[EventRecord]]:
        answer: dict[str, list[EventRecord]] = {run: [] for run in runs}
        for run, record in self._each(cypher.RUN_EVENTS, list(answer)):
            answer[run].append(decode(record))
        return {run: sorted(events, key=attrgetter("at", "seq")) for run, events in answer.items()}

    def events(self, seqs: Iterable[int]) -> dict[int, EventRecord]:
        return {seq: decode(record) for seq, record in self._each(cypher.EVENTS, _distinct(seqs))}

    def outgoing(
        self, kind: EdgeKind, sources: Iterable[str], *, low: int = 0, high: int = FOREVER
    ) -> dict[str, list[Edge]]:
        answer: dict[str, list[Edge]] = {source: [] for source in sources}
        window = {"low": low, "high": min(high, self.cut.valid)}
        for source, target, at, seq in self._each(cypher.outgoing(kind), list(answer), **window):
            answer[source].append(Edge(kind, source, target, at, seq))
        return {key: sorted(edges, key=attrgetter("at", "seq", "target")) for key, edges in answer.items()}

    def incoming(
        self, kind: EdgeKind, targets: Iterable[str], *, low: int = 0, high: int = FOREVER
    ) -> dict[str, list[Edge]]:
        answer: dict[str, list[Edge]] = {target: [] for target in targets}
        window = {"low": low, "high": min(high, self.cut.valid)}
        query = cypher.incoming if (low, high) == (0, FOREVER) else cypher.incoming_within
        for target, source, at, seq in self._each(query(kind), list(answer), **window):
            answer[target].append(Edge(kind, source, target, at, seq))
        return {key: sorted(edges, key=attrgetter("at", "seq", "source")) for key, edges in answer.items()}

    def latest(self, kind: EdgeKind, target: str, *, before: int, limit: int) -> list[Edge]:
        window = {"low": 0, "high": min(before - 1, self.cut.valid), "limit": limit}
        rows = self._each(cypher.latest(kind), [target], **window)
        return [Edge(kind, source, target, at, seq) for _, source, at, seq in rows]

    def last(self, kind: EdgeKind, targets: Iterable[str], *, limit: int) -> dict[str, list[Edge]]:
        answer: dict[str, list[Edge]] = {target: [] for target in targets}
        window = {"low": 0, "high": self.cut.valid, "limit": limit}
        for target, source, at, seq in self._each(cypher.latest(kind), list(answer), **window):
            answer[target].append(Edge(kind, source, target, at, seq))
        latest_first = attrgetter("at", "seq", "source")
        return {key: sorted(edges, key=latest_first, reverse=True) for key, edges in answer.items()}

    def earliest(self, kind: EdgeKind, target: str, *, after: int, limit: int) -> list[Edge]:
        window = {"low": min(after, FOREVER - 1) + 1, "high": self.cut.valid, "limit": limit}
        rows = self._each(cypher.earliest(kind), [target], **window)
        return [Edge(kind, source, target, at, seq) for source, at, seq in rows]

    def count(self, kind: EdgeKind, target: str, *, low: int, high: int) -> int:
        window = {"low": low, "high": min(high, self.cut.valid)}
        return sum(count for (count,) in self._each(cypher.count(kind), [target], **window))

    def mentions(self, entities: Iterable[str]) -> dict[str, list[Mention]]:
        answer: dict[str, list[Mention]] = {entity: [] for entity in entities}
        for entity, bundle, at, seq, actor in self._each(cypher.MENTIONS, list(answer)):
            answer[entity].append(Mention(entity, bundle, at, seq, actor))
        return {key: sorted(some, key=attrgetter("at", "bundle", "actor")) for key, some in answer.items()}

    def bundles(self, digests: Iterable[str]) -> dict[str, Mapping[str, str]]:
        return {bundle: dict(facets) for bundle, facets in self._each(cypher.BUNDLES, _distinct(digests))}

    def bodies(self, digests: Iterable[str]) -> dict[str, bytes]:
        return {one: body.encode() for one, body in self._each(cypher.BODIES, _distinct(digests))}

    def shapes(self, jobs: Iterable[str]) -> dict[str, list[ShapeSummary]] | None:
        """None, too, where the projection has moved on since this reader was made."""
        if self.cut != Cut(self.offset):
            return None
        answer: dict[str, list[ShapeSummary]] = {job: [] for job in jobs}
        for job, *summary in self._each(cypher.SHAPES, list(answer)):
            answer[job].append(ShapeSummary(*summary))
        if any(offset != self.offset for _, offset in self.ask(cypher.POSITION)):
            return None
        return {job: sorted(some, key=attrgetter("shape")) for job, some in answer.items()}

    def spans(self, datasets: Iterable[str]) -> dict[str, int]:
        answer = dict.fromkeys(datasets, 0)
        return answer | dict(self._each(cypher.SPANS, list(answer)))

    def search(self, words: Sequence[str], kinds: Iterable[NodeKind]) -> list[NodeRecord]:
        prefixes = wanted(words)
        if not prefixes:
            return []
        query = " AND ".join(f"{prefix[:PREFIX]}*" for prefix in prefixes[:PREFIXES])
        labels = [cypher.LABELS[kind] for kind in _distinct(kinds) if kind in cypher.LABELS.keys() - ACTS]
        rows = (row for label in labels for row in self.ask(cypher.named(label), words=query))
        nodes = [node for node in self._records(rows) if found(node.name, prefixes)]
        return sorted(nodes, key=attrgetter("name", "id"))

    def of_kind(self, kind: NodeKind) -> list[NodeRecord]:
        if kind not in cypher.LABELS:
            return []
        nodes = self._records(self.ask(cypher.labelled(cypher.LABELS[kind])))
        return sorted(nodes, key=attrgetter("namespace", "name", "id"))

    def _each(self, query: str, keys: Iterable[Any], **window: int) -> Iterator[list[Any]]:
        keys = [key for key in keys if _can_exist(key)]
        at_cut = {"known": self.cut.known, "valid": self.cut.valid} | window
        for start in range(0, len(keys), KEYS):
            yield from self.ask(query, keys=keys[start : start + KEYS], **at_cut)

    def _records(self, rows: Iterable[Sequence[Any]]) -> Iterator[NodeRecord]:
        return (node for row in rows if (node := record_of(row, self.cut)))


def record_of(row: Sequence[Any], cut: Cut) -> NodeRecord | None:
    """The node as the cut sees it: with the smallest `at` and, apart from it, the smallest `seq` of what is visible."""
    id_, kind, namespace, name, owner, label, flat = row
    sightings = zip(flat[::2], flat[1::2], strict=True)
    seen = [(at, seq) for at, seq in sightings if at <= cut.valid and seq < cut.known]
    if not seen:
        return None
    at, seq = min(at for at, _ in seen), min(seq for _, seq in seen)
    return NodeRecord(id_, NodeKind(kind), namespace, name, seq, at, owner, label)


def _can_exist(key: str | int) -> bool:
    """What Neo4j cannot even be asked for: lone surrogates, and numbers of more than 64 bits."""
    return key.isascii() or not _SURROGATE.search(key) if isinstance(key, str) else -FOREVER <= key <= FOREVER


def _distinct(keys: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(keys))
