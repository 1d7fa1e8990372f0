"""Keeping a graph up with a log: the same steps for a live server, a rebuild and a command on a folder."""

import threading
from collections.abc import Callable

import structlog

from catalog.errors import RetryableError
from catalog.log.reader import LogReader
from catalog.projector import Projector
from catalog.tracing import span

_IDLE = 0.02  # seconds between two looks at a quiet log
_PATIENCE = (0.2, 5.0)  # seconds before trying again a store that does not answer: first, most

logger = structlog.get_logger(__name__)


class Follower:
    """Projects a log's entries in order, batch by batch. A store that is down means lag, never loss."""

    def __init__(self, log: LogReader, projector: Projector, batch: int) -> None:
        self._log = log
        self._projector = projector
        self._batch = batch

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
        with span("projection.apply", {"batch.size": len(entries)}):
            self._projector.project(entries)
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
