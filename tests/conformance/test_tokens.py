"""The one rule of search."""

from unicodedata import normalize

from hypothesis import given
from hypothesis import strategies as st

from catalog.graph.tokens import fold, found, tokens, wanted

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXT)
def test_each_token_finds_its_name_and_so_does_each_beginning(name: str) -> None:
    for token in tokens(name):
        assert all(found(name, wanted([token[:end]])) for end in range(1, len(token) + 1))


@given(TEXT)
def test_tokens_stay_what_they_are(name: str) -> None:
    for token in tokens(name):
        assert token.isalnum()
        assert tokens(token) == [token]


@given(TEXT)
def test_case_and_composition_do_not_matter(name: str) -> None:
    assert fold(normalize("NFD", name)) == fold(name)
    assert fold(fold(name)) == fold(name)
