"""Names under which the server may be spoken to, and what it tells browsers."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from catalog.hardening import CONTENT_SECURITY_POLICY, AllowedHosts, CheckHost, SecurityHeaders, host_of

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
MINE = AllowedHosts("127.0.0.1", ["lineward.example.org", "*.apps.example.org"])


async def page(request: Request) -> Response:
    weak = {"Content-Security-Policy": "default-src *", "X-Frame-Options": "ALLOWALL", "X-Own": "kept"}
    return PlainTextResponse("page", headers=weak)


async def lasting(request: Request) -> Response:
    return PlainTextResponse("page", headers={"Cache-Control": "public, max-age=60"})


async def broken(request: Request) -> Response:
    raise RuntimeError("hunter2")


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


def client(allowed: AllowedHosts = MINE, url: str = "http://localhost") -> TestClient:
    routes = [Route("/", page), Route("/lasting", lasting), Route("/broken", broken), WebSocketRoute("/talk", talk)]
    middleware = [Middleware(SecurityHeaders), Middleware(CheckHost, allowed)]
    return TestClient(Starlette(routes=routes, middleware=middleware), url, raise_server_exceptions=False)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8765",
        "LOCALHOST",
        "localhost.",
        "127.0.0.1:8765",
        "127.0.0.2",
        "[::1]:8765",
        "[::1]",
        "ui.localhost",
        "lineward.example.org",
        "Lineward.Example.ORG:443",
        "a.apps.example.org",
        "a.b.apps.example.org",
    ],
)
def test_its_own_names_are_let_in(host: str) -> None:
    assert client().get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "127.0.0.1.evil.example",
        "127.1",
        "2130706433",
        "10.0.0.1",
        "0.0.0.0",
        "apps.example.org",
        "evilapps.example.org",
        "lineward.example.org.evil.example",
        "metadata.google.internal",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    answer = client().get("/", headers={"host": host})

    assert answer.status_code == 421
    assert answer.json()["error"]["code"] == "UNKNOWN_HOST"
    assert "LINEWARD_ALLOWED_HOSTS" in answer.json()["error"]["message"]
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":80",
        "localhost:port",
        "localhost:",
        "localhost/evil",
        "local host",
        "u@localhost",
        "localhost,evil",
        "[::1",
        "localhost\t",
    ],
)
def test_what_is_no_name_is_refused(host: str) -> None:
    """Some of these have turned paths of URLs into others, where code asked for the URL (CVE-2026-48710)."""
    assert host_of([(b"host", host.encode())]) is None
    assert client().get("/", headers={"host": host}).status_code == 400


def test_one_request_has_one_host() -> None:
    assert host_of([]) is None
    assert host_of([(b"host", b"localhost"), (b"host", b"localhost")]) is None
    assert host_of([(b"x", b"y"), (b"host", b"[::1]:80")]) == "::1"


@UNHURRIED
@given(st.binary(max_size=60))
def test_any_bytes_are_a_host_or_none(text: bytes) -> None:
    found = host_of([(b"host", text)])

    assert found is None or (found and found == found.lower() and found.isascii())


def test_a_server_for_everybody_is_called_by_its_addresses() -> None:
    """Nobody can have an address point elsewhere; names are another matter."""
    anywhere = client(AllowedHosts("0.0.0.0"))

    assert anywhere.get("/", headers={"host": "10.1.2.3:8765"}).status_code == 200
    assert anywhere.get("/", headers={"host": "[2001:db8::1]"}).status_code == 200
    assert anywhere.get("/", headers={"host": "evil.example"}).status_code == 421
    assert client(AllowedHosts("0.0.0.0", ["*"])).get("/", headers={"host": "evil.example"}).status_code == 200


def test_sockets_are_held_to_the_same_names() -> None:
    with client().websocket_connect("/talk", headers={"host": "localhost"}):
        pass
    opened = client().websocket_connect("/talk", headers={"host": "evil.example"})
    with pytest.raises(WebSocketDisconnect), opened:
        pass


@pytest.mark.parametrize("path", ["/", "/lasting", "/missing"])
def test_every_answer_says_the_same_to_browsers(path: str) -> None:
    headers = client().get(path).headers

    assert headers.get_list("content-security-policy") == [CONTENT_SECURITY_POLICY]
    assert headers.get_list("x-frame-options") == ["DENY"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == ("public, max-age=60" if path == "/lasting" else "no-store")
    assert "strict-transport-security" not in headers


def test_what_a_page_says_besides_is_kept() -> None:
    assert client().get("/").headers["x-own"] == "kept"


def test_encrypted_connections_stay_encrypted() -> None:
    assert client(url="https://localhost").get("/").headers["strict-transport-security"] == "max-age=31536000"


def test_a_mistake_is_not_explained_to_callers() -> None:
    answer = client().get("/broken")

    assert (answer.status_code, "hunter2" in answer.text) == (500, False)


def test_no_script_of_a_page_runs_unless_it_is_ours() -> None:
    policy: dict[str, Any] = {}
    for directive in CONTENT_SECURITY_POLICY.split("; "):
        name, *sources = directive.split()
        policy[name] = sources

    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert not any("unsafe" in source or "*" in source for sources in policy.values() for source in sources)
