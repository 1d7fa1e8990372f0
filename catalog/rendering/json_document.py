"""A lineage graph as a JSON document, its members named as in the GraphQL schema."""

import json
import re
from typing import Any

from catalog.identity import NodeKind
from catalog.model import Continues, Gap, LineageEdge, LineageGraph, Node, Truncation
from catalog.rendering.legible import acts
from catalog.rendering.snapshot import Snapshot

_LABELS = {
    NodeKind.DATASET_VERSION: "version",
    NodeKind.MODEL_VERSION: "version",
    NodeKind.RUN: "runId",
    NodeKind.FIELD: "path",
}
_OWNERS = {NodeKind.RUN: "job", NodeKind.MODEL_VERSION: "model"}
_NOT_ASCII = re.compile(r"[^\n -~]")


def json_document(graph: LineageGraph, snapshot: Snapshot | None = None) -> str:
    """Indented UTF-8 text; RFC 8259. Without a snapshot, `logSize` and `root` of that member are null."""
    document = {
        "root": _node(graph.root),
        "nodes": [_node(node) for node in graph.nodes],
        "edges": [_edge(edge) for edge in graph.edges],
        "depthReached": graph.depth_reached,
        "truncated": _truncation(graph.truncated),
        "gaps": [_gap(gap) for gap in graph.gaps],
        "snapshot": {
            "logSize": snapshot.log_size if snapshot else None,
            "root": snapshot.root if snapshot else None,
            "valid": graph.valid,
            "known": graph.known,
        },
    }
    return _NOT_ASCII.sub(_told, json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def _told(found: re.Match[str]) -> str:
    """JSON lets controls beyond ASCII stand in a string, and halves of surrogate pairs, which UTF-8 cannot write."""
    if not acts(found[0]):
        return found[0]
    return json.dumps(found[0])[1:-1] if found[0] > "\x7f" else f"\\u{ord(found[0]):04x}"


def _node(node: Node) -> dict[str, Any]:
    """As the fields of its GraphQL type are called; what is not known is left out."""
    shown: dict[str, Any] = {"id": node.id, "kind": node.kind.value, "namespace": node.namespace, "name": node.name}
    is_version = node.kind in (NodeKind.DATASET_VERSION, NodeKind.MODEL_VERSION)
    more = {
        _LABELS.get(node.kind, "label"): node.label,
        "state": node.state,
        "started": node.started,
        "current" if is_version else "ended": node.ended,
        "continues": _continues(node.continues),
        _OWNERS.get(node.kind, "dataset"): None if node.parent is None else {"id": node.parent},
    }
    return shown | {key: value for key, value in more.items() if value is not None}


def _continues(continues: Continues | None) -> dict[str, Any] | None:
    return None if continues is None else {"count": continues.count, "since": continues.since}


def _edge(edge: LineageEdge) -> dict[str, Any]:
    return {
        "from": edge.source,
        "to": edge.target,
        "basis": edge.basis.value,
        "transformations": [
            {"type": each.type, "subtype": each.subtype, "masking": each.masking} for each in edge.transformations
        ],
        "firstSeen": edge.first_seen,
        "lastSeen": edge.last_seen,
        "runs": edge.runs,
        "stale": edge.stale,
    }


def _gap(gap: Gap) -> dict[str, str]:
    return {"kind": gap.kind.value, "node": gap.node, "reason": gap.reason}


def _truncation(truncated: Truncation | None) -> dict[str, Any] | None:
    return None if truncated is None else {"reason": truncated.reason, "omitted": truncated.omitted}
