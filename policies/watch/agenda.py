"""What has to be looked at, and because of which entry: each thing once, the urgent first."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Item(Generic[K]):
    """A thing to look at. `seq` is the last entry that asks for it, None where time alone does."""

    subject: K
    seq: int | None
    urgent: bool


class Agenda(Generic[K]):
    """Things in the order in which they were put down; one that is put down again keeps its place, or moves ahead."""

    def __init__(self) -> None:
        self._urgent: dict[K, int | None] = {}
        self._patient: dict[K, int | None] = {}

    def __len__(self) -> int:
        return len(self._urgent) + len(self._patient)

    def put(self, subject: K, seq: int | None, *, urgent: bool) -> None:
        held = self._urgent if urgent or subject in self._urgent else self._patient
        before = held.get(subject, self._patient.get(subject))
        if urgent:
            self._patient.pop(subject, None)
        held[subject] = max((each for each in (before, seq) if each is not None), default=None)

    def take(self) -> Item[K] | None:
        """The next thing, which is then off the list; None where there is nothing left."""
        held = self._urgent or self._patient
        if not held:
            return None
        subject = next(iter(held))
        return Item(subject, held.pop(subject), held is self._urgent)

    def drop(self, subject: K) -> None:
        self._urgent.pop(subject, None)
        self._patient.pop(subject, None)
