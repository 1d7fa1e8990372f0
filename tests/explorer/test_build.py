"""The explorer that is served is the one that its sources say; without it the server says what to do."""

import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from catalog import pages
from catalog_graphql.stamp import STAMP, built_digest, is_stale, source_digest

ROOT = Path(__file__).parents[2]


def test_the_built_explorer_is_that_of_its_sources() -> None:
    if built_digest() is not None:
        assert not is_stale(), "run: make setup"


def checkout(folder: Path) -> Path:
    """A small one; its folder of assets."""
    for name in ("explorer/src/main.tsx", "explorer/package.json", "operations/a.graphql", "schema.graphql"):
        path = folder / "graphql" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    static = folder / "graphql" / "catalog_graphql" / "static"
    static.mkdir(parents=True)
    (static / STAMP).write_text(json.dumps({"sources": source_digest(folder / "graphql")}))
    return static


@pytest.mark.parametrize("name", ["explorer/src/main.tsx", "explorer/new.ts", "operations/a.graphql", "schema.graphql"])
def test_a_change_of_anything_that_the_build_reads_is_noticed(tmp_path: Path, name: str) -> None:
    static = checkout(tmp_path)
    assert not is_stale(static)
    (tmp_path / "graphql" / name).write_text("other")
    assert is_stale(static)


@pytest.mark.parametrize(
    "name", ["explorer/node_modules/a/index.js", "explorer/src/gql/graphql.ts", "explorer/.cache/x"]
)
def test_what_the_build_makes_is_no_source(tmp_path: Path, name: str) -> None:
    static = checkout(tmp_path)
    made = tmp_path / "graphql" / name
    made.parent.mkdir(parents=True)
    made.write_text("made")
    assert not is_stale(static)


def test_an_installed_package_has_no_sources_to_be_stale_against(tmp_path: Path) -> None:
    (tmp_path / "site-packages" / "catalog_graphql" / "static").mkdir(parents=True)
    assert not is_stale(tmp_path / "site-packages" / "catalog_graphql" / "static")


@pytest.mark.parametrize("path", ["/", "/lineage", "/models/x"])
def test_without_assets_a_page_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(pages, "has_explorer", lambda: False)
    with TestClient(Starlette(routes=pages.page_routes())) as client:
        answer = client.get(path)
    assert answer.status_code == 200
    assert "make setup" in answer.text
    assert "Node" in answer.text


def test_the_lock_file_holds_no_address() -> None:
    lock = json.loads((ROOT / "graphql" / "explorer" / "package-lock.json").read_text())
    packages = [entry for name, entry in lock["packages"].items() if name]
    assert packages
    assert all("resolved" not in entry and entry["integrity"].startswith("sha512-") for entry in packages)
