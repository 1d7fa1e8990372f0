"""What every connection has to keep to before a door hears of it, and what every answer says to browsers.

Host names: a page on any site can have its name point at this machine, and then talk to an open server on loopback as
if it came from there (DNS rebinding). What it cannot do is to send another Host header than its own name.

Connections: uvicorn waits without end for a request line, for headers, for a body and for an answer to be taken, and
keeps headers of any size. `patient_protocol` gives each of these a deadline, and makes room when the house is full.
"""

import os
import re
import sys
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from math import inf
from typing import Any, ClassVar

import orjson
import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

logger = structlog.get_logger(__name__)

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ]
)
_POLICY = b"content-security-policy"
_ALWAYS = {
    _POLICY: CONTENT_SECURITY_POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
}
_OVER_TLS = (b"strict-transport-security", b"max-age=31536000")
_UNLESS_SAID = (b"cache-control", b"no-store")

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?")
_ANY_ADDRESS = frozenset({"0.0.0.0", "::"})
_TICK = 0.5  # seconds between two looks at a connection's deadlines
_SPARE = 32  # file descriptors beyond those open at the start, for databases and the projector
_FEWEST = 8


class SecurityHeaders:
    """Middleware: says the same to every browser in every answer, whatever a page says itself.

    A page may bring one of the content policies in `known`: an application needs more than an answer does. Answers are
    not kept by caches unless they say so; transport security is asked for where the request came by TLS.
    """

    def __init__(self, app: ASGIApp, known: Iterable[str] = ()) -> None:
        self._app = app
        self._known = frozenset(policy.encode() for policy in known)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def saying(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_security(message.get("headers", ()), scope["scheme"] == "https", self._known)
            await send(message)

        await self._app(scope, receive, saying)


class LetGo:
    """Middleware: who leaves in the middle of a request is no mistake of ours, and fills no log with tracebacks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ClientDisconnect):
            await self._app(scope, receive, send)


class AllowedHosts:
    """The host names under which this server may be spoken to.

    Those of this machine for itself, the address it listens on, and the names that are configured (`*.example.org` for
    every name below one, `*` for all). A server that listens on every address is called by any of them, since nobody
    can have an address point somewhere else.
    """

    def __init__(self, listening: str, configured: Iterable[str] = ()) -> None:
        self._names = {"localhost", listening.strip("[]").lower(), *(name.lower() for name in configured)}
        self._below = tuple(name[1:] for name in self._names if name.startswith("*."))
        self._addresses = listening in _ANY_ADDRESS

    def __contains__(self, host: str) -> bool:
        """Whether a name, lower case and without port, is one of them."""
        if host in self._names or "*" in self._names or (self._below and host.endswith(self._below)):
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return host.endswith(".localhost")
        return self._addresses or address.is_loopback


class CheckHost:
    """Middleware: answers 421 to requests for other hosts (RFC 9110 section 15.5.20), 400 to those that name none."""

    def __init__(self, app: ASGIApp, allowed: AllowedHosts) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        host = host_of(scope["headers"])
        if host is not None and host in self._allowed:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _refuse(host, send)


def host_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The host that a request names, lower case, without port, brackets and final dot; None unless there is one."""
    sent = [value for name, value in headers if name == b"host"]
    found = _HOST.fullmatch(sent[0].decode("latin-1")) if len(sent) == 1 else None
    return found[1].strip("[]").lower().removesuffix(".") or None if found else None


async def _refuse(host: str | None, send: Send) -> None:
    if host is None:
        status, message, remedy = 400, "The request names no host.", "Send one Host header with a name or an address."
    else:
        status, message = 421, f"This server is not called {host}."
        remedy = "Call it by a name that it knows, or add this one to LINEWARD_ALLOWED_HOSTS."
    content = orjson.dumps({"error": {"code": "UNKNOWN_HOST", "message": f"{message} {remedy}", "pointer": ""}})
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    headers.append((b"connection", b"close"))  # its body, if any, is not read
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _with_security(
    headers: Iterable[tuple[bytes, bytes]], tls: bool, known: frozenset[bytes]
) -> list[tuple[bytes, bytes]]:
    told = list(headers)
    own = [value for name, value in told if name.lower() == _POLICY and value in known]
    kept = [(name, value) for name, value in told if name.lower() not in _ALWAYS]
    if all(name.lower() != _UNLESS_SAID[0] for name, _ in kept):
        kept.append(_UNLESS_SAID)
    said = _ALWAYS | {_POLICY: own[-1]} if own else _ALWAYS
    return [*kept, *said.items(), *([_OVER_TLS] if tls else [])]


# Connections -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Of all connections together, and of each."""

    connections: int = 1024
    header_bytes: int = 64 * 1024  # request line and headers
    header_seconds: float = 10.0  # from the first moment of a connection, or the first byte of a later request
    body_seconds: float = 90.0  # from the headers; doors that read bodies give up earlier, with an answer
    write_seconds: float = 30.0  # for 64 KiB of an answer, or its rest, to be taken


def patient_protocol(limits: ConnectionLimits) -> type[HttpToolsProtocol]:
    """What `uvicorn.Config(http=…)` takes: the protocol of one server's connections."""
    return type("LimitedProtocol", (PatientProtocol,), {"limits": limits, "waiting": OrderedDict()})


def affordable(connections: int) -> int:
    """So many, or as many as the process may have files open (RLIMIT_NOFILE, raised as far as it goes).

    Whatever else the process opens needs some, too: a log that cannot open its file refuses events.
    """
    if sys.platform == "win32":
        return connections
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = len(os.listdir("/dev/fd")) + _SPARE
    if soft != resource.RLIM_INFINITY and soft < connections + needed:
        raised = connections + needed if hard == resource.RLIM_INFINITY else min(connections + needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, raised), hard))
        soft = max(soft, raised)
    room = connections if soft == resource.RLIM_INFINITY else soft - needed
    if room < connections:
        logger.warning("connections.few", connections=max(room, _FEWEST), files=soft, hint="raise RLIMIT_NOFILE")
    return max(min(connections, room), _FEWEST)


