"""`lineward policy apply`: one person proposes, another confirms."""

import json
from pathlib import Path

import pytest

from policies.library import FOLDER
from tests.catalog.commands.company import BINDING, PACK, Company, id_in
from tests.catalog.commands.conftest import Lineward


def test_what_is_built_in_comes_into_force_by_its_name(company: Company) -> None:
    done = company.run("ann", "policy", "apply", "base-ml-governance", "starter", "--reason", "day one")
    assert done.exit_code == 0, done.stderr
    assert "base-ml-governance@1.0.0" in done.stderr
    assert "starter sha256:" in done.stderr
    proposal = id_in(done.stdout)
    assert f"lineward policy apply --confirm {proposal} --data" in done.stdout
    assert "IN FORCE" in company.does("ben", "policy", "apply", "--confirm", proposal)
    assert company.gate().exit_code == 1


def test_nothing_is_in_force_before_a_second_person_agrees(company: Company) -> None:
    files = [company.written("house.yaml", PACK), company.written("ours.yaml", BINDING)]
    proposal = json.loads(company.does("ann", "policy", "apply", *files, "--json"))
    assert proposal["verb"] == "proposePolicy"
    assert "confirmedBy" not in proposal
    assert company.gate().exit_code == 3
    own = company.run("ann", "policy", "apply", "--confirm", proposal["id"])
    assert own.exit_code == 3
    assert "ann@example.org proposed this" in own.stderr
    done = company.run("ben", "policy", "apply", "--confirm", proposal["id"], "--json")
    (digest,) = [line.split()[-1] for line in own.stderr.splitlines() if "PolicyPack" in line]
    assert "ann@example.org" in done.stderr
    assert f"house@1.0.0 (reviewed) {digest}" in done.stderr
    confirmed = json.loads(done.stdout)
    assert confirmed["confirmedBy"] == "ben@example.org"
    assert company.gate().exit_code == 1


def test_what_is_in_force_is_retired_the_same_way(company: Company) -> None:
    company.enact_ours()
    company.does(
        "ben", "policy", "apply", "--confirm", id_in(company.does("ann", "policy", "apply", "--retire", "ours"))
    )
    assert company.gate().exit_code == 3


def test_on_one_laptop_nobody_confirms_what_they_proposed(lineward: Lineward, folder: Path) -> None:
    """Everybody is `local` there: one person."""
    proposed = lineward("policy", "apply", "base-ml-governance", "starter", "--data", folder)
    assert proposed.exit_code == 0, proposed.stderr
    done = lineward("policy", "apply", "--confirm", id_in(proposed.stdout), "--data", folder)
    assert done.exit_code == 3


def test_a_mistake_in_a_pack_is_told_with_its_line_and_proposes_nothing(company: Company) -> None:
    wrong = company.written("wrong.yaml", PACK.replace("has(subject.owner)", "has(subject.ownr)"))
    done = company.run("ann", "policy", "apply", wrong)
    assert (done.exit_code, done.stdout) == (2, "")
    line = 1 + PACK.split("has(subject.owner)")[0].count("\n")
    assert f"wrong.yaml:{line}:" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "nothing is named"),
        (["nowhere.yaml"], "neither a file nor a built-in pack nowhere.yaml"),
        (["starter"], "No pack base-ml-governance is in force"),
        (["--retire", "nothing"], "Nothing called nothing is in force"),
        (["--confirm", "po_1"], "No proposal has the id po_1"),
        (["starter", "--confirm", "po_1"], "cannot be given with --confirm"),
        (["starter", "--retire", "x"], "cannot be given with --retire"),
    ],
    ids=str,
)
def test_a_mistake_is_told(company: Company, arguments: list[str], what: str) -> None:
    done = company.run("ann", "policy", "apply", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert what in done.stderr


def test_every_binding_that_comes_along_can_be_named(company: Company) -> None:
    for binding in (FOLDER.parent / "bindings").glob("*.yaml"):
        done = company.run("ann", "policy", "apply", "base-ml-governance", binding.stem)
        assert done.exit_code == 0, done.stderr


def test_what_is_in_force_is_listed_for_any_time(company: Company) -> None:
    assert "Nothing is in force" in company.does("ann", "policy", "list", "--in-force")
    company.enact_ours()
    assert company.does("ann", "policy", "list", "--in-force").splitlines() == [
        "pack     house@1.0.0",
        "binding  ours: house for production",
    ]
    assert "Nothing is in force" in company.does("ann", "policy", "list", "--in-force", "--at", "2020-01-01")
