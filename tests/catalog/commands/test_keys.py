"""Keys in a folder that no server holds."""

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.authority.roll import Roll
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from tests.catalog.commands.conftest import Lineward


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def admin(lineward: Lineward, data: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The first key, of ann@example.org, set as the caller's own."""
    monkeypatch.delenv("LINEWARD_API_KEY", raising=False)
    made = lineward("keys", "create", "--bootstrap", "--owner", "Ann@example.org", "--data", data)
    assert made.exit_code == 0, made.stderr
    key = str(made.stdout).strip()
    monkeypatch.setenv("LINEWARD_API_KEY", key)
    return key


def told(done: Any) -> Any:
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_a_key_is_all_that_a_script_gets(lineward: Lineward, data: Path, admin: str) -> None:
    made = lineward("keys", "create", "--owner", "bob@example.org", "--scope", "lineage:read", "--data", data)
    assert made.stdout.startswith("lw_")
    assert made.stdout.count("\n") == 1
    assert "ACTIVE" in made.stderr
    assert made.stdout.strip() not in made.stderr


def test_only_the_first_key_is_made_by_nobody_in_particular(lineward: Lineward, data: Path, admin: str) -> None:
    again = lineward("keys", "create", "--bootstrap", "--owner", "eve@example.org", "--data", data)
    assert (again.exit_code, again.stdout) == (1, "")
    assert len(told(lineward("keys", "list", "--json", "--data", data))) == 1


@pytest.mark.parametrize("command", [["list"], ["create", "--owner", "e@x.y", "--scope", "admin"], ["revoke", "0"]])
@pytest.mark.parametrize("key", [None, "lw_000000000000_" + "0" * 64, "rubbish", "rub\nbish"])
def test_a_folder_with_keys_asks_for_one(
    lineward: Lineward, data: Path, admin: str, monkeypatch: pytest.MonkeyPatch, command: list[str], key: str | None
) -> None:
    if key is None:
        monkeypatch.delenv("LINEWARD_API_KEY")
    else:
        monkeypatch.setenv("LINEWARD_API_KEY", key)
    done = lineward("keys", *command, "--data", data)
    assert (done.exit_code != 0, done.stdout) == (True, "")
    assert "LINEWARD_API_KEY" in done.stderr
    with LogReader.open(data) as log:
        assert len(Roll(log).keys) == 1


def test_a_key_is_listed_without_its_secret(lineward: Lineward, data: Path, admin: str) -> None:
    options = ["--owner", "bob@example.org", "--scope", "ingest:write", "--scope", "attest", "--namespace", "team-*"]
    made = told(
        lineward("keys", "create", *options, "--role", "validator", "--expires", "2w", "--json", "--data", data)
    )
    listed = told(lineward("keys", "list", "--json", "--data", data))
    assert listed[1] == made["key"]
    assert (listed[1]["scopes"], listed[1]["roles"]) == (["ingest:write", "attest"], ["validator"])
    shown = lineward("keys", "list", "--data", data, env={"COLUMNS": "200"}).stdout
    assert "bob@example.org" in shown
    assert made["secret"].rsplit("_")[-1] not in shown + json.dumps(listed)


def test_two_administrators_let_a_third_person_approve(
    lineward: Lineward, data: Path, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = lineward("keys", "create", "--owner", "bob@example.org", "--scope", "admin", "--data", data).stdout.strip()
    made = lineward("keys", "create", "--owner", "carol@example.org", "--scope", "waive", "--data", data)
    key = made.stdout.split("_")[1]
    assert f"keys confirm {key}" in made.stderr
    assert lineward("keys", "confirm", key, "--data", data).exit_code != 0
    monkeypatch.setenv("LINEWARD_API_KEY", bob)
    assert told(lineward("keys", "confirm", key, "--json", "--data", data))["state"] == "ACTIVE"


def test_revoking_is_for_good(lineward: Lineward, data: Path, admin: str) -> None:
    made = told(lineward("keys", "create", "--owner", "b@x.y", "--scope", "attest", "--json", "--data", data))
    key = made["key"]["id"]
    assert told(lineward("keys", "revoke", key, "--json", "--data", data))["state"] == "REVOKED"
    assert "REVOKED" in lineward("keys", "revoke", key, "--data", data, env={"COLUMNS": "200"}).stdout
    assert lineward("keys", "revoke", admin.split("_")[1], "--data", data).exit_code != 0  # the last that administers


def test_who_somebody_is_can_be_said(lineward: Lineward, data: Path, admin: str) -> None:
    said = lineward("keys", "identify", "email:Ann@Home.example", "ann@example.org", "--data", data)
    assert said.stdout == "email:ann@home.example is ann@example.org\n"
    with LogReader.open(data) as log:
        assert Roll(log).persons.person_of("email:ann@home.example") == "ann@example.org"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["create", "--scope", "admin"], "Missing option '--owner'"),
        (["create", "--owner", "ann@example.org"], "/scopes is wrong"),
        (["create", "--owner", "ann", "--scope", "attest"], "names no person"),
        (["create", "--owner", "a@b.c", "--scope", "everything"], "/scopes/0 is wrong"),
        (["create", "--owner", "a@b.c", "--scope", "attest", "--expires", "soon"], "--expires soon is no time"),
        (["create", "--owner", "a@b.c", "--scope", "attest", "--expires", "0d"], "in the past"),
        (["revoke", "000000000000"], "There is no key 000000000000"),
        (["identify", "ann", "ann@example.org"], "no alias"),
        (["identify", "email:a@b.c", "ann"], "names no person"),
    ],
    ids=str,
)
def test_a_mistake_is_two_lines_and_code_2(
    lineward: Lineward, data: Path, admin: str, arguments: list[str], what: str
) -> None:
    done = lineward("keys", *arguments, "--data", data)
    assert (done.exit_code, done.stdout) == (2, "")
    said, _remedy = done.stderr.splitlines()
    assert what in said


def test_a_folder_without_a_log_is_not_made_by_looking(lineward: Lineward, data: Path) -> None:
    assert lineward("keys", "list", "--data", data).exit_code == 2
    assert not data.exists()


def test_a_first_key_is_never_made_at_a_server(lineward: Lineward, data: Path) -> None:
    url = "http://127.0.0.1:9"
    assert lineward("keys", "create", "--bootstrap", "--owner", "a@b.c", "--url", url).exit_code == 2
    assert lineward("keys", "list", "--url", url).exit_code == 3


def test_a_log_that_is_being_written_is_told(lineward: Lineward, data: Path, admin: str) -> None:
    with LogStore.open(data):
        done = lineward("keys", "create", "--owner", "a@b.c", "--scope", "attest", "--data", data)
    assert done.exit_code == 3
    assert "--url" in done.stderr
