"""A watch beside a running server: a thread that looks after the projection, and those who listen to it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from types import TracebackType

import structlog

from catalog.access import Access
from catalog.errors import RetryableError
from catalog.log.writer import microseconds_now
from catalog.reading import Reading
from policies.governance import Governance
from policies.watch.acts import ActsBetween
from policies.watch.change import StandingVerdict, VerdictChange
from policies.watch.verdicts import Judging, VerdictWatch

Listener = Callable[[Sequence[VerdictChange]], None]
"""Hears changes in the order in which they were found. Called in the watch's thread: it must return at once."""

_IDLE = 0.2  # seconds between two looks at a quiet projection
_BUDGET = 0.25  # seconds of judging in one reading, so that new entries never wait longer
_PATIENCE = 5.0  # seconds before trying again after a failure

logger = structlog.get_logger(__name__)


class Watching:
    """Keeps verdicts true while it runs. For use by any number of threads.

    It costs a look at the offset of the projection, five times a second, as long as no binding is in force. Where the
    store does not answer it waits; verdicts are then as old as their `known` says.
    """

    def __init__(
        self,
        access: Access,
        judge: Judging,
        acts: ActsBetween,
        *,
        clock: Callable[[], int] = microseconds_now,
        idle: float = _IDLE,
    ) -> None:
        self._access = access
        self._acts = acts
        self._clock = clock
        self._idle = idle
        self._watch = VerdictWatch(judge)
        self._begun = False
        self._latest = 0
        self._listeners: dict[object, Listener] = {}
        self._hearing = threading.Lock()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    # Running ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin in a thread of its own. Once."""
        self._thread = threading.Thread(target=self._run, name="lineward-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the judgement in hand. Any number of times."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> "Watching":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stop.is_set():
            wait = self._idle
            try:
                if self.look():
                    wait = 0.0
            except RetryableError as error:
                logger.warning("watch.waiting", reason=error.message, seconds=_PATIENCE)
                wait = _PATIENCE
            except Exception:
                logger.exception("watch.failed", seconds=_PATIENCE)
                wait = _PATIENCE
            self._stop.wait(wait)

    def look(self) -> bool:
        """Take in what is new and judge for a moment; whether there is more to do. One thread at a time."""
        now = self._latest = max(self._clock(), self._latest)
        if not self._is_work(now):
            return False
        ends = time.monotonic() + _BUDGET
        with self._access.reading() as reading:
            if not self._take_in(reading, now):
                return False
            while not self._stop.is_set() and time.monotonic() < ends:
                with self._lock:
                    found = self._watch.step(reading, now)
                if found is None:
                    break
                self._tell(found)
        return self._watch.pending > 0

    def _take_in(self, reading: Reading, now: int) -> bool:
        """False while the graph knows less than before: it is being projected anew."""
        watch = self._watch
        if self._begun and reading.known < watch.known:
            return False
        acts = self._acts(watch.known, reading.known) if self._begun else ()
        with self._lock:
            if not self._begun:
                watch.begin(reading, now)
                self._begun = True
            watch.advance(reading, acts, now)
            watch.due(reading, now)
        return True

    def _is_work(self, now: int) -> bool:
        watch = self._watch
        if not self._begun or watch.pending or self._access.offset() > watch.known:
            return True
        return watch.next_due is not None and watch.next_due <= now

    # Telling ---------------------------------------------------------------------------------------------------

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Let somebody hear of changes, as long as the context is open."""
        token = object()
        with self._hearing:
            self._listeners[token] = listener
        try:
            yield
        finally:
            with self._hearing:
                del self._listeners[token]

    def _tell(self, found: Sequence[VerdictChange]) -> None:
        if found:
            with self._hearing:
                for listener in self._listeners.values():
                    listener(found)

    def standing(self) -> tuple[list[StandingVerdict], int]:
        """What is known, by model, version and environment; and how many still have to be looked at."""
        with self._lock:
            return self._watch.standing(), self._watch.pending


@dataclass(frozen=True, slots=True)
class WatchedGovernance(Governance):
    """What a server has besides that keeps the log: verdicts that follow the facts."""

    watching: Watching


def watched(governance: Governance, watching: Watching) -> WatchedGovernance:
    own = {each.name: getattr(governance, each.name) for each in fields(governance)}
    return WatchedGovernance(**own, watching=watching)
