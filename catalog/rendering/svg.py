"""A lineage graph as a picture for a report: SVG 1.1 without scripts, styles or fonts of elsewhere, on white."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from catalog.identity import NodeKind
from catalog.model import Basis, LineageEdge, LineageGraph
from catalog.rendering import caption
from catalog.rendering.card import HEIGHT, WIDTH, card, icon
from catalog.rendering.layers import Layout, Place, layout
from catalog.rendering.legible import elided, legible
from catalog.rendering.palette import DASHES, LOOKS, MEANING, WARNING
from catalog.rendering.snapshot import Snapshot

FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
MARGIN, HEAD, FOOT = 32.0, 92.0, 64.0
COLUMN, ROW = WIDTH + 68, HEIGHT + 24.0
NARROWEST = 760.0
LINE, FAINT, INK, SOFT = "#64748b", "#b6c0cd", "#0f172a", "#64748b"


def svg(graph: LineageGraph, snapshot: Snapshot | None = None) -> str:
    """A whole document. Long names are shortened in the middle and whole in the tooltip of their card."""
    placed = layout([node.id for node in graph.nodes], ((edge.source, edge.target) for edge in graph.edges))
    legend = _legend(graph)
    canvas = _Canvas(
        max(NARROWEST, 2 * MARGIN + placed.layers * COLUMN - (COLUMN - WIDTH)),
        HEAD + placed.rows * ROW + FOOT,
    )
    document = canvas.document(f"Lineage of {_name(graph)}")
    _heading(document, graph, snapshot)
    for edge in graph.edges:
        if edge.source in placed.places and edge.target in placed.places and edge.source != edge.target:
            document.append(_curve(edge, placed))
    reasons: dict[str, list[str]] = {}
    for gap in graph.gaps:
        reasons.setdefault(gap.node, []).append(f"{gap.kind.value}: {legible(gap.reason)}")
    for node in graph.nodes:
        x, y = _corner(placed.places[node.id])
        document.append(card(node, x, y, reasons.get(node.id, []), is_root=node.id == graph.root.id))
    _place_legend(document, legend, canvas)
    return tostring(document, encoding="unicode") + "\n"


@dataclass(frozen=True, slots=True)
class _Canvas:
    width: float
    height: float

    def document(self, title: str) -> Element:
        root = Element(
            "svg",
            {
                "xmlns": "http://www.w3.org/2000/svg",
                "width": _figure(self.width),
                "height": _figure(self.height),
                "viewBox": f"0 0 {_figure(self.width)} {_figure(self.height)}",
                "role": "img",
                "font-family": FONT,
            },
        )
        SubElement(root, "title").text = title
        SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
        definitions = SubElement(root, "defs")
        for key, colour in (("lineward-arrow", LINE), ("lineward-arrow-faint", FAINT)):
            arrow = {"id": key, "viewBox": "0 0 8 8", "refX": "7.2", "refY": "4", "orient": "auto"}
            size = {"markerWidth": "8", "markerHeight": "8", "markerUnits": "userSpaceOnUse"}
            marker = SubElement(definitions, "marker", arrow | size)
            SubElement(marker, "path", {"d": "M0 .6 7.6 4 0 7.4z", "fill": colour})
        return root


# Heading and legend ------------------------------------------------------------------------------------------


def _name(graph: LineageGraph) -> str:
    detail = caption.detail(graph.root)
    name = caption.name(graph.root)
    if detail is None:
        return name
    joint = " of " if graph.root.kind is NodeKind.FIELD else "@" if caption.is_version(graph.root) else " "
    return f"{name}{joint}{detail}"


def _heading(document: Element, graph: LineageGraph, snapshot: Snapshot | None) -> None:
    heading = _text(document, MARGIN, 42, elided(f"Lineage of {_name(graph)}", 62), size=20, colour=INK)
    heading.set("font-weight", "650")
    facts = [caption.extent(graph), caption.as_of(graph)]
    if snapshot:
        facts.append(f"root {snapshot.root[:16]}…")
    line = _text(document, MARGIN, 64, " · ".join(facts), size=12, colour=SOFT)
    if snapshot:
        SubElement(line, "title").text = f"Merkle root {snapshot.root}"
    cut = caption.cut_short(graph)
    if cut:
        _text(document, MARGIN, 81, cut, size=12, colour=WARNING)


@dataclass(frozen=True, slots=True)
class _Mark:
    """An entry of the legend: a kind, a basis, or the mark of a gap, and its words."""

    words: str
    kind: NodeKind | None = None
    basis: Basis | None = None

    @property
    def width(self) -> float:
        return 40 + 6.1 * len(self.words)


def _legend(graph: LineageGraph) -> list[_Mark]:
    kinds = {node.kind for node in graph.nodes}
    bases = {edge.basis for edge in graph.edges}
    marks = [_Mark(LOOKS[kind].word, kind=kind) for kind in NodeKind if kind in kinds]
    marks += [_Mark(MEANING[basis], basis=basis) for basis in Basis if basis in bases]
    return marks + ([_Mark("has unknowns")] if graph.gaps else [])


def _place_legend(document: Element, marks: Sequence[_Mark], canvas: _Canvas) -> None:
    """In lines from the bottom up, as many as the width asks for; the page grows with them."""
    lines = list(_lines(marks, canvas.width - 2 * MARGIN))
    grown = canvas.height + 22 * max(len(lines) - 1, 0)
    document.set("height", _figure(grown))
    document.set("viewBox", f"0 0 {_figure(canvas.width)} {_figure(grown)}")
    y = canvas.height - 26
    rule = {"x1": _figure(MARGIN), "x2": _figure(canvas.width - MARGIN), "stroke": "#e2e8f0"}
    SubElement(document, "line", rule | {"y1": _figure(y - 20), "y2": _figure(y - 20)})
    for number, line in enumerate(lines):
        x = MARGIN
        for mark in line:
            _draw_mark(document, mark, x, y + 22 * number)
            x += mark.width


def _lines(marks: Sequence[_Mark], room: float) -> Iterator[list[_Mark]]:
    line: list[_Mark] = []
    for mark in marks:
        if line and sum(each.width for each in line) + mark.width > room:
            yield line
            line = []
        line.append(mark)
    if line:
        yield line


def _draw_mark(document: Element, mark: _Mark, x: float, y: float) -> None:
    indent = 20.0
    if mark.kind:
        document.append(icon(mark.kind, x, y - 11, 14))
    elif mark.basis:
        indent = 32
        sample = {"x1": _figure(x), "x2": _figure(x + 26), "y1": _figure(y - 4), "y2": _figure(y - 4)}
        SubElement(document, "line", sample | _stroke(mark.basis, LINE))
    else:
        SubElement(document, "circle", {"cx": _figure(x + 7), "cy": _figure(y - 4), "r": "7", "fill": WARNING})
        _text(document, x + 7, y - 0.2, "!", size=10, colour="#ffffff").set("text-anchor", "middle")
    _text(document, x + indent, y, mark.words, size=11, colour=SOFT)


# Edges -------------------------------------------------------------------------------------------------------


def _corner(place: Place) -> tuple[float, float]:
    return MARGIN + place.layer * COLUMN, HEAD + (place.row - 0.5) * ROW + (ROW - HEIGHT) / 2


def _curve(edge: LineageEdge, placed: Layout) -> Element:
    """A path that enters and leaves every layer level, and says what is known of the edge in its tooltip."""
    source, target = placed.places[edge.source], placed.places[edge.target]
    rightwards = target.layer > source.layer
    points = [_side(source, right=rightwards)]
    for bend in placed.bends[(edge.source, edge.target)]:
        points += [_side(bend, right=not rightwards), _side(bend, right=rightwards)]
    points.append(_side(target, right=not rightwards))
    arrow = "lineward-arrow-faint" if edge.stale else "lineward-arrow"
    look = _stroke(edge.basis, FAINT if edge.stale else LINE) | {"fill": "none", "marker-end": f"url(#{arrow})"}
    path = Element("path", {"d": _through(points)} | look)
    SubElement(path, "title").text = "; ".join(_facts(edge))
    return path


def _side(place: Place, *, right: bool) -> tuple[float, float]:
    x, y = _corner(place)
    return (x + WIDTH if right else x), y + HEIGHT / 2


def _through(points: Sequence[tuple[float, float]]) -> str:
    x, y = points[0]
    path = [f"M{_figure(x)} {_figure(y)}"]
    for number, (to_x, to_y) in enumerate(points[1:]):
        if number % 2:  # across a layer
            path.append(f"L{_figure(to_x)} {_figure(to_y)}")
        else:
            middle = _figure((x + to_x) / 2)
            path.append(f"C{middle} {_figure(y)} {middle} {_figure(to_y)} {_figure(to_x)} {_figure(to_y)}")
        x, y = to_x, to_y
    return "".join(path)


def _stroke(basis: Basis, colour: str) -> dict[str, str]:
    look = {"stroke": colour, "stroke-width": "1.5"}
    return look | ({"stroke-dasharray": DASHES[basis]} if DASHES[basis] else {})


def _facts(edge: LineageEdge) -> Iterator[str]:
    yield f"{edge.basis.value}, {MEANING[edge.basis]}"
    yield from filter(None, (caption.steps(edge), caption.counted(edge.runs, "run") if edge.runs else None))
    if edge.first_seen and edge.last_seen:
        yield f"seen {caption.moment(edge.first_seen)} to {caption.moment(edge.last_seen)}"
    if edge.stale:
        yield "stale"


def _text(parent: Element, x: float, y: float, text: str, *, size: float, colour: str) -> Element:
    element = SubElement(parent, "text", {"x": _figure(x), "y": _figure(y), "font-size": _figure(size), "fill": colour})
    element.text = text
    return element


def _figure(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
