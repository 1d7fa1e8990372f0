"""A tiny lineage server that can refuse, fail or stall; and a transport that only remembers."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.serde import Serde
from openlineage.client.transport import Transport
from openlineage.client.transport.http import HttpConfig, HttpTransport
from openlineage.client.uuid import generate_new_uuid

STALL_SECONDS = 30.0


class Collector:
    """Answers 201, or `status`; stalls after the first byte of a request while `stalling` is set."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.status: Callable[[int], int] = lambda number: 201
        self.stalling = False
        self.arrived = Event()
        self.released = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def answer(self, body: bytes) -> int:
        self.bodies.append(body)
        self.arrived.set()
        if self.stalling:
            self.released.wait(STALL_SECONDS)
        return self.status(len(self.bodies))

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(collector.answer(body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            pass

    return Handler


class Memory(Transport):
    """Keeps what the client sends, as it would look on the wire."""

    kind = "memory"

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def emit(self, event: Any) -> None:
        self.events.append(json.loads(Serde.to_json(event)))


def client_of(url: str) -> OpenLineageClient:
    """The public client over HTTP; without its retries, which a test would wait nine seconds for."""
    return OpenLineageClient(transport=HttpTransport(HttpConfig(url=url, retry={"total": 0})))


def an_event() -> RunEvent:
    return RunEvent(
        eventType=RunState.START,
        eventTime="2026-03-01T09:00:00Z",
        run=Run(str(generate_new_uuid())),
        job=Job("jobs", "a job"),
    )


def spooled(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run_ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["run"]["runId"] for event in events]
