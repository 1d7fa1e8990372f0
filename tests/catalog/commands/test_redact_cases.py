"""A person's row is erased from the raw table: who is told what rests on it, and what the gate makes of that."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog.identity import dataset_id
from policies.library import built_in
from tests.catalog.commands.company import FIRST, Company, hire, id_in, new_key
from tests.catalog.commands.conftest import Lineward, dataset, event, write_log

LAKE, REGISTRY = "s3://lake", "registry"
RUNS = [f"01a20d9f-d641-7e02-b794-8c31e69b73{number:02}" for number in range(9)]
GOVERNANCE = {"lineward_dataGovernance": {"personalData": True, "origin": {"source": "branch"}}}
BINDING = """\
apiVersion: lineward.dev/v1
kind: PolicyBinding
metadata: {name: privacy}
environments: [production]
packs: [{name: gdpr-training-data}]
enforceDrafts: true
"""


def run(number: int, at: str, reads: list[dict[str, Any]], writes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    told = event(RUNS[number], "COMPLETE", f"{at}:10Z", inputs=reads, outputs=writes)
    told["job"] = {"namespace": "jobs", "name": f"step{number}"}
    return [told | {"eventType": "START", "eventTime": f"{at}:00Z"}, told]


def raw() -> dict[str, Any]:
    """A table that nobody of ours writes, and that has no versions."""
    table = dataset(LAKE, "applications", "", **GOVERNANCE)
    del table["facets"]["version"]
    return table


def features(version: str, **more: Any) -> dict[str, Any]:
    return dataset(LAKE, "features", version, **more)


def risk(version: str) -> dict[str, Any]:
    return dataset(REGISTRY, "risk", version, datasetType={"datasetType": "MODEL"})


def trained(number: int, day: str, version: str, **more: Any) -> list[dict[str, Any]]:
    """The raw table is made into features, and these into a model."""
    return [
        *run(number, f"{day}T09:00", [raw()], [features(version, **more)]),
        *run(number + 1, f"{day}T10:00", [features(version)], [risk(version)]),
    ]


@pytest.fixture
def bank(lineward: Lineward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Credit risk in production, by a bank in the EU; eve and fay answer requests."""
    monkeypatch.delenv("LINEWARD_API_KEY", raising=False)
    data = tmp_path / "bank"
    write_log(data, trained(0, "2026-03-01", "1"), 1_780_000_000_000_000)

    def by(key: str, *command: str) -> str:
        done = lineward(*command, "--data", data, env={"LINEWARD_API_KEY": key})
        assert done.exit_code == 0, done.stderr
        return str(done.stdout)

    keys = hire(by, by("", *FIRST).strip())
    for name in ("eve", "fay"):
        keys[name] = by(keys["ann"], *new_key(name, "redact", "lineage:read", "policy:read")).strip()
        by(keys["ben"], "keys", "confirm", keys[name].split("_")[1])
    staff = Company(lineward, ("--data", str(data)), keys, tmp_path)
    staff.does("carl", "attest", "--namespace", REGISTRY, "--model", "risk", "--type", "classification",
               "--set", "jurisdictions=EU", "--set", "jurisdictions=DE", "--expires", "300d")  # fmt: skip
    staff.enact(built_in()["gdpr-training-data"], staff.written("privacy.yaml", BINDING))
    return staff


def verdict(staff: Company, version: str = "1") -> str:
    """What the gate makes of the control, in a preview."""
    path = staff.folder / "answer.json"
    staff.run("pipe", "gate", f"risk@{version}", "--env", "production", "--preview", "--json", path)
    controls = json.loads(path.read_text())["decision"]["controls"]
    return next(str(each["verdict"]) for each in controls if each["control"] == "GDPR-17.1")


def refuses_what_it_should(bank: Company) -> None:
    about = ("report", "--about", "applications", "--namespace", LAKE)
    for command in (("cases",), about):
        done = bank.run("carl", "redact", *command)
        assert done.exit_code == 3
        assert "may not" in done.stderr
    assert bank.run("eve", "redact", "report").exit_code == 2
    assert bank.run("eve", "redact", "report", "er_none").exit_code == 2
    assert bank.run("eve", "redact", "report", "--about", "nothing", "--namespace", LAKE).exit_code == 2


def retrain(staff: Company, days: int) -> None:
    """The table without the row is read anew, after the erasure; features are replaced."""
    then = datetime.now(UTC) + timedelta(days=days)
    replaced = {"lifecycleStateChange": {"lifecycleStateChange": "OVERWRITE"}}
    write_log(
        Path(staff.place[1]),
        trained(4, f"{then:%Y-%m-%d}", "2", **replaced),
        int((then + timedelta(days=1)).timestamp()) * 1_000_000,
    )


def test_a_row_goes_and_the_gate_waits_for_what_is_decided(bank: Company) -> None:
    refuses_what_it_should(bank)
    assert verdict(bank) == "pass"
    bank.run("pipe", "gate", "risk@1", "--env", "production")

    asked = ("--about", "applications", "--namespace", LAKE)
    preview = json.loads(bank.does("eve", "redact", "report", *asked, "--json"))
    assert [each["version"] for each in preview["versions"]] == ["1"]
    assert len(preview["decisions"]) == 1
    assert preview["id"] is None

    told = bank.does("eve", "redact", "propose", "--concerns", dataset_id(LAKE, "applications"),
                     "--reason", "request 4711", "--basis", "GDPR Art. 17(1)(b)")  # fmt: skip
    case = id_in(told)
    bank.does("fay", "redact", "confirm", case)
    assert verdict(bank) == "fail"
    found = bank.run("eve", "redact", "report", case, "--markdown", "-")
    assert found.exit_code == 1
    assert "| risk | 1 | registry | nothing |" in found.stdout
    assert "request 4711" in found.stdout
    assert bank.run("eve", "redact", "cases").exit_code == 1

    retrain(bank, days=2)
    assert verdict(bank, "2") == "pass"
    decided = ("redact", "dispose", case, "risk@1", "--reason", "minutes of 24 November")
    assert bank.run("carl", *decided, "--suppress").exit_code == 3
    assert bank.run("eve", *decided, "--accept", "30d").exit_code == 3, "who opened it does not accept alone"
    assert bank.run("fay", *decided, "--accept", "400d").exit_code == 2
    assert bank.run("fay", *decided).exit_code == 2
    bank.does("fay", *decided, "--accept", "30d")
    assert verdict(bank) == "pass"
    settled = bank.does("eve", *decided, "--retrain", "risk@2")
    assert "settled  risk@1" in settled
    assert verdict(bank) == "fail", "it was to be replaced"
    assert verdict(bank, "2") == "pass"
    cases = json.loads(bank.does("eve", "redact", "cases", "--json"))
    assert [each["state"] for each in cases] == ["CLOSED"]
