"""How long what people grant may last, and the times that they give for it. Instants are µs, told times RFC 3339."""

from datetime import timedelta

from catalog import rfc3339
from catalog.errors import InvalidInputError
from catalog.instant import text
from policies.verdict import Severity

WAIVER_DAYS = {Severity.CRITICAL: 30, Severity.HIGH: 180, Severity.MEDIUM: 365, Severity.LOW: 365}
"""The longest life of a waiver by the severity of its control, days. Ours to choose: no law names it."""

BASELINE_DAYS = 365
"""The longest time for which today's findings may be accepted, days."""

MICROSECOND = timedelta(microseconds=1)


def instant(told: str, pointer: str) -> int:
    """µs of a told time. InvalidInputError with the pointer for what is no time."""
    try:
        return rfc3339.parse(told)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"{told!r} is no time: {error}.", "Write it like 2026-03-01T12:00:00Z.", pointer=pointer
        ) from error


def future(told: str | None, at: int, pointer: str) -> str | None:
    """A told time in its normal form. InvalidInputError unless it is later than `at`."""
    if told is None:
        return None
    if (end := instant(told, pointer)) <= at:
        raise InvalidInputError(f"{told} is not in the future.", "Give a later time.", pointer=pointer)
    return text(end)


def bounded(told: str, at: int, most: timedelta, pointer: str, what: str) -> str:
    """A told time that is later than `at`, by `most` at most; `what` names what it limits."""
    end = future(told, at, pointer) or ""
    latest = at + most // MICROSECOND
    if rfc3339.parse(end) > latest:
        raise InvalidInputError(
            f"{told} is too late: {what} may last until {text(latest)}.", "Give an earlier time.", pointer=pointer
        )
    return end
