"""The HTTP door: its answers, and what it does not let in."""

import asyncio
import gzip
import json
import socket
import threading
import time
import tracemalloc
import zlib
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest
import uvicorn
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.transport.async_http import AsyncHttpConfig, AsyncHttpTransport
from openlineage.client.transport.http import HttpConfig, HttpTransport
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import Message

from catalog.errors import ForbiddenError, LinewardError, LogClosedError, LogFullError, UnauthenticatedError
from catalog.log import token
from catalog.log.entry import Receipt, Submission
from catalog.principal import Principal, Scope, grants
from catalog.refusal import RateLimitedError
from ingest.http import LineageDoor, routes
from ingest.intake import Intake
from ingest.limits import MIB, Limits

LINEAGE = "/api/v1/lineage"
BATCH = "/api/v1/lineage/batch"
RUN_ID = "0195d0e2-7a3c-7000-8000-000000000001"


@dataclass
class MemoryLog:
    """A log that forgets; `failures` are raised for the appends to come."""

    entries: list[Submission] = field(default_factory=list)
    failures: list[LinewardError] = field(default_factory=list)

    async def append(self, submission: Submission) -> Receipt:
        if self.failures:
            raise self.failures.pop(0)
        for seq, earlier in enumerate(self.entries):
            if (earlier.actor, earlier.received) == (submission.actor, submission.received):
                return Receipt(seq, sha256(earlier.body).digest(), True)
        self.entries.append(submission)
        return Receipt(len(self.entries) - 1, sha256(submission.body).digest(), False)


def event(name: str = "job", **more: Any) -> bytes:
    body = {
        "eventTime": "2026-03-01T12:00:00Z",
        "run": {"runId": RUN_ID},
        "job": {"namespace": "n", "name": name},
    }
    return json.dumps(body | more).encode()


def application(log: MemoryLog, limits: Limits | None = None) -> Starlette:
    return Starlette(routes=routes(LineageDoor(log, "lineward.test/log", Intake(limits or Limits()))))


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def client(log: MemoryLog) -> Iterator[TestClient]:
    with TestClient(application(log), follow_redirects=False) as client:
        yield client


@dataclass
class Exchange:
    """One request sent message by message, as a server hands it over."""

    messages: list[Message]
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0
    read: int = 0
    sent: list[Message] = field(default_factory=list)

    async def receive(self) -> Message:
        if self.pause and self.read:
            await asyncio.sleep(self.pause)
        self.read += 1
        if self.read > len(self.messages):
            await asyncio.Event().wait()
        return self.messages[self.read - 1]

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def run(self, log: MemoryLog, limits: Limits) -> tuple[int, dict[bytes, bytes], dict[str, Any]]:
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        scope = {"type": "http", "method": "POST", "path": LINEAGE, "headers": headers, "query_string": b""}
        asyncio.run(application(log, limits)(scope, self.receive, self.send))
        body = b"".join(message.get("body", b"") for message in self.sent[1:])
        return self.sent[0]["status"], dict(self.sent[0]["headers"]), json.loads(body)


def pieces(body: bytes, size: int) -> list[Message]:
    messages: list[Message] = [
        {"type": "http.request", "body": body[start : start + size], "more_body": start + size < len(body)}
        for start in range(0, len(body), size)
    ]
    return messages


# One event


def test_an_event_is_answered_with_its_place_in_the_log(client: TestClient, log: MemoryLog) -> None:
    response = client.post(LINEAGE, content=event(), headers={"content-type": "application/json"})

    assert response.status_code == 201
    answer = response.json()
    assert set(answer) == {"seq", "leafHash", "token", "duplicate"}
    assert (answer["seq"], answer["duplicate"]) == (0, False)
    assert b64decode(answer["leafHash"]) == sha256(event()).digest()
    assert token.decode(answer["token"]) == ("lineward.test/log", 1)
    (entry,) = log.entries
    assert (entry.actor, entry.source, entry.received, entry.body) == ("anonymous", "http", event(), event())
    assert entry.event_time == 1_772_366_400_000_000


