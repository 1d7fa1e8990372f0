"""What a watch judges, in which order, and what it tells of it."""

from collections.abc import Iterator
from typing import Any

import pytest
import rfc8785
from structlog.testing import capture_logs

from catalog.errors import StoreUnavailableError
from catalog.graph.memory import MemoryGraph
from catalog.identity import dataset_id, named_version_id
from catalog.instant import text
from catalog.log.entry import EntryType, Submission
from catalog.model import DatasetRef, Node, NodeRef
from catalog.reading import Reading
from policies.judge import Judged
from policies.request import RevokeRequest
from policies.verdict import Verdict
from policies.watch.change import VerdictChange
from tests.ingest.events import DAY as DAY_SECONDS
from tests.ingest.events import change, model, run_event, versioned, whole_run
from tests.policies.office import ANN, BOB, DAY, HOUR, REGISTRY, Office, binding, control, pack, version
from tests.policies.watched import Shown

CREDIT, RIVAL = dataset_id(REGISTRY, "credit"), dataset_id(REGISTRY, "rival")
ONE, TWO, OTHER = named_version_id(CREDIT, "1"), named_version_id(CREDIT, "2"), named_version_id(RIVAL, "1")
RIVAL_TRAINING = whole_run("rival", 7, 8, reads=[versioned("cards", "c1")], writes=[model("rival", "1")])
OWNED = pack(controls=[control("owner")])


class Room:
    """An office, and a watch over a graph of its own that follows it when told to."""

    def __init__(self, *documents: dict[str, Any]) -> None:
        self.office = Office()
        self.office.tell(RIVAL_TRAINING)
        if documents:
            self.office.enact(*documents)
        self.shown = Shown(MemoryGraph(), self.office.entries)
        self.shown.project()
        self.shown.begin(self.office.now)
        self.judged.clear()

    @property
    def judged(self) -> dict[tuple[str, str], int]:
        return self.shown.judge.judged

    def follow(self) -> list[VerdictChange]:
        self.judged.clear()
        return self.shown.follow(self.office.now)

    def own(self, name: str = "1", **more: Any) -> None:
        self.office.attest(ANN, "inventory", version(name), statement={"owner": "team:credit"}, **more)


@pytest.fixture
def room() -> Room:
    return Room(OWNED, binding())


def words(found: list[VerdictChange]) -> list[tuple[str, str, str | None, str | None]]:
    return [(each.target.id, each.control, each.before, each.after) for each in found]


def test_an_entry_that_touches_nothing_of_a_version_does_not_judge_it(room: Room) -> None:
    room.office.tell(whole_run("elsewhere", 9, 10, reads=["p"], writes=["q"]))
    assert room.follow() == []
    assert room.judged == {}

    room.office.tell(whole_run("cards", 9, 10, writes=[versioned("cards", "c1")]))
    room.follow()
    assert set(room.judged) == {(OTHER, "production")}


def test_many_entries_about_one_version_judge_it_once(room: Room) -> None:
    room.office.tell(whole_run("cards", 9, 10, writes=[versioned("cards", "c1")]) * 5)
    room.follow()
    assert room.judged == {(OTHER, "production"): 1}


def test_a_change_says_what_of_which_version_and_since_which_entry(room: Room) -> None:
    room.own()
    seq = len(room.office.entries) - 1
    room.office.tell(whole_run("elsewhere", 9, 10, reads=["p"], writes=["q"]))

    (change,) = room.follow()

    assert words([change]) == [(ONE, "owner", Verdict.UNKNOWN, Verdict.PASS)]
    assert (change.pack, change.environment, change.at) == ("base@1.0.0", "production", room.office.now)
    assert (change.seq, change.known) == (seq, len(room.office.entries))


def test_decisions_proposals_and_answers_about_others_judge_nothing(room: Room) -> None:
    room.office.decided("DENY")
    room.office.register.propose_policy(ANN, [pack(version="2.0.0")])
    assert room.follow() == []
    assert room.judged == {}


def test_what_comes_into_force_judges_what_it_selects_and_nothing_else(room: Room) -> None:
    room.office.enact(pack("second", controls=[control("secret")]))
    room.follow()
    assert room.judged == {}

    room.office.enact(binding("rivals", "second", match={"models": ["rival"]}))
    assert words(room.follow()) == [(OTHER, "secret", None, Verdict.UNKNOWN)]
    assert set(room.judged) == {(OTHER, "production")}


