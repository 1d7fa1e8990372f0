"""How a batch becomes rows: bulk statements, and caches that keep what is known already from becoming statements.

A cache holds only what this connection committed or read. It is dropped when a transaction fails and when another
connection wrote. What it does not know is inserted unasked, dominated or not: asking first costs as much as a row.
"""

from array import array
from collections import Counter
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import apsw
import msgspec

from catalog.graph.contract import MOMENTS, Batch, Edge, Mention, NodeRecord, RunShape
from catalog.graph.record import EventRecord
from catalog.graph.sqlite_names import Names, drop_oldest
from catalog.graph.sqlite_records import RecordEncoder

encode_facets = msgspec.msgpack.Encoder().encode

_in_log_order = attrgetter("seq")

_ADD_EDGE = """
insert into {table} (kind, source, target, at, seq) values (?, ?, ?, ?, ?)
on conflict do update set seq = excluded.seq where excluded.seq < seq
"""
_ADD_SIGHTING = """
insert into sighting (node, at, seq) values (?, ?, ?)
on conflict do update set seq = excluded.seq where excluded.seq < seq
"""
_ADD_MENTION = """
insert into mention (entity, saying, at, seq) values (?, ?, ?, ?)
on conflict do update set seq = excluded.seq where excluded.seq < seq
"""
_ADD_SPAN = """
insert into span (dataset, micros) values (?, ?)
on conflict do update set micros = excluded.micros where excluded.micros > micros
"""
_COUNT_SHAPES = """
insert into job_shape (job, shape, runs) values (?, ?, ?) on conflict do update set runs = runs + excluded.runs
"""


