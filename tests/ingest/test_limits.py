"""What a JSON document may be: found in the text itself, named with its place."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import InvalidEventError
from catalog.refusal import NotJsonError, TooLargeError
from ingest.document import load_document
from ingest.limits import MIB, Limits

LIMITS = Limits()

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
)
KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))


def refused(text: bytes | str) -> InvalidEventError:
    with pytest.raises(InvalidEventError) as caught:
        load_document(text.encode() if isinstance(text, str) else text, LIMITS)
    assert caught.value.remedy
    return caught.value


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 2]))
def test_whatever_can_be_kept_is_read_as_it_is(document: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()

    loaded = load_document(text, LIMITS)

    assert loaded.value == document
    assert orjson.loads(loaded.canonical) == document


@given(DOCUMENTS, KEYS, st.booleans())
def test_a_name_that_comes_twice_is_found_however_it_is_spelled(document: Any, key: str, spelled_out: bool) -> None:
    name = "".join(f"\\u{ord(c):04x}" for c in key) if spelled_out and max(map(ord, key), default=0) < 65536 else None
    second = json.dumps(key) if name is None else f'"{name}"'

    error = refused(f'{{"rest": {json.dumps(document)}, "in": [{{{json.dumps(key)}: 1, {second}: 2}}]}}')

    assert error.pointer == "/in/0"


@pytest.mark.parametrize("depth", [1, 63, 64])
def test_nesting_up_to_the_limit_is_read(depth: int) -> None:
    assert load_document(b"[" * depth + b"]" * depth, LIMITS)
    assert load_document(b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1), LIMITS)


@pytest.mark.parametrize("depth", [65, 255, 1024, 1025, 100_000])
def test_nesting_past_the_limit_is_refused(depth: int) -> None:
    assert "64 levels" in refused(b"[" * depth + b"]" * depth).message
    assert "64 levels" in refused(b'{"a":' * depth + b"1" + b"}" * depth).message


@pytest.mark.parametrize("number", ["9223372036854775807", "-9223372036854775808", "1e300", "-9.3e18", "1.0e19"])
def test_numbers_that_fit_are_read(number: str) -> None:
    assert load_document(f'{{"n": {number}}}'.encode(), LIMITS).value == {"n": json.loads(number)}


@pytest.mark.parametrize(
    "number",
    ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" + "0" * 30, "1" * 5000, "1e999"],
)
def test_numbers_that_would_be_rounded_are_refused_with_their_place(number: str) -> None:
    error = refused(f'{{"wide": "{number}", "float": 1e300, "a/b": [1, {{"~": {number}}}]}}')

    assert error.pointer == "/a~1b/1/~0"


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\udc00x", "\\ud83dx"])
def test_nul_and_half_surrogates_are_refused_in_values_and_names(escape: str) -> None:
    assert refused(f'{{"job": {{"name": "a{escape}"}}}}').pointer == "/job/name"
    assert refused(f'{{"a{escape}": 1}}').code == "INVALID_EVENT"


def test_what_only_looks_like_an_escape_is_read() -> None:
    text = rb'{"sql": "\\u0000 \\ud800 \u0022", "emoji": "\ud83d\ude80"}'

    assert load_document(text, LIMITS).value == {"sql": '\\u0000 \\ud800 "', "emoji": "🚀"}


@pytest.mark.parametrize(
    "text", [b"", b"{", b"{'a': 1}", b'{"a": NaN}', b"[1,]", b"\xff", b'"\xed\xa0\x80"', '{"a": 1}'.encode("utf-16")]
)
def test_what_is_no_json_is_told_apart_from_json_that_is_refused(text: bytes) -> None:
    with pytest.raises(NotJsonError):
        load_document(text, LIMITS)


def test_values_are_counted_before_they_are_built() -> None:
    with pytest.raises(TooLargeError, match="5,000,000"):
        load_document(b"[" + b"[]," * 2_600_000 + b"[]]", LIMITS)

    assert len(load_document(b"[" + b"[]," * MIB + b"[]]", LIMITS).value) == MIB + 1
