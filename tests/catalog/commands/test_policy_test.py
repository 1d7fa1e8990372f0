"""`lineward policy test`: a pack on every version, against the one in force."""

import csv
import io
import json
from typing import Any

from tests.catalog.commands.company import PACK, Company

STRICTER = PACK.replace("version: 1.0.0", "version: 2.0.0").replace(
    "has(subject.owner), missing", "has(subject.ownerUnit), missing"
)
LOOSER = PACK.replace("version: 1.0.0", "version: 1.1.0").replace(
    "has(subject.owner), missing", "has(subject.name), missing"
)
LOOSER = LOOSER.replace("subject.owner != ''", "subject.name != ''")


def matrix(done: Any) -> dict[str, dict[str, Any]]:
    """By NAME@VERSION and control."""
    content = json.loads(done.stdout)
    return {
        f"{row['name']}@{row['version']}": {each["control"]: each for each in row["controls"]}
        for row in content["versions"]
    }


def test_a_stricter_pack_says_what_would_newly_fail_and_ends_with_1(company: Company) -> None:
    company.enact_ours()
    company.name_owner()
    file = company.written("stricter.yaml", STRICTER)
    done = company.run("pipe", "policy", "test", file, "--env", "production", "--json")
    assert done.exit_code == 1
    found = matrix(done)
    assert found["risk@1"]["H-1"] == {
        "control": "H-1", "verdict": "unknown", "before": "pass", "change": "newly fails",
    }  # fmt: skip
    assert found["risk@2"]["H-1"]["change"] is None  # it was not known before either
    assert found["risk@1"]["H-2"]["change"] is None
    shown = company.run("pipe", "policy", "test", file, "--env", "production")
    assert "newly fails: risk@1 H-1 unknown (was pass)" in shown.stdout
    assert "house@2.0.0 would newly fail 1 times" in shown.stderr


def test_a_looser_pack_says_what_would_newly_pass(company: Company) -> None:
    company.enact_ours()
    done = company.run("pipe", "policy", "test", company.written("looser.yaml", LOOSER))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("newly passes: risk@") == 2


def test_without_one_in_force_whatever_fails_is_new(company: Company) -> None:
    done = company.run("pipe", "policy", "test", company.written("house.yaml", PACK), "--latest", "--csv")
    assert done.exit_code == 1
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["model"], row["control"], row["change"]) for row in rows] == [
        ("risk", "H-1", "newly fails"), ("risk", "H-2", "newly fails"),
    ]  # fmt: skip


def test_the_pack_in_force_is_tried_by_its_name(company: Company) -> None:
    company.enact_ours()
    done = company.run("pipe", "policy", "test", "house", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["pack"] == "house@1.0.0"
    assert set(matrix(done)) == {"risk@1", "risk@2"}


def test_the_pack_in_force_changes_nothing_whoever_asks(company: Company) -> None:
    company.enact_ours()
    company.approve("carl", "dora")
    done = company.run("carl", "policy", "test", company.folder / "house.yaml", "--env", "production")
    assert (done.exit_code, "newly" in done.stdout.replace("! newly fails, + newly passes", "")) == (0, False)


def test_it_is_tried_as_of_a_date(company: Company) -> None:
    company.enact_ours()
    company.name_owner()
    file = company.written("house.yaml", PACK)
    before = company.run("pipe", "policy", "test", file, "--at", "2026-03-02", "--json")
    assert json.loads(before.stdout)["inForce"] is None
    assert matrix(before)["risk@1"]["H-1"]["verdict"] == "unknown"
    assert company.run("pipe", "policy", "test", file, "--at", "2026-01-01", "--json").stdout.count('"risk"') == 0


def test_the_params_of_the_binding_are_those_of_the_candidate_too(company: Company) -> None:
    company.enact_ours()
    company.enact(
        company.written(
            "one.yaml",
            "apiVersion: lineward.dev/v1\nkind: PolicyBinding\nmetadata: {name: ours}\nenvironments: [production]\n"
            "packs: [{name: house}]\nparams: {house: {approvers: 1}}\n",
        )
    )
    company.name_owner()
    company.approve("carl")
    file = company.written("house.yaml", PACK)
    bound = matrix(company.run("pipe", "policy", "test", file, "--env", "production", "--json"))
    assert bound["risk@1"]["H-2"]["verdict"] == "pass"
    assert bound["risk@2"]["H-2"]["verdict"] == "fail"


def test_what_is_no_pack_is_told(company: Company) -> None:
    done = company.run("pipe", "policy", "test", "nothing")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "neither a file nor a built-in pack nothing" in done.stderr
