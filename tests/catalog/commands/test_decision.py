"""`lineward decision`: offline, exact about what was changed, and with exit codes that scripts can rely on."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from graphql import parse, validate

from catalog.commands.remote import RemoteCatalogue
from catalog.identity import NodeKind, act_id
from catalog.log.entry import EntryType, Submission
from catalog.log.store import LogStore
from catalog_graphql.schema import schema
from policies.acts import canonical
from policies.attestation.bundle import bundle
from policies.attestation.signing import KeySettings, public_pem
from policies.formats.document import Decision, decision_of
from tests.catalog.commands.conftest import RECEIVED, Lineward
from tests.policies.attestation.decisions import (
    BROKEN,
    PASSED,
    SIGNER,
    STRANGER,
    allow,
    body,
    changed,
    deny,
)
from tests.policies.attestation.judged import OWNED, decided

ROOT = Path(__file__).parents[3]
ALLOWED = bundle(allow(), SIGNER)


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KeySettings.model_fields:
        monkeypatch.delenv(f"LINEWARD_{name.upper()}", raising=False)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_text(public_pem(SIGNER.public_key))
    return path


def written(path: Path, document: dict[str, Any]) -> Path:
    path.write_text(json.dumps(document))
    return path


# Verify ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document", [ALLOWED, ALLOWED["envelope"], bundle(deny(), SIGNER)], ids=["allow", "envelope", "deny"]
)
def test_a_genuine_decision_verifies(lineward: Lineward, tmp_path: Path, key: Path, document: dict[str, Any]) -> None:
    done = lineward("decision", "verify", written(tmp_path / "d.json", document), "--key", key)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "The decision is genuine."
    assert "signature" in done.stdout


def test_a_changed_decision_is_named_with_exit_code_1(lineward: Lineward, tmp_path: Path, key: Path) -> None:
    forged = changed(ALLOWED, "decision", "packs", 0, "document", "controls", 0, "plain", to="Nothing at all.")
    done = lineward("decision", "verify", written(tmp_path / "d.json", forged), "--key", key)
    assert done.exit_code == 1
    assert "pack base@1.0.0" in done.stderr.splitlines()[0]
    assert [line for line in done.stdout.splitlines() if line.startswith("failed  pack base@1.0.0")]
    assert [line for line in done.stdout.splitlines() if line.startswith("ok      signature")]


def test_the_key_in_the_file_is_not_trusted(lineward: Lineward, tmp_path: Path, key: Path) -> None:
    done = lineward("decision", "verify", written(tmp_path / "d.json", bundle(allow(), STRANGER)), "--key", key)
    assert done.exit_code == 1
    assert "signature" in done.stderr
    assert "--key" in done.stdout


def test_without_a_key_it_says_whom_to_ask(lineward: Lineward, tmp_path: Path) -> None:
    done = lineward("decision", "verify", written(tmp_path / "d.json", ALLOWED))
    assert done.exit_code == 2
    assert "--key" in done.stderr.splitlines()[1]


def test_the_key_may_come_from_the_environment(lineward: Lineward, tmp_path: Path, key: Path) -> None:
    file = written(tmp_path / "d.json", ALLOWED)
    for variables in ({"LINEWARD_VERIFY_KEY": key.read_text()}, {"LINEWARD_VERIFY_KEY_FILE": str(key)}):
        assert lineward("decision", "verify", file, env=variables).exit_code == 0


def test_an_undecided_decision_is_told_from_a_forged_one(lineward: Lineward, tmp_path: Path, key: Path) -> None:
    document = bundle(decision_of(body("PENDING", BROKEN)), SIGNER)
    done = lineward("decision", "verify", written(tmp_path / "d.json", document), "--key", key)
    assert done.exit_code == 3
    assert "not signed" in done.stderr


def test_a_file_of_another_kind_is_a_mistake_of_the_call(lineward: Lineward, tmp_path: Path, key: Path) -> None:
    for document in ({}, {"bundle": "lineward.dev/decision/v9", "decision": {}}):
        assert lineward("decision", "verify", written(tmp_path / "d.json", document), "--key", key).exit_code == 2
    assert lineward("decision", "verify", tmp_path / "absent", "--key", key).exit_code == 2


def test_a_deployment_can_ask_for_its_artifact_and_environment(lineward: Lineward, tmp_path: Path, key: Path) -> None:
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    evidence = changed(
        allow().document["evidence"], "subject", "digest", to=f"sha256:{hashlib.sha256(b'weights').hexdigest()}"
    )
    document = bundle(decision_of(body("ALLOW", PASSED, evidence=evidence)), SIGNER)["envelope"]
    file = written(tmp_path / "d.json", document)
    verify = ("decision", "verify", file, "--key", key)
    assert lineward(*verify, "--artifact", model, "--env", "production").exit_code == 0
    model.write_bytes(b"other weights")
    for wrong in (("--artifact", model), ("--artifact", "sha256:" + "0" * 64), ("--env", "staging")):
        assert lineward(*verify, *wrong).exit_code == 1
    assert lineward(*verify, "--artifact", tmp_path / "absent").exit_code == 2


def test_an_allow_that_lapsed_allows_nothing(lineward: Lineward, tmp_path: Path, key: Path) -> None:
    for lapses, code in (("2999-01-01T00:00:00Z", 0), ("2001-01-01T00:00:00Z", 1)):
        document = bundle(decision_of(body("ALLOW", PASSED, expiresAt=lapses)), SIGNER)
        file = written(tmp_path / "d.json", document)
        assert lineward("decision", "verify", file, "--key", key, "--allowed").exit_code == code
    denied = written(tmp_path / "d.json", bundle(deny(), SIGNER))
    assert lineward("decision", "verify", denied, "--key", key, "--allowed").exit_code == 1


OFFLINE = """
import sys
def refuse(event, _):
    if event.startswith("socket."):
        raise AssertionError(f"the network was used: {event}")
