"""One cut of `graph.db`, read through one connection in one transaction. Keys go in by the array, never singly."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, TypeAlias

import apsw
import msgspec

from catalog.graph.contract import (
    FOREVER,
    MOMENTS,
    Cut,
    Edge,
    EdgeKind,
    Mention,
    NodeRecord,
    ShapeSummary,
)
from catalog.graph.record import EventRecord
from catalog.graph.sqlite_names import INDEXED
from catalog.graph.sqlite_records import RecordDecoder
from catalog.graph.tokens import found, wanted
from catalog.identity import ACTS, NodeKind

decode_facets = msgspec.msgpack.Decoder(dict[str, str]).decode

_KINDS = {kind.value: kind for kind in NodeKind}
_ENDLESS = "\U0010ffff"  # no letter or digit, so behind every token with a given beginning

NODE = """
select k.key, kind.key, p.namespace, p.name,
    (select min(seq) from sighting s where s.node = n.id and s.at <= :valid and s.seq < :known),
    (select min(at) from sighting s where s.node = n.id and s.at <= :valid and s.seq < :known),
    owner.key, n.label
from {source}
cross join name k on k.id = n.id
cross join name kind on kind.id = n.kind
cross join place p on p.id = n.place
left join name owner on owner.id = n.owner
"""
_NODES = NODE.format(source="carray(:keys) v cross join name a on a.key = v.value cross join node n on n.id = a.id")
_NODES_OF_KIND = NODE.format(source="name a cross join node n on n.kind = a.id") + "where a.key = :kind"
_NODES_NAMED = NODE.format(
    source="(select distinct place from token where token >= :low and token < :high) t "
    "cross join carray(:keys) v cross join name a on a.key = v.value "
    "cross join node n on n.kind = a.id and n.place = t.place"
)

# Outside MOMENTS only the first that the cut sees of each (source, target) counts.
_FIRST = """
and not exists (
    select 1 from edge o
    where o.kind = e.kind and o.source = e.source and o.target = e.target and o.at < e.at and o.seq < :known
)
"""
_OUTGOING = """
select a.key, o.key, e.at, e.seq
from name k cross join carray(:keys) v cross join name a on a.key = v.value
cross join {table} e on e.kind = k.id and e.source = a.id and e.at between :low and :high and e.seq < :known
cross join name o on o.id = e.target
where k.key = :kind {first}
"""
_INCOMING = """
select o.key, a.key, e.at, e.seq
from name k cross join carray(:keys) v cross join name a on a.key = v.value
cross join {table} e indexed by {table}_target
    on e.kind = k.id and e.target = a.id and e.at between :low and :high and e.seq < :known
cross join name o on o.id = e.source
where k.key = :kind {first}
"""
_LATEST = """
select o.key, a.key, e.at, e.seq
from name k cross join name a on a.key = :target
cross join {table} e indexed by {table}_target
    on e.kind = k.id and e.target = a.id and e.at <= :high and e.seq < :known
cross join name o on o.id = e.source
where k.key = :kind {first}
order by e.at desc, e.seq desc, o.key desc limit :limit
"""
_EARLIEST = """
select o.key, a.key, e.at, e.seq
from name k cross join name a on a.key = :target
cross join {table} e indexed by {table}_target
    on e.kind = k.id and e.target = a.id and e.at between :low and :high and e.seq < :known
cross join name o on o.id = e.source
where k.key = :kind {first}
order by e.at, e.seq, o.key limit :limit
"""
_LAST = """
select o.key, a.key, e.at, e.seq
from name k cross join carray(:keys) v cross join name a on a.key = v.value
cross join moment e indexed by moment_target
    on e.kind = k.id and e.target = a.id and e.seq < :known and e.at <= :high and e.at >= coalesce((
        select m.at from moment m indexed by moment_target
        where m.kind = k.id and m.target = a.id and m.at <= :high and m.seq < :known
        order by m.at desc limit 1 offset :limit - 1), 0)
