"""A server as a child process, for the demonstration."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import httpx

from catalog.commands.failure import UnreachableError
from catalog.errors import InvalidInputError

PATIENCE = 30.0  # seconds until it must be ready
_LOOKING = '["lineage:read", "policy:read"]'
GRACE = 10.0  # seconds to stop by itself


@contextmanager
def served(data: Path, port: int, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`lineward serve` on this machine, ready to be asked; what it logs goes to a file. UnreachableError if it is not.

    Once it has keys, everybody on this machine may still look, and nothing else. It has a session of its own, so that
    an interrupt at the keyboard reaches it only through us.
    """
    command = [sys.executable, "-m", "catalog.cli", "serve", "--data", str(data), "--port", str(port)]
    own = ["--host", "127.0.0.1", "--graph", "sqlite"]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [*command, *own],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            env=os.environ | {"LINEWARD_LOG_LEVEL": "warning", "LINEWARD_ANONYMOUS_SCOPES": _LOOKING},
        )
    try:
        _await_ready(process, f"http://127.0.0.1:{port}", log)
        yield process
    finally:
        _stop(process)


def free_port(wanted: int | None) -> int:
    """The port asked for, else the usual one, else any. InvalidInputError where the one asked for is taken."""
    for port in (wanted,) if wanted is not None else (8765, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as probe:
                return int(probe.getsockname()[1])
        except OSError:
            continue
    raise InvalidInputError(f"port {wanted} is taken", "name another with --port, or leave it out")


def _await_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz", timeout=2).is_success:
                return
        except httpx.HTTPError:
            pass
        sleep(0.05)
    raise UnreachableError(f"the server did not start at {url}", f"its log says why: {log}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
