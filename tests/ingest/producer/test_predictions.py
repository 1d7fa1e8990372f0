import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from openlineage.client import OpenLineageClient

from ingest.producer import Dataset, Delivery, Deployment, Model, Oversight, PredictionLog, Served
from ingest.producer.merkle import MerkleTree
from ingest.producer.record import entry_of
from ingest.spec import schema_digest
from tests.ingest.producer.collector import Memory
from tests.ingest.producer.core_spec import check_event

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ONE = Served(Model(namespace="mlflow://m", name="risk", version="1", digest="sha256:01"))
TWO = Served(Model(namespace="mlflow://m", name="risk", version="2"), role="canary", share=0.1)
SERVICE = Deployment(
    namespace="jobs",
    name="scoring",
    environment="production",
    country="DE",
    oversight=Oversight(assignedTo=["team:x"]),
    retention_days=30,
    window_seconds=60,
)


class Clock:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def move(self, milliseconds: float) -> None:
        self.at += timedelta(milliseconds=milliseconds)


class Bench:
    """A prediction log under test, with what it wrote and what it sent."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.memory = Memory()
        self.path = folder / "log" / "predictions.ndjson"
        self.delivery = Delivery(OpenLineageClient(transport=self.memory), spool=folder / "spool.ndjson")
        self.log = PredictionLog(
            self.delivery,
            deployment=SERVICE,
            served=[ONE],
            path=self.path,
            dataset=Dataset(namespace="file://here", name="predictions.ndjson"),
            clock=self.clock,
        )

    def events(self) -> list[dict[str, Any]]:
        assert self.delivery.flush(30)
        for event in self.memory.events:
            check_event(event)
        return self.memory.events

    def windows(self) -> list[dict[str, Any]]:
        facets = [event["run"]["facets"] for event in self.events()]
        return [facet["lineward_predictions"] for facet in facets if "lineward_predictions" in facet]

    def lines(self) -> list[bytes]:
        return self.path.read_bytes().splitlines() if self.path.exists() else []


@contextmanager
def bench() -> Iterator[Bench]:
    with TemporaryDirectory() as folder:
        under_test = Bench(Path(folder))
        yield under_test
        under_test.log.close()
        under_test.delivery.close()


def asserted(event: dict[str, Any]) -> list[tuple[str, str, float]]:
    """The versions, roles and shares that the inputs of an event assert."""
    return [
        (
            item["facets"]["version"]["datasetVersion"],
            item["inputFacets"]["lineward_serving"]["role"],
            item["inputFacets"]["lineward_serving"]["share"],
        )
        for item in event["inputs"]
    ]


def test_the_start_says_how_the_model_is_served() -> None:
    with bench() as under_test:
        under_test.log.start()
        under_test.log.start()
        (start,) = under_test.events()
    assert start["eventType"] == "START"
    assert start["job"]["facets"]["jobType"]["processingType"] == "SERVICE"
    assert start["job"]["facets"]["jobType"]["emissionPattern"] == {
        "eventTrigger": "PERIODIC",
        "eventContentMode": "COMPLETE_SNAPSHOT",
        "windowDuration": 60,
    }
    serving = start["run"]["facets"]["lineward_serving"]
    assert (serving["environment"], serving["country"], serving["heartbeatSeconds"]) == ("production", "DE", 60)
    assert serving["logging"] == {
        "enabled": True,
        "schemaDigest": schema_digest("PredictionRecord"),
        "retentionDays": 30,
    }
    assert [(item["version"], item["role"]) for item in serving["models"]] == [("1", "primary")]
    assert asserted(start) == [("1", "primary", 1.0)]
    assert start["inputs"][0]["inputFacets"]["lineward_input"]["digest"] == "sha256:01"
    assert start["run"]["facets"]["lineward_serving"]["models"][0]["digest"] == "sha256:01"


def test_a_window_commits_to_the_lines_of_the_log() -> None:
    with bench() as under_test:
        under_test.log.start()
        for row in range(5):
            under_test.log.record(features={"row": row}, output=0.5, decision="approve", latency_ms=2.0)
            under_test.clock.move(100)
        under_test.log.close()
        (window,) = under_test.windows()
        lines = under_test.lines()
        output = next(event for event in under_test.events() if event["outputs"])["outputs"][0]
    tree = MerkleTree()
    for line in lines:
        tree.add(entry_of(line))
    assert (window["count"], window["root"]) == (5, f"sha256:{tree.root().hex()}")
    assert window["from"] == "2026-03-01T09:00:00.000Z"
    assert output["outputFacets"]["lineward_predictions"]["root"] == window["root"]
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 5
    assert {json.loads(line)["windowId"] for line in lines} == {window["windowId"]}


def test_a_service_without_requests_still_gives_signs_of_life() -> None:
    with bench() as under_test:
        under_test.log.start()
        for _ in range(3):
            under_test.clock.move(60_000)
            under_test.log.tick()
        windows = under_test.windows()
        assert all(event["outputs"] == [] for event in under_test.events())
    assert [window["count"] for window in windows] == [0, 0, 0]
    assert [window["to"] for window in windows[:-1]] == [window["from"] for window in windows[1:]]


def test_other_versions_are_reported_the_moment_they_answer() -> None:
    with bench() as under_test:
        under_test.log.serve([ONE, TWO])
        under_test.log.start()
        under_test.clock.move(10_000)
        under_test.log.serve([TWO])
        under_test.clock.move(10_000)
        under_test.log.serve([ONE])
        under_test.log.close()
        events = under_test.events()
    assert [(event["eventType"], [version for version, _, _ in asserted(event)]) for event in events] == [
        ("START", ["1", "2"]),
        ("RUNNING", ["1", "2"]),
        ("RUNNING", ["2"]),
        ("RUNNING", ["2"]),
        ("RUNNING", ["1"]),
        ("RUNNING", ["1"]),
        ("COMPLETE", ["1"]),
    ]
    times = [event["eventTime"] for event in events]
    assert times == sorted(set(times))


def test_the_version_that_answered_is_named() -> None:
    with bench() as under_test:
        under_test.log.start()
        under_test.log.record(features={}, output=1)
        under_test.log.record(features={}, output=2, served=TWO)
        under_test.log.close()
        records = [json.loads(line) for line in under_test.lines()]
    assert [record["model"]["version"] for record in records] == ["1", "2"]


def test_a_log_that_cannot_be_written_harms_nobody() -> None:
    with bench() as under_test:
        under_test.path.parent.write_text("a file where a folder is needed")
        under_test.log.start()
        UUID(under_test.log.record(features={}, output=1))
        under_test.log.close()
        assert [window["count"] for window in under_test.windows()] == [1]


def test_a_log_that_is_not_started_still_names_requests() -> None:
    with bench() as under_test:
        assert UUID(under_test.log.record(features={}, output=1)).version == 7
        assert under_test.events() == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["record", "record", "record", "tick", "one", "two"]),
        st.integers(-2_000, 90_000) | st.just(0),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_every_prediction_lies_in_the_one_window_that_counts_it(steps: list[tuple[str, int]]) -> None:
    with bench() as under_test:
        under_test.log.start()
        for act, milliseconds in steps:
            under_test.clock.move(milliseconds)
            perform(under_test.log, act)
        under_test.log.close()
        windows, lines = under_test.windows(), under_test.lines()
    records = [json.loads(line) for line in lines]
    assert [window["to"] for window in windows[:-1]] == [window["from"] for window in windows[1:]]
    assert sum(window["count"] for window in windows) == len(records)
    assert len(records) == sum(act == "record" for act, _ in steps)
    for window in windows:
        tree = MerkleTree()
        for line, record in zip(lines, records, strict=True):
            inside = window["from"] <= time_in(record["requestId"]) < window["to"]
            assert inside == (record["windowId"] == window["windowId"])
            if inside:
                tree.add(entry_of(line))
        assert (window["count"], window["root"]) == (tree.count, f"sha256:{tree.root().hex()}")


def perform(log: PredictionLog, act: str) -> None:
    if act == "record":
        log.record(features={"a": 1}, output=0.5)
    elif act == "tick":
        log.tick()
    else:
        log.serve([ONE if act == "one" else TWO])


def time_in(request_id: str) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=UUID(request_id).int >> 80)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
