"""The acts of people between two positions of the log."""

from collections.abc import Callable, Sequence

import orjson

from catalog.act import KINDS, Act, interpret_act
from catalog.log.entry import Entry, EntryType

ActsBetween = Callable[[int, int], Sequence[Act]]
"""From a position until before another, in the order of the log."""

ReadActs = Callable[[Sequence[EntryType], int, int], Sequence[Entry]]
"""`LogReader.acts`: the first so many entries of some types from a position on."""

_PAGE = 500
_TYPES = tuple(KINDS)


def acts_between(read: ReadActs) -> ActsBetween:
    """The acts out of a log."""

    def between(start: int, end: int) -> list[Act]:
        found: list[Act] = []
        while start < end:
            page = read(_TYPES, start, _PAGE)
            found += [act for entry in page if entry.seq < end and (act := act_of(entry)) is not None]
            start = page[-1].seq + 1 if len(page) == _PAGE else end
        return found

    return between


def act_of(entry: Entry) -> Act | None:
    """The act in an entry; None for what is none, or was erased."""
    read = interpret_act(entry)
    if read is None:
        return None
    node = read.node
    (body,) = read.bodies.values()
    return Act(node.id, node.kind, node.name, node.seq, node.at, orjson.loads(body))
