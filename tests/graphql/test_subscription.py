"""Runs as they happen, over graphql-transport-ws alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from catalog_graphql.progress import PolledProgress
from tests.graphql.world import JOBS, World, event, serving

RUNS = "subscription ($job: NodeRef) { runs(job: $job) { runId state job { name } parameters { key } } }"


@contextmanager
def subscribed(client: TestClient, query: str, **variables: Any) -> Iterator[WebSocketTestSession]:
    with client.websocket_connect("/", subprotocols=["graphql-transport-ws"]) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json()["type"] == "connection_ack"
        socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query, "variables": variables}})
        yield socket


class Steps:
    """Progress that a test makes itself, from the offset at which the subscriber began."""

    def __init__(self, world: World, *events: dict[str, Any]) -> None:
        self._world, self._events = world, list(events)

    async def beyond(self, offset: int) -> int:
        assert offset == self._world.access.offset()
        if not self._events:
            raise RuntimeError("no more events")
        self._world.tell(self._events.pop(0))
        return self._world.access.offset()


def test_each_new_event_shows_its_run_as_it_then_stands(world: World) -> None:
    steps = Steps(world, event("new", "START", "12:00:00"), event("new", "COMPLETE", "12:01:00"))

    with subscribed(world.client(progress=steps), RUNS) as socket:
        seen = [socket.receive_json()["payload"]["data"]["runs"] for _ in range(2)]

    assert [(run["runId"], run["state"]) for run in seen] == [("new", "RUNNING"), ("new", "COMPLETED")]
    assert seen[0]["job"] == {"name": "new"}


def test_only_runs_of_the_job_are_shown(world: World) -> None:
    steps = Steps(world, event("new", "START", "12:00:00"), serving("12:30:00", "1"))
    job = {"job": {"namespace": JOBS, "name": "serve"}}

    with subscribed(world.client(progress=steps), RUNS, job=job) as socket:
        assert socket.receive_json()["payload"]["data"]["runs"]["job"] == {"name": "serve"}


def test_a_job_that_is_not_known_yet_may_be_waited_for(world: World) -> None:
    steps = Steps(world, event("other", "START", "12:00:00"), event("awaited", "START", "12:01:00"))
    job = {"job": {"namespace": JOBS, "name": "awaited"}}

    with subscribed(world.client(progress=steps), RUNS, job=job) as socket:
        assert socket.receive_json()["payload"]["data"]["runs"]["runId"] == "awaited"


class Watched(PolledProgress):
    """Says when the first subscriber has begun to wait."""

    def __init__(self, world: World) -> None:
        super().__init__(world.access.offset, interval=0.01)
        self.waited_for = Event()

    async def beyond(self, offset: int) -> int:
        self.waited_for.set()
        return await super().beyond(offset)


def test_the_projection_is_watched_by_itself(world: World) -> None:
    progress = Watched(world)
    with subscribed(world.client(progress=progress), RUNS) as socket:
        assert progress.waited_for.wait(timeout=30)
        world.tell(event("new", "START", "12:00:00"))
        assert socket.receive_json()["payload"]["data"]["runs"]["runId"] == "new"


def test_what_nobody_foresaw_is_masked_in_a_stream_too(world: World) -> None:
    with subscribed(world.client(progress=Steps(world)), RUNS) as socket:
        told = socket.receive_json()

    error = (told["payload"] if isinstance(told["payload"], list) else told["payload"]["errors"])[0]
    assert "no more events" not in str(told)
    assert error["extensions"]["code"] == "INTERNAL"


def test_a_mistake_ends_the_subscription_with_its_code(world: World) -> None:
    with subscribed(world.client(), "subscription { nonsense }") as socket:
        told = socket.receive_json()

    assert told["type"] == "error"
    assert told["payload"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_queries_are_answered_on_the_socket(world: World) -> None:
    with subscribed(world.client(), "{ log { size } }") as socket:
        assert socket.receive_json()["payload"] == {"data": {"log": {"size": 11}}}


@pytest.mark.parametrize("protocols", [["graphql-ws"], []])
def test_older_protocols_are_not_spoken(world: World, protocols: list[str]) -> None:
    with world.client().websocket_connect("/", subprotocols=protocols) as socket:
        closed = socket.receive()

    assert (closed["type"], closed["code"]) == ("websocket.close", 4406)


def test_a_foreign_page_cannot_open_a_socket(world: World) -> None:
    opened = world.client().websocket_connect(
        "/", subprotocols=["graphql-transport-ws"], headers={"origin": "https://evil.example"}
    )
    with pytest.raises(WebSocketDisconnect), opened:
        pass