def test_the_same_bytes_again_are_a_duplicate_at_the_same_place(client: TestClient, log: MemoryLog) -> None:
    first = client.post(LINEAGE, content=event()).json()
    client.post(LINEAGE, content=event("other"))
    again = client.post(LINEAGE, content=gzip.compress(event()), headers={"content-encoding": "gzip"}).json()
    marked = client.post(LINEAGE, content=b"\xef\xbb\xbf" + event()).json()

    assert again == marked == first | {"duplicate": True}
    assert len(log.entries) == 2


def test_secrets_are_gone_before_the_log_and_told_apart_by_what_came(client: TestClient, log: MemoryLog) -> None:
    for secret in ("hunter2", "hunter3"):
        body = event(inputs=[{"namespace": f"postgres://u:{secret}@h", "name": "t"}])
        assert client.post(LINEAGE, content=body).json()["duplicate"] is False

    assert [b"hunter" in entry.body for entry in log.entries] == [False, False]
    assert log.entries[0].redactions == ("/inputs/0/namespace",)
    assert log.entries[0].body == log.entries[1].body


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=UTF-8", 'application/json;charset="utf-8"', ""]
)
def test_json_in_utf8_is_taken_however_it_is_declared(client: TestClient, content_type: str) -> None:
    assert client.post(LINEAGE, content=event(), headers={"content-type": content_type}).status_code == 201


@pytest.mark.parametrize(
    ("body", "headers", "status", "code", "pointer"),
    [
        (b"{", {}, 400, "NOT_JSON", ""),
        (b"", {}, 400, "NOT_JSON", ""),
        (b"[" + event() + b"]", {}, 422, "INVALID_EVENT", ""),
        (event(run={"runId": "run_id"}), {}, 422, "INVALID_EVENT", "/run/runId"),
        (event("a\0b"), {}, 422, "INVALID_EVENT", "/job/name"),
        (event("a\ud800"), {}, 422, "INVALID_EVENT", "/job/name"),
        (event(n=2**64), {}, 422, "INVALID_EVENT", "/n"),
        (event(), {"content-type": "text/plain"}, 415, "UNSUPPORTED_BODY", ""),
        (event(), {"content-type": "application/json; charset=utf-16"}, 415, "UNSUPPORTED_BODY", ""),
        (event(), {"content-encoding": "br"}, 415, "UNSUPPORTED_BODY", ""),
        (event(), {"content-encoding": "gzip, gzip"}, 415, "UNSUPPORTED_BODY", ""),
        (event(), {"content-encoding": "gzip"}, 400, "BROKEN_BODY", ""),
        (gzip.compress(event())[:-1], {"content-encoding": "gzip"}, 400, "BROKEN_BODY", ""),
        (gzip.compress(event()) + b"x", {"content-encoding": "gzip"}, 400, "BROKEN_BODY", ""),
        (gzip.compress(event()) * 2, {"content-encoding": "gzip"}, 400, "BROKEN_BODY", ""),
        (event(), {"content-length": "-1"}, 400, "BROKEN_BODY", ""),
        (event(), {"content-length": "9" * 30}, 413, "TOO_LARGE", ""),
    ],
)
def test_a_refusal_says_what_where_and_what_to_do(
    client: TestClient, log: MemoryLog, body: bytes, headers: dict[str, str], status: int, code: str, pointer: str
) -> None:
    response = client.post(LINEAGE, content=body, headers=headers)

    error = response.json()["error"]
    assert (response.status_code, error["code"], error["pointer"]) == (status, code, pointer)
    assert set(error) == {"code", "message", "pointer"}
    assert ": " in error["message"]
    assert log.entries == []