cross join name o on o.id = e.source
where k.key = :kind
"""
_COUNT = """
select count(distinct e.source)
from name k cross join name a on a.key = :target
cross join {table} e indexed by {table}_target
    on e.kind = k.id and e.target = a.id and e.at between :low and :high and e.seq < :known
where k.key = :kind {first}
"""

_RUN_EVENTS = """
select e.record
from carray(:keys) v cross join name a on a.key = v.value
cross join event e indexed by event_run on e.run = a.id and e.at <= :valid and e.seq < :known
order by e.at, e.seq
"""
_EVENTS = """
select e.seq, e.record
from carray(:seqs) v cross join event e on e.seq = v.value where e.at <= :valid and e.seq < :known
"""

# Steps from one distinct saying of an entity to the next, however often each was repeated.
_MENTIONS = """
with recursive pair (entity, saying) as (
    select a.id, (select min(saying) from mention where entity = a.id)
    from carray(:keys) v cross join name a on a.key = v.value
    union all
    select pair.entity,
        (select min(m.saying) from mention m where m.entity = pair.entity and m.saying > pair.saying)
    from pair where pair.saying is not null
)
select a.key, s.bundle, m.at, m.seq, s.actor
from pair cross join mention m on m.entity = pair.entity and m.saying = pair.saying and m.at = (
    select l.at from mention l
    where l.entity = pair.entity and l.saying = pair.saying and l.at <= :valid and l.seq < :known
    order by l.at desc limit 1
)
cross join saying s on s.id = pair.saying cross join name a on a.id = pair.entity
"""

_SHAPES = """
select a.key, sh.key, (
    select max(r.key) from run_shape l cross join name r on r.id = l.run
    where l.job = s.job and l.shape = s.shape and l.last = (
        select max(last) from run_shape m where m.job = s.job and m.shape = s.shape
    )
),
    (select min(first) from run_shape f where f.job = s.job and f.shape = s.shape),
    (select max(last) from run_shape m where m.job = s.job and m.shape = s.shape),
    s.runs
