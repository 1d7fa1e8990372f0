"""One reading of the graph: runs, applications and facets at a cut, each fetched once and in bulk.

Callers that know what they will need say so first (`fetch_runs`), so that a walk costs a few round trips a level
whatever the store.
"""

from collections.abc import Callable, Iterable

import orjson

from catalog.graph.contract import EdgeKind, GraphReader, Mention
from catalog.graph.record import ParentRef, Processing
from catalog.identity import job_id
from catalog.lineage.columns import mapping
from catalog.lineage.moments import Moments
from catalog.lineage.runs import JobTraits, Run, grouped, own_traits, related, run_of
from catalog.lineage.trace import Kept, Known, Nothing, Of, Trace
from catalog.model import RunState

_ENDS_SEARCH = frozenset({None, "DAG", "TASK"})


class GraphView:
    """Runs and what surrounds them, as one `GraphReader` sees them. `kept` is what earlier readings worked out."""

    def __init__(self, reader: GraphReader, kept: Kept | None = None) -> None:
        self.reader = reader
        self.kept = kept or Nothing()
        self.trace = Trace()
        self.moments = Moments(reader, self.trace)
        self._runs: dict[str, tuple[Run, ...]] = {}
        self._traits: dict[str, JobTraits] = {}
        self._untold: dict[
            str, tuple[str, ...]
        ] = {}  # the jobs that tell what kind of run a UUID is, where it does not
        self._applications: dict[str, Known[Run | None]] = {}
        self._members: dict[str, Known[tuple[Run, ...]]] = {}
        self._mentions: dict[str, list[Mention]] = {}
        self._bundles: dict[str, dict[str, str]] = {}
        self._models: dict[str, bool] = {}
        self._now: int | None = None

    @property
    def now(self) -> int:
        """The instant at which silence is judged: the valid time asked for, else the newest received time."""
        self.trace.fleeting()
        if self._now is None:
            cut = self.reader.cut
            self._now = self.reader.newest() if cut.is_open else cut.valid
        return self._now

    # Runs ------------------------------------------------------------------------------------------------------

    def fetch_runs(self, uuids: Iterable[str]) -> None:
        missing = {uuid for uuid in uuids if uuid not in self._runs}
        if not missing:
            return
        found = {uuid: grouped(events) for uuid, events in self.reader.run_events(missing).items() if events}
        untold = {
            job_id(namespace, name)
            for groups in found.values()
            for namespace, name, events in groups
            if own_traits(events) is None
        }
        self._fetch_traits(untold)
        for uuid in missing:
            groups = found.get(uuid, [])
            jobs = [job_id(namespace, name) for namespace, name, _ in groups]
            self._untold[uuid] = tuple([job for job in jobs if job in untold]) if untold else ()
            self._runs[uuid] = tuple(
                run_of(
                    uuid,
                    namespace,
                    name,
                    events,
                    own_traits(events) or self._traits[job_id(namespace, name)],
                    collides=len(groups) > 1,
                )
                for namespace, name, events in groups
            )

    def runs(self, uuid: str) -> tuple[Run, ...]:
        """The runs reported under a UUID, one for each unrelated job; none where nothing was reported."""
        if uuid not in self._runs:
            self.fetch_runs((uuid,))
        self.trace.fact(Of.RUN, uuid)
        for job in self._untold[uuid]:
            self.trace.fact(Of.MENTIONS, job)
        return self._runs[uuid]

    def _fetch_traits(self, jobs: Iterable[str]) -> None:
        missing = [job for job in jobs if job not in self._traits]
        bodies = self.facet_bodies(missing, "jobType")
        for job in missing:
            self._traits[job] = _traits(bodies.get(job))

    # Parents ---------------------------------------------------------------------------------------------------

    def bound(self, reference: ParentRef) -> Run | None:
        """The reported run that a parent reference means; None for a stub."""
        runs = self.runs(reference.run)
        if len(runs) <= 1:
            return runs[0] if runs else None
        return next(
            (run for run in runs if run.job_namespace == reference.namespace and related(run.job_name, reference.name)),
            None,
        )

    def application(self, run: Run) -> Run | None:
        """The nearest run upwards, itself included, of jobType APPLICATION."""
        return self.trace.recall(self._applications, run.id, lambda: self._search_application(run))

    def _search_application(self, run: Run) -> Run | None:
        current, seen = run, {run.id}
        while current.traits.job_type != "APPLICATION":
            parent = self.bound(current.parent) if current.parent else None
            if parent is None or parent.id in seen or parent.traits.job_type in _ENDS_SEARCH:
                return None
            seen.add(parent.id)
            current = parent
        return current

    def members(self, application: Run) -> tuple[Run, ...]:
        """Every run whose application this is, itself included, ordered by (start, id)."""
        return self.trace.recall(self._members, application.id, lambda: self._find_members(application))

    def _find_members(self, application: Run) -> tuple[Run, ...]:
        found = [
            run for run in self.descendants(application) if (own := self.application(run)) and own.id == application.id
        ]
        return tuple(sorted(found, key=lambda run: (run.started, run.id)))

    def descendants(self, root: Run) -> list[Run]:
        """The run and all runs below it, each once."""
        found = {root.id: root}
        frontier = [root]
        while frontier:
            for run in frontier:
                self.trace.fact(Of.CHILDREN, run.uuid)
            children = self.reader.incoming(EdgeKind.CHILD_OF, {run.uuid for run in frontier})
            uuids = {edge.source for edges in children.values() for edge in edges}
            self.fetch_runs(uuids)
            parents = {run.id for run in frontier}
            frontier = []
            for child in (run for uuid in sorted(uuids) for run in self.runs(uuid)):
                parent = self.bound(child.parent) if child.parent else None
                if parent and parent.id in parents and child.id not in found:
                    found[child.id] = child
                    frontier.append(child)
        return list(found.values())

    def state(self, run: Run) -> RunState:
        if run.own_state is not RunState.RUNNING:
            return run.own_state
        application = self.application(run)
        if application and application.id != run.id and application.terminated is not None:
            return RunState.ENDED_WITH_PARENT
        return RunState.RUNNING

    # Facets ----------------------------------------------------------------------------------------------------

    def facet_winners(
        self, entities: Iterable[str], since: int = -1, said_by: Callable[[str], bool] | None = None
    ) -> dict[str, dict[str, tuple[Mention, str]]]:
        """For each entity the facets in force: name → (who said it when, digest of its body).

        The greatest (ordering time, digest) wins; a deleted facet is absent. Mentions up to `since` do not count
        (a dropped dataset's labels), nor those of senders that `said_by` turns down.
        """
        wanted = list(dict.fromkeys(entities))
        for entity in wanted:
            self.trace.fact(Of.MENTIONS, entity)
        missing = [entity for entity in wanted if entity not in self._mentions]
        if missing:
            self._mentions.update(self.reader.mentions(missing))
        bundles = {m.bundle for entity in wanted for m in self._mentions[entity]} - self._bundles.keys()
        if bundles:
            self._bundles.update({k: dict(v) for k, v in self.reader.bundles(bundles).items()})
        return {
            entity: self._winners((m for m in self._mentions[entity] if said_by is None or said_by(m.actor)), since)
            for entity in wanted
        }

    def _winners(self, mentions: Iterable[Mention], since: int) -> dict[str, tuple[Mention, str]]:
        best: dict[str, tuple[Mention, str]] = {}
        for mention in mentions:
            if mention.at <= since:
                continue
            for name, body in self._bundles[mention.bundle].items():
                held = best.get(name)
                if held is None or (mention.at, body) > (held[0].at, held[1]):
                    best[name] = (mention, body)
        return best

    def facet_bodies(self, entities: Iterable[str], name: str) -> dict[str, bytes]:
        """The body in force of one facet, for the entities that have it."""
        winners = self.facet_winners(entities)
        digests = {entity: found[name][1] for entity, found in winners.items() if name in found}
        bodies = self.reader.bodies(set(digests.values())) if digests else {}
        return {entity: body for entity, digest in digests.items() if not is_deletion(body := bodies[digest])}

    # Roles -----------------------------------------------------------------------------------------------------

    def models_among(self, datasets: Iterable[str]) -> list[str]:
        """Those that were ever declared a model."""
        wanted = list(dict.fromkeys(datasets))
        for dataset in wanted:
            self.trace.fact(Of.ROLES, dataset)
        missing = [dataset for dataset in wanted if dataset not in self._models]
        if missing:
            for dataset, edges in self.reader.outgoing(EdgeKind.HAS_ROLE, missing).items():
                self._models[dataset] = any(edge.target == "MODEL" for edge in edges)
        return [dataset for dataset in wanted if self._models[dataset]]


def is_deletion(body: bytes) -> bool:
    """Whether a facet body says `_deleted: true` (only job and dataset facets can)."""
    return b'"_deleted":true' in body and mapping(orjson.loads(body)).get("_deleted") is True


def _traits(body: bytes | None) -> JobTraits:
    if body is None:
        return JobTraits()
    document = mapping(orjson.loads(body))
    processing = document.get("processingType")
    window = mapping(document.get("emissionPattern")).get("windowDuration")
    return JobTraits(
        Processing(processing) if isinstance(processing, str) and processing in set(Processing) else Processing.BATCH,
        document.get("jobType") if isinstance(document.get("jobType"), str) else None,
        float(window) if isinstance(window, int | float) else None,
    )
