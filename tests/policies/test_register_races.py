"""Many people at once, over a real log and a real graph that follows it: the log's order decides."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest

from catalog.access import Access, LogState
from catalog.errors import ConflictError, LinewardError
from catalog.follower import Follower
from catalog.graph.contract import GraphStore
from catalog.graph.memory import MemoryGraph
from catalog.graph.sqlite import SqliteGraph
from catalog.instant import text
from catalog.log.entry import Entry, EntryType, Submission
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.log.writer import LogWriter
from catalog.principal import Principal
from catalog.projector import Projector
from catalog.reading import Reading
from policies.evidence.closure import closure
from policies.gate import Gate, Ruling
from policies.in_force import in_force
from policies.journal import Journal
from policies.judge import Judge
from policies.register import Entered, Register
from policies.request import ApproveRequest, DecideRequest, RevokeRequest, WaiveRequest
from policies.standing import standing_approvals, standing_waivers
from policies.verdict import GateState
from tests.ingest.events import Event, read_entry
from tests.policies.office import (
    ANN,
    BOB,
    CARL,
    PACK,
    PIPELINE,
    TRAINING,
    binding,
    control,
    later_input,
    pack,
    person,
    version,
)
from tests.policies.test_gate import FOUR_EYES, PARAMS

_T = TypeVar("_T")
CROWD = [person(f"person-{number}") for number in range(8)]


class Live:
    """A log with its writer, a graph with its follower, and those who act on them."""

    def __init__(self, folder: Path) -> None:
        self._store = LogStore.open(folder)
        self.writer = LogWriter(self._store)
        self.log = LogReader.open(folder)
        self.graph = SqliteGraph.open(folder / "graph.db")
        self._stop = threading.Event()
        follower = Follower(self.log, lambda _erased: Projector(self.graph, self.log.origin, read_entry), 64)
        self._following = threading.Thread(target=follower.follow, args=(self._stop,))
        self._following.start()
        self.access = Access(self.graph, self._state, 30.0)
        self.journal = Journal(self.access, lambda submission: self.writer.submit(submission).result())
        self.register = Register(self.journal)
        self.gate = Gate(self.journal, Judge())
        self.tell(TRAINING)

    def _state(self) -> LogState:
        size = self.log.size()
        return LogState(self.log.origin, size, self.log.root(size))

    def close(self) -> None:
        self._stop.set()
        self._following.join()
        self.graph.close()
        self.log.close()
        self.writer.close()
        self._store.close()

    def tell(self, events: Sequence[Event]) -> None:
        for event in events:
            body = orjson.dumps(event)
            self.writer.submit(Submission(EntryType.OPENLINEAGE, "local", body, body)).result()

    def enact(self, *documents: dict[str, Any]) -> None:
        proposed = self.register.propose_policy(ANN, documents).proposal.act.id
        self.register.confirm_policy(BOB, proposed)

    def approve(self, who: Principal, **said: Any) -> Entered:
        return self.register.approve(who, ApproveRequest(version(), "production", **said))

    def entries(self) -> list[Entry]:
        return self.log.entries(0, self.log.size())

    def bodies(self, *verbs: str) -> list[dict[str, Any]]:
        """Acts in the order of the log, each with its position."""
        found = [
            orjson.loads(entry.body or b"") | {"seq": entry.seq}
            for entry in self.entries()
            if entry.type is not EntryType.OPENLINEAGE
        ]
        return [body for body in found if body["act"] in verbs]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    world = Live(tmp_path)
    try:
        yield world
    finally:
        world.close()


def at_once(*tasks: Callable[[], _T]) -> list[_T | LinewardError]:
    """What each task returns or refuses, all of them begun together."""
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], _T]) -> _T | LinewardError:
        start.wait()
        try:
            return task()
        except LinewardError as error:
            return error

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def said(store: GraphStore) -> tuple[Any, ...]:
    """What the acts on version 1 come to."""
    with store.read() as reader:
        reading = Reading(reader)
        node = reading.find(version())
        assert node is not None
        approvals = [(each.id, each.seq, each.current, each.changed) for each in standing_approvals(reading, node.id)]
        waivers = [(each.id, each.countersigned_by, each.revoked) for each in standing_waivers(reading, node.id)]
        return approvals, waivers, closure(reading, node.id).digest


def check_replay(live: Live) -> None:
    """One entry after the other into an empty graph gives what the graph that followed says."""
    with live.access.reading(at_least=live.journal.everything()):
        pass
    replayed = MemoryGraph()
    projector = Projector(replayed, live.log.origin, read_entry)
    for entry in live.entries():
        projector.project([entry])
    assert said(replayed) == said(live.graph)


def test_approvals_that_race_all_stand_in_the_order_of_the_log(live: Live) -> None:
    given = at_once(*(partial(live.approve, who) for who in CROWD))
    entered = [each for each in given if isinstance(each, Entered)]
    assert len(entered) == len(CROWD)
    logged = live.bodies("approve")
    assert sorted(body["by"]["person"] for body in logged) == sorted(str(who.person) for who in CROWD)
    assert [body["at"] for body in logged] == sorted(body["at"] for body in logged)
    check_replay(live)


def test_one_call_sent_twice_at_once_is_one_approval(live: Live) -> None:
    given = at_once(*[partial(live.approve, ANN)] * 6)
    assert len({each.outcome.id for each in given if isinstance(each, Entered)}) == 1
    assert len(live.bodies("approve")) == 1


def test_of_revocations_that_race_one_counts(live: Live) -> None:
    approval = live.approve(ANN).outcome.id
    request = RevokeRequest(approval, "a mistake")
    answers = at_once(*(partial(live.register.revoke_approval, who, request) for who in CROWD))
    assert [isinstance(each, ConflictError) for each in answers].count(False) == 1
    assert len(live.bodies("revokeApproval")) == 1
    check_replay(live)


def test_approvals_and_revocations_race(live: Live) -> None:
    first = [live.approve(who).outcome.id for who in CROWD[:4]]
    tasks: list[Callable[[], Entered]] = [partial(live.approve, who) for who in CROWD]
    tasks += [partial(live.register.revoke_approval, CARL, RevokeRequest(id_, "no")) for id_ in first]
    at_once(*tasks)
    check_replay(live)
    revoked = {body["refersTo"] for body in live.bodies("revokeApproval")}
    assert revoked == set(first)
    with live.access.reading() as reading:
        node = reading.find(version())
        assert node is not None
        persons = {each.said.by.person for each in standing_approvals(reading, node.id)}
    # Whoever came before his approval was revoked got that one back, and whoever came after gave a new one.
    anew = {body["by"]["person"] for body in live.bodies("approve")[4:]}
    assert persons == anew
    assert {str(who.person) for who in CROWD[4:]} <= persons


def test_an_approval_while_the_version_changes_binds_what_it_saw(live: Live) -> None:
    events = later_input()
    tasks: list[Callable[[], object]] = [partial(live.approve, who) for who in CROWD]
    at_once(*tasks, partial(live.tell, events))
    check_replay(live)
    for body in live.bodies("approve"):
        # Events come in beside the acts: they may be logged between what was read and what was written.
        sizes = range(body["seq"] - len(events), body["seq"] + 1)
        assert body["closureDigest"] in {digest_at(live, size) for size in sizes}


def digest_at(live: Live, known: int) -> str:
    with live.graph.read(known) as reader:
        reading = Reading(reader)
        node = reading.find(version())
        assert node is not None
        return closure(reading, node.id).digest


def test_expecting_what_no_longer_is_is_refused_in_any_race(live: Live) -> None:
    seen = live.approve(ANN).outcome.act.body["closureDigest"]
    live.tell(later_input())
    answers = at_once(*(partial(live.approve, who, expects=seen) for who in CROWD))
    assert all(isinstance(each, ConflictError) for each in answers)
    assert len(live.bodies("approve")) == 1


def test_two_who_waive_at_once_are_proposer_and_countersigner(live: Live) -> None:
    live.enact(pack(controls=[control("licence")]), binding())
    request = WaiveRequest(version(), PACK, "licence", "gone", "by hand", in_ten_days(live))
    answers = at_once(*(partial(live.register.waive, who, request) for who in (ANN, BOB)))
    assert all(isinstance(each, Entered) for each in answers)
    (waived,), (signed,) = live.bodies("waive"), live.bodies("countersignWaiver")
    assert waived["seq"] < signed["seq"]
    assert {waived["by"]["person"], signed["by"]["person"]} == {ANN.person, BOB.person}
    check_replay(live)


def in_ten_days(live: Live) -> str:
    return text(live.journal.now() + 10 * 86_400 * 1_000_000)


def test_of_confirmations_that_race_one_counts(live: Live) -> None:
    proposed = live.register.propose_policy(ANN, [pack()]).proposal.act.id
    answers = at_once(*(partial(live.register.confirm_policy, who, proposed) for who in CROWD))
    assert [isinstance(each, ConflictError) for each in answers].count(False) == 1
    (confirmed,) = live.bodies("confirmPolicy")
    with live.access.reading() as reading:
        held = in_force(reading, live.journal.now()).packs[PACK]
    assert held.confirmed_by == confirmed["by"]["person"]


def test_every_decision_knows_all_acts_before_it(live: Live) -> None:
    """Approve, revoke and decide at once: each answer is that of the log up to its own entry."""
    live.enact(pack(controls=[FOUR_EYES], params=PARAMS), binding())
    kept, given = live.approve(ANN).outcome.id, live.approve(BOB).outcome.id
    assert kept != given
    request = DecideRequest(version(), "production")
    tasks: list[Callable[[], Ruling | Entered]] = [partial(live.gate.decide, PIPELINE, request)] * 4
    tasks.insert(2, partial(live.register.revoke_approval, CARL, RevokeRequest(given, "no")))
    tasks.insert(4, partial(live.approve, CROWD[0]))
    rulings = [each for each in at_once(*tasks) if isinstance(each, Ruling)]
    assert len(rulings) == len(live.bodies("decide")) == 4
    for decision in live.bodies("decide"):
        before = [body for body in live.bodies("approve", "revokeApproval") if body["seq"] < decision["seq"]]
        approved = sum(1 if body["act"] == "approve" else -1 for body in before)
        expected = GateState.ALLOW if approved >= 2 else GateState.PENDING
        assert decision["state"] == expected.value
        assert decision["snapshot"]["known"] <= decision["seq"]
    check_replay(live)
