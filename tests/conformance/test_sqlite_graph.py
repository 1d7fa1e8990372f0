"""What only the SQLite file promises: it survives, is shared between processes, and is never somebody else's."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from catalog.errors import InvalidInputError
from catalog.graph.contract import FOREVER, Batch, Edge, EdgeKind, Mention, NodeRecord, Position, RunShape
from catalog.graph.digest import digest
from catalog.graph.sqlite import SqliteGraph
from catalog.identity import NodeKind
from tests.conformance.batches import BODIES, BUNDLES, ORIGIN, event, node

USED = EdgeKind.USED


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "graph.db"


def batch(seq: int) -> Batch:
    nodes: list[NodeRecord] = [node(NodeKind.RUN, "j", label="r", seq=seq, at=seq), node(NodeKind.JOB, "j", seq=seq)]
    return Batch(
        nodes=nodes,
        edges=[Edge(kind, "r", "v", 50 - seq, seq) for kind in (USED, EdgeKind.WROTE)],
        events=[event(seq, run="r", recorded=seq)],
        mentions=[Mention("v", next(iter(BUNDLES)), seq, seq, "alice")],
        bundles=BUNDLES,
        bodies=BODIES,
        shapes=[RunShape("r", "j", f"s{seq % 2}", 0, seq, 0)],
        spans={"v": seq + 1},
    )


def test_a_graph_survives_its_process(path: Path) -> None:
    with closing(SqliteGraph.open(path)) as graph:
        assert graph.apply(batch(0), ORIGIN, 0, 1)
        before = digest(graph)
    with closing(SqliteGraph.open(path)) as graph:
        assert (digest(graph), graph.position()) == (before, Position(ORIGIN, 1))


def test_two_writers_in_turn_make_what_one_makes(path: Path, tmp_path: Path) -> None:
    """Neither trusts what it remembers from before the other wrote, cleared included."""
    with (
        closing(SqliteGraph.open(path)) as one,
        closing(SqliteGraph.open(path)) as other,
        closing(SqliteGraph.open(tmp_path / "single.db")) as single,
    ):
        for graph in (one, other):
            graph.clear()
            for seq in range(6):
                assert (one, other)[seq % 2].apply(batch(seq), ORIGIN, seq, seq + 1)
        assert not one.apply(batch(0), ORIGIN, 0, 1)
        for seq in range(6):
            assert single.apply(batch(seq), ORIGIN, seq, seq + 1)
        assert digest(one) == digest(other) == digest(single)


def test_a_batch_that_fails_leaves_nothing_behind(path: Path) -> None:
    with closing(SqliteGraph.open(path)) as graph:
        assert graph.apply(Batch(), ORIGIN, 0, 1)
        torn = batch(1)
        torn.bodies = {"digest": None}  # type: ignore[dict-item]
        with pytest.raises(apsw.ConstraintError):
            graph.apply(torn, ORIGIN, 1, 2)
        assert (list(graph.facts()), graph.position()) == ([], Position(ORIGIN, 1))
        assert graph.apply(batch(1), ORIGIN, 1, 2)
        with graph.read() as reader:
            assert reader.outgoing(USED, ["r"]) == {"r": [Edge(USED, "r", "v", 49, 1)]}
            assert len(reader.of_kind(NodeKind.RUN)) == 1


def test_somebody_elses_database_is_left_alone(path: Path) -> None:
    with closing(apsw.Connection(str(path))) as theirs:
        theirs.execute("create table precious (x); insert into precious values (1)")
    before = path.read_bytes()
    with pytest.raises(InvalidInputError):
        SqliteGraph.open(path)
    assert path.read_bytes() == before


def test_another_version_of_the_tables_starts_empty(path: Path) -> None:
    with closing(SqliteGraph.open(path)) as graph:
        graph.apply(batch(0), ORIGIN, 0, 1)
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("drop table edge; pragma user_version=999")
    with closing(SqliteGraph.open(path)) as graph:
        assert graph.position() is None
        assert graph.apply(batch(0), ORIGIN, 0, 1)


def test_what_is_dominated_changes_no_answer(path: Path) -> None:
    """A writer that remembers nothing adds such rows."""
    with closing(SqliteGraph.open(path)) as graph:
        for seq in range(3):
            later = Batch(nodes=[node(NodeKind.JOB, "j", seq=seq, at=seq)], edges=[Edge(USED, "r", "v", seq, seq)])
            assert graph.apply(later, ORIGIN, seq, seq + 1)
            graph.close()
            graph = SqliteGraph.open(path)
        with graph.read() as reader:
            first = [Edge(USED, "r", "v", 0, 0)]
            assert reader.outgoing(USED, ["r"])["r"] == reader.incoming(USED, ["v"])["v"] == first
            assert reader.latest(USED, "v", before=FOREVER, limit=9) == first
            assert reader.count(USED, "v", low=1, high=9) == 0
            assert [(one.at, one.seq) for one in reader.of_kind(NodeKind.JOB)] == [(0, 0)]
        graph.close()
