"""People who act at once, on a log that is written and a graph that follows: no approval too many, none too few."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from catalog.principal import Principal
from policies.gate import Gate
from policies.journal import Journal
from policies.judge import Judge
from policies.request import DecideRequest, RevokeRequest
from policies.verdict import GateState
from tests.faults.conftest import Counted
from tests.faults.tier import tiers
from tests.policies.office import ANN, BOB, CARL, EVE, PIPELINE, binding, later_input, pack, person, version
from tests.policies.test_gate import FOUR_EYES, PARAMS
from tests.policies.test_register_races import Live, at_once, check_replay

REQUEST = DecideRequest(version(), "production")
_WAIT = 0.05  # seconds for a projection that stands still


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    world = Live(tmp_path)
    try:
        world.enact(pack(controls=[FOUR_EYES], params=PARAMS), binding())
        yield world
    finally:
        world.close()


def standing(acts: list[dict[str, Any]], before: int, closure: str) -> set[str]:
    """Who has approved this closure and was not revoked, by the entries before a position."""
    approvals: dict[str, str] = {}
    for act in acts:
        if act["seq"] >= before:
            break
        if act["act"] == "approve" and act["closureDigest"] == closure:
            approvals[act["id"]] = act["by"]["person"]
        elif act["act"] == "revokeApproval":
            approvals = {id_: who for id_, who in approvals.items() if not act["refersTo"].endswith(id_)}
    return set(approvals.values())


@tiers("crowd", 10, 50)
def test_no_decision_counts_an_approval_that_does_not_stand(live: Live, counted: Counted, crowd: int) -> None:
    """F18: approve, revoke, approve one's own work and change the version, all at once, and decide in between."""
    people = [person(f"person-{number}") for number in range(crowd)]
    early = [live.approve(who).outcome.id for who in people[:4]]
    tasks: list[Callable[[], object]] = [partial(live.approve, who) for who in [*people[4:], EVE, EVE]]
    tasks[2:2] = [partial(live.register.revoke_approval, CARL, RevokeRequest(each, "no")) for each in early]
    tasks[crowd // 2 : crowd // 2] = [partial(live.tell, later_input())]
    tasks += [partial(live.gate.decide, PIPELINE, REQUEST)] * (crowd // 5)
    at_once(*tasks)
    check_replay(live)
    history = live.bodies("approve", "revokeApproval")
    assert "eve@example.org" not in {act["by"]["person"] for act in history}
    for decision in live.bodies("decide"):
        held = {each["person"] for each in decision["evidence"]["approvals"] if each["current"]}
        closure = decision["evidence"]["subject"]["closureDigest"]
        assert held <= standing(history, decision["seq"], closure) - {"eve@example.org"}
        assert decision["state"] == (GateState.ALLOW if len(held) >= 2 else GateState.PENDING).value
    counted("people acting at once", crowd)


@tiers("rounds", 2, 15)
def test_a_decision_after_a_revocation_sees_it(live: Live, counted: Counted, rounds: int) -> None:
    """F21: of decisions that race with a revocation, each one logged after it is no ALLOW, and each before it is."""
    live.approve(BOB)
    before = after = 0
    for _ in range(rounds):
        given, begun = live.approve(ANN).outcome.id, len(live.bodies("decide"))
        tasks: list[Callable[[], object]] = [partial(decide_often, live)] * 4
        at_once(*tasks, partial(revoke_after_two, live, given, live.log.size()))
        revoked = live.bodies("revokeApproval")[-1]["seq"]
        for decision in live.bodies("decide")[begun:]:
            late = decision["seq"] > revoked
            before, after = before + (not late), after + late
            assert decision["state"] == (GateState.PENDING if late else GateState.ALLOW).value
    assert before >= 2 * rounds
    assert after > 0
    counted("decisions logged before the revocation that they raced with", before)
    counted("after it", after)


def decide_often(live: Live) -> None:
    for _ in range(4):
        live.gate.decide(PIPELINE, REQUEST)


def revoke_after_two(live: Live, approval: str, size: int) -> None:
    """Among the decisions, and not before them: revoking takes less time than deciding."""
    while live.log.size() < size + 2:
        threading.Event().wait(0.001)
    live.register.revoke_approval(CARL, RevokeRequest(approval, "no"))


class Pause:
    """A projector that stands still; `over` lets it go on."""

    def __init__(self, live: Live) -> None:
        self._live, self._over = live, threading.Event()
        self._apply = live.graph.apply
        live.graph.apply = self._wait  # type: ignore[method-assign,assignment]
        self._patience, live.access._wait_seconds = live.access._wait_seconds, _WAIT

    def _wait(self, *batch: Any) -> bool:
        self._over.wait()
        return self._apply(*batch)

    def over(self) -> None:
        self._live.graph.apply = self._apply  # type: ignore[method-assign]
        self._live.access._wait_seconds = self._patience
        self._over.set()


def gate(live: Live, lag: float, journal: Journal | None = None) -> Gate:
    """One whose projection is said to be that far behind, seconds."""
    return Gate(journal or live.journal, Judge(), lag=lambda: lag)


def test_no_answer_is_older_than_the_callers_token(live: Live) -> None:
    """F20: evidence that was acknowledged counts: with its token an answer waits for it or is INDETERMINATE."""
    for who in (ANN, BOB):
        live.approve(who)
    assert live.gate.decide(PIPELINE, REQUEST).state is GateState.ALLOW
    paused = Pause(live)
    try:
        live.tell(later_input())  # another input: the approvals were of something else
        told = DecideRequest(version(), "production", at_least=live.journal.everything())
        for behind in (0.0, 1.0, 100.0):
            assert gate(live, behind).decide(PIPELINE, told).state is GateState.INDETERMINATE
        assert gate(live, 100.0).decide(PIPELINE, REQUEST).state is GateState.INDETERMINATE
        borne = gate(live, 1.0).decide(PIPELINE, REQUEST)
    finally:
        paused.over()
    assert borne.body.snapshot.known < borne.body.snapshot.log_size  # it says what it has seen, and of how much
    assert live.gate.decide(PIPELINE, told).state is GateState.PENDING


def test_an_act_of_an_earlier_process_is_seen_by_the_first_decision_of_the_next(live: Live) -> None:
    """F20, F21: revoked, not projected yet, started again: whatever lag is borne, that revocation is waited for."""
    given = [live.approve(who).outcome.id for who in (ANN, BOB)]
    paused = Pause(live)
    try:
        revoke_unseen(live, CARL, given[0])
        started_again = Journal(live.access, lambda submission: live.writer.submit(submission).result())
        ruling = gate(live, 1.0, started_again).decide(PIPELINE, REQUEST)
    finally:
        paused.over()
    assert ruling.state is GateState.INDETERMINATE
    assert live.gate.decide(PIPELINE, REQUEST).state is GateState.PENDING


def revoke_unseen(live: Live, who: Principal, approval: str) -> None:
    """Revoke while the projection stands still: the act is logged, and nobody has seen it."""
    live.register.revoke_approval(who, RevokeRequest(approval, "no"))
