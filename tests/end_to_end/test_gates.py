"""The examples of the gate in other people's pipelines, each run as far as it runs without its host."""

import asyncio
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import typer.main
import yaml
from starlette.applications import Starlette

from catalog.cli import app
from policies.gate import Gate
from policies.governance import Governance
from policies.http import GateDoor, gate_routes
from policies.judge import Judge
from tests.policies.attestation.decisions import SIGNER
from tests.policies.office import ANN, REGISTRY, Office, binding, control, pack

GATES = Path(__file__).parents[2] / "examples" / "gates"
STATES = {0: "ALLOW", 1: "DENY", 2: "USAGE", 3: "INDETERMINATE", 4: "PENDING", 137: "INDETERMINATE"}
FAKE = """#!/bin/sh
for each; do printf '%s\\0' "$each"; done >> "$CALLS"
printf '\\n' >> "$CALLS"
previous=
for each; do
  case $previous in --json|--sarif|--junit|--markdown|--attest) echo "report of $previous" > "$each" ;; esac
  previous=$each
done
exit "$CODE"
"""


def loaded(path: str) -> Any:
    return yaml.safe_load((GATES / path).read_text())


@dataclass
class Shell:
    """A folder with a `lineward` that writes its reports and ends with a chosen code."""

    folder: Path
    output: Path = field(init=False)

    def __post_init__(self) -> None:
        for name in ("bin", "work"):
            (self.folder / name).mkdir()
        fake = self.folder / "bin" / "lineward"
        fake.write_text(FAKE)
        fake.chmod(0o755)
        self.output = self.folder / "output"

    def run(self, script: str, code: int, variables: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        """As a runner does it: bash that stops at the first error."""
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "CALLS": str(self.folder / "calls"),
            "CODE": str(code),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            **variables,
        }
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        return subprocess.run(shell, cwd=self.folder / "work", env=environment, capture_output=True, text=True)

    def calls(self) -> list[list[str]]:
        """The arguments of each call of `lineward`."""
        text = (self.folder / "calls").read_text()
        return [call.split("\0") for call in text.split("\0\n")[:-1]]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def options(command: str) -> set[str]:
    """The options that a command of ours has."""
    group: Any = typer.main.get_group(app)
    for word in command.split():
        group = group.commands[word]
    return {option for parameter in group.params for option in parameter.opts}


# GitHub ------------------------------------------------------------------------------------------------------------

ACTION = loaded("github/action.yml")
STEP = ACTION["runs"]["steps"][0]
NASTY = "$(touch pwned) `touch pwned`; \"quoted\" 'name'"


def inputs(**given: str) -> dict[str, str]:
    """The step's variables, its expressions filled in from the inputs."""
    values = {name: each.get("default", "") for name, each in ACTION["inputs"].items()} | given
    return {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: values[found[1]], text)
        for name, text in STEP["env"].items()
    }


def arguments(**given: str) -> dict[str, str]:
    named = {"url": "http://x", "api-key": "lw_1", "namespace": "models", "model": "risk", "version": "2"}
    return inputs(**(named | {"environment": "production"} | given))


@pytest.mark.parametrize(("code", "state"), STATES.items())
def test_the_action_ends_as_the_gate_does_and_reports_the_state(shell: Shell, code: int, state: str) -> None:
    done = shell.run(STEP["run"], code, arguments())
    assert done.returncode == code
    assert shell.output.read_text() == f"state={state}\n"
    assert (shell.folder / "summary").read_text() == "report of --markdown\n"
    reports = {path.name for path in (shell.folder / "work" / "lineward-gate").iterdir()}
    assert reports == {"decision.json", "gate.sarif", "gate.xml", "gate.md", "decision.dsse.json"}


def test_the_action_takes_names_as_they_are(shell: Shell) -> None:
    shell.run(STEP["run"], 0, arguments(model=NASTY, namespace="s3://a b", version="$HOME", wait="30m"))
    (call,) = shell.calls()
    assert call[:9] == [
        "gate", "--namespace", "s3://a b", "--model", NASTY, "--version", "$HOME", "--env", "production",
    ]  # fmt: skip
    assert call[-2:] == ["--wait", "30m"]
    assert not list(shell.folder.rglob("pwned"))


