"""Keeping a graph up with a log: the same steps for a live server, a rebuild and a command on a folder."""

import threading
from collections.abc import Callable

import structlog

from catalog.erasure.register import ErasureRegister
from catalog.errors import RetryableError, WrongLogError
from catalog.log.entry import Entry, EntryType
from catalog.log.reader import LogReader
from catalog.projector import Projector
from catalog.tracing import span

_IDLE = 0.02  # seconds between two looks at a quiet log
_PATIENCE = (0.2, 5.0)  # seconds before trying again a store that does not answer: first, most

logger = structlog.get_logger(__name__)


class Follower:
    """Projects a log's entries in order, batch by batch. A store that is down means lag, never loss.

    `projector` gives one that knows what was erased, and empties a graph that was made before: a graph shows the log as
    it now is, so that an erasure begins it anew.
    """

    def __init__(self, log: LogReader, projector: Callable[[ErasureRegister], Projector], batch: int) -> None:
        self._log = log
        self._make = projector
        self._batch = batch
        self._register = ErasureRegister.of(log)
        self._projector = projector(self._register)

    def catch_up(self, progress: Callable[[int], None] | None = None) -> int:
        """Project all that the log holds by now; the offset reached. `progress` hears each offset on the way."""
        while self.step():
            if progress:
                progress(self._projector.offset)
        return self._projector.offset

    def step(self) -> bool:
        """Project one batch; False where there was nothing to do."""
        entries = self._log.entries(self._projector.offset, self._batch)
        if not entries:
            return False
        if any(self._may_erase(entry) for entry in entries) and self._renewed():
            return True
        with span("projection.apply", {"batch.size": len(entries)}):
            try:
                self._projector.project(entries)
            except WrongLogError:
                if not self._renewed():
                    raise
        return True

    def _may_erase(self, entry: Entry) -> bool:
        """A redaction that is new here, and a body that went since."""
        if entry.type is EntryType.REDACTION:
            return entry.seq >= self._register.size
        return entry.body is None and self._register.erased_of(entry) is None

    def _renewed(self) -> bool:
        """Take in what was erased since, and begin anew where anything was."""
        before = self._register.generation
        self._register.catch_up(self._log)
        if self._register.generation == before:
            return False
        self._projector = self._make(self._register)
        return True

    def follow(self, stop: threading.Event) -> None:
        """Keep up until told to stop."""
        delay, most = _PATIENCE
        while not stop.is_set():
            try:
                busy = self.step()
                delay = _PATIENCE[0]
            except RetryableError as error:
                logger.warning("projection.waiting", reason=error.message, seconds=delay)
                stop.wait(delay)
                delay = min(delay * 2, most)
                continue
            if not busy:
                stop.wait(_IDLE)
