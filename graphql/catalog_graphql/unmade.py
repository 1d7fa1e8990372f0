"""Lists of GraphQL objects that are made only where somebody needs them as objects.

A thousand nodes and their edges are mostly asked for what the core's records hold as it is shown. To make objects of
them first would cost as much as the walk to them: 5 of 12 ms.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Making(Generic[R, T]):
    """How records become objects.

    `of` tells the class that `make` will give, without making it; `attributes` of that class are, value for value,
    attributes of the record.
    """

    make: Callable[[R], T]
    of: Callable[[R], type]
    attributes: Mapping[str, str]


class Unmade(Sequence[T], Generic[R, T]):
    """A list that makes its items each time that they are looked at."""

    __slots__ = ("making", "records")

    def __init__(self, records: Sequence[R], making: Making[R, T]) -> None:
        self.records = records
        self.making = making

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[T]:
        return map(self.making.make, self.records)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        if isinstance(place, slice):
            return Unmade[Any, T](self.records[place], self.making)
        return self.making.make(self.records[place])
