"""A server as a user runs it: a process of its own on a folder, at a free port of this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

PATIENCE = 60.0  # seconds for anything that a busy machine may be late with
Event = dict[str, Any]


class GraphQLError(Exception):
    """Errors of an answer; `codes` are their `extensions.code`."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(json.dumps(errors))
        self.codes = [error.get("extensions", {}).get("code") for error in errors]


@dataclass(slots=True)
class ServerProcess:
    """A running `lineward serve`, in a process group of nobody else."""

    data: Path
    process: subprocess.Popen[bytes]
    url: str

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """kill -9: nothing is flushed, nothing is said."""
        self.process.kill()
        self.process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def projector(self) -> int | None:
        """The projector's process id, None while there is none."""
        children = Path(f"/proc/{self.pid}/task").glob("*/children")
        found = [int(child) for listed in children for child in _text(listed).split()]
        return next((child for child in found if "catalog.follow" in _text(Path(f"/proc/{child}/cmdline"))), None)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=PATIENCE)

    def post(self, event: Event | bytes, **headers: str) -> httpx.Response:
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return httpx.post(f"{self.url}/api/v1/lineage", content=body, headers=headers, timeout=PATIENCE)

    def record(self, *events: Event) -> list[Any]:
        """The acknowledgement of each, sent one after the other."""
        answers = [self.post(event) for event in events]
        assert [answer.status_code for answer in answers] == [201] * len(events), [answer.text for answer in answers]
        return [answer.json() for answer in answers]

    def answer(self, query: str, **variables: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=PATIENCE)

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer; raises GraphQLError for one with errors."""
        content = self.answer(query, **variables).json()
        if content.get("errors"):
            raise GraphQLError(content["errors"])
        return content["data"]

    def ready(self) -> Any:
        return self.get("/readyz").json()

    def await_projection(self) -> int:
        """Until the graph holds all that the log does by now; how much that is."""
        size: int = self.ready()["log"]["size"]
        eventually(lambda: (self.ready()["graph"]["offset"] or 0) >= size, f"a graph of {size} entries")
        return size


@contextmanager
def serving(data: Path, *options: str, **settings: str) -> Iterator[ServerProcess]:
    """A server that listens; `settings` are environment variables without their prefix. Killed at the end."""
    log = data.with_name(f"{data.name}.{time.monotonic_ns()}.log")
    process = _launch(data, log, options, settings)
    try:
        yield ServerProcess(data, process, _listening(process, log))
    finally:
        process.kill()
        process.wait()


def lineward(*arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "catalog.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=_environment(settings),
        timeout=PATIENCE,
        check=False,
    )


def eventually(holds: Callable[[], object], what: str) -> None:
    """Waits until it does; fails after a time that no working server needs."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"still no {what} after {PATIENCE:.0f} s"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _launch(data: Path, log: Path, options: tuple[str, ...], settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "catalog.cli", "serve", "--data", str(data), "--port", "0", *options]
    with log.open("wb") as sink:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=_environment(settings))


def _listening(process: subprocess.Popen[bytes], log: Path) -> str:
    """The URL of the line that says so."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            with suppress(ValueError):
                said = json.loads(line)
                if said["event"] == "server.listening":
                    return str(said["url"])
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    raise AssertionError(f"the server does not listen: {log.read_text()}")


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Ours without any settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LINEWARD_", "OPENLINEAGE_"))}
    return kept | {"COLUMNS": "250"} | {f"LINEWARD_{name.upper()}": value for name, value in settings.items()}


def _text(path: Path) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):
        return path.read_text()
    return ""
