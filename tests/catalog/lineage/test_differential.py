"""The product against the reference model: two readings of one page must agree on whatever comes."""

import dataclasses
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog.graph.record import DatasetUse, EventRecord
from catalog.model import Direction
from tests.catalog.lineage.product import product
from tests.reference.answers import Answer, Answers
from tests.reference.events import NAMES, RUNS, dataset, event_records, job, micros
from tests.reference.model import Reference

JOBS = sorted({name for names, _ in RUNS.values() for name in names})
NODES = [*map(dataset, NAMES), *map(job, JOBS)]
WAYS = (Direction.UPSTREAM, Direction.DOWNSTREAM)


def everything(graph: Answers) -> dict[str, object]:
    """Each question's answer by a name that tells what differs."""
    found: dict[str, object] = {
        f"versions {name}": sorted(graph.versions(dataset(name)), key=lambda one: one.id) for name in NAMES
    }
    found["states"] = graph.run_states()
    found["deployments"] = sorted(graph.deployments(), key=repr)
    for way in WAYS:
        for root in [*NODES, *sorted(graph.run_states())]:
            found[f"{way} run {root}"] = graph.run_lineage(root, way, 4)
        for root in NODES:
            found[f"{way} job {root}"] = graph.job_lineage(root, way, 4)
    return found


def settled(records: Sequence[EventRecord]) -> list[EventRecord]:
    """Make symlinks of one dataset at one instant equal: which of two wins is told by bodies, which records lack."""
    listed: dict[tuple[int, str], set[str]] = {}
    for record, use in ((r, u) for r in records for u in uses(r) if u.aliases is not None):
        listed.setdefault((record.at, use.dataset), set()).update(use.aliases or ())

    def agreed(record: EventRecord, use: DatasetUse) -> DatasetUse:
        aliases = listed.get((record.at, use.dataset))
        return use if use.aliases is None or aliases is None else replace(use, aliases=tuple(sorted(aliases)))

    return [
        replace(
            record,
            inputs=tuple(agreed(record, use) for use in record.inputs),
            outputs=tuple(agreed(record, use) for use in record.outputs),
            subject=agreed(record, record.subject) if record.subject else None,
        )
        for record in records
    ]


def uses(record: EventRecord) -> list[DatasetUse]:
    return [*record.inputs, *record.outputs, *((record.subject,) if record.subject else ())]


def agree(records: Sequence[EventRecord], *, known: int | None = None, valid: int | None = None) -> None:
    records = settled(records)
    expected = everything(Reference(records, known=known, valid=valid))
    answered = everything(product(records, known=known, valid=valid))
    for question, answer in expected.items():
        assert told(answered[question]) == told(answer), question


def told(answer: object) -> object:
    """The product tells gaps of the nodes that it shows; of a run as root, its outputs are not among them."""
    if not isinstance(answer, Answer):
        return answer
    return dataclasses.replace(answer, gaps=frozenset(gap for gap in answer.gaps if gap[1] in answer.nodes))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(event_records())
def test_both_readings_agree(records: list[EventRecord]) -> None:
    agree(records)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(event_records(), st.data())
def test_both_readings_agree_at_every_cut(records: list[EventRecord], data: st.DataObject) -> None:
    known = data.draw(st.integers(0, len(records)))
    valid = data.draw(st.one_of(st.none(), st.integers(0, 12).map(micros)))
    agree(records, known=known, valid=valid)
