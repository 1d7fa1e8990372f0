"""Load over HTTP/1.1 from sockets of our own: a client library would cost more than the server that is measured."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import quantiles
from typing import cast

import uvloop

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds from the first byte sent to the last received, of all answers, and how long the whole took."""

    each: tuple[float, ...]
    elapsed: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.each) / self.elapsed

    @property
    def median(self) -> float:
        return self.percentile(50)

    def percentile(self, percent: int) -> float:
        if len(self.each) == 1:
            return self.each[0]
        return quantiles(self.each, n=100, method="inclusive")[percent - 1]


def request(path: str, body: bytes) -> bytes:
    """A POST of JSON on a connection that stays open."""
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def send(port: int, requests: Sequence[bytes], connections: int, status: int = 201) -> Latencies:
    """Send every request once, over so many connections. RuntimeError for any answer with another status."""
    return _run(_send(port, iter(requests), connections, status))


def repeat(port: int, body: bytes, times: int, seconds: float, *, status: int = 200) -> Latencies:
    """Send one request again and again over one connection, `times` or until `seconds` have passed, at least thrice."""
    return _run(_send(port, _again(body, times, seconds), 1, status))


def beside(port: int, body: bytes, other: bytes, clients: int, times: int, seconds: float) -> Latencies:
    """`repeat` while so many clients, over a connection each, ask for something else as fast as they are answered."""

    async def both() -> Latencies:
        asked = _send(port, _again(body, times, seconds), 1, 200)
        crowd = _send(port, _again(other, None, seconds), clients, 200)
        found, _ = await asyncio.gather(asked, crowd)
        return found

    return _run(both())


def _again(body: bytes, times: int | None, seconds: float) -> Iterator[bytes]:
    deadline = time.perf_counter() + seconds
    for number, each in enumerate(islice(cycle([body]), times)):
        if number >= 3 and time.perf_counter() >= deadline:
            return
        yield each


def _run(work: "asyncio.Future[Latencies] | object") -> Latencies:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answer: Latencies = runner.run(work)  # type: ignore[arg-type]
        return answer


async def _send(port: int, requests: Iterator[bytes], connections: int, status: int) -> Latencies:
    loop = asyncio.get_running_loop()
    begin = time.perf_counter()
    opened = [loop.create_connection(lambda: _Connection(requests, status), HOST, port) for _ in range(connections)]
    clients = [client for _, client in await asyncio.gather(*opened)]
    await asyncio.gather(*(client.done for client in clients))
    each = tuple(latency for client in clients for latency in client.latencies)
    return Latencies(each, time.perf_counter() - begin)


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the last is answered."""

    def __init__(self, requests: Iterator[bytes], status: int) -> None:
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._expected = f"HTTP/1.1 {status} ".encode()
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        self._next()

    def _next(self) -> None:
        following = next(self._requests, None)
        if following is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._began = time.perf_counter()
        self._transport.write(following)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank or len(body) < _length(head):
            return
        self.latencies.append(time.perf_counter() - self._began)
        if not self._received.startswith(self._expected):
            self._fail(RuntimeError(f"unexpected answer: {self._received[:400]!r}"))
            return
        self._received = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionError("the server closed the connection"))

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
            self._transport.close()


def _length(head: bytes) -> int:
    lowered = head.lower()
    _, found, rest = lowered.partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0
