"""Batches to fill a store with: by hand, and by Hypothesis from alphabets so small that assertions meet."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from hashlib import sha256
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from catalog.graph.contract import (
    Batch,
    Cut,
    Edge,
    EdgeKind,
    GraphReader,
    GraphStore,
    Mention,
    NodeRecord,
    RunShape,
)
from catalog.graph.record import DatasetUse, EventRecord, Shape
from catalog.identity import ACTS, NodeKind, act_id, dataset_id, job_id, run_id

ORIGIN = "log-a"
KINDS = [NodeKind.DATASET, NodeKind.JOB, NodeKind.RUN, *sorted(ACTS)]
TITLES = ["Risk score", "risk_SCORES/v2", "Größe", "GROSSE straße", "credit.risk:{x}", "emoji 🙂 naïve", ""]
NAMESPACES = ["s3://a", "b"]
RUNS = ["r1", "r2", "r3"]
ENDS = ["a", "b", "é", "Z"]
ACTORS = ["alice", "bob"]


def hexed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


BUNDLES: dict[str, Mapping[str, str]] = {
    hexed(name): {name: hexed("body " + name), "other": hexed("body o")} for name in ("x", "y", "z")
}
BODIES = {hexed("body " + name): f'{{"of":"{name}"}}'.encode() for name in ("x", "y", "z", "o")}


def node(
    kind: NodeKind, title: str, *, seq: int = 0, at: int = 0, namespace: str = "b", label: str | None = None
) -> NodeRecord:
    """All but `seq` and `at` follows from the identity, as in the product."""
    if kind is NodeKind.RUN:
        owner = job_id(namespace, title)
        return NodeRecord(run_id(label or "r", namespace, title), kind, namespace, title, seq, at, owner, label or "r")
    if kind in ACTS:
        about = dataset_id(namespace, title)
        return NodeRecord(act_id(kind, namespace + title), kind, namespace, title, seq, at, about, hexed(title))
    id_ = (job_id if kind is NodeKind.JOB else dataset_id)(namespace, title)
    return NodeRecord(id_, kind, namespace, title, seq, at)


def event(seq: int, *, at: int = 0, run: str | None = None, recorded: int = 0, body: str = "") -> EventRecord:
    return EventRecord(
        seq=seq,
        at=at,
        recorded=recorded,
        time="2026-03-01T00:00:00Z",
        actor="alice",
        shape=Shape.RUN if run else Shape.DATASET,
        digest=hexed(body),
        run=run,
        inputs=(DatasetUse(dataset="a", columns=("é",)),),
    )


def joined(batches: Sequence[Batch]) -> Batch:
    return reduce(_both, batches, Batch())


def _both(left: Batch, right: Batch) -> Batch:
    return Batch(
        nodes=left.nodes + right.nodes,
        edges=left.edges + right.edges,
        events=left.events + right.events,
        mentions=left.mentions + right.mentions,
        bundles={**left.bundles, **right.bundles},
        bodies=left.bodies | right.bodies,
        shapes=left.shapes + right.shapes,
        spans={key: max(left.spans.get(key, 0), right.spans.get(key, 0)) for key in left.spans | right.spans},
    )


TIMES = st.integers(0, 5)


@st.composite
def entries(draw: st.DrawFn, seq: int) -> Batch:
    """What the entry at one position might add."""
    edges = st.builds(
        Edge, st.sampled_from(EdgeKind), st.sampled_from(ENDS), st.sampled_from(ENDS), TIMES, st.just(seq)
    )
    nodes = st.builds(
        lambda kind, title, namespace, at: node(kind, title, namespace=namespace, at=at, seq=seq),
        st.sampled_from(KINDS),
        st.sampled_from(TITLES),
        st.sampled_from(NAMESPACES),
        TIMES,
    )
    mentions = st.builds(
        Mention, st.sampled_from(ENDS), st.sampled_from(sorted(BUNDLES)), TIMES, st.just(seq), st.sampled_from(ACTORS)
    )
    shapes = st.builds(
        RunShape, st.sampled_from(RUNS), st.sampled_from(ENDS), st.sampled_from("st"), TIMES, TIMES, TIMES
    )
    events = st.builds(
        lambda at, run, recorded: event(seq, at=at, run=run, recorded=recorded, body=str(seq)),
        TIMES,
        st.none() | st.sampled_from(RUNS),
        TIMES,
    )
    said = draw(st.lists(mentions, max_size=3))
    bundles = {one.bundle: BUNDLES[one.bundle] for one in said}
    return Batch(
        nodes=draw(st.lists(nodes, max_size=3)),
        edges=draw(st.lists(edges, max_size=4)),
        events=draw(st.lists(events, max_size=1)),
        mentions=said,
        bundles=bundles,
        bodies={body: BODIES[body] for facets in bundles.values() for body in facets.values()},
        shapes=draw(st.lists(shapes, max_size=2)),
        spans=draw(st.dictionaries(st.sampled_from(ENDS), st.integers(1, 5), max_size=1)),
    )


@st.composite
def logs(draw: st.DrawFn, size: int = 8) -> list[Batch]:
    """One batch for each position of a short log."""
    return [draw(entries(seq)) for seq in range(draw(st.integers(1, size)))]


@st.composite
def pieces(draw: st.DrawFn, log: list[Batch]) -> list[tuple[int, int]]:
    """One way of cutting a log into stretches [start, end)."""
    cuts = draw(st.sets(st.integers(1, max(1, len(log) - 1))))
    borders = sorted({0, len(log)} | {cut for cut in cuts if cut < len(log)})
    return list(pairwise(borders))


@st.composite
def shuffled(draw: st.DrawFn, batch: Batch) -> Batch:
    """The same batch, as its lists have no order, save `shapes`."""
    return replace(
        batch,
        nodes=draw(st.permutations(batch.nodes)),
        edges=draw(st.permutations(batch.edges)),
        events=draw(st.permutations(batch.events)),
        mentions=draw(st.permutations(batch.mentions)),
    )


CUTS = st.builds(Cut, st.integers(0, 9), st.integers(0, 6) | st.just(Cut(0).valid))


def fill(store: GraphStore, log: list[Batch], stretches: list[tuple[int, int]] | None = None) -> None:
    for start, end in stretches or [(0, len(log))]:
        assert store.apply(joined(log[start:end]), ORIGIN, start, end)


def put(store: GraphStore, **parts: Any) -> None:
    """Add one batch behind everything that is there, far enough for any position below 100."""
    position = store.position()
    start = position.offset if position else 0
    assert store.apply(Batch(**parts), ORIGIN, start, start + 100)


NODE_IDS = sorted({node(kind, title, namespace=space).id for kind in KINDS for title in TITLES for space in NAMESPACES})
SEARCHES = [["risk"], ["RISK", "sc"], ["größe"], ["GROSS"], ["strasse"], ["x"], ["v2", "risk"], ["🙂"], ["score v2"]]


def everything(reader: GraphReader) -> dict[str, object]:
    """What a reader answers to every verb, over the alphabets above and something unknown."""
    ends = [*ENDS, "unknown"]
    windows = [(0, 9), (2, 3)]
    return {
        "newest": reader.newest(),
        "nodes": reader.nodes([*NODE_IDS, "unknown"]),
        "run_events": reader.run_events([*RUNS, "unknown"]),
        "events": reader.events(range(12)),
        "outgoing": [reader.outgoing(kind, ends, low=lo, high=hi) for kind in EdgeKind for lo, hi in windows],
        "incoming": [reader.incoming(kind, ends, low=lo, high=hi) for kind in EdgeKind for lo, hi in windows],
        "latest": [reader.latest(kind, end, before=4, limit=2) for kind in PROBED for end in ends],
        "earliest": [reader.earliest(kind, end, after=1, limit=2) for kind in PROBED for end in ends],
        "count": [reader.count(kind, end, low=1, high=4) for kind in PROBED for end in ends],
        "mentions": reader.mentions(ends),
        "bundles": reader.bundles([*BUNDLES, hexed("unknown")]),
        "bodies": reader.bodies([*BODIES, hexed("unknown")]),
        "shapes": reader.shapes(ends),
        "spans": reader.spans(ends),
        "search": [reader.search(words, KINDS) for words in SEARCHES],
        "of_kind": [reader.of_kind(kind) for kind in KINDS],
    }


PROBED = [EdgeKind.WROTE, EdgeKind.DECLARED, EdgeKind.USED, EdgeKind.CONCERNS]
