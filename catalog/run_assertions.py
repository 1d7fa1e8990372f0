"""What the events of one run assert only together: moments, shape and length.

All of it grows with the set of events and never depends on their order, so it may be asserted again with each batch.
"""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import replace

from catalog.assertions import edges_of, moment_edges
from catalog.graph.contract import Edge, EdgeKind, RunShape
from catalog.graph.record import EventRecord, Processing
from catalog.identity import job_id
from catalog.lineage.derivations import derivations
from catalog.lineage.jobgrain import WRITES_ALONE
from catalog.lineage.runs import JobTraits, Run, grouped, own_traits
from catalog.remembered import Remembered

_OF_JOB = frozenset({EdgeKind.CONSUMES, EdgeKind.PRODUCES, EdgeKind.NAMES, EdgeKind.PART_OF, EdgeKind.RUN_OF})


def moments_of(events: Sequence[EventRecord]) -> list[Edge]:
    """Every instant at which some cut may see a write of this run come into force.

    A batch write does so at one of the run's terminal events, a stream's at its own event; which it is may depend
    on events that a cut does not see, so both are marked and the reading decides.
    """
    outputs = {(event.seq, use.dataset, use.change): (event, use) for event in events for use in event.outputs}
    ends = [event for event in events if event.terminal]
    streams = any(event.processing not in (None, Processing.BATCH) for event in events)
    moments: dict[tuple[EdgeKind, str, int], Edge] = {}
    for event, use in outputs.values():
        own = () if event.processing is Processing.BATCH and not streams else (event,)
        for end in (*own, *ends):
            assert event.run is not None
            for edge in moment_edges(event.run, use, use.change, end.at, max(event.seq, end.seq)):
                key = (edge.kind, edge.target, edge.at)
                if key not in moments or moments[key].seq > edge.seq:
                    moments[key] = edge
    return list(moments.values())


def kept_reads_of(events: Sequence[EventRecord]) -> list[Edge]:
    """The moments at which a stream that names no inputs reads those of an earlier event again.

    Which earlier event it is depends on the cut; every dataset that the run ever read may be meant.
    """
    moments = [e for e in events if e.outputs and not e.inputs and e.processing is not Processing.BATCH]
    if not moments:
        return []
    first: dict[str, int] = {}
    for event in events:
        for edge in edges_of(event):
            if edge.kind is EdgeKind.READ:
                first[edge.target] = min(edge.seq, first.get(edge.target, edge.seq))
    return [
        Edge(EdgeKind.READ, str(event.run), dataset, event.at, max(event.seq, seq))
        for event in moments
        for dataset, seq in first.items()
    ]


def root_edges_of(events: Sequence[EventRecord]) -> list[Edge]:
    """What an event says of its job, said also of each reported job that this one dot-extends.

    One of them is the run's job. Which one depends on the cut, so all of them lead to it.
    """
    names = {(event.job_namespace, event.job_name) for event in events}
    if len(names) == 1:
        return []
    edges: list[Edge] = []
    for event in events:
        for namespace, root in names:
            if namespace == event.job_namespace and event.job_name.startswith(root + "."):
                key = job_id(namespace, root)
                edges += [
                    replace(edge, target=key) if edge.kind is EdgeKind.RUN_OF else replace(edge, source=key)
                    for edge in edges_of(event)
                    if edge.kind in _OF_JOB
                ]
                if event.outputs and not event.inputs and event.parent:
                    edges.append(Edge(EdgeKind.HAS_ROLE, key, WRITES_ALONE, event.at, event.seq))
    return edges


def shapes_of(uuid: str, events: Sequence[EventRecord]) -> list[RunShape]:
    """The structure of the run, or of each of the runs that collide under one UUID (`UUID#1` and so on)."""
    groups = grouped(events)
    shapes = []
    for index, (namespace, name, ordered) in enumerate(groups):
        run = Run(uuid, namespace, name, ordered, own_traits(ordered) or JobTraits(), len(groups) > 1)
        key = f"{uuid}#{index}" if index else uuid
        shapes.append(RunShape(key, run.job, _shape(run), run.started, run.last_event.at, run.succeeded or 0))
    return shapes


def vanished_shapes(uuid: str, before: Sequence[EventRecord], after: Sequence[EventRecord]) -> list[RunShape]:
    """Blanks for runs that turned out to be one: a late event can relate two jobs that seemed to collide."""
    was, now = (len(grouped(events)) if events else 0 for events in (before, after))
    return [RunShape(f"{uuid}#{index}", "", "", 0, 0, 0) for index in range(now, was)]


def _shape(run: Run) -> str:
    """32 hex characters that are equal only for runs whose JOB-grain edges are equal."""
    form = (run.started == run.ended, *map(_form, run.events))
    shape = _SHAPES.find(form)
    if shape is None:
        shape = _digest(_structure(run))
        _SHAPES.keep(form, shape, 1)
    return shape or _digest(f"alone:{run.id}")  # a roll-up depends on other runs


# What a run flows through is worked out from its events, and runs of one job are nearly all alike.
_SHAPES: Remembered[Hashable, str] = Remembered(5_000)


def _form(event: EventRecord) -> Hashable:
    """All of an event that `_structure` may depend on: neither when it happened nor which version is meant."""
    return (
        event.processing,
        event.job_type,
        event.window,
        event.snapshot,
        tuple([(use.dataset, use.version is None) for use in event.inputs]),
        tuple(
            [
                (u.dataset, u.version is None, u.columns, u.column_lineage, u.sources, u.change, u.renamed_from)
                for u in event.outputs
            ]
        ),
    )


def _digest(structure: str | None) -> str:
    return hashlib.sha256(structure.encode()).hexdigest()[:32] if structure is not None else ""


def _structure(run: Run) -> str | None:
    """Text that is equal only for runs whose JOB-grain edges are equal; None where they depend on other runs."""
    found = derivations(run)
    if any(derivation.undeclared for derivation in found):
        return None
    if own_traits(run.events) is None:
        return f"untold:{[_event_structure(event) for event in run.events]!r}"  # read as its job's facet says
    mapped = {(u.dataset, u.column_lineage) for e in run.events for u in e.outputs if u.column_lineage is not None}
    triples = {triple for derivation in found for triple in derivation.triples()}
    return repr((sorted(triples), sorted(mapped, key=repr)))


def _event_structure(event: EventRecord) -> tuple[object, ...]:
    outputs = [(u.dataset, u.columns, u.column_lineage, u.sources, u.change, u.renamed_from) for u in event.outputs]
    return ([use.dataset for use in event.inputs], outputs, event.snapshot)


def spans_of(events: Sequence[EventRecord]) -> dict[str, int]:
    """How long the run lasted, for each dataset that it reads without a version.

    A stream reads at instants, but only where each event says that it is one: an event that says nothing may be all
    that a cut sees, and then its job decides.
    """
    if all(event.processing not in (None, Processing.BATCH) for event in events):
        return {}
    span = max(event.at for event in events) - min(event.at for event in events)
    read = {use.dataset for event in events for use in event.inputs if use.version is None}
    read |= {dataset for event in events for use in event.outputs for dataset in use.columns}
    read |= {s.dataset for e in events for use in e.outputs for s in use.sources or () if s.dataset}
    read |= {use.renamed_from for event in events for use in event.outputs if use.renamed_from}
    return dict.fromkeys(read, span) if span else {}
