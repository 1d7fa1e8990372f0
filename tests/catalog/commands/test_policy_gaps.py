"""`lineward policy gaps`: each field that is missing, who could send it, and what to paste."""

import json
import shlex
from typing import Any

from tests.catalog.commands.company import Company


def gaps(company: Company, *options: str) -> Any:
    done = company.run("pipe", "policy", "gaps", "risk@1", *options)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_what_the_binding_asks_for_is_listed_with_a_command_that_fills_it(company: Company) -> None:
    company.enact_ours()
    (gap,) = [
        each for each in json.loads(gaps(company, "--env", "production", "--json")) if each["path"] == "subject.owner"
    ]
    assert gap["controls"] == ["H-1"]
    (command,) = [each["snippet"] for each in gap["senders"] if each["name"] == "inventory"]
    words = shlex.split(command)
    assert words[0] == "lineward"
    company.does("carl", *words[1:])
    assert "subject.owner" not in gaps(company, "--env", "production")
    assert company.gate().exit_code == 4


def test_without_a_pack_or_an_environment_the_base_pack_asks(company: Company) -> None:
    shown = gaps(company)
    assert "trainingRuns.code.commit of train  [B-01]" in shown
    assert "facet sourceCodeLocation (version)" in shown
    assert "SourceCodeLocationJobFacet(" in shown
    assert "UNKNOWN_PRODUCER" in shown


def test_only_the_named_packs_ask(company: Company) -> None:
    company.enact_ours()
    found = json.loads(gaps(company, "--pack", "house", "--json"))
    assert {control for each in found for control in each["controls"]} <= {"H-1", "H-2"}


def test_nothing_of_that_name_is_a_mistake(company: Company) -> None:
    done = company.run("pipe", "policy", "gaps", "risk@9")
    assert (done.exit_code, done.stdout) == (2, "")


def test_where_no_pack_asks_that_is_said_and_not_that_nothing_is_missing(company: Company) -> None:
    done = company.run("pipe", "policy", "gaps", "risk@1", "--env", "production")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no binding in force" in done.stderr
