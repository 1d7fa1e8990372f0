"""Bodies that would hold a server up: too slow, or a thousand times larger than they look."""

import gzip
import json
import socket
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.story import event

MIB = 1 << 20
HEAD = b"POST /api/v1/lineage HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"


@pytest.mark.parametrize("pieces", [[b"{"], repeat(b" ")], ids=["silence", "drops"])
def test_a_slow_body_is_cut_off(shared_server: ServerProcess, pieces: Iterator[bytes]) -> None:
    host, port = shared_server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(HEAD)
        answer = answer_to(slow, iter(pieces))
    assert answer.startswith(b"HTTP/1.1 408 ")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    assert json.loads(body)["error"]["code"] == "SLOW_BODY"


def test_a_gzip_bomb_is_refused_before_it_is_unpacked(shared_server: ServerProcess) -> None:
    bomb = gzip.compress(bytes(200 * MIB))
    assert len(bomb) < MIB
    shared_server.record(event(304, "warm", "09:00:00", "START"))
    before = peak_memory(shared_server.pid)
    for _ in range(3):
        refused = shared_server.post(bomb, **{"Content-Encoding": "gzip", "Content-Type": "application/json"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (413, "TOO_LARGE")
    assert peak_memory(shared_server.pid) - before < 130 * MIB  # twice the limit: a buffer that grows is copied


def test_a_declared_length_beyond_the_limit_is_refused_unread(shared_server: ServerProcess) -> None:
    host, port = shared_server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as sender:
        sender.sendall(HEAD.replace(b"100000", b"99000000"))
        assert answer_to(sender, iter([])).startswith(b"HTTP/1.1 413 ")


def answer_to(connection: socket.socket, pieces: Iterator[bytes]) -> bytes:
    """All that the server says until it closes, while a piece is sent every now and then."""
    connection.settimeout(0.2)
    answer = b""
    while True:
        try:
            if not (received := connection.recv(65536)):
                return answer
            answer += received
        except TimeoutError:
            if not answer and (piece := next(pieces, b"")):
                connection.sendall(piece)
        except ConnectionResetError:
            return answer


def peak_memory(pid: int) -> int:
    """The most that a process has held so far, bytes."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(status["VmHWM"].removesuffix("kB")) * 1024
