"""One node in the picture: a card with the icon of its kind, its name, its version and its times."""

from xml.etree.ElementTree import Element, SubElement

from catalog.identity import NodeKind
from catalog.model import Node
from catalog.rendering import caption
from catalog.rendering.icons import ICONS
from catalog.rendering.legible import elided, legible
from catalog.rendering.palette import LOOKS, WARNING

WIDTH, HEIGHT = 224.0, 80.0
_TEXT = 48.0  # where the text begins
_INK, _SOFT = "#0f172a", "#64748b"


def card(node: Node, x: float, y: float, unknowns: list[str], *, is_root: bool) -> Element:
    """A group with its upper left corner at (x, y); the tooltip holds what is shortened, and what is unknown."""
    look = LOOKS[node.kind]
    group = Element("g", {"transform": f"translate({x:.1f} {y:.1f})"})
    SubElement(group, "title").text = "\n".join([caption.whole(node), *unknowns])
    border = look.colour if is_root else WARNING if unknowns else "#cbd5e1"
    SubElement(
        group,
        "rect",
        {
            "width": f"{WIDTH:.0f}",
            "height": f"{HEIGHT:.0f}",
            "rx": "9",
            "fill": look.tint if is_root else "#ffffff",
            "stroke": border,
            "stroke-width": "2" if is_root else "1.2",
        },
    )
    group.append(icon(node.kind, 12, 14, 26))
    _write(group, node)
    if unknowns:
        _mark(group)
    return group


def icon(kind: NodeKind, x: float, y: float, size: float) -> Element:
    """A tinted square with the outline of the kind in it."""
    look = LOOKS[kind]
    scale = size / 26
    group = Element("g", {"transform": f"translate({x:.1f} {y:.1f}) scale({scale:.3f})"})
    SubElement(group, "rect", {"width": "26", "height": "26", "rx": "6", "fill": look.tint})
    outline = {"d": ICONS[kind], "fill": "none", "stroke": look.colour, "stroke-linejoin": "round"}
    SubElement(group, "path", outline | {"stroke-width": "1.4", "transform": "translate(5 5)"})
    return group


def _write(group: Element, node: Node) -> None:
    look = LOOKS[node.kind]
    kind = look.word.removesuffix(" version")  # the version itself is told below
    head = f"{kind} · {node.state.replace('_', ' ')}" if node.state else kind
    _line(group, 21, elided(legible(head).upper(), 23), 9.5, look.colour).set("letter-spacing", ".5")
    _line(group, 39, elided(caption.name(node), 21), 13.5, _INK).set("font-weight", "600")
    lines = [line for line in (caption.detail(node), caption.when(node)) if line is not None]
    for number, (line, columns) in enumerate(zip(lines, (25, 31), strict=False)):
        _line(group, 55 + 15 * number, elided(line, columns), 11 - number, _SOFT)


def _line(group: Element, y: float, text: str, size: float, colour: str) -> Element:
    element = SubElement(
        group, "text", {"x": f"{_TEXT:.0f}", "y": f"{y:.0f}", "font-size": f"{size:g}", "fill": colour}
    )
    element.text = text
    return element


def _mark(group: Element) -> None:
    SubElement(group, "circle", {"cx": f"{WIDTH - 1:.0f}", "cy": "1", "r": "9", "fill": WARNING})
    mark = {"x": f"{WIDTH - 1:.0f}", "y": "5.5", "font-size": "12", "font-weight": "700", "fill": "#ffffff"}
    SubElement(group, "text", mark | {"text-anchor": "middle"}).text = "!"
