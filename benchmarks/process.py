"""Processes that are measured: a server with its projector, what they use, and when they are ready."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.load import HOST
from tests.neo4j_server import free_port

READY_WITHIN = 60.0  # seconds
STOP_WITHIN = 60.0  # seconds
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds since the start, of a server and of its children, and resident MB of all."""

    own: float
    children: float
    resident: float

    @property
    def cpu(self) -> float:
        return self.own + self.children


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers on a port of this machine. `started` is how long it took until it did, seconds."""

    process: "subprocess.Popen[bytes]"
    port: int
    started: float

    def usage(self) -> Usage:
        """Linux only: read from /proc."""
        own, children = self.process.pid, _children(self.process.pid)
        resident = sum(map(_resident_megabytes, [own, *children]))
        return Usage(_cpu_seconds(own), sum(map(_cpu_seconds, children)), resident)

    def get(self, path: str) -> dict[str, Any]:
        return _ask(self.port, "GET", path)

    def post(self, path: str, body: bytes) -> dict[str, Any]:
        return _ask(self.port, "POST", path, body)

    def projected(self) -> tuple[int, float, int]:
        """(entries projected, seconds by which the projection lags, entries in the log)."""
        answer = self.get("/readyz")
        return answer["graph"]["offset"] or 0, answer["graph"]["lagSeconds"], answer["log"]["size"]

    def await_projection(self, within: float) -> float:
        """Seconds until the graph holds what the log holds now. TimeoutError after `within` seconds."""
        begin = time.perf_counter()
        while time.perf_counter() - begin < within:
            offset, _, size = self.projected()
            if offset >= size:
                return time.perf_counter() - begin
            time.sleep(0.01)
        raise TimeoutError(f"the projection did not catch up within {within:.0f} s")


@contextmanager
def serving(data: Path, graph: str = "sqlite") -> Iterator[Server]:
    """`lineward serve` on a data folder, from the start of its process until it is stopped."""
    port = free_port()
    command = [sys.executable, "-m", "catalog.cli", "serve", "--data", str(data), "--port", str(port)]
    with running([*command, "--graph", graph], port, "/readyz") as server:
        yield server


@contextmanager
def running(command: list[str], port: int, path: str) -> Iterator[Server]:
    """A server that is ready once `path` answers below 400. RuntimeError, with what it said, where it ends before."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"LINEWARD_LOG_LEVEL": "error"},
    )
    try:
        _await_answer(process, port, path, begin)
        yield Server(process, port, time.perf_counter() - begin)
    finally:
        _stop(process)


def _await_answer(process: "subprocess.Popen[bytes]", port: int, path: str, begin: float) -> None:
    while time.perf_counter() - begin < READY_WITHIN:
        if process.poll() is not None:
            assert process.stderr is not None
            raise RuntimeError(f"the server ended: {process.stderr.read().decode(errors='replace')[-2000:]}")
        try:
            _ask(port, "GET", path)
            return
        except (OSError, http.client.HTTPException):
            time.sleep(0.005)
    raise TimeoutError(f"no answer on port {port} within {READY_WITHIN:.0f} s")


def _ask(port: int, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise http.client.HTTPException(f"{answer.status}: {content[:400]!r}")
        found: dict[str, Any] = orjson.loads(content) if content else {}
        return found
    finally:
        connection.close()


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]


def _cpu_seconds(pid: int) -> float:
    """User and system time (proc_pid_stat(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
