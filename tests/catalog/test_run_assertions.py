"""Shapes are found again by the form of a run: no two runs of one form may differ in structure."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.graph.record import Change, EventRecord, Processing, Shape
from catalog.lineage.runs import JobTraits, Run, grouped, own_traits
from catalog.run_assertions import _digest, _shape, _structure
from tests.reference.events import event_records, use


def runs_of(records: list[EventRecord]) -> list[Run]:
    events: dict[str, list[EventRecord]] = {}
    for record in records:
        if record.run is not None:
            events.setdefault(record.run, []).append(record)
    return [
        Run(uuid, namespace, name, ordered, own_traits(ordered) or JobTraits(), collides=False)
        for uuid, found in events.items()
        for namespace, name, ordered in grouped(found)
    ]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(event_records(), min_size=1, max_size=2))
def test_the_shape_is_that_of_the_structure_whatever_was_asked_before(drawn: list[list[EventRecord]]) -> None:
    for run in (run for records in drawn for run in runs_of(records)):
        assert _shape(run) == (_digest(_structure(run)) or _digest(f"alone:{run.id}"))


def test_a_renamed_source_that_was_read_at_the_same_instant_is_told_from_one_read_before() -> None:
    """A run of one instant and one that lasts have the same events but for their times, and differ in structure."""
    renames = use("b", change=Change.RENAME, renamed_from="a", sources=())

    def renaming(*instants: int) -> Run:
        told = [
            EventRecord(
                seq=seq, at=at, recorded=9, time="", actor="local", shape=Shape.RUN, digest=str(seq),
                type=("START", "COMPLETE")[seq], run="r", job="j", processing=Processing.BATCH,
                inputs=(use("a"),), outputs=(renames,),
            )
            for seq, at in enumerate(instants)
        ]  # fmt: skip
        (run,) = runs_of(told)
        return run

    at_once, lasting = renaming(1, 1), renaming(1, 2)
    assert _structure(at_once) != _structure(lasting)
    for run in (at_once, lasting, at_once):
        assert _shape(run) == _digest(_structure(run))
