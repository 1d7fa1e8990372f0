"""The leaves of policy documents, read by the schema and never by guessing.

YAML turns `no` into false, `1.10` into 1.1 and `2027-12-02` into a date before anybody asked. Here a scalar without
quotes stays the text that was written, marked as `Plain`, until the type of its field says what it is.
"""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, Strict, StringConstraints
from pydantic_core import PydanticCustomError

from catalog import rfc3339

_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_FLAGS = {"true": True, "false": False}
SAFE = (1 << 53) - 1


class Plain(str):
    """A scalar that was written without quotes."""

    __slots__ = ()


def core(value: Any) -> Any:
    """A plain scalar by the core schema of YAML 1.2: true, false, numbers; everything else is text."""
    if not isinstance(value, Plain):
        return value
    text = str(value)
    if text in _FLAGS:
        return _FLAGS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def _flag(value: Any) -> Any:
    if isinstance(value, Plain):
        value = _FLAGS.get(str(value), value)
    if not isinstance(value, bool):
        raise PydanticCustomError("flag", "this must be true or false")
    return value


def _whole(value: Any) -> Any:
    value = core(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > SAFE:
        raise PydanticCustomError("whole", "this must be a whole number")
    return value


def _day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("day", "this is no day of the calendar, written YYYY-MM-DD")


def _instant(value: Any) -> Any:
    if isinstance(value, str):
        written = f"{value}T00:00:00Z" if _DAY.fullmatch(value) else str(value)
        try:
            return rfc3339.canonical(written)
        except ValueError:
            pass
    raise PydanticCustomError("instant", "this is neither a time of RFC 3339 with its zone nor a day")


Text = Annotated[str, BeforeValidator(_text), StringConstraints(strict=True, min_length=1, max_length=4_000)]
Expression = Annotated[Text, Field(max_length=4_096, description="CEL.")]
Name = Annotated[
    str,
    BeforeValidator(_text),
    StringConstraints(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"),
    Field(description="Letters, digits, dots, dashes and underscores."),
]
Identifier = Annotated[
    str,
    BeforeValidator(_text),
    StringConstraints(strict=True, pattern=r"^[A-Za-z][A-Za-z0-9]{0,63}$"),
    Field(description="A name that expressions can use."),
]
Flag = Annotated[bool, BeforeValidator(_flag), Strict()]
Whole = Annotated[int, BeforeValidator(_whole), Strict()]
Day = Annotated[date, BeforeValidator(_day), Field(description="YYYY-MM-DD; from its first instant in UTC.")]
Instant = Annotated[str, BeforeValidator(_instant), Field(description="RFC 3339, or a day in UTC.")]
Scalar = Annotated[bool | int | float | str, BeforeValidator(core)]
