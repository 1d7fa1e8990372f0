"""The variables of an evaluation, as the engine takes them: JSON values of the right types, nothing that is null."""

import math
from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from typing import Any

from catalog import instant, rfc3339
from catalog.errors import InvalidInputError
from policies.typing.shape import Items, Scalar, Shape, Struct, evidence_shapes

_LEAST, _MOST = -(1 << 63), (1 << 63) - 1

TOP_LEVEL: Mapping[str, Shape] = {
    "evaluatedAt": Scalar.TIMESTAMP,
    "environment": Scalar.STRING,
    "requester": Scalar.STRING,
}


class DocumentError(InvalidInputError):
    """A value that expressions cannot read. `pointer` leads to it."""

    code = "INVALID_DOCUMENT"


class Activation:
    """Variables by name, each checked when it is first read and then kept.

    `document` holds the parts of the evidence under their names, `evaluatedAt` (RFC 3339 text or an aware datetime),
    `params`, `environment`, `requester`, and the variable of a `forEach`. A part that is null is missing. Build one per
    document and `having` one per item: what was checked, and what was computed, is then shared.
    """

    def __init__(self, document: Mapping[str, Any], base: "Activation | None" = None) -> None:
        self._document = document
        self._base = base
        self._taken: dict[str, Any] = {}
        self.computed: dict[Hashable, Any] = {}

    def having(self, name: str, value: Any) -> "Activation":
        """The same variables and one more, or another one of that name: an item of a `forEach`."""
        return Activation({name: value}, self)

    def get(self, name: str, shape: Shape | None = None) -> Any:
        """The value of a variable; None where it is missing. Raises DocumentError for what is not JSON of its type."""
        if self._base is not None and name not in self._document:
            return self._base.get(name, shape)
        if name not in self._taken:
            shape = shape or evidence_shapes().get(name) or TOP_LEVEL.get(name)
            value = self._document.get(name)
            self._taken[name] = None if value is None else taken(value, shape, "/" + name)
        return self._taken[name]

    def holder(self, names: frozenset[str]) -> "Activation":
        """In whose `computed` a value made of these variables is kept for all who see the same ones."""
        if self._base is None or not names.isdisjoint(self._document):
            return self
        return self._base.holder(names)


def taken(value: Any, shape: Shape | None, pointer: str) -> Any:
    """A value without nulls, numbers as its shape has them; a part that no shape knows may be any JSON value.

    JSON writes 1.0 as 1: where the shape says double, it becomes one again. A whole number beyond 2^53, which canonical
    JSON keeps as text, becomes a number again where it fits into 64 bits, and stays text otherwise.
    Raises DocumentError.
    """
    match value:
        case Mapping():
            return _struct(value, shape, pointer)
        case list():
            return _items(value, shape, pointer)
        case _:
            return _scalar(value, shape, pointer)


def _struct(value: Mapping[Any, Any], shape: Shape | None, pointer: str) -> dict[str, Any]:
    if shape is not None and not isinstance(shape, Struct):
        raise _mismatch(value, shape, pointer)
    fields = shape.fields if shape else {}
    for key in value:
        if not isinstance(key, str):
            raise DocumentError(f"A key of a record is a {type(key).__name__}.", "Keys are strings.", pointer=pointer)
    return {
        key: taken(part, fields.get(key), f"{pointer}/{_escaped(key)}")
        for key, part in value.items()
        if part is not None
    }


def _items(value: list[Any], shape: Shape | None, pointer: str) -> list[Any]:
    if shape is not None and not isinstance(shape, Items):
        raise _mismatch(value, shape, pointer)
    inner = shape.of if shape else None
    return [taken(item, inner, f"{pointer}/{index}") for index, item in enumerate(value)]


def _scalar(value: Any, shape: Shape | None, pointer: str) -> Any:
    match value, shape:
        case (bool(), Scalar.BOOL | None) | (str(), Scalar.STRING | None):
            return _text(value, pointer) if isinstance(value, str) else value
        case (bool(), _):
            raise _mismatch(value, shape, pointer)
        case (datetime() | str(), Scalar.TIMESTAMP):
            return _time(value, pointer)
        case (int(), Scalar.DOUBLE):
            return float(_integer(value, pointer))
        case (int(), Scalar.INT | None):
            return _integer(value, pointer)
        case (float(), Scalar.DOUBLE | None):
            if not math.isfinite(value):
                raise DocumentError(f"{value} is no number of JSON.", "Leave out what is not known.", pointer=pointer)
            return value
        case (str(), Scalar.INT):
            return _written_integer(value, pointer)
    raise _mismatch(value, shape, pointer)


def _text(value: str, pointer: str) -> str:
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise DocumentError("A text holds half a character (a lone surrogate).", "Send valid UTF-8.", pointer=pointer)
    return value


def _integer(value: int, pointer: str) -> int:
    if not _LEAST <= value <= _MOST:
        raise DocumentError(
            f"{value} does not fit into 64 bits.", "Write whole numbers beyond 2^53 as text.", pointer=pointer
        )
    return value


def _written_integer(value: str, pointer: str) -> int | str:
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise _mismatch(value, Scalar.INT, pointer)
    return int(value) if len(digits) <= 19 and _LEAST <= int(value) <= _MOST else value


def _time(value: datetime | str, pointer: str) -> datetime:
    try:
        micros = rfc3339.parse(value) if isinstance(value, str) else instant.of(value)
        return instant.EPOCH + timedelta(microseconds=micros)
    except (ValueError, OverflowError, TypeError) as error:
        raise DocumentError(
            f"{value!r} is no time: {error}.", "Write 2026-11-24T12:00:00Z.", pointer=pointer
        ) from error


def _mismatch(value: Any, shape: Shape | None, pointer: str) -> DocumentError:
    wanted = _WORDS[type(shape)] if not isinstance(shape, Scalar) else f"a value of type {shape}"
    remedy = "Evidence is JSON: times are RFC 3339 text, several values are lists, what is not known is left out."
    return DocumentError(f"{pointer} is a {type(value).__name__} where {wanted} belongs.", remedy, pointer=pointer)


_WORDS: Mapping[type, str] = {Struct: "a record", Items: "a list", type(None): "a JSON value"}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
