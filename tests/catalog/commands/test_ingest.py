"""`lineward ingest`: everything that can be loaded is, and what cannot is told with its reason."""

import json
from pathlib import Path

import httpx
import pytest

from catalog.commands import remote, sending
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from tests.catalog.commands.conftest import OTHER, TRAIN, Lineward, training
from tests.catalog.commands.test_cli import two_lines


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Four events on four lines."""
    path = tmp_path / "events.ndjson"
    path.write_text("".join(json.dumps(e) + "\n" for e in training(TRAIN, "a", "1") + training(OTHER, "b", "1")))
    return path


def size(folder: Path) -> int:
    with LogReader.open(folder) as log:
        return log.size()


def counts(stdout: str, path: Path | str) -> list[str]:
    (row,) = [line for line in stdout.splitlines() if line.split()[0] == str(path)]
    return row.split()[1:]


def test_a_file_is_loaded_once(lineward: Lineward, events: Path, tmp_path: Path) -> None:
    first = lineward("ingest", events, "--data", tmp_path / "data", env={"COLUMNS": "200"})
    again = lineward("ingest", events, "--data", tmp_path / "data", env={"COLUMNS": "200"})
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert counts(first.stdout, events) == ["4", "0", "0"]
    assert counts(again.stdout, events) == ["0", "4", "0"]
    assert size(tmp_path / "data") == 4


def test_what_is_rejected_keeps_nothing_else_out(lineward: Lineward, events: Path, tmp_path: Path) -> None:
    with events.open("a") as file:
        file.write('{"no": "event"}\nnot even JSON\n')
    done = lineward("ingest", events, "--data", tmp_path / "data", env={"COLUMNS": "200"})
    assert done.exit_code == 1
    assert counts(done.stdout, events) == ["4", "0", "2"]
    assert f"{events}, line 5: " in done.stdout
    assert f"{events}, line 6: " in done.stdout
    what, _ = two_lines(done.stderr)
    assert what == "2 of 6 documents were rejected."
    assert size(tmp_path / "data") == 4


def test_standard_input_and_folders_are_read(lineward: Lineward, events: Path, tmp_path: Path) -> None:
    piped = lineward("ingest", "-", "--data", tmp_path / "data", input=events.read_text())
    assert piped.exit_code == 0
    assert counts(piped.stdout, "-") == ["4", "0", "0"]
    (tmp_path / "many").mkdir()
    events.rename(tmp_path / "many" / "e.ndjson")
    assert lineward("ingest", tmp_path / "many", "--data", tmp_path / "data").exit_code == 0
    assert size(tmp_path / "data") == 4


def test_more_documents_than_are_under_way_at_once_all_arrive(lineward: Lineward, tmp_path: Path) -> None:
    path = tmp_path / "many.ndjson"
    (start, _) = training(TRAIN, "a", "1")
    total = 3 * sending.AT_ONCE + 1
    path.write_text("".join(json.dumps(start | {"n": number}) + "\n" for number in range(total)))
    done = lineward("ingest", path, "--data", tmp_path / "data", env={"COLUMNS": "200"})
    assert counts(done.stdout, path) == [str(total), "0", "0"]
    assert size(tmp_path / "data") == total


def test_a_path_that_does_not_exist_stops_before_anything_is_made(lineward: Lineward, tmp_path: Path) -> None:
    done = lineward("ingest", tmp_path / "none.json", "--data", tmp_path / "data")
    assert done.exit_code == 2
    two_lines(done.stderr)
    assert not (tmp_path / "data").exists()


def test_a_log_that_a_server_holds_is_not_written_beside_it(lineward: Lineward, events: Path, tmp_path: Path) -> None:
    with LogStore.open(tmp_path / "data"):
        done = lineward("ingest", events, "--data", tmp_path / "data")
    assert done.exit_code == 3
    assert "--url" in done.stderr


# Through a server --------------------------------------------------------------------------------------------


class Server:
    """Answers as the contract says; the first request it turns away, and the second of each body is a duplicate."""

    def __init__(self) -> None:
        self.bodies: set[bytes] = set()
        self.busy = 1

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/api/v1/lineage")
        if self.busy:
            self.busy -= 1
            return httpx.Response(503, headers={"Retry-After": "0"}, json={"error": {"code": "LOG_FULL"}})
        if b"runId" not in request.content:
            return httpx.Response(422, json={"error": {"code": "INVALID_EVENT", "message": "this is no event"}})
        known = request.content in self.bodies
        self.bodies.add(request.content)
        return httpx.Response(201, json={"seq": 1, "leafHash": "", "token": "", "duplicate": known})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    served = Server()
    transport = httpx.MockTransport(served)
    monkeypatch.setattr(remote, "client_of", lambda url: httpx.Client(base_url=url, transport=transport))
    return served


def test_a_server_takes_the_same_files(lineward: Lineward, events: Path, server: Server) -> None:
    with events.open("a") as file:
        file.write('{"no": "event"}\n')
    first = lineward("ingest", events, "--url", "http://test", env={"COLUMNS": "200"})
    assert first.exit_code == 1
    assert counts(first.stdout, events) == ["4", "0", "1"]
    assert f"{events}, line 5: this is no event" in first.stdout
    again = lineward("ingest", events, "--url", "http://test", env={"COLUMNS": "200"})
    assert counts(again.stdout, events) == ["0", "4", "1"]
    assert len(server.bodies) == 4


def test_a_server_that_is_not_there_is_incomplete(lineward: Lineward, events: Path) -> None:
    done = lineward("ingest", events, "--url", "http://127.0.0.1:1")
    assert done.exit_code == 3
    two_lines(done.stderr)


def test_reasons_are_shown_and_never_interpreted(lineward: Lineward, tmp_path: Path) -> None:
    path = tmp_path / "[red]\x1b[31m.json"
    path.write_text("[1]")
    done = lineward("ingest", path, "--data", tmp_path / "data")
    assert done.exit_code == 1
    assert "\x1b" not in done.stdout + done.stderr
    assert "[red]" in done.stdout.replace("\n", "")
