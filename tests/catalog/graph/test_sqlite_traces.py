"""What was cleared from the graph's file is in no file any more."""

from pathlib import Path
from secrets import token_hex

from catalog.graph.contract import Batch
from catalog.graph.sqlite import SqliteGraph

WORDS = [f"Q{token_hex(16)}" for _ in range(300)]


def batch(words: list[str]) -> Batch:
    return Batch(bodies={word: f'{{"said":"{word}"}}'.encode() * 40 for word in words})


def held(folder: Path) -> set[str]:
    content = b"".join(each.read_bytes() for each in folder.iterdir())
    return {word for word in WORDS if word.encode() in content}


def test_a_cleared_graph_holds_nothing_of_what_it_was(tmp_path: Path) -> None:
    graph = SqliteGraph.open(tmp_path / "graph.db")
    for start in range(0, 300, 50):
        assert graph.apply(batch(WORDS[start : start + 50]), "log", start, start + 50)
    assert held(tmp_path) == set(WORDS)
    graph.clear()
    assert held(tmp_path) == set()
    graph.close()


def test_a_reader_delays_the_end_of_it_only(tmp_path: Path) -> None:
    graph = SqliteGraph.open(tmp_path / "graph.db")
    graph._connection.set_busy_timeout(10)
    graph.apply(batch(WORDS), "log", 0, 300)
    with graph.read() as reader:
        reader.bodies(WORDS[:1])
        graph.clear()
        assert held(tmp_path)
    graph.apply(Batch(), "log", 0, 1)
    assert held(tmp_path) == set()
    graph.close()


def test_a_clearing_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    graph = SqliteGraph.open(tmp_path / "graph.db")
    graph.apply(batch(WORDS), "log", 0, 300)
    graph._leave_no_traces = lambda: None  # type: ignore[method-assign]
    graph.clear()
    graph.close()
    again = SqliteGraph.open(tmp_path / "graph.db")
    again.apply(Batch(), "log", 0, 1)
    assert held(tmp_path) == set()
    again.close()
