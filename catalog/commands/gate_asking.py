"""Asking the gate: once, or again and again until nobody has to approve any more."""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from catalog.commands.failure import CHECK_FAILED, exit_code
from catalog.commands.governing import Answer, opened, target_of
from catalog.commands.reference import Reference
from catalog.errors import LinewardError, RetryableError
from catalog.rendering.legible import legible
from policies.request import DecideRequest
from policies.verdict import GateState

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between two questions while waiting; the last one for good."""


class UndecidableError(RetryableError):
    """The gate came to no answer, which is never one."""

    code = "UNDECIDABLE"


class Clock(Protocol):
    def monotonic(self) -> float: ...

    def sleep(self, seconds: float, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Asking:
    """Where, and what is asked."""

    url: str | None
    data: Path | None
    graph: str | None
    named: Reference
    environment: str
    packs: tuple[str, ...] = ()
    use: str | None = None
    at_least: str | None = None
    preview: bool = False
    rollback: bool = False
    allows_outage: bool = False

    def answer(self, seconds: int) -> Answer:
        """The answer, for which approvals are awaited so many seconds.

        Raises errors whose exit code is 2 or 3, never that of a deny, and KeyboardInterrupt.
        """
        try:
            return awaited(self._ask, seconds, self.preview) if seconds else self._ask(self.preview)
        except LinewardError as error:
            if exit_code(error) == CHECK_FAILED:
                raise UndecidableError(error.message, error.remedy) from error
            raise
        except Exception as error:
            traceback.print_exc()
            raise UndecidableError(
                f"the gate failed: {type(error).__name__}", "Report the lines above; nothing was decided."
            ) from error

    def _ask(self, preview: bool) -> Answer:
        with opened(self.url, self.data, self.graph, writing=not preview) as governing:
            target = target_of(self.named, governing)
            if self.allows_outage:
                from catalog.commands.outage import check_bindings

                check_bindings(governing, target, self.environment)
            request = DecideRequest(
                target,
                self.environment,
                self.packs,
                self.use,
                self.at_least,
                preview,
                self.rollback,
            )
            return governing.decide(request)


def awaited(ask: Callable[[bool], Answer], seconds: float, preview: bool, clock: Clock = time) -> Answer:
    """Previews until the state is another than PENDING, then one decision; at the end of the time the last preview.

    A server that goes away while it is waited for is waited for too; only what is wrong at the start, or still at the
    end, is raised.
    """
    end = clock.monotonic() + seconds
    answer, trouble, asked = ask(True), None, 0
    with _watched() as show:
        while answer.decision.state is GateState.PENDING:
            left = end - clock.monotonic()
            if left <= 0:
                if trouble is not None:
                    raise trouble
                return answer
            show(answer, trouble, left)
            clock.sleep(min(PAUSES[min(asked, len(PAUSES) - 1)], left))
            asked += 1
            try:
                answer, trouble = ask(True), None
            except RetryableError as error:
                trouble = error
    return answer if preview else ask(False)


@contextmanager
def _watched() -> Iterator[Callable[[Answer, RetryableError | None, float], None]]:
    """A line that changes on a terminal; elsewhere a new line whenever there is something new to say."""
    from rich.console import Console
    from rich.status import Status
    from rich.text import Text

    console = Console(stderr=True)
    if console.is_terminal:
        with Status("", console=console) as status:
            yield lambda answer, trouble, left: status.update(Text(f"{_said(answer, trouble)} · {_minutes(left)}"))
    else:
        told: list[str] = []

        def tell(answer: Answer, trouble: RetryableError | None, left: float) -> None:
            said = _said(answer, trouble)
            if said not in told[-1:]:
                told.append(said)
                console.print(f"{said} ({_minutes(left)})", markup=False, highlight=False, soft_wrap=True)

        yield tell


def _said(answer: Answer, trouble: RetryableError | None) -> str:
    if trouble is not None:
        return legible(f"waiting: {trouble.message}")
    return legible(f"waiting for approval: {' '.join(answer.decision.body.reasons)}")


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min left" if seconds >= 90 else f"{seconds:.0f} s left"
