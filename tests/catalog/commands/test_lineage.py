"""`lineward lineage`: naming a node, and answers in every form from a folder and from a server."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from catalog.commands import remote
from catalog.commands.reference import Reference
from catalog.composition import open_data
from catalog.errors import InvalidInputError
from catalog.model import DatasetRef, NodeRef
from catalog.settings import Settings
from catalog_graphql.application import create_graphql
from tests.catalog.commands.conftest import OTHER, TRAIN, Lineward, training, write_log
from tests.catalog.commands.test_cli import two_lines

RISK = ("--namespace", "registry", "--model", "risk", "--version", "1")


@pytest.fixture
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The GraphQL application over the folder, in place of the network."""
    with open_data(Settings(data=folder)) as data:
        data.project()
        routes = [Route("/graphql", create_graphql(data.access, data.log.entry))]
        client = TestClient(Starlette(routes=routes))
        monkeypatch.setattr(remote, "asking_client", lambda url: client)
        yield


# Which node --------------------------------------------------------------------------------------------------


@given(st.text(min_size=1), st.text(min_size=1).filter(lambda text: "@" not in text))
def test_the_shorthand_is_split_at_its_last_at(name: str, version: str) -> None:
    assert Reference(shorthand=f"{name}@{version}").name_and_version() == (name, version)


@given(st.text(), st.text(), st.text())
def test_names_given_by_option_are_taken_whole(namespace: str, name: str, version: str) -> None:
    given = Reference(namespace=namespace, model=name, version=version)
    assert given.node() == NodeRef(model=DatasetRef(namespace, name, version))


@pytest.mark.parametrize(
    "given",
    [
        Reference(),
        Reference(shorthand="a@1", run=TRAIN),
        Reference(model="a", dataset="b", namespace="n"),
        Reference(model="a"),
        Reference(namespace="n"),
        Reference(namespace="n", run=TRAIN),
        Reference(id="x", version="1"),
        Reference(namespace="n", job="j", version="1"),
        Reference(namespace="n", model="m", column="c"),
    ],
    ids=str,
)
def test_a_reference_names_exactly_one_node(given: Reference) -> None:
    with pytest.raises(InvalidInputError):
        given.node()


def test_the_shorthand_finds_the_one_model_of_that_name(lineward: Lineward, folder: Path) -> None:
    done = lineward("lineage", "risk@1", "--data", folder)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("◆ risk@1  model")
    assert TRAIN in done.stdout


def test_the_shorthand_lists_the_candidates_where_there_are_several(lineward: Lineward, folder: Path) -> None:
    write_log(folder, training(OTHER, "staging", "1"))
    done = lineward("lineage", "risk@1", "--data", folder)
    assert done.exit_code == 2
    what, remedy = two_lines(done.stderr)
    assert what.endswith("a model risk: registry, staging.")
    assert "--namespace" in remedy


@pytest.mark.parametrize("named", ["nothing@1", "risk@9", "risk"])
def test_a_name_of_nothing_is_a_usage_error(lineward: Lineward, folder: Path, named: str) -> None:
    done = lineward("lineage", named, "--data", folder)
    assert done.exit_code == 2
    two_lines(done.stderr)


# Where it is read --------------------------------------------------------------------------------------------


def test_a_folder_without_a_log_is_told(lineward: Lineward, tmp_path: Path) -> None:
    done = lineward("lineage", "risk@1", "--data", tmp_path)
    assert done.exit_code == 2
    assert "there is no log" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_server_that_does_not_answer_is_not_decidable(lineward: Lineward) -> None:
    done = lineward("lineage", "risk@1", "--url", "http://127.0.0.1:1")
    assert done.exit_code == 3
    what, remedy = two_lines(done.stderr)
    assert what.startswith("http://127.0.0.1:1 does not answer")
    assert "lineward serve" in remedy


@pytest.mark.parametrize("url", ["nonsense", "ftp://host", "http://"])
def test_what_is_no_address_is_a_usage_error(lineward: Lineward, url: str) -> None:
    assert lineward("lineage", "risk@1", "--url", url).exit_code == 2


