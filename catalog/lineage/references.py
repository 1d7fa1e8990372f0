"""From what a caller writes to the node that it means."""

from catalog.errors import AmbiguousReferenceError, NotFoundError
from catalog.graph.contract import FOREVER, EdgeKind
from catalog.identity import (
    ACTS,
    NodeKind,
    base_version,
    dataset_id,
    field_id,
    job_id,
    named_version_id,
    run_id,
    run_version_id,
    structure,
)
from catalog.lineage.registry import Registry
from catalog.lineage.runs import Run, related
from catalog.lineage.versions import Versions
from catalog.lineage.view import GraphView
from catalog.model import DatasetRef, NodeRef


class References:
    def __init__(self, view: GraphView, versions: Versions) -> None:
        self._view = view
        self._versions = versions
        self._registry = Registry(view)

    def id_of(self, reference: NodeRef) -> str:
        """The node's id. Raises NotFoundError, or AmbiguousReferenceError for a UUID of several runs."""
        if reference.id is not None:
            return self._seen(reference.id)
        if reference.run is not None:
            return self._run(reference.run)
        if reference.job is not None:
            return self._seen(job_id(reference.job.namespace, reference.job.name), reference.job)
        if reference.field is not None:
            dataset, path = reference.field
            return self._seen(field_id(dataset_id(dataset.namespace, dataset.name), path), dataset)
        named = reference.model or reference.dataset
        assert named is not None
        return self._dataset(named)

    def _seen(self, node: str, named: DatasetRef | None = None) -> str:
        if not self._view.reader.nodes((base_version(node),)):
            shown = f"{named.namespace} {named.name}" if named else node
            raise NotFoundError(f"Nothing known is called {shown}.", "Check the spelling with a search, or the as-of.")
        return self._reported_run(node) if structure(node) is NodeKind.RUN else node

    def _reported_run(self, node: str) -> str:
        """The run that reports under a UUID by now: its root job may have been learnt after the id was given out."""
        record = self._view.reader.nodes((node,))[node]
        runs = self._view.runs(record.label or "")
        own = [r for r in runs if r.job_namespace == record.namespace and related(r.job_name, record.name)]
        own = own or list(
            runs if len(runs) == 1 else ()
        )  # a parent reference means what reported, whatever it calls it
        return own[0].id if own and all(run.id != node for run in runs) else node

    def _dataset(self, named: DatasetRef) -> str:
        dataset = self._seen(dataset_id(named.namespace, named.name), named)
        if named.version is None:
            return dataset
        return self._version(dataset, named)

    def _version(self, dataset: str, named: DatasetRef) -> str:
        assert named.version is not None
        candidates = (named_version_id(dataset, named.version), run_version_id(dataset, named.version))
        known = self._view.reader.nodes(candidates)
        for base in candidates:
            if base in known:
                return self._versions.version_at(dataset, base, self._last_use(base))
        holder = self._registry.holder(dataset, named.version)
        if holder is not None:
            return self._versions.version_at(dataset, holder, self._last_use(holder))
        raise NotFoundError(
            f"{named.namespace} {named.name} has no version and no alias {named.version}.",
            "List its versions with a search.",
        )

    def _last_use(self, base: str) -> int:
        """The instant by which a version name is understood: its last write, or now."""
        moments = [
            write.placed
            for uuid in {edge.source for edge in self._view.reader.incoming(EdgeKind.GENERATED, (base,))[base]}
            for run in self._view.runs(uuid)
            for write in self._versions.writes_by(run)
            if write.base == base
        ]
        return max(moments, default=FOREVER - 1)

    def _run(self, uuid: str) -> str:
        runs = self._view.runs(uuid.lower())
        if len(runs) > 1:
            listed = ", ".join(f"{run.job_name} ({run.id})" for run in runs)
            raise AmbiguousReferenceError(
                f"Unrelated jobs report under the run id {uuid}: {listed}.", "Name the run by its node id."
            )
        if runs:
            return runs[0].id
        return self._stub(uuid)

    def _stub(self, uuid: str) -> str:
        """A run that only its children name."""
        edges = self._view.reader.incoming(EdgeKind.CHILD_OF, (uuid.lower(),))[uuid.lower()]
        for edge in edges:
            for child in self._view.runs(edge.source):
                if child.parent and child.parent.run == uuid.lower():
                    return run_id(child.parent.run, child.parent.namespace, child.parent.name)
        raise NotFoundError(f"No run {uuid} is known.", "Check the id, or the as-of.")

    # What a walk starts from -----------------------------------------------------------------------------------

    def subject_of(self, node: str) -> str:
        """An act stands for what it is about, where the cut sees that; all else for itself."""
        if structure(node) not in ACTS:
            return node
        about = self._view.reader.nodes((node,))[node].owner
        return self._seen(about) if about and self._view.reader.nodes((base_version(about),)) else node

    def run_grain_roots(self, node: str) -> list[str]:
        """A dataset stands for its current version, a job for its latest run, a column for its dataset."""
        kind = structure(node)
        if kind is NodeKind.JOB:
            latest = self.latest_run(node)
            return [latest.id] if latest else [node]
        if kind is NodeKind.FIELD:
            node = self._view.reader.nodes((node,))[node].owner or node
            kind = NodeKind.DATASET
        if kind is NodeKind.DATASET:
            return [self._versions.latest(node) or node]
        return [node]

    def job_grain_roots(self, node: str) -> list[str]:
        """A version stands for its dataset, a run for its job."""
        kind = structure(node)
        if kind in (NodeKind.DATASET_VERSION, NodeKind.RUN, NodeKind.FIELD):
            return [self._view.reader.nodes((base_version(node),))[base_version(node)].owner or node]
        return [node]

    def latest_run(self, job: str) -> Run | None:
        edges = self._view.reader.latest(EdgeKind.RUN_OF, job, before=FOREVER, limit=8)
        self._view.fetch_runs(edge.source for edge in edges)
        runs = [run for edge in edges for run in self._view.runs(edge.source) if run.job == job]
        return max(runs, key=lambda run: (run.started, run.id), default=None)
