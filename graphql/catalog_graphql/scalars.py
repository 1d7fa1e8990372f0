"""The two scalars that GraphQL lacks."""

from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from catalog import instant, rfc3339
from catalog.errors import InvalidInputError
from catalog.model import Timestamp

DateTime = NewType("DateTime", str)
Long = NewType("Long", int)

_WIDEST = 2**53


def _read_time(value: object) -> DateTime:
    if not isinstance(value, str):
        raise InvalidInputError("A DateTime is text.", "Write it as in 2026-03-01T12:00:00Z.")
    try:
        return DateTime(rfc3339.canonical(value))
    except rfc3339.ZonelessError:
        raise InvalidInputError(
            f"{value} has no zone, so it names no instant.", f"Add Z for UTC, or an offset: {value}Z, {value}+01:00."
        ) from None
    except ValueError:
        raise InvalidInputError(f"{value[:60]!r} is no time.", "Write RFC 3339, as in 2026-03-01T12:00:00Z.") from None


def _read_long(value: object) -> Long:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInputError("A Long is an integer.", "Write it without quotes and fraction.")
    if abs(value) > _WIDEST:
        raise InvalidInputError(f"{value} is beyond a Long.", "Use an integer up to 2^53.")
    return Long(value)


def time(text: Timestamp) -> DateTime:
    """The core's canonical text as it stands."""
    return DateTime(text)


def optional_time(text: Timestamp | None) -> DateTime | None:
    return None if text is None else DateTime(text)


def micros(moment: DateTime | None) -> int | None:
    """µs since the epoch."""
    return None if moment is None else rfc3339.parse(moment)


def time_of(moment: int) -> DateTime:
    return DateTime(instant.text(moment))


SCALARS: dict[object, ScalarDefinition] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="An instant as RFC 3339 text. Answers are in UTC with microseconds; what you write needs a zone.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=str,
        parse_value=_read_time,
    ),
    Long: strawberry.scalar(
        name="Long",
        description="An integer up to 2^53, exact in every JSON parser. Log positions outgrow Int.",
        serialize=int,
        parse_value=_read_long,
    ),
}
