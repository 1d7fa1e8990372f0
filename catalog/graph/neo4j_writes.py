"""One batch into Neo4j: what is there is looked up first, so that a write costs what is new and not what is known.

This reads and writes in turn, which is safe because the projection's lock is held. Rows are sent in the order of the
batch, never one by one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import neo4j
import orjson

from catalog.graph import cypher
from catalog.graph.contract import MOMENTS, Batch, Edge, EdgeKind, Mention, NodeRecord
from catalog.graph.record import EventRecord, encode
from catalog.graph.tokens import tokens
from catalog.identity import ACTS, NodeKind, digest, structure

ROWS = 10_000  # a statement's: a list is held in memory on both sides

# Of an act's body: texts that somebody who looks at the graph would want to see.
SHOWN = (
    "environment",
    "use",
    "role",
    "reason",
    "pack",
    "control",
    "severity",
    "type",
    "state",
    "validUntil",
    "expiresAt",
)

Row = list[Any]
Pair = tuple[int, int]  # (at, seq)

FROM_RUNS = frozenset(
    {
        EdgeKind.USED,
        EdgeKind.READ,
        EdgeKind.GENERATED,
        EdgeKind.WROTE,
        EdgeKind.REPLACED,
        EdgeKind.DROPPED,
        EdgeKind.RUN_OF,
        EdgeKind.CHILD_OF,
    }
)


def write(tx: neo4j.ManagedTransaction, batch: Batch) -> None:
    """Add what the batch has and the graph has not."""
    ends = _ends(batch)
    there = _Hubs.look_up(tx, ends.keys() | {node.id for node in batch.nodes})
    ((last,),) = tx.run(cypher.LAST_EVENT).values() or ((-1,),)
    _add_events(tx, batch, ends, there)
    _add_nodes(tx, batch.nodes, there)
    _add_hubs(tx, batch, ends, there)
    _send(tx, cypher.ADD_RUN_EVENTS, ([event.seq, event.run] for event in batch.events if event.run))
    _add_edges(tx, batch.edges, there)
    _add_facets(tx, batch)
    _add_mentions(tx, batch.mentions, last)
    _add_shapes(tx, batch)
    _send(tx, cypher.ADD_SPANS, ([dataset, span] for dataset, span in batch.spans.items()))
    _mark_roles(tx, batch, there)
    _describe_acts(tx, batch)


def front(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs that no other dominates, in the order in which the log brought them: `at` falls as `seq` grows."""
    kept: list[Pair] = []
    for at, seq in sorted(pairs, key=lambda pair: pair[::-1]):
        if not kept or at < kept[-1][0]:
            kept.append((at, seq))
    return kept


def opaque(prefix: str, *parts: str) -> str:
    """A key of this store's own, for what has no id in the catalog."""
    return f"{prefix}_{digest(*parts)[:16].hex()}"


def naming(name: str) -> str:
    """The key of all names that have these words."""
    return opaque("nm", " ".join(tokens(name)))


@dataclass(slots=True)
class _Hubs:
    """Which ids the graph has, as mere ends of edges or as nodes with their sightings."""

    known: set[str] = field(default_factory=set)  # before this batch
    made: set[str] = field(default_factory=set)  # by this batch so far
    sightings: dict[str, list[Pair]] = field(default_factory=dict)

    @classmethod
    def look_up(cls, tx: neo4j.ManagedTransaction, ids: Iterable[str]) -> "_Hubs":
        hubs = cls()
        for id_, is_node, flat in _ask(tx, cypher.SIGHTINGS, sorted(ids)):
            hubs.known.add(id_)
            if is_node:
                hubs.sightings[id_] = list(zip(flat[::2], flat[1::2], strict=True))
        return hubs


