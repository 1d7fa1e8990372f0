"""The elements of a JSON array, each as the bytes that were sent: duplicates are told by bytes."""

import json
import re
from collections.abc import Iterator

import msgspec

from catalog.errors import InvalidEventError
from catalog.refusal import NotJsonError
from ingest.limits import MIB

_SPACE = re.compile(r"[ \t\n\r]*")
_decode = msgspec.json.Decoder(list[msgspec.Raw]).decode


def elements(text: bytes) -> Iterator[bytes]:
    """The bytes of each element, without the space around it.

    InvalidEventError when it is no array. NotJsonError when it is no JSON, after the elements before the mistake: one
    malformed element hides where the next begins.
    """
    if len(text) > MIB:  # which may hold half a million elements: one after the other takes less memory
        yield from _one_by_one(text)
        return
    try:
        found = _decode(text)
    except msgspec.ValidationError:
        raise _no_array() from None
    except (msgspec.DecodeError, RecursionError):
        # It also stops at nesting and half surrogates, which are the fault of one element only.
        yield from _one_by_one(text)
    else:
        yield from (bytes(element) for element in found)


def _one_by_one(encoded: bytes) -> Iterator[bytes]:
    try:
        text = encoded.decode()
    except UnicodeDecodeError as error:
        raise NotJsonError("the array is not in UTF-8", "send UTF-8") from error
    at = _after_space(text, 0)
    if text[at : at + 1] == "{":
        raise _no_array()
    if text[at : at + 1] != "[":
        raise NotJsonError("the body is no JSON array", "send a JSON array in UTF-8")
    at = _after_space(text, at + 1)
    while text[at : at + 1] != "]":
        end = _end_of_value(text, at)
        yield text[at:end].encode()
        at = _after_space(text, end)
        if text[at : at + 1] == ",":
            at = _after_space(text, at + 1)
            if text[at : at + 1] != "]":
                continue
        elif text[at : at + 1] == "]":
            break
        raise _malformed(at)
    if _after_space(text, at + 1) != len(text):
        raise _malformed(at + 1)


def _end_of_value(text: str, at: int) -> int:
    try:
        return _scan(text, at)[1]
    except (ValueError, RecursionError) as error:
        raise _malformed(at) from error


_scan = json.JSONDecoder(parse_int=str).raw_decode


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _no_array() -> InvalidEventError:
    return InvalidEventError("this is no array", "send one event to /api/v1/lineage")


def _malformed(at: int) -> NotJsonError:
    return NotJsonError(f"the array is malformed at character {at}", "send a JSON array of events")
