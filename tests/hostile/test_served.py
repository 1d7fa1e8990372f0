"""The defences of the server that users run: that they are there, and that their settings reach them."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from catalog.hardening import CONTENT_SECURITY_POLICY
from catalog_graphql.assets import CONSOLE_POLICY, POLICY
from tests.end_to_end.server_process import PATIENCE, ServerProcess, serving
from tests.hostile.door import LIVE, read, said

SIZE = "query Size { log { size } }"
DRIP = b"POST /%b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "operations").mkdir()
    (folder / "operations" / "size.graphql").write_text(SIZE)
    with serving(
        folder / "data",
        allowed_hosts='["lineward.example.org"]',
        trusted_documents=str(folder / "operations"),
        header_seconds="1",
        max_connections="300",
    ) as started:
        yield started


def address(server: ServerProcess) -> tuple[str, int]:
    host, port = server.url.removeprefix("http://").split(":")
    return host, int(port)


@pytest.mark.parametrize(("path", "policy"), [("/", POLICY), ("/graphql", CONSOLE_POLICY)])
def test_the_explorer_has_a_policy_of_its_own(server: ServerProcess, path: str, policy: str) -> None:
    assert server.get(path).headers.get_list("content-security-policy") == [policy]


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/missing", "/style.css"])
def test_every_answer_is_hardened(server: ServerProcess, path: str) -> None:
    headers = server.get(path).headers

    assert headers.get_list("content-security-policy") == [CONTENT_SECURITY_POLICY]
    assert headers.get_list("x-content-type-options") == ["nosniff"]


@pytest.mark.parametrize("path", ["/", "/graphql", "/api/v1/lineage", "/livez"])
def test_a_name_that_was_pointed_here_is_refused(server: ServerProcess, path: str) -> None:
    """A page of evil.example, whose name resolves to 127.0.0.1 by now, is the server's own origin to a browser."""
    for method in ("GET", "POST"):
        answer = httpx.request(method, server.url + path, headers={"host": "evil.example:8765"}, timeout=PATIENCE)
        assert answer.status_code == 421


def test_a_configured_name_is_let_in(server: ServerProcess) -> None:
    answer = httpx.get(server.url + "/livez", headers={"host": "lineward.example.org"}, timeout=PATIENCE)

    assert answer.status_code == 200


def test_only_known_documents_run(server: ServerProcess) -> None:
    assert server.answer(SIZE).json() == {"data": {"log": {"size": 0}}}
    assert server.answer("{ log { size } }").json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_slow_headers_are_cut_off(server: ServerProcess) -> None:
    with socket.create_connection(address(server), timeout=PATIENCE) as slow:
        slow.sendall(LIVE[:-2])
        assert read(slow).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("path", [b"api/v1/lineage", b"graphql"])
def test_two_hundred_dripped_bodies_do_not_stop_the_heart(server: ServerProcess, path: bytes) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(address(server), timeout=PATIENCE)) for _ in range(200)]
        for each in slow:
            each.sendall(DRIP % path)
        for each in slow[::20]:
            each.sendall(b" ")
            answer = said(address(server), LIVE)
            assert answer.startswith(b"HTTP/1.1 200 ")
        ready = said(address(server), LIVE.replace(b"livez", b"readyz"))
        assert json.loads(ready.partition(b"\r\n\r\n")[2])


def test_a_folder_without_operations_starts_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match=r"has no \*\.graphql files"),
        serving(tmp_path / "data", trusted_documents=str(tmp_path)),
    ):
        pass