from carray(:keys) v cross join name a on a.key = v.value
cross join job_shape s on s.job = a.id cross join name sh on sh.id = s.shape
order by sh.key
"""
_SPANS = """
select a.key, s.micros from carray(:keys) v cross join name a on a.key = v.value cross join span s on s.dataset = a.id
"""
_BUNDLES = "select b.digest, b.facets from carray(:keys) v cross join bundle b on b.digest = v.value"
_BODIES = "select b.digest, b.body from carray(:keys) v cross join body b on b.digest = v.value"

Value: TypeAlias = "str | int | apsw.CArrayBinding"  # the class exists in apsw's stubs only


def _by_table(sql: str) -> Mapping[bool, str]:
    """The statement for kinds of which moments count, and for the others."""
    return {True: sql.format(table="moment", first=""), False: sql.format(table="edge", first=_FIRST)}


_OUTGOING_OF, _INCOMING_OF = _by_table(_OUTGOING), _by_table(_INCOMING)
_LATEST_OF, _EARLIEST_OF = _by_table(_LATEST), _by_table(_EARLIEST)
_COUNT_OF = _by_table(_COUNT)


@dataclass(frozen=True, slots=True)
class SqliteReader:
    """Good until its store's `read` ends."""

    connection: apsw.Connection
    records: RecordDecoder
    offset: int
    cut: Cut
    epoch: int
    _named: dict[str, NodeRecord | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def until(self, valid: int) -> "SqliteReader":
        return replace(self, cut=Cut(self.cut.known, min(valid, self.cut.valid)))

    def newest(self) -> int:
        rows = self._rows("select newest from event where seq < :known order by seq desc limit 1", known=self.cut.known)
        return next((newest for (newest,) in rows), 0)

    def nodes(self, ids: Iterable[str]) -> dict[str, NodeRecord]:
        """Each is looked up once: whoever works out evidence asks for the same few again and again."""
        wanted, named = set(ids), self._named
        missing = wanted - named.keys()
        if missing:
            named.update(dict.fromkeys(missing))
            named.update((node.id, node) for node in self._nodes(_NODES, missing))
        return {id_: node for id_ in wanted if (node := named[id_]) is not None}

    def run_events(self, runs: Iterable[str]) -> dict[str, list[EventRecord]]:
        answer: dict[str, list[EventRecord]] = {run: [] for run in runs}
        for (encoded,) in self._keyed(_RUN_EVENTS, answer, valid=self.cut.valid, known=self.cut.known):
            event = self.records.decode(encoded)
            answer[event.run or ""].append(event)
        return answer

    def events(self, seqs: Iterable[int]) -> dict[int, EventRecord]:
        visible = array("q", {seq for seq in seqs if 0 <= seq < self.cut.known})
        if not visible:
            return {}
        rows = self._rows(_EVENTS, seqs=apsw.carray(visible), valid=self.cut.valid, known=self.cut.known)
        return {seq: self.records.decode(encoded) for seq, encoded in rows}

    def outgoing(
        self, kind: EdgeKind, sources: Iterable[str], *, low: int = 0, high: int = FOREVER
    ) -> dict[str, list[Edge]]:
        answer: dict[str, list[Edge]] = {source: [] for source in sources}
        for edge in self._edges(_OUTGOING_OF, kind, answer, low, high):
            answer[edge.source].append(edge)
        return _sorted_each(answer, "target")

    def incoming(
        self, kind: EdgeKind, targets: Iterable[str], *, low: int = 0, high: int = FOREVER
    ) -> dict[str, list[Edge]]:
        answer: dict[str, list[Edge]] = {target: [] for target in targets}
        for edge in self._edges(_INCOMING_OF, kind, answer, low, high):
            answer[edge.target].append(edge)
        return _sorted_each(answer, "source")

    def latest(self, kind: EdgeKind, target: str, *, before: int, limit: int) -> list[Edge]:
        rows = self._towards(_LATEST_OF, kind, target, 0, before - 1, limit=limit)
        return [Edge(kind, *row) for row in rows]

    def earliest(self, kind: EdgeKind, target: str, *, after: int, limit: int) -> list[Edge]:
        if after == FOREVER:  # one more is no 64-bit integer
            return []
        rows = self._towards(_EARLIEST_OF, kind, target, after + 1, FOREVER, limit=limit)
        return [Edge(kind, *row) for row in rows]

    def last(self, kind: EdgeKind, targets: Iterable[str], *, limit: int) -> dict[str, list[Edge]]:
        answer: dict[str, list[Edge]] = {target: [] for target in targets}
        bindings = {"kind": kind.value, "high": self.cut.valid, "known": self.cut.known, "limit": limit}
        for source, target, at, seq in self._keyed(_LAST, answer, **bindings):
            answer[target].append(Edge(kind, source, target, at, seq))
        for edges in answer.values():
            edges.sort(key=attrgetter("at", "seq", "source"), reverse=True)
            del edges[limit:]  # several may share the last instant
        return answer

    def count(self, kind: EdgeKind, target: str, *, low: int, high: int) -> int:
        return next((count for (count,) in self._towards(_COUNT_OF, kind, target, low, high)), 0)

    def mentions(self, entities: Iterable[str]) -> dict[str, list[Mention]]:
        answer: dict[str, list[Mention]] = {entity: [] for entity in entities}
        for row in self._keyed(_MENTIONS, answer, valid=self.cut.valid, known=self.cut.known):
            answer[row[0]].append(Mention(*row))
        for mentions in answer.values():
            mentions.sort(key=attrgetter("at", "bundle", "actor"))
        return answer

    def bundles(self, digests: Iterable[str]) -> dict[str, Mapping[str, str]]:
        return {bundle: decode_facets(facets) for bundle, facets in self._keyed(_BUNDLES, digests)}

    def bodies(self, digests: Iterable[str]) -> dict[str, bytes]:
        return dict(self._keyed(_BODIES, digests))

    def shapes(self, jobs: Iterable[str]) -> dict[str, list[ShapeSummary]] | None:
        if self.cut != Cut(self.offset):
            return None
        answer: dict[str, list[ShapeSummary]] = {job: [] for job in jobs}
        for job, *summary in self._keyed(_SHAPES, answer):
            answer[job].append(ShapeSummary(*summary))
        return answer

    def spans(self, datasets: Iterable[str]) -> dict[str, int]:
        answer = dict.fromkeys(datasets, 0)
        answer.update(self._keyed(_SPANS, answer))
        return answer

    def search(self, words: Sequence[str], kinds: Iterable[NodeKind]) -> list[NodeRecord]:
        prefixes = wanted(words)
        if not prefixes:
            return []
        longest = max(prefixes, key=len)[:INDEXED]  # likely the rarest
        keys = (kind.value for kind in kinds if kind not in ACTS)
        nodes = self._nodes(_NODES_NAMED, keys, low=longest, high=longest + _ENDLESS)
        return sorted((node for node in nodes if found(node.name, prefixes)), key=attrgetter("name", "id"))

    def of_kind(self, kind: NodeKind) -> list[NodeRecord]:
        rows = self._rows(_NODES_OF_KIND, kind=kind.value, valid=self.cut.valid, known=self.cut.known)
        return sorted(visible_nodes(rows), key=attrgetter("namespace", "name", "id"))

    def _nodes(self, sql: str, keys: Iterable[str], **bindings: Value) -> list[NodeRecord]:
        rows = self._keyed(sql, keys, valid=self.cut.valid, known=self.cut.known, **bindings)
        return list(visible_nodes(rows))

    def _edges(
        self, sql: Mapping[bool, str], kind: EdgeKind, keys: Iterable[str], low: int, high: int
    ) -> Iterator[Edge]:
        rows = self._keyed(
            sql[kind in MOMENTS],
            keys,
            kind=kind.value,
            low=low,
            high=min(high, self.cut.valid),
            known=self.cut.known,
        )
        return (Edge(kind, *row) for row in rows)

    def _towards(
        self, sql: Mapping[bool, str], kind: EdgeKind, target: str, low: int, high: int, **bindings: Value
    ) -> list[Any]:
        if not _is_storable(target):
            return []
        return self._rows(
            sql[kind in MOMENTS],
            kind=kind.value,
            target=target,
            low=low,
            high=min(high, self.cut.valid),
            known=self.cut.known,
            **bindings,
        )

    def _keyed(self, sql: str, keys: Iterable[str], **bindings: Value) -> list[Any]:
        """The rows for these keys; a text that no entry can hold matches nothing."""
        storable = tuple(dict.fromkeys(key for key in keys if _is_storable(key)))
        return self._rows(sql, keys=apsw.carray(storable), **bindings) if storable else []

    def _rows(self, sql: str, **bindings: Value) -> list[Any]:
        return self.connection.execute(sql, bindings).fetchall()


def visible_nodes(rows: Iterable[Any]) -> Iterator[NodeRecord]:
    """Nodes of `NODE` rows, without those of which the cut sees no assertion."""
    for id_, kind, namespace, name, seq, at, owner, label in rows:
        if at is not None:
            yield NodeRecord(id_, _KINDS[kind], namespace, name, seq, at, owner, label)


def _sorted_each(answer: dict[str, list[Edge]], end: str) -> dict[str, list[Edge]]:
    for edges in answer.values():
        edges.sort(key=attrgetter("at", "seq", end))
    return answer


def _is_storable(key: str) -> bool:
    """NUL and lone surrogates are refused at the door, and an array cannot carry them."""
    try:
        return b"\0" not in key.encode()
    except UnicodeEncodeError:
        return False