class Writer:
    """Adds batches through one connection, inside transactions that its owner begins and ends."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._names = Names(connection)
        self._records = RecordEncoder(connection)
        self._version = -1
        self.forget()

    def forget(self) -> None:
        """Drop the caches."""
        self._names.forget()
        self._records.forget()
        self._sighted: dict[str, int] = {}  # id → an `at` at which it is stored, for what comes later in the log
        self._asserted: dict[tuple[str, str, str], int] = {}  # (kind, source, target) → likewise

    def add(self, batch: Batch) -> None:
        """Add everything in the batch."""
        self._forget_if_others_wrote()
        self._add_nodes(batch.nodes)
        self._add_edges(batch.edges)
        self._add_events(batch.events)
        self._add_mentions(batch.mentions)
        self._add_facets(batch)
        self._add_shapes(batch.shapes)
        self._add_spans(batch.spans)
        self._trim()

    def _forget_if_others_wrote(self) -> None:
        version = self._connection.pragma("data_version")
        if version != self._version:
            self.forget()
            self._version = version

    def _trim(self) -> None:
        self._names.trim()
        drop_oldest(self._sighted)
        drop_oldest(self._asserted)

    def _add_nodes(self, nodes: list[NodeRecord]) -> None:
        news = self._unsighted(nodes)
        if not news:
            return
        names = self._names.of_keys(key for node in news for key in (node.id, node.owner, node.kind) if key)
        places = self._names.of_places((node.namespace, node.name) for node in news)
        self._connection.executemany(
            "insert into node (id, kind, place, owner, label) values (?, ?, ?, ?, ?) on conflict do nothing",
            [
                (
                    names[node.id],
                    names[node.kind],
                    places[node.namespace, node.name],
                    names[node.owner] if node.owner else None,
                    node.label,
                )
                for node in news
            ],
        )
        self._connection.executemany(_ADD_SIGHTING, [(names[node.id], node.at, node.seq) for node in news])

    def _unsighted(self, nodes: list[NodeRecord]) -> list[NodeRecord]:
        sighted, news = self._sighted, []
        for node in sorted(nodes, key=_in_log_order):
            at = sighted.get(node.id)
            if at is None or node.at < at:
                sighted[node.id] = node.at
                news.append(node)
        return news

    def _add_edges(self, edges: list[Edge]) -> None:
        moments = [edge for edge in edges if edge.kind in MOMENTS]
        firsts = self._unasserted([edge for edge in edges if edge.kind not in MOMENTS])
        self._connection.executemany(_ADD_EDGE.format(table="moment"), self._edge_rows(moments))
        self._connection.executemany(_ADD_EDGE.format(table="edge"), self._edge_rows(firsts))

    def _unasserted(self, edges: list[Edge]) -> list[Edge]:
        asserted, news = self._asserted, []
        for edge in sorted(edges, key=_in_log_order):
            key = (edge.kind, edge.source, edge.target)
            at = asserted.get(key)
            if at is None or edge.at < at:
                asserted[key] = edge.at
                news.append(edge)
        return news

    def _edge_rows(self, edges: list[Edge]) -> list[tuple[int, int, int, int, int]]:
        """Sorted, so that neighbours in the tree follow each other."""
        names = self._names.of_keys(key for edge in edges for key in (edge.kind, edge.source, edge.target))
        return sorted((names[edge.kind], names[edge.source], names[edge.target], edge.at, edge.seq) for edge in edges)

    def _add_events(self, events: list[EventRecord]) -> None:
        names = self._names.of_keys(event.run for event in events if event.run is not None)
        newest = self._newest()
        rows = []
        for event in sorted(events, key=_in_log_order):
            newest = max(newest, event.recorded)
            run = None if event.run is None else names[event.run]
            rows.append((event.seq, run, event.at, newest, self._records.encode(event)))
        self._connection.executemany("insert into event (seq, run, at, newest, record) values (?, ?, ?, ?, ?)", rows)
        if rows:
            self._records.train(rows[-1][0])

    def _newest(self) -> int:
        row = self._connection.execute("select newest from event order by seq desc limit 1").fetchone()
        return row[0] if row else 0

    def _add_mentions(self, mentions: list[Mention]) -> None:
        names = self._names.of_keys(mention.entity for mention in mentions)
        sayings = self._names.of_sayings((mention.bundle, mention.actor) for mention in mentions)
        self._connection.executemany(
            _ADD_MENTION,
            sorted((names[one.entity], sayings[one.bundle, one.actor], one.at, one.seq) for one in mentions),
        )

    def _add_facets(self, batch: Batch) -> None:
        self._connection.executemany(
            "insert into bundle (digest, facets) values (?, ?) on conflict do nothing",
            [(bundle, encode_facets(facets)) for bundle, facets in batch.bundles.items()],
        )
        self._connection.executemany(
            "insert into body (digest, body) values (?, ?) on conflict do nothing", batch.bodies.items()
        )

    def _add_shapes(self, shapes: list[RunShape]) -> None:
        latest = {shape.run: shape for shape in shapes}
        names = self._names.of_keys(key for one in latest.values() for key in (one.run, one.job, one.shape))
        rows = [
            (names[one.run], names[one.job], names[one.shape], one.first, one.last, one.succeeded)
            for one in latest.values()
        ]
        self._count_shapes(rows)
        self._connection.executemany(
            "insert or replace into run_shape (run, job, shape, first, last, succeeded) values (?, ?, ?, ?, ?, ?)", rows
        )

    def _count_shapes(self, rows: list[tuple[int, int, int, int, int, int]]) -> None:
        """Keep the number of runs of each shape, before the runs' rows change."""
        change = Counter((job, shape) for _, job, shape, *_ in rows)
        change.subtract(self._shapes_of([run for run, *_ in rows]))
        self._connection.executemany(
            _COUNT_SHAPES, [(job, shape, runs) for (job, shape), runs in change.items() if runs]
        )
        fewer = [pair for pair, runs in change.items() if runs < 0]
        self._connection.executemany("delete from job_shape where job = ? and shape = ? and runs = 0", fewer)

    def _shapes_of(self, runs: list[int]) -> list[tuple[int, int]]:
        if not runs:
            return []
        rows: Any = self._connection.execute(
            "select s.job, s.shape from carray(?) v cross join run_shape s on s.run = v.value",
            (apsw.carray(array("q", runs)),),
        )
        return list(rows)

    def _add_spans(self, spans: Mapping[str, int]) -> None:
        names = self._names.of_keys(spans)
        self._connection.executemany(_ADD_SPAN, [(names[dataset], span) for dataset, span in spans.items()])
