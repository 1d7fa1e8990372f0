"""Functions that expressions have besides those of the language: pure, total or refusing, independent of the clock.

What they raise becomes an error of the expression; a LookupError itself, no subclass, makes it unknown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Function:
    """`parameters` and `result` are types of the language; a method's first parameter is what it is called on."""

    name: str
    parameters: tuple[str, ...]
    result: str
    run: Callable[..., Any]
    is_method: bool = False


def days(count: int) -> timedelta:
    """A duration of days of 24 hours. OverflowError beyond 10,000 years."""
    return _duration(timedelta(days=1), count)


def hours(count: int) -> timedelta:
    """A duration of hours. OverflowError beyond 10,000 years."""
    return _duration(timedelta(hours=1), count)


def distinct_count(items: Sequence[Any]) -> int:
    """How many different scalars a list holds. TypeError where it holds lists or records."""
    return len(set(_scalars(items)))


def disjoint(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether no scalar is in both lists. TypeError where they hold lists or records."""
    return set(_scalars(one)).isdisjoint(_scalars(other))


def intersects(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether some scalar is in both lists. TypeError where they hold lists or records."""
    return not disjoint(one, other)


def has_prefix(items: Sequence[str], prefix: str) -> bool:
    """Whether some string of a list begins with the prefix, such as `special:` among labels."""
    return any(item.startswith(prefix) for item in items)


def latest(times: Sequence[datetime]) -> datetime:
    """The last of some times, to the microsecond. LookupError for none: there is no latest of no times."""
    if not times:
        raise LookupError("there is no latest of no times")
    return max(times)


FUNCTIONS = (
    Function("days", ("int",), "duration", days),
    Function("hours", ("int",), "duration", hours),
    Function("distinctCount", ("list<dyn>",), "int", distinct_count, is_method=True),
    Function("disjoint", ("list<dyn>", "list<dyn>"), "bool", disjoint),
    Function("intersects", ("list<dyn>", "list<dyn>"), "bool", intersects),
    Function("hasPrefix", ("list<string>", "string"), "bool", has_prefix, is_method=True),
    Function("latest", ("list<timestamp>",), "timestamp", latest),
)

_LONGEST = timedelta(days=3_652_500)


def _duration(unit: timedelta, count: int) -> timedelta:
    if abs(count) > _LONGEST // unit:
        raise OverflowError("a duration is at most 10,000 years")
    return unit * count


def _scalars(items: Sequence[Any]) -> Sequence[Any]:
    if any(isinstance(item, list | dict) for item in items):
        raise TypeError("only strings, numbers, booleans and times can be compared as a set")
    return items
