"""Posting JSON over plain HTTP without httpx, whose import alone takes longer than a warm decision of the gate.

Only for `http://HOST:PORT` with no proxy on the way. TLS, proxies, credentials in the address and whatever else there
is stay with httpx.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import orjson

CONNECT, ANSWER = 5.0, 60.0  # seconds
_SYSTEM: str = sys.platform
_PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


class NotConnectedError(OSError):
    """No connection came about, so nobody has heard the question."""


@dataclass(frozen=True, slots=True)
class Answer:
    status_code: int
    content: bytes

    def json(self) -> Any:
        """Raises ValueError for what is no JSON."""
        return orjson.loads(self.content)


@dataclass(frozen=True, slots=True)
class PlainClient:
    """Opens a connection for each question: between two of them somebody may think, and the server hang up."""

    base_url: str
    host: str
    port: int
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def __enter__(self) -> "PlainClient":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left open."""

    def post(self, path: str, *, json: Any) -> Answer:
        """Raises NotConnectedError, and any OSError or http.client.HTTPException once there was a connection."""
        connection = HTTPConnection(self.host, self.port, timeout=CONNECT)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise NotConnectedError(str(error) or type(error).__name__) from error
            connection.sock.settimeout(ANSWER)
            headers = {"Content-Type": "application/json", **self.headers}
            connection.request("POST", self.path + path, orjson.dumps(json), headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        finally:
            connection.close()


def plain_client(url: str, headers: Mapping[str, str]) -> PlainClient | None:
    """A client for an address; None for one that is httpx's business, also to say what is wrong with it."""
    try:
        parts = urlsplit(url)
        port = 80 if parts.port is None else parts.port
    except ValueError:
        return None
    simple = parts.scheme == "http" and url.isascii() and not (parts.query or parts.fragment or "@" in parts.netloc)
    if not simple or not parts.hostname or _is_proxied():
        return None
    return PlainClient(url, parts.hostname, port, parts.path.rstrip("/"), headers)


def _is_proxied() -> bool:
    if _SYSTEM == "linux":
        return any(os.environ.get(name) for name in _PROXIES)
    from urllib.request import getproxies  # knows the system's settings too

    return bool(getproxies().keys() & {"http", "all"})
