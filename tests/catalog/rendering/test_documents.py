"""What the documents say about one known graph."""

import json
from xml.etree import ElementTree

from catalog.rendering.dot import dot
from catalog.rendering.json_document import json_document
from catalog.rendering.mermaid import mermaid
from catalog.rendering.snapshot import Snapshot
from catalog.rendering.svg import svg
from tests.catalog.rendering.graphs import training

SVG = "{http://www.w3.org/2000/svg}"


def test_json_has_the_members_of_the_graphql_types() -> None:
    document = json.loads(json_document(training(), Snapshot(50, "00ff")))
    assert list(document) == ["root", "nodes", "edges", "depthReached", "truncated", "gaps", "snapshot"]
    assert document["snapshot"] == {"logSize": 50, "root": "00ff", "valid": None, "known": 42}
    model, run = document["nodes"][:2]
    assert (model["version"], model["state"]) == ("2", "CURRENT")
    assert model["current"] == "2026-03-01T09:14:36.000250Z"
    assert run["runId"] == "01a20d9f-d641-7e02-b794-8c31e69b7303"
    assert run["ended"] == "2026-03-01T09:14:36.000250Z"
    assert document["edges"][0] | {"from": "a", "to": "r", "basis": "INFERRED"} == document["edges"][0]
    assert document["gaps"] == [{"kind": "EXTERNAL", "node": "b", "reason": "no version was ever written here"}]


def test_dot_draws_each_basis_in_its_way() -> None:
    text = dot(training())
    assert '"a" -> "r" [label="inferred" style=dashed]' in text
    assert '"s" -> "b" [label="rollup" style=dotted]' in text
    assert '"r" -> "m" [label="explicit" style=solid]' in text


def test_mermaid_names_bases_that_are_not_stated() -> None:
    lines = [line.strip() for line in mermaid(training()).splitlines()]
    assert lines[0] == "flowchart LR"
    assert 'n2 -.->|"inferred"| n1' in lines
    assert "n1 --> n0" in lines
    assert 'n0["model version<br/>credit-risk<br/>2"]' in lines
    assert "class n3 unknown" in lines


def test_the_picture_stamps_its_cut_and_explains_its_marks() -> None:
    root = ElementTree.fromstring(svg(training(), Snapshot(50, "ab" * 32)))
    words = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert "Lineage of credit-risk@2" in words
    assert any("as known now · log of 42 entries · root abababababababab…" in each for each in words)
    for explained in ("model version", "run", "stated by the producer", "taken from the application", "has unknowns"):
        assert explained in words


def test_the_picture_dashes_edges_by_basis_and_marks_gaps() -> None:
    root = ElementTree.fromstring(svg(training()))
    drawn = {path.findtext(f"{SVG}title", ""): path.get("stroke-dasharray") for path in root.findall(f"{SVG}path")}
    assert drawn["EXPLICIT, stated by the producer"] is None
    dashes = {title.split(",")[0]: dash for title, dash in drawn.items()}
    assert len(set(dashes.values())) == 4
    titles = [group.findtext(f"{SVG}title", "") for group in root.findall(f"{SVG}g")]
    assert "ns · b.csv · 7\nEXTERNAL: no version was ever written here" in titles


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    picture = svg(training()).replace("http://www.w3.org/2000/svg", "")
    for foreign in ("http", "href", "@import", "<script", "<style"):
        assert foreign not in picture
