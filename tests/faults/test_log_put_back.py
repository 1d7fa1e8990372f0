"""An older log in the place of a newer one: nothing is signed, and nothing is answered from a graph of the future."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from catalog.composition import empty_if_ahead
from catalog.graph.memory import MemoryGraph
from catalog.log.reader import LogReader
from catalog.log.schema import FILE
from catalog.log.store import LogStore
from policies.verdict import GateState
from tests.end_to_end.server_process import GraphQLError, lineward, serving
from tests.end_to_end.story import LINEAGE, MODEL, event, names, story
from tests.faults.projecting import following, write_log
from tests.policies.test_gate import owned_only


def test_a_log_that_was_put_back_is_projected_again_and_not_signed(tmp_path: Path) -> None:
    """F6: the graph forgets what the older log does not hold; checkpoints answer FORKED_LOG; new entries are seen."""
    data, older = tmp_path / "data", tmp_path / "older"
    with serving(data) as server:
        server.record(*story()[:2])
        server.stop()
    older.mkdir()
    shutil.copy(data / FILE, older)
    with serving(data) as server:
        server.record(*story()[2:])
        server.await_projection()
        assert server.get("/checkpoint").status_code == 200
        assert names(server.ask(LINEAGE, of=MODEL)["lineage"]) >= {"churn", "raw"}
        server.stop()
    put_back(older, data)
    with serving(data) as server:
        server.await_projection()
        assert server.ready()["graph"]["offset"] == 2
        with pytest.raises(GraphQLError) as refused:
            server.ask(LINEAGE, of=MODEL)
        assert refused.value.codes == ["NOT_FOUND"]
        # Past where the other log ended: the graph has to hold these entries, and not the others.
        server.record(*(event(50 + number, f"later {number}", "12:00:00", "START") for number in range(5)))
        server.await_projection()
        assert server.get("/checkpoint").json()["error"]["code"] == "FORKED_LOG"
        compared = lineward("rebuild", "--verify", "--data", data)
        assert compared.returncode == 0, compared.stderr


def put_back(older: Path, data: Path) -> None:
    for beside in ("-wal", "-shm"):
        (data / f"{FILE}{beside}").unlink(missing_ok=True)
    shutil.copy(older / FILE, data)


def test_only_a_graph_that_is_ahead_is_emptied(tmp_path: Path) -> None:
    """F6: one that is behind or level stays as it is."""
    write_log(tmp_path, 2)
    store = MemoryGraph()
    with LogReader.open(tmp_path) as log, following(tmp_path, store, 3) as follower:
        for offset in (3, 4):
            follower.step()
            empty_if_ahead(log, store)
            assert offset_of(store) == offset
    with LogStore.open(tmp_path / "shorter"), LogReader.open(tmp_path / "shorter") as shorter:
        empty_if_ahead(shorter, store)
    assert offset_of(store) is None


def offset_of(store: MemoryGraph) -> int | None:
    position = store.position()
    return None if position is None else position.offset


def test_a_gate_decides_nothing_on_a_graph_that_is_ahead_of_its_log() -> None:
    """F6: facts that the log does not hold are no evidence."""
    desk = owned_only()
    desk.own()
    assert desk.decide().state is GateState.ALLOW
    cut_off(desk.office.entries, 1)
    ruling = desk.decide()
    assert ruling.state is GateState.INDETERMINATE
    assert "do not belong together" in ruling.body.reasons[0]


def cut_off(entries: Sequence[object], count: int) -> None:
    assert isinstance(entries, list)
    del entries[-count:]
