"""What is kept from one question to the next is what would be worked out anew, whatever came meanwhile."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import NotFoundError
from catalog.graph.contract import GraphReader
from catalog.graph.memory import MemoryGraph
from catalog.graph.record import Change, EventRecord
from catalog.identity import NodeKind
from catalog.lineage.trace import Kept
from catalog.log.entry import Entry, EntryType
from catalog.model import Direction, GapKind, Grain, LineageGraph, Node, NodeRef
from catalog.neighbourhoods import Neighbourhoods
from catalog.projector import Projector
from catalog.reading import Reading, Walk
from tests.catalog.lineage.product import NAMES, ORIGIN, project, tell
from tests.reference.events import DAY, Scenario, dataset, drop, event_records, job, parent, use, version
from tests.reference.events import NAMES as WORDS

WALKS = [
    *(
        Walk(Direction.UPSTREAM, 4, Grain.RUN, history=history, named=named)
        for history in (False, True)
        for named in (False, True)
    ),
    *(Walk(Direction.UPSTREAM, 4, Grain.JOB, named=named) for named in (False, True)),
    Walk(Direction.DOWNSTREAM, 4, Grain.RUN),
]


class Growing:
    """A store that takes records as they come."""

    def __init__(self, records: Sequence[EventRecord]) -> None:
        self.store = MemoryGraph()
        self._told = {record.seq: tell(record, NAMES) for record in records}
        self._projector = Projector(self.store, ORIGIN, lambda entry: self._told.get(entry.seq))

    def grow(self, end: int) -> None:
        start = self._projector.offset
        self._projector.project(
            [Entry(seq, 0, EntryType.OPENLINEAGE, "", "", (), b"", b"") for seq in range(start, end)]
        )


def answers(reader: GraphReader, kept: Kept | None) -> dict[str, LineageGraph | Node | None]:
    """All that may be kept, each question in a reading of its own."""
    found: dict[str, LineageGraph | Node | None] = {}
    roots = [*map(dataset, WORDS), *(job(word) for word in ("p", "q", "r"))]
    for root in roots:
        for walk in WALKS:
            try:
                graph = Reading(reader, kept).lineage(NodeRef(id=root), walk)
            except NotFoundError:
                continue
            found[f"{root} {walk}"] = graph
            found.update({f"{walk.named} {node.id}": node for node in graph.nodes})
    return found


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(event_records(max_runs=4), st.data())
def test_what_is_kept_is_what_would_be_worked_out_anew(records: list[EventRecord], data: st.DataObject) -> None:
    growing, neighbourhoods = Growing(records), Neighbourhoods()
    ends = data.draw(st.sets(st.integers(1, len(records)), min_size=1, max_size=3))
    for end in sorted({*ends, len(records)}):
        growing.grow(end)
        known = data.draw(st.one_of(st.none(), st.integers(0, end)))
        for cut in (None, known):
            with growing.store.read(cut) as reader:
                assert answers(reader, neighbourhoods.at(reader)) == answers(reader, None)


def upstream(store: MemoryGraph, neighbourhoods: Neighbourhoods, root: str) -> set[str]:
    with store.read() as reader:
        graph = Reading(reader, neighbourhoods.at(reader)).lineage(NodeRef(id=root), Walk(depth=4))
        return {edge.source for edge in graph.edges}


def is_kept(store: MemoryGraph, neighbourhoods: Neighbourhoods, root: str) -> bool:
    with store.read() as reader:
        return neighbourhoods.at(reader).find("upstream", root) is not None


def made() -> Scenario:
    """`b` made from `a`, and `m` from the `b` of that time."""
    told = Scenario().run("load", 1, 2, writes=["a"]).run("clean", 3, 4, reads=["a"], writes=["b"])
    return told.run("train", 5, 6, reads=["b"], writes=["m"])


MODEL = version("m", by="train")


def test_what_comes_after_a_run_leaves_what_is_kept_of_it() -> None:
    told = made().run("clean again", 8, 9, reads=["a"], writes=["b"]).run("report", 9, 10, reads=["m"])
    growing, neighbourhoods = Growing(told.records), Neighbourhoods()
    growing.grow(6)
    before = upstream(growing.store, neighbourhoods, MODEL)
    growing.grow(len(told.records))
    assert is_kept(growing.store, neighbourhoods, MODEL)
    assert upstream(growing.store, neighbourhoods, MODEL) == before


def test_a_late_event_changes_what_is_kept() -> None:
    told = made().run("clean late", 4, 4.5, reads=["c"], writes=["b"])
    growing, neighbourhoods = Growing(told.records), Neighbourhoods()
    growing.grow(6)
    assert version("b", by="clean") in upstream(growing.store, neighbourhoods, MODEL)
    growing.grow(len(told.records))
    assert not is_kept(growing.store, neighbourhoods, MODEL)
    assert version("b", by="clean late") in upstream(growing.store, neighbourhoods, MODEL)


def test_a_store_that_was_emptied_is_another_one() -> None:
    store, neighbourhoods = MemoryGraph(), Neighbourhoods()
    project(store, made().records)
    upstream(store, neighbourhoods, MODEL)
    store.clear()
    project(store, made().records)
    assert not is_kept(store, neighbourhoods, MODEL)


def test_what_was_worked_out_later_is_not_for_an_earlier_reading() -> None:
    told = made()
    growing, neighbourhoods = Growing(told.records), Neighbourhoods()
    growing.grow(6)
    upstream(growing.store, neighbourhoods, MODEL)
    with growing.store.read(known=3) as reader:
        assert neighbourhoods.at(reader).find("upstream", MODEL) is None
    assert is_kept(growing.store, neighbourhoods, MODEL)


def test_what_an_overtaken_reading_worked_out_is_not_kept() -> None:
    told = made().run("clean late", 4, 4.5, reads=["c"], writes=["b"])
    growing, neighbourhoods = Growing(told.records), Neighbourhoods()
    growing.grow(6)
    with growing.store.read() as reader:
        overtaken = Reading(reader, neighbourhoods.at(reader))
        growing.grow(len(told.records))
        with growing.store.read() as later:
            neighbourhoods.at(later)
        overtaken.lineage(NodeRef(id=MODEL), Walk(depth=4))
    assert not is_kept(growing.store, neighbourhoods, MODEL)


def test_how_a_running_run_stands_is_not_kept() -> None:
    """Whether it was given up is a matter of the newest event, of whatever it is."""
    told = Scenario().event("load", "START", at=1, writes=["a"]).now(2).now(2 * DAY)
    growing, neighbourhoods = Growing(told.records), Neighbourhoods()
    gaps = []
    for end in (2, 3):
        growing.grow(end)
        with growing.store.read() as reader:
            graph = Reading(reader, neighbourhoods.at(reader)).lineage(NodeRef(id=version("a", by="load")), Walk())
            gaps.append({gap.kind for gap in graph.gaps})
    assert gaps == [set(), {GapKind.NEVER_ENDED}]


def test_a_run_that_joins_an_application_late_changes_what_was_rolled_up() -> None:
    told = Scenario().run("spark", 1, 9, job_type="APPLICATION")
    told.run("save", 5, 6, writes=["m"], parent=parent("spark"), job_type="SQL_JOB")
    told.run("scan", 2, 3, reads=["c"], parent=parent("spark"), job_type="SQL_JOB")
    growing, neighbourhoods = Growing(told.records), Neighbourhoods()
    growing.grow(4)
    root = version("m", by="save")
    assert dataset("c") not in upstream(growing.store, neighbourhoods, root)
    growing.grow(len(told.records))
    assert dataset("c") in upstream(growing.store, neighbourhoods, root)


def test_a_drop_that_comes_late_changes_what_a_version_name_meant() -> None:
    told = Scenario().run("load", 1, 2, writes=["a@1"]).run("train", 5, 6, reads=["a@1"], writes=["m"])
    told.run("clear", 3, 4, writes=[drop("a")])
    growing, neighbourhoods = Growing(told.records), Neighbourhoods()
    growing.grow(4)
    root = version("m", by="train")
    assert version("a@1") in upstream(growing.store, neighbourhoods, root)
    growing.grow(len(told.records))
    assert version("a@1", after=4) in upstream(growing.store, neighbourhoods, root)


def test_a_renaming_that_is_declared_late_adds_its_source() -> None:
    told = Scenario().run("load", 1, 2, writes=["a"]).run("train", 5, 6, writes=["m@1"])
    told.dataset(7, use("m@1", change=Change.RENAME, renamed_from="a"))
    growing, neighbourhoods = Growing(told.records), Neighbourhoods()
    growing.grow(4)
    root = version("m@1")
    assert version("a", by="load") not in upstream(growing.store, neighbourhoods, root)
    growing.grow(len(told.records))
    assert version("a", by="load") in upstream(growing.store, neighbourhoods, root)


def test_another_run_and_another_job_change_what_is_kept_of_a_dataset() -> None:
    told = Scenario().run("load", 1, 2, job="load", reads=["a"], writes=["b"])
    told.run("load again", 3, 4, job="load", reads=["a"], writes=["b"]).run("mend", 5, 6, reads=["c"], writes=["b"])
    growing, neighbourhoods = Growing(told.records), Neighbourhoods()
    found = []
    for end in (2, 4, 6):
        growing.grow(end)
        with growing.store.read() as reader:
            walk = Walk(grain=Grain.JOB, named=True)
            graph = Reading(reader, neighbourhoods.at(reader)).lineage(NodeRef(id=dataset("b")), walk)
        found.append({(edge.source, edge.runs) for edge in graph.edges if edge.target == dataset("b")})
    assert found == [{(job("load"), 1)}, {(job("load"), 2)}, {(job("load"), 2), (job("mend"), 1)}]


def test_a_role_that_is_learnt_late_changes_the_kind() -> None:
    told = Scenario().run("train", 1, 2, writes=["m"]).dataset(3, use("m", model=True))
    growing, neighbourhoods = Growing(told.records), Neighbourhoods()
    kinds = []
    for end in (2, 3):
        growing.grow(end)
        with growing.store.read() as reader:
            found = Reading(reader, neighbourhoods.at(reader)).describe([dataset("m")])
            kinds.append(found[dataset("m")].kind)
    assert kinds == [NodeKind.DATASET, NodeKind.MODEL]


def test_runs_that_leave_a_flow_out_make_it_stale() -> None:
    told = Scenario().run("load", 1, 2, job="load", reads=["a"], writes=["b"])
    for number in range(3):
        told.run(f"idle {number}", 3 + number, 3.5 + number, job="load", reads=["a"])
    growing, neighbourhoods = Growing(told.records), Neighbourhoods()
    stale = []
    for end in (2, len(told.records)):
        growing.grow(end)
        with growing.store.read() as reader:
            graph = Reading(reader, neighbourhoods.at(reader)).lineage(NodeRef(id=dataset("b")), Walk(grain=Grain.JOB))
        stale.append({edge.stale for edge in graph.edges if edge.target == dataset("b")})
    assert stale == [{False}, {True}]


def test_symlinks_that_are_told_late_change_what_a_read_saw() -> None:
    told = Scenario().run("load", 1, 2, writes=["b"]).run("train", 5, 6, reads=["a"], writes=["m"])
    told.dataset(3, use("a", aliases=["b"])).dataset(4, use("a", aliases=[]))
    growing, neighbourhoods = Growing(told.records), Neighbourhoods()
    seen = []
    for end in (4, 5, 6):
        growing.grow(end)
        seen.append(version("b", by="load") in upstream(growing.store, neighbourhoods, version("m", by="train")))
    assert seen == [False, True, False]
