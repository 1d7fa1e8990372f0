"""The acts of people between two positions of the log."""

from collections.abc import Callable, Iterator, Sequence

import orjson

from catalog.act import KINDS, Act, interpret_act
from catalog.log.entry import Entry, EntryType
from policies.evidence.kept import OthersBetween

ActsBetween = Callable[[int, int], Sequence[Act]]
"""From a position until before another, in the order of the log."""

ReadActs = Callable[[Sequence[EntryType], int, int], Sequence[Entry]]
"""`LogReader.acts`: the first so many entries of some types from a position on."""

_PAGE = 500
_TYPES = tuple(KINDS)
_OTHERS = tuple(each for each in EntryType if each not in (EntryType.OPENLINEAGE, EntryType.DECISION))


def acts_between(read: ReadActs) -> ActsBetween:
    """The acts out of a log."""

    def between(start: int, end: int) -> list[Act]:
        return [act for entry in _between(read, _TYPES, start, end) if (act := act_of(entry)) is not None]

    return between


def others_between(read: ReadActs) -> OthersBetween:
    """What is neither an event nor a decision, out of a log."""

    def between(start: int, end: int) -> list[Act | None]:
        return [act_of(entry) for entry in _between(read, _OTHERS, start, end)]

    return between


def _between(read: ReadActs, types: Sequence[EntryType], start: int, end: int) -> Iterator[Entry]:
    while start < end:
        page = read(types, start, _PAGE)
        yield from (entry for entry in page if entry.seq < end)
        start = page[-1].seq + 1 if len(page) == _PAGE else end


def act_of(entry: Entry) -> Act | None:
    """The act in an entry; None for what is none, or was erased."""
    read = interpret_act(entry)
    if read is None:
        return None
    node = read.node
    (body,) = read.bodies.values()
    return Act(node.id, node.kind, node.name, node.seq, node.at, orjson.loads(body))
