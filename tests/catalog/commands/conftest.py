"""A small real data folder, and the command line as a user has it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from catalog.cli import app
from catalog.log.store import LogStore
from ingest.intake import Intake

if TYPE_CHECKING:
    from tests.catalog.commands.company import Company

TRAIN = "01a20d9f-d641-7e02-b794-8c31e69b7303"
OTHER = "01a20d9f-d521-756a-9b89-bf22074eadcf"
RECEIVED = 1_795_000_000_000_000  # µs, after all that a test reports
PAST = 1_775_000_000_000_000  # µs, a day that no clock is behind


def dataset(namespace: str, name: str, version: str, **facets: Any) -> dict[str, Any]:
    written = {"version": {"datasetVersion": version}} | facets
    return {"namespace": namespace, "name": name, "facets": {k: v | _origin(k) for k, v in written.items()}}


def _origin(facet: str) -> dict[str, str]:
    return {"_producer": "urn:test", "_schemaURL": f"https://openlineage.io/spec/facets/1-0-0/{facet}.json#/$defs/X"}


def event(run: str, kind: str, at: str, **sides: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventTime": at,
        "run": {"runId": run},
        "job": {"namespace": "jobs", "name": "train"},
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    } | sides


def training(run: str, registry: str, version: str) -> list[dict[str, Any]]:
    """A run that reads one file and registers `risk` in a registry."""
    model = dataset(registry, "risk", version, datasetType={"datasetType": "MODEL"})
    source = dataset("file", "train.csv", "v7")
    return [
        event(run, "START", "2026-03-01T09:00:00Z", inputs=[source]),
        event(run, "COMPLETE", "2026-03-01T09:00:10Z", inputs=[source], outputs=[model]),
    ]


def write_log(folder: Path, events: list[dict[str, Any]], received: int = RECEIVED) -> None:
    with LogStore.open(folder) as log:
        log.append([Intake().submission(json.dumps(each).encode(), "local", "file") for each in events], received)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of one training run that made risk@1 in one registry."""
    data = tmp_path / "data"
    write_log(data, training(TRAIN, "registry", "1"), PAST)
    return data


Lineward = Callable[..., Any]


@pytest.fixture
def lineward(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lineward:
    """Runs a command in an empty folder and an environment without settings; `.exit_code`, `.stdout`, `.stderr`."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATA", "URL", "GRAPH", "HOST", "PORT"):
        monkeypatch.delenv(f"LINEWARD_{name}", raising=False)
    runner = CliRunner()

    def run(*arguments: str | Path, **options: Any) -> Any:
        return runner.invoke(app, [str(each) for each in arguments], **options)

    return run


@pytest.fixture(scope="session")
def founded_company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder in which several people have keys; to be copied, not changed."""
    from tests.catalog.commands.company import founded

    data = tmp_path_factory.mktemp("company") / "data"
    runner = CliRunner()
    return data, founded(lambda *arguments, **more: runner.invoke(app, [str(each) for each in arguments], **more), data)


@pytest.fixture
def company(
    founded_company: tuple[Path, dict[str, str]], lineward: Lineward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> "Company":
    """People who act in a folder of their own, and a model without an owner or approvals."""
    from tests.catalog.commands.company import Company

    for name in ("API_KEY", "SIGNING_KEY", "SIGNING_KEY_FILE", "ON_ERROR_ALLOW_ENVIRONMENTS"):
        monkeypatch.delenv(f"LINEWARD_{name}", raising=False)
    template, keys = founded_company
    data = tmp_path / "company"
    shutil.copytree(template, data)
    return Company(lineward, ("--data", str(data)), keys, tmp_path)


@pytest.fixture
def released(company: "Company") -> "Company":
    """The same with a policy in force, and all that it asks for."""
    company.enact_ours()
    company.name_owner()
    company.approve("carl", "dora")
    return company
