"""In what erased rows may remain: cases by hand, and the product against a naive walk over the reference model."""

from collections.abc import Iterable, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog.errors import NotFoundError
from catalog.graph.contract import FOREVER, GraphStore
from catalog.graph.memory import MemoryGraph
from catalog.graph.record import Change, DatasetUse, EventRecord
from catalog.identity import NodeKind, structure
from catalog.lineage.remains import ErasedRows
from catalog.reading import Reading
from tests.catalog.lineage.product import project
from tests.reference.events import NAMES, RUNS, Scenario, dataset, event_records, micros, run, use, version
from tests.reference.remains import held_by, held_since, remains

JOBS = sorted({(uuid, name) for uuid, (names, _) in RUNS.items() for name in names})


def versions_in(nodes: Iterable[str]) -> set[str]:
    return {each for each in nodes if structure(each) is NodeKind.DATASET_VERSION}


def reached(records: Sequence[EventRecord], erased: ErasedRows, store: GraphStore | None = None) -> set[str]:
    """The versions in which the rows may remain, as the product says."""
    graph = store or MemoryGraph()
    project(graph, records)
    with graph.read(valid=FOREVER) as reader:
        try:
            found = Reading(reader).remains(erased)
        except NotFoundError:
            return set()
    assert found.truncated is None
    return versions_in(node.id for node in found.nodes)


def model(label: int) -> DatasetUse:
    return use(f"m@{label}", model=True)


def rows_of(*names: str, at: float) -> ErasedRows:
    return ErasedRows(frozenset(map(dataset, names)), frozenset(), micros(at))


def test_what_was_made_from_rows_before_they_went_holds_them() -> None:
    told = Scenario().run("r", 1, 2, reads=["raw"], writes=["b"]).run("s", 3, 4, reads=["b"], writes=[model(1)])
    assert reached(told.records, rows_of("raw", at=2)) == {version("b", by="r"), version("m@1")}


def test_who_read_the_raw_table_after_the_erasure_did_not_read_them() -> None:
    told = Scenario().run("r", 1, 2, reads=["raw"], writes=[model(1)]).run("s", 6, 7, reads=["raw"], writes=[model(2)])
    assert reached(told.records, rows_of("raw", at=5)) == {version("m@1")}


def test_a_later_version_of_the_cleaned_dataset_is_clean() -> None:
    told = (
        Scenario()
        .run("r", 1, 2, writes=["a@1"])
        .run("s", 6, 7, writes=["a@2"])
        .run("t", 8, 9, reads=["a@2"], writes=[model(2)])
    )
    assert reached(told.records, rows_of("a", at=5)) == {version("a@1")}


def test_what_is_appended_to_a_copy_holds_what_the_copy_held() -> None:
    told = Scenario().run("r", 1, 2, reads=["a"], writes=["b"]).run("s", 6, 7, writes=["b"])
    told.run("t", 8, 9, reads=["b"], writes=[model(2)])
    assert version("m@2") in reached(told.records, rows_of("a", at=5))


def test_a_copy_that_was_written_anew_is_clean() -> None:
    told = (
        Scenario().run("r", 1, 2, reads=["a"], writes=["b"]).run("s", 6, 7, writes=[use("b", change=Change.OVERWRITE)])
    )
    told.run("t", 8, 9, reads=["b"], writes=[model(2)])
    assert reached(told.records, rows_of("a", at=5)) == {version("b", by="r")}


def test_rows_erased_from_the_copy_too_are_in_no_later_version_of_it() -> None:
    told = Scenario().run("r", 1, 2, reads=["a"], writes=["b"]).run("s", 6, 7, writes=["b"])
    told.run("t", 8, 9, reads=["b"], writes=[model(2)])
    assert reached(told.records, rows_of("a", "b", at=5)) == {version("b", by="r")}


def test_a_run_whose_record_went_reaches_what_it_wrote() -> None:
    told = (
        Scenario()
        .run("r", 1, 2, writes=["a"])
        .run("s", 3, 4, reads=["a"], writes=[model(1)])
        .run("t", 5, 6, writes=["b"])
    )
    found = reached(told.records, ErasedRows(frozenset(), frozenset({run("r")}), micros(3)))
    assert found == {version("a", by="r"), version("m@1")}


def told_of(records: Sequence[EventRecord], found: set[str]) -> set[str]:
    """Without versions that were only ever named: nothing is made of them that does not tell of itself."""
    return found & held_by(records)


def plain(records: Sequence[EventRecord]) -> list[EventRecord]:
    """The events without renames and symlinks: what these mean for walks is put to the reference elsewhere."""

    def each(told: DatasetUse) -> DatasetUse:
        change = None if told.change is Change.RENAME else told.change
        return replace(told, aliases=None, change=change, renamed_from=None)

    return [
        replace(
            record,
            inputs=tuple(map(each, record.inputs)),
            outputs=tuple(map(each, record.outputs)),
            subject=each(record.subject) if record.subject else None,
        )
        for record in records
    ]


erasures = st.builds(
    ErasedRows,
    st.sets(st.sampled_from(NAMES).map(dataset), min_size=0, max_size=2).map(frozenset),
    st.sets(st.sampled_from(JOBS).map(lambda each: run(*each)), max_size=1).map(frozenset),
    st.integers(0, 13).map(micros),
).filter(lambda erased: bool(erased.datasets or erased.runs))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(event_records(), erasures)
def test_the_reach_is_that_of_a_naive_walk(records: list[EventRecord], erased: ErasedRows) -> None:
    records = plain(records)
    assert told_of(records, reached(records, erased)) == told_of(records, remains(records, erased))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(event_records(), st.sets(st.sampled_from(NAMES).map(dataset), min_size=1, max_size=2).map(frozenset))
def test_seen_from_a_version_it_is_the_same(records: list[EventRecord], datasets: frozenset[str]) -> None:
    """An erasure reaches a version exactly if it comes after the instant that the version's ancestry tells."""
    records = plain(records)
    store = MemoryGraph()
    project(store, records)
    with store.read(valid=FOREVER) as reader:
        reading = Reading(reader)
        for each, since in held_since(records, datasets).items():
            assert reading.ancestry(each, datasets).held_since == since, each
