"""Opening a reading: at a cut, and not before the projection has come far enough."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from catalog.errors import StaleProjectionError
from catalog.graph.contract import FOREVER, GraphStore
from catalog.log import token
from catalog.log.writer import microseconds_now
from catalog.model import AsOf
from catalog.neighbourhoods import Neighbourhoods
from catalog.permitted import PermittedReading
from catalog.principal import Principal
from catalog.reading import Reading

_SECOND = 1_000_000
_POLL = 0.005  # seconds between two looks at the projection


@dataclass(frozen=True, slots=True)
class LogState:
    """The log as its readers see it."""

    origin: str
    size: int
    root: bytes


class Access:
    """Gives readings of one store, which may lag behind the log. For use by any number of threads."""

    def __init__(self, store: GraphStore, log_state: Callable[[], LogState], wait_seconds: float = 5.0) -> None:
        self._store = store
        self._log_state = log_state
        self._wait_seconds = wait_seconds
        self._neighbourhoods = Neighbourhoods()

    @property
    def store_name(self) -> str:
        return self._store.name

    def log_state(self) -> LogState:
        return self._log_state()

    def offset(self) -> int:
        """How many entries are projected."""
        position = self._store.position()
        return position.offset if position else 0

    def lag(self, recorded: Callable[[int], int]) -> float:
        """For how long the oldest entry that is not projected has waited, seconds; `recorded` tells when one came, µs.

        Raises StoreUnavailableError where the store does not answer.
        """
        offset, size = self.offset(), self._log_state().size
        return max(0.0, (microseconds_now() - recorded(offset)) / _SECOND) if offset < size else 0.0

    @contextmanager
    def reading(
        self, as_of: AsOf | None = None, at_least: str | None = None, principal: Principal | None = None
    ) -> Iterator[Reading]:
        """A reading at `as_of` (now where absent), of what `principal` may read where one is given.

        `at_least` is a token from an acknowledgement: waits for the projection to include it. Raises
        StaleProjectionError after the configured time, WrongLogError for another log's token.
        """
        wanted = as_of or AsOf()
        if at_least is not None:
            self._await(token.position(at_least, self._log_state().origin))
        if wanted.known is not None:
            self._await(min(wanted.known, self._log_state().size))
        with self._store.read(wanted.known, FOREVER if wanted.valid is None else wanted.valid) as reader:
            if principal is None or principal.sees_everything():
                yield Reading(reader, self._neighbourhoods.at(reader))
            else:
                yield PermittedReading(reader, principal, self._neighbourhoods.at(reader))

    def _await(self, size: int) -> None:
        deadline = time.monotonic() + self._wait_seconds
        while (offset := self.offset()) < size:
            if time.monotonic() >= deadline:
                raise StaleProjectionError(
                    f"The graph holds {offset} entries, {size} were asked for.",
                    "Try again in a moment; `lineward doctor` says whether the projector runs.",
                )
            time.sleep(_POLL)