@pytest.mark.parametrize("error", [LogFullError("full", "send it again"), LogClosedError("closed", "send it again")])
def test_a_log_that_cannot_take_it_asks_to_try_again(client: TestClient, log: MemoryLog, error: LinewardError) -> None:
    log.failures = [error]

    response = client.post(LINEAGE, content=event())

    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["error"]["code"] == error.code
    assert client.post(LINEAGE, content=event()).status_code == 201


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnauthenticatedError("who is this", "send a key"), 401),
        (ForbiddenError("not yours", "ask"), 403),
        (RateLimitedError("too fast", "wait"), 429),
    ],
)
def test_nobody_gets_past_the_principal(log: MemoryLog, error: LinewardError, status: int) -> None:
    def principal_of(request: Request) -> Principal:
        if request.headers.get("authorization") != "Bearer good":
            raise error
        return Principal("key:good", None, grants([Scope.INGEST_WRITE]))

    door = LineageDoor(log, "origin", principal_of=principal_of)
    with TestClient(Starlette(routes=routes(door))) as client:
        refused = client.post(LINEAGE, content=event())
        accepted = client.post(LINEAGE, content=event(), headers={"authorization": "Bearer good"})

    assert (refused.status_code, accepted.status_code) == (status, 201)
    assert [entry.actor for entry in log.entries] == ["key:good"]


# Batches


def test_a_batch_takes_what_it_can_and_names_the_rest(client: TestClient, log: MemoryLog) -> None:
    log.failures = [LogFullError("full", "send it again")]
    bad = event(run={"runId": "x"})
    body = b" [ " + b" , ".join([event("full"), event("a"), bad, event("a"), event("b"), b"7"]) + b" ] "

    response = client.post(BATCH, content=body)

    answer = response.json()
    assert (response.status_code, answer["status"]) == (200, "partial_success")
    assert answer["summary"] == {"received": 6, "successful": 3, "failed": 3, "retriable": 1, "non_retriable": 2}
    assert [(failed["index"], failed["retriable"]) for failed in answer["failed_events"]] == [
        (0, True),
        (2, False),
        (5, False),
    ]
    assert all(failed["reason"] for failed in answer["failed_events"])
    assert answer["failed_events"][1]["pointer"] == "/run/runId"
    assert [entry.received for entry in log.entries] == [event("a"), event("b")]
    assert token.decode(answer["token"]) == ("lineward.test/log", 2)


def test_an_event_is_the_same_in_a_batch_as_alone(client: TestClient) -> None:
    client.post(BATCH, content=b"[" + event() + b"]")

    assert client.post(LINEAGE, content=event()).json()["duplicate"] is True


def test_one_bad_event_spoils_no_batch_whatever_is_wrong_with_it(client: TestClient, log: MemoryLog) -> None:
    body = b"[" + event("a") + b"," + event("\ud800") + b"," + b"[" * 900 + b"]" * 900 + b"," + event("b") + b"]"

    answer = client.post(BATCH, content=body).json()

    assert [failed["index"] for failed in answer["failed_events"]] == [1, 2]
    assert [entry.received for entry in log.entries] == [event("a"), event("b")]


@pytest.mark.parametrize(
    ("body", "status"), [(b"[", 400), (b"[1,]", 400), (b"[1 2]", 400), (b"[1]x", 400), (event(), 422), (b"\xff", 400)]
)
def test_what_is_no_array_is_refused_whole(client: TestClient, log: MemoryLog, body: bytes, status: int) -> None:
    assert client.post(BATCH, content=body).status_code == status
    assert log.entries == []


def test_an_empty_batch_succeeds_with_nothing(client: TestClient) -> None:
    answer = client.post(BATCH, content=b"[]").json()

    assert (answer["status"], answer["summary"]["received"], answer["failed_events"]) == ("success", 0, [])


def test_a_batch_is_bounded_before_it_takes_memory(log: MemoryLog) -> None:
    with TestClient(application(log, Limits(batch=2))) as client:
        assert client.post(BATCH, content=b"[1,2,3]").status_code == 413
        tracemalloc.start()
        try:
            refused = client.post(BATCH, content=b"[" + b"0," * 5 * MIB + b"0]")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert refused.status_code == 413
    assert peak < 100 * MIB


