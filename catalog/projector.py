"""From log entries to assertions: a pure reading of each entry, and what the entries of one run say together.

The batch for a stretch of the log depends on the set of entries before it, never on how the log was cut into
batches, so an incremental projection and a rebuild end in the same facts.
"""

from collections.abc import Callable, Hashable, Sequence

from catalog.act import InterpretedAct
from catalog.assertions import (
    Erased,
    Interpreted,
    Part,
    declared_moments_of,
    mentions_of,
    nodes_of,
    senders_of,
    statements_of,
)
from catalog.graph.contract import FOREVER, MOMENTS, Batch, Edge, GraphStore, NodeRecord
from catalog.graph.record import EventRecord
from catalog.identity import NodeKind, field_id
from catalog.log.entry import Entry
from catalog.run_assertions import kept_reads_of, moments_of, root_edges_of, shapes_of, spans_of, vanished_shapes

PROJECTION = 4  # raised whenever the same entries give other facts
_REMEMBERED = 200_000  # assertions known to be in the store; forgetting one costs a write, never a fact
_REMEMBERED_PARTS = 8_000

Interpret = Callable[[Entry], Interpreted | InterpretedAct | Erased | None]


def projected_origin(origin: str, reading: str = "") -> str:
    """How a store names a log: by its origin, the projection that reads it, and the rules by which it does.

    A part of these rules is what was erased by then: see `erased_reading`.
    """
    return f"{origin}#{PROJECTION}" + (f"+{reading}" if reading else "")


def erased_reading(rules: str, generation: int) -> str:
    """The reading of a log by these rules that has lost bodies up to a generation (see `ErasureRegister`)."""
    return f"{rules}!{generation}" if generation else rules


def outdated(store: GraphStore, origin: str, reading: str = "") -> bool:
    """Whether a store holds this log as another version of the projection read it, or by other rules."""
    position = store.position()
    if position is None or position.origin == projected_origin(origin, reading):
        return False
    return _log_of(position.origin) == origin


def ahead(store: GraphStore, size: Callable[[], int]) -> bool:
    """Whether a store holds more than a log of this size: then the log is not the one that was projected.

    An older copy of a log that was put back has the same origin, and will get other entries at the positions that the
    store has passed.
    """
    position = store.position()
    return position is not None and position.offset > size()  # the size last: an honest log only grows


def _log_of(named: str) -> str:
    return named.partition("#")[0]


class Projector:
    """Fills one store from entries. Not for use by several threads.

    `origin` names the log, `reading` the rules by which `interpret` reads it. `outdated` tells whether its graph has
    to be emptied first.
    """

    def __init__(self, store: GraphStore, origin: str, interpret: Interpret, reading: str = "") -> None:
        self._store = store
        self._origin = projected_origin(origin, reading)
        self._interpret = interpret
        self._asserted: dict[Hashable, int] = {}  # what the store knows, and an `at` at which it does
        self._parts: dict[Part, int] = {}  # likewise what was handed over whole

    @property
    def offset(self) -> int:
        position = self._store.position()
        return position.offset if position else 0

    def project(self, entries: Sequence[Entry]) -> bool:
        """Add consecutive entries; False where the store had already moved on, and nothing changed."""
        if not entries:
            return True
        try:
            applied = self._project(entries)
        except BaseException:
            self._forget()  # what did not reach the store must be said again
            raise
        if not applied:
            self._forget()
        return applied

    def _forget(self) -> None:
        self._asserted.clear()
        self._parts.clear()

    def _project(self, entries: Sequence[Entry]) -> bool:
        batch = Batch()
        for entry in entries:
            interpreted = self._interpret(entry)
            if isinstance(interpreted, Erased):
                batch.edges += interpreted.edges()
                interpreted = interpreted.read
            if isinstance(interpreted, InterpretedAct):
                _add_act(batch, interpreted)
            elif interpreted is not None:
                self._add(batch, interpreted)
        self._add_runs(batch)
        return self._store.apply(batch, self._origin, entries[0].seq, entries[-1].seq + 1)

    # One event -------------------------------------------------------------------------------------------------

    def _add(self, batch: Batch, read: Interpreted) -> None:
        record = read.record
        seq, at = record.seq, record.at
        batch.events.append(record)
        for part in read.parts:
            if self._parts.get(part, FOREVER) > at:
                self._add_part(batch, part, seq, at)
        for statement in statements_of(record):
            if statement[0] in MOMENTS or self._is_news(statement, at):
                batch.edges.append(Edge(*statement, at, seq))
        batch.edges += [edge for edge in senders_of(read) if self._is_news((edge.kind, edge.source, edge.target), at)]
        batch.nodes += [node for node in nodes_of(read) if self._is_news(node.id, at)]
        batch.edges += declared_moments_of(record)
        batch.mentions += mentions_of(record)

    def _add_part(self, batch: Batch, part: Part, seq: int, at: int) -> None:
        """What a part refers to. Most parts come again and again as one object, and are looked at once."""
        if len(self._parts) >= _REMEMBERED_PARTS:
            self._parts.clear()
        self._parts[part] = at
        batch.bundles.update(part.bundles)
        batch.bodies.update(part.bodies)
        for kind, named in ((NodeKind.DATASET, part.datasets), (NodeKind.JOB, part.jobs)):
            for key, (namespace, name) in named.items():
                if self._is_news(key, at):
                    batch.nodes.append(NodeRecord(key, kind, namespace, name, seq, at))
        for dataset, paths in part.fields.items():
            namespace, name = part.datasets[dataset]
            for path in sorted(paths):
                if self._is_news((dataset, path), at):  # asked before hashing
                    key = field_id(dataset, path)
                    batch.nodes.append(NodeRecord(key, NodeKind.FIELD, namespace, name, seq, at, dataset, path))

    def _is_news(self, key: Hashable, at: int) -> bool:
        """Whether no earlier entry with an ordering time as early made this assertion."""
        if self._asserted.get(key, FOREVER) <= at:
            return False
        if len(self._asserted) >= _REMEMBERED:
            self._asserted.clear()
        self._asserted[key] = at
        return True

    # One run ---------------------------------------------------------------------------------------------------

    def _add_runs(self, batch: Batch) -> None:
        """What the events of a run say only together: moments, shape and length."""
        fresh: dict[str, list[EventRecord]] = {}
        for record in batch.events:
            if record.run is not None:
                fresh.setdefault(record.run, []).append(record)
        if not fresh:
            return
        with self._store.read() as reader:
            stored = reader.run_events(fresh)
        for uuid, added in fresh.items():
            known = {event.seq: event for event in stored[uuid]} | {event.seq: event for event in added}
            events = list(known.values())
            batch.edges += moments_of(events) + kept_reads_of(events) + root_edges_of(events)
            batch.shapes += shapes_of(uuid, events) + vanished_shapes(uuid, stored[uuid], events)
            for dataset, span in spans_of(events).items():
                batch.spans[dataset] = max(span, batch.spans.get(dataset, 0))


def _add_act(batch: Batch, act: InterpretedAct) -> None:
    batch.nodes.append(act.node)
    batch.edges += act.edges
    batch.bodies.update(act.bodies)
