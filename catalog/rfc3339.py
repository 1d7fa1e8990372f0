"""Times as people and configuration write them: RFC 3339 section 5.6, strictly."""

import re
from datetime import datetime

from catalog import instant

_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?P<zone>[Zz]|[+-]\d\d:\d\d)?", re.ASCII)


class ZonelessError(ValueError):
    """A time that would be right but for its missing zone."""


def parse(text: str) -> int:
    """µs since the epoch, finer digits cut off. ValueError for what is no RFC 3339, ZonelessError without a zone."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("this is no RFC 3339 time")
    if match["zone"] is None:
        raise ZonelessError("the zone is missing")
    return instant.of(datetime.fromisoformat(text.upper()))


def canonical(text: str) -> str:
    """The same instant in UTC with microseconds."""
    try:
        return instant.text(parse(text))
    except OverflowError as error:
        raise ValueError("this time is out of range") from error
