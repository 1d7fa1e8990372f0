"""Canonical JSON: the quick way writes what RFC 8785's reference writes, and leaves to it what it cannot."""

from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.canonical import dumps, quickly
from policies import acts

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | TEXTS | NUMBERS
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5), max_leaves=30
)


class Word(StrEnum):
    YES = "yes"


@given(DOCUMENTS)
@example({"\ue000": 1, "\U0001f600": 2})  # ordered by UTF-16 code units, not by code points
@example([1.0, -0.0, 1e21, 1e-7, 5e-324, 123456789012345680000.0, 0.1])
@example({"": '\x00\x1f\x7f\u2028"\\/\b\t\n\f\r'})
def test_it_writes_what_the_reference_writes(document: Any) -> None:
    assert dumps(document) == rfc8785.dumps(document)


@given(DOCUMENTS)
def test_the_quick_way_is_taken_or_left_never_wrong(document: Any) -> None:
    assert quickly(document) in (None, rfc8785.dumps(document))


@given(st.dictionaries(TEXTS.filter(str.isascii), st.lists(TEXTS.filter(str.isascii) | NUMBERS | st.none())))
def test_evidence_as_it_mostly_is_goes_the_quick_way(document: dict[str, Any]) -> None:
    assert quickly(document) == rfc8785.dumps(document)


@given(st.dictionaries(st.text(max_size=3), st.integers() | DOCUMENTS, max_size=4))
def test_an_act_is_written_as_ever(document: dict[str, Any]) -> None:
    def written() -> bytes:
        return rfc8785.dumps(acts.safe(document))

    try:
        expected = written()
    except rfc8785.CanonicalizationError:
        with pytest.raises(rfc8785.CanonicalizationError):
            acts.canonical(document)
    else:
        assert acts.canonical(document) == expected


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53, "\ud800", {1: 2}, UUID(int=1), b"", {1}], ids=repr
)
def test_what_has_no_canonical_form_is_refused_as_by_the_reference(value: Any) -> None:
    for document in (value, [value], {"a": value}):
        with pytest.raises(rfc8785.CanonicalizationError):
            dumps(document)


def test_a_value_of_a_subclass_is_left_to_the_reference() -> None:
    assert quickly([Word.YES]) is None
    assert dumps([Word.YES, (1, 2)]) == b'["yes",[1,2]]'