def _ends(batch: Batch) -> dict[str, str]:
    """Every key that something of the batch hangs on, with the label that it shows."""
    runs = {event.run for event in batch.events if event.run} | {shape.run for shape in batch.shapes}
    others = {mention.entity for mention in batch.mentions} | {shape.job for shape in batch.shapes}
    others.update(batch.spans)
    for edge in batch.edges:
        (runs if edge.kind in FROM_RUNS else others).add(edge.source)
        (runs if edge.kind is EdgeKind.CHILD_OF else others).add(edge.target)
    roles = {edge.target for edge in batch.edges if edge.kind is EdgeKind.HAS_ROLE}
    kinds = {edge.target for edge in batch.edges if edge.kind is EdgeKind.CONCERNS and structure(edge.target) is None}
    senders = {edge.target for edge in batch.edges if edge.kind is EdgeKind.TOLD_BY}
    aliases = {edge.target for edge in batch.edges if edge.kind is EdgeKind.ALIASED and structure(edge.target) is None}
    words = dict.fromkeys(senders, "Sender") | dict.fromkeys(kinds, "Kind") | dict.fromkeys(roles, "Role")
    words |= dict.fromkeys(aliases, "Alias")
    return {id_: _label(id_) for id_ in others} | words | dict.fromkeys(runs, "Run")


def _label(id_: str) -> str:
    kind = structure(id_)
    return cypher.LABELS[kind] if kind else "Node"


def _add_hubs(tx: neo4j.ManagedTransaction, batch: Batch, ends: dict[str, str], there: _Hubs) -> None:
    names = {node.label: (node.namespace, node.name) for node in batch.nodes if node.kind is NodeKind.RUN}
    names |= {event.run: (event.job_namespace, event.job_name) for event in batch.events}
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for id_ in sorted(ends.keys() - there.known - there.made):
        rows[ends[id_]].append([id_, *(names.get(id_, (None, None)) if ends[id_] == "Run" else ())])
    for label, some in rows.items():
        _send(tx, cypher.ADD_HUBS[label], some)


def _add_nodes(tx: neo4j.ManagedTransaction, nodes: Iterable[NodeRecord], there: _Hubs) -> None:
    first: dict[str, NodeRecord] = {}
    pairs: defaultdict[str, list[Pair]] = defaultdict(list)
    for node in nodes:
        first.setdefault(node.id, node)
        pairs[node.id].append((node.at, node.seq))
    added: defaultdict[str, list[Row]] = defaultdict(list)
    sighted: list[Row] = []
    for id_, node in first.items():
        held = there.sightings.get(id_, [])
        if (sightings := front([*held, *pairs[id_]])) == held:
            continue
        seen = _sighting_columns(sightings)
        if held:
            sighted.append([id_, *seen])
        else:
            added[cypher.LABELS[node.kind]].append([*_node_columns(node), *seen])
    names = sorted({node.name for node in first.values() if node.id not in there.sightings and node.kind not in ACTS})
    _send(tx, cypher.ADD_NAMINGS, ([naming(name), " ".join(tokens(name))] for name in names))
    for label, rows in added.items():
        _send(tx, cypher.add_nodes(label), rows)
        there.made.update(row[0] for row in rows)
    _send(tx, cypher.SIGHT_NODES, sighted)


def _node_columns(node: NodeRecord) -> Row:
    words = None if node.kind in ACTS else naming(node.name)
    return [node.id, node.kind.value, node.namespace, node.name, node.owner, node.label, words]


def _sighting_columns(sightings: Sequence[Pair]) -> Row:
    """The smallest `at`, the smallest `seq`, and all pairs where these two come from different ones."""
    flat = [number for pair in sightings for number in pair]
    return [sightings[-1][0], sightings[0][1], flat if len(sightings) > 1 else None]


def _add_events(tx: neo4j.ManagedTransaction, batch: Batch, ends: dict[str, str], there: _Hubs) -> None:
    ordered = sorted(batch.events, key=lambda event: event.seq)
    seqs = {event.seq for event in ordered}
    _send(tx, cypher.ADD_EVENTS, _event_rows(tx, ordered))
    _send(tx, cypher.ADD_EVENT_HUBS, sorted({mention.seq for mention in batch.mentions} - seqs))
    declaring = {seq: str(seq) for seq in seqs if str(seq) in ends and str(seq) not in there.known}
    _send(tx, cypher.DECLARE_EVENTS, map(list, declaring.items()))
    there.made.update(declaring.values())


