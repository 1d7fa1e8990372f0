"""A graph in 64 characters: equal for equal facts, however and in whatever order they arrived.

The digest is the sum, modulo 2^256, of the SHA-256 of each fact. Adding needs no sorting, so it runs over millions of
rows in constant memory. It tells a faulty projection from a right one; it is no commitment against somebody who may
choose the facts (sums of hashes fall to generalised birthday attacks), for which there is the log's Merkle tree.

The images of facts are made here, so that every store gives the same ones. They hold no log position.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from catalog.graph.contract import EdgeKind, GraphStore, NodeRecord
from catalog.graph.record import EventRecord

_encode = msgspec.msgpack.Encoder().encode


def digest(store: GraphStore) -> str:
    """64 hex characters over `store.facts()`; 64 zeros for an empty store."""
    total = sum(int.from_bytes(hashlib.sha256(fact).digest(), "big") for fact in store.facts())
    return f"{total % (1 << 256):064x}"


def node_fact(node: NodeRecord) -> bytes:
    """A node; `node.at` must be the smallest of all its assertions."""
    return _encode(("node", node.id, node.kind, node.namespace, node.name, node.owner, node.label, node.at))


def edge_fact(kind: EdgeKind, source: str, target: str, at: int) -> bytes:
    """An edge at one moment, or at its smallest `at` outside MOMENTS; DECLARED without its source, a position."""
    return _encode(("edge", kind, None if kind is EdgeKind.DECLARED else source, target, at))


def event_fact(event: EventRecord) -> bytes:
    """An event without where and when it entered the log."""
    return _encode(("event", msgspec.structs.replace(event, seq=0, recorded=0)))


def mention_fact(entity: str, bundle: str, at: int, actor: str) -> bytes:
    return _encode(("mention", entity, bundle, at, actor))


def bundle_fact(bundle: str, facets: Mapping[str, str]) -> bytes:
    return _encode(("bundle", bundle, sorted(facets.items())))


def body_fact(body: str) -> bytes:
    """A facet body by its digest, which stands for its bytes."""
    return _encode(("body", body))


def shape_fact(run: str, job: str, shape: str, first: int, last: int, succeeded: int) -> bytes:
    return _encode(("shape", run, job, shape, first, last, succeeded))


def span_fact(dataset: str, span: int) -> bytes:
    return _encode(("span", dataset, span))
