"""The HTTP door: one OpenLineage event, or an array of them, into the log.

The answer goes out when the entry is durable, never before. It is 201 with a body, since one client fails on 204 and
another takes a redirect for success and loses the event.
"""

import asyncio
import inspect
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

import orjson
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import Receive, Send
from starlette.types import Scope as Connection

from catalog.errors import LinewardError, RetryableError
from catalog.log import token
from catalog.log.entry import Receipt, Submission
from catalog.principal import CHALLENGE, Principal, Scope, grants
from catalog.refusal import TooLargeError, sentence, status_of
from ingest.body import BodyReader
from ingest.elements import elements
from ingest.intake import BYTE_ORDER_MARK, Intake

_LARGE = 256 * 1024  # bytes from which checking would hold up the other connections
_AT_ONCE = 256  # events of a batch that wait for the log together

_RawHeaders = list[tuple[bytes, bytes]]
Heard = Callable[[int, Receipt | LinewardError], None]
"""Hears of every event that was offered: its size, bytes, and what became of it."""

_ANYBODY = Principal("anonymous", None, grants([Scope.INGEST_WRITE]))


class Log(Protocol):
    """Where entries go: see `catalog.log.writer.LogWriter.append`."""

    async def append(self, submission: Submission) -> Receipt: ...


def unheard(size: int, outcome: Receipt | LinewardError) -> None:
    """Nobody counts."""


def anybody(request: Request) -> Principal:
    """Everybody is let in, and nobody known."""
    return _ANYBODY


@dataclass(frozen=True, slots=True)
class LineageDoor:
    """What the routes need. `origin` names the log in read tokens.

    `principal_of` says who sends, or raises UnauthenticatedError, ForbiddenError or RateLimitedError; it gives an
    awaitable where finding out takes its time. What they send has to lie where they have `ingest:write`.
    """

    log: Log
    origin: str
    intake: Intake = field(default_factory=Intake)
    principal_of: Callable[[Request], Principal | Awaitable[Principal]] = anybody
    heard: Heard = unheard
    slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "slots", asyncio.Semaphore(self.intake.limits.concurrent_bodies))

    def token(self, receipt: Receipt) -> str:
        """The read token that waits for this entry: positions count from 0, sizes from 1."""
        return token.encode(self.origin, receipt.seq + 1)

    async def sender(self, request: Request) -> Principal:
        """Who may send something somewhere; ForbiddenError before a byte of the body is read."""
        found = self.principal_of(request)
        principal = await found if inspect.isawaitable(found) else found
        principal.require(Scope.INGEST_WRITE)
        return principal

    async def prepare(self, event: bytes, sender: Principal) -> Submission:
        def permit(namespace: str) -> None:
            sender.require(Scope.INGEST_WRITE, namespace)

        if len(event) < _LARGE:
            return self.intake.submission(event, sender.name, "http", permit)
        return await asyncio.to_thread(self.intake.submission, event, sender.name, "http", permit)


def routes(door: LineageDoor) -> list[Route]:
    """`POST /api/v1/lineage` and `POST /api/v1/lineage/batch`."""
    return [
        Route("/api/v1/lineage", _Endpoint(door, _take_event), methods=["POST"], name="lineage"),
        Route("/api/v1/lineage/batch", _Endpoint(door, _take_batch), methods=["POST"], name="lineage-batch"),
    ]


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    content: dict[str, Any]
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """An ASGI application, which costs a third of a Starlette function endpoint."""

    door: LineageDoor
    take: Callable[[LineageDoor, bytes, Principal], Awaitable[_Answer]]

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        reader = BodyReader(receive, self.door.intake.limits, self.door.slots)
        try:
            answer = await self._answer(scope, reader)
        except ClientDisconnect:
            return
        await _send(answer, reader, send)

    async def _answer(self, scope: Connection, reader: BodyReader) -> _Answer:
        try:
            sender = await self.door.sender(Request(scope))
            body = await reader.read(Headers(scope=scope))
            return await self.take(self.door, body, sender)
        except LinewardError as error:
            return _refusal(error)


async def _take_event(door: LineageDoor, body: bytes, sender: Principal) -> _Answer:
    receipt = await _outcome(door, body, sender)
    if isinstance(receipt, LinewardError):
        raise receipt
    return _Answer(
        201,
        {
            "seq": receipt.seq,
            "leafHash": b64encode(receipt.leaf_hash).decode(),
            "token": door.token(receipt),
            "duplicate": receipt.duplicate,
        },
    )


async def _take_batch(door: LineageDoor, body: bytes, sender: Principal) -> _Answer:
    """Every event by itself: those that are refused keep none of the others out."""
    events = await _split(body, door.intake.limits.batch)
    outcomes: list[Receipt | LinewardError] = []
    for start in range(0, len(events), _AT_ONCE):
        window = events[start : start + _AT_ONCE]
        outcomes += await asyncio.gather(*(_outcome(door, event, sender) for event in window))
        await asyncio.sleep(0)
    return _Answer(200, _summary(door, outcomes))


async def _split(body: bytes, most: int) -> list[bytes]:
    found = islice(elements(body.removeprefix(BYTE_ORDER_MARK)), most + 1)
    events = list(found) if len(body) < _LARGE else await asyncio.to_thread(list, found)
    if len(events) > most:
        raise TooLargeError(f"the batch has more than {most:,} events", "send it in several batches")
    return events


async def _outcome(door: LineageDoor, event: bytes, sender: Principal) -> Receipt | LinewardError:
    outcome: Receipt | LinewardError
    try:
        outcome = await door.log.append(await door.prepare(event, sender))
    except LinewardError as error:
        outcome = error
    door.heard(len(event), outcome)
    return outcome


def _summary(door: LineageDoor, outcomes: list[Receipt | LinewardError]) -> dict[str, Any]:
    """The body of OpenLineage's batch response (OpenLineage.yml 2.0.2), and a token for all that was logged."""
    receipts = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
    failed = [_failure(index, outcome) for index, outcome in enumerate(outcomes) if isinstance(outcome, LinewardError)]
    retriable = sum(failure["retriable"] for failure in failed)
    newest = max(receipts, key=lambda receipt: receipt.seq, default=None)
    return {
        "status": "partial_success" if failed else "success",
        "summary": {
            "received": len(outcomes),
            "successful": len(receipts),
            "failed": len(failed),
            "retriable": retriable,
            "non_retriable": len(failed) - retriable,
        },
        "failed_events": failed,
        "token": None if newest is None else door.token(newest),
    }


def _failure(index: int, error: LinewardError) -> dict[str, Any]:
    return {
        "index": index,
        "reason": sentence(error),
        "retriable": isinstance(error, RetryableError),
        "code": error.code,
        "pointer": error.pointer,
    }


def _refusal(error: LinewardError) -> _Answer:
    return _Answer(
        status_of(error),
        {"error": {"code": error.code, "message": sentence(error), "pointer": error.pointer}},
        error.retry_after if isinstance(error, RetryableError) else 0,
    )


async def _send(answer: _Answer, reader: BodyReader, send: Send) -> None:
    """Answer at once; what the sender still has to say is read afterwards, and its connection closed."""
    content = orjson.dumps(answer.content)
    headers: _RawHeaders = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    if answer.status == 401:
        headers.append((b"www-authenticate", CHALLENGE.encode()))
    if answer.retry_after:
        headers.append((b"retry-after", b"%d" % answer.retry_after))
    if not reader.complete:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if not reader.complete:
        await send({"type": "http.response.body", "body": content, "more_body": True})
        await reader.drain()
        content = b""
    await send({"type": "http.response.body", "body": content})
