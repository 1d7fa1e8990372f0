"""A request body, read no further than it may go: in bytes, in time, and in what it unpacks to."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from catalog.refusal import BrokenBodyError, BusyError, SlowBodyError, TooLargeError, UnsupportedBodyError
from ingest.limits import MIB, Limits

_GZIP = 31  # zlib's window bits for a gzip wrapper (RFC 1952)
_STEP = MIB  # unpacked at once, before others get their turn
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


@dataclass(slots=True)
class BodyReader:
    """Reads one body. `complete` tells whether the sender has nothing more to say.

    `slots` is shared by all readers: a body in several pieces needs one of them.
    """

    receive: Receive
    limits: Limits
    slots: asyncio.Semaphore
    complete: bool = False

    async def read(self, headers: Mapping[str, str]) -> bytes:
        """The body after decompression.

        TooLargeError, before reading when Content-Length already says so; UnsupportedBodyError for a type other than
        JSON in UTF-8 or an encoding other than gzip; BrokenBodyError, SlowBodyError, BusyError. ClientDisconnect when
        nobody is left to be answered.
        """
        _check_type(headers.get("content-type", ""))
        content = self._content(headers.get("content-encoding", "").strip().lower())
        _check_declared(headers.get("content-length", "0"), self.limits.body)
        arrived = 0
        async with aclosing(self._chunks()) as chunks:
            async for chunk in chunks:
                arrived += len(chunk)
                _check_size(arrived, self.limits.body)
                await content.take(chunk)
        return content.finish()

    async def drain(self) -> None:
        """Throw away what still comes, for a moment: a connection closed on unread bytes loses the answer."""
        left = self.limits.gunzipped
        try:
            async with asyncio.timeout(self.limits.linger_seconds):
                while not self.complete and left > 0:
                    left -= len(await self._next())
        except (TimeoutError, ClientDisconnect):
            return

    def _content(self, encoding: str) -> "_Content":
        if encoding in ("", "identity"):
            return _Plain()
        if encoding in ("gzip", "x-gzip"):
            return _Gzip(self.limits.gunzipped)
        raise UnsupportedBodyError(f"the encoding {encoding[:40]!r} is not read", "send gzip, or none")

    async def _chunks(self) -> AsyncGenerator[bytes]:
        yield await self._next_within(self.limits.chunk_seconds)
        if self.complete:
            return
        async with self._slot():
            now = asyncio.get_running_loop().time
            deadline = now() + self.limits.body_seconds
            while not self.complete:
                yield await self._next_within(min(self.limits.chunk_seconds, deadline - now()))

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.limits.chunk_seconds):
                await self.slots.acquire()
        except TimeoutError:
            raise BusyError("too many large bodies are being received", "send it again in a moment") from None
        try:
            yield
        finally:
            self.slots.release()

    async def _next_within(self, seconds: float) -> bytes:
        try:
            if seconds > 0:
                async with asyncio.timeout(seconds):
                    return await self._next()
        except TimeoutError:
            pass
        raise SlowBodyError(
            f"the body took more than {self.limits.chunk_seconds:g} s for a piece"
            f" or {self.limits.body_seconds:g} s in all",
            "send it again",
        )

    async def _next(self) -> bytes:
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self.complete = not message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        return chunk


class _Content(Protocol):
    async def take(self, chunk: bytes) -> None: ...

    def finish(self) -> bytes: ...


class _Plain:
    def __init__(self) -> None:
        self._kept = BytesIO()

    async def take(self, chunk: bytes) -> None:
        self._kept.write(chunk)

    def finish(self) -> bytes:
        return self._kept.getvalue()


class _Gzip:
    """One gzip member, unpacked step by step and never past the limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._member = zlib.decompressobj(_GZIP)
        self._kept = BytesIO()

    async def take(self, chunk: bytes) -> None:
        while chunk:
            if self._member.eof:
                raise BrokenBodyError("something follows the gzip member", "send a single member")
            self._keep(self._unpack(chunk))
            chunk = self._member.unconsumed_tail or self._member.unused_data
            if chunk:
                await asyncio.sleep(0)

    def finish(self) -> bytes:
        self._keep(self._member.flush())
        if not self._member.eof:
            raise BrokenBodyError("the gzip data ends too early", "send all of it")
        return self._kept.getvalue()

    def _unpack(self, chunk: bytes) -> bytes:
        try:
            return self._member.decompress(chunk, _STEP)
        except zlib.error as error:
            raise BrokenBodyError("the body is no gzip data", "leave Content-Encoding out, or compress it") from error

    def _keep(self, unpacked: bytes) -> None:
        if self._kept.tell() + len(unpacked) > self._limit:
            raise _too_large(self._limit, "after decompression")
        self._kept.write(unpacked)


def _check_type(content_type: str) -> None:
    """JSON, said or unsaid; UTF-8 is the only encoding that JSON between systems has (RFC 8259 section 8.1)."""
    if content_type in ("", "application/json"):
        return
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [parameter.removeprefix("charset=").strip('"') for parameter in parameters if "charset=" in parameter]
    if media != "application/json" or not _CHARSETS.issuperset(charsets):
        raise UnsupportedBodyError(
            f"the content type {content_type[:80]!r} is not read", "send application/json in UTF-8"
        )


def _check_declared(length: str, limit: int) -> None:
    if not (length.isascii() and length.isdigit()):
        raise BrokenBodyError("Content-Length is no number", "send the number of bytes, or none")
    if len(length) > 18 or int(length) > limit:
        raise _too_large(limit, "as sent")


def _check_size(arrived: int, limit: int) -> None:
    if arrived > limit:
        raise _too_large(limit, "as sent")


def _too_large(limit: int, when: str) -> TooLargeError:
    return TooLargeError(
        f"the body has more than {limit:,} bytes {when}", "send the event in several parts, or batches"
    )
