"""Whatever a name says, a spreadsheet shows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.compliance.cells import LONGEST, inert, is_formula

STARTS = st.sampled_from(["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "\t", "\r", "\n"])
BEFORE = st.text(st.sampled_from(" \u00a0\u2003\u3000\u200b\u200e\ufeff\u2060"), max_size=4)
ANY = st.text(st.characters(codec="utf-8"), max_size=40)


@given(BEFORE, STARTS, ANY)
def test_what_begins_a_formula_is_text(before: str, start: str, rest: str) -> None:
    assert inert(before + start + rest).startswith("'")


@given(ANY)
def test_no_cell_is_a_formula_or_more_than_a_line(text: str) -> None:
    shown = inert(text)
    assert not is_formula(shown)
    assert shown.isprintable() or "\u200c" in shown or "\u200d" in shown or not shown.isascii()
    assert not set(shown) & set("\t\r\n\v\f\0\x1b\u2028\u202e")


@pytest.mark.parametrize(
    "text", ["credit", "features 2=3", "https://example.org/?a=b", "größe", "模型", "a-b", "1", "'quoted", ""]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


def test_a_text_that_no_sheet_takes_says_how_much_is_missing() -> None:
    shown = inert("x" * (LONGEST + 1_234))
    assert shown.endswith("(1,234 more characters)")
    assert len(shown) < 32_767
