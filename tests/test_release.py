"""What is released: a source distribution from which the same wheel can be made, complete without the checkout."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
UNBUILT = os.environ | {"LINEWARD_EXPLORER": "skip"}  # what is built from the web client's sources is tested with it


def build(project: Path, target: str, into: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(into)]
    subprocess.run(command, cwd=project, env=UNBUILT, check=True, capture_output=True)
    (built,) = into.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in a wheel that was made from a source distribution."""
    folder = tmp_path_factory.mktemp("release")
    with tarfile.open(build(ROOT, "sdist", folder / "sdist")) as archive:
        archive.extractall(folder, filter="data")
    (project,) = folder.glob("lineward-*")
    with ZipFile(build(project, "wheel", folder / "wheel")) as built:
        return set(built.namelist())


def test_the_packages_and_their_data_are_in_it(wheel: set[str]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "catalog", "ingest", "policies", "graphql/catalog_graphql"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert {name.removeprefix("graphql/") for name in listed.stdout.split()} <= wheel


def test_saved_questions_and_the_example_come_along(wheel: set[str]) -> None:
    operations = {f"catalog_graphql/operations/{each.name}" for each in (ROOT / "graphql/operations").iterdir()}
    example = {f"catalog/shipped/examples/credit_risk/{each}" for each in ("pipeline.py", "service.py", "policy.yaml")}
    assert operations | example <= wheel


def test_nothing_else_is_installed(wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "catalog", "ingest", "policies", "catalog_graphql"
    }  # fmt: skip