def test_a_flag_wins_over_a_variable(lineward: Lineward, folder: Path) -> None:
    elsewhere = {"LINEWARD_URL": "http://127.0.0.1:1", "LINEWARD_DATA": "/nowhere"}
    assert lineward("lineage", "risk@1", "--data", folder, env=elsewhere).exit_code == 0
    assert lineward("lineage", "risk@1", env={"LINEWARD_DATA": str(folder)}).exit_code == 0
    both = lineward("lineage", "risk@1", "--data", folder, "--url", "http://127.0.0.1:1")
    assert both.exit_code == 2


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("grain", ["run", "job", "field"])
def test_a_server_and_its_folder_give_the_same_document(lineward: Lineward, folder: Path, grain: str) -> None:
    asked = ("lineage", *RISK, "--grain", grain, "--direction", "both", "--format", "json")
    here, there = lineward(*asked, "--data", folder), lineward(*asked, "--url", "http://test")
    assert (here.exit_code, there.exit_code) == (0, 0), there.stderr
    assert json.loads(there.stdout) == json.loads(here.stdout)


@pytest.mark.usefixtures("server")
def test_a_server_resolves_the_shorthand_and_names_its_mistakes(lineward: Lineward) -> None:
    assert lineward("lineage", "risk@1", "--url", "http://test").exit_code == 0
    for named in ("risk@9", "nothing@1"):
        done = lineward("lineage", named, "--url", "http://test")
        assert done.exit_code == 2
        two_lines(done.stderr)


# What is shown -----------------------------------------------------------------------------------------------


def test_the_walk_is_the_one_asked_for(lineward: Lineward, folder: Path) -> None:
    file = ("--namespace", "file", "--dataset", "train.csv", "--format", "json", "--data", folder)
    upstream = json.loads(lineward("lineage", *file).stdout)
    downstream = json.loads(lineward("lineage", *file, "--direction", "downstream").stdout)
    assert [node["kind"] for node in upstream["nodes"]] == ["DATASET"]
    assert downstream["root"]["kind"] == "DATASET"
    jobs = json.loads(lineward("lineage", *file, "--direction", "downstream", "--grain", "job").stdout)
    assert [node["kind"] for node in jobs["nodes"]] == ["DATASET", "MODEL", "JOB"] or {
        node["kind"] for node in jobs["nodes"]
    } == {"DATASET", "JOB", "MODEL"}


def test_the_past_is_answered_as_it_was(lineward: Lineward, folder: Path) -> None:
    asked = ("lineage", *RISK, "--format", "json", "--data", folder)
    before = lineward(*asked, "--known", "1")
    assert before.exit_code == 2
    now = json.loads(lineward(*asked, "--valid", "2026-03-01T09:00:10Z").stdout)
    assert now["snapshot"]["valid"] == "2026-03-01T09:00:10.000000Z"
    assert lineward(*asked, "--valid", "2026-03-01").exit_code == 2
    assert lineward(*asked, "--valid", "yesterday").exit_code == 2


def test_every_form_can_be_written_to_a_file(lineward: Lineward, folder: Path, tmp_path: Path) -> None:
    forms = {"a.svg": "<svg", "a.json": "{", "a.dot": "digraph", "a.mmd": "flowchart", "a.txt": "◆ risk@1"}
    for name, beginning in forms.items():
        done = lineward("lineage", "risk@1", "--data", folder, "-o", tmp_path / name)
        assert (done.exit_code, done.stdout) == (0, "")
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(beginning)
    ElementTree.parse(tmp_path / "a.svg")


def test_a_file_that_cannot_be_written_is_told(lineward: Lineward, folder: Path, tmp_path: Path) -> None:
    done = lineward("lineage", "risk@1", "--data", folder, "-o", tmp_path / "no" / "a.svg")
    assert done.exit_code == 2
    two_lines(done.stderr)
