"""Clocks that jump, and the instants at which approvals and waivers begin and end."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.composition import log_clock
from catalog.errors import InvalidInputError
from catalog.instant import text
from catalog.log import audit
from catalog.log.entry import EntryType, Submission
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.log.writer import LogWriter, microseconds_now
from policies.verdict import GateState
from tests.policies.office import ANN, BOB, DAY, HOUR, PIPELINE, binding, control, pack, version
from tests.policies.test_gate import Desk, four_eyes, owned_only

NOW = 1_764_000_000_000_000
IN_TIME = control(  # as the packs that come with the program ask for approvals
    "inTime",
    requires=[{"expression": "environment != ''", "missing": "no environment is named"}],
    checks=[
        {
            "id": "people",
            "expression": "approvals.filter(a, a.current && (!has(a.validUntil) || "
            "evaluatedAt < timestamp(a.validUntil))).size() >= 2",
            "message": "too few people approved",
        }
    ],
)


@settings(max_examples=25)
@given(jumps=st.lists(st.sampled_from([-DAY, -HOUR, -1, 0, 1, HOUR, DAY]), min_size=1, max_size=12))
def test_times_in_the_log_never_fall_whatever_the_clock_does(
    tmp_path_factory: pytest.TempPathFactory, jumps: list[int]
) -> None:
    """F16: daylight saving, corrections, sleep: the order of entries is that of their times."""
    folder = tmp_path_factory.mktemp("log")
    hands = NOW
    with LogStore.open(folder) as store, LogWriter(store, clock=lambda: hands) as writer:
        for number, jump in enumerate(jumps):
            hands += jump
            writer.submit(Submission(EntryType.OPENLINEAGE, "ann", b"%d" % number, b"{}")).result()
    with LogReader.open(folder) as log:
        audit.check(log)
        times = [entry.recorded for entry in log.entries(0, len(jumps))]
    assert times == sorted(times)
    assert times[0] == NOW + jumps[0]


def test_the_clock_of_decisions_is_never_behind_the_log(tmp_path: Path) -> None:
    """F16: also after a restart with a clock that was put back."""
    ahead = microseconds_now() + HOUR
    with LogStore.open(tmp_path) as store, LogReader.open(tmp_path) as log:
        before = microseconds_now()
        assert before <= log_clock(log)() <= microseconds_now()
        store.append([Submission(EntryType.OPENLINEAGE, "ann", b"1", b"{}")], ahead)
        assert log_clock(log)() == ahead


def test_a_waiver_that_expired_does_not_come_back_with_the_clock() -> None:
    """F16, F17: the time of a decision is no earlier than that of any act before it."""
    desk = waived()
    desk.office.wait(DAY)
    assert desk.decide().state is GateState.DENY
    desk.office.wait(-2 * HOUR)
    again = desk.decide()
    assert again.state is GateState.DENY
    assert again.body.evaluated_at == text(desk.office.now + 2 * HOUR)


def waived() -> Desk:
    """A version that a waiver lets pass, for a day from now."""
    desk = owned_only()
    for who in (ANN, BOB):
        desk.office.waive(who, "owned", expires_at=desk.office.later(DAY))
    return desk


def approved() -> Desk:
    """A version that two people let pass, for a day from now."""
    desk = Desk(pack(controls=[IN_TIME]), binding())
    for who in (ANN, BOB):
        desk.office.approve(who, valid_until=desk.office.later(DAY))
    return desk


@pytest.mark.parametrize("desk", [waived, approved], ids=["waiver", "approval"])
@pytest.mark.parametrize(("beside", "holds"), [(-1, True), (0, False), (1, False)])
def test_an_interval_holds_until_the_last_microsecond_before_its_end(
    desk: Callable[[], Desk], beside: int, holds: bool
) -> None:
    """F17: [from, until), and the same answer when the evaluation is repeated as of that instant."""
    made = desk()
    made.office.wait(DAY + beside)
    at = made.office.now
    ruling = made.decide()
    assert (ruling.state is GateState.ALLOW) is holds
    made.office.wait(DAY)
    later = made.gate.evaluate(PIPELINE, version(), environment="production", evaluated_at=at)
    assert later.report.state is ruling.state


@pytest.mark.parametrize("expires", ["2026-03-02T12:00:00", "2026-03-02", "tomorrow", ""])
def test_a_time_without_a_zone_is_no_end(expires: str) -> None:
    """F17: nobody guesses which noon was meant."""
    with pytest.raises(InvalidInputError):
        owned_only().office.waive(ANN, "owned", expires_at=expires)


def test_an_interval_of_no_length_is_refused() -> None:
    """F17: what ends when it begins never holds."""
    desk = owned_only()
    with pytest.raises(InvalidInputError, match="future"):
        desk.office.waive(ANN, "owned", expires_at=desk.office.later(0))


def test_what_was_revoked_in_the_instant_of_its_beginning_does_not_hold() -> None:
    """F17: of acts at one microsecond the order of the log decides."""
    desk = four_eyes()
    approval, _ = (desk.office.approve(who).outcome.id for who in (ANN, BOB))
    desk.office.register.revoke_approval(BOB, desk.office.revoke(approval))
    bodies = [orjson.loads(entry.body or b"") for entry in desk.office.entries if entry.type is EntryType.APPROVAL]
    assert len({body["at"] for body in bodies}) == 1
    assert desk.decide().state is GateState.PENDING
