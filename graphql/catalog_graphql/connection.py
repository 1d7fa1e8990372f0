"""Lists in pages: Relay's connections, with cursors that hold the place in the order and not a count."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import orjson
import strawberry

from catalog.errors import InvalidInputError

DEFAULT_FIRST = 20
MOST = 200

T = TypeVar("T")
S = TypeVar("S")

First = Annotated[int | None, strawberry.argument(description="How many items: 20 unless told, at most 200.")]
After = Annotated[str | None, strawberry.argument(description="The cursor behind which the page begins.")]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether items follow this page.")
    has_previous_page: bool = strawberry.field(description="Whether items come before this page.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first item; null on an empty page.")
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last item: pass it as after for the next page."
    )


@strawberry.type(description="An item in its list.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="The item's place in the order of the list; opaque.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items of this page with their cursors.")
    nodes: list[T] = strawberry.field(description="The items of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")
    total_count: int = strawberry.field(description="How many items the whole list has.")


@dataclass(frozen=True, slots=True)
class Listing(Generic[S]):
    """An ordered list: cursors of one are refused by every other."""

    name: str
    key: Callable[[S], tuple[str, ...]]
    descending: bool = False

    def page(self, items: Iterable[S], first: int | None, after: str | None) -> "Page[S]":
        """Raises InvalidInputError for a size out of range, or a cursor that is none of this list."""
        size = checked_first(first)
        ordered = sorted(items, key=self.key, reverse=self.descending)
        start = self._start(ordered, after)
        shown = tuple(ordered[start : start + size])
        return Page(self, shown, start, len(ordered))

    def cursor(self, item: S) -> str:
        return urlsafe_b64encode(orjson.dumps([self.name, *self.key(item)])).rstrip(b"=").decode()

    def _start(self, ordered: list[S], after: str | None) -> int:
        if after is None:
            return 0
        place = self._place(after)
        keys = [self.key(item) for item in ordered]
        return sum(key >= place for key in keys) if self.descending else sum(key <= place for key in keys)

    def _place(self, cursor: str) -> tuple[str, ...]:
        try:
            name, *key = orjson.loads(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
        except (ValueError, TypeError):
            name, key = None, []
        if name != self.name or not all(isinstance(part, str) for part in key):
            raise InvalidInputError(
                "This cursor belongs to no such list.",
                "Pass endCursor of the page before, with the same question.",
                pointer="/after",
            )
        return tuple(key)


@dataclass(frozen=True, slots=True)
class Page(Generic[S]):
    """Part of a listing, before its items become GraphQL objects."""

    listing: Listing[S]
    items: tuple[S, ...]
    start: int
    total: int

    def connection(self, convert: Callable[[S], T]) -> Connection[T]:
        nodes = [convert(item) for item in self.items]
        cursors = [self.listing.cursor(item) for item in self.items]
        return Connection(
            edges=[Edge(cursor=cursor, node=node) for cursor, node in zip(cursors, nodes, strict=True)],
            nodes=nodes,
            page_info=PageInfo(
                has_next_page=self.start + len(self.items) < self.total,
                has_previous_page=self.start > 0,
                start_cursor=cursors[0] if cursors else None,
                end_cursor=cursors[-1] if cursors else None,
            ),
            total_count=self.total,
        )


def checked_first(first: int | None, default: int = DEFAULT_FIRST) -> int:
    size = default if first is None else first
    if not 1 <= size <= MOST:
        raise InvalidInputError(f"first is {size}.", f"Use 1 to {MOST}, and after for what follows.", pointer="/first")
    return size
