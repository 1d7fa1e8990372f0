"""What a person reads in the terminal."""

from catalog.identity import NodeKind
from catalog.model import Direction, Node
from tests.catalog.rendering.graphs import edge, graph, node, training
from tests.catalog.rendering.test_any_name import printed


def line_with(text: str, words: str) -> str:
    (found,) = [line for line in text.splitlines() if words in line]
    return found


def test_a_node_has_kind_version_state_time_and_basis() -> None:
    text = printed(training(), Direction.UPSTREAM, width=200)
    assert line_with(text, "credit-risk").startswith("◆ credit-risk@2  model  current  2026-03-01 09:14:36Z")
    run = line_with(text, "train")
    assert "01a20d9f-d641-7e02-b794-8c31e69b7303" in run
    assert "completed  2026-03-01 09:12:31Z, 2 min 5 s  [explicit]" in run
    assert "[inferred]" in line_with(text, "a.csv")


def test_a_gap_stands_under_its_node() -> None:
    lines = printed(training(), Direction.UPSTREAM, width=200).splitlines()
    place = next(number for number, line in enumerate(lines) if "b.csv" in line)
    assert "! unknown (external): no version was ever written here" in lines[place + 1]
    assert lines[-1] == "5 nodes · 5 edges · 1 gap · as known now · log of 42 entries"


def test_a_shared_node_is_drawn_once_and_pointed_at_after() -> None:
    text = printed(training(), Direction.UPSTREAM, width=200)
    once, again = [line for line in text.splitlines() if "split" in line]
    assert "failed" in once
    assert "shown above" in again
    assert "[rollup]" in again


def test_both_directions_are_two_trees() -> None:
    nodes = [node("m", NodeKind.MODEL, "m"), node("u", NodeKind.JOB, "up"), node("d", NodeKind.DEPLOYMENT, "down")]
    text = printed(graph(nodes, [edge("u", "m"), edge("m", "d")]), Direction.BOTH)
    upstream, downstream = text.split("downstream")
    assert "up" in upstream.removeprefix("upstream")
    assert "▲ down" in downstream
    assert "▲ down" not in upstream


def test_a_walk_from_what_stands_for_its_root_says_so() -> None:
    walked = training()
    job = Node("j", NodeKind.DEPLOYMENT, "ns", "scoring")
    other = graph([job], []).__class__(job, walked.nodes, walked.edges, 3, None, (), 42, "2026-03-01T00:00:00.000000Z")
    lines = printed(other, Direction.UPSTREAM, width=200).splitlines()
    assert lines[0] == "▲ scoring  deployment is followed from"
    assert "as of 2026-03-01 00:00:00Z" in lines[-1]


def test_a_long_name_keeps_both_ends() -> None:
    name = "head" + "x" * 10_000 + "tail"
    line = printed(graph([node("a", NodeKind.DATASET, name)], []), Direction.UPSTREAM, width=200).splitlines()[0]
    assert line.startswith("▤ head")
    assert "…" in line
    assert "tail" in line
    assert len(line) < 120
