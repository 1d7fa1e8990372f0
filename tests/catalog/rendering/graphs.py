"""Lineage graphs to render: one like the documentation's, and any at all, with any names."""

from hypothesis import strategies as st

from catalog.identity import NodeKind
from catalog.model import (
    Basis,
    Continues,
    Gap,
    GapKind,
    LineageEdge,
    LineageGraph,
    Node,
    Transformation,
    Truncation,
)

TIME = "2026-03-01T09:12:31.000250Z"


def node(key: str, kind: NodeKind, name: str, label: str | None = None, state: str | None = None) -> Node:
    return Node(key, kind, "ns", name, label, None, state, TIME, "2026-03-01T09:14:36.000250Z")


def graph(nodes: list[Node], edges: list[LineageEdge], gaps: list[Gap] | None = None) -> LineageGraph:
    """The first node is the root."""
    return LineageGraph(nodes[0], tuple(nodes), tuple(edges), 3, None, tuple(gaps or ()), 42, None)


def edge(source: str, target: str, basis: Basis = Basis.EXPLICIT) -> LineageEdge:
    return LineageEdge(source, target, basis)


def training() -> LineageGraph:
    """A model version trained on two datasets that share an origin; one input is external."""
    nodes = [
        node("m", NodeKind.MODEL_VERSION, "credit-risk", "2", "CURRENT"),
        node("r", NodeKind.RUN, "train", "01a20d9f-d641-7e02-b794-8c31e69b7303", "COMPLETED"),
        node("a", NodeKind.DATASET_VERSION, "a.csv", "1", "SUPERSEDED"),
        node("b", NodeKind.DATASET_VERSION, "b.csv", "7", "CURRENT"),
        node("s", NodeKind.RUN, "split", "01a20d9f-d521-756a-9b89-bf22074eadcf", "FAILED"),
    ]
    edges = [
        edge("a", "r", Basis.INFERRED),
        edge("b", "r", Basis.COLUMN),
        edge("r", "m"),
        edge("s", "a"),
        edge("s", "b", Basis.ROLLUP),
    ]
    return graph(nodes, edges, [Gap(GapKind.EXTERNAL, "b", "no version was ever written here")])


# Anything ----------------------------------------------------------------------------------------------------

HOSTILE = st.sampled_from(
    [
        "",
        "[bold red]x[/]",
        "\x1b[31mred\x1b[0m",
        "\x9b2J",
        "a\nb\rc\td",
        "\u202eevil\u2066",
        "‮‏שלום",
        "👩‍👩‍👧‍👦",
        "<script>&amp;]]>",
        "\"'`\\",
        "\\",
        "end",
        "1. list",
        "{}|<>@:/#;%%",
        "\ufffe\uffff\ufdd0",
        "\x00\x07\x7f",
        "x" * 10_240,
        "\u0301" * 300,
        "漢" * 3_000,
    ]
)
NAMES = st.one_of(HOSTILE, st.text(max_size=40), st.builds("".join, st.lists(HOSTILE, max_size=3)))
TIMES = st.sampled_from([None, TIME, "1969-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"])


@st.composite
def graphs(draw: st.DrawFn) -> LineageGraph:
    """Up to eight nodes with edges in any direction, cycles and loops included."""
    kinds = draw(st.lists(st.sampled_from(list(NodeKind)), min_size=1, max_size=8))
    nodes = [_any_node(draw, f"n{number}", kind) for number, kind in enumerate(kinds)]
    keys = st.sampled_from([each.id for each in nodes])
    pairs = draw(st.lists(st.tuples(keys, keys), max_size=16, unique=True))
    return LineageGraph(
        root=draw(st.sampled_from([*nodes, _any_node(draw, "elsewhere", NodeKind.JOB)])),
        nodes=tuple(nodes),
        edges=tuple(_any_edge(draw, *pair) for pair in pairs),
        depth_reached=1,
        truncated=draw(st.sampled_from([None, Truncation("DEPTH", 3), Truncation("LIMIT", 1)])),
        gaps=tuple(
            Gap(kind, key, reason)
            for kind, key, reason in draw(st.lists(st.tuples(st.sampled_from(list(GapKind)), keys, NAMES), max_size=3))
        ),
        known=draw(st.integers(0, 2**53)),
        valid=draw(TIMES),
    )


def _any_node(draw: st.DrawFn, key: str, kind: NodeKind) -> Node:
    labels = NAMES if kind in (NodeKind.FIELD, NodeKind.RUN) else st.one_of(st.none(), NAMES)
    return Node(
        key,
        kind,
        draw(st.one_of(st.none(), NAMES)),
        draw(NAMES),
        draw(labels),
        None,
        draw(st.sampled_from([None, "CURRENT", "COMPLETED", "UNREPORTED"])),
        draw(TIMES),
        draw(TIMES),
        draw(st.sampled_from([None, Continues(1, None), Continues(12_000, TIME)])),
    )


def _any_edge(draw: st.DrawFn, source: str, target: str) -> LineageEdge:
    steps = st.builds(
        Transformation, st.sampled_from(["DIRECT", "INDIRECT"]), st.one_of(st.none(), NAMES), st.booleans()
    )
    return LineageEdge(
        source,
        target,
        draw(st.sampled_from(list(Basis))),
        tuple(draw(st.lists(steps, max_size=2))),
        TIME,
        TIME,
        draw(st.sampled_from([None, 1, 3_000])),
        draw(st.sampled_from([None, False, True])),
    )
