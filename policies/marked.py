"""YAML with the place of every part of it.

The events of PyYAML are composed here, for a document is data of a stranger: no tags, no anchors (one of a few bytes
can stand for gigabytes), no duplicate keys, bounded size and depth; and nothing is converted: see `policies.scalar`.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from policies.problem import Located, MalformedError, Path
from policies.scalar import Plain

MAX_BYTES = 1 << 20
MAX_DEPTH = 32

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # thirty times faster, where the wheel has libyaml
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_ESCAPES = {"x": 4, "u": 6, "U": 10}


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class _Written:
    """A scalar as it stands in the source: where it begins, how it is quoted, what it says."""

    start: int
    style: str
    value: str


@dataclass(slots=True)
class Marked:
    """One YAML document: its data (mappings, lists and text) and where each part of it stands."""

    data: Any
    _text: str
    _lines: list[int]
    _values: dict[Path, Place] = field(default_factory=dict)
    _keys: dict[Path, Place] = field(default_factory=dict)
    _scalars: dict[Path, _Written] = field(default_factory=dict)

    def value(self, path: Path) -> Place:
        """Where the value begins; of what is not there, where the nearest part around it begins."""
        while path not in self._values:
            path = path[:-1]
        return self._keys.get(path, self._values[path]) if path and path not in self._scalars else self._values[path]

    def key(self, path: Path) -> Place:
        """Where the key of the value stands; for an element of a list, where it begins."""
        return self._keys.get(path) or self.value(path)

    def within(self, path: Path, line: int, column: int) -> Place:
        """Where a line and column inside a text stand, whatever its quotes, folds and indentation."""
        written = self._scalars.get(path)
        if written is None:
            return self.value(path)
        lines = written.value.split("\n")
        line = min(line, len(lines))
        offset = sum(len(each) + 1 for each in lines[: line - 1]) + min(column - 1, len(lines[line - 1]))
        positions = list(_aligned(self._text, written))
        return self._place(positions[min(offset, len(positions) - 1)] if positions else written.start)

    def _place(self, index: int) -> Place:
        line = bisect_right(self._lines, index)
        return Place(line, index - self._lines[line - 1] + 1)


def _aligned(text: str, written: _Written) -> Iterator[int]:
    """For each character of a scalar's value, the index in the source that it comes from.

    Folding, chomping and indentation only add, drop and replace white space, so all else follows in its order.
    """
    at = text.find("\n", written.start) + 1 if written.style in ("|", ">") else written.start + bool(written.style)
    for character in written.value:
        while written.style == '"' and text[at : at + 1] == "\\" and text[at + 1 : at + 2] in ("\n", "\r"):
            at = _past_space(text, at + 1)
        if written.style == '"' and text[at : at + 1] == "\\":
            yield at
            at += _ESCAPES.get(text[at + 1 : at + 2], 2)
            continue
        if not character.isspace():
            at = _past_space(text, at)
        yield at
        if not character.isspace() or text[at : at + 1].isspace():
            at += 2 if written.style == "'" and character == "'" else 1


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def read(content: bytes, file: str) -> list[Marked]:
    """The documents of a file, empty ones left out. MalformedError with everything that is wrong with its YAML."""
    if len(content) > MAX_BYTES:
        raise MalformedError([Located(file, 1, 1, "this file is larger than 1 MiB", "Split it into several packs.")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise MalformedError([Located(file, line, column, "this is not UTF-8", "Save the file as UTF-8.")]) from error
    composer = _Composer(text, file)
    documents = composer.documents()
    if composer.problems:
        raise MalformedError(composer.problems)
    return documents


class _Composer:
    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._lines = [0, *(found.end() for found in _BREAK.finditer(text))]
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self.problems: list[Located] = []

    def documents(self) -> list[Marked]:
        found = []
        try:
            for event in self._events:
                if isinstance(event, yaml.DocumentStartEvent):
                    marked = Marked(None, self._text, self._lines)
                    marked.data = self._node(next(self._events), (), marked)
                    if marked.data != "" or not isinstance(marked.data, Plain):
                        found.append(marked)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            context = f" {error.context}" if error.context else ""
            self._report(
                mark, f"this is no YAML: {error.problem}{context}", "Correct the indentation, quotes or dashes."
            )
        except yaml.reader.ReaderError as error:
            line = self._text.count("\n", 0, error.position) + 1
            what = f"this is no YAML: the character {error.character!r} is not allowed"
            self.problems.append(Located(self._file, line, 1, what, "Remove it."))
        return found

    def _node(self, event: Any, path: Path, marked: Marked) -> Any:
        mark = event.start_mark
        marked._values[path] = Place(mark.line + 1, mark.column + 1)
        if getattr(event, "anchor", None) is not None:
            self._report(mark, "anchors and aliases are not allowed here", "Write the value out where it is needed.")
        if getattr(event, "tag", None) not in (None, "!"):
            self._report(mark, f"the tag {event.tag} is not allowed here", "Remove it.")
        if len(path) > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="it is nested too deeply", problem_mark=mark)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, marked)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, marked)
        if isinstance(event, yaml.ScalarEvent):
            style = event.style or ""
            marked._scalars[path] = _Written(self._offset(mark), style, event.value)
            return event.value if style else Plain(event.value)
        return ""  # an alias, reported above

    def _offset(self, mark: Any) -> int:
        """libyaml counts a line more at the end of a text without a final line break."""
        return self._lines[mark.line] + mark.column if mark.line < len(self._lines) else len(self._text)

    def _mapping(self, path: Path, marked: Marked) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            mark = event.start_mark
            if not isinstance(event, yaml.ScalarEvent):
                self._report(mark, "a key must be a word", "Write KEY: VALUE; put text that begins so in quotes.")
                self._node(event, (*path, ""), marked)
                self._node(next(self._events), (*path, ""), marked)
                continue
            key = str(event.value)
            where = (*path, key)
            if key in found:
                first = marked._keys[where]
                self._report(mark, f"the key {key} is here twice", f"Keep one; the first is in line {first.line}.")
            marked._keys.setdefault(where, Place(mark.line + 1, mark.column + 1))
            value = self._node(next(self._events), where, marked)
            if self._is_given(value, mark, key):
                found[key] = value
        return found

    def _is_given(self, value: Any, mark: Any, key: str) -> bool:
        """Whether a value stands there: an explicit null is as good as no key, but nothing at all is a slip."""
        if not isinstance(value, Plain):
            return True
        if value == "":
            self._report(mark, f"{key} has no value", "Write one, or remove the key.")
        return value not in ("null", "~")

    def _sequence(self, path: Path, marked: Marked) -> list[Any]:
        found: list[Any] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            value = self._node(event, (*path, len(found)), marked)
            if isinstance(value, Plain) and value == "":
                self._report(event.start_mark, "this element of the list is empty", "Write one, or remove the dash.")
            found.append(value)
        return found

    def _report(self, mark: Any, what: str, fix: str) -> None:
        self.problems.append(Located(self._file, mark.line + 1, mark.column + 1, what, fix))