def test_a_large_batch_is_split_like_a_small_one(client: TestClient, log: MemoryLog) -> None:
    events = [event(str(number), producer="é🚀" * 1000) for number in range(500)]

    answer = client.post(BATCH, content=b"[" + b", ".join(events) + b"]").json()

    assert (answer["status"], answer["summary"]["successful"]) == ("success", 500)
    assert [entry.received for entry in log.entries] == events
    assert client.post(BATCH, content=event(producer="x" * 2 * MIB)).status_code == 422


# Bodies


def test_a_body_may_come_in_pieces_of_any_size(log: MemoryLog) -> None:
    packed = gzip.compress(event())
    for number, size in enumerate((1, 7, 1000)):
        plain = Exchange(pieces(event(str(size)), size)).run(log, Limits())
        zipped = Exchange(pieces(packed, size), {"content-encoding": "gzip"}).run(log, Limits())
        assert (plain[0], zipped[0], zipped[2]["duplicate"]) == (201, 201, number > 0)


def test_a_large_event_is_kept_byte_for_byte(client: TestClient, log: MemoryLog) -> None:
    body = event(producer="x" * MIB)

    assert client.post(LINEAGE, content=body).status_code == 201
    assert log.entries[0].body == body


def test_a_declared_length_past_the_limit_is_refused_unread(log: MemoryLog) -> None:
    exchange = Exchange([], {"content-length": "101"})

    status, headers, _ = exchange.run(log, Limits(body=100, linger_seconds=0.01))

    assert (status, headers[b"connection"]) == (413, b"close")
    assert exchange.sent[0]["type"] == "http.response.start"


def test_a_length_that_lies_does_not_help(log: MemoryLog) -> None:
    exchange = Exchange(pieces(b" " * 1000, 10), {"content-length": "20"})

    status, headers, _ = exchange.run(log, Limits(body=100, gunzipped=100, linger_seconds=0.01))

    assert (status, headers[b"connection"]) == (413, b"close")
    assert exchange.read <= 22


def test_a_refused_sender_is_read_on_for_a_moment_so_that_it_hears_why(log: MemoryLog) -> None:
    exchange = Exchange(pieces(b" " * 300, 10), {"content-length": "300"})

    status, _, _ = exchange.run(log, Limits(body=100))

    assert (status, exchange.read) == (413, 30)
    assert exchange.sent[1]["more_body"] is True


@pytest.mark.parametrize(
    "limits",
    [
        Limits(chunk_seconds=0.02, linger_seconds=0.01),
        Limits(body_seconds=0.2, linger_seconds=0.01),
    ],
)
def test_a_dripped_body_is_cut_off(log: MemoryLog, limits: Limits) -> None:
    exchange = Exchange(pieces(event(), 1), pause=0.05)

    status, headers, answer = exchange.run(log, limits)

    assert (status, headers[b"connection"], answer["error"]["code"]) == (408, b"close", "SLOW_BODY")
    assert exchange.read < len(event())
    assert log.entries == []


def test_a_sender_that_leaves_gets_no_answer_and_logs_nothing(log: MemoryLog) -> None:
    exchange = Exchange([*pieces(event(), 10)[:-1], {"type": "http.disconnect"}])
    scope = {"type": "http", "method": "POST", "path": LINEAGE, "headers": [], "query_string": b""}

    asyncio.run(application(log)(scope, exchange.receive, exchange.send))

    assert exchange.sent == []
    assert log.entries == []


