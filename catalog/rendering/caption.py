"""What every rendering writes about a node, an edge or an answer."""

from datetime import datetime

from catalog.identity import NodeKind
from catalog.model import LineageEdge, LineageGraph, Node
from catalog.rendering.legible import legible

_VERSIONS = frozenset({NodeKind.DATASET_VERSION, NodeKind.MODEL_VERSION})


def name(node: Node) -> str:
    """What a person calls the node: a column by its path, all else by its name. Whole and legible."""
    return legible((node.label if node.kind is NodeKind.FIELD else None) or node.name) or "(no name)"


def detail(node: Node) -> str | None:
    """What tells it from its like: the version, the run's UUID, a column's dataset."""
    if node.kind is NodeKind.FIELD:
        return legible(node.name)
    return None if node.label is None else legible(node.label)


def is_version(node: Node) -> bool:
    return node.kind in _VERSIONS


def when(node: Node) -> str | None:
    """When a run began and how long it took, or since when a version has been current; UTC."""
    if node.kind is not NodeKind.RUN:
        return None if node.ended is None else moment(node.ended)
    if node.started is None:
        return None
    return f"{moment(node.started)}, {duration(node.started, node.ended) if node.ended else 'no end'}"


def continued(node: Node) -> str | None:
    """How much of its predecessors a version still holds."""
    if node.continues is None:
        return None
    count, since = node.continues.count, node.continues.since
    writes = "1 earlier write" if count == 1 else f"{count:,} earlier writes"
    return f"continues {writes}" + (f" since {moment(since)}" if since else "")


def whole(node: Node) -> str:
    """Everything that identifies a node, however long."""
    parts = (legible(node.namespace or ""), legible(node.name), legible(node.label or ""))
    return " · ".join(part for part in parts if part)


def moment(timestamp: str) -> str:
    """`2026-03-01 09:12:31Z` of canonical text."""
    return f"{timestamp[:10]} {timestamp[11:19]}Z"


def steps(edge: LineageEdge) -> str | None:
    """A column's transformations, masking named."""
    words = [
        " ".join(filter(None, (each.subtype or each.type, "masked" if each.masking else None)))
        for each in edge.transformations
    ]
    return ", ".join(dict.fromkeys(legible(each.lower()) for each in words)) or None


def as_of(graph: LineageGraph) -> str:
    """The cut of an answer: event time and log size."""
    valid = f"as of {moment(graph.valid)}" if graph.valid else "as known now"
    return f"{valid} · log of {counted(graph.known, 'entry', 'entries')}"


def extent(graph: LineageGraph) -> str:
    parts = [counted(len(graph.nodes), "node"), counted(len(graph.edges), "edge")]
    if graph.gaps:
        parts.append(counted(len(graph.gaps), "gap"))
    return " · ".join(parts)


def cut_short(graph: LineageGraph) -> str | None:
    if graph.truncated is None:
        return None
    reason = {"DEPTH": "at the depth limit", "LIMIT": "at the node limit"}.get(graph.truncated.reason, "early")
    return f"stopped {reason}: {counted(graph.truncated.omitted, 'node')} beyond"


def counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(start: str, end: str) -> str:
    """`0.4 s`, `2 min 5 s`, `3 h 2 min` or `4 d 1 h` between two times."""
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, name, part, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit:
            return f"{whole // unit} {name} {whole % unit // part} {smaller}"
    return f"{whole} s"