def test_what_is_retired_says_nothing_any_more(room: Room) -> None:
    asked = room.office.register.retire(ANN, ["starter"])
    room.office.register.confirm_policy(BOB, asked.proposal.act.id)

    assert set(words(room.follow())) == {(each, "owner", Verdict.UNKNOWN, None) for each in (ONE, TWO, OTHER)}
    assert room.judged == {}
    assert room.shown.standing() == {}
    assert room.shown.watch.is_idle


def test_another_version_of_a_pack_is_no_change_by_itself(room: Room) -> None:
    room.office.enact(pack(version="2.0.0", controls=[control("owner"), control("more")]))
    assert {(each.pack, each.control) for each in room.follow()} == {("base@2.0.0", "more")}


def test_a_new_version_is_judged_when_it_appears(room: Room) -> None:
    room.office.tell(whole_run("train again", 9, 10, writes=[model("credit", "3")]))
    three = named_version_id(CREDIT, "3")
    assert words(room.follow()) == [(three, "owner", None, Verdict.UNKNOWN)]
    assert (three, "production") in room.judged


def test_a_dataset_that_turns_out_to_be_a_model_is_one_from_then_on(room: Room) -> None:
    room.office.tell(whole_run("quiet", 9, 10, writes=[versioned("late", "1", REGISTRY)]))
    assert room.follow() == []
    room.office.tell([run_event("COMPLETE", 11, "loud", reads=[model("late")])])
    late = named_version_id(dataset_id(REGISTRY, "late"), "1")
    assert words(room.follow()) == [(late, "owner", None, Verdict.UNKNOWN)]


def test_a_run_that_ends_may_make_a_version_of_which_its_last_event_does_not_speak(room: Room) -> None:
    """The model was dropped while its run went on: what that run leaves is a version of the next incarnation."""
    dropped = model("credit", lifecycleStateChange=change("DROP"))
    room.office.tell(
        [
            run_event("START", 20, "again", writes=[model("credit", "1")]),
            run_event("COMPLETE", 25, "drop", writes=[dropped]),
        ]
    )
    room.follow()
    before = set(room.shown.standing())

    room.office.tell([run_event("COMPLETE", 30, "again")])
    room.follow()

    assert len(set(room.shown.standing()) - before) == 1
    assert room.shown.standing() == room.shown.anew(room.office.now)


def test_starting_again_tells_nothing_that_was_so_before(room: Room) -> None:
    room.own()
    again = Shown(MemoryGraph(), room.office.entries)
    again.project()

    again.begin(room.office.now)  # which sees to it that nothing is told

    room.follow()
    assert again.standing() == room.shown.standing()
    room.own("2")
    assert words(again.follow(room.office.now)) == [(TWO, "owner", Verdict.UNKNOWN, Verdict.PASS)]


def test_only_versions_that_came_later_are_news_while_the_first_are_judged() -> None:
    office = Office()
    office.enact(OWNED, binding())
    shown = Shown(MemoryGraph(), office.entries)
    shown.project()
    with shown.reading() as reading:
        shown.watch.begin(reading, office.now)
        assert shown.watch.step(reading, office.now) == []  # which counts the versions of the model
    office.tell(whole_run("train", 3, 4, reads=[versioned("late", "l1")], writes=[model("credit", "1")]))
    office.tell(whole_run("train again", 9, 10, writes=[model("credit", "3")]))

    found = shown.follow(office.now)

    assert {(each.target.label, each.before) for each in found} == {("3", None)}
    assert len(shown.standing()) == 3


def test_time_alone_changes_a_verdict_when_it_is_due(room: Room) -> None:
    room.own(expires_at=room.office.later(10 * HOUR))
    room.follow()
    due = room.office.now + 10 * HOUR
    assert room.shown.watch.next_due == due

    room.office.wait(10 * HOUR - 1)
    assert room.follow() == []
    assert room.judged == {}
    room.office.wait(1)
    (change,) = room.follow()
    assert words([change]) == [(ONE, "owner", Verdict.PASS, Verdict.UNKNOWN)]
    assert (change.seq, change.at) == (None, due)
    assert room.judged == {(ONE, "production"): 1}


def test_a_waiver_that_ends_gives_the_finding_back(room: Room) -> None:
    for who in (ANN, BOB):
        room.office.waive(who, "owner", expires_at=room.office.later(DAY))
    assert words(room.follow()) == [(ONE, "owner", Verdict.UNKNOWN, Verdict.WAIVED)]
    room.office.wait(DAY)
    assert words(room.follow()) == [(ONE, "owner", Verdict.WAIVED, Verdict.UNKNOWN)]


