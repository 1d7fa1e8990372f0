"""Projecting into a store that fails, and a graph that an earlier projection made."""

from pathlib import Path

import pytest

from catalog.composition import create_log, open_data
from catalog.errors import StoreUnavailableError
from catalog.graph.contract import Batch
from catalog.graph.digest import digest
from catalog.graph.memory import MemoryGraph
from catalog.identity import NodeKind, dataset_id
from catalog.log.entry import EntryType, Submission
from catalog.projector import Projector, outdated
from catalog.settings import Settings
from ingest.openlineage import interpret
from tests.ingest.events import DATA, act_entry, entries_of, whole_run

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


def test_a_graph_that_other_rules_made_is_made_again(tmp_path: Path) -> None:
    mine = Settings(data=tmp_path, namespace_rules=(("*", DATA, "lake"),))
    with create_log(tmp_path) as log:
        bodies = [entry.body or b"" for entry in entries_of(EVENTS)]
        log.append([Submission(EntryType.OPENLINEAGE, "local", body, body) for body in bodies], now_us=1)
    for settings, namespace in ((Settings(data=tmp_path), DATA), (mine, "lake"), (mine, "lake")):
        with open_data(settings) as data:
            assert data.project() == len(EVENTS)
            with data.access.reading() as reading:
                assert {node.namespace for node in reading.search("b")} == {namespace}


def test_acts_are_projected_beside_events(tmp_path: Path) -> None:
    """From the log, as a server reads it: keys and settings, which are no acts, say nothing."""
    settings = Settings(data=tmp_path)
    event = entries_of(EVENTS)[0].body or b""
    approval = act_entry(EntryType.APPROVAL, "approve", "approval", 5, target=dataset_id(DATA, "b")).body or b""
    with create_log(tmp_path) as log:
        told = [(EntryType.OPENLINEAGE, event), (EntryType.KEY, b"{}"), (EntryType.APPROVAL, approval)]
        log.append([Submission(type_, "local", body, body) for type_, body in told], now_us=1)
    with open_data(settings) as data:
        assert data.project() == len(told)
        with data.access.reading() as reading:
            acts = reading.acts(NodeKind.APPROVAL, dataset_id(DATA, "b"))
            assert [(act.verb, act.seq) for act in acts] == [("approve", 2)]
            assert reading.search("b")


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
