"""Every fact of `graph.db`, streamed."""

from collections.abc import Iterator
from typing import Any

import apsw

from catalog.graph import digest
from catalog.graph.contract import FOREVER, EdgeKind
from catalog.graph.sqlite_reads import NODE, decode_facets, visible_nodes
from catalog.graph.sqlite_records import RecordDecoder

_NODE_FACTS = NODE.format(source="node n")
_EDGE_FACTS = """
select k.key, s.key, t.key, min(e.at)
from edge e cross join name k on k.id = e.kind cross join name s on s.id = e.source cross join name t on t.id = e.target
group by e.kind, e.source, e.target
"""
_MOMENT_FACTS = """
select k.key, s.key, t.key, e.at
from moment e cross join name k on k.id = e.kind cross join name s on s.id = e.source
cross join name t on t.id = e.target
where k.key <> 'DECLARED'
"""
_DECLARED_FACTS = """
select k.key, '', t.key, e.at
from name k cross join moment e indexed by moment_target on e.kind = k.id cross join name t on t.id = e.target
where k.key = 'DECLARED' group by e.target, e.at
"""
_MENTION_FACTS = """
select a.key, s.bundle, m.at, s.actor
from mention m cross join name a on a.id = m.entity cross join saying s on s.id = m.saying
"""
_SHAPE_FACTS = """
select r.key, j.key, s.key, x.first, x.last, x.succeeded
from run_shape x cross join name r on r.id = x.run cross join name j on j.id = x.job cross join name s on s.id = x.shape
"""
_SPAN_FACTS = "select a.key, s.micros from span s cross join name a on a.id = s.dataset"


def facts(connection: apsw.Connection, records: RecordDecoder) -> Iterator[bytes]:
    """The images of all facts, inside the caller's transaction."""
    nodes = connection.execute(_NODE_FACTS, {"valid": FOREVER, "known": FOREVER})
    yield from map(digest.node_fact, visible_nodes(nodes))
    yield from _edges(connection)
    for (encoded,) in connection.execute("select record from event"):
        yield digest.event_fact(records.decode(encoded))
    yield from (digest.mention_fact(*row) for row in _rows(connection, _MENTION_FACTS))
    for bundle, facets in connection.execute("select digest, facets from bundle"):
        yield digest.bundle_fact(bundle, decode_facets(facets))
    yield from (digest.body_fact(*row) for row in _rows(connection, "select digest from body"))
    yield from (digest.shape_fact(*row) for row in _rows(connection, _SHAPE_FACTS))
    yield from (digest.span_fact(*row) for row in _rows(connection, _SPAN_FACTS))


def _edges(connection: apsw.Connection) -> Iterator[bytes]:
    for sql in (_EDGE_FACTS, _MOMENT_FACTS, _DECLARED_FACTS):
        for kind, source, target, at in connection.execute(sql):
            yield digest.edge_fact(EdgeKind(kind), source, target, at)


def _rows(connection: apsw.Connection, sql: str) -> Iterator[tuple[Any, ...]]:
    yield from connection.execute(sql)
