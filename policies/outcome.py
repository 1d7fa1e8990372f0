"""What became of an act: proposed, standing, revoked or past its time, from the acts that answer it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from catalog import rfc3339
from catalog.act import Act
from catalog.reading import Reading

BREAK_GLASS_HOURS = 24
"""How long one person alone may waive a control: until somebody else is awake."""

_MICROSECOND = timedelta(microseconds=1)
_BREAK_GLASS = timedelta(hours=BREAK_GLASS_HOURS) // _MICROSECOND
_REVOKES = {"approve": "revokeApproval", "waive": "revokeWaiver", "attest": "revokeAttestation"}
_ENDS = {"approve": "validUntil", "waive": "expiresAt", "attest": "expiresAt"}


class State(StrEnum):
    PROPOSED = "PROPOSED"  # waits for a second person
    STANDING = "STANDING"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An act with what became of it. It stands from `since` until before `until`, µs; None is open."""

    act: Act
    state: State
    since: int | None
    until: int | None
    countersigned_by: str | None = None
    revoked_by: str | None = None

    @property
    def id(self) -> str:
        return self.act.id


def outcome(act: Act, answers: Iterable[Act], instant: int) -> Outcome:
    """What an approval, waiver or attestation amounts to at an instant (µs), from its answers in log order."""
    later = [each for each in answers if each.seq > act.seq and each.at <= instant]
    seen = [each for each in later if each.body.get("refersTo") == act.id]
    end = _end(act)
    second = next((each for each in seen if _countersigns(each, act)), None)
    revoked = next((each for each in seen if each.verb == _REVOKES[act.verb]), None)
    alone = act.verb != "waive" or bool(act.body.get("breakGlass"))
    since = act.at if alone else second.at if second else None
    if revoked is not None:
        until = revoked.at if end is None else min(revoked.at, end)
        return Outcome(act, State.REVOKED, since, until, _person(second), _person(revoked))
    if end is not None and end <= instant:
        return Outcome(act, State.EXPIRED, since, end, _person(second))
    return Outcome(act, State.PROPOSED if since is None else State.STANDING, since, end, _person(second))


def outcome_of(reading: Reading, act: Act, instant: int) -> Outcome:
    return outcome(act, reading.acts(act.kind, act.id), instant)


def _end(act: Act) -> int | None:
    told = act.body.get(_ENDS[act.verb])
    end = None if told is None else rfc3339.parse(told)
    if end is not None and act.body.get("breakGlass"):
        return min(end, act.at + _BREAK_GLASS)
    return end


def _countersigns(answer: Act, waiver: Act) -> bool:
    return answer.verb == "countersignWaiver" and _person(answer) not in (None, _person(waiver))


def _person(act: Act | None) -> str | None:
    return None if act is None else act.body["by"].get("person")
