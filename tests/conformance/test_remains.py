"""In what erased rows may remain: the same from every store."""

from catalog.graph.contract import FOREVER, GraphStore
from catalog.graph.memory import MemoryGraph
from catalog.graph.record import Change
from catalog.lineage.remains import ErasedRows
from catalog.reading import Ancestry, Reading
from tests.catalog.lineage.product import project
from tests.reference.events import Scenario, dataset, micros, run, use, version

HISTORY = (
    Scenario()
    .run("load", 1, 2, reads=["raw"], writes=["a@1"])
    .run("prepare", 3, 4, reads=["a@1"], writes=["b"])
    .run("train", 5, 6, reads=["b"], writes=[use("m@1", model=True)])
    .run("add", 7, 8, reads=["raw"], writes=["b"])
    .run("train2", 9, 10, reads=["b"], writes=[use("m@2", model=True)])
    .run("anew", 11, 12, reads=["raw"], writes=[use("b", change=Change.OVERWRITE)])
    .run("train3", 13, 14, reads=["b"], writes=[use("m@3", model=True)])
)
ROWS = ErasedRows(frozenset({dataset("raw")}), frozenset(), micros(6))


def answers(store: GraphStore) -> tuple[object, ...]:
    """What rests on rows, on a record, and since when rows are in each version of the model."""
    project(store, HISTORY.records)
    with store.read(valid=FOREVER) as reader:
        reading = Reading(reader)
        rows = reading.remains(ROWS)
        record = reading.remains(ErasedRows(frozenset(), frozenset({run("anew")}), micros(15)))
        since = [reading.ancestry(version(f"m@{label}"), ROWS.datasets) for label in (1, 2, 3)]
        return rows.nodes, rows.edges, rows.gaps, record.nodes, *since


def test_every_store_says_the_same(store: GraphStore) -> None:
    assert answers(store) == answers(MemoryGraph())


def test_a_copy_that_was_replaced_ends_it() -> None:
    nodes, _, _, record, *since = answers(MemoryGraph())
    assert isinstance(nodes, tuple)
    assert isinstance(record, tuple)
    models = {version(f"m@{label}"): label for label in (1, 2, 3)}
    assert {models[each.id] for each in nodes if each.id in models} == {1, 2}
    assert {models[each.id] for each in record if each.id in models} == {3}
    assert [each.held_since for each in since if isinstance(each, Ancestry)] == [micros(1), micros(1), micros(11)]
