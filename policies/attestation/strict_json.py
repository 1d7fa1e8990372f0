"""JSON as it may be signed: one meaning only, so no name twice, and no number that a double cannot hold."""

import json
from typing import Any, NoReturn

from catalog.errors import InvalidInputError

_SAFE = 1 << 53
_DEEPEST = 100


def parse(text: bytes | str, what: str) -> dict[str, Any]:
    """The object in a text. Raises InvalidInputError, which calls the text `what`."""
    try:
        document = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
        )
        _check(document, 0)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{what} is no JSON: {error}", "Give the file as it was written.") from error
    if not isinstance(document, dict):
        raise InvalidInputError(f"{what} is no JSON object.", "Give the file as it was written.")
    return document


def _check(value: Any, depth: int) -> None:
    """ValueError for what cannot be written again: half a character, or deeper than any decision."""
    if depth > _DEEPEST:
        raise ValueError(f"it is nested deeper than {_DEEPEST}")
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict):
        for name, each in value.items():
            name.encode()
            _check(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, depth + 1)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return found


def _integer(digits: str) -> int:
    number = int(digits)
    if abs(number) >= _SAFE:
        raise ValueError(f"{digits[:32]} is beyond the integers of JSON; such are written as texts")
    return number


def _number(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{digits[:32]} is beyond the numbers of JSON")
    return number


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")
