"""Questions over plain HTTP: sent as httpx would, and left to httpx wherever there is more to it."""

import json
import socket
import threading

import pytest

from catalog.commands import plain_http
from catalog.commands.failure import UnreachableError
from catalog.commands.plain_http import NotConnectedError, PlainClient, plain_client
from catalog.commands.remote import NobodyThereError, RemoteCatalogue
from tests.catalog.commands.answering import answering


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in plain_http._PROXIES:
        monkeypatch.delenv(name, raising=False)


def client(url: str, **headers: str) -> PlainClient:
    found = plain_client(url, headers)
    assert found is not None
    return found


def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}"


def test_a_question_is_posted_as_json_below_the_address() -> None:
    with answering(b'{"data": {"n": 1}}') as server:
        answer = client(f"{server.url}/lineward/", authorization="Bearer k").post("/graphql", json={"query": "ü"})
    ((path, headers, body),) = server.posted
    assert (answer.status_code, answer.json()) == (200, {"data": {"n": 1}})
    assert (path, json.loads(body)) == ("/lineward/graphql", {"query": "ü"})
    assert (headers["Content-Type"], headers["authorization"]) == ("application/json", "Bearer k")


def test_nobody_there_is_told_from_a_server_that_answers_badly() -> None:
    with pytest.raises(NotConnectedError):
        client(nobody()).post("/graphql", json={})
    with pytest.raises(NobodyThereError, match="does not answer"):
        RemoteCatalogue(client(nobody())).ask("{ log { size } }", {})
    with answering(b"<html>", 502) as server, pytest.raises(UnreachableError) as told:
        RemoteCatalogue(client(server.url)).ask("{ log { size } }", {})
    assert not isinstance(told.value, NobodyThereError)


def test_a_server_that_hangs_up_was_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        asked = client(f"http://127.0.0.1:{listening.getsockname()[1]}")
        listening.settimeout(5)

        def hang_up() -> None:
            listening.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(UnreachableError) as told:
            RemoteCatalogue(asked).ask("{ log { size } }", {})
        thread.join()
    assert not isinstance(told.value, NobodyThereError)


@pytest.mark.parametrize(
    "url",
    ["https://host", "http://", "host:8765", "http://me:secret@host", "http://host:x", "http://häuser", "http://h?a=b"],
)
def test_what_is_not_plain_is_left_to_httpx(url: str) -> None:
    assert plain_client(url, {}) is None


@pytest.mark.parametrize("variable", plain_http._PROXIES)
def test_so_is_all_where_a_proxy_is_set(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "http://proxy:3128")
    assert plain_client("http://host:8765", {}) is None


@pytest.mark.parametrize(("proxies", "plain"), [({}, True), ({"https": "p"}, True), ({"http": "p"}, False)])
def test_so_it_is_where_the_system_has_one(
    proxies: dict[str, str], plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_http, "_SYSTEM", "darwin")
    monkeypatch.setattr("urllib.request.getproxies", lambda: proxies)
    assert (plain_client("http://host", {}) is not None) is plain
