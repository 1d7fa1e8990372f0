"""Connections that send as fast as they are answered, and remember every answer."""

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Event as Flag
from typing import Any

import httpx

from catalog.log.merkle import leaf_hash
from catalog.log.reader import LogReader
from tests.end_to_end.server_process import PATIENCE, ServerProcess, eventually
from tests.end_to_end.story import dataset, event


class Senders:
    """A fixed number of connections; what they sent and what they were told, over any number of servers."""

    def __init__(self, connections: int) -> None:
        self.sent: set[bytes] = set()
        self.acknowledged: dict[bytes, Any] = {}
        self._last: list[bytes | None] = [None] * connections
        self._bodies = [_bodies(sender) for sender in range(connections)]

    @contextmanager
    def sending(self, server: ServerProcess) -> Iterator[None]:
        """Sends from entering until leaving, or until the server answers no more. Raises for a wrong answer."""
        enough = Flag()
        with ThreadPoolExecutor(len(self._last)) as pool:
            running = [pool.submit(self._send, server.url, sender, enough) for sender in range(len(self._last))]
            try:
                yield
            finally:
                enough.set()
        for each in running:
            each.result()

    def await_acknowledgements(self, more: int) -> None:
        """Until there are so many more than now."""
        wanted = len(self.acknowledged) + more
        eventually(lambda: len(self.acknowledged) >= wanted, f"{more} acknowledgements")

    def check(self, data: Path) -> None:
        """Everything acknowledged is in the log where its answer said, and nothing is there twice or unasked for."""
        with LogReader.open(data) as log:
            entries = log.entries(0, log.size())
        assert max(Counter(entry.body for entry in entries).values()) == 1
        assert {entry.body for entry in entries} <= self.sent
        for body, answer in self.acknowledged.items():
            entry = entries[answer["seq"]]
            assert (entry.body, leaf_hash(entry.envelope)) == (body, b64decode(answer["leafHash"]))

    def _send(self, url: str, sender: int, enough: Flag) -> None:
        """First again, byte by byte, what was sent last: whether it was answered or not, it must not count twice."""
        with httpx.Client(base_url=url, timeout=PATIENCE) as client, suppress(httpx.TransportError):
            while not enough.is_set():
                body = self._last[sender] or next(self._bodies[sender])
                if not self._deliver(client, body):
                    return
                self._last[sender] = None

    def _deliver(self, client: httpx.Client, body: bytes) -> bool:
        """Whether it was taken; False from a server that is stopping."""
        self.sent.add(body)
        answer = client.post("/api/v1/lineage", content=body)
        if answer.status_code == 503:
            return False
        assert answer.status_code == 201, answer.text
        self._remember(body, answer.json())
        return True

    def _remember(self, body: bytes, answer: Any) -> None:
        earlier = self.acknowledged.setdefault(body, answer)
        if earlier is not answer:
            assert answer["duplicate"]
            assert (answer["seq"], answer["leafHash"]) == (earlier["seq"], earlier["leafHash"])


def _bodies(sender: int) -> Iterator[bytes]:
    """Runs of a few jobs that read and write each other's tables, each with a start and an end."""
    for number in count(1):
        run = (sender + 1) << 64 | number
        sides = {
            "inputs": [dataset(f"table {number % 7}", str(number))],
            "outputs": [dataset(f"table {(number + 1) % 7}", str(number + 1))],
        }
        for kind in ("START", "COMPLETE"):
            at = f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
            yield json.dumps(event(run, f"job {sender}", at, kind, **sides)).encode()