def _event_rows(tx: neo4j.ManagedTransaction, ordered: Sequence[EventRecord]) -> Iterator[Row]:
    """With the newest received time up to each, so that nobody has to look for it among all."""
    peak = 0
    for position, event in enumerate(ordered):
        if position == 0 and (before := tx.run(cypher.PEAK_BEFORE, known=event.seq).values()):
            peak = before[0][0]
        peak = max(peak, event.recorded)
        yield [event.seq, event.at, peak, event.type, event.time, event.actor, encode(event)]


def _add_edges(tx: neo4j.ManagedTransaction, edges: Iterable[Edge], there: _Hubs) -> None:
    by_kind: defaultdict[EdgeKind, list[Edge]] = defaultdict(list)
    for edge in edges:
        by_kind[edge.kind].append(edge)
    for kind, some in by_kind.items():
        if kind in MOMENTS:
            _add_moments(tx, kind, some, there)
        else:
            _add_firsts(tx, kind, some, there)


def _add_moments(tx: neo4j.ManagedTransaction, kind: EdgeKind, edges: Iterable[Edge], there: _Hubs) -> None:
    seqs: dict[tuple[str, str, int], int] = {}
    for edge in edges:
        key = (edge.source, edge.target, edge.at)
        seqs[key] = min(edge.seq, seqs.get(key, edge.seq))
    doubtful, new = _split(([*key, seq] for key, seq in seqs.items()), there)
    _send(tx, cypher.create_moments(kind), new)
    _send(tx, cypher.merge_moments(kind), doubtful)


def _add_firsts(tx: neo4j.ManagedTransaction, kind: EdgeKind, edges: Iterable[Edge], there: _Hubs) -> None:
    """Edges of which only the first matters, at each size that the log has had."""
    pairs: defaultdict[tuple[str, str], list[Pair]] = defaultdict(list)
    for edge in edges:
        pairs[edge.source, edge.target].append((edge.at, edge.seq))
    doubtful, _ = _split(map(list, pairs), there)
    held = _held_edges(tx, kind, doubtful)
    created: list[Row] = []
    changed: list[Row] = []
    dropped: list[Row] = []
    for ends, some in pairs.items():
        before = held.get(ends, [])
        after = front([*before, *some])
        if after == before:
            continue
        times = {at for at, _ in before}
        for (at, seq), until in zip(after, [seq for _, seq in after[1:]] + [None], strict=True):
            (changed if at in times else created).append([*ends, at, seq, until])
        dropped += [[*ends, at] for at in times - {at for at, _ in after}]
    _send(tx, cypher.drop_edges(kind), dropped)
    _send(tx, cypher.change_edges(kind), changed)
    _send(tx, cypher.create_edges(kind), created)


def _split(rows: Iterable[Row], there: _Hubs) -> tuple[list[Row], list[Row]]:
    """Rows of edges that may be there already, as both ends are, and those of new ones."""
    doubtful: list[Row] = []
    new: list[Row] = []
    for row in rows:
        (doubtful if there.known.issuperset(row[:2]) else new).append(row)
    return doubtful, new


def _held_edges(tx: neo4j.ManagedTransaction, kind: EdgeKind, ends: list[Row]) -> dict[tuple[str, str], list[Pair]]:
    rows = _ask(tx, cypher.held_edges(kind), ends)
    return {(source, target): front(map(tuple, pairs)) for source, target, pairs in rows}


def _add_facets(tx: neo4j.ManagedTransaction, batch: Batch) -> None:
    new_bodies = _missing(tx, cypher.HELD_BODIES, batch.bodies)
    _send(tx, cypher.ADD_BODIES, ([one, batch.bodies[one].decode()] for one in new_bodies))
    new_bundles = _missing(tx, cypher.HELD_BUNDLES, batch.bundles)
    rows = ([one, [list(facet) for facet in sorted(batch.bundles[one].items())]] for one in new_bundles)
    _send(tx, cypher.ADD_BUNDLES, rows)


