"""kill -9 and SIGTERM under load: what was answered is there, and what is told to stop ends well."""

import random
import signal
import socket
from pathlib import Path

import orjson
import pytest

from catalog.log.reader import LogReader
from tests.catalog.log import test_kill
from tests.end_to_end.senders import Senders
from tests.end_to_end.server_process import PATIENCE, ServerProcess, eventually, lineward, serving
from tests.end_to_end.story import event
from tests.faults.conftest import Counted
from tests.faults.tier import tiers


@pytest.mark.long
def test_a_killed_log_keeps_every_answer(tmp_path: Path, counted: Counted) -> None:
    """F1: 100 rounds against the log itself: each answer is there, once, and a retry is told the same."""
    moments, rounds = random.Random(20_261_124), 100
    acknowledged: test_kill.Acknowledged = {}
    highest = 0
    for _ in range(rounds):
        answers = test_kill.run_until_killed(tmp_path, max(0, highest - 20), moments.uniform(0, 0.2))
        for text in answers.keys() & acknowledged.keys():
            assert answers[text] == acknowledged[text]
        acknowledged |= answers
        highest = max(int(text.split("-")[1]) for text in acknowledged)
    test_kill.check(tmp_path, acknowledged)
    counted("kills of the log's writer", rounds)
    counted("answers kept", len(acknowledged))


@pytest.mark.long
def test_a_killed_server_keeps_every_answer(tmp_path: Path, counted: Counted) -> None:
    """F1: 10 rounds against a server with eight connections; the graph then equals a rebuild."""
    data, senders, moments, rounds = tmp_path / "data", Senders(8), random.Random(1), 10
    for _ in range(rounds):
        with serving(data) as server, senders.sending(server):
            senders.await_acknowledgements(moments.randrange(1, 200))
            server.kill()
        senders.check(data)
    with serving(data) as server:
        assert server.await_projection() >= len(senders.acknowledged)
        compared = lineward("rebuild", "--verify", "--data", data)
        assert compared.returncode == 0, compared.stderr
    counted("kills of a server", rounds)
    counted("answers kept", len(senders.acknowledged))


@pytest.mark.long
def test_servers_told_to_stop_under_load_end_well(tmp_path: Path, counted: Counted) -> None:
    """F22: 5 rounds with eight connections: exit code 0, every answer kept."""
    data, senders, moments, rounds = tmp_path / "data", Senders(8), random.Random(2), 5
    for _ in range(rounds):
        with serving(data) as server, senders.sending(server):
            senders.await_acknowledgements(moments.randrange(1, 200))
            assert server.stop(signal.SIGTERM) == 0
        senders.check(data)
    counted("servers stopped under load", rounds)
    counted("answers kept", len(senders.acknowledged))


@tiers("told", 1, 2)
def test_a_request_in_flight_is_finished_when_a_server_stops(tmp_path: Path, told: int) -> None:
    """F22: told to stop once or twice, it takes no new connection, answers what it has begun, and ends with 0."""
    data = tmp_path / "data"
    body = orjson.dumps(event(1, "slow", "12:00:00", "START"))
    with serving(data) as server:
        with begun(server, len(body)) as half:
            half.sendall(body[:20])
            for _ in range(told):
                server.process.send_signal(signal.SIGTERM)
            eventually(lambda: not takes_connections(server), "closed door")
            half.sendall(body[20:])
            assert b" 201 " in half.recv(4096)
        assert server.process.wait(PATIENCE) == 0
    with LogReader.open(data) as log:
        assert [entry.body for entry in log.entries(0, 9)] == [body]


def begun(server: ServerProcess, length: int) -> socket.socket:
    """A connection on which the server waits for the body of an event."""
    connection = socket.create_connection(address(server), timeout=PATIENCE)
    connection.sendall(
        f"POST /api/v1/lineage HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
        "Expect: 100-continue\r\n\r\n".encode()
    )
    assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
    return connection


def takes_connections(server: ServerProcess) -> bool:
    try:
        socket.create_connection(address(server), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return False
    return True


def address(server: ServerProcess) -> tuple[str, int]:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    return host, int(port)
