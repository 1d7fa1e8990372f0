"""`lineward policy baseline`: what is found today stops nothing until a date; what is new does."""

from typing import Any

import pytest

from tests.catalog.commands.company import Company, id_in
from tests.catalog.commands.conftest import training, write_log

NEW = "01a20d9f-d521-756a-9b89-bf22074eadd0"


@pytest.fixture
def ruled(company: Company) -> Company:
    company.enact_ours()
    return company


def baseline(company: Company, *options: str, who: str = "ann") -> Any:
    return company.run(who, "policy", "baseline", "--binding", "ours", *options)


def test_todays_findings_are_accepted_by_two_people(ruled: Company) -> None:
    assert ruled.gate().exit_code == 1
    done = baseline(ruled, "--until", "60d")
    assert done.exit_code == 0, done.stderr
    assert "house/H-1" in done.stderr
    assert "2 findings" in done.stderr
    assert "H-2" not in done.stderr  # people can approve today
    assert ruled.gate().exit_code == 1
    ruled.does("ben", "policy", "apply", "--confirm", id_in(done.stdout))
    waiting = ruled.gate()
    assert waiting.exit_code == 4
    assert "waived: H-1 (unknown without it) by baseline" in waiting.stdout
    ruled.approve("carl", "dora")
    assert ruled.gate().exit_code == 0


def test_what_comes_later_is_not_accepted(ruled: Company) -> None:
    proposal = id_in(baseline(ruled, "--until", "60d").stdout)
    ruled.does("ben", "policy", "apply", "--confirm", proposal)
    write_log(ruled.data, training(NEW, "registry", "3"))
    assert ruled.gate(version="3").exit_code == 1
    assert ruled.gate(version="2").exit_code == 4


def test_nothing_is_proposed_where_nothing_is_found(ruled: Company) -> None:
    ruled.name_owner("1")
    ruled.name_owner("2")
    done = baseline(ruled, "--until", "60d")
    assert done.exit_code == 0
    assert "Nothing is found" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--binding", "theirs", "--until", "60d"], "no binding theirs is in force"),
        (["--binding", "ours", "--until", "some day"], "--until some day is no time"),
        (["--binding", "ours", "--until", "2020-01-01"], "is not in the future"),
        (["--binding", "ours"], "Missing option '--until'"),
    ],
    ids=str,
)
def test_a_mistake_is_told(ruled: Company, arguments: list[str], what: str) -> None:
    done = ruled.run("ann", "policy", "baseline", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert what in done.stderr
