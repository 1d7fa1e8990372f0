"""`lineward redact` in a folder, and what backups still hold of what was erased."""

import json
import shutil
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from typer.testing import CliRunner

from catalog.cli import app
from catalog.erasure.register import ErasureRegister
from catalog.identity import NodeKind, act_id
from catalog.log import audit
from catalog.log.reader import LogReader
from tests.catalog.commands.company import Company, id_in, new_key
from tests.catalog.commands.conftest import Lineward

PROPOSE = ("redact", "propose", "--reason", "the subject asked", "--basis", "GDPR Art. 17(1)(b)")


@pytest.fixture(scope="module")
def founded_two(
    founded_company: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """The company's folder once eve and fay may redact; to be copied, not changed."""
    template, keys = founded_company
    data = tmp_path_factory.mktemp("two") / "data"
    shutil.copytree(template, data)
    runner = CliRunner()

    def run(*arguments: str | Path, **options: Any) -> Any:
        return runner.invoke(app, [str(each) for each in arguments], **options)

    company = Company(run, ("--data", str(data)), keys, data.parent)
    hired = {}
    for name in ("eve", "fay"):
        key = hired[name] = company.does("ann", *new_key(name, "redact", "lineage:read", "policy:read")).strip()
        company.does("ben", "keys", "confirm", key.split("_")[1])
    return data, keys | hired


@pytest.fixture
def two(founded_two: tuple[Path, dict[str, str]], lineward: Lineward, tmp_path: Path) -> Company:
    """A company in which eve and fay may redact."""
    template, keys = founded_two
    shutil.copytree(template, tmp_path / "company")
    return Company(lineward, ("--data", str(tmp_path / "company")), keys, tmp_path)


def erase(two: Company, *seqs: str) -> str:
    proposal = id_in(two.does("eve", *PROPOSE, *seqs))
    return two.does("fay", "redact", "confirm", proposal)


def bodies(data: Path) -> list[bool]:
    with LogReader.open(data) as log:
        assert audit.check(log).unexplained == ()
        return [entry.body is not None for entry in log.entries(0, 4)]


def test_asked_for_listed_shown_and_done(two: Company) -> None:
    found = json.loads(two.does("eve", "redact", "find", "train.csv", "--json"))
    assert [each["seq"] for each in found] == [0, 1, 2, 3]
    proposed = two.does("eve", *PROPOSE, "0-1")
    assert "nothing is erased yet" in proposed
    proposal = id_in(proposed)
    assert two.does("eve", "redact", "list").startswith("OPEN")
    assert two.run("eve", "redact", "confirm", proposal).exit_code == 3
    assert "2 bodies gone" in two.does("fay", "redact", "confirm", proposal)
    shown = two.does("eve", "redact", "show", proposal)
    assert "fay@example.org" in shown
    assert "0, 1" in shown
    assert two.does("eve", "redact", "list").startswith("ERASED")
    assert bodies(two.data) == [False, False, True, True]


def test_said_no_to(two: Company) -> None:
    proposal = id_in(two.does("eve", *PROPOSE, "0"))
    assert two.does("fay", "redact", "decline", proposal, "--reason", "still needed").startswith("DECLINED")
    own = id_in(two.does("eve", *PROPOSE, "0"))
    assert two.does("eve", "redact", "decline", own, "--reason", "a mistake").startswith("WITHDRAWN")
    assert bodies(two.data)[0]


def test_held_and_released(two: Company) -> None:
    held = id_in(two.does("eve", "redact", "hold", "--namespace", "jobs", "--reason", "lawsuit"))
    refused = two.run("eve", *PROPOSE, "0")
    assert "lawsuit" in refused.stderr
    assert "HELD" in two.does("eve", "redact", "list")
    two.does("fay", "redact", "release", held, "--reason", "settled")
    two.does("eve", *PROPOSE, "0")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("propose", "0", "--reason", "r"), "--basis is missing"),
        (("propose", "0", "--basis", "b"), "--reason is missing"),
        (("propose", "x", "--reason", "r", "--basis", "b"), "no position"),
        (("propose", "0", "--reason", "r", "--basis", "b", "--keep", "all"), "--keep all"),
        (("show", "er_none"), "no proposal"),
    ],
)
def test_what_means_nothing(two: Company, arguments: tuple[str, ...], said: str) -> None:
    done = two.run("eve", "redact", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_words_come_from_standard_input_too(two: Company) -> None:
    assert json.loads(two.does("eve", "redact", "find", "-", "--json", input="TRAIN.csv\n"))


# Backups ---------------------------------------------------------------------------------------------------------


def holds(folder: Path, *words: bytes) -> bool:
    content = b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())
    return any(word in content for word in words)


def salt_of(data: Path, seq: int) -> bytes:
    with LogReader.open(data) as log:
        return log.stored(seq, 1)[0].salt or b""


def test_an_erasure_names_the_backups_that_still_hold_it(two: Company, lineward: Lineward, tmp_path: Path) -> None:
    key = tmp_path / "backup.key"
    salt = salt_of(two.data, 0)
    assert lineward("backup", tmp_path / "plain", "--data", two.data).exit_code == 0
    assert lineward("backup", tmp_path / "sealed", "--data", two.data, "--key", key).exit_code == 0
    assert holds(tmp_path / "plain", salt)
    assert not holds(tmp_path / "sealed", salt, b"train.csv", b"SQLite format")
    told = erase(two, "0")
    assert f"in {tmp_path / 'plain'}" in told
    assert "is not encrypted: destroy it" in told
    assert "destroy its key" in told
    assert lineward("backup", tmp_path / "after", "--data", two.data).exit_code == 0
    assert not holds(tmp_path / "after", salt)