def test_only_so_many_bodies_are_received_at_once_and_a_place_is_given_back(log: MemoryLog) -> None:
    limits = Limits(concurrent_bodies=1, chunk_seconds=0.2, linger_seconds=0.01)
    app = application(log, limits)
    scope = {"type": "http", "method": "POST", "path": LINEAGE, "headers": [], "query_string": b""}
    stalled = Exchange(pieces(event("stalled"), 10)[:-1])
    small, later = Exchange(pieces(event("small"), 1000)), Exchange(pieces(event("later"), 10))

    async def scenario() -> None:
        first = asyncio.create_task(app(scope, stalled.receive, stalled.send))
        await asyncio.sleep(0.1)
        await asyncio.gather(app(scope, small.receive, small.send), first)
        await app(scope, later.receive, later.send)

    asyncio.run(scenario())

    assert [exchange.sent[0]["status"] for exchange in (stalled, small, later)] == [408, 201, 201]


def test_who_finds_no_place_is_asked_to_come_back(log: MemoryLog) -> None:
    exchange = Exchange(pieces(event(), 10))

    status, headers, answer = exchange.run(log, Limits(concurrent_bodies=0, chunk_seconds=0.01, linger_seconds=0.01))

    assert (status, headers[b"retry-after"], answer["error"]["code"]) == (503, b"1", "BUSY")


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * MIB
    return b"".join([*(packer.compress(block) for _ in range(size // MIB)), packer.flush()])


@pytest.mark.parametrize("piece", [1000, 65_536, MIB])
def test_a_gzip_bomb_is_stopped_before_it_takes_memory(log: MemoryLog, piece: int) -> None:
    packed = bomb(200 * MIB)
    exchange = Exchange(pieces(packed, piece), {"content-encoding": "gzip"})
    tracemalloc.start()
    try:
        status, _, answer = exchange.run(log, Limits())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(packed) < 250_000
    assert (status, answer["error"]["code"]) == (413, "TOO_LARGE")
    assert peak < 100 * MIB


# A real server and the public client


@contextmanager
def serving(log: MemoryLog, limits: Limits | None = None) -> Iterator[str]:
    config = uvicorn.Config(application(log, limits), log_config=None, ws="none", lifespan="off")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def run_event(state: RunState, name: str) -> RunEvent:
    return RunEvent(
        eventType=state,
        eventTime="2026-03-01T12:00:00.123456",
        run=Run(RUN_ID),
        job=Job("airflow://prod", name),
        producer="https://example.com/test",
    )


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_the_python_client_delivers(log: MemoryLog, compression: str | None) -> None:
    with serving(log) as url:
        config = {"url": url} | ({"compression": compression} if compression else {})
        client = OpenLineageClient(transport=HttpTransport(HttpConfig.from_dict(config)))
        client.emit(run_event(RunState.START, "🚀"))
        client.emit(run_event(RunState.COMPLETE, "🚀"))
        client.close()

    assert [json.loads(entry.body)["eventType"] for entry in log.entries] == ["START", "COMPLETE"]
    assert json.loads(log.entries[0].body)["job"]["name"] == "🚀"


def test_the_asynchronous_client_delivers(log: MemoryLog) -> None:
    with serving(log) as url:
        transport = AsyncHttpTransport(AsyncHttpConfig.from_dict({"url": url, "compression": "gzip"}))
        client = OpenLineageClient(transport=transport)
        for number in range(50):
            client.emit(run_event(RunState.OTHER, f"job {number}"))
        assert client.close(timeout=30)
        assert transport.get_stats() == {"pending": 0, "success": 50, "failed": 0}

    assert {json.loads(entry.body)["job"]["name"] for entry in log.entries} == {f"job {n}" for n in range(50)}


def test_a_client_that_sends_too_much_gets_to_read_the_refusal(log: MemoryLog) -> None:
    with serving(log) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST {LINEAGE} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {40 * MIB}\r\n\r\n"
            connection.sendall(head.encode())
            for _ in range(40):
                connection.sendall(b" " * MIB)
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"TOO_LARGE"' in answer


def test_a_dripping_connection_is_closed(log: MemoryLog) -> None:
    with serving(log, Limits(chunk_seconds=0.1, linger_seconds=0.1)) as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(f"POST {LINEAGE} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\n{{".encode())
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()
