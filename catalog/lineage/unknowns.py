"""What the catalog knows that it does not know, over all of it: data that nobody wrote, runs that never ended."""

from collections.abc import Iterable
from dataclasses import dataclass

from catalog.graph.contract import EdgeKind
from catalog.identity import NodeKind
from catalog.lineage.rungrain import ABANDONED
from catalog.lineage.runs import Run
from catalog.lineage.view import GraphView
from catalog.model import RunState

MOST_RUNS = 2_000
"""How many of the latest runs are looked at: each has to be read to know whether it ended."""


@dataclass(frozen=True, slots=True)
class Unended:
    """Ids of the runs that never ended, the latest first, among the last `examined` of `total` runs."""

    runs: tuple[str, ...]
    examined: int
    total: int


def unwritten(view: GraphView) -> list[str]:
    """Datasets that some job reads and none writes, under no name that they were ever said to have.

    The cost is that of all jobs with their datasets, whatever the number of runs.
    """
    jobs = [record.id for record in view.reader.of_kind(NodeKind.JOB)]
    read = _targets(view, EdgeKind.CONSUMES, jobs) | _targets(view, EdgeKind.NAMES, jobs)
    written = _targets(view, EdgeKind.PRODUCES, jobs)
    unknown = read - written
    out, into = (ask(EdgeKind.ALIAS_OF, unknown) for ask in (view.reader.outgoing, view.reader.incoming))
    return sorted(
        each
        for each in unknown
        if written.isdisjoint({edge.target for edge in out[each]} | {edge.source for edge in into[each]})
    )


def unended(view: GraphView, most: int = MOST_RUNS) -> Unended:
    """Runs from which no terminal event is to be expected any more: for a day, or because their application ended."""
    records = view.reader.of_kind(NodeKind.RUN)
    latest = sorted(records, key=lambda record: (-record.at, record.id))[:most]
    view.fetch_runs(record.label for record in latest if record.label)
    reported = ((record.id, view.runs(record.label or "")) for record in latest)
    found = [run.id for id_, runs in reported for run in runs if run.id == id_ and _is_abandoned(view, run)]
    return Unended(tuple(found), len(latest), len(records))


def _is_abandoned(view: GraphView, run: Run) -> bool:
    state = view.state(run)
    if state is RunState.ENDED_WITH_PARENT:
        return True
    return state is RunState.RUNNING and not run.endless and view.now - run.last_event.at > ABANDONED


def _targets(view: GraphView, kind: EdgeKind, jobs: Iterable[str]) -> set[str]:
    return {edge.target for edges in view.reader.outgoing(kind, jobs).values() for edge in edges}
