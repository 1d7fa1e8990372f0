"""A lineage graph for the terminal: a line per node, and what is not known under it."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.style import Style
from rich.text import Text
from rich.tree import Tree

from catalog.identity import NodeKind
from catalog.model import Direction, Gap, LineageEdge, LineageGraph, Node, RunState
from catalog.rendering import caption
from catalog.rendering.legible import elided, legible
from catalog.rendering.palette import LOOKS
from catalog.rendering.spanning import Branch, spanning

NAME = 60  # columns
DETAIL = 36  # a UUID, whole
VERSION = 28
_GOOD = frozenset({RunState.COMPLETED.value, "CURRENT"})
_BAD = frozenset({RunState.FAILED.value, RunState.ABORTED.value, RunState.CONFLICTED.value, "PARTIAL", "DROPPED"})


def lineage_tree(graph: LineageGraph, direction: Direction = Direction.UPSTREAM) -> RenderableType:
    """A rich renderable; names are never read as markup, nor let through to the terminal as control codes.

    For BOTH there are two trees, and a walk that began at what stands for its root says so in its first line.
    """
    ways = [Direction.UPSTREAM, Direction.DOWNSTREAM] if direction is Direction.BOTH else [direction]
    return Group(
        *_heading(graph),
        *(part for way in ways for part in _way(graph, way, direction is Direction.BOTH)),
        *_footer(graph),
    )


def _heading(graph: LineageGraph) -> Iterator[Text]:
    if any(node.id == graph.root.id for node in graph.nodes):
        return
    yield Text.assemble(*_title(graph.root), (" is followed from", "dim"))


def _way(graph: LineageGraph, way: Direction, named: bool) -> Iterator[RenderableType]:
    if named:
        yield Text(way.value.lower(), style="bold underline")
    gaps: dict[str, list[Gap]] = {}
    for gap in graph.gaps:
        gaps.setdefault(gap.node, []).append(gap)
    reached = spanning(graph, way)
    if named:  # what the other direction shows is left to it
        reached = reached[:1]
    shown: set[str] = set()
    for branch in reached:
        yield _drawn(branch, gaps, shown)


def _drawn(branch: Branch, gaps: dict[str, list[Gap]], shown: set[str]) -> Tree:
    """In reading order, so that a reference can say whether to look up or down."""
    root = Tree(_label(branch, gaps, shown), guide_style="bright_black")
    waiting = [(branch, root)]
    while waiting:
        parent, tree = waiting.pop()
        if parent is not branch:
            tree = tree.add(_label(parent, gaps, shown))
        waiting += [(child, tree) for child in reversed(parent.branches)]
    return root


def _label(branch: Branch, gaps: dict[str, list[Gap]], shown: set[str]) -> RenderableType:
    node = branch.node
    line = Text.assemble(*_title(node), overflow="fold")
    if branch.reference:
        line.append(" ↑ shown above" if node.id in shown else " ↓ shown below", style="dim italic")
        return line.append_text(_basis(branch.edge))
    shown.add(node.id)
    line.append_text(_facts(node)).append_text(_basis(branch.edge))
    return Group(line, *(_gap(gap) for gap in gaps.get(node.id, ())))


def _title(node: Node) -> Iterator[tuple[str, str | Style]]:
    look = LOOKS[node.kind]
    yield f"{look.symbol} ", look.style
    yield elided(caption.name(node), NAME), "bold"
    detail = caption.detail(node)
    if detail is not None:
        yield {NodeKind.RUN: " ", NodeKind.FIELD: " of "}.get(node.kind, "@"), "dim"
        yield (
            elided(detail, VERSION if caption.is_version(node) else DETAIL),
            "" if node.kind is NodeKind.FIELD else look.style,
        )
    yield f"  {look.word.removesuffix(' version')}", "dim"


def _facts(node: Node) -> Text:
    facts = Text()
    if node.state:
        style = "green" if node.state in _GOOD else "bold red" if node.state in _BAD else "yellow"
        facts.append(f"  {legible(node.state.lower().replace('_', ' '))}", style=style)
    for fact in (caption.when(node), caption.continued(node)):
        if fact:
            facts.append(f"  {fact}", style="dim")
    return facts


def _basis(edge: LineageEdge | None) -> Text:
    """How one knows of the edge; what is not simply stated stands out."""
    if edge is None:
        return Text()
    words = [edge.basis.value.lower()]
    words += filter(None, (caption.steps(edge), caption.counted(edge.runs, "run") if edge.runs else None))
    line = Text(f"  [{', '.join(words)}]", style="blue")
    if edge.stale:
        line.append(" stale", style="yellow")
    return line


def _gap(gap: Gap) -> Text:
    kind = gap.kind.value.lower().replace("_", " ")
    return Text(f"  ! unknown ({kind}): {legible(gap.reason)}", style="bold yellow")


def _footer(graph: LineageGraph) -> Iterator[Text]:
    yield Text(f"{caption.extent(graph)} · {caption.as_of(graph)}", style="dim")
    cut = caption.cut_short(graph)
    if cut and graph.truncated:
        more = "--depth" if graph.truncated.reason == "DEPTH" else "--limit"
        yield Text(f"! {cut}; ask for more with {more}", style="bold yellow")