def test_a_baseline_ends_by_itself(room: Room) -> None:
    found = [(ONE, "base@1.0.0", "owner", None)]
    asked = room.office.register.accept_baseline(ANN, "starter", room.office.later(DAY), found)
    room.office.register.confirm_policy(BOB, asked.proposal.act.id)
    assert words(room.follow()) == [(ONE, "owner", Verdict.UNKNOWN, Verdict.WAIVED)]
    room.office.wait(DAY)
    assert words(room.follow()) == [(ONE, "owner", Verdict.WAIVED, Verdict.UNKNOWN)]


def test_a_day_on_which_a_binding_begins_to_block_is_noticed(room: Room) -> None:
    """Though the verdict stays what it is: the matrix says what it would do to a release."""
    room.own()
    room.office.enact(binding("starter", adviseUntil="2026-03-02"))
    room.follow()
    assert enforced(room) == {ONE: "advise", TWO: "advise", OTHER: "advise"}
    room.office.wait(12 * HOUR)
    assert room.follow() == []
    assert enforced(room) == {ONE: "block", TWO: "block", OTHER: "block"}


def enforced(room: Room) -> dict[str, str]:
    return {each.target.id: each.controls[0].enforcement.value for each in room.shown.watch.standing()}


def test_who_somebody_is_may_change_any_version() -> None:
    known = control(
        "known",
        requires=[{"expression": "has(subject.developersKnown)", "missing": "nobody says who wrote it"}],
        checks=[{"id": "known", "expression": "subject.developersKnown", "message": "nobody knows them"}],
    )
    room = Room(pack(controls=[known]), binding(match={"models": ["credit"]}))
    for alias in ("email:eve@example.org", "email:dan@example.org"):
        identify(room.office, alias)
    assert words(room.follow()) == [(ONE, "known", Verdict.FAIL, Verdict.PASS)]


def identify(office: Office, alias: str) -> None:
    body: dict[str, Any] = {"v": 1, "act": "identify", "id": alias, "at": text(office.now), "by": ANN.as_json()}
    content = rfc8785.dumps(body | {"alias": alias, "person": alias.removeprefix("email:")})
    office.append(Submission(EntryType.POLICY, ANN.name, content, content))


def test_silence_that_changes_evidence_is_noticed() -> None:
    """A run upstream that never ends: after a day of others' events it is not waited for."""
    ended = control(
        "ended", applies="true", inputs={"upstream": {}, "blockedBy": ["NEVER_ENDED"]}, requires=[], checks=[CHECKED]
    )
    room = Room(pack(controls=[ended]), binding(match={"models": ["fresh"]}))
    room.office.tell(
        [
            run_event("START", 20, "open", writes=[versioned("half", "h1")]),
            run_event("RUNNING", 21, "open", writes=[versioned("half", "h1")]),
            run_event("COMPLETE", 30, "use", reads=[versioned("half", "h1")], writes=[model("fresh", "1")]),
        ]
    )
    room.office.now += 3 * DAY
    fresh = named_version_id(dataset_id(REGISTRY, "fresh"), "1")
    assert words(room.follow()) == [(fresh, "ended", None, Verdict.PASS)]

    room.office.tell([run_event("COMPLETE", DAY_SECONDS + 20, "noise", reads=["p"], writes=["q"])])
    assert room.follow() == []
    room.office.tell([run_event("COMPLETE", DAY_SECONDS + 21, "noise", reads=["p"], writes=["q"])])
    assert words(room.follow()) == [(fresh, "ended", Verdict.PASS, Verdict.UNKNOWN)]


CHECKED = {"id": "there", "expression": "size(trainingRuns) >= 0", "message": "no run"}


def test_what_an_entry_touches_comes_before_a_sweep(room: Room) -> None:
    room.office.enact(pack(version="2.0.0", controls=[control("owner"), control("more")]))
    room.office.tell(whole_run("cards", 9, 10, writes=[versioned("cards", "c1")]))
    shown, office = room.shown, room.office
    shown.project()

    with shown.reading() as reading:
        shown.watch.advance(reading, shown.acts(shown.watch.known, reading.known), office.now)
        judged = [each.target.id for told in steps(shown, reading, office.now) for each in told]

    assert judged[0] == OTHER
    assert set(judged) == {ONE, TWO, OTHER}