def test_a_preview_signs_nothing(shell: Shell) -> None:
    shell.run(STEP["run"], 0, arguments(preview="true"))
    (call,) = shell.calls()
    assert "--preview" in call
    assert "--attest" not in call


def test_no_input_is_pasted_into_the_script() -> None:
    assert "${{" not in STEP["run"]
    assert ACTION["runs"]["using"] == "composite"
    assert all(step["shell"] == "bash" for step in ACTION["runs"]["steps"] if "run" in step)


def test_every_output_of_the_action_is_set() -> None:
    for output in ACTION["outputs"].values():
        for name in re.findall(r"steps\.gate\.outputs\.(\w+)", output["value"]):
            assert f"{name}=" in STEP["run"]


def test_the_workflow_gives_what_the_action_asks_for() -> None:
    workflow = loaded("github/release.yml")
    (step,) = [step for step in workflow["jobs"]["gate"]["steps"] if "gates/github" in step.get("uses", "")]
    required = {name for name, each in ACTION["inputs"].items() if each.get("required")}
    assert required <= set(step["with"]) <= set(ACTION["inputs"])
    assert workflow["jobs"]["deploy"]["needs"] == "gate"


def test_the_workflow_deploys_only_what_verifies(shell: Shell) -> None:
    steps = loaded("github/release.yml")["jobs"]["deploy"]["steps"]
    (verify,) = [step for step in steps if "decision verify" in step.get("run", "")]
    assert steps.index(verify) < next(
        n for n, step in enumerate(steps) if "deploy" in step.get("run", "").split("/")[-1]
    )
    assert shell.run(verify["run"], 1, {}).returncode == 1
    assert_exists(shell.calls()[0])


def assert_exists(call: list[str]) -> None:
    """The command of a call, and each of its options."""
    command = " ".join(call[: 2 if call[0] == "decision" else 1])
    assert {word for word in call if word.startswith("--")} <= options(command)


# GitLab ------------------------------------------------------------------------------------------------------------

PIPELINE = loaded("gitlab/.gitlab-ci.yml")


def job(name: str) -> dict[str, Any]:
    """A job with what it extends."""
    own = PIPELINE[name]
    base = PIPELINE[own["extends"]]
    merged: dict[str, Any] = base | own | {"variables": base["variables"] | own.get("variables", {})}
    return merged


