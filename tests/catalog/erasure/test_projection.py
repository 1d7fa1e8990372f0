"""The graph after erasures: that of the log with skeletons in place, in every store, however it came about."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.assertions import Erased
from catalog.composition import follower, interpreter, touching
from catalog.erasure.eraser import Eraser, Wanted
from catalog.erasure.redaction import Keep
from catalog.erasure.register import ErasureRegister
from catalog.erasure.skeleton import skeleton_of
from catalog.graph.contract import GraphStore
from catalog.graph.digest import digest
from catalog.graph.memory import MemoryGraph
from catalog.graph.sqlite import SqliteGraph
from catalog.identity import dataset_id, named_version_id, run_id
from catalog.log.entry import Entry, EntryType, Submission
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.model import GapKind, NodeRef
from catalog.projector import Projector
from catalog.reading import Reading, Walk
from catalog.settings import Settings
from tests.catalog.erasure.redactions import ANN, BEN
from tests.conformance.conftest import connect_neo4j
from tests.ingest.events import DATA, JOBS, dataset, dataset_event, facet, job_type, model, run_event, uuid, versioned
from tests.neo4j_server import ProcessServer, RunningServer

REGISTRY = "mlflow://registry:5000"
SECRET = "Quitterie Schmidtlein"
NOTE = facet(description=SECRET)

EVENTS = [
    run_event("START", 1, "etl", reads=[versioned("raw", "1", documentation=NOTE)], writes=["clean"]),
    run_event("COMPLETE", 2, "etl", writes=[dataset("clean", tags=facet(tags=[{"key": SECRET}]))]),
    dataset_event("2026-03-01T00:00:03Z", dataset("clean", documentation=NOTE)),
    run_event("START", 4, "fit", reads=["clean"], executionParameters=NOTE),
    run_event("COMPLETE", 5, "fit", reads=["clean"], writes=[model("credit", "1", documentation=NOTE)]),
    run_event("RUNNING", 6, "serve", job_facets=job_type("S", processing="SERVICE"), reads=[model("credit", "1")]),
    run_event("COMPLETE", 7, "other", reads=["clean"], writes=[model("fraud", "1")]),
    dataset_event("2026-03-01T00:00:08Z", dataset("clean", documentation=facet(description="harmless"))),
]
RECEIVED = 1_780_000_000_000_000

CREDIT = named_version_id(dataset_id(REGISTRY, "credit"), "1")
FRAUD = named_version_id(dataset_id(REGISTRY, "fraud"), "1")


class World:
    """A log of these events and those who erase some of them."""

    def __init__(self, folder: Path, batch: int = 100) -> None:
        self.settings = Settings(data=folder, batch=batch)
        self.store = LogStore.open(folder)
        self.log = LogReader.open(folder)
        self.eraser = Eraser(self.log, self.append, touching(self.settings))

    def append(self, submission: Submission) -> Any:
        (receipt,) = self.store.append([submission], RECEIVED)
        return receipt

    def tell(self, events: list[Any]) -> None:
        for number, event in enumerate(events):
            body = orjson.dumps(event)
            self.append(Submission(EntryType.OPENLINEAGE, "ann", body + b"%d" % number, body))

    def erase(self, seqs: list[int], keep: Keep = "structure") -> None:
        asked = self.eraser.propose(ANN, Wanted("asked to", "GDPR Art. 17(1)(b)", tuple(seqs), keep=keep))
        self.eraser.confirm(BEN, asked.id)

    def project(self, store: GraphStore) -> str:
        follower(self.settings, self.log, store).catch_up()
        return digest(store)

    def close(self) -> None:
        self.log.close()
        self.store.close()


@contextmanager
def world(batch: int = 100) -> Iterator[World]:
    with TemporaryDirectory() as folder:
        made = World(Path(folder), batch)
        try:
            yield made
        finally:
            made.close()


@pytest.fixture
def told() -> Iterator[World]:
    with world() as made:
        made.tell(EVENTS)
        yield made


def with_skeletons_in_place(made: World, whole: dict[int, Entry], keeps: dict[int, Keep]) -> str:
    """The digest of a projection that knows no register: entries with their skeletons, read one by one."""
    plain, touched = interpreter(made.settings), touching(made.settings)
    register = ErasureRegister.of(made.log)

    def read(entry: Entry) -> Any:
        if entry.seq not in keeps:
            return plain(entry)
        before = whole[entry.seq]
        body = orjson.dumps(skeleton_of(before), option=orjson.OPT_SORT_KEYS)
        kept = keeps[entry.seq] == "structure"
        by = register.erased(entry.seq)
        assert by is not None
        skeleton = Entry(
            entry.seq, entry.recorded, entry.type, entry.actor, "http", (), body if kept else None, entry.envelope
        )
        left = plain(skeleton)
        assert not isinstance(left, Erased)
        return Erased(entry.seq, by.erasure.node, left, touched(before, keeps[entry.seq]).nodes)

    store = MemoryGraph()
    Projector(store, "reference", read).project(made.log.entries(0, 1_000))
    return digest(store)


ORDERS = st.permutations(range(len(EVENTS)))
SUBSETS = st.lists(st.sets(st.integers(0, len(EVENTS) - 1), max_size=4), max_size=3)


@settings(max_examples=25, deadline=None)
@given(ORDERS, SUBSETS, st.sampled_from(["structure", "nothing"]), st.integers(1, 9), st.data())
def test_any_erasures_in_any_pieces_give_the_graph_of_skeletons(
    order: list[int], subsets: list[set[int]], keep: Keep, batch: int, data: st.DataObject
) -> None:
    with world(batch) as made:
        live = MemoryGraph()
        following = follower_of(made, live)
        events = [EVENTS[number] for number in order]
        cut = data.draw(st.integers(0, len(events)))
        made.tell(events[:cut])
        following.catch_up()
        made.tell(events[cut:])
        whole = {entry.seq: entry for entry in made.log.entries(0, 100)}
        gone: set[int] = set()
        for subset in subsets:
            fresh = sorted(subset - gone)
            if fresh:
                made.erase(fresh, keep)
            gone |= subset
            if data.draw(st.booleans()):
                following.step()
        following.catch_up()
        expected = with_skeletons_in_place(made, whole, dict.fromkeys(gone, keep))
        assert digest(live) == expected
        assert made.project(MemoryGraph()) == expected
        with closing(SqliteGraph.open(made.settings.data / "graph.db")) as store:
            assert made.project(store) == expected
            assert digest(store) == expected


def follower_of(made: World, store: GraphStore) -> Any:
    return follower(made.settings, made.log, store)


@pytest.mark.neo4j
def test_neo4j_begins_anew_like_the_others(told: World, neo4j_uri: str) -> None:
    with closing(connect_neo4j(neo4j_uri)) as store:
        store.clear()
        told.project(store)
        told.erase([0, 4])
        assert told.project(store) == told.project(MemoryGraph())


@pytest.mark.neo4j
def test_a_neo4j_without_its_old_files_holds_no_word_of_it(told: World, stoppable_neo4j: RunningServer) -> None:
    """What the guide tells to do: no setting makes Neo4j Community overwrite all that it deletes."""
    if not isinstance(stoppable_neo4j, ProcessServer):
        pytest.skip("the files of this server are out of reach")
    files = stoppable_neo4j.home / "data"
    with closing(connect_neo4j(stoppable_neo4j.uri)) as store:
        told.project(store)
    told.erase([0, 1, 2, 3, 4])
    stoppable_neo4j.stop()
    assert holding(files)
    for part in ("databases", "transactions"):
        shutil.rmtree(files / part / "neo4j")
    stoppable_neo4j.start()
    with closing(connect_neo4j(stoppable_neo4j.uri)) as store:
        assert told.project(store) == told.project(MemoryGraph())
    stoppable_neo4j.stop()
    assert not holding(files)


def holding(folder: Path) -> bool:
    """Whether a part of the words is there: a store cuts strings where its records end."""
    parts = [part.encode() for part in (*SECRET.split(), SECRET[:6], SECRET[-6:])]
    files = (each.read_bytes() for each in folder.rglob("*") if each.is_file())
    return any(part in content for content in files for part in parts)


def test_a_graph_from_before_an_erasure_is_made_again_by_whoever_opens_it(told: World, tmp_path: Path) -> None:
    with closing(SqliteGraph.open(tmp_path / "graph.db")) as store:
        before = told.project(store)
    shutil.copy(tmp_path / "graph.db", tmp_path / "old.db")
    told.erase([3])
    with closing(SqliteGraph.open(tmp_path / "old.db")) as old:
        after = told.project(old)
    assert after == told.project(MemoryGraph()) != before


def reading(made: World, known: int | None = None) -> Reading:
    store = MemoryGraph()
    made.project(store)
    return Reading(store.read(known).__enter__())


def gaps(made: World, node: str, known: int | None = None) -> set[str]:
    walked = reading(made, known).lineage(NodeRef(id=node), Walk(depth=9))
    return {gap.node for gap in walked.gaps if gap.kind is GapKind.ERASED}


def test_lineage_is_as_it_was_save_for_the_gap(told: World) -> None:
    before = reading(told).lineage(NodeRef(id=CREDIT), Walk(depth=9))
    told.erase([3, 4])
    after = reading(told).lineage(NodeRef(id=CREDIT), Walk(depth=9))
    assert {(e.source, e.target, e.basis) for e in after.edges} == {(e.source, e.target, e.basis) for e in before.edges}
    assert run_id(uuid("fit"), JOBS, "fit") in {gap.node for gap in after.gaps if gap.kind is GapKind.ERASED}
    assert gaps(told, FRAUD) == set()


def test_no_word_of_it_is_left_in_the_graph(told: World) -> None:
    told.erase([0, 1, 2, 3, 4])
    store = MemoryGraph()
    told.project(store)
    assert SECRET.encode() not in b"".join(store.facts())
    with store.read() as reader:
        found = Reading(reader).facets(dataset_id(DATA, "clean"))
    assert SECRET not in str(found)


def test_an_erased_facet_is_missed_until_something_new_is_said_of_it(told: World) -> None:
    """The documentation of `clean` was said again at the end; of `tags` nothing was."""
    told.erase([2])
    assert gaps(told, FRAUD) == set()
    told.erase([7])
    assert gaps(told, FRAUD) != set()


def test_what_erasure_uncovers_does_not_count_as_known(told: World) -> None:
    """Without the last word on `clean` the one before would stand again."""
    told.erase([7])
    shown = {each.name: each.body for each in reading(told).facets(dataset_id(DATA, "clean"))}
    assert shown["documentation"] == '{"_erased":true}'


def test_an_erasure_shows_in_every_past_too(told: World) -> None:
    told.erase([4])
    assert run_id(uuid("fit"), JOBS, "fit") in gaps(told, CREDIT, known=6)


def test_with_nothing_kept_all_that_it_named_is_missed(told: World) -> None:
    told.erase([6], "nothing")
    assert gaps(told, CREDIT)  # it read `clean`, too: nothing says which part of that it spoke of
    found = reading(told)
    assert found.node(FRAUD) is None
    assert found.erased_by(dataset_id(REGISTRY, "fraud")) == [(6, ErasureRegister.of(told.log).erasures[0].node)]
