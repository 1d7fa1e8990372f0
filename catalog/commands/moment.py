"""Times and durations on the command line."""

import re

from catalog.errors import InvalidInputError

_DURATION = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def seconds_of(option: str, text: str) -> int:
    """The seconds of `30m`, `12h`, `90d` or `4w`. InvalidInputError names the option."""
    duration = _DURATION.fullmatch(text)
    if duration is None:
        raise InvalidInputError(f"{option} {text} is no duration", "Write 90s, 30m, 12h, 90d or 4w.")
    return int(duration[1]) * _SECONDS[duration[2]]


def instant_of(option: str, text: str) -> str:
    """RFC 3339 of a time, of a date (its first instant in UTC), or of now and a duration."""
    from catalog import instant, rfc3339
    from catalog.log.writer import microseconds_now

    try:
        if _DURATION.fullmatch(text):
            return instant.text(microseconds_now() + seconds_of(option, text) * instant.SECOND)
        return rfc3339.canonical(f"{text}T00:00:00Z" if len(text) == 10 else text)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"{option} {text} is no time: {error}", "Write 90d, 12h or 4w, or a time like 2027-01-31T00:00:00Z."
        ) from error


def micros_of(option: str, text: str | None) -> int | None:
    """µs since 1970 of a time or a date."""
    from catalog import rfc3339

    return None if text is None else rfc3339.parse(instant_of(option, text))
