"""The times that producers write, read into µs since the epoch."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from catalog import instant
from catalog.errors import InvalidEventError

# RFC 3339 section 5.6, and what producers add to it: a missing zone, seconds left out, offsets without a colon,
# and the zone name that java.time.ZonedDateTime appends (RFC 9557 section 4.1).
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
    r"(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?(?:\[[^\[\]]*\])*",
    re.ASCII,
)
_EARLIEST = instant.of(datetime(1, 1, 1, tzinfo=UTC))
_LATEST = instant.of(datetime.max.replace(tzinfo=UTC))
_REMEDY = "send RFC 3339, for example 2026-03-01T12:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time: µs since 1970 in UTC, finer digits cut off, and `text` as it was written.

    `assumed_utc` says that the text has no offset, so UTC is our reading of it.
    """

    micros: int
    text: str
    assumed_utc: bool


def parse_instant(text: str) -> Instant:
    """Read a time; InvalidEventError for what is none, or lies outside the years 1 to 9999 in UTC.

    A zone name in brackets is a hint and does not move the instant; without an offset it still means UTC, assumed.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise _refusal(text)
    year, month, day, hour, minute, second, fraction, zulu, sign, *offset = match.groups()
    try:
        local = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
    except ValueError as error:
        raise _refusal(text) from error
    micros = instant.of(local) + int((fraction or "0")[:6].ljust(6, "0")) - _offset(text, sign, *offset)
    if not _EARLIEST <= micros <= _LATEST:
        raise _refusal(text)
    return Instant(micros, text, assumed_utc=not zulu and not sign)


def _offset(text: str, sign: str | None, hours: str | None, minutes: str | None) -> int:
    """µs to subtract from the local time."""
    if sign is None:
        return 0
    hour, minute = int(hours or 0), int(minutes or 0)
    if hour > 23 or minute > 59:
        raise _refusal(text)
    return (hour * 60 + minute) * 60 * instant.SECOND * (-1 if sign == "-" else 1)


def _refusal(text: str) -> InvalidEventError:
    return InvalidEventError(f"{text[:60]!r} is no time", _REMEDY)
