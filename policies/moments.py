"""The instants at which time alone could change what a control says."""

import heapq
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any

from catalog import rfc3339
from policies.compiled import CompiledControl, inlined, trees
from policies.engine import Program
from policies.syntax import Tree

MOST = 10_000
"""How many instants are looked at, the earliest first."""

_DAY = 86_400_000_000
_UNITS = {"days": _DAY, "hours": _DAY // 24}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|m|s|ms|us)", re.ASCII)
_SECONDS = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}


def moments_of(
    compiled: CompiledControl,
    document: Mapping[str, Any],
    elements: Sequence[Any],
    params: Mapping[str, Any],
    after: int,
) -> Iterator[tuple[int, frozenset[int] | None]]:
    """Instants (µs) after `after` in their order, each with the elements of the forEach that it concerns; None for all.

    They are the times in the evidence that a comparison with `evaluatedAt` reads, plus and minus the spans that it
    names (up to two together), and the microsecond behind each: `<` changes at an instant and `<=` right after it.
    """
    name = compiled.for_each.name if compiled.for_each else None
    found: dict[int, set[int] | None] = {}
    for program in timed_programs(compiled):
        for comparison in _comparisons(program, compiled):
            spans = _spans(comparison, params)
            shared, own = _fields(program, _words(comparison), name, compiled)
            for time in {time for field in shared for time in _times(_at(document, field.split(".")))}:
                found.update(dict.fromkeys(_around(time, spans, after)))
            for index, element in enumerate(elements if own else ()):
                for time in {time for field in own for time in _times(_at(element, field.split(".")))}:
                    for moment in _around(time, spans, after):
                        concerned = found.setdefault(moment, set())
                        if concerned is not None:
                            concerned.add(index)
    for moment in heapq.nsmallest(MOST, found):
        concerned = found[moment]
        yield moment, None if concerned is None else frozenset(concerned)


def timed_programs(compiled: CompiledControl) -> list[Program]:
    """The programs whose value can change with time alone."""
    return [program for program in compiled.programs() if "evaluatedAt" in program.roots]


def _comparisons(program: Program, compiled: CompiledControl) -> list[Tree]:
    """The innermost comparisons that `evaluatedAt` is in; the whole expression where it is outside of any."""
    read = {name: tree for name, each in compiled.variables.items() for tree in trees([each.source])}
    (whole,) = trees([program.source])
    whole = inlined(whole, read)
    found = list(_innermost(whole))
    return found if _mentions(whole) == sum(map(_mentions, found)) else [whole]


def _innermost(tree: Tree) -> Iterator[Tree]:
    within = [found for part in tree.parts for found in _innermost(part)]
    if not within and tree.kind == "operator" and tree.word in _COMPARED and _mentions(tree):
        yield tree
    yield from within


_COMPARED = frozenset({"<", "<=", ">", ">=", "==", "!="})


def _mentions(tree: Tree) -> int:
    return sum(each == _NOW for each in tree.walk())


_NOW = Tree("name", "evaluatedAt")


def _words(tree: Tree) -> frozenset[str] | None:
    """The names of the fields that a comparison selects; None where a variable of a loop, or a key, stands for one."""
    if any(each.kind == "index" for each in tree.walk()):
        return None
    selected = frozenset(each.word for each in tree.walk() if each.kind == "select")
    return selected if not _alone(tree) - {"evaluatedAt", "environment", "requester"} else None


def _alone(tree: Tree) -> set[str]:
    """The names from which nothing is selected."""
    if tree.kind == "name":
        return {tree.word}
    below = (part for part in tree.parts if not (tree.kind == "select" and part.kind == "name"))
    return set().union(*(_alone(part) for part in below))


def _fields(
    program: Program, words: frozenset[str] | None, name: str | None, compiled: CompiledControl
) -> tuple[list[str], list[str]]:
    """The fields of those names that a program reads of the whole document, and, from it on, of the element alone."""
    fields = {field for field in program.fields if words is None or field.rpartition(".")[2] in words}
    if name is None or name not in program.roots:
        return sorted(fields), []
    ranged = _ranged(compiled)
    own = {field for field in fields if field.startswith(f"{ranged}.") and ranged not in program.roots}
    return sorted(fields - own), sorted(field.removeprefix(f"{ranged}.") for field in own)


def _ranged(compiled: CompiledControl) -> str:
    """The list that the element comes from: all that its key reads begins with it."""
    assert compiled.for_each is not None
    return next((field.split(".")[0] for field in sorted(compiled.for_each.key.fields)), "")


def _at(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    """Everything that a path leads to, through the items of lists."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _at(each, steps)
    elif not steps:
        yield value
    elif isinstance(value, Mapping) and steps[0] in value:
        yield from _at(value[steps[0]], steps[1:])


def _times(value: Any) -> Iterator[int]:
    """Every time that stands somewhere in a value, µs."""
    if isinstance(value, str):
        time = _time(value)
        if time is not None:
            yield time
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _times(each)
    elif isinstance(value, Iterable):
        for each in value:
            yield from _times(each)


def _time(text: str) -> int | None:
    if not text[:4].isdigit():
        return None
    try:
        return rfc3339.parse(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    except (ValueError, OverflowError):
        return None


def _around(time: int, spans: Iterable[int], after: int) -> Iterator[int]:
    for span in spans:
        for moment in (time + span, time + span + 1):
            if after < moment < _LATEST:
                yield moment


_LATEST = 253_402_300_799_999_999  # the end of the year 9999, as far as a time can be written


def _spans(comparison: Tree, params: Mapping[str, Any]) -> frozenset[int]:
    """The spans of time that a comparison names, 0, and where it names several, sums and differences of two. µs."""
    named = [abs(span) for span in _named(comparison, params)]
    signed = sorted({sign * span for span in named for sign in (1, -1)})
    several = 1 < len(named) <= _MOST_SPANS
    pairs = {one + other for one, other in combinations_with_replacement(signed, 2)} if several else set()
    return frozenset({0, *signed, *pairs})


_MOST_SPANS = 8


def _named(comparison: Tree, params: Mapping[str, Any]) -> Iterator[int]:
    for tree in comparison.walk():
        if tree.kind != "call" or len(tree.parts) != 1:
            continue
        if tree.word in _UNITS:
            count = _number(tree.parts[0], params)
            if count is not None:
                yield int(count * _UNITS[tree.word])
        elif tree.word == "duration" and tree.parts[0].kind == "literal":
            yield sum(int(float(count) * _SECONDS[unit]) for count, unit in _DURATION.findall(tree.parts[0].word))


def _number(tree: Tree, params: Mapping[str, Any]) -> float | None:
    """The value of a sum or product of numbers and params; None for anything else."""
    if tree.kind == "literal" and tree.word.isdigit():
        return int(tree.word)
    if tree.kind == "select" and tree.path[:1] == ("params",):
        value = params.get(tree.word)
        return value if isinstance(value, int | float) else None
    if tree.kind != "operator" or len(tree.parts) != 2:
        return None
    one, other = (_number(each, params) for each in tree.parts)
    if one is None or other is None:
        return None
    return {"+": one + other, "-": one - other, "*": one * other}.get(tree.word)
