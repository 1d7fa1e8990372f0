"""`lineward waive`: one control, one version, two people, an end."""

import json
from typing import Any

import pytest

from tests.catalog.commands.company import Company, id_in

WHAT = [
    "--pack",
    "house",
    "--control",
    "H-1",
    "--reason",
    "the owner left",
    "--compensating-control",
    "checked by hand",
]


@pytest.fixture
def ruled(company: Company) -> Company:
    company.enact_ours()
    return company


def waive(company: Company, *options: str, who: str = "carl") -> Any:
    return company.run(who, "waive", "risk@1", *WHAT, *options)


def test_two_people_waive_and_the_first_is_told_what_the_second_has_to_run(ruled: Company) -> None:
    done = waive(ruled, "--expires", "9d")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("PROPOSED  waiver wv_") or "PROPOSED  waiver " in done.stdout
    waiver = id_in(done.stdout)
    assert f"lineward waive --countersign {waiver} --data" in done.stdout
    assert "H-1 of house" in done.stderr
    assert ruled.run("carl", "waive", "--countersign", waiver).exit_code == 3
    agreed = ruled.run("dora", "waive", "--countersign", waiver, "--json")
    for shown in ("carl@example.org", "risk@1 in registry", "H-1 of house", "the owner left", "checked by hand"):
        assert shown in agreed.stderr
    signed = json.loads(agreed.stdout)
    assert (signed["state"], signed["by"], signed["second"]) == ("STANDING", "carl@example.org", "dora@example.org")
    assert signed["until"]


def test_breaking_the_glass_takes_one_person_for_a_day(ruled: Company) -> None:
    assert waive(ruled, "--expires", "3d", "--break-glass").exit_code == 2
    done = waive(ruled, "--expires", "12h", "--break-glass")
    assert done.stdout.startswith("STANDING")


def test_a_waiver_is_ended(ruled: Company) -> None:
    waiver = id_in(waive(ruled, "--expires", "9d").stdout)
    assert "REVOKED" in ruled.does("dora", "waive", "--revoke", waiver, "--reason", "no longer needed")
    assert ruled.run("dora", "waive", "--countersign", waiver).exit_code == 3


def test_a_control_that_cannot_be_waived_is_refused(ruled: Company) -> None:
    done = ruled.run("carl", "waive", "risk@1", *["H-2" if each == "H-1" else each for each in WHAT], "--expires", "9d")
    assert done.exit_code == 3
    assert "H-2 cannot be waived" in done.stderr


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (WHAT, "--expires is missing"),
        ([*WHAT, "--expires", "5y"], "--expires 5y is no time"),
        ([*WHAT, "--expires", "2020-01-01"], "is not in the future"),
        ([*WHAT[2:], "--expires", "9d"], "--pack is missing"),
        ([*WHAT[:2], *WHAT[4:], "--expires", "9d"], "--control is missing"),
        ([*WHAT[:6], "--expires", "9d"], "--compensating-control is missing"),
        ([*WHAT[:4], *WHAT[6:], "--expires", "9d"], "--reason is missing"),
        ([*WHAT[:2], "--control", "H-9", *WHAT[4:], "--expires", "9d"], "has no control H-9"),
        ([*WHAT, "--countersign", "wv_1"], "cannot be given with --countersign"),
    ],
    ids=str,
)
def test_a_mistake_is_told(ruled: Company, options: list[str], what: str) -> None:
    done = ruled.run("carl", "waive", "risk@1", *options)
    assert (done.exit_code, done.stdout) == (2, "")
    assert what in done.stderr
