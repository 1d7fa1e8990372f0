"""`docs/reference/meaning.md` read in the plainest way: everything computed at once from the whole list of records."""

from collections.abc import Sequence

from catalog.graph.record import EventRecord
from catalog.model import Direction
from tests.reference.answers import Answer, JobEdge, Resolution, Served, VersionState
from tests.reference.deployments import Deployments
from tests.reference.derivations import declared, derivations_of
from tests.reference.flows import Flows
from tests.reference.jobs import Jobs
from tests.reference.runs import Runs
from tests.reference.senders import Senders
from tests.reference.versions import Versions
from tests.reference.walks import Walks


class Reference:
    """Answers of the graph at one cut; ids as `catalog.identity` makes them, times in µs."""

    def __init__(self, records: Sequence[EventRecord], *, known: int | None = None, valid: int | None = None) -> None:
        first = [record for record in records if known is None or record.seq < known]
        seen = [record for record in first if valid is None or record.at <= valid]
        ordered = sorted(seen, key=lambda record: record.order)
        now = max((record.recorded for record in first), default=0) if valid is None else valid

        self._runs = Runs(ordered, now)
        derivations = [found for run in self._runs.all for found in derivations_of(run, self._runs)]
        self._versions = Versions(ordered, self._runs, derivations)
        self._flows = Flows(self._runs, self._versions, derivations)
        self._jobs = Jobs(self._runs, self._versions, self._flows, declared(ordered), counted=valid is None)
        self._senders = Senders(ordered)
        self._walks = Walks(self._runs, self._versions, self._flows, self._jobs)

    def run_lineage(self, root: str, direction: Direction, depth: int, history: bool = False) -> Answer:
        """A walk over versions and runs, from a version, dataset, run or job id."""
        return self._senders.with_gaps(self._walks.walk(root, direction, depth, history))

    def job_lineage(self, root: str, direction: Direction, depth: int) -> Answer:
        """A walk over datasets and jobs, from a dataset or job id."""
        return self._senders.with_gaps(self._jobs.walk(root, direction, depth).answer())

    def job_edge(self, source: str, target: str) -> JobEdge | None:
        """What all runs say of one edge between a job and a dataset."""
        return self._jobs.edge(source, target)

    def resolve(
        self, dataset: str, start: int, end: int, run: str | None = None, version: str | None = None
    ) -> Resolution:
        """What a read of a dataset in [start, end] µs by a run (its id) means."""
        return self._flows.resolve(dataset, start, end, run, version)[0]

    def versions(self, dataset: str) -> list[VersionState]:
        """The dataset's own versions, the latest last."""
        return self._versions.states(dataset)

    def deployments(self) -> list[Served]:
        """All intervals of serving, by begin."""
        return Deployments(self._runs, self._flows).all()

    def run_states(self) -> dict[str, str]:
        """The state of each run and of each stub, by id."""
        return self._runs.states()
