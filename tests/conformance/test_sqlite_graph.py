"""What only the SQLite file promises: it survives, is shared between processes, and is never somebody else's."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from catalog.errors import InvalidInputError
from catalog.graph.contract import FOREVER, Batch, Edge, EdgeKind, Mention, NodeRecord, Position, RunShape
from catalog.graph.digest import digest
from catalog.graph.sqlite import SqliteGraph
from catalog.graph.sqlite_records import SAMPLES
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


def test_records_are_smaller_and_the_same_once_there_are_many(path: Path, tmp_path: Path) -> None:
    """A dictionary is trained on the way; another connection, an earlier cut and an emptied file read on."""
    events = [event(seq, run=f"run-{seq}", at=seq, recorded=seq, body=str(seq)) for seq in range(2 * SAMPLES)]
    with closing(SqliteGraph.open(path)) as graph, closing(SqliteGraph.open(path)) as other:
        for again in range(2):
            for start in range(0, len(events), 1_000):
                assert graph.apply(Batch(events=events[start : start + 1_000]), ORIGIN, start, start + 1_000)
            for reading in (graph, other):
                with reading.read() as reader:
                    found = reader.events(range(len(events)))
                    assert [found[seq] for seq in range(len(events))] == events
                with reading.read(known=5) as reader:
                    assert reader.run_events(["run-4", "run-5"]) == {"run-4": [events[4]], "run-5": []}
            if not again:
                graph.clear()
        assert sum(1 for _ in graph.facts()) == len(events)
    with closing(apsw.Connection(str(path))) as connection:
        sizes = [size for (size,) in connection.execute("select length(record) from event order by seq")]
    assert sum(sizes[-100:]) < 0.6 * sum(sizes[:100])


def test_a_dictionary_of_a_batch_that_failed_is_forgotten(path: Path) -> None:
    events = [event(seq, run=f"run-{seq}", at=seq, body=str(seq)) for seq in range(2 * SAMPLES)]
    torn = Batch(events=events[:SAMPLES], bodies={"digest": None})  # type: ignore[dict-item]
    with closing(SqliteGraph.open(path)) as graph:
        with pytest.raises(apsw.ConstraintError):
            graph.apply(torn, ORIGIN, 0, SAMPLES)
        assert graph.apply(Batch(events=events[:SAMPLES]), ORIGIN, 0, SAMPLES)
        assert graph.apply(Batch(events=events[SAMPLES:]), ORIGIN, SAMPLES, 2 * SAMPLES)
        with graph.read() as reader:
            assert list(reader.events(range(len(events))).values()) == events


def test_records_too_few_or_too_much_alike_for_a_dictionary_are_kept_without(path: Path) -> None:
    alike = [event(seq) for seq in (SAMPLES, SAMPLES + 1)]
    with closing(SqliteGraph.open(path)) as graph:
        assert graph.apply(Batch(events=alike), ORIGIN, 0, SAMPLES + 2)
        with graph.read() as reader:
            assert list(reader.events([SAMPLES, SAMPLES + 1]).values()) == alike
