"""Keys and persons as the log has them by now."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import orjson

from catalog.authority.keys import KeyRegistry
from catalog.authority.persons import Persons
from catalog.log.entry import Entry, EntryType

_PAGE = 1_000
_PAUSE = 1.0  # seconds between two looks at a log that somebody else may write


class ActLog(Protocol):
    """What is read here of `catalog.log.reader.LogReader`."""

    def acts(self, types: Sequence[EntryType], start: int, limit: int) -> list[Entry]: ...


class Roll:
    """Follows a log. For any number of threads; what it hands out is only read by them."""

    def __init__(self, log: ActLog, ticks: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._ticks = ticks
        self._lock = threading.Lock()
        self._next = 0
        self._looked = ticks()
        self.keys = KeyRegistry()
        self.persons = Persons()
        self.catch_up()

    def look(self) -> None:
        """Catch up, unless that was done within the last second. Acts of this process are caught up with at once."""
        if self._ticks() - self._looked >= _PAUSE:
            self.catch_up()

    def catch_up(self) -> None:
        with self._lock:
            self._looked = self._ticks()
            while found := self._log.acts((EntryType.KEY, EntryType.POLICY), self._next, _PAGE):
                for entry in found:
                    self._apply(entry)
                    self._next = entry.seq + 1

    def _apply(self, entry: Entry) -> None:
        self.keys.apply(entry)
        if entry.type is EntryType.POLICY and entry.body is not None:
            self.persons.apply(orjson.loads(entry.body))
