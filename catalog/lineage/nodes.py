"""Nodes as an answer shows them: names, roles, states and times."""

from collections.abc import Iterable
from functools import partial

from catalog.graph.contract import EdgeKind, NodeRecord
from catalog.identity import ACTS, NodeKind, base_version, structure
from catalog.instant import text
from catalog.lineage.continuation import Continuation
from catalog.lineage.runs import Run
from catalog.lineage.trace import Of
from catalog.lineage.versions import Versions
from catalog.lineage.view import GraphView
from catalog.model import Continues, Node, RunState

# Under which nodes are kept that tell all, or only what names them.
_WHOLE, _NAMED = "whole", "named"
_ROLES = {
    "MODEL": {NodeKind.DATASET: NodeKind.MODEL, NodeKind.DATASET_VERSION: NodeKind.MODEL_VERSION},
    "DEPLOYMENT": {NodeKind.JOB: NodeKind.DEPLOYMENT},
}


class Nodes:
    """Describes nodes by id; ids that the cut does not see are left out."""

    def __init__(self, view: GraphView, versions: Versions) -> None:
        self._view = view
        self._versions = versions
        self._continuation = Continuation(view, versions)

    def describe(self, ids: Iterable[str], *, named: bool = False) -> dict[str, Node]:
        """Nodes by id. With `named` only what names them (kind, namespace, name, label, parent): telling how versions
        and runs stand costs as much as a walk to them."""
        wanted = dict.fromkeys(ids)
        told, find = _NAMED if named else _WHOLE, self._view.kept.find
        known = {each: find(told, each) for each in wanted}
        missing = [each for each, node in known.items() if node is None]
        if not missing:
            return known
        known |= self._described(missing, named=named)
        return {each: node for each, node in known.items() if node is not None}

    def _described(self, ids: Iterable[str], *, named: bool) -> dict[str, Node]:
        wanted = list(ids)
        records = self._view.reader.nodes({base_version(each) for each in wanted})
        self._view.fetch_runs(r.label for r in records.values() if r.kind is NodeKind.RUN and r.label)
        if not named:
            self._versions.fetch_places(each for each in wanted if structure(each) is NodeKind.DATASET_VERSION)
        roles = self._roles({_role_bearer(record) for record in records.values()})
        found: dict[str, Node] = {}
        for each in wanted:
            record = records.get(base_version(each))
            if record is None:
                continue
            known = self._view.trace.of(partial(self._node, each, record, roles, named=named))
            if known[0] is not None:
                found[each] = known[0]
                if record.kind not in ACTS:  # the time of an act is that of what the cut sees of it
                    self._view.kept.keep(_NAMED if named else _WHOLE, each, known)
        return found

    def _roles(self, bearers: set[str]) -> dict[str, set[str]]:
        edges = self._view.reader.outgoing(EdgeKind.HAS_ROLE, bearers)
        return {bearer: {edge.target for edge in found} for bearer, found in edges.items()}

    def _node(self, each: str, record: NodeRecord, roles: dict[str, set[str]], *, named: bool) -> Node | None:
        self._view.trace.fact(Of.ROLES, _role_bearer(record))
        kind = _kind(record, roles[_role_bearer(record)])
        if record.kind is NodeKind.RUN:
            return self._run(each, record, named=named)
        if record.kind is NodeKind.DATASET_VERSION and not named:
            return self._version(each, record, kind)
        if record.kind in ACTS:
            return Node(each, kind, record.namespace, record.name, parent=record.owner, started=text(record.at))
        return Node(each, kind, record.namespace, record.name, record.label, record.owner)

    def _run(self, each: str, record: NodeRecord, *, named: bool) -> Node | None:
        runs = self._view.runs(record.label or "")
        run = next((run for run in runs if run.id == each), None)
        if run is None:
            if runs:
                return None  # another name of a run that is reported under its root name
            unreported = RunState.UNREPORTED
            return Node(each, NodeKind.RUN, record.namespace, record.name, record.label, record.owner, unreported)
        if named:
            return Node(each, NodeKind.RUN, run.job_namespace, run.job_name, run.uuid, run.job)
        ended = None if run.terminated is None else text(run.terminated)
        return Node(
            each,
            NodeKind.RUN,
            run.job_namespace,
            run.job_name,
            run.uuid,
            run.job,
            self._view.state(run).value,
            text(run.started),
            ended,
            parent_run=self._parent(run),
        )

    def _parent(self, run: Run) -> str | None:
        if run.parent is None:
            return None
        bound = self._view.bound(run.parent)
        return bound.id if bound else run.parent.run

    def _version(self, each: str, record: NodeRecord, kind: NodeKind) -> Node:
        link = self._versions.link_of(each)
        state, continues = self._version_state(each, record.owner or ""), None
        if link is not None:
            count, since = self._continuation.continued(link)
            continues = Continues(count, None if since is None else text(since)) if count else None
        return Node(
            each,
            kind,
            record.namespace,
            record.name,
            record.label,
            record.owner,
            state,
            None if link is None else text(link.write.began),
            None if link is None or link.write.current is None else text(link.write.current),
            continues,
        )

    def _version_state(self, version: str, dataset: str) -> str:
        link = self._versions.link_of(version)
        if link is None or link.write.current is None:
            return self._unfinished_state(version)
        drop = self._versions.drop_after(link)
        last, _ = self._versions.current((dataset,)) if drop is None else self._versions.current((dataset,), drop)
        if last is None or last.version != version:
            return "SUPERSEDED"
        return "CURRENT" if drop is None else "DROPPED"

    def _unfinished_state(self, version: str) -> str:
        """Of a version that never became current: what its last write came to."""
        writes = self._versions.writes_of(version)
        if not writes:
            return "DECLARED"
        last = max(writes, key=lambda w: (w.began if w.moment is None else w.moment, w.digest))
        return "IN_PROGRESS" if last.moment is None else "PARTIAL"


def _role_bearer(record: NodeRecord) -> str:
    return record.owner or record.id if record.kind is NodeKind.DATASET_VERSION else record.id


def _kind(record: NodeRecord, roles: set[str]) -> NodeKind:
    for role in roles & _ROLES.keys():
        if record.kind in _ROLES[role]:
            return _ROLES[role][record.kind]
    return record.kind
