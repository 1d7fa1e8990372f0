"""Acts of people as the log holds them: approvals, waivers, attestations, decisions, policy changes and redactions.

The body of an act is JSON with at least `act` (the verb), `id` (a UUID, which keeps two equal acts apart), `at`
(RFC 3339: when it was accepted), `by`, and where they apply `target.node` (what it is about) and `refersTo` (the node
id of the act that it answers: a revocation names what it revokes; a redaction lists the datasets that it `concerns`).
What else it holds is the business of `policies`, and of `catalog.erasure`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from catalog import rfc3339
from catalog.errors import CorruptLogError
from catalog.graph.contract import Edge, EdgeKind, NodeRecord
from catalog.identity import NodeKind, act_id
from catalog.log.entry import Entry, EntryType

KINDS = {
    EntryType.APPROVAL: NodeKind.APPROVAL,
    EntryType.WAIVER: NodeKind.WAIVER,
    EntryType.ATTESTATION: NodeKind.ATTESTATION,
    EntryType.DECISION: NodeKind.DECISION,
    EntryType.POLICY: NodeKind.POLICY,
    EntryType.REDACTION: NodeKind.REDACTION,
}


@dataclass(frozen=True, slots=True)
class Act:
    """One act as a reading sees it. `id` is its node id, `verb` its `act`, `at` in µs."""

    id: str
    kind: NodeKind
    verb: str
    seq: int
    at: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InterpretedAct:
    """What an act adds to the graph: a node, what it concerns, and its body by digest."""

    node: NodeRecord
    edges: tuple[Edge, ...]
    bodies: Mapping[str, bytes]


def interpret_act(entry: Entry) -> InterpretedAct | None:
    """The act in an entry; None for entries of other types, and for erased ones.

    Raises CorruptLogError for a body that no door of ours can have written.
    """
    kind = KINDS.get(entry.type)
    if kind is None or entry.body is None:
        return None
    try:
        body = orjson.loads(entry.body)
        act, verb, at = act_id(kind, body["id"]), str(body["act"]), rfc3339.parse(body["at"])
        target = body.get("target") or {}
        about = [target.get("node"), body.get("refersTo"), *(body.get("concerns") or ()), kind.value]
        namespace = str(target.get("namespace") or "")
        said = entry.body if kind is not NodeKind.REDACTION else _without_skeletons(body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptLogError(
            f"entry {entry.seq} is no {entry.type} that Lineward wrote: {error}", "Restore the log from a backup."
        ) from error
    digest = sha256(said).hexdigest()
    node = NodeRecord(act, kind, namespace, verb, entry.seq, at, target.get("node"), digest)
    edges = (Edge(EdgeKind.CONCERNS, act, each, at, entry.seq) for each in dict.fromkeys(about) if each)
    return InterpretedAct(node, tuple(edges), {digest: said})


def _without_skeletons(body: Mapping[str, Any]) -> bytes:
    """A redaction without what it keeps of entries, which the projection of those entries shows."""
    erased = [{key: value for key, value in each.items() if key != "keeps"} for each in body["erased"]]
    return orjson.dumps({**body, "erased": erased}, option=orjson.OPT_SORT_KEYS)
