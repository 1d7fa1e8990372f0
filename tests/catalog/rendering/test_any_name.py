"""Whatever anybody calls things, each rendering is well-formed, and nothing of it acts on a terminal."""

import json
import re
import unicodedata
from collections.abc import Callable
from io import StringIO
from xml.etree import ElementTree

from hypothesis import given, settings
from rich.console import Console

from catalog.model import Direction, LineageGraph
from catalog.rendering.dot import dot
from catalog.rendering.json_document import json_document
from catalog.rendering.legible import legible
from catalog.rendering.mermaid import mermaid
from catalog.rendering.snapshot import Snapshot
from catalog.rendering.svg import svg
from catalog.rendering.tree import lineage_tree
from tests.catalog.rendering.graphs import NAMES, graphs

SVG = "{http://www.w3.org/2000/svg}"
SNAPSHOT = Snapshot(7, "ab" * 32)


def any_graph(test: Callable[[LineageGraph], None]) -> Callable[[], None]:
    """How long it takes is not what is tested."""
    return settings(deadline=None)(given(graphs())(test))


def acts(text: str) -> list[str]:
    """The characters that a terminal obeys, or that turn a line round or end it."""
    return [
        each
        for each in text
        if each not in "\n\u200c\u200d" and unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]


def printed(graph: LineageGraph, direction: Direction, width: int = 100) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=False, highlight=False)
    console.print(lineage_tree(graph, direction))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@any_graph
def test_the_picture_is_xml_and_holds_every_node(graph: LineageGraph) -> None:
    picture = svg(graph, SNAPSHOT)
    root = ElementTree.fromstring(picture)
    assert not acts(picture)
    assert len([group for group in root.findall(f"{SVG}g") if group.find(f"{SVG}title") is not None]) == len(
        graph.nodes
    )


@any_graph
def test_nothing_in_the_picture_lies_outside_it(graph: LineageGraph) -> None:
    root = ElementTree.fromstring(svg(graph))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for group in root.findall(f"{SVG}g"):
        place = re.match(r"translate\(([-\d.]+) ([-\d.]+)\)", group.attrib["transform"])
        assert place is not None
        x, y = map(float, place.groups())
        assert 0 <= x < width - 14
        assert 0 <= y < height - 14


@any_graph
def test_the_document_is_json_and_keeps_every_name(graph: LineageGraph) -> None:
    text = json_document(graph, SNAPSHOT)
    assert not acts(text)
    document = json.loads(text)
    assert [each["name"] for each in document["nodes"]] == [each.name for each in graph.nodes]
    assert [(each["from"], each["to"]) for each in document["edges"]] == [(e.source, e.target) for e in graph.edges]
    assert text.encode()


@any_graph
def test_dot_has_balanced_strings_and_one_statement_a_line(graph: LineageGraph) -> None:
    text = dot(graph)
    assert not acts(text)
    for line in text.splitlines():
        assert not line.count('"') or '"' not in re.sub(r'"(?:[^"\\]|\\.)*"', "", line)


@any_graph
def test_mermaid_quotes_hold_only_letters_safe_marks_and_codes(graph: LineageGraph) -> None:
    text = mermaid(graph)
    assert not acts(text)
    for line in text.splitlines():
        for quoted in re.findall(r'"([^"]*)"', line):
            rest = re.sub(r"#\d+;|<br/>|(?<=[0-9A-Za-z])[-._/@:](?=[0-9A-Za-z])", "", quoted)
            assert not re.search(r"[!-/:-@\[-`{-~]", rest)


@any_graph
def test_the_tree_shows_every_node_and_lets_nothing_through(graph: LineageGraph) -> None:
    for direction in Direction:
        assert not acts(printed(graph, direction))
    lines = printed(graph, Direction.UPSTREAM, width=1 << 16).splitlines()
    nodes = [line for line in lines if re.match(r"[│├└─ ]*[▤◆▸▪▲✓] ", line) and "is followed from" not in line]
    first = [line for line in nodes if "shown above" not in line and "shown below" not in line]
    assert len(first) == len(graph.nodes)


@given(NAMES)
def test_legible_text_stays_as_it_is(name: str) -> None:
    once = legible(name)
    assert legible(once) == once
    assert not acts(once.replace("\n", "\x00"))