def _add_mentions(tx: neo4j.ManagedTransaction, mentions: Sequence[Mention], last: int) -> None:
    """Events behind the last one have said nothing yet."""
    statements: dict[str, Mention] = {}
    rows: dict[tuple[str, int, int], None] = {}
    for mention in mentions:
        id_ = opaque("st", mention.entity, mention.bundle, mention.actor)
        statements.setdefault(id_, mention)
        rows[id_, mention.seq, mention.at] = None
    new = ((id_, statements[id_]) for id_ in _missing(tx, cypher.HELD_STATEMENTS, statements))
    _send(tx, cypher.ADD_STATEMENTS, ([id_, one.entity, one.bundle, one.actor] for id_, one in new))
    _send(tx, cypher.CREATE_MENTIONS, (list(row) for row in rows if row[1] > last))
    _send(tx, cypher.MERGE_MENTIONS, (list(row) for row in rows if row[1] <= last))


def _add_shapes(tx: neo4j.ManagedTransaction, batch: Batch) -> None:
    last = {shape.run: shape for shape in batch.shapes}
    ids = {run: opaque("sh", shape.job, shape.shape) for run, shape in last.items()}
    new = {ids[run]: [ids[run], shape.job, shape.shape] for run, shape in last.items()}
    _send(tx, cypher.ADD_SHAPES, new.values())
    _send(tx, cypher.RESHAPE_RUNS, ([run, id_] for run, id_ in ids.items()))
    rows = ([run, ids[run], shape.first, shape.last, shape.succeeded] for run, shape in last.items())
    _send(tx, cypher.SHAPE_RUNS, rows)


def _mark_roles(tx: neo4j.ManagedTransaction, batch: Batch, there: _Hubs) -> None:
    roles: defaultdict[str, set[str]] = defaultdict(set)
    for edge in batch.edges:
        if edge.kind is EdgeKind.HAS_ROLE:
            roles[edge.target].add(edge.source)
    for role, label in cypher.ROLES.items():
        _send(tx, cypher.mark(label), sorted(roles[role]))
    _send(tx, cypher.MARK_VERSIONS_OF_MODELS, sorted(roles["MODEL"]))
    versions = {node.id for node in batch.nodes if node.kind is NodeKind.DATASET_VERSION}
    _send(tx, cypher.MARK_MODEL_VERSIONS, sorted(versions - there.sightings.keys()))


def _describe_acts(tx: neo4j.ManagedTransaction, batch: Batch) -> None:
    acts = [node for node in batch.nodes if node.kind in ACTS and node.label in batch.bodies]
    _send(tx, cypher.DESCRIBE_ACTS, ([act.id, _shown(act.name, batch.bodies[act.label or ""])] for act in acts))


def _shown(verb: str, body: bytes) -> dict[str, str]:
    """The properties that an act shows."""
    told = orjson.loads(body)
    by = told.get("by", {})
    said = {name: told.get(name) for name in SHOWN} | {name: by.get(name) for name in ("principal", "person")}
    return {"verb": verb} | {name: value for name, value in said.items() if isinstance(value, str)}


def _missing(tx: neo4j.ManagedTransaction, held: str, keys: Iterable[str]) -> list[str]:
    """The keys that the query does not find, in their order."""
    wanted = list(keys)
    found = {key for (key,) in _ask(tx, held, wanted)}
    return [key for key in wanted if key not in found]


def _ask(tx: neo4j.ManagedTransaction, query: str, rows: Sequence[Any]) -> Iterator[Row]:
    for start in range(0, len(rows), ROWS):
        yield from tx.run(query, rows=rows[start : start + ROWS]).values()


def _send(tx: neo4j.ManagedTransaction, query: str, rows: Iterable[Any]) -> None:
    every = list(rows)
    for start in range(0, len(every), ROWS):
        tx.run(query, rows=every[start : start + ROWS]).consume()
