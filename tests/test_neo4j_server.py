import socket
from pathlib import Path

import neo4j
import pytest
from neo4j.exceptions import DriverError

from tests.neo4j_server import (
    VERSION,
    NoNeo4jError,
    ProcessServer,
    RunningServer,
    cached_jars,
    connect,
    find_or_start,
    free_port,
    jars_folder,
    ping,
)


def count(server: RunningServer) -> int:
    with connect(server) as driver:
        return int(driver.execute_query("MATCH (n) RETURN count(n) AS n").records[0]["n"])


def create_one(server: RunningServer) -> None:
    with connect(server) as driver:
        driver.execute_query("CREATE (:Kept)")


def greeted(server: RunningServer) -> socket.socket:
    """A connection that has sent the Bolt handshake: the kernel takes it, be the server awake or not."""
    address = neo4j.Address.parse(server.uri.removeprefix("bolt://"))
    client = socket.create_connection((address.host, address.port_number), timeout=1)
    client.sendall(bytes.fromhex("6060b017") + bytes.fromhex("00000005") + bytes(12))
    return client


@pytest.mark.neo4j
def test_the_server_is_the_version_that_is_documented(neo4j_driver: neo4j.Driver) -> None:
    components = neo4j_driver.execute_query("CALL dbms.components()").records
    assert [VERSION] in [record["versions"] for record in components]


@pytest.mark.neo4j
@pytest.mark.parametrize("round_", [1, 2])
def test_every_test_starts_empty(neo4j_server: RunningServer, neo4j_uri: str, round_: int) -> None:
    assert count(neo4j_server) == 0
    create_one(neo4j_server)


@pytest.mark.neo4j
def test_data_survives_a_restart_at_the_same_address(stoppable_neo4j: RunningServer) -> None:
    uri = stoppable_neo4j.uri
    create_one(stoppable_neo4j)
    stoppable_neo4j.stop()
    with pytest.raises(DriverError):
        ping(stoppable_neo4j)
    stoppable_neo4j.start()
    assert (stoppable_neo4j.uri, count(stoppable_neo4j)) == (uri, 1)


@pytest.mark.neo4j
def test_a_paused_server_is_silent_until_it_is_resumed(stoppable_neo4j: RunningServer) -> None:
    create_one(stoppable_neo4j)
    stoppable_neo4j.pause()
    with greeted(stoppable_neo4j) as client, pytest.raises(TimeoutError):
        client.recv(4)
    stoppable_neo4j.resume()
    assert count(stoppable_neo4j) == 1


@pytest.mark.neo4j
def test_a_paused_server_stops_and_starts(stoppable_neo4j: RunningServer) -> None:
    create_one(stoppable_neo4j)
    stoppable_neo4j.pause()
    stoppable_neo4j.stop()
    stoppable_neo4j.start()
    assert count(stoppable_neo4j) == 1


@pytest.mark.neo4j
def test_a_given_server_that_holds_data_is_refused_and_left_alone(
    neo4j_server: RunningServer, neo4j_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_URI", neo4j_uri)
    assert find_or_start().how == "given by NEO4J_URI"
    create_one(neo4j_server)
    with pytest.raises(NoNeo4jError, match="holds data"):
        find_or_start()
    assert count(neo4j_server) == 1


def test_a_given_server_that_does_not_answer_is_an_error_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NEO4J_URI", f"bolt://127.0.0.1:{free_port()}")
    with pytest.raises(NoNeo4jError, match="does not answer") as refused:
        find_or_start()
    assert "unset NEO4J_URI" in refused.value.remedy


def test_a_server_that_does_not_come_up_names_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEWARD_NEO4J_CACHE", str(tmp_path))
    jars_folder().mkdir()  # and nothing in it: Java has no class to run
    server = ProcessServer(tmp_path, free_port())
    with pytest.raises(NoNeo4jError, match="did not come up") as failed:
        server.start()
    assert str(server.output) in failed.value.remedy
    assert "Neo4jCommunity" in server.output.read_text()
    assert server.pid is None


def test_jars_that_cannot_be_had_are_an_error_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("LINEWARD_NEO4J_CACHE", str(tmp_path))
    with pytest.raises(NoNeo4jError, match="could not be downloaded"):
        cached_jars()
    assert list(tmp_path.iterdir()) == []