sys.addaudithook(refuse)
sys.modules["apsw"] = sys.modules["neo4j"] = None
"""


@pytest.fixture
def offline(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a command in an empty folder without settings; in all its processes a socket or a database is an error."""
    place, empty = tmp_path / "site", tmp_path / "empty"
    place.mkdir()
    empty.mkdir()
    (place / "sitecustomize.py").write_text(OFFLINE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINEWARD_")}

    def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "catalog.cli", *map(str, arguments)]
        variables = environment | {"PYTHONPATH": os.pathsep.join((str(place), str(ROOT)))}
        done = subprocess.run(command, cwd=empty, env=variables, capture_output=True, text=True)
        assert not list(empty.iterdir())
        return done

    return run


Offline = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_trap_is_set(offline: Offline) -> None:
    """Else the next tests prove nothing."""
    done = offline("decision", "show", "dc_x", "--url", "http://127.0.0.1:9")
    assert "the network was used" in done.stderr


def test_verification_needs_neither_network_nor_database_nor_folder(
    offline: Offline, tmp_path: Path, key: Path
) -> None:
    done = offline("decision", "verify", written(tmp_path / "d.json", ALLOWED), "--key", key)
    assert done.returncode == 0, done.stderr


# Replay ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judged() -> Decision:
    """A decision by the real engine."""
    return decided(OWNED)


def test_a_replay_needs_neither_network_nor_database_nor_folder(
    offline: Offline, tmp_path: Path, judged: Decision
) -> None:
    done = offline("decision", "replay", written(tmp_path / "d.json", bundle(judged, SIGNER)))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ALLOW again: 3 controls come out as they were recorded.\n"


def test_a_replay_lists_what_comes_out_otherwise(lineward: Lineward, tmp_path: Path, judged: Decision) -> None:
    forged = changed(bundle(judged, SIGNER), "decision", "evidence", "subject", "owner", to="team:other")
    done = lineward("decision", "replay", written(tmp_path / "d.json", forged))
    assert done.exit_code == 1
    assert "base@1.0.0 B-03 verdict: recorded pass, now fail" in done.stdout.splitlines()
    assert "state: recorded ALLOW, now DENY" in done.stdout.splitlines()
    assert len(done.stderr.splitlines()) == 2


def test_a_signature_alone_cannot_be_replayed(lineward: Lineward, tmp_path: Path) -> None:
    done = lineward("decision", "replay", written(tmp_path / "d.json", ALLOWED["envelope"]))
    assert done.exit_code == 2
    assert "--json" in done.stderr


# Show --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def recorded(folder: Path) -> tuple[Path, str]:
    """A data folder with one decision in its log, and the decision's id."""
    document = changed(deny().document, "id", to=str(uuid4()))
    content = canonical(document)
    with LogStore.open(folder) as log:
        log.append([Submission(EntryType.DECISION, "key:ci", content, content, source="act")], RECEIVED)
    return folder, act_id(NodeKind.DECISION, document["id"])


def test_a_decision_is_shown_from_a_folder(lineward: Lineward, recorded: tuple[Path, str]) -> None:
    folder, decision = recorded
    done = lineward("decision", "show", decision, "--data", folder)
    assert done.exit_code == 0, done.stderr
    first, *_ = lines = done.stdout.splitlines()
    assert first == "DENY  credit risk@2 for production"
    assert any("sex reaches the model" in line for line in lines)
    assert any("→ Remedy of B-06." in line for line in lines)


def test_what_is_shown_as_json_verifies_with_the_folders_key(lineward: Lineward, recorded: tuple[Path, str]) -> None:
    folder, decision = recorded
    shown = lineward("decision", "show", decision, "--data", folder, "--format", "json")
    assert "signing-key" in shown.stderr
    file = folder.parent / "d.json"
    file.write_text(shown.stdout)
    assert lineward("decision", "verify", file, "--data", folder).exit_code == 0


@pytest.mark.parametrize(("form", "begins"), [("sarif", "{"), ("junit", "<?xml"), ("markdown", "### ")])
def test_every_format_is_shown(lineward: Lineward, recorded: tuple[Path, str], form: str, begins: str) -> None:
    folder, decision = recorded
    done = lineward("decision", "show", decision, "--data", folder, "--format", form)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(begins)


@pytest.mark.parametrize("unknown", ["dc_aaaaaaaaaaaaaaaaaaaaaa", "nonsense", ""])
def test_an_unknown_id_is_a_mistake_of_the_call(lineward: Lineward, folder: Path, unknown: str) -> None:
    done = lineward("decision", "show", unknown, "--data", folder)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 2


def test_a_decision_is_shown_from_a_server(lineward: Lineward, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Mapping[str, Any]]] = []

    def answer(_: RemoteCatalogue, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        asked.append((query, variables))
        return {"decision": {"bundle": json.dumps(ALLOWED)} if variables["id"] == "dc_x" else None}

    monkeypatch.setattr(RemoteCatalogue, "ask", answer)
    shown = lineward("decision", "show", "dc_x", "--url", "http://127.0.0.1:9", "--format", "json")
    assert json.loads(shown.stdout) == ALLOWED
    assert lineward("decision", "show", "dc_y", "--url", "http://127.0.0.1:9").exit_code == 2
    (query, _), _ = asked
    assert not validate(schema()._schema, parse(query))
