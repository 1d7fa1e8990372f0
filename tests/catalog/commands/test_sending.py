"""Sending: every document of a source once, what was rejected and why, and where a pause ends it."""

import gzip
import io
import json
import random
from concurrent.futures import Future
from pathlib import Path

import pytest

from catalog.commands.sending import FileReport, Outcome, send
from catalog.errors import LinewardError, LogFullError
from ingest.files import Source, sources
from ingest.intake import Intake
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


def ignored(_end: int) -> None:
    """Nobody watches."""


class Shelf:
    """A door that keeps what passes the checks of every door."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def take(self, body: bytes) -> "Future[Outcome]":
        answer: Future[Outcome] = Future()
        try:
            answer.set_result(self._keep(body))
        except LinewardError as error:
            answer.set_exception(error)
        return answer

    def _keep(self, body: bytes) -> Outcome:
        received = Intake(LIMITS).submission(body, "local", "file").received
        if received in self.kept:
            return Outcome.DUPLICATE
        self.kept.append(received)
        return Outcome.ACCEPTED


def test_a_malformed_line_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"\n".join([A, b"{", B, A, b'{"job": 1}', C]))
    shelf = Shelf()

    report = send(only(path), shelf, LIMITS, ignored)

    assert (report.path, report.accepted, report.duplicate) == (str(path), 3, 1)
    assert [where for where, _ in report.rejected] == ["line 2", "line 5"]
    assert all(reason for _, reason in report.rejected)
    assert shelf.kept == [A, B, C]


def test_an_array_gives_what_comes_before_its_mistake(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(b"[" + A + b"," + B + b",{]")

    report = send(only(path), Shelf(), LIMITS, ignored)

    assert report.accepted == 2
    assert [where for where, _ in report.rejected] == [""]


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(A + b"\n" + b" " * 10_000 + b"x\n" + B + b"\n")

    report = send(only(path), Shelf(), Limits(gunzipped=1000), ignored)

    assert report.accepted == 2
    assert [where for where, _ in report.rejected] == ["line 2"]


def test_an_array_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(b"[" + A + b"]")

    report = send(only(path), Shelf(), Limits(array=50), ignored)

    assert report.accepted == 0
    assert "one event per line" in report.rejected[0][1]


def test_compressed_files_of_several_members_are_read_and_cut_ones_reported(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson.gz"
    noise = random.Random(1).randbytes(200_000).hex().encode()
    path.write_bytes(gzip.compress(A + b"\n") + gzip.compress(B + b"\n" + noise)[:-20])

    report = send(only(path), Shelf(), LIMITS, ignored)

    assert report.accepted == 2
    assert [where for where, _ in report.rejected] == [""]


def test_what_is_no_text_is_reported_and_not_raised(tmp_path: Path) -> None:
    for number, content in enumerate([b"\x1f\x8bnot gzip", b"\xff\xfe\x00", b"PAR1" + bytes(100), b"[\xff]"]):
        path = tmp_path / f"{number}.json"
        path.write_bytes(content)
        report = send(only(path), Shelf(), LIMITS, ignored)
        assert (report.accepted, len(report.rejected)) == (0, 1)


def test_a_file_that_goes_away_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    path.write_bytes(A)
    source = only(path)
    path.unlink()

    assert len(send(source, Shelf(), LIMITS, ignored).rejected) == 1


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    for name, content in (("a.ndjson", A + b"\n" + B), ("b.json", PRETTY), ("c.json.gz", gzip.compress(A))):
        (tmp_path / name).write_bytes(content)
        heard: list[int] = []
        source = only(tmp_path / name)
        send(source, Shelf(), LIMITS, heard.append)
        assert heard == sorted(heard)
        assert heard[-1] == source.size


def test_a_log_that_wants_a_pause_stops_the_reading(tmp_path: Path) -> None:
    class Full:
        def take(self, body: bytes) -> "Future[Outcome]":
            answer: Future[Outcome] = Future()
            answer.set_exception(LogFullError("full", "send it again"))
            return answer

    (tmp_path / "a.json").write_bytes(A)
    with pytest.raises(LogFullError):
        send(only(tmp_path / "a.json"), Full(), LIMITS, ignored)


def test_a_report_of_nothing_is_empty() -> None:
    assert send(only("-"), Shelf(), LIMITS, ignored) == FileReport("-")
