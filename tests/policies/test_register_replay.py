"""Any acts in any order, checked by nobody: what they come to is what a plain replay of the log says."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from catalog.identity import NodeKind
from catalog.model import Node
from policies import acts
from policies.acts import Approve, CountersignWaiver, RevokeApproval, RevokeWaiver, Waive
from policies.outcome import BREAK_GLASS_HOURS, State, outcome_of
from policies.standing import standing_approvals, standing_waivers
from policies.waiving import waiver_of
from tests.policies.office import ANN, BOB, CARL, HOUR, PIPELINE, Office, version

PEOPLE = (ANN, BOB, CARL, PIPELINE)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["approve", "revokeApproval", "waive", "countersignWaiver", "revokeWaiver"]),
        st.integers(0, 3),  # who
        st.integers(0, 4),  # which earlier act it answers
        st.integers(0, 3),  # hours until it ends, 0 for an approval without an end
        st.booleans(),  # whether it breaks the glass
    ),
    max_size=16,
)


@dataclass(slots=True)
class Replayed:
    """One approval or waiver, as the steps so far have left it."""

    by: str | None
    at: int
    end: int | None
    alone: bool
    countersigned: int | None = None
    revoked: bool = False

    def state(self, now: int) -> State:
        if self.revoked:
            return State.REVOKED
        if self.end is not None and self.end <= now:
            return State.EXPIRED
        return State.STANDING if self.alone or self.countersigned is not None else State.PROPOSED


class Told:
    """The acts in the log, and beside them the replay."""

    def __init__(self) -> None:
        self.office = Office()
        with self.office.access.reading() as reading:
            self.node: Node = next(node for node in [reading.find(version())] if node is not None)
        self.made: dict[str, dict[str, Replayed]] = {"approve": {}, "waive": {}}

    def step(self, verb: str, who: int, which: int, hours: int, broken: bool) -> None:
        self.office.wait(HOUR // 3)
        if verb == "approve":
            self._approve(who, hours)
        elif verb == "waive":
            self._waive(who, hours + 1, broken)
        else:
            self._answer(verb, who, which)

    def _log(self, kind: type[Any], who: int, **said: Any) -> str:
        body = acts.make(kind, PEOPLE[who], self.office.now, target=acts.target_of(self.node), **said)
        return self.office.write(body).id

    def _approve(self, who: int, hours: int) -> None:
        end = self.office.now + hours * HOUR if hours else None
        until = self.office.later(hours * HOUR) if hours else None
        id_ = self._log(Approve, who, environment="production", closure_digest="sha256:00", valid_until=until)
        self.made["approve"][id_] = Replayed(PEOPLE[who].person, self.office.now, end, True)

    def _waive(self, who: int, hours: int, broken: bool) -> None:
        hours = hours * 20 if broken else hours  # some of them longer than one person alone may
        said = {"pack": "base", "control": "owned", "reason": "gone", "compensating_control": "by hand"}
        said |= {"severity": "high", "closure_digest": "sha256:00", "expires_at": self.office.later(hours * HOUR)}
        id_ = self._log(Waive, who, break_glass=broken, **said)
        most = min(hours, BREAK_GLASS_HOURS) if broken else hours
        end = self.office.now + most * HOUR
        self.made["waive"][id_] = Replayed(PEOPLE[who].person, self.office.now, end, broken)

    def _answer(self, verb: str, who: int, which: int) -> None:
        known = self.made["approve" if verb == "revokeApproval" else "waive"]
        if which >= len(known):
            return
        id_, about = list(known.items())[which]
        if verb == "countersignWaiver":
            self._log(CountersignWaiver, who, refers_to=id_)
            person = PEOPLE[who].person
            if about.countersigned is None and person not in (None, about.by):
                about.countersigned = self.office.now
            return
        self._log(RevokeApproval if verb == "revokeApproval" else RevokeWaiver, who, refers_to=id_, reason="no")
        about.revoked = True


@given(STEPS)
def test_acts_come_to_what_a_replay_of_the_log_says(steps: list[tuple[str, int, int, int, bool]]) -> None:
    told = Told()
    for step in steps:
        told.step(*step)
    now = told.office.now
    with told.office.access.reading() as reading:
        for kind, verb in ((NodeKind.APPROVAL, "approve"), (NodeKind.WAIVER, "waive")):
            found = {act.id: outcome_of(reading, act, now) for act in reading.acts(kind) if act.verb == verb}
            assert {id_: each.state for id_, each in found.items()} == {
                id_: each.state(now) for id_, each in told.made[verb].items()
            }
        approvals = [each.id for each in standing_approvals(reading, told.node.id) if each.said.by.person]
        assert approvals == [id_ for id_, each in told.made["approve"].items() if each.by and not each.revoked]
        for each in standing_waivers(reading, told.node.id):
            replayed, applied = told.made["waive"][each.id], waiver_of(each)
            counts = applied is not None and applied.counts(now)
            assert counts is (replayed.state(now) is State.STANDING)
