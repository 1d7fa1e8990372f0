"""Pages of a list put together are the list, whatever its names and whatever happens between two pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import InvalidInputError
from catalog_graphql.connection import Listing

Item = tuple[str, str]
NAMES: Listing[Item] = Listing("names", lambda item: item)
LATEST: Listing[Item] = Listing("latest", lambda item: item, descending=True)

items = st.lists(st.tuples(st.text(), st.text(min_size=1)), unique=True, max_size=12)


def walked(listing: Listing[Item], found: list[Item], size: int) -> list[Item]:
    seen: list[Item] = []
    after: str | None = None
    while True:
        connection = listing.page(found, size, after).connection(lambda item: item)
        seen += connection.nodes
        assert len(seen) <= len(found), "a page repeats what an earlier one showed"
        if not connection.page_info.has_next_page:
            return seen
        after = connection.page_info.end_cursor


@pytest.mark.parametrize("listing", [NAMES, LATEST], ids=lambda listing: listing.name)
@given(found=items, size=st.integers(1, 5), shuffled=st.randoms())
def test_pages_make_the_whole(listing: Listing[Item], found: list[Item], size: int, shuffled: object) -> None:
    assert walked(listing, found, size) == sorted(found, reverse=listing.descending)
    assert walked(listing, found[::-1], size) == sorted(found, reverse=listing.descending)


@given(found=items.filter(lambda found: len(found) > 1), new=st.tuples(st.text(), st.text()), cut=st.integers(1, 11))
def test_what_comes_between_two_pages_repeats_and_loses_nothing(found: list[Item], new: Item, cut: int) -> None:
    first = NAMES.page(found, min(cut, len(found)), None).connection(lambda item: item)
    rest = NAMES.page([*found, new], 200, first.page_info.end_cursor).connection(lambda item: item)

    seen = first.nodes + rest.nodes
    assert sorted(set(seen) | {new}) == sorted({*found, new})
    assert len(seen) == len(set(seen)) or new in found


@given(st.text())
def test_what_is_no_cursor_of_this_list_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInputError):
        NAMES.page([], 1, cursor)


@given(st.tuples(st.text(), st.text()))
def test_a_cursor_belongs_to_its_list(item: Item) -> None:
    with pytest.raises(InvalidInputError):
        NAMES.page([item], 1, LATEST.cursor(item))
    assert NAMES.page([item], 1, NAMES.cursor(item)).items == ()


@pytest.mark.parametrize("size", [-1, 0, 201])
def test_the_size_of_a_page_is_bounded(size: int) -> None:
    with pytest.raises(InvalidInputError, match=str(size)):
        NAMES.page([], size, None)
