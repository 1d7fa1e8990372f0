"""Every fact in Neo4j without log positions, read as a stream."""

from collections.abc import Iterator
from typing import Any

import neo4j

from catalog.graph import cypher, digest
from catalog.graph.contract import FOREVER, Cut, EdgeKind
from catalog.graph.neo4j_reads import record_of
from catalog.graph.record import decode

ALL = Cut(FOREVER)


def facts(tx: neo4j.Transaction) -> Iterator[bytes]:
    """The images that `catalog.graph.digest` makes of everything that the transaction sees."""
    for row in _rows(tx, cypher.ALL_NODES):
        if node := record_of(row, ALL):
            yield digest.node_fact(node)
    for kind in EdgeKind:
        for source, target, at in _rows(tx, cypher.all_edges(kind)):
            yield digest.edge_fact(kind, source, target, at)
    for (record,) in _rows(tx, cypher.ALL_EVENTS):
        yield digest.event_fact(decode(record))
    for entity, bundle, at, actor in _rows(tx, cypher.ALL_MENTIONS):
        yield digest.mention_fact(entity, bundle, at, actor)
    for bundle, facets in _rows(tx, cypher.ALL_BUNDLES):
        yield digest.bundle_fact(bundle, dict(facets))
    for (body,) in _rows(tx, cypher.ALL_BODIES):
        yield digest.body_fact(body)
    for run, job, shape, first, last, succeeded in _rows(tx, cypher.ALL_SHAPES):
        yield digest.shape_fact(run, job, shape, first, last, succeeded)
    for dataset, span in _rows(tx, cypher.ALL_SPANS):
        yield digest.span_fact(dataset, span)


def _rows(tx: neo4j.Transaction, query: str) -> Iterator[Any]:
    return (record.values() for record in tx.run(query))
