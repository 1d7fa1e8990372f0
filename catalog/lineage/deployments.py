"""What served when: intervals asserted by the events of services."""

from collections.abc import Iterator
from dataclasses import dataclass

from catalog.graph.contract import EdgeKind
from catalog.graph.record import EventRecord, Processing, Serving
from catalog.identity import digest
from catalog.lineage.derivations import Read
from catalog.lineage.resolution import Resolutions
from catalog.lineage.runs import Run
from catalog.lineage.versions import Versions
from catalog.lineage.view import GraphView

HEARTBEAT = 300.0  # seconds, where a service does not say its windowDuration
_PATIENCE = 3  # heartbeats of silence before nothing is known


@dataclass(frozen=True, slots=True)
class Assertion:
    """One event says: this model version serves in this role, from this instant."""

    model: str
    version: str
    role: str
    share: float | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch in which a run's events asserted the same thing. `until` None: not ended. Times in µs."""

    run: Run
    assertion: Assertion
    since: int
    until: int | None
    silent_since: int | None
    entries: tuple[int, ...]

    @property
    def id(self) -> str:
        return "dp_" + digest(self.run.id, self.assertion.version, self.assertion.role, str(self.since)).hex()[:22]

    @property
    def state(self) -> str:
        if self.until is not None:
            return "ENDED"
        return "SERVING" if self.silent_since is None else "UNKNOWN"

    def covers(self, instant: int) -> bool:
        return self.since <= instant and (self.until is None or instant < self.until)


class Deployments:
    def __init__(self, view: GraphView, versions: Versions) -> None:
        self._view = view
        self._resolutions = Resolutions(view, versions)

    def of_all(self) -> Iterator[Interval]:
        edges = self._view.reader.incoming(EdgeKind.HAS_ROLE, ("DEPLOYMENT",))["DEPLOYMENT"]
        for job in sorted({edge.source for edge in edges}):
            yield from self.of_job(job)

    def of_job(self, job: str) -> list[Interval]:
        """All intervals of a service, ordered by (since, run, version)."""
        edges = self._view.reader.incoming(EdgeKind.RUN_OF, (job,))[job]
        self._view.fetch_runs(edge.source for edge in edges)
        runs = {
            run.id: run
            for edge in edges
            for run in self._view.runs(edge.source)
            if run.job == job and run.traits.processing is Processing.SERVICE
        }
        found = [interval for run in runs.values() for interval in self.of_run(run)]
        return sorted(found, key=lambda i: (i.since, i.run.id, i.assertion.version))

    def of_run(self, run: Run) -> list[Interval]:
        open_: dict[str, Interval] = {}  # by model
        closed: list[Interval] = []
        for event in run.events:
            if event.terminal:  # what comes after it opens anew: whoever goes on reporting goes on serving
                closed += [_ended(interval, event.at) for interval in open_.values()]
                open_ = {}
                continue
            for model, stated in self._assertions(run, event).items():
                closed += self._take(open_, run, event, model, stated)
        closed = [interval for interval in closed if interval.until != interval.since]
        return closed + [self._judged(interval, run) for interval in open_.values()]

    def _take(
        self, open_: dict[str, Interval], run: Run, event: EventRecord, model: str, stated: list[Assertion]
    ) -> list[Interval]:
        """One event's word on one model; what no longer holds is returned, closed."""
        closed = []
        kept = {key: i for key, i in open_.items() if i.assertion.model == model}
        for key, interval in kept.items():
            if interval.assertion not in stated:
                closed.append(_ended(open_.pop(key), event.at))
        for assertion in stated:
            key = f"{model} {assertion.version}"
            held = open_.get(key)
            if held is None:
                open_[key] = Interval(run, assertion, event.at, None, None, (event.seq,))
            else:
                entries = (*held.entries[:1], event.seq)  # the first and the last say it all
                open_[key] = Interval(run, assertion, held.since, None, None, entries)
        return closed

    def _judged(self, interval: Interval, run: Run) -> Interval:
        beat = run.traits.window or HEARTBEAT
        last = run.last_event.at
        if self._view.now - last <= _PATIENCE * beat * 1_000_000:
            return interval
        return Interval(run, interval.assertion, interval.since, None, last, interval.entries)

    def _assertions(self, run: Run, event: EventRecord) -> dict[str, list[Assertion]]:
        """What an event says it serves, by model: the inputs that are models, and `lineward_serving.models`."""
        serving = _serving_at(run, event)
        role, share = (serving.role, serving.share) if serving else ("primary", None)
        found: dict[str, dict[str, Assertion]] = {}
        for served in event.serving.models if event.serving else ():
            version = self._version(run, served.dataset, served.version, event.at)
            stated = Assertion(served.dataset, version, served.role, served.share)
            found.setdefault(served.dataset, {})[version] = stated
        models = self._view.models_among(use.dataset for use in event.inputs)
        for use in (use for use in event.inputs if use.dataset in models):
            version = self._version(run, use.dataset, use.version, event.at)
            held = found.setdefault(use.dataset, {}).get(version, Assertion(use.dataset, version, role, share))
            own_share = held.share if use.share is None and use.role is None else use.share
            found[use.dataset][version] = Assertion(use.dataset, version, use.role or held.role, own_share)
        return {model: sorted(stated.values(), key=lambda a: a.version) for model, stated in found.items()}

    def _version(self, run: Run, dataset: str, version: str | None, at: int) -> str:
        """The version served; the dataset itself where it has none that we know."""
        resolution = self._resolutions.resolve(Read(run, dataset, version, at, at))
        return resolution.versions[0] if resolution.versions else dataset


def _serving_at(run: Run, event: EventRecord) -> Serving | None:
    """The run's facet as of an event."""
    told = [each.serving for each in run.events if each.serving and each.order <= event.order]
    return told[-1] if told else None


def _ended(interval: Interval, at: int) -> Interval:
    return Interval(interval.run, interval.assertion, interval.since, at, None, interval.entries)
