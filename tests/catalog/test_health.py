"""Ready, degraded, unready: what each means, and that asking never fails because a part does."""

from collections import namedtuple
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.testclient import TestClient

from catalog.access import Access, LogState
from catalog.errors import StoreUnavailableError
from catalog.health import DISK_FLOOR, Disk, Health, Published, health_routes
from catalog.log.writer import LogWriter, microseconds_now
from catalog.supervision import SupervisedChild
from catalog.telemetry import Metrics

Position = namedtuple("Position", "offset")


class Store:
    """A graph that has projected `offset` entries; None for one that does not answer."""

    name = "sqlite"

    def __init__(self, offset: int | None) -> None:
        self.offset = offset

    def position(self) -> Position:
        if self.offset is None:
            raise StoreUnavailableError("no answer")
        return Position(self.offset)


class Child:
    restarts = 3

    def __init__(self, pid: int | None) -> None:
        self.pid = pid


class Queue:
    def pending(self) -> int:
        return 5


def serving(offset: int | None = 10, pid: int | None = 1, accepting: bool = True, **parts: Any) -> TestClient:
    """A server of 10 entries, each taken ten seconds ago."""
    access = Access(cast(Any, Store(offset)), lambda: LogState("lineward/x", 10, bytes(32)))
    health = Health(
        access,
        cast(LogWriter, Queue()),
        cast(SupervisedChild, Child(pid)),
        lambda seq: microseconds_now() - 10_000_000,
        lambda: accepting,
        Metrics(),
        **parts,
    )
    return TestClient(Starlette(routes=list(health_routes(health))))


def metrics(client: TestClient) -> dict[str, float]:
    """Name, and label values in brackets where there are any -> value."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        sample.name + ("".join(f"[{value}]" for value in sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ({}, "ready", 200),
        ({"offset": 4}, "ready", 200),
        ({"offset": None}, "degraded", 200),
        ({"pid": None}, "degraded", 200),
        ({"accepting": False}, "unready", 503),
        ({"accepting": False, "offset": None}, "unready", 503),
    ],
    ids=str,
)
def test_a_server_is_ready_while_it_takes_events(parts: Mapping[str, Any], status: str, code: int) -> None:
    client = serving(**parts)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (code, status)


@pytest.mark.parametrize("parts", [{"offset": None}, {"pid": None}, {"accepting": False}], ids=str)
def test_a_server_is_alive_whatever_its_parts_are(parts: Mapping[str, Any]) -> None:
    assert serving(**parts).get("/livez").status_code == 200


def test_a_full_disk_is_unready_until_there_is_space_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = serving(folder=tmp_path)
    assert client.get("/readyz").status_code == 200
    monkeypatch.setattr(Disk, "of", lambda folder: Disk(1 << 40, DISK_FLOOR - 1))
    full = client.get("/readyz")
    assert (full.status_code, full.json()["log"]["accepting"]) == (503, False)
    monkeypatch.setattr(Disk, "of", lambda folder: Disk(1 << 40, DISK_FLOOR))
    assert client.get("/readyz").status_code == 200


def test_the_states_are_metrics(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(bytes(100))
    (tmp_path / "log.db-wal").write_bytes(bytes(30))
    checkpoint = Published(8, microseconds_now() - 20_000_000, 5)
    found = metrics(
        serving(offset=4, folder=tmp_path, checkpoint=lambda: checkpoint, findings=lambda: {"BREAK_GLASS": 2})
    )
    assert found["lineward_log_size"] == 10
    assert (found["lineward_log_accepting"], found["lineward_graph_up"]) == (1, 1)
    assert found["lineward_append_queue_depth"] == 5
    assert (found["lineward_projection_offset"], found["lineward_projection_lag_events"]) == (4, 6)
    assert 9.9 <= found["lineward_projection_lag_seconds"] < 60
    assert found["lineward_projector_restarts_total"] == 3
    assert (found["lineward_checkpoint_size"], found["lineward_witness_lag"]) == (8, 3)
    assert 19.9 <= found["lineward_checkpoint_age_seconds"] < 60
    assert (found["lineward_log_bytes"], found["lineward_wal_bytes"]) == (100, 30)
    assert 0 < found["lineward_disk_free_bytes"] <= found["lineward_disk_size_bytes"]
    assert found["lineward_open_findings[BREAK_GLASS]"] == 2


def test_what_is_not_known_has_no_value_rather_than_a_wrong_one() -> None:
    found = metrics(serving(offset=None))
    assert found["lineward_graph_up"] == 0
    unknown = ("projection_offset", "projection_lag_events", "projection_lag_seconds", "checkpoint_size", "wal_bytes")
    assert found.keys().isdisjoint({f"lineward_{name}" for name in unknown})


def test_findings_are_counted_once_a_minute_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [0.0], []

    def findings() -> Mapping[str, int]:
        asked.append(now[0])
        return {"BREAK_GLASS": len(asked)}

    client = serving(findings=findings)
    monkeypatch.setattr("catalog.health.time", SimpleNamespace(monotonic=lambda: now[0]))
    for instant in (0.0, 30.0, 61.0, 62.0):
        now[0] = instant
        metrics(client)
    assert asked == [0.0, 61.0]


def test_findings_that_cannot_be_counted_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    answers: list[Callable[[], Mapping[str, int]]] = [lambda: {"BREAK_GLASS": 1}, lambda: Store(None).position()]  # type: ignore[list-item, return-value]
    client = serving(findings=lambda: answers.pop(0)())
    monkeypatch.setattr("catalog.health.time", SimpleNamespace(monotonic=lambda: now[0]))
    assert metrics(client)["lineward_open_findings[BREAK_GLASS]"] == 1
    now[0] = 61.0
    assert metrics(client)["lineward_open_findings[BREAK_GLASS]"] == 1
