"""`lineward demo` from an empty folder: three answers, a release, and data that every command can look into."""

import json
import re
import shlex
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from catalog.composition import open_data
from catalog.settings import Settings
from policies.lapse import GateStanding, gated
from tests.end_to_end.server_process import lineward

SCORING = ("--namespace", "credit-risk", "--job", "scoring", "--depth", "10")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The data that it left, and what it said."""
    folder = tmp_path_factory.mktemp("demo")
    done = lineward("demo", "--no-serve", "--data", folder)
    assert done.returncode == 0, done.stderr
    return folder / "data", done.stdout


def commands(said: str) -> list[list[str]]:
    """Those that it names for asking again, without the address of a server that has ended."""
    lines = re.findall(r"^\$ lineward lineage .*$", said, re.M)
    return [shlex.split(line.partition(" --url ")[0])[2:] for line in lines]


def part(said: str, number: int) -> str:
    """What it says under one of its headings."""
    return re.split(r"^[1-6]\. ", said, flags=re.M)[number]


def lineage(data: Path, *options: str) -> str:
    found = lineward("lineage", *options, "--data", data)
    assert found.returncode == 0, found.stderr
    return found.stdout


def served(answer: str) -> set[str]:
    """The versions of the model in an answer."""
    nodes: list[dict[str, Any]] = json.loads(answer)["nodes"]
    return {node["version"] for node in nodes if node["kind"] == "MODEL_VERSION"}


def test_each_of_three_questions_has_its_answer(demo: tuple[Path, str]) -> None:
    where, production, columns = (part(demo[1], number) for number in (1, 2, 3))
    assert re.search(r"^model version +credit-risk@2 ", where, re.M)
    assert re.search(r"^training data +train\.csv@sha256:", where, re.M)
    assert re.search(r"^scoring +credit-risk@1 +primary ", production, re.M)
    assert re.search(r"^PROTECTED +.*age_group → credit-risk@2", columns, re.M)


def test_version_2_is_denied_for_the_protected_column(demo: tuple[Path, str]) -> None:
    denied = part(demo[1], 4)
    assert re.search(r"^IN FORCE .*proposed by ada@bank.example, confirmed by ben@bank.example", denied, re.M)
    assert re.search(r"^DENY +credit-risk@2 → production", denied, re.M)
    assert re.search(r"^B-13 +fail +column age of applications.csv reaches the model", denied, re.M)


def test_version_3_waits_for_two_people_and_is_allowed(demo: tuple[Path, str]) -> None:
    corrected = part(demo[1], 5)
    states = re.findall(r"^(DENY|PENDING|ALLOW|STANDING|INDETERMINATE) ", corrected, re.M)
    assert states == ["PENDING", "STANDING", "STANDING", "ALLOW"]
    assert "B-13" not in corrected


def test_its_decision_verifies_and_replays_offline(demo: tuple[Path, str]) -> None:
    assert "The decision is genuine." in part(demo[1], 6)
    folder = demo[0].parent
    key = folder / "data" / "signing-key.pub.pem"
    for check in (("verify", folder / "decision.json", "--key", key), ("replay", folder / "decision.json")):
        done = lineward("decision", *check)
        assert done.returncode == 0, done.stderr


def test_what_was_deployed_before_the_gate_is_told_from_what_it_allowed(demo: tuple[Path, str]) -> None:
    with open_data(Settings(data=demo[0])) as data:
        data.project()
        with data.access.reading() as reading:
            found = {
                node.label: gated(reading, each).state
                for each in reading.deployments("production")
                if (node := reading.node(each.model_version))
            }
    assert found == {"1": GateStanding.UNGATED, "2": GateStanding.UNGATED, "3": GateStanding.GATED}


def test_the_commands_that_it_names_work_on_what_it_left(demo: tuple[Path, str]) -> None:
    data, said = demo
    named = commands(said)
    assert len(named) == 3
    for options in named:
        assert "credit-risk" in lineage(data, *options[1:])


def test_before_the_rollout_the_earlier_version_was_served(demo: tuple[Path, str]) -> None:
    data, said = demo
    before = next(options for options in commands(said) if "--valid" in options)
    assert served(lineage(data, *before[1:], "--format", "json")) == {"1"}
    assert "3" in served(lineage(data, *SCORING, "--format", "json"))


def test_the_lineage_of_the_service_has_every_form(demo: tuple[Path, str]) -> None:
    forms = {form: lineage(demo[0], *SCORING, "--format", form) for form in ("tree", "json", "dot", "mermaid", "svg")}
    assert all("credit-risk" in text and "train.csv" in text for text in forms.values())
    assert json.loads(forms["json"])["edges"]
    assert ElementTree.fromstring(forms["svg"]).tag == "{http://www.w3.org/2000/svg}svg"
    assert forms["dot"].startswith("digraph")
    assert forms["mermaid"].startswith(("flowchart", "graph", "---", "%%"))


def test_its_log_verifies_and_its_graph_equals_a_rebuild(demo: tuple[Path, str]) -> None:
    for check in (("verify", demo[0]), ("rebuild", "--verify", "--data", demo[0])):
        done = lineward(*check)
        assert done.returncode == 0, done.stderr
