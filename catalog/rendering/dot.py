"""A lineage graph in the DOT language of Graphviz."""

from collections.abc import Iterator

from catalog.model import Basis, LineageEdge, LineageGraph, Node
from catalog.rendering import caption
from catalog.rendering.legible import elided, legible
from catalog.rendering.palette import LOOKS, WARNING

_STYLES = {Basis.EXPLICIT: "solid", Basis.COLUMN: "solid", Basis.INFERRED: "dashed", Basis.ROLLUP: "dotted"}


def dot(graph: LineageGraph) -> str:
    """Left to right, as data flows; a node with a gap has a thick amber border and the reasons as its tooltip."""
    return "\n".join(["digraph lineage {", *(f"  {line}" for line in _statements(graph)), "}", ""])


def _statements(graph: LineageGraph) -> Iterator[str]:
    yield "rankdir=LR"
    yield f"label={_quoted(f'{caption.extent(graph)} · {caption.as_of(graph)}')}"
    yield 'node [shape=box style="rounded,filled" fontname="sans-serif" fontsize=11]'
    yield 'edge [fontname="sans-serif" fontsize=9 color="#64748b"]'
    reasons: dict[str, list[str]] = {}
    for gap in graph.gaps:
        reasons.setdefault(gap.node, []).append(f"{gap.kind}: {legible(gap.reason)}")
    for node in graph.nodes:
        yield _node(node, reasons.get(node.id, []), node.id == graph.root.id)
    for edge in graph.edges:
        yield _edge(edge)


def _node(node: Node, reasons: list[str], is_root: bool) -> str:
    look = LOOKS[node.kind]
    detail = caption.detail(node)
    lines = [look.word, elided(caption.name(node), 48), *([elided(detail, 40)] if detail else [])]
    border, width = (WARNING, 2) if reasons else (look.colour, 2 if is_root else 1)
    tooltip = "; ".join([caption.whole(node), *reasons])
    return (
        f"{_quoted(node.id)} [label={_quoted(*lines)} tooltip={_quoted(tooltip)} "
        f'color="{border}" penwidth={width} fillcolor="{look.tint}"]'
    )


def _edge(edge: LineageEdge) -> str:
    label = ", ".join(filter(None, (edge.basis.value.lower(), caption.steps(edge), "stale" if edge.stale else None)))
    style = _STYLES[edge.basis]
    return f"{_quoted(edge.source)} -> {_quoted(edge.target)} [label={_quoted(label)} style={style}]"


def _quoted(*lines: str) -> str:
    """A string of DOT: backslashes are its escapes, and ampersands begin an HTML entity even in plain labels."""
    escaped = (each.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for each in lines)
    return '"' + "\\n".join(escaped) + '"'
