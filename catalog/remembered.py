"""What was worked out before, found again by its key, within a bound."""

from collections.abc import Hashable
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class Remembered(Generic[_Key, _Value]):
    """A map of two generations: when the younger is full the older is forgotten, and what is asked for is young again.

    `capacity` is how much a generation holds, in the unit in which `keep` is told sizes. Threads may share it: at worst
    one of them works something out again.
    """

    __slots__ = ("_capacity", "_held", "_old", "_young")

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held = 0
        self._young: dict[_Key, tuple[_Value, int]] = {}
        self._old: dict[_Key, tuple[_Value, int]] = {}

    def find(self, key: _Key) -> _Value | None:
        """None for what is not, or no longer, known."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.keep(key, *found)
        return found[0]

    def keep(self, key: _Key, value: _Value, size: int) -> None:
        """Remember a value; one that would fill a generation alone is left out."""
        if size > self._capacity:
            return
        if self._held + size > self._capacity:
            self._old, self._young, self._held = self._young, {}, 0
        self._young[key] = (value, size)
        self._held += size
