"""`lineward gate` on a folder: the exit code is the answer, and nothing that goes wrong is an allow."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from catalog.commands import gate_asking
from catalog.commands.gate_reports import Reports
from catalog.commands.governing import Answer
from catalog.commands.options import settings
from catalog.composition import open_data
from catalog.errors import RetryableError
from catalog.identity import NodeKind
from catalog.log.checkpoint_key import PUBLIC
from policies.formats.document import decision_of
from tests.catalog.commands.answering import answering
from tests.catalog.commands.company import Company
from tests.catalog.commands.conftest import Lineward


def decided(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())["decision"]
    return content


# The answer --------------------------------------------------------------------------------------------------------


def test_a_release_goes_from_undecidable_over_denied_and_waiting_to_allowed(company: Company) -> None:
    assert company.gate().exit_code == 3
    company.enact_ours()
    denied = company.gate()
    assert denied.exit_code == 1
    assert denied.stdout.splitlines()[0] == "DENY  risk@1 → production: may not be released"
    (row,) = [line for line in denied.stdout.splitlines() if line.startswith("H-1")]
    assert "unknown" in row
    assert "nobody is told who answers for it" in row
    assert "Attest an inventory with an owner." in row
    company.name_owner()
    waiting = company.gate()
    assert waiting.exit_code == 4
    assert "lineward approve --namespace registry --model risk --version 1 --env production" in waiting.stdout
    company.approve("carl", "dora")
    allowed = company.gate()
    assert allowed.exit_code == 0, allowed.stdout
    assert allowed.stdout.splitlines()[0] == "ALLOW  risk@1 → production: may be released"
    assert "decision   dc_" in allowed.stdout
    assert "lapses" in allowed.stdout
    assert company.gate(version="2").exit_code == 1


def test_what_was_allowed_verifies_and_replays_offline(released: Company, lineward: Lineward) -> None:
    bundle, envelope = released.folder / "decision.json", released.folder / "release.dsse.json"
    assert released.gate("--json", bundle, "--attest", envelope).exit_code == 0
    key = released.data / "signing-key.pub.pem"
    for file in (bundle, envelope):
        done = lineward("decision", "verify", file, "--key", key, "--env", "production", "--allowed")
        assert done.exit_code == 0, (done.stdout, done.stderr)
    assert lineward("decision", "replay", bundle).exit_code == 0
    shown = lineward("decision", "show", id_of(bundle), *released.place)
    assert shown.exit_code == 0, shown.stderr


def test_a_receipt_proves_offline_that_the_decision_is_in_the_log(released: Company, lineward: Lineward) -> None:
    bundle, proof = released.folder / "decision.json", released.folder / "release.tlog-proof"
    done = released.gate("--json", bundle, "--receipt", proof)
    assert done.exit_code == 0, done.stderr
    key = released.data / PUBLIC
    verified = lineward("verify", proof, "--key", key, "--document", bundle)
    assert verified.exit_code == 0, (verified.stdout, verified.stderr)
    other = released.folder / "other.json"
    assert released.gate("--json", other).exit_code == 0
    assert lineward("verify", proof, "--key", key, "--document", other).exit_code == 1


def test_a_preview_has_no_receipt(released: Company) -> None:
    proof = released.folder / "release.tlog-proof"
    proof.write_text("of an earlier answer")
    done = released.gate("--preview", "--receipt", proof)
    assert done.exit_code == 0
    assert "a preview is not in the log" in done.stderr
    assert not proof.exists()


def test_a_receipt_that_cannot_be_had_ends_undecided_after_everything_else_is_written(released: Company) -> None:
    bundle, proof = released.folder / "decision.json", released.folder / "release.tlog-proof"
    no_key = {"LINEWARD_CHECKPOINT_KEY_FILE": str(released.folder / "nowhere" / "key.pem")}
    done = released.gate("--json", bundle, "--receipt", proof, env=no_key)
    assert done.exit_code == 3
    assert done.stdout.startswith("ALLOW")
    assert f"the decision {id_of(bundle)} stands" in done.stderr
    assert not proof.exists()


def id_of(bundle: Path) -> str:
    return decision_of(decided(bundle)).id


def test_a_preview_records_and_signs_nothing(released: Company, lineward: Lineward) -> None:
    bundle, envelope = released.folder / "decision.json", released.folder / "release.dsse.json"
    done = released.gate("--preview", "--json", bundle, "--attest", envelope)
    assert done.exit_code == 0
    assert not envelope.exists()
    assert "a preview is no release decision" in done.stderr
    assert lineward("decision", "show", id_of(bundle), *released.place).exit_code == 2


def test_a_waiver_is_shown(company: Company) -> None:
    company.enact_ours()
    waive = ["waive", "risk@1", "--pack", "house", "--control", "H-1", "--reason", "new", "--compensating-control", "x"]
    proposed = company.does("carl", *waive, "--expires", "9d")
    waiver = proposed.split()[2]
    company.does("dora", "waive", "--countersign", waiver)
    company.approve("carl", "dora")
    allowed = company.gate()
    assert allowed.exit_code == 0, allowed.stdout
    assert f"waived: H-1 (unknown without it) by {waiver}, until " in allowed.stdout
    assert ": new\n" in allowed.stdout


def test_a_waiver_that_covers_nothing_now_is_shown_too(released: Company, tmp_path: Path) -> None:
    glass = [
        "waive",
        "risk@1",
        "--pack",
        "house",
        "--control",
        "H-1",
        "--reason",
        "night",
        "--compensating-control",
        "x",
    ]
    waiver = released.does("carl", *glass, "--expires", "9h", "--break-glass").split()[2]
    page = tmp_path / "release.md"
    assert f"waived: H-1 (not needed now) by {waiver}, until " in released.gate("--markdown", page).stdout
    assert "not needed now" in page.read_text()


# What it is asked --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["risk@1"], "no environment is named"),
        (["--env", "production"], "no node is named"),
        (["risk@9", "--env", "production"], "Nothing in the catalog has that name"),
        (["risky@1", "--env", "production"], "no model is called risky"),
        (["risk@1", "--env", "production", "--pack", "nothing"], "There is no pack nothing"),
        (["risk@1", "--env", "production", "--at-least", "rubbish"], "token"),
        (["risk@1", "--env", "production", "--wait", "soon"], "--wait soon is no duration"),
        (["risk@1", "--env", "production", "--json", "-", "--sarif", "-"], "written to one place"),
        (["risk@1", "--env", "production", "--json", "nowhere/f"], "nowhere/f cannot be written"),
        (["risk@1", "--env", "production", "--json", "."], ". is a folder"),
        (["risk@1", "--env", "production", "--on-error", "allow"], "--on-error allow is about a server"),
        (["risk@1", "--env", "production", "--on-error", "perhaps"], "perhaps"),
    ],
    ids=str,
)
def test_a_mistake_in_the_call_is_told_with_exit_code_2(company: Company, arguments: list[str], what: str) -> None:
    done = company.run("pipe", "gate", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert what in done.stderr


def test_somebody_who_may_not_ask_gets_no_answer(company: Company) -> None:
    done = company.gate(env={"LINEWARD_API_KEY": ""})
    assert (done.exit_code, done.stdout) == (3, "")
    assert "LINEWARD_API_KEY" in done.stderr


def test_a_folder_without_a_log_is_not_made(lineward: Lineward, tmp_path: Path) -> None:
    done = lineward("gate", "risk@1", "--env", "production", "--data", tmp_path / "nothing")
    assert done.exit_code == 2
    assert not (tmp_path / "nothing").exists()


def test_a_failure_of_the_gate_itself_is_never_a_deny(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a mistake of ours")

    monkeypatch.setattr(gate_asking, "opened", broken)
    done = company.gate()
    assert done.exit_code == 3
    assert "KeyError" in done.stderr


# Reports -----------------------------------------------------------------------------------------------------------


def test_every_report_is_of_the_answer(released: Company) -> None:
    names = ("json", "sarif", "junit", "markdown")
    files = {name: released.folder / f"report.{name}" for name in names}
    options = [word for name, path in files.items() for word in (f"--{name}", path)]
    assert released.gate(*options).exit_code == 0
    assert decided(files["json"])["state"] == "ALLOW"
    assert json.loads(files["sarif"].read_text())["version"] == "2.1.0"
    assert ElementTree.parse(files["junit"]).getroot().tag == "testsuites"
    assert files["markdown"].read_text().startswith("### ✅")


def test_a_dash_prints_the_report_and_nothing_beside_it(released: Company) -> None:
    done = released.gate("--json", "-")
    assert json.loads(done.stdout)["decision"]["state"] == "ALLOW"
    assert "ALLOW  risk@1" in done.stderr


def test_what_an_earlier_answer_left_does_not_stay(company: Company) -> None:
    old = company.written("release.dsse.json", "an allow of yesterday")
    assert company.gate("--attest", old).exit_code == 3
    assert not old.exists()


def test_what_is_no_file_of_ours_is_left_alone(released: Company) -> None:
    target = released.written("theirs", "kept")
    link = released.folder / "link"
    link.symlink_to(target)
    pipe = released.folder / "pipe"
    os.mkfifo(pipe)
    Reports(json=link, sarif=pipe).prepare()
    assert target.read_text() == "kept"
    assert link.is_symlink()
    assert pipe.is_fifo()


def test_a_denial_is_signed_as_failed(company: Company) -> None:
    company.enact_ours()
    envelope = company.folder / "release.dsse.json"
    assert company.gate("--attest", envelope).exit_code == 1
    assert "payloadType" in json.loads(envelope.read_text())


# What it takes to start --------------------------------------------------------------------------------------------

NEEDLESS = (
    "apsw",
    "catalog.reading",
    "catalog.settings",
    "cel_expr_python",
    "httpx",
    "joserfc",
    "policies.compiled",
    "policies.engine",
    "policies.judge",
    "policies.pack",
    "pydantic_settings",
    "rich.status",
    "securesystemslib",
    "starlette",
    "strawberry",
    "yaml",
)


def test_a_gate_at_a_server_loads_nothing_that_it_does_not_need(released: Company) -> None:
    """Most of what such a call takes is the time to import."""
    bundle = released.folder / "decision.json"
    assert released.gate("--json", bundle).exit_code == 0
    decided = {"data": {"decide": {"bundle": bundle.read_text(), "attestation": None}}}
    with answering(json.dumps(decided).encode()) as server:
        arguments = ["gate", "--id", "dv_x", "--env", "production", "--url", server.url, "--json", "again.json"]
        code = (
            "import sys\n"
            "from catalog.cli import app\n"
            f"try: app({arguments!r}, prog_name='lineward')\n"
            f"finally: print([name for name in {NEEDLESS!r} if name in sys.modules], file=sys.stderr)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ALLOW  risk@1")
    assert done.stderr.strip() == "[]"


# An unreachable server ---------------------------------------------------------------------------------------------

NOBODY = ("--url", "http://127.0.0.1:9")
PERMITTED = {"LINEWARD_ON_ERROR_ALLOW_ENVIRONMENTS": '["staging"]'}


def test_an_unreachable_server_allows_nothing(lineward: Lineward) -> None:
    done = lineward("gate", "risk@1", "--env", "staging", *NOBODY)
    assert (done.exit_code, done.stdout) == (3, "")


def test_where_it_is_permitted_an_outage_lets_pass_without_any_attestation(lineward: Lineward, tmp_path: Path) -> None:
    old = tmp_path / "release.dsse.json"
    old.write_text("an allow of yesterday")
    asked = ["gate", "risk@1", "--env", "staging", "--on-error", "allow", "--attest", old]
    done = lineward(*asked, *NOBODY, env=PERMITTED)
    assert done.exit_code == 0, done.stderr
    assert "without a decision" in done.stdout
    assert not old.exists()


@pytest.mark.parametrize("permitted", [{}, PERMITTED, {"LINEWARD_ON_ERROR_ALLOW_ENVIRONMENTS": "production"}], ids=str)
def test_elsewhere_it_is_refused_before_anything_is_asked(lineward: Lineward, permitted: dict[str, str]) -> None:
    done = lineward("gate", "risk@1", "--env", "production", "--on-error", "allow", *NOBODY, env=permitted)
    assert done.exit_code == 2
    assert "LINEWARD_ON_ERROR_ALLOW_ENVIRONMENTS" in done.stderr


# Waiting -----------------------------------------------------------------------------------------------------------


class StandingClock:
    """Time passes only while somebody sleeps; `meanwhile` happens then."""

    def __init__(self, *meanwhile: Any) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._meanwhile = list(meanwhile)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds
        self.slept.append(seconds)
        if self._meanwhile:
            self._meanwhile.pop(0)()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_(*meanwhile: Any) -> StandingClock:
        made = StandingClock(*meanwhile)
        monkeypatch.setattr(gate_asking.awaited, "__defaults__", (made,))
        return made

    return set_


@pytest.fixture
def waiting(company: Company) -> Company:
    company.enact_ours()
    company.name_owner()
    return company


def test_it_waits_for_approvals_and_decides_once(waiting: Company, clock: Any) -> None:
    clock(lambda: waiting.approve("carl"), lambda: waiting.approve("dora"))
    done = waiting.gate("--wait", "30m")
    assert done.exit_code == 0, done.stderr
    assert "waiting for approval" in done.stderr
    assert decisions_of(waiting) == ["ALLOW"]


def test_at_the_end_of_the_time_it_is_still_waiting_and_nothing_is_decided(waiting: Company, clock: Any) -> None:
    time = clock()
    report = waiting.folder / "gate.md"
    done = waiting.gate("--wait", "30s", "--markdown", report)
    assert done.exit_code == 4
    assert sum(time.slept) == 30
    assert "Waiting for approval" in report.read_text()
    assert decisions_of(waiting) == []


def test_an_interrupted_wait_is_resumed_by_running_it_again(waiting: Company, clock: Any) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    clock(interrupt)
    interrupted = waiting.gate("--wait", "30m")
    assert interrupted.exit_code == 130
    assert "nothing was decided" in interrupted.stderr
    waiting.approve("carl", "dora")
    assert waiting.gate("--wait", "30m").exit_code == 0
    assert decisions_of(waiting) == ["ALLOW"]


def test_what_waits_for_more_than_approvals_is_decided_at_once(company: Company, clock: Any) -> None:
    company.enact_ours()
    time = clock()
    assert company.gate("--wait", "30m").exit_code == 1
    assert not time.slept


def test_a_server_that_goes_away_for_a_while_is_waited_for(waiting: Company) -> None:
    bundle = json.loads(waiting.gate("--preview", "--json", "-").stdout)
    pending = Answer(decision_of(bundle["decision"]), bundle, None)
    back, lost = [pending, RetryableError("gone"), pending], [pending, RetryableError("gone")]

    def ask(answers: list[Any]) -> Any:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert gate_asking.awaited(lambda _: ask(back), 20, False, StandingClock()) is pending
    with pytest.raises(RetryableError, match="gone"):
        gate_asking.awaited(lambda _: ask(lost), 20, False, StandingClock())


def decisions_of(company: Company) -> list[str]:
    with open_data(settings(data=company.data)) as folder:
        folder.project()
        with folder.access.reading() as reading:
            return [act.body["state"] for act in reading.acts(NodeKind.DECISION)]
