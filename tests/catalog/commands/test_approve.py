"""`lineward approve`: what is bound is shown, and is what was shown."""

import json
from typing import Any

import pytest

from catalog.commands import acts
from tests.catalog.commands.company import Company
from tests.catalog.commands.conftest import TRAIN, event, write_log


def learn(company: Company) -> None:
    """A late event adds an input to the training run."""
    late = {"namespace": "file", "name": "late.csv"}
    write_log(company.data, [event(TRAIN, "COMPLETE", "2026-03-01T09:00:20Z", inputs=[late])])


def approve(company: Company, who: str = "carl", *options: str, **more: Any) -> Any:
    return company.run(who, "approve", "risk@1", "--env", "production", *options, **more)


def told(done: Any) -> dict[str, Any]:
    assert done.exit_code == 0, done.stderr
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def bound(done: Any) -> str:
    """The closure digest that was shown."""
    (line,) = [line for line in done.stderr.splitlines() if line.strip().startswith("made of")]
    return str(line.split()[-1])


def test_it_shows_version_digest_and_environment_and_binds_just_that(company: Company) -> None:
    done = approve(company, "carl", "--json", "--condition", "watch it", "--valid-until", "90d", "--use", "loans")
    approval = told(done)
    shown = done.stderr
    assert "risk@1 in registry" in shown
    assert "production" in shown
    assert "watch it" in shown
    assert "loans" in shown
    assert approval["closureDigest"] == bound(done)
    assert (approval["state"], approval["by"]) == ("STANDING", "carl@example.org")
    assert approval["until"]


def test_saying_the_same_twice_is_one_approval(company: Company) -> None:
    assert told(approve(company, "carl", "--json")) == told(approve(company, "carl", "--json"))


def test_an_approval_of_what_it_no_longer_is_is_refused(company: Company) -> None:
    seen = bound(approve(company, "carl"))
    learn(company)
    done = approve(company, "dora", "--expects", seen)
    assert done.exit_code == 3
    assert "not what was looked at any more" in done.stderr
    assert "late.csv" in done.stderr


def test_who_reaffirms_sees_what_has_changed(company: Company) -> None:
    first = told(approve(company, "carl", "--json"))
    learn(company)
    done = approve(company, "carl", "--reaffirms", first["id"], "--json")
    assert "since then" in done.stderr
    assert "late.csv" in done.stderr
    assert told(done)["closureDigest"] != first["closureDigest"]
    unknown = approve(company, "carl", "--reaffirms", "ap_nothing")
    assert unknown.exit_code == 2


def test_an_approval_is_taken_back_with_a_reason(company: Company) -> None:
    approval = told(approve(company, "carl", "--json"))
    assert company.run("carl", "approve", "--revoke", approval["id"]).exit_code == 2
    revoked = told(company.run("carl", "approve", "--revoke", approval["id"], "--reason", "a mistake", "--json"))
    assert (revoked["id"], revoked["state"]) == (approval["id"], "REVOKED")
    again = company.run("carl", "approve", "--revoke", approval["id"], "--reason", "a mistake")
    assert again.exit_code == 3


def test_on_a_terminal_it_asks_first(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts, "is_watched", lambda: True)
    refused = approve(company, "carl", input="n\n")
    assert refused.exit_code == 1
    assert "Nothing was done" in refused.stderr
    assert approve(company, "carl", input="y\n").exit_code == 0
    assert approve(company, "dora", "--yes").exit_code == 0


def test_a_key_that_may_not_judge_still_approves_and_is_told_what_it_bound(company: Company) -> None:
    made = company.does(
        "ann", "keys", "create", "--owner", "erin@example.org", "--scope", "approve", "--scope", "lineage:read"
    )
    key = made.strip()
    company.does("ben", "keys", "confirm", key.split("_")[1])
    done = approve(company, "carl", env={"LINEWARD_API_KEY": key})
    assert done.exit_code == 0, done.stderr
    assert "policy:evaluate" in done.stderr
    assert "made of sha256:" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["risk@1"], "--env is missing"),
        (["--env", "production"], "no node is named"),
        (["risk@7", "--env", "production"], "Nothing in the catalog has that name"),
        (["risk@1", "--env", "production", "--valid-until", "never"], "--valid-until never is no time"),
        (["risk@1", "--env", "production", "--revoke", "ap_1", "--reason", "x"], "cannot be given with --revoke"),
        (["--namespace", "registry", "--model", "risk", "--env", "production"], "which no policy judges"),
    ],
    ids=str,
)
def test_a_mistake_is_told_and_nothing_is_bound(company: Company, arguments: list[str], what: str) -> None:
    done = company.run("carl", "approve", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert what in done.stderr


def test_nobody_approves_without_the_right_to(company: Company) -> None:
    done = company.run("pipe", "approve", "risk@1", "--env", "production")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "may not approve" in done.stderr
