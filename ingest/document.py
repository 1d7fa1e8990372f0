"""JSON that may enter: parsed once, and checked for what parsers disagree about.

orjson rounds integers that do not fit into 64 bits, keeps the last of two equal keys, and accepts NUL. Looking for
these costs more than parsing, so the quick tests below are exact in one direction only: what passes them is clean, and
what does not is read again by the standard library, which shows the flaw and where it is.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Never

import orjson

from catalog.errors import InvalidEventError
from catalog.refusal import NotJsonError, TooLargeError
from ingest.limits import MIB, Limits
from ingest.pointer import pointer

_INTEGERS = range(-(2**63), 2**63)
_TOO_WIDE = 2.0**63
_DIGITS = 20  # of the widest 64-bit integer, with its sign


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed text, and the same value as orjson writes it: UTF-8, escaped only where JSON must."""

    value: Any
    canonical: bytes


@dataclass(frozen=True, slots=True)
class _Flaw:
    """Stands in the tree for a value that is refused."""

    message: str
    remedy: str


def load_document(text: bytes, limits: Limits) -> Document:
    """Parse a JSON text in UTF-8.

    NotJsonError for what is none (RFC 8259); TooLargeError for more values than the limit; InvalidEventError with a
    pointer for nesting past the limit, numbers that 64 bits or a double cannot hold, NUL, lone surrogates, and equal
    keys in one object (RFC 7493 section 2).
    """
    _check_count(text, limits)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        _explain(text, limits, error)
    plain = _numbers_are_plain(value, limits.depth)
    canonical = orjson.dumps(value)
    if not (plain and _strings_are_plain(text, canonical)):
        _find_flaw(_read_exactly(text, limits), limits)
    return Document(value, canonical)


def _check_count(text: bytes, limits: Limits) -> None:
    """Every value but the first follows a comma, a bracket or a brace."""
    if len(text) > MIB and text.count(b",") + text.count(b"[") + text.count(b"{") > limits.values:
        raise TooLargeError(f"the body has more than {limits.values:,} JSON values", "send it in several events")


def _numbers_are_plain(document: Any, depth: int) -> bool:
    """Whether no number can be a rounded integer; InvalidEventError if the document is nested too deeply."""
    plain = True
    level = [document] if type(document) is dict or type(document) is list else []
    for _ in range(depth):
        below = []
        for container in level:
            for value in container.values() if type(container) is dict else container:
                kind = type(value)
                if kind is dict or kind is list:
                    below.append(value)
                elif kind is float or kind is int:
                    plain = plain and -_TOO_WIDE < value < _TOO_WIDE
        if not below:
            return plain
        level = below
    raise _too_deep(depth)


def _strings_are_plain(text: bytes, canonical: bytes) -> bool:
    """Whether no string holds NUL and no key is lost: a lost key takes its quotation marks along."""
    return b"\\u0000" not in canonical and b"\\u0022" not in text and text.count(b'"') == canonical.count(b'"')


def _explain(text: bytes, limits: Limits, error: orjson.JSONDecodeError) -> Never:
    """Tell JSON that we refuse from what is no JSON."""
    _find_flaw(_read_exactly(text, limits), limits)
    raise _not_json(str(error)) from error


def _read_exactly(text: bytes, limits: Limits) -> Any:
    try:
        return json.loads(text.decode(), parse_int=_integer, parse_constant=_constant, object_pairs_hook=_distinct)
    except RecursionError:
        raise _too_deep(limits.depth) from None
    except ValueError as error:  # of JSON and of UTF-8
        raise _not_json(str(error)) from error


def _find_flaw(document: Any, limits: Limits) -> None:
    for path, value in _places(document, limits.depth):
        flaw = value if isinstance(value, _Flaw) else _flaw_in(value)
        if flaw is not None:
            raise InvalidEventError(flaw.message, flaw.remedy, pointer=pointer(path))


def _places(document: Any, depth: int) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value and key with its path, in the order of the text."""
    stack: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    while stack:
        path, value = stack.pop()
        yield path, value
        if isinstance(value, dict | list) and len(path) >= depth:
            raise _too_deep(depth)
        if isinstance(value, dict):
            for key in value:
                yield path, key
            stack.extend(((*path, key), value[key]) for key in reversed(value))
        elif isinstance(value, list):
            stack.extend(((*path, index), value[index]) for index in reversed(range(len(value))))


def _flaw_in(value: Any) -> _Flaw | None:
    if isinstance(value, float) and math.isinf(value):
        return _Flaw("a number is too large for a double", "send it as a string")
    if isinstance(value, str) and "\0" in value:
        return _Flaw("a string holds the character NUL", "send it without")
    if isinstance(value, str) and not _is_unicode(value):
        return _Flaw("a string holds half of a surrogate pair, which is no character", "send valid Unicode")
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _integer(digits: str) -> int | _Flaw:
    if len(digits) <= _DIGITS and int(digits) in _INTEGERS:
        return int(digits)
    return _Flaw("an integer does not fit into 64 bits", "send it as a string")


def _constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON number")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Flaw:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    return _Flaw("an object has two members with the same name", "send each name once")


def _too_deep(depth: int) -> InvalidEventError:
    return InvalidEventError(f"the JSON is nested more than {depth} levels deep", "send it flatter")


def _not_json(why: str) -> NotJsonError:
    return NotJsonError(f"the body is no JSON text ({why})", "send one JSON document in UTF-8")
