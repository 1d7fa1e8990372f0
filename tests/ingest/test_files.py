"""Events from files: what each kind of file gives, and what became of it."""

import gzip
import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import NotFoundError
from ingest.files import Passage, Source, sources
from ingest.limits import Limits

LIMITS = Limits()


def event(name: str) -> bytes:
    return json.dumps({"eventTime": "2026-03-01T12:00:00Z", "job": {"namespace": "n", "name": name}}).encode()


A, B, C = event("a"), event("b"), event("c")
PRETTY = json.dumps(json.loads(A), indent=2).encode()


def stdin(text: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(text))


def only(path: Path | str, text: bytes = b"") -> Source:
    (source,) = sources([str(path)], stdin(text))
    return source


def passages(path: Path, content: bytes, limits: Limits = LIMITS) -> list[Passage]:
    path.write_bytes(content)
    return list(only(path).passages(limits))


def found(path: Path, content: bytes, limits: Limits = LIMITS) -> list[tuple[str, bytes]]:
    return [(passage.where, passage.body) for passage in passages(path, content, limits)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (A, [("line 1", A)]),
        (PRETTY + b"\n", [("", PRETTY)]),
        (A + b"\n" + B + b"\n", [("line 1", A), ("line 2", B)]),
        (b"\n \r\n" + A + b"\r\n\n" + B, [("line 3", A), ("line 5", B)]),
        (b"[" + A + b",\n " + B + b"]", [("event 1", A), ("event 2", B)]),
        (b"\n [\n" + A + b"\n]", [("event 1", A)]),
        (b"\xef\xbb\xbf" + A + b"\n" + B, [("line 1", A), ("line 2", B)]),
        (b"\xef\xbb\xbf[" + A + b"]", [("event 1", A)]),
        (b"{broken\n" + A, [("line 1", b"{broken"), ("line 2", A)]),
        (PRETTY[:-1], [("", PRETTY[:-2])]),
        (b"", []),
        (b" \n\n", []),
    ],
)
def test_what_a_file_holds_is_told_by_its_content(
    tmp_path: Path, content: bytes, expected: list[tuple[str, bytes]]
) -> None:
    assert found(tmp_path / "events.json", content) == expected
    assert found(tmp_path / "events", gzip.compress(content)) == expected
    assert [(passage.where, passage.body) for passage in only("-", content).passages(LIMITS)] == expected


def test_a_name_that_promises_lines_is_believed(tmp_path: Path) -> None:
    content = b"{\n}\n[1]\n"

    assert found(tmp_path / "a.ndjson", content) == [("line 1", b"{"), ("line 2", b"}"), ("line 3", b"[1]")]
    assert len(found(tmp_path / "a.jsonl.gz", gzip.compress(content))) == 3


@given(st.lists(st.sampled_from([A, B, PRETTY.replace(b"\n", b" "), b"{broken", b"7", b""]), max_size=20))
def test_every_line_is_given_once_with_its_number(lines: list[bytes]) -> None:
    source = Source("x.ndjson", None, lambda: stdin(b"\n".join(lines)))

    given_out = [(passage.where, passage.body) for passage in source.passages(LIMITS)]

    assert given_out == [(f"line {number}", line) for number, line in enumerate(lines, 1) if line]


def test_a_broken_first_line_longer_than_memory_allows_hides_no_other(tmp_path: Path) -> None:
    content = b"{" * 2500 + b"\n" + A + b"\n" + B

    limits = Limits(gunzipped=1000)

    assert [passage.fault is None for passage in passages(tmp_path / "e.json", content, limits)] == [False, True, True]
    assert found(tmp_path / "e.json", content, limits)[1:] == [("line 2", A), ("line 3", B)]


def test_folders_give_their_json_files_sorted(tmp_path: Path) -> None:
    for name in ("b/2.json", "a/z.ndjson", "a/b/1.jsonl.gz", "a.json", ".hidden/x.json", "a/.x.json", "a/readme.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(A)
    (tmp_path / "b" / "round").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "b" / "pipe.json")

    listed = sources([str(tmp_path), "-", str(tmp_path / "a/readme.md")], stdin(b""))

    names = [os.path.relpath(source.path, tmp_path) for source in listed if source.path != "-"]
    assert names == ["a.json", "a/b/1.jsonl.gz", "a/z.ndjson", "b/2.json", "a/readme.md"]
    assert [source.size for source in listed] == [len(A)] * 4 + [None, len(A)]


def test_a_path_that_is_not_there_is_an_error_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        sources([str(tmp_path), str(tmp_path / "missing")], stdin(b""))
