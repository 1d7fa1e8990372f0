"""`lineward demo`: its folder, and the answers to its questions about what the example really did."""

import json
import socket
from io import StringIO
from pathlib import Path
from typing import cast

import httpx
import pytest
from rich.console import Console
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from catalog.commands import remote
from catalog.commands.child import free_port
from catalog.commands.happening import Happening
from catalog.commands.questions import answer_all
from catalog.composition import open_data
from catalog.errors import InvalidInputError
from catalog.log.reader import LogReader
from catalog.log.writer import microseconds_now
from catalog.settings import Settings
from catalog_graphql.application import create_graphql
from examples.credit_risk.service import Summary, run
from tests.catalog.commands.conftest import Lineward, write_log
from tests.catalog.commands.test_cli import two_lines
from tests.ingest.producer.collector import Collector


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """The example, run; and a folder with all that it reported."""
    folder = tmp_path_factory.mktemp("demo")
    collector = Collector()
    subject = run(folder / "work", collector.url)
    collector.close()
    write_log(folder / "data", [json.loads(body) for body in collector.bodies], microseconds_now())
    return folder / "data", subject


@pytest.fixture
def said(done: tuple[Path, Summary], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is printed for each of the questions."""
    data, subject = done
    console = Console(file=StringIO(), width=200, highlight=False)
    with open_data(Settings(data=data)) as folder:
        folder.project()
        client = TestClient(Starlette(routes=[Route("/graphql", create_graphql(folder.access, folder.log.entry))]))
        monkeypatch.setattr("catalog.commands.questions.RemoteCatalogue.connect", lambda url: Opened(client))
        answer_all(console, "http://test", subject)
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    return [text[text.index(f"\n{n}. ") : text.index(f"\n{n + 1}. ") if n < 3 else None] for n in (1, 2, 3)]


class Opened:
    """A connection that is there already."""

    def __init__(self, client: TestClient) -> None:
        self._server = remote.RemoteCatalogue(cast(httpx.Client, client))  # it has the same methods

    def __enter__(self) -> remote.RemoteCatalogue:
        return self._server

    def __exit__(self, *_: object) -> None:
        return


def row(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(name))


def test_the_prediction_leads_to_its_version_run_code_parameters_and_data(said: list[str]) -> None:
    text = said[0]
    assert "credit-risk@2" in row(text, "model version")
    assert "train " in row(text, "training run")
    assert "gradient_boosting" in row(text, "parameters")
    assert "train.csv@sha256:" in row(text, "training data")
    assert "roc_auc" in row(text, "metrics")
    assert "unknown" in row(text, "approver")


def test_the_version_of_that_moment_was_in_production(said: list[str]) -> None:
    assert "credit-risk@1  primary" in row(said[1], "scoring")


def test_the_protected_column_that_was_kept_is_shown_on_its_way(said: list[str]) -> None:
    marked = [line for line in said[2].splitlines() if line.startswith("PROTECTED")]
    assert len(marked) == 1
    assert "applications.csv:age → features.csv:age_group → train.csv:age_group → credit-risk@2" in marked[0]
    assert "Protected, and it reaches the model: age." in said[2]
    assert "sex" not in said[2]


def test_each_question_says_how_to_repeat_it(said: list[str]) -> None:
    for text in said:
        assert "POST http://test/graphql" in text
        assert "\n$ lineward lineage --namespace " in text


def test_each_run_that_ends_is_a_line(done: tuple[Path, Summary]) -> None:
    console = Console(file=StringIO(), width=200, highlight=False)
    with LogReader.open(done[0]) as log:
        happening = Happening(log, console)
        happening.show()
        happening.show()
        assert happening.seen == log.size()
    assert isinstance(console.file, StringIO)
    jobs = [line.split()[1] for line in console.file.getvalue().splitlines()]
    assert jobs == ["ingest", "features", "split", "train", "train", "evaluate", "evaluate", "scoring"]


def test_a_folder_that_holds_something_is_left_alone(lineward: Lineward, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    done = lineward("demo", "--no-serve", "--data", tmp_path)
    assert done.exit_code == 2
    two_lines(done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder, pytest.raises(InvalidInputError):
        free_port(holder.getsockname()[1])
    assert 0 < free_port(None) < 65536
