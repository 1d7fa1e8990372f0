"""A lineage graph as a Mermaid flowchart, which GitHub, GitLab and many wikis draw inside Markdown."""

import re
from collections.abc import Iterator

from catalog.model import Basis, LineageEdge, LineageGraph, Node
from catalog.rendering import caption
from catalog.rendering.legible import elided
from catalog.rendering.palette import LOOKS, WARNING

_ARROWS = {Basis.EXPLICIT: "-->", Basis.COLUMN: "==>", Basis.INFERRED: "-.->", Basis.ROLLUP: "-.->"}
# Punctuation may mean something to Mermaid, to its Markdown or to HTML, except for these within a word.
_PUNCTUATION = re.compile(r"(?P<kept>(?<=[0-9A-Za-z])[-._/@:](?=[0-9A-Za-z]))|[!-/:-@\[-`{-~]")


def mermaid(graph: LineageGraph) -> str:
    """Nodes are n0, n1 … in the order of the answer; names only ever stand in quotes, escaped."""
    return "\n".join(["flowchart LR", *(f"  {line}" for line in _statements(graph)), ""])


def _statements(graph: LineageGraph) -> Iterator[str]:
    keys = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    unknown = {gap.node for gap in graph.gaps}
    yield f"%% {caption.extent(graph)} · {caption.as_of(graph)}"
    for node in graph.nodes:
        yield _node(keys[node.id], node, node.id in unknown)
    for edge in graph.edges:
        yield _edge(keys[edge.source], keys[edge.target], edge)
    for kind in sorted({node.kind for node in graph.nodes}):
        look = LOOKS[kind]
        yield f"classDef {_class(kind)} fill:{look.tint},stroke:{look.colour},color:#1e293b"
        yield f"class {','.join(keys[node.id] for node in graph.nodes if node.kind is kind)} {_class(kind)}"
    marked = [keys[node.id] for node in graph.nodes if node.id in unknown]
    if marked:
        yield f"classDef unknown stroke:{WARNING},stroke-width:3px"
        yield f"class {','.join(marked)} unknown"


def _class(kind: str) -> str:
    """No word of Mermaid's own."""
    return f"kind_{kind.lower()}"


def _node(key: str, node: Node, unknown: bool) -> str:
    detail = caption.detail(node)
    lines = [
        f"{LOOKS[node.kind].word}{' (with unknowns)' if unknown else ''}",
        elided(caption.name(node), 48),
        *([elided(detail, 40)] if detail else []),
    ]
    return f'{key}["{"<br/>".join(map(_escaped, lines))}"]'


def _edge(source: str, target: str, edge: LineageEdge) -> str:
    if edge.basis is Basis.EXPLICIT and not edge.transformations:
        return f"{source} {_ARROWS[edge.basis]} {target}"
    words = ", ".join(filter(None, (edge.basis.value.lower(), caption.steps(edge))))
    return f'{source} {_ARROWS[edge.basis]}|"{_escaped(words)}"| {target}'


def _escaped(text: str) -> str:
    return _PUNCTUATION.sub(lambda found: found["kept"] or f"#{ord(found[0])};", text)