def steps(shown: Shown, reading: Reading, now: int) -> Iterator[list[VerdictChange]]:
    while (told := shown.watch.step(reading, now)) is not None:
        yield told


def test_bindings_that_do_not_fit_are_shown_as_trouble_until_they_do(room: Room) -> None:
    room.office.enact(binding("starter", packs=[{"name": "base", "version": "1.0.0"}]))
    room.follow()
    room.office.enact(OWNED | {"metadata": OWNED["metadata"] | {"version": "2.0.0"}})

    assert {each.after for each in room.follow()} == {None}
    assert {"The pack base in force is 2.0.0" in str(said) for said in room.shown.standing().values()} == {True}
    assert {each.verdict for each in room.shown.watch.standing()} == {Verdict.ERROR}

    room.office.enact(binding())
    assert {(each.before, each.after) for each in room.follow()} == {(None, Verdict.UNKNOWN)}


def test_what_the_store_did_not_answer_is_asked_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.own()
    with monkeypatch.context() as patched:
        patched.setattr(room.shown.judge, "judge", failing(StoreUnavailableError("It is away.")))
        with pytest.raises(StoreUnavailableError):
            room.follow()
    assert words(room.follow()) == [(ONE, "owner", Verdict.UNKNOWN, Verdict.PASS)]


def test_entries_that_could_not_be_read_are_read_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.office.tell(whole_run("train again", 9, 10, writes=[model("credit", "3")]))
    room.office.enact(pack(version="2.0.0", controls=[control("owner"), control("more")]))
    for name in ("entries", "models"):
        with monkeypatch.context() as patched:
            patched.setattr(Reading, name, failing(StoreUnavailableError("It is away.")))
            with pytest.raises(StoreUnavailableError):
                room.follow()
    room.follow()
    assert len(room.shown.standing()) == 4
    assert room.shown.standing() == room.shown.anew(room.office.now)


def test_a_version_that_cannot_be_judged_hinders_no_other(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.own()
    judge = room.shown.judge.judge

    def moody(reading: Reading, target: Node, **asked: Any) -> Judged:
        if target.id == ONE:
            raise RuntimeError("a fault of ours")
        return judge(reading, target, **asked)

    monkeypatch.setattr(room.shown.judge, "judge", moody)
    with capture_logs() as logs:
        room.follow()
    standing = {each.target.id: each for each in room.shown.watch.standing()}
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["watch.failed"]
    assert logs[0]["error_id"] in str(standing[ONE].trouble)
    assert standing[OTHER].trouble is None


def failing(error: Exception) -> Any:
    def judge(*_: object, **__: object) -> Judged:
        raise error

    return judge


def test_a_withdrawn_statement_takes_its_verdict_along(room: Room) -> None:
    statement = room.office.attest(ANN, "inventory", NodeRef(model=DatasetRef(REGISTRY, "credit")), statement=OWNER)
    assert set(words(room.follow())) == {(each, "owner", Verdict.UNKNOWN, Verdict.PASS) for each in (ONE, TWO)}
    room.office.register.withdraw(ANN, RevokeRequest(statement.outcome.id, "wrong"))
    assert set(words(room.follow())) == {(each, "owner", Verdict.PASS, Verdict.UNKNOWN) for each in (ONE, TWO)}


OWNER = {"owner": "team:credit"}


def test_two_runs_that_never_end_are_given_up_one_after_the_other() -> None:
    one = {
        "id": "one",
        "expression": "size(lineage.gaps.filter(g, g.kind == 'NEVER_ENDED')) < 2",
        "message": "two runs never ended",
    }
    ended = control("ended", inputs={"upstream": {}}, requires=[], checks=[one])
    room = Room(pack(controls=[ended]), binding(match={"models": ["fresh"]}))
    reads = [versioned("half", "h1"), versioned("other", "h1")]
    room.office.tell(
        [
            run_event("RUNNING", 21, "open", writes=reads[:1]),
            run_event("RUNNING", 5000, "open-too", writes=reads[1:]),
            run_event("COMPLETE", 6000, "use", reads=reads, writes=[model("fresh", "1")]),
        ]
    )
    room.office.now += 3 * DAY
    room.follow()
    for late in (21, 5001):
        room.office.tell([run_event("COMPLETE", DAY_SECONDS + late, "noise", reads=["p"], writes=["q"])])
        room.follow()
        assert room.shown.standing() == room.shown.anew(room.office.now)
    assert "fail" in str(room.shown.standing())
