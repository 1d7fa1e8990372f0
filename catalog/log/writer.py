"""Group commit: many callers, one writer thread, one transaction for whatever waits.

A commit costs the same for one entry as for fifty. The writer commits at once while few callers are about,
since holding would only delay them; when the last batch was large it holds a little until most of that many
wait again.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from catalog.errors import LogClosedError, LogFullError
from catalog.log.entry import Receipt, Submission

_EAGER_UP_TO = 8
_HOLD_SECONDS = 0.002
_MAX_BATCH = 256


class Appends(Protocol):
    """What the writer needs of a store: see `LogStore.append`."""

    def append(self, batch: Sequence[Submission], now_us: int) -> list[Receipt]: ...


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How much may wait, in submissions and in bytes of what was received and what is kept.

    A submission larger than the limit is taken when nothing else waits.
    """

    count: int = 2_000
    bytes: int = 64 * 1024 * 1024


@dataclass(slots=True)
class _Waiting:
    """A submission and whom to tell: a loop's future, or a thread's."""

    submission: Submission
    size: int
    future: "Future[Receipt] | asyncio.Future[Receipt]"
    loop: asyncio.AbstractEventLoop | None


def microseconds_now() -> int:
    return time.time_ns() // 1000


class LogWriter:
    """Appends for any number of threads and event loops; owns the store's writing thread, not the store.

    After a write whose outcome is unknown it stops: everything pending fails with LogClosedError, and
    `on_failure` is called once, in the writer's thread, with the error. Sending again after a restart is
    safe, because the log knows what it has. When the disk is full the batch fails with LogFullError and
    the writer goes on.
    """

    def __init__(
        self,
        store: Appends,
        *,
        limits: QueueLimits = QueueLimits(),
        clock: Callable[[], int] = microseconds_now,
        on_failure: Callable[[Exception], None] = lambda _error: None,
    ) -> None:
        self._store, self._limits, self._clock, self._on_failure = store, limits, clock, on_failure
        self._queue: deque[_Waiting] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._queued_bytes = 0
        self._wanted = 1
        self._last_batch = 0
        self._closed: str | None = None
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    def submit(self, submission: Submission) -> "Future[Receipt]":
        """A future of the receipt, done once the entry is durable.

        LogFullError when the queue is full, LogClosedError after `close` or a failure. A future that is
        cancelled in time is not appended; one cancelled later may be.
        """
        future: Future[Receipt] = Future()
        self._enqueue(submission, future, None)
        return future

    async def append(self, submission: Submission) -> Receipt:
        """The same for a coroutine, waking its loop once per commit; raises what the future would."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Receipt] = loop.create_future()
        self._enqueue(submission, future, loop)
        return await future

    def pending(self) -> int:
        """How many submissions wait, those being written left out."""
        return len(self._queue)

    def close(self) -> None:
        """Write what waits, then stop the thread; submissions from now on raise LogClosedError."""
        with self._changed:
            self._closed = self._closed or "it was closed"
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:  # `on_failure` may close, too
            self._thread.join()

    def __enter__(self) -> "LogWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _enqueue(
        self,
        submission: Submission,
        future: "Future[Receipt] | asyncio.Future[Receipt]",
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        size = len(submission.received) + len(submission.body)
        with self._changed:
            if self._closed is not None:
                raise LogClosedError(f"the log takes no more entries: {self._closed}", "send it again later")
            if self._queue and not self._has_room(size):
                raise LogFullError("too much is waiting to be logged", "send it again in a moment")
            self._queue.append(_Waiting(submission, size, future, loop))
            self._queued_bytes += size
            if len(self._queue) >= self._wanted:
                self._changed.notify()

    def _has_room(self, size: int) -> bool:
        return len(self._queue) < self._limits.count and self._queued_bytes + size <= self._limits.bytes

    def _run(self) -> None:
        while batch := self._next_batch():
            if not self._write(batch):
                return

    def _next_batch(self) -> list[_Waiting]:
        """What to write next; empty once closed and drained."""
        with self._changed:
            while not self._queue and self._closed is None:
                self._wait_for(1, None)
            if self._last_batch > _EAGER_UP_TO:
                self._hold()
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), _MAX_BATCH))]
            self._queued_bytes -= sum(waiting.size for waiting in batch)
        self._last_batch = len(batch)
        return batch

    def _hold(self) -> None:
        wanted, deadline = 3 * self._last_batch // 4, time.monotonic() + _HOLD_SECONDS
        while len(self._queue) < wanted and self._closed is None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return
            self._wait_for(wanted, remaining)

    def _wait_for(self, wanted: int, seconds: float | None) -> None:
        self._wanted = wanted  # submitters wake this thread no earlier
        self._changed.wait(seconds)

    def _write(self, batch: list[_Waiting]) -> bool:
        """Append a batch and tell its callers; False once nothing more may be written."""
        batch = [waiting for waiting in batch if _claim(waiting)]
        if not batch:
            return True
        try:
            receipts = self._store.append([waiting.submission for waiting in batch], self._clock())
        except LogFullError as error:
            _tell(batch, [error] * len(batch))
            return True
        except Exception as error:
            self._fail(batch, error)
            return False
        _tell(batch, receipts)
        return True

    def _fail(self, batch: list[_Waiting], cause: Exception) -> None:
        with self._changed:
            self._closed = f"a write failed: {cause}"
            batch = batch + [waiting for waiting in self._queue if _claim(waiting)]
            self._queue.clear()
            self._queued_bytes = 0
        error = LogClosedError(
            "a write to the log failed; whether this entry is in it is unknown",
            "send it again after a restart",
        )
        error.__cause__ = cause
        _tell(batch, [error] * len(batch))
        self._on_failure(cause)


def _claim(waiting: _Waiting) -> bool:
    """Whether the caller still wants it; from here on a thread's future cannot be cancelled."""
    if isinstance(waiting.future, Future):
        return waiting.future.set_running_or_notify_cancel()
    return not waiting.future.cancelled()


def _tell(batch: Sequence[_Waiting], outcomes: Sequence[Receipt | Exception]) -> None:
    """Resolve every future, waking each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[tuple[_Waiting, Receipt | Exception]]] = {}
    for waiting, outcome in zip(batch, outcomes, strict=True):
        by_loop.setdefault(waiting.loop, []).append((waiting, outcome))
    for loop, told in by_loop.items():
        if loop is None:
            _resolve(told)
        elif not loop.is_closed():
            _wake(loop, told)


def _wake(loop: asyncio.AbstractEventLoop, told: list[tuple[_Waiting, Receipt | Exception]]) -> None:
    try:
        loop.call_soon_threadsafe(_resolve, told)
    except RuntimeError:  # closed in between: nobody is left to be told
        return


def _resolve(told: list[tuple[_Waiting, Receipt | Exception]]) -> None:
    for waiting, outcome in told:
        if waiting.future.done():
            continue
        if isinstance(outcome, Exception):
            waiting.future.set_exception(outcome)
        else:
            waiting.future.set_result(outcome)
