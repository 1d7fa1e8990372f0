"""Which JSON is an event, and when it happened."""

import copy
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import instant
from catalog.errors import InvalidEventError
from catalog.graph.record import Shape
from ingest.instant import parse_instant
from ingest.limits import Limits
from ingest.shape import check_event

LIMITS = Limits()
RUN = {
    "eventTime": "2026-03-01T12:00:00Z",
    "run": {"runId": "0195D0e2-7a3c-7000-8000-000000000001", "facets": {"nominalTime": {"_deleted": True}}},
    "job": {"namespace": "airflow://prod", "name": "daily/{{ ds }} 🚀", "facets": {}},
    "inputs": [{"namespace": "s3://raw", "name": "a:b@c", "facets": {}, "inputFacets": {}}],
    "outputs": [{"namespace": "", "name": "x" * 10_000}],
}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    event = copy.deepcopy(RUN)
    change(event)
    return event


def refused(event: Any) -> InvalidEventError:
    with pytest.raises(InvalidEventError) as caught:
        check_event(event, LIMITS)
    assert caught.value.remedy
    return caught.value


def test_events_are_told_apart_by_shape_and_not_by_their_schema() -> None:
    dataset = {"eventTime": RUN["eventTime"], "dataset": {"namespace": "n", "name": "d"}}
    job = {"eventTime": RUN["eventTime"], "job": RUN["job"], "inputs": RUN["inputs"], "schemaURL": "#/$defs/RunEvent"}

    assert check_event(RUN, LIMITS).shape is Shape.RUN
    assert check_event(job, LIMITS).shape is Shape.JOB
    assert check_event(job | {"dataset": dataset["dataset"]}, LIMITS).shape is Shape.JOB
    assert check_event(dataset | {"run": None, "job": None}, LIMITS).shape is Shape.DATASET


def test_null_stands_for_an_absent_optional_part() -> None:
    nothing = {"inputs": None, "outputs": None, "eventType": None, "producer": None}
    event = RUN | nothing | {"job": {"namespace": "n", "name": "j", "facets": {"sql": None}}}

    assert check_event(event, LIMITS).shape is Shape.RUN


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (lambda e: e.pop("job"), "/job"),
        (lambda e: e.update(run=[]), "/run"),
        (lambda e: e.update(job="etl"), "/job"),
        (lambda e: e["run"].update(runId="run_id"), "/run/runId"),
        (lambda e: e["run"].update(runId="0195d0e27a3c70008000000000000001"), "/run/runId"),
        (lambda e: e["run"].update(runId=RUN["run"]["runId"] + "\n"), "/run/runId"),  # type: ignore[index]
        (lambda e: e["run"].pop("runId"), "/run/runId"),
        (lambda e: e["run"].update(facets=[]), "/run/facets"),
        (lambda e: e["job"].update(namespace=None), "/job/namespace"),
        (lambda e: e["job"].update(name=7), "/job/name"),
        (lambda e: e["job"]["facets"].update({"a/b": "text"}), "/job/facets/a~1b"),
        (lambda e: e.update(inputs={}), "/inputs"),
        (lambda e: e["inputs"].append("s3://raw/a"), "/inputs/1"),
        (lambda e: e["inputs"][0].pop("name"), "/inputs/0/name"),
        (lambda e: e["inputs"][0].update(inputFacets={"x": 1}), "/inputs/0/inputFacets/x"),
        (lambda e: e["outputs"][0].update(outputFacets=1), "/outputs/0/outputFacets"),
        (lambda e: e.update(outputs=[{"namespace": "n", "name": "d"}] * 100_001), "/outputs"),
        (lambda e: e.update(eventType=1), "/eventType"),
        (lambda e: e.pop("eventTime"), "/eventTime"),
        (lambda e: e.update(eventTime=1772366400.5), "/eventTime"),
        (lambda e: e.update(eventTime="yesterday"), "/eventTime"),
    ],
)
def test_what_is_wrong_is_pointed_at(change: Callable[[dict[str, Any]], object], pointer: str) -> None:
    assert refused(changed(change)).pointer == pointer


def test_a_hundred_thousand_inputs_are_taken() -> None:
    assert check_event(RUN | {"inputs": [{"namespace": "n", "name": "d"}] * 100_000}, LIMITS).shape is Shape.RUN


@pytest.mark.parametrize("event", [None, 1, "text", [], [RUN], {}, {"eventTime": RUN["eventTime"]}])
def test_json_about_nothing_is_no_event(event: Any) -> None:
    assert refused(event).pointer == ""


def test_an_array_is_told_where_to_go() -> None:
    assert "/batch" in refused([RUN]).remedy


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)),
    st.integers(0, 999),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_nanoseconds_are_cut_to_the_microsecond_before(moment: datetime, nanos: int, offset: int) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    text = re.sub(r"(\.\d{6})", rf"\g<1>{nanos:03d}", local.isoformat(timespec="microseconds"))

    assert parse_instant(text).micros == instant.of(local)


@pytest.mark.parametrize(
    ("text", "expected", "assumed"),
    [
        ("2026-03-01T12:00:00.123456789Z", "2026-03-01T12:00:00.123456Z", False),
        ("2026-03-01T12:00:27.7Z", "2026-03-01T12:00:27.700000Z", False),
        ("2026-03-01T12:00:00", "2026-03-01T12:00:00.000000Z", True),
        ("2026-03-01 12:00:00,5", "2026-03-01T12:00:00.500000Z", True),
        ("2026-03-01T12:00", "2026-03-01T12:00:00.000000Z", True),
        ("2026-03-01T12:00:00Z[Europe/London]", "2026-03-01T12:00:00.000000Z", False),
        ("2026-07-01T12:00:00+01:00[Europe/London]", "2026-07-01T11:00:00.000000Z", False),
        ("2026-03-01t12:00:00z", "2026-03-01T12:00:00.000000Z", False),
        ("2026-03-01T12:00:00-0530", "2026-03-01T17:30:00.000000Z", False),
        ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z", False),
    ],
)
def test_times_of_real_producers(text: str, expected: str, assumed: bool) -> None:
    parsed = parse_instant(text)

    assert (instant.text(parsed.micros), parsed.text, parsed.assumed_utc) == (expected, text, assumed)


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-03-01", "12:00:00", "2026-02-29T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:00:60Z"),
        *("2026-03-01T12:00:00+24:00", "2026-03-01T12:00:00Z ", "２０２６-03-01T12:00:00Z", "1772366400"),
        *(
            "0001-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "2026-03-01T12:00:00[Europe/London",
            "20260301T120000Z",
        ),
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidEventError):
        parse_instant(text)
