"""Canonical JSON (RFC 8785), written by orjson wherever that writes the same bytes: twenty times as fast.

The two differ in numbers with a fraction, which are handed to orjson as `rfc8785` writes them, in the order of keys
beyond U+FFFF, and in what is no JSON: for these `rfc8785` does the whole. The test suite holds one against the other.
"""

from typing import Any

import orjson
import rfc8785

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_BEYOND_BMP = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")  # first bytes of what UTF-16 orders otherwise
_AS_THEY_ARE = frozenset({str, int, bool, type(None)})


def dumps(value: Any) -> bytes:
    """The canonical bytes. Raises `rfc8785.CanonicalizationError` for what has none, as integers beyond 2^53."""
    quick = quickly(value)
    return rfc8785.dumps(value) if quick is None else quick


def quickly(value: Any) -> bytes | None:
    """The canonical bytes; None where only `rfc8785` can tell what they are, or that there are none."""
    try:
        found = orjson.dumps(_prepared(value), option=_OPTIONS)
    except (TypeError, RecursionError, rfc8785.CanonicalizationError):
        return None
    return None if any(first in found for first in _BEYOND_BMP) else found


def _prepared(value: Any) -> Any:
    """The same with its fractions written. Raises TypeError for a type that is none of JSON's, a subclass too."""
    kind = type(value)
    if kind is dict:
        return {key: each if type(each) is str else _prepared(each) for key, each in value.items()}
    if kind is list or kind is tuple:
        return [each if type(each) is str else _prepared(each) for each in value]
    if kind is float:
        return orjson.Fragment(rfc8785.dumps(value))
    if kind in _AS_THEY_ARE:
        return value
    raise TypeError(kind.__name__)
