"""The ingest door lets in what its sender may send, and logs who sent it."""

import json
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from catalog.errors import UnauthenticatedError
from catalog.log.entry import Receipt, Submission
from catalog.principal import Principal, Scope, grants
from ingest.http import LineageDoor, routes

LINEAGE, BATCH = "/api/v1/lineage", "/api/v1/lineage/batch"
SENDER = Principal("key:1", "ann@example.org", grants([Scope.INGEST_WRITE], ["team-*"]))
READER = Principal("key:2", "ann@example.org", grants([Scope.LINEAGE_READ]))


class MemoryLog:
    def __init__(self) -> None:
        self.entries: list[Submission] = []

    async def append(self, submission: Submission) -> Receipt:
        self.entries.append(submission)
        return Receipt(len(self.entries) - 1, b"", False)


@contextmanager
def door(log: MemoryLog, principal: Principal | None, *, later: bool = False) -> Iterator[TestClient]:
    def principal_of(request: Request) -> Principal | Awaitable[Principal]:
        if principal is None:
            raise UnauthenticatedError("Nobody is let in.", "Send a key.")
        return _later(principal) if later else principal

    with TestClient(Starlette(routes=routes(LineageDoor(log, "origin", principal_of=principal_of)))) as client:
        yield client


async def _later(principal: Principal) -> Principal:
    return principal


def run_event(namespace: str, inputs: str = "elsewhere") -> dict[str, Any]:
    return {
        "eventTime": "2026-03-01T12:00:00Z",
        "run": {"runId": "0195d0e2-7a3c-7000-8000-000000000001"},
        "job": {"namespace": namespace, "name": "job"},
        "inputs": [{"namespace": inputs, "name": "data"}],
    }


def job_event(namespace: str) -> dict[str, Any]:
    return {"eventTime": "2026-03-01T12:00:00Z", "job": {"namespace": namespace, "name": "job"}}


def dataset_event(namespace: str) -> dict[str, Any]:
    return {"eventTime": "2026-03-01T12:00:00Z", "dataset": {"namespace": namespace, "name": "data"}}


@pytest.mark.parametrize("event", [run_event, job_event, dataset_event])
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("later", [False, True])
def test_an_event_counts_where_its_sender_may_write(event: Any, large: bool, later: bool) -> None:
    log = MemoryLog()
    padding = {"padding": "x" * 300_000} if large else {}
    with door(log, SENDER, later=later) as client:
        taken = client.post(LINEAGE, json=event("team-a") | padding)
        refused = client.post(LINEAGE, json=event("other") | padding)
    assert (taken.status_code, refused.status_code) == (201, 403)
    assert refused.json()["error"]["code"] == "FORBIDDEN"
    assert "ingest:write in the namespace other" in refused.json()["error"]["message"]
    assert [entry.actor for entry in log.entries] == ["key:1"]


def test_of_a_batch_only_the_permitted_events_are_taken() -> None:
    log = MemoryLog()
    events = [run_event("team-a"), run_event("other"), dataset_event("team-b")]
    with door(log, SENDER) as client:
        answer = client.post(BATCH, content=json.dumps(events)).json()
    assert answer["summary"]["successful"] == 2
    assert [(each["index"], each["code"], each["retriable"]) for each in answer["failed_events"]] == [
        (1, "FORBIDDEN", False)
    ]


@pytest.mark.parametrize("path", [LINEAGE, BATCH])
def test_whoever_may_send_nothing_is_told_before_the_body_is_read(path: str) -> None:
    log = MemoryLog()
    with door(log, READER) as client:
        refused = client.post(path, content=b"no JSON at all")
    assert refused.status_code == 403
    assert "may not ingest:write" in refused.json()["error"]["message"]
    assert "www-authenticate" not in refused.headers
    assert log.entries == []


@pytest.mark.parametrize("path", [LINEAGE, BATCH])
def test_whoever_is_nobody_is_asked_who_they_are(path: str) -> None:
    with door(MemoryLog(), None) as client:
        refused = client.post(path, json=run_event("team-a"))
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Bearer realm="lineward"'
    assert refused.json()["error"]["code"] == "UNAUTHENTICATED"
