"""Read tokens name a log and a size, and nothing else passes for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import InvalidInputError, WrongLogError
from catalog.log import token

origins = st.text(st.characters(codec="utf-8"), max_size=60)
sizes = st.integers(0, 2**63 - 1)


@given(origin=origins, size=sizes)
def test_what_is_encoded_is_decoded(origin: str, size: int) -> None:
    assert token.decode(token.encode(origin, size)) == (origin, size)


@given(rubbish=st.text(max_size=80))
def test_rubbish_is_refused(rubbish: str) -> None:
    with pytest.raises(InvalidInputError):
        token.decode(rubbish)


@given(size=sizes, at=st.integers(0), replacement=st.sampled_from("AZaz09-_=+/ \n"))
def test_a_mangled_token_is_refused(size: int, at: int, replacement: str) -> None:
    original = token.encode("lineward/abc", size)
    at %= len(original)
    mangled = original[:at] + replacement + original[at + 1 :]
    if mangled != original:
        with pytest.raises(InvalidInputError):
            token.decode(mangled)


@pytest.mark.parametrize("size", [-1, 2**63])
def test_there_are_no_tokens_for_impossible_sizes(size: int) -> None:
    with pytest.raises(InvalidInputError):
        token.encode("lineward/abc", size)


def test_a_token_of_another_log_is_refused() -> None:
    theirs = token.encode("lineward/theirs", 7)
    assert token.position(theirs, "lineward/theirs") == 7
    with pytest.raises(WrongLogError):
        token.position(theirs, "lineward/ours")
