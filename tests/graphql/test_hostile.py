"""The usual probes of GraphQL servers, and WebSockets of those whose time is over or who do not read."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from catalog.errors import UnauthenticatedError
from catalog.principal import LOCAL, Principal, Scope, grants
from catalog_graphql.application import create_graphql
from catalog_graphql.limits import Limits
from catalog_graphql.progress import PolledProgress
from tests.graphql.test_subscription import RUNS, Steps
from tests.graphql.world import World, event

JSON = {"content-type": "application/json"}
GOOD = {"query": "{ log { size } }"}
PROTOCOL = ["graphql-transport-ws"]


@pytest.mark.parametrize(
    "body",
    [
        [GOOD],
        [GOOD] * 100,
        {"query": [GOOD["query"]]},
        {"query": {"a": 1}},
        {"query": None},
        {"query": ""},
        {"query": " "},
        {"query": "\0"},
        {"query": GOOD["query"], "variables": [1]},
        {"query": GOOD["query"], "operationName": 7},
        {"query": GOOD["query"], "operationName": "absent"},
        {"query": "mutation { nonsense }"},
        {"operations": "{}", "map": "{}"},
        {"query": "query ($a: [[[[Int]]]]) { log { size } }", "variables": {"a": [[[[[1]]]]]}},
        {"query": "query ($n: Int) { models(first: $n) { nodes { id } } }", "variables": {"n": 10**400}},
        {"query": "fragment a on Query { ...a }"},
        {"query": "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"},
        {"query": "{ log { size } } " * 2},
        {"query": "{ log @defer { size } ... @defer { log { root } } }"},
        {"query": "\ufeff{ log { size } "},
    ],
)
def test_what_makes_no_sense_is_refused_and_masked_nowhere(client: TestClient, body: Any) -> None:
    """An answer INTERNAL would be a mistake of ours that somebody may call again and again."""
    answer = client.post("/", content=json.dumps(body), headers=JSON)

    assert answer.status_code in (200, 400)
    assert answer.json()["errors"]
    assert "INTERNAL" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY"])
def test_only_post_runs_anything(client: TestClient, method: str) -> None:
    answer = client.request(method, "/?query={log{size}}", content=json.dumps(GOOD), headers=JSON)

    assert answer.status_code == 405
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "media",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/graphql",
        "application/json-patch+json",
        "text/plain; application/json",
        "",
    ],
)
def test_what_a_form_of_a_foreign_page_can_send_is_not_read(client: TestClient, media: str) -> None:
    assert client.post("/", content=json.dumps(GOOD), headers={"content-type": media}).status_code == 415


def test_a_body_is_counted_whatever_its_length_says(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"query":"'
        for _ in range(300):
            yield b"#" * 1024

    answer = client.post("/", content=pieces(), headers=JSON)

    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"


def test_a_dripping_body_is_given_up(world: World) -> None:
    application = create_graphql(world.access, world.entry, limits=Limits(chunk_seconds=0.02))
    sent = _http(application, [{"type": "http.request", "body": b'{"que', "more_body": True}])

    assert sent[0]["status"] == 408
    assert orjson.loads(sent[1]["body"])["errors"][0]["extensions"]["code"] == "SLOW_BODY"


def _http(application: Any, messages: list[dict[str, Any]]) -> list[Any]:
    """What the application sends to somebody who says this, and then nothing."""
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    asyncio.run(asyncio.wait_for(application(scope, receive, send), 30))
    return sent


# WebSockets --------------------------------------------------------------------------------------------------------


class Door:
    """Lets one caller in until told otherwise, and counts the looks."""

    def __init__(self) -> None:
        self.principal: Principal | None = LOCAL
        self.looks = 0

    def __call__(self, headers: Mapping[str, str]) -> Principal:
        self.looks += 1
        if headers.get("authorization") != "Bearer key" or self.principal is None:
            raise UnauthenticatedError("The API key is revoked.", "Ask for another one.")
        return self.principal


@contextmanager
def connected(client: TestClient, **init: Any) -> Iterator[WebSocketTestSession]:
    with client.websocket_connect("/", subprotocols=PROTOCOL) as socket:
        socket.send_json({"type": "connection_init", "payload": {"authorization": "Bearer key"}} | init)
        assert socket.receive_json()["type"] == "connection_ack"
        yield socket


def subscribe(socket: WebSocketTestSession, query: str = RUNS) -> None:
    socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": query}})


def test_a_quiet_stream_ends_when_its_key_is_revoked(world: World) -> None:
    door = Door()
    client = world.client(principal_of=door, limits=Limits(recheck_seconds=0.02))
    with connected(client) as socket:
        subscribe(socket)
        door.principal = None
        closed = socket.receive()

    assert (closed["type"], closed["code"]) == ("websocket.close", 4403)
    assert "revoked" in closed["reason"]


class Told(Steps):
    """Steps of which some happen only after the door has closed."""

    def __init__(self, world: World, before: Callable[[int], None], *events: Any) -> None:
        super().__init__(world, *events)
        self._before, self._steps = before, 0

    async def beyond(self, offset: int) -> int:
        self._before(self._steps)
        self._steps += 1
        return await super().beyond(offset)


def test_nothing_that_happens_after_the_revocation_is_told(world: World) -> None:
    """However seldom the watch looks: a message is told only to whom it may be told at that moment."""
    door = Door()

    def revoke(step: int) -> None:
        door.principal = LOCAL if step == 0 else None

    steps = Told(world, revoke, event("a", "START", "12:00:00"), event("b", "START", "12:01:00"))
    with connected(world.client(principal_of=door, progress=steps, limits=Limits(recheck_seconds=600))) as socket:
        subscribe(socket)
        assert socket.receive_json()["payload"]["data"]["runs"]["runId"] == "a"
        closed = socket.receive()

    assert (closed["type"], closed["code"]) == ("websocket.close", 4403)


def test_nothing_is_told_with_rights_that_were_taken_away(world: World) -> None:
    door = Door()

    def narrow(step: int) -> None:
        if step == 1:
            door.principal = Principal("ann", "ann", grants([Scope.POLICY_READ]))

    steps = Told(world, narrow, event("a", "START", "12:00:00"), event("b", "START", "12:01:00"))
    with connected(world.client(principal_of=door, progress=steps, limits=Limits(recheck_seconds=600))) as socket:
        subscribe(socket)
        assert socket.receive_json()["payload"]["data"]["runs"]["runId"] == "a"
        closed = socket.receive()

    assert (closed["type"], closed["code"]) == ("websocket.close", 4403)
    assert "connect again" in closed["reason"]


def test_whoever_does_not_read_is_let_go(world: World) -> None:
    steps = Steps(world, event("a", "START", "12:00:00"))
    limits = Limits(send_seconds=0.02)
    application = create_graphql(world.access, world.entry, progress=steps, limits=limits)
    talk = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": '{"type":"connection_init"}'},
        {
            "type": "websocket.receive",
            "text": orjson.dumps({"id": "1", "type": "subscribe", "payload": {"query": RUNS}}).decode(),
        },
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return talk.pop(0) if talk else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        """Takes the handshake, and nothing that follows."""
        sent.append(message)
        if len(sent) > 2:
            await asyncio.Event().wait()

    scope = {
        "type": "websocket",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "subprotocols": PROTOCOL,
    }
    asyncio.run(asyncio.wait_for(application(scope, receive, send), 30))

    assert [each["type"] for each in sent[:2]] == ["websocket.accept", "websocket.send"]
    assert sent[-1]["type"] == "websocket.close"
    assert sent[-1]["code"] == 1008


def test_one_caller_has_so_many_sockets(world: World) -> None:
    application = create_graphql(world.access, world.entry, principal_of=Door(), limits=Limits(sockets=1))
    with TestClient(Starlette(routes=[WebSocketRoute("/", application)])) as client:
        with connected(client), connected(client) as second:
            assert second.receive()["code"] == 4429
        with connected(client) as later:
            subscribe(later, "{ log { size } }")
            assert later.receive_json()["payload"] == {"data": {"log": {"size": 11}}}


def test_one_socket_has_so_many_subscriptions(world: World) -> None:
    progress = PolledProgress(world.access.offset, 600)
    with connected(world.client(progress=progress, limits=Limits(subscriptions=3))) as socket:
        for number in range(4):
            socket.send_json({"id": str(number), "type": "subscribe", "payload": {"query": RUNS}})
        told = socket.receive_json()

    assert (told["type"], told["id"]) == ("error", "3")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [(None, "none"), ({"authorization": "Bearer other"}, "wrong"), ({"authorization": ["Bearer key"]}, "a list")],
)
def test_a_socket_without_credentials_is_closed(world: World, payload: Any, reason: str) -> None:
    with world.client(principal_of=Door()).websocket_connect("/", subprotocols=PROTOCOL) as socket:
        socket.send_json({"type": "connection_init"} | ({"payload": payload} if payload else {}))
        closed = socket.receive()

    assert (closed["type"], closed["code"]) == ("websocket.close", 4403)


def test_who_says_nothing_is_closed(world: World) -> None:
    with world.client(limits=Limits(init_seconds=0.02)).websocket_connect("/", subprotocols=PROTOCOL) as socket:
        closed = socket.receive()

    assert closed["code"] == 4408


def test_nothing_runs_before_the_caller_is_known(world: World) -> None:
    with world.client().websocket_connect("/", subprotocols=PROTOCOL) as socket:
        subscribe(socket)
        closed = socket.receive()

    assert closed["code"] == 4401


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        '"text"',
        "{}",
        '{"type":7}',
        '{"type":[]}',
        '{"type":"unknown"}',
        '{"type":"complete"}',
        '{"type":"complete","id":[]}',
        '{"type":"subscribe"}',
        '{"type":"subscribe","id":"1"}',
        '{"type":"subscribe","id":[],"payload":{"query":"{a}"}}',
        '{"type":"subscribe","id":"1","payload":[]}',
        '{"type":"subscribe","id":"1","payload":{"query":7}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{a}","operationName":7}}',
        "[" * 2_000,
    ],
)
def test_messages_that_are_none_close_the_socket(world: World, text: str) -> None:
    with connected(world.client()) as socket:
        socket.send_text(text)
        closed = socket.receive()

    assert (closed["type"], closed["code"]) == ("websocket.close", 4400)


def test_bytes_are_no_message(world: World) -> None:
    with connected(world.client()) as socket:
        socket.send_bytes(b'{"type":"ping"}')
        assert socket.receive()["code"] == 4400


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://testserver.evil.example", "http://testserver:81"]
)
def test_foreign_pages_open_no_socket(world: World, origin: str) -> None:
    opened = world.client().websocket_connect("/", subprotocols=PROTOCOL, headers={"origin": origin})
    with pytest.raises(WebSocketDisconnect), opened:
        pass


def test_limits_hold_on_sockets_too(world: World) -> None:
    with connected(world.client()) as socket:
        subscribe(socket, "{ " + " ".join(["log { size }"] * 11) + " }")
        told = socket.receive_json()

    assert told["type"] == "error"
    assert "at its root" in told["payload"][0]["message"]
