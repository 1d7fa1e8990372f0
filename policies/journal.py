"""Writing acts one at a time, each in sight of everything that the log held before it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from catalog.access import Access
from catalog.act import Act
from catalog.errors import StaleProjectionError
from catalog.log import token
from catalog.log.entry import Receipt, Submission
from catalog.log.writer import microseconds_now
from catalog.reading import Reading
from policies import acts
from policies.acts import Body, Decide


@dataclass(frozen=True, slots=True)
class Recorded:
    """An act that is in the log, and the token with which a read is sure to see it."""

    act: Act
    token: str


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to write the next act. `reading` sees all acts before it; `at` is its time, µs."""

    reading: Reading
    at: int


class Journal:
    """The one place where acts are appended. For use by any number of threads.

    `append` makes a submission durable; `clock` gives µs since 1970. Acts never carry an earlier time than the act
    before them in this process, so that their order in the log is their order in time.
    """

    def __init__(
        self,
        access: Access,
        append: Callable[[Submission], Receipt],
        *,
        clock: Callable[[], int] = microseconds_now,
    ) -> None:
        self.access = access
        self._append = append
        self._clock = clock
        self._lock = threading.Lock()
        self._latest = 0
        self._written = 0
        self._size = access.log_state().size  # an earlier process may have written acts among these

    @property
    def written(self) -> int:
        """How many acts this process has appended that a decision may rest on; no decision rests on another.

        A reading opened at the same number has seen all of them.
        """
        return self._written

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Wait for the turn and for the projection of everything logged so far.

        Raises StaleProjectionError where the projection does not get there in time; nothing is written then.
        """
        with self._lock, self.access.reading(at_least=self.everything()) as reading:
            yield Turn(reading, self.now())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait for the turn only: for an act that is true whatever the log holds."""
        with self._lock:
            yield

    def everything(self) -> str:
        """The token for all that the log holds by now."""
        state = self.access.log_state()
        return token.encode(state.origin, state.size)

    def acts_and(self, at_least: str | None) -> str:
        """The token for all acts that this or an earlier process has written, and for what another token asks."""
        origin = self.access.log_state().origin
        asked = 0 if at_least is None else token.position(at_least, origin)
        return token.encode(origin, max(asked, self._size))

    def now(self) -> int:
        """µs since 1970; never earlier than an act that was written."""
        return max(self._clock(), self._latest)

    def write(self, body: Body) -> Recorded:
        """Append an act. Only while holding the turn in which it was found to be valid."""
        told = acts.plain(body)
        receipt = self._append(acts.submission(body, told))
        act = acts.recorded(body, receipt, told)
        self._latest = max(self._latest, act.at)
        self._written += not isinstance(body, Decide)
        self._size = receipt.seq + 1
        return Recorded(act, token.encode(self.access.log_state().origin, receipt.seq + 1))

    def enter(self, submission: Submission, at: int) -> str:
        """Append what is no act of `policies`, accepted at `at` (µs); the token of a read that sees it. Only while
        holding the turn in which it was found to be valid."""
        receipt = self._append(submission)
        self._latest = max(self._latest, at)
        self._written += 1
        self._size = receipt.seq + 1
        return token.encode(self.access.log_state().origin, receipt.seq + 1)

    def write_after(self, body: Body, written: int) -> Recorded | None:
        """Append an act unless others came since `written` acts were; None where they did."""
        with self._lock:
            return self.write(body) if self._written == written else None

    def settle(self, recorded: Recorded) -> None:
        """Give the projection its time to show an act. One that lags behind changes nothing: the act is logged."""
        try:
            with self.access.reading(at_least=recorded.token):
                return
        except StaleProjectionError:
            return