@pytest.mark.parametrize("told_by", ["list", "folder"])
def test_a_restored_backup_loses_again_what_was_erased(
    two: Company, lineward: Lineward, tmp_path: Path, told_by: str
) -> None:
    key, salt = tmp_path / "backup.key", salt_of(two.data, 1)
    lineward("backup", tmp_path / "old", "--data", two.data, "--key", key)
    erase(two, "1", "2")
    known: Any = two.data
    if told_by == "list":
        known = two.written("erasures.json", two.does("eve", "redact", "list", "--json"))
    without = lineward("restore", tmp_path / "old", tmp_path / "careless", "--key", key)
    assert without.exit_code == 0
    assert holds(tmp_path / "careless", salt)
    done = lineward("restore", tmp_path / "old", tmp_path / "new", "--key", key, "--erasures", known)
    assert done.exit_code == 0, done.stderr
    assert "erased 2 more" in done.stdout
    assert not holds(tmp_path / "new", salt)
    assert bodies(tmp_path / "new") == [True, False, False, True]


def test_an_encrypted_backup_needs_its_key(two: Company, lineward: Lineward, tmp_path: Path) -> None:
    lineward("backup", tmp_path / "old", "--data", two.data, "--key", tmp_path / "one.key")
    (tmp_path / "other.key").write_text(token_hex(32))
    for options in ((), ("--key", tmp_path / "other.key"), ("--key", tmp_path / "none.key")):
        done = lineward("restore", tmp_path / "old", tmp_path / "new", *options)
        assert done.exit_code == 2
        assert not (tmp_path / "new").exists()
    bare = lineward("backup", tmp_path / "bare", "--data", two.data)
    assert bare.exit_code == 0
    assert lineward("restore", tmp_path / "bare", tmp_path / "new", "--key", tmp_path / "one.key").exit_code == 2


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"erasures": 1}', '{"erasures": [{"state": "ERASED"}]}'])
def test_what_lists_no_erasures(two: Company, lineward: Lineward, tmp_path: Path, content: str) -> None:
    lineward("backup", tmp_path / "old", "--data", two.data)
    path = two.written("erasures.json", content)
    done = lineward("restore", tmp_path / "old", tmp_path / "new", "--erasures", path)
    assert done.exit_code == 2
    assert "lists no erasures" in done.stderr


# Decisions and statements ----------------------------------------------------------------------------------------


@pytest.fixture
def allowed(two: Company) -> Company:
    two.enact_ours()
    two.name_owner()
    two.approve("carl", "dora")
    assert two.gate().exit_code == 0
    return two


def seqs_of(two: Company, kind: str, words: str) -> list[str]:
    found = json.loads(two.does("eve", "redact", "find", words, "--json"))
    return [str(each["seq"]) for each in found if each["type"] == kind]


def test_frozen_evidence_is_found_and_erased(allowed: Company) -> None:
    """The decision stays, with its outcome; what it was decided on goes, and the log verifies without it."""
    decisions = seqs_of(allowed, "DECISION", "team:risk")
    assert decisions
    erase(allowed, *decisions)
    assert seqs_of(allowed, "DECISION", "team:risk") == []
    checked = allowed.lineward("verify", allowed.data)
    assert checked.exit_code == 0, checked.stdout
    with LogReader.open(allowed.data) as log:
        node = id_of_decision(log, int(decisions[0]))
    shown = allowed.does("carl", "decision", "show", node)
    assert "ALLOW" in shown
    assert "team:risk" not in shown


def id_of_decision(log: LogReader, seq: int) -> str:
    erased = ErasureRegister.of(log).erased_of(log.entry(seq))
    assert erased is not None
    assert erased.keeps is not None
    return act_id(NodeKind.DECISION, erased.keeps["id"])


def test_a_statement_before_the_erased_one_does_not_let_it_pass(allowed: Company) -> None:
    allowed.does("carl", "attest", "risk@1", "--type", "inventory", "--set", "owner=team:second", "--expires", "9d")
    assert allowed.gate().exit_code == 0
    erase(allowed, *seqs_of(allowed, "ATTESTATION", "team:second"))
    refused = allowed.gate()
    assert refused.exit_code not in (0, 4)
    assert "ERASED" in refused.stdout


def test_an_erased_approval_lets_nothing_pass(allowed: Company) -> None:
    erase(allowed, seqs_of(allowed, "APPROVAL", "carl@example.org")[0])
    assert allowed.gate().exit_code == 4
    allowed.approve("carl")
    assert allowed.gate().exit_code == 0


def test_a_revocation_goes_on_without_its_words(allowed: Company) -> None:
    approval = json.loads(allowed.does("carl", "approve", "risk@2", "--env", "production", "--json"))["id"]
    allowed.does("carl", "approve", "--revoke", approval, "--reason", "told by Quitterie")
    erase(allowed, *seqs_of(allowed, "APPROVAL", "Quitterie"))
    assert allowed.lineward("verify", allowed.data).exit_code == 0