def gitlab(shell: Shell, name: str, code: int, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A job's script, its variables expanded as the runner does it."""
    given = {"CI_COMMIT_TAG": "v2", "CI_COMMIT_SHA": "abc123"} | variables
    expanded = {key: re.sub(r"\$(\w+)", lambda m: given[m[1]], text) for key, text in job(name)["variables"].items()}
    return shell.run("\n".join(job(name)["script"]), code, expanded | variables)


@pytest.mark.parametrize("name", ["preview", "gate", "deploy"])
@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_a_job_fails_as_the_gate_does(shell: Shell, name: str, code: int) -> None:
    assert gitlab(shell, name, code).returncode == code


def test_the_gate_job_judges_the_tag_and_leaves_its_reports(shell: Shell) -> None:
    assert gitlab(shell, "gate", 0).returncode == 0
    (call,) = shell.calls()
    assert call[:9] == [
        "gate",
        "--namespace",
        "models",
        "--model",
        "credit-risk",
        "--version",
        "v2",
        "--env",
        "production",
    ]
    artifacts = job("gate")["artifacts"]
    assert (shell.folder / "work" / artifacts["reports"]["junit"]).is_file()
    assert artifacts["when"] == "always"


def test_a_merge_request_is_previewed_and_may_wait_for_approval(shell: Shell) -> None:
    gitlab(shell, "preview", 0)
    (call,) = shell.calls()
    assert "--preview" in call
    assert "--attest" not in call
    assert job("preview")["allow_failure"] == {"exit_codes": [4]}
    assert "allow_failure" not in job("gate")


def test_what_does_not_verify_is_not_deployed(shell: Shell) -> None:
    deployed = shell.folder / "work" / "deploy.sh"
    deployed.write_text("#!/bin/sh\ntouch deployed\n")
    deployed.chmod(0o755)
    for code in (1, 3, 0):
        done = gitlab(shell, "deploy", code)
        assert (done.returncode == 0) == (code == 0) == (shell.folder / "work" / "deployed").exists()
    assert_exists(shell.calls()[0])


# Argo Rollouts -----------------------------------------------------------------------------------------------------


def argo_result(answer: Mapping[str, Any]) -> str:
    """What the analysis makes of an answer, its conditions being comparisons with a text."""
    (metric,) = loaded("argo/analysis-template.yaml")["spec"]["metrics"]
    path = re.fullmatch(r"\{\$\.(\w+)\}", metric["provider"]["web"]["jsonPath"])
    assert path
    outcomes = {"successCondition": "Successful", "failureCondition": "Failed"}
    for condition, outcome in outcomes.items():
        wanted = re.fullmatch(r'result == "(\w+)"', metric[condition])
        assert wanted
        if answer[path[1]] == wanted[1]:
            return outcome
    return "Inconclusive"


def test_only_an_allow_lets_a_rollout_go_on() -> None:
    states = ("ALLOW", "DENY", "PENDING", "INDETERMINATE")
    found = {state: argo_result({"allow": True, "state": state, "decisionId": "dc_x"}) for state in states}
    assert found == {
        "ALLOW": "Successful", "DENY": "Failed", "PENDING": "Inconclusive", "INDETERMINATE": "Inconclusive",
    }  # fmt: skip


def test_the_analysis_asks_the_gate_once_and_names_everything() -> None:
    template = loaded("argo/analysis-template.yaml")
    (metric,) = template["spec"]["metrics"]
    web = metric["provider"]["web"]
    assert (metric["count"], metric["failureLimit"], metric["inconclusiveLimit"]) == (1, 0, 0)
    assert web["method"] == "POST"
    assert web["url"].endswith("/api/v1/gate/decisions")
    assert set(web["jsonBody"]) == {"namespace", "model", "version", "environment"}
    declared = {each["name"] for each in template["spec"]["args"]}
    assert set(re.findall(r"\{\{args\.([\w-]+)\}\}", json.dumps(web))) == declared


def test_the_rollout_gives_the_arguments_that_have_no_default() -> None:
    template = loaded("argo/analysis-template.yaml")
    analysis = loaded("argo/rollout.yaml")["spec"]["strategy"]["blueGreen"]["prePromotionAnalysis"]
    assert [each["templateName"] for each in analysis["templates"]] == [template["metadata"]["name"]]
    asked = {each["name"] for each in template["spec"]["args"] if len(each) == 1}
    assert {each["name"] for each in analysis["args"]} == asked


# MLflow ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def promote() -> ModuleType:
    spec = importlib.util.spec_from_file_location("promote", GATES / "mlflow" / "promote.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["promote"] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Registry:
    """As much of a registry as the script takes."""

    aliases: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        self.aliases[f"{name}@{alias}"] = version

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        self.tags[key] = value


def answering(reply: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    return httpx.Client(base_url="http://gate", transport=httpx.MockTransport(reply))


def promoted(promote: ModuleType, reply: Callable[[httpx.Request], httpx.Response]) -> tuple[int, Registry]:
    registry = Registry()
    with answering(reply) as gate:
        answer = promote.ask(gate, "mlflow", "risk", "2", "production")
    return promote.promote(registry, answer, "risk", "2", "champion"), registry


def said(
    state: str, *, allow: bool | None = None, decision: str | None = "dc_x"
) -> Callable[[httpx.Request], httpx.Response]:
    answer = {"decisionId": decision, "state": state, "reasons": ["why"]}
    return lambda _: httpx.Response(200, json=answer | {"allow": state == "ALLOW" if allow is None else allow})


@pytest.mark.parametrize(("state", "code"), [("ALLOW", 0), ("DENY", 1), ("INDETERMINATE", 3), ("PENDING", 4)])
def test_the_alias_is_set_on_allow_alone(promote: ModuleType, state: str, code: int) -> None:
    done, registry = promoted(promote, said(state))
    assert done == code
    assert registry.aliases == ({"risk@champion": "2"} if state == "ALLOW" else {})
    assert registry.tags == {"lineward.decision": "dc_x"}


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize(
    "reply",
    [
        unreachable,
        lambda _: httpx.Response(500),
        lambda _: httpx.Response(401, json={"error": {}}),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(200, json={"state": "ALLOW"}),
        lambda _: httpx.Response(200, json=[]),
        lambda _: httpx.Response(302, headers={"location": "/login"}),
        said("ALLOW", allow=False),
        said("DENY", allow=True),
        said("SPLENDID", allow=True),
        said("ALLOW", decision=None),
    ],
)
def test_whatever_is_no_clear_answer_promotes_nothing(
    promote: ModuleType, reply: Callable[[httpx.Request], httpx.Response]
) -> None:
    done, registry = promoted(promote, reply)
    assert done == 3
    assert not registry.aliases


def test_the_script_asks_for_what_it_was_told(promote: ModuleType) -> None:
    seen: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return said("ALLOW")(request)

    promoted(promote, reply)
    assert str(seen[0].url) == "http://gate/api/v1/gate/decisions"
    assert json.loads(seen[0].content) == {
        "namespace": "mlflow", "model": "risk", "version": "2", "environment": "production",
    }  # fmt: skip


def test_a_gate_that_is_not_there_stops_the_script(
    promote: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINEWARD_URL", "http://127.0.0.1:9")
    registry = Registry()
    code = promote.main(["risk", "2", "champion", "--namespace", "mlflow"], registry)
    assert code == 3
    assert not registry.aliases
    assert capsys.readouterr().out.startswith("INDETERMINATE\n")


# The door itself ---------------------------------------------------------------------------------------------------


@pytest.fixture
def office() -> Office:
    """Where a model version needs an owner to go into production."""
    office = Office()
    office.enact(pack(controls=[control("owner")]), binding())
    return office


def door(office: Office) -> Callable[[httpx.Request], httpx.Response]:
    """The gate's own HTTP door, as its client sees it."""
    judge = Judge()
    parts = Governance(office.journal, office.register, judge, Gate(office.journal, judge), lambda: SIGNER)
    application = Starlette(routes=gate_routes(GateDoor(parts, lambda _: ANN)))

    async def passed_on(request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application)) as client:
            return await client.request(request.method, request.url, content=request.content)

    def reply(request: httpx.Request) -> httpx.Response:
        answer = asyncio.run(passed_on(request))
        return httpx.Response(answer.status_code, content=answer.content)

    return reply


def test_the_script_and_the_gate_understand_each_other(promote: ModuleType, office: Office) -> None:
    def promoted_version() -> tuple[int, Registry]:
        registry = Registry()
        with answering(door(office)) as gate:
            answer = promote.ask(gate, REGISTRY, "credit", "1", "production")
        return promote.promote(registry, answer, "credit", "1", "champion"), registry

    code, registry = promoted_version()
    assert (code, registry.aliases) == (1, {})
    office.attest(ANN, "inventory", statement={"owner": "team:credit"})
    code, registry = promoted_version()
    assert (code, registry.aliases) == (0, {"credit@champion": "1"})
    assert registry.tags["lineward.decision"].startswith("dc_")


def test_the_analysis_and_the_gate_understand_each_other(office: Office) -> None:
    (metric,) = loaded("argo/analysis-template.yaml")["spec"]["metrics"]
    given = {"namespace": REGISTRY, "model": "credit", "version": "1", "environment": "production"}
    asked = re.sub(r"\{\{args\.(\w+)\}\}", lambda m: given[m[1]], json.dumps(metric["provider"]["web"]["jsonBody"]))

    def result() -> str:
        with answering(door(office)) as gate:
            return argo_result(gate.post("/api/v1/gate/decisions", content=asked).json())

    assert result() == "Failed"
    office.attest(ANN, "inventory", statement={"owner": "team:credit"})
    assert result() == "Successful"
