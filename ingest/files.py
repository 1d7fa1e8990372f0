"""Events in files, folders and standard input, one after the other: JSON, NDJSON, JSON arrays, each also gzipped.

What a file holds is told by its content, since names mislead: an array begins with a bracket; a first line that is a
document by itself begins NDJSON; else the file is one document.
"""

import gzip
import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import orjson

from catalog.errors import LinewardError, NotFoundError
from catalog.refusal import TooLargeError
from ingest.elements import elements
from ingest.intake import BYTE_ORDER_MARK
from ingest.limits import Limits

STANDARD_INPUT = "-"

_LINES = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")
_NAMES = (".json", ".json.gz", *_LINES)
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Passage:
    """One document of a source.

    `where` is `line 3`, `event 4`, or empty for the whole; `end` is how much of the file was read by then, in its own
    bytes; `fault` says why it is not worth sending.
    """

    where: str
    body: bytes
    end: int
    fault: LinewardError | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or standard input; `size` in bytes where it is known."""

    path: str
    size: int | None
    open: Callable[[], AbstractContextManager[io.BufferedReader]]

    def passages(self, limits: Limits) -> Iterator[Passage]:
        """Its documents; OSError, EOFError, zlib.error or InvalidInputError when the rest cannot be read."""
        with self.open() as file:
            content: io.BufferedIOBase = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == _GZIP else file
            reading = _Reading(file, content, limits)
            yield from reading.passages(by_lines=self.path.endswith(_LINES))


def sources(paths: Iterable[str], stdin: io.BufferedReader) -> list[Source]:
    """What the paths name: files as they are, folders with the JSON files under them, sorted; `-` is `stdin`.

    NotFoundError for a path that does not exist. Hidden files, links to folders and other file types are passed over.
    """
    found: list[Source] = []
    for path in paths:
        if path == STANDARD_INPUT:
            found.append(Source(path, None, lambda: nullcontext(stdin)))
        elif os.path.isdir(path):
            found += [_file(name) for name in sorted(_under(path))]
        elif os.path.exists(path):
            found.append(_file(path))
        else:
            raise NotFoundError(f"there is no file or folder {path}", "check the path")
    return found


@dataclass(slots=True)
class _Reading:
    """`content` is `file`, or what it unpacks to."""

    file: io.BufferedReader
    content: io.BufferedIOBase
    limits: Limits
    number: int = 0

    def passages(self, *, by_lines: bool) -> Iterator[Passage]:
        head = self._first_line()
        if by_lines or (not head.startswith(b"[") and _is_json(head)):
            yield from self._lines(head)
        elif head.startswith(b"["):
            yield from self._elements(head)
        elif head:
            yield from self._whole(head)

    def _first_line(self) -> bytes:
        """The first line that is not blank, or nothing."""
        while line := self.content.readline(self.limits.gunzipped + 1):
            self.number += 1
            if text := line.removeprefix(BYTE_ORDER_MARK).lstrip():
                return text
        return b""

    def _lines(self, held: bytes) -> Iterator[Passage]:
        """The lines of what is already read, which may end within one, then those that follow."""
        *lines, last = io.BytesIO(held).readlines() or [b""]
        for line in lines:
            yield from self._line(line)
        if not last.endswith(b"\n"):
            last += self.content.readline(max(0, self.limits.gunzipped + 1 - len(last)))
        while last:
            yield from self._line(last)
            last = self.content.readline(self.limits.gunzipped + 1)

    def _line(self, line: bytes) -> Iterator[Passage]:
        where, body, fault = f"line {self.number}", line.strip(), None
        if len(line) > self.limits.gunzipped:
            body, fault = b"", self._too_large("the line", self.limits.gunzipped)
            self._skip_line(line)
        self.number += 1
        if body or fault:
            yield Passage(where, body, self._position(), fault)

    def _skip_line(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self.content.readline(self.limits.gunzipped)

    def _elements(self, head: bytes) -> Iterator[Passage]:
        text = head + self.content.read(max(0, self.limits.array + 1 - len(head)))
        if len(text) > self.limits.array:
            raise self._too_large("the array", self.limits.array)
        for number, element in enumerate(elements(text), 1):
            yield Passage(f"event {number}", element, self._position())

    def _whole(self, head: bytes) -> Iterator[Passage]:
        """One document, unless some other line of what can be held is one: then only the first is broken."""
        text = head + self.content.read(max(0, self.limits.gunzipped + 1 - len(head)))
        fits = len(text) <= self.limits.gunzipped
        if fits and (_is_json(text) or not _has_document_line(text)):
            yield Passage("", text.strip(), self._position())
        else:
            yield from self._lines(text)

    def _position(self) -> int:
        return self.file.tell() if self.file.seekable() else 0

    def _too_large(self, what: str, limit: int) -> TooLargeError:
        return TooLargeError(f"{what} has more than {limit:,} bytes", "send one event per line")


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _has_document_line(text: bytes) -> bool:
    return any(line.startswith(b"{") and _is_json(line) for line in io.BytesIO(text))


def _under(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = os.path.join(parent, name)
            if name.endswith(_NAMES) and not name.startswith(".") and os.path.isfile(path):
                yield path


def _file(path: str) -> Source:
    return Source(path, os.path.getsize(path), partial(_open, path))


def _open(path: str) -> io.BufferedReader:
    return open(path, "rb")
