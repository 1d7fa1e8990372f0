"""Projecting into a store that fails, and a graph that an earlier projection made."""

from pathlib import Path

import pytest

from catalog.composition import create_log, open_data
from catalog.errors import StoreUnavailableError
from catalog.graph.contract import Batch
from catalog.graph.digest import digest
from catalog.graph.memory import MemoryGraph
from catalog.log.entry import EntryType, Submission
from catalog.projector import Projector, outdated
from catalog.settings import Settings
from ingest.openlineage import interpret
from tests.ingest.events import entries_of, whole_run

EVENTS = [*whole_run("one", 1, 2, reads=["a"], writes=["b"]), *whole_run("two", 3, 4, reads=["b"], writes=["c"])]


class Unsteady(MemoryGraph):
    """Fails the first time that it is asked to apply."""

    failed = False

    def apply(self, batch: Batch, origin: str, start: int, end: int) -> bool:
        if not self.failed:
            self.failed = True
            raise StoreUnavailableError("It went away.", "Try again.")
        return super().apply(batch, origin, start, end)


def projector(store: MemoryGraph, origin: str = "log") -> Projector:
    return Projector(store, origin, lambda e: interpret(e.body or b"", seq=e.seq, recorded=e.recorded, actor=e.actor))


def test_what_a_store_refused_is_said_again() -> None:
    steady, unsteady = MemoryGraph(), Unsteady()
    entries = entries_of(EVENTS)
    assert projector(steady).project(entries)
    retrying = projector(unsteady)
    with pytest.raises(StoreUnavailableError):
        retrying.project(entries)
    assert retrying.project(entries)
    assert digest(unsteady) == digest(steady)


def test_only_another_projection_of_the_same_log_is_outdated() -> None:
    store = MemoryGraph()
    assert not outdated(store, "log")
    store.apply(Batch(), "log#0", 0, 0)
    assert outdated(store, "log")
    assert not outdated(store, "another")
    store.clear()
    assert projector(store).project(entries_of(EVENTS))
    assert not outdated(store, "log")


def test_a_graph_that_an_earlier_projection_made_is_made_again(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with create_log(tmp_path) as log:
        bodies = [entry.body or b"" for entry in entries_of(EVENTS)]
        log.append([Submission(EntryType.OPENLINEAGE, "local", body, body) for body in bodies], now_us=1)
        origin = log.origin
    with open_data(settings) as data:
        data.store.apply(Batch(), f"{origin}#0", 0, len(EVENTS))
        assert data.project() == len(EVENTS)
        with data.access.reading() as reading:
            assert reading.search("b")
