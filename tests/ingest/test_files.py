"""Events from files: what each kind of file gives, and what became of it."""

import gzip
import io
import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import LogFullError, NotFoundError
from ingest.files import FileReport, Outcome, Passage, Source, send, sources
from ingest.intake import Intake
from ingest.limits import Limits

LIMITS = Limits()


def event(name: str) -> bytes:
    return json.dumps({"eventTime": "2026-03-01T12:00:00Z", "job": {"namespace": "n", "name": name}}).encode()


A, B, C = event("a"), event("b"), event("c")
PRETTY = json.dumps(json.loads(A), indent=2).encode()


class Shelf:
    """A sink that keeps what passes the checks of every door."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def __call__(self, body: bytes) -> Outcome:
        received = Intake(LIMITS).submission(body, "local", "file").received
        if received in self.kept:
            return Outcome.DUPLICATE
        self.kept.append(received)
        return Outcome.ACCEPTED


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


def test_a_malformed_line_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"\n".join([A, b"{", B, A, b'{"job": 1}', C]))
    shelf = Shelf()

    report = send(only(path), shelf, LIMITS)

    assert (report.path, report.accepted, report.duplicate) == (str(path), 3, 1)
    assert [where for where, _ in report.rejected] == ["line 2", "line 5"]
    assert all(reason for _, reason in report.rejected)
    assert shelf.kept == [A, B, C]


def test_an_array_gives_what_comes_before_its_mistake(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(b"[" + A + b"," + B + b",{]")

    report = send(only(path), Shelf(), LIMITS)

    assert report.accepted == 2
    assert [where for where, _ in report.rejected] == [""]


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(A + b"\n" + b" " * 10_000 + b"x\n" + B + b"\n")

    report = send(only(path), Shelf(), Limits(gunzipped=1000))

    assert report.accepted == 2
    assert [where for where, _ in report.rejected] == ["line 2"]


def test_a_broken_first_line_longer_than_memory_allows_hides_no_other(tmp_path: Path) -> None:
    content = b"{" * 2500 + b"\n" + A + b"\n" + B

    limits = Limits(gunzipped=1000)

    assert [passage.fault is None for passage in passages(tmp_path / "e.json", content, limits)] == [False, True, True]
    assert found(tmp_path / "e.json", content, limits)[1:] == [("line 2", A), ("line 3", B)]


def test_an_array_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(b"[" + A + b"]")

    report = send(only(path), Shelf(), Limits(array=50))

    assert report.accepted == 0
    assert "one event per line" in report.rejected[0][1]


def test_compressed_files_of_several_members_are_read_and_cut_ones_reported(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson.gz"
    noise = random.Random(1).randbytes(200_000).hex().encode()
    path.write_bytes(gzip.compress(A + b"\n") + gzip.compress(B + b"\n" + noise)[:-20])

    report = send(only(path), Shelf(), LIMITS)

    assert report.accepted == 2
    assert [where for where, _ in report.rejected] == [""]


def test_what_is_no_text_is_reported_and_not_raised(tmp_path: Path) -> None:
    for number, content in enumerate([b"\x1f\x8bnot gzip", b"\xff\xfe\x00", b"PAR1" + bytes(100), b"[\xff]"]):
        path = tmp_path / f"{number}.json"
        path.write_bytes(content)
        report = send(only(path), Shelf(), LIMITS)
        assert (report.accepted, len(report.rejected)) == (0, 1)


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


def test_a_file_that_goes_away_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(A)
    source = only(path)
    path.unlink()

    assert len(send(source, Shelf(), LIMITS).rejected) == 1


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    for name, content in (("a.ndjson", A + b"\n" + B), ("b.json", PRETTY), ("c.json.gz", gzip.compress(A))):
        (tmp_path / name).write_bytes(content)
        heard: list[int] = []
        source = only(tmp_path / name)
        send(source, Shelf(), LIMITS, heard.append)
        assert heard == sorted(heard)
        assert heard[-1] == source.size


def test_a_log_that_wants_a_pause_stops_the_reading(tmp_path: Path) -> None:
    def full(_body: bytes) -> Outcome:
        raise LogFullError("full", "send it again")

    (tmp_path / "a.json").write_bytes(A)
    with pytest.raises(LogFullError):
        send(only(tmp_path / "a.json"), full, LIMITS)


def test_a_report_of_nothing_is_empty() -> None:
    assert send(only("-"), Shelf(), LIMITS) == FileReport("-")
