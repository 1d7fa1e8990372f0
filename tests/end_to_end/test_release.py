"""One release from its denial to an allow that anybody can verify, by several people, at a real server."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from catalog.cli import app
from tests.catalog.commands.company import BINDING, FIRST, PACK, Company, hire, id_in
from tests.catalog.commands.conftest import OTHER, TRAIN, training, write_log
from tests.end_to_end.server_process import ServerProcess, lineward, serving

RUNNER = CliRunner()


def run(*arguments: str | Path, **options: Any) -> Any:
    """A command in this process; those whose exit code counts have one of their own."""
    return RUNNER.invoke(app, [str(each) for each in arguments], **options)


def succeeds(key: str, *arguments: str | Path) -> str:
    done = run(*arguments, env={"LINEWARD_API_KEY": key})
    assert done.exit_code == 0, (arguments, done.stderr)
    return str(done.stdout)


@dataclass(frozen=True, slots=True)
class Staff(Company):
    """The people of a company whose server runs."""

    server: ServerProcess

    def asks(self, *options: str | Path) -> "subprocess.CompletedProcess[str]":
        """The gate, in a process of its own."""
        asked = ["gate", "risk@1", "--env", "production", *options]
        return lineward(*asked, url=self.server.url, api_key=self.keys["pipe"])


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    folder = tmp_path_factory.mktemp("release")
    data = folder / "data"
    write_log(data, training(TRAIN, "registry", "1") + training(OTHER, "registry", "2"))
    first = succeeds("", *FIRST, "--data", data).strip()
    with serving(data) as server:
        server.await_projection()
        place = ("--url", server.url)
        keys = hire(lambda key, *command: succeeds(key, *command, *place), first)
        yield Staff(run, place, keys, folder, server)


def test_a_release_from_its_denial_to_an_allow_that_verifies_offline(staff: Staff) -> None:
    assert staff.asks().returncode == 3  # no binding yet: not decidable
    staff.enact_ours()
    denied = staff.asks()
    assert denied.returncode == 1, denied.stderr
    assert "nobody is told who answers for it" in denied.stdout

    missing = staff.does("carl", "policy", "gaps", "risk@1", "--env", "production")
    assert "--type inventory" in missing
    staff.name_owner()
    assert staff.asks().returncode == 4
    staff.approve("carl")
    refused = staff.run("pipe", "approve", "risk@1", "--env", "production")
    assert refused.exit_code == 3
    assert staff.asks("--wait", "1s").returncode == 4
    staff.approve("dora")

    bundle, envelope = staff.folder / "decision.json", staff.folder / "release.dsse.json"
    allowed = staff.asks("--wait", "5m", "--json", bundle, "--attest", envelope)
    assert allowed.returncode == 0, allowed.stdout
    assert allowed.stdout.startswith("ALLOW  risk@1 → production")
    key = staff.server.data / "signing-key.pub.pem"
    for file in (bundle, envelope):
        verified = lineward("decision", "verify", file, "--key", key, "--env", "production", "--allowed")
        assert verified.returncode == 0, verified.stdout
    assert lineward("decision", "replay", bundle).returncode == 0

    tried = staff.run("pipe", "policy", "test", "house", "--json")
    assert tried.exit_code == 0, tried.stderr
    changes = {each["change"] for row in json.loads(tried.stdout)["versions"] for each in row["controls"]}
    assert changes == {None}


def test_a_waiver_and_a_revoked_approval_at_a_server(staff: Staff) -> None:
    what = ["--pack", "house", "--control", "H-1", "--reason", "new", "--compensating-control", "a second look"]
    waiver = json.loads(staff.does("carl", "waive", "risk@2", *what, "--expires", "9d", "--json"))
    assert waiver["state"] == "PROPOSED"
    assert staff.run("carl", "waive", "--countersign", waiver["id"]).exit_code == 3
    agreed = staff.run("dora", "waive", "--countersign", waiver["id"], "--json")
    assert "H-1 of house" in agreed.stderr
    assert "risk@2 in registry" in agreed.stderr
    signed = json.loads(agreed.stdout)
    assert (signed["state"], signed["second"]) == ("STANDING", "dora@example.org")
    approval = json.loads(staff.does("dora", "approve", "risk@2", "--env", "production", "--json"))
    assert approval["closureDigest"].startswith("sha256:")
    ended = json.loads(staff.does("dora", "approve", "--revoke", approval["id"], "--reason", "a mistake", "--json"))
    assert ended["state"] == "REVOKED"
    ended = json.loads(staff.does("dora", "waive", "--revoke", waiver["id"], "--reason", "a mistake", "--json"))
    assert ended["state"] == "REVOKED"


def test_policies_are_retired_by_two_people(staff: Staff) -> None:
    staff.enact(staff.written("spare.yaml", PACK.replace("name: house", "name: spare")))
    proposal = id_in(staff.does("ann", "policy", "apply", "--retire", "spare", "--reason", "not needed"))
    assert staff.run("ann", "policy", "apply", "--confirm", proposal).exit_code == 3
    done = staff.run("ben", "policy", "apply", "--confirm", proposal)
    assert "spare" in done.stderr
    assert "IN FORCE" in done.stdout
    assert staff.run("ann", "policy", "apply", "--retire", "spare").exit_code == 2


def test_a_baseline_accepts_what_is_found_at_a_server(staff: Staff) -> None:
    done = staff.run("ann", "policy", "baseline", "--binding", "ours", "--until", "60d")
    assert done.exit_code == 0, done.stderr
    assert "house/H-1" in done.stderr
    staff.does("ben", "policy", "apply", "--confirm", id_in(done.stdout))
    assert staff.gate("--preview", version="2").exit_code == 4
    tried = staff.run("pipe", "policy", "test", "house", "--env", "production", "--latest", "--json")
    assert tried.exit_code == 0, tried.stderr
    assert len(json.loads(tried.stdout)["versions"]) == 1


def test_a_binding_refuses_to_let_an_outage_pass_while_the_server_can_say_so(staff: Staff) -> None:
    permitted = {"LINEWARD_ON_ERROR_ALLOW_ENVIRONMENTS": '["production"]'}
    done = staff.gate("--on-error", "allow", env=permitted)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "the binding ours does not permit --on-error allow" in done.stderr
    staff.enact(staff.written("lenient.yaml", BINDING + "onErrorAllow: true\n"))
    assert staff.gate("--on-error", "allow", env=permitted).exit_code in (0, 4)


def test_a_server_that_is_asked_by_a_stranger_decides_nothing(staff: Staff) -> None:
    done = lineward("gate", "risk@1", "--env", "production", url=staff.server.url)
    assert (done.returncode, done.stdout) == (3, "")
