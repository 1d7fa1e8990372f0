"""The same evidence from every store, for any order of arrival, at any point of the log."""

from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.graph.contract import GraphStore
from catalog.graph.sqlite import SqliteGraph
from catalog.reading import Reading
from policies.evidence.builder import build_evidence
from tests.policies.evidence.histories import ACTS, EVENTS, histories, shuffled
from tests.policies.evidence.world import LATER, SERVICE, VERSION, Said, Telling, built_of, fill, run_of


def bytes_of(store: GraphStore, node: str = VERSION, known: int | None = None) -> bytes:
    with store.read(known) as reader:
        return build_evidence(Reading(reader), node, evaluated_at=LATER).bytes


def test_every_store_gives_the_same_bytes(store: GraphStore) -> None:
    told: list[Telling] = [*EVENTS, *ACTS]
    fill(store, told)

    for node in (VERSION, SERVICE, run_of("train")):
        assert bytes_of(store, node) == built_of(told, node).bytes


@settings(max_examples=15, deadline=None)
@given(histories())
def test_any_history_gives_the_same_bytes_from_files_and_memory(told: list[Telling]) -> None:
    with TemporaryDirectory() as folder, closing(SqliteGraph.open(Path(folder) / "graph.db")) as store:
        fill(store, told)

        assert bytes_of(store) == built_of(told).bytes


@settings(max_examples=25, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.data())
def test_neither_order_nor_duplicates_matter(told: list[Telling], random: Random, data: st.DataObject) -> None:
    events = [each for each in told if not isinstance(each, Said)]
    again = data.draw(st.lists(st.sampled_from(events), max_size=4))

    assert built_of(shuffled([*told, *again], random)).bytes == built_of(told).bytes


@settings(max_examples=25, deadline=None)
@given(histories(), st.data())
def test_what_was_known_stays_so(told: list[Telling], data: st.DataObject) -> None:
    known = data.draw(st.integers(0, len(told)))
    later = data.draw(st.lists(st.sampled_from(EVENTS), max_size=5))
    first = built_of([*_FIRST, *told[:known]])

    assert built_of([*_FIRST, *told, *later], known=len(_FIRST) + known).bytes == first.bytes


_FIRST = EVENTS[2:3]  # a training run: the version is known from the start
