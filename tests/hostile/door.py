"""A small server behind the same defences as Lineward's: uvicorn, the middleware, the door for events, and /livez."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from catalog.hardening import (
    AllowedHosts,
    CheckHost,
    ConnectionLimits,
    LetGo,
    SecurityHeaders,
    affordable,
    patient_protocol,
)
from catalog.log.entry import Receipt, Submission
from ingest.http import LineageDoor, routes
from ingest.intake import Intake
from ingest.limits import Limits

HOST = b"Host: localhost\r\n"
LIVE = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
PATIENCE = 60.0


@dataclass
class CountingLog:
    entries: list[bytes] = field(default_factory=list)

    async def append(self, submission: Submission) -> Receipt:
        self.entries.append(submission.body)
        return Receipt(len(self.entries) - 1, b"leaf", False)


async def _live(request: Request) -> Response:
    return PlainTextResponse("alive")


async def _large(request: Request) -> Response:
    """More than the buffers between two processes hold."""
    return Response(b"x" * 30_000_000)


async def _echo(request: Request) -> Response:
    return Response(await request.body())


def application(log: CountingLog, limits: Limits | None = None) -> Starlette:
    return Starlette(
        routes=[
            *routes(LineageDoor(log, "lineward.test/log", Intake(limits or Limits()))),
            Route("/livez", _live),
            Route("/large", _large),
            Route("/echo", _echo, methods=["POST"]),
        ],
        middleware=[Middleware(LetGo), Middleware(SecurityHeaders), Middleware(CheckHost, AllowedHosts("127.0.0.1"))],
    )


def server(log: CountingLog, connections: ConnectionLimits, limits: Limits | None = None) -> uvicorn.Server:
    config = uvicorn.Config(
        application(log, limits), log_config=None, access_log=False, http=patient_protocol(connections)
    )
    return uvicorn.Server(config)


@dataclass(frozen=True)
class Door:
    """Where it listens, and what it has taken."""

    address: tuple[str, int]
    log: CountingLog
    serving: uvicorn.Server

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=PATIENCE)

    def lives(self) -> bool:
        """Whether a newcomer is answered."""
        return said(self.address, LIVE).startswith(b"HTTP/1.1 200 ")


@contextmanager
def opened(connections: ConnectionLimits, limits: Limits | None = None) -> Iterator[Door]:
    """A door in a thread of this process."""
    log = CountingLog()
    serving = server(log, connections, limits)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + PATIENCE
        while not serving.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        try:
            yield Door(listener.getsockname()[:2], log, serving)
        finally:
            serving.should_exit = True
            thread.join()


@contextmanager
def poor(files: int, wanted: int = 1000) -> Iterator[tuple[tuple[str, int], int]]:
    """A door in a process that may have so many files open; where it listens, and the connections it can afford."""
    command = [sys.executable, "-m", "tests.hostile.door", str(files), str(wanted)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        told: Mapping[str, Any] = json.loads(next(line for line in process.stdout if line.startswith('{"port"')))
        yield ("127.0.0.1", told["port"]), told["connections"]
    finally:
        process.kill()
        process.communicate()


def said(address: tuple[str, int], request: bytes) -> bytes:
    """All that is said to a request until the connection ends, which the server is asked to do."""
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        return read(connection)


def read(connection: socket.socket) -> bytes:
    """Until it ends, in whatever way."""
    answer = b""
    try:
        while received := connection.recv(65_536):
            answer += received
    except ConnectionResetError:
        pass
    return answer


def main(files: int, wanted: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        room = affordable(wanted)
        print(json.dumps({"port": listener.getsockname()[1], "connections": room}), flush=True)
        server(CountingLog(), ConnectionLimits(connections=room, header_seconds=3_600)).run(sockets=[listener])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
