"""What outsiders check the log with: its checkpoint and its tiles (C2SP tlog-tiles), and receipts of entries.

Checkpoint and hashes are for everybody: they tell how much is in the log, and nothing of what. Envelopes name who acted
and when, so bundles of them are for auditors, and a receipt is for those and for whoever made the entry.
"""

import gzip
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from catalog.access import Access
from catalog.errors import (
    LinewardError,
    NotFoundError,
    RetryableError,
    UnauthenticatedError,
)
from catalog.log import tiles, token
from catalog.log.checkpoint import SignedCheckpoint
from catalog.log.checkpoint_log import CheckpointLog
from catalog.log.note import MOST_BYTES, ForgedError, MalformedError
from catalog.log.reader import LogReader
from catalog.log.receipt import MEDIA_TYPE, SUFFIX
from catalog.log.receipt_issuing import issue
from catalog.log.tiled_log import cut
from catalog.log.tiles import ENTRIES, Tile
from catalog.principal import CHALLENGE, Principal, Scope
from catalog.read_audit import ReadAudit
from catalog.refusal import status_of

_OFTEN = 1.0  # seconds between two signatures that nobody's receipt waits for
_FOREVER = "max-age=31536000, immutable"
_MOST_DIGITS = 18
_LAST = 1_000_000_000_000_000_000  # beyond any log


@dataclass(slots=True)
class _Recent:
    """The checkpoint signed last, and when by the monotonic clock, seconds."""

    signed: SignedCheckpoint | None = None
    at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Transparency:
    """The parts of a running server that proofs are made of. `principal_of` says who asks, from the headers."""

    log: LogReader
    checkpoints: CheckpointLog
    access: Access
    principal_of: Callable[[Mapping[str, str]], Principal]
    audit: ReadAudit
    clock: Callable[[], float] = time.monotonic
    _recent: _Recent = field(default_factory=_Recent)

    def checkpoint(self) -> SignedCheckpoint:
        """The newest, at most a second old, with what witnesses added. ForkedLogError where nothing may be signed."""
        with self._recent.lock:
            if self._recent.signed is None or self.clock() - self._recent.at >= _OFTEN:
                self._recent.signed = self.checkpoints.current()
                self._recent.at = self.clock()
            newest = self._recent.signed
        cosigned = self.checkpoints.cosigned()
        return cosigned if cosigned is not None and cosigned.checkpoint == newest.checkpoint else newest

    def tile(self, headers: Mapping[str, str], tile: Tile) -> bytes:
        """A tile of the tree that was signed last. NotFoundError beyond it."""
        if tile.level is ENTRIES:
            self._audited(self.principal_of(headers), "tile", {"tile": tile.path})
        last = self.checkpoints.last()
        signed = 0 if last is None else last.checkpoint.size
        if tiles.width_at(tile.level, tile.index, signed) < tile.width:
            raise NotFoundError(f"No checkpoint covers {tile.path}.", "See the size in /checkpoint.")
        return cut(self.log, tile)

    def receipt(self, headers: Mapping[str, str], named: str, *, body: bool) -> tuple[int, bytes]:
        """The position and the receipt of an entry, named by its position or as the id of an act.

        Raises StaleProjectionError where the graph, which knows the ids, does not catch up with the log.
        """
        principal = self.principal_of(headers)
        seq = self._position(named)
        if self.log.entry(seq).actor != principal.name:
            self._audited(principal, "receipt", {"entry": seq, "body": body})
        return seq, issue(self.log, seq, self.checkpoints.covering(seq + 1), body=body).encode()

    def _audited(self, principal: Principal, door: str, told: Mapping[str, Any]) -> None:
        principal.require(Scope.AUDIT_READ)
        self.audit.require(principal, door, told)

    def _position(self, named: str) -> int:
        if named.isascii() and named.isdecimal():
            return min(int(named[: _MOST_DIGITS + 1]), _LAST)
        state = self.access.log_state()
        with self.access.reading(at_least=token.encode(state.origin, state.size)) as reading:
            act = reading.act(named)
        if act is None:
            raise NotFoundError(
                f"No entry is called {named}.", "Give a position, or the id of a decision or other act."
            )
        return act.seq


def transparency_routes(transparency: Transparency) -> list[Route]:
    """`GET /checkpoint`, `/checkpoint/key`, `/tile/…`, `/api/v1/receipts/{seq or id}`; `POST /checkpoint/cosignatures`.

    The last needs no credentials: only signatures by witnesses whom the log knows are kept.
    """

    def checkpoint(request: Request) -> Response:
        return _text(str(transparency.checkpoint().note))

    def key(request: Request) -> Response:
        return _text("".join(f"{each}\n" for each in transparency.checkpoints.keys))

    def tile(request: Request) -> Response:
        wanted = _tile(request)
        data = transparency.tile(request.headers, wanted)
        if wanted.level is not ENTRIES:
            return Response(
                data, headers={"Cache-Control": f"public, {_FOREVER}"}, media_type="application/octet-stream"
            )
        return _bundle(request, data)

    def receipt(request: Request) -> Response:
        body = request.query_params.get("body") == "true"
        seq, content = transparency.receipt(request.headers, request.path_params["named"], body=body)
        name = f'attachment; filename="{seq}{SUFFIX}"'
        return Response(
            content, headers={"Cache-Control": "no-store", "Content-Disposition": name}, media_type=MEDIA_TYPE
        )

    async def cosignatures(request: Request) -> Response:
        try:
            await run_in_threadpool(transparency.checkpoints.add_cosignatures, await _note(request))
        except LinewardError as error:
            return _refusal(error)
        return Response(status_code=204)

    return [
        Route("/checkpoint", _answering(checkpoint)),
        Route("/checkpoint/cosignatures", cosignatures, methods=["POST"]),
        Route("/checkpoint/key", _answering(key)),
        Route("/tile/{path:path}", _answering(tile)),
        Route("/api/v1/receipts/{named}", _answering(receipt)),
    ]


def _answering(endpoint: Callable[[Request], Response]) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        try:
            return endpoint(request)
        except LinewardError as error:
            return _refusal(error)

    return answer


async def _note(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise MalformedError("This is no checkpoint: it is too long.", "Send the checkpoint as it was cosigned.")
    return body


def _text(text: str) -> Response:
    return Response(text, headers={"Cache-Control": "no-cache"}, media_type="text/plain")


def _tile(request: Request) -> Tile:
    try:
        return Tile.parse(f"tile/{request.path_params['path']}")
    except MalformedError as error:
        raise NotFoundError(error.message, error.remedy) from error


def _bundle(request: Request, data: bytes) -> Response:
    headers = {"Cache-Control": f"private, {_FOREVER}", "Vary": "Accept-Encoding, Authorization"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        data = gzip.compress(data, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(data, headers=headers, media_type="application/octet-stream")


def _refusal(error: LinewardError) -> Response:
    status = 403 if isinstance(error, ForgedError) else status_of(error)
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, RetryableError):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = CHALLENGE
    message = f"{error.message} {error.remedy}".strip()
    return JSONResponse({"error": {"code": error.code, "message": message, "pointer": ""}}, status, headers)