class PatientProtocol(HttpToolsProtocol):
    """Patience with a client has an end: each thing that it is waited for has a deadline.

    `waiting` holds the connections of which a request, or the rest of one, is expected, the longest quiet first. They
    go when another one needs their place; those that wait for an answer of ours stay.
    """

    limits: ClassVar[ConnectionLimits] = ConnectionLimits()
    waiting: ClassVar["OrderedDict[PatientProtocol, None]"] = OrderedDict()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._head: int | None  # bytes of it so far; None while none is expected
        self._expect_head()
        self._taken_by = inf
        self._timer = self.loop.call_later(_TICK, self._look)
        self.waiting[self] = None
        if len(self.connections) > self.limits.connections:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        if self._deadline == inf and self._is_idle():  # of another request, or line breaks before one
            self._expect_head()
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > self.limits.header_bytes and not self.transport.is_closing():
            self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head = None
        self._deadline = self.loop.time() + self.limits.body_seconds
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._deadline = inf
        self.waiting.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._deadline == inf:
            self.waiting[self] = None
        if self._taken_by == inf and self.transport.get_write_buffer_size():
            self._taken_by = self.loop.time() + self.limits.write_seconds

    def pause_writing(self) -> None:
        self._taken_by = self.loop.time() + self.limits.write_seconds
        super().pause_writing()

    def resume_writing(self) -> None:
        self._taken_by = inf
        super().resume_writing()

    def handle_websocket_upgrade(self) -> None:
        self._leave()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._head = 0
        self._deadline = self.loop.time() + self.limits.header_seconds

    def _leave(self) -> None:
        self._timer.cancel()
        self.waiting.pop(self, None)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _look(self) -> None:
        self._timer = self.loop.call_later(_TICK, self._look)
        now = self.loop.time()
        if now > self._taken_by:
            if self.transport.get_write_buffer_size():
                self.transport.abort()  # closing would wait for it to be taken
            self._taken_by = inf
        elif now > self._deadline and not self.transport.is_closing():
            self._refuse(b"408 Request Timeout")

    def _make_room(self) -> None:
        longest = next(iter(self.waiting))
        if longest is self:
            self._refuse(b"503 Service Unavailable")
        else:
            self.waiting.pop(longest)
            longest.transport.abort()

    def _refuse(self, status: bytes) -> None:
        """Say why, unless an answer is under way; then be gone."""
        if self._is_idle() or not self.cycle.response_started:
            self.transport.write(b"HTTP/1.1 %b\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" % status)
        self._taken_by = self.loop.time() + self.limits.write_seconds
        self.transport.close()
