"""Sending events without ever harming the code that is watched.

A worker thread does the sending, because the OpenLineage client may try for nine seconds before it gives up.
What cannot be sent is kept as one line of NDJSON in a spool file, which `lineward ingest` takes.
"""

import atexit
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Event, Lock, Thread

from openlineage.client import OpenLineageClient
from openlineage.client import event_v2 as openlineage
from openlineage.client.serde import Serde

logger = logging.getLogger(__name__)

LineageEvent = openlineage.RunEvent | openlineage.DatasetEvent | openlineage.JobEvent
Wait = Callable[[Event, float], bool]

PATIENCE = 1.0  # seconds that the watched code waits for the last events, at most
PENDING_LIMIT = 10_000  # events held in memory; further ones go straight to the spool


@contextmanager
def unharmed(act: str) -> Iterator[None]:
    """Runs reporting code: whatever it raises is logged, and the watched code goes on."""
    try:
        yield
    except Exception:
        logger.warning("Lineward could not %s; the program itself goes on.", act, exc_info=True)


def default_spool() -> Path:
    """`LINEWARD_SPOOL`, else `lineward-spool.ndjson` in the working directory."""
    return Path(os.environ.get("LINEWARD_SPOOL") or "lineward-spool.ndjson").absolute()


class Delivery:
    """Sends events through an OpenLineage client, in order, off the caller's thread.

    `client` None means the client that the environment configures (`OPENLINEAGE_URL` or `openlineage.yml`).
    No method raises. By the time that `close` returns, every event handed to `send` has reached the server or
    the spool file; one still under way then does both, byte for byte alike, and is a duplicate to the server.
    """

    def __init__(
        self,
        client: OpenLineageClient | None = None,
        *,
        spool: Path | None = None,
        patience: float = PATIENCE,
        wait: Wait = Event.wait,
    ) -> None:
        self.spool = spool or default_spool()
        self._client = client
        self._owns_client = client is None
        self._patience = patience
        self._wait = wait
        self._lock = Lock()
        self._wake = Condition(self._lock)
        self._idle = Event()
        self._idle.set()
        self._pending: deque[LineageEvent] = deque()
        self._under_way: str | None = None
        self._worker: Thread | None = None
        self._closed = False
        self._spooled = 0
        atexit.register(self.close)

    def send(self, event: LineageEvent) -> None:
        """Takes one event; returns at once. The event must not be changed afterwards."""
        with unharmed("send an event"):
            if not self._queued(event):
                self._keep([self._line(event)])

    def flush(self, patience: float | None = None) -> bool:
        """Waits until nothing is pending, for `patience` seconds at most; whether all was delivered."""
        self._wait(self._idle, self._patience if patience is None else patience)
        return self._idle.is_set() and not self._spooled

    def close(self, patience: float | None = None) -> bool:
        """Flushes, then spools what is left; whether all was delivered. A second call does nothing more."""
        with unharmed("close the delivery of events"):
            atexit.unregister(self.close)
            if not self._closed:
                self.flush(patience)
            self._keep(self._take_rest())
            if self._owns_client and self._client is not None and not self._spooled:
                self._client.close(0)
        return not self._spooled

    def _queued(self, event: LineageEvent) -> bool:
        with self._lock:
            if self._closed or len(self._pending) >= PENDING_LIMIT:
                return False
            self._pending.append(event)
            self._idle.clear()
            if self._worker is None or not self._worker.is_alive():  # a fork leaves the thread behind
                self._worker = Thread(target=self._work, name="lineward-delivery", daemon=True)
                self._worker.start()
            self._wake.notify()
            return True

    def _work(self) -> None:
        while (event := self._next()) is not None:
            delivered = self._emit(event)
            self._finish(delivered)

    def _next(self) -> LineageEvent | None:
        with self._lock:
            while not self._pending:
                if self._closed:
                    return None
                self._wake.wait()
            event = self._pending.popleft()
            self._under_way = self._line(event)
            return event

    def _emit(self, event: LineageEvent) -> bool:
        try:
            self._resolved_client().emit(event)
        except Exception as error:
            logger.warning(
                "An event was not delivered (%s); it is kept in %s: lineward ingest %s",
                error,
                self.spool,
                self.spool,
            )
            return False
        return True

    def _finish(self, delivered: bool) -> None:
        # Spooled before it is forgotten: a close in between writes the line twice rather than never.
        if not delivered and self._under_way is not None:
            self._keep([self._under_way])
        with self._lock:
            self._under_way = None
            if not self._pending:
                self._idle.set()

    def _take_rest(self) -> list[str]:
        with self._lock:
            self._closed = True
            rest = [self._under_way] if self._under_way is not None else []
            rest += [self._line(event) for event in self._pending]
            self._pending.clear()
            self._under_way = None
            self._wake.notify()
            return rest

    def _resolved_client(self) -> OpenLineageClient:
        if self._client is None:
            self._client = OpenLineageClient()
        return self._client

    def _line(self, event: LineageEvent) -> str:
        # The client adds tags and code location while it emits; added first, the line equals the bytes sent.
        with unharmed("complete an event"):
            client = self._resolved_client()
            client.add_environment_facets(event)
            client.update_event_tags_facets(event)
            client.add_source_code_location_facet(event)
        return Serde.to_json(event)

    def _keep(self, lines: Iterable[str]) -> None:
        body = "".join(line + "\n" for line in lines)
        if not body:
            return
        self._spooled += body.count("\n")
        with unharmed(f"write to the spool file {self.spool}"):
            append(self.spool, body.encode())


def append(path: Path, body: bytes) -> None:
    """Adds `body` to the end of a file that only its owner reads, in one write wherever the system allows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600), "wb", buffering=0) as file:
        while body:
            body = body[file.write(body) :]


Reporter = Delivery | OpenLineageClient | None


def delivery_of(reporter: Reporter) -> tuple[Delivery, bool]:
    """The delivery to use, and whether it was made here: then its user closes it too."""
    if isinstance(reporter, Delivery):
        return reporter, False
    return Delivery(reporter), True
