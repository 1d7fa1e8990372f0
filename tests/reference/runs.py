"""Section 2 and the first half of section 5: runs, their states, parents and applications."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.graph.record import EventRecord, Processing, Shape
from catalog.identity import job_id, run_id
from catalog.model import GapKind, RunState

DAY = 24 * 3600 * 1_000_000
LIVE = (Processing.SERVICE, Processing.STREAMING)
STOPS = (None, "DAG", "TASK")


def related(name: str, other: str) -> bool:
    return name == other or name.startswith(other + ".") or other.startswith(name + ".")


def extends(name: str, root: str) -> bool:
    return name == root or name.startswith(root + ".")


@dataclass(frozen=True, eq=False)
class Run:
    """All events of one UUID under one root job, in order."""

    uuid: str
    namespace: str
    name: str
    events: tuple[EventRecord, ...]

    @property
    def id(self) -> str:
        return run_id(self.uuid, self.namespace, self.name)

    @property
    def job(self) -> str:
        return job_id(self.namespace, self.name)

    @property
    def start(self) -> int:
        return self.events[0].at

    @property
    def success(self) -> EventRecord | None:
        return next((event for event in self.events if event.type == "COMPLETE"), None)

    @property
    def final(self) -> EventRecord | None:
        """The event that ended it: success, else the first other terminal one."""
        return self.success or next((event for event in self.events if event.terminal), None)

    @property
    def last(self) -> int:
        return self.events[-1].at

    @property
    def end(self) -> int:
        return self.final.at if self.final else self.last


@dataclass(frozen=True)
class Stub:
    """A parent that never reported."""

    id: str


class Runs:
    """The runs of a set of events, with all that depends on more than one of them."""

    def __init__(self, records: Sequence[EventRecord], now: int) -> None:
        self.records = records
        self.now = now
        self.all = [run for uuid in self._uuids() for run in self._of_uuid(uuid)]

    def _uuids(self) -> list[str]:
        return sorted({event.run for event in self.records if event.shape is Shape.RUN and event.run is not None})

    def _of_uuid(self, uuid: str) -> list[Run]:
        events = [event for event in self.records if event.shape is Shape.RUN and event.run == uuid]
        names = {(event.job_namespace, event.job_name) for event in events}
        roots = {(space, min((other for at, other in names if at == space and extends(name, other)), key=len))
                 for space, name in names}  # fmt: skip
        return [
            Run(uuid, space, root, tuple(e for e in events if e.job_namespace == space and extends(e.job_name, root)))
            for space, root in sorted(roots)
        ]

    def by_id(self, node: str) -> Run | None:
        return next((run for run in self.all if run.id == node), None)

    def collides(self, run: Run) -> bool:
        return any(other.uuid == run.uuid and other is not run for other in self.all)

    # -- the jobType facet

    def _typed(self, run: Run) -> EventRecord | None:
        own = [event for event in run.events if _has_job_type(event)]
        job = [
            event
            for event in self.records
            if _has_job_type(event) and (event.job_namespace, event.job_name) == (run.namespace, run.name)
        ]
        typed = own or job
        return typed[-1] if typed else None

    def processing(self, run: Run) -> Processing:
        typed = self._typed(run)
        return typed.processing or Processing.BATCH if typed else Processing.BATCH

    def job_type(self, run: Run) -> str | None:
        typed = self._typed(run)
        return typed.job_type if typed else None

    def window(self, run: Run) -> float | None:
        typed = self._typed(run)
        return typed.window if typed else None

    def is_live(self, run: Run) -> bool:
        return self.processing(run) in LIVE

    def by_event(self, run: Run) -> bool:
        """Whether each event is a derivation of its own."""
        typed = self._typed(run)
        snapshots = any(event.snapshot for event in run.events) or (typed is not None and typed.snapshot)
        return self.is_live(run) or snapshots

    # -- parents

    def parent(self, run: Run) -> Run | Stub | None:
        claims = [event.parent for event in run.events if event.parent is not None]
        if not claims:
            return None
        claim = claims[-1]
        reported = [other for other in self.all if other.uuid == claim.run]
        if len(reported) == 1:
            return reported[0]
        fitting = [r for r in reported if r.namespace == claim.namespace and related(r.name, claim.name)]
        return fitting[0] if fitting else Stub(run_id(claim.run, claim.namespace, claim.name))

    def application(self, run: Run) -> Run | None:
        met = [run]
        here = run
        while self.job_type(here) != "APPLICATION":
            above = self.parent(here)
            if not isinstance(above, Run) or above in met or self.job_type(above) in STOPS:
                return None
            met.append(above)
            here = above
        return here

    def family(self, run: Run) -> list[Run]:
        """The run and all its descendants."""
        family = [run]
        for member in family:
            family += [child for child in self.all if self.parent(child) is member and child not in family]
        return family

    # -- states and gaps

    def state(self, run: Run) -> RunState:
        ends = {event.type for event in run.events if event.terminal}
        if len(ends) > 1:
            return RunState.CONFLICTED
        if ends:
            return {"COMPLETE": RunState.COMPLETED, "FAIL": RunState.FAILED, "ABORT": RunState.ABORTED}[str(ends.pop())]
        application = self.application(run)
        ended = application is not None and application is not run and application.final is not None
        return RunState.ENDED_WITH_PARENT if ended else RunState.RUNNING

    def states(self) -> dict[str, str]:
        stubs = [parent for parent in map(self.parent, self.all) if isinstance(parent, Stub)]
        states = {stub.id: str(RunState.UNREPORTED) for stub in stubs}
        return states | {run.id: str(self.state(run)) for run in self.all}

    def gaps(self, run: Run) -> set[tuple[GapKind, str]]:
        state = self.state(run)
        overdue = state is RunState.RUNNING and not self.is_live(run) and self.now - run.last > DAY
        holds = {
            GapKind.CONFLICTED: state is RunState.CONFLICTED,
            GapKind.NEVER_ENDED: state is RunState.ENDED_WITH_PARENT or overdue,
            GapKind.RUN_ID_COLLISION: self.collides(run),
            GapKind.EXTRACTION_ERROR: any(event.extraction_failed for event in run.events),
            GapKind.UNREPORTED_PARENT: isinstance(self.parent(run), Stub),
        }
        return {(kind, run.id) for kind, held in holds.items() if held}


def _has_job_type(event: EventRecord) -> bool:
    return bool(event.processing or event.job_type or event.snapshot or event.window)
