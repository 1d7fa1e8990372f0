"""Whether a control is in force on a day, and why it only advises where it is not.

Days are those of the decision time in UTC, and every stretch of days is half-open. What the law says comes from the
pack's data: four of the thirteen regimes of 2026 moved within one year.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from catalog import instant
from policies.pack import Certainty, Control, Days, PolicyPack, Status, TimelineEntry


def day_of(micros: int) -> date:
    """The UTC day of an instant (µs)."""
    return (instant.EPOCH + timedelta(microseconds=micros)).date()


def start_of(day: date) -> int:
    """The first instant of a UTC day, µs."""
    return instant.of(datetime(day.year, day.month, day.day, tzinfo=UTC))


def not_in_force(pack: PolicyPack, control: Control, subject: Mapping[str, Any], day: date) -> str:
    """Why the control only advises on that day, apart from the pack being a draft; empty where it is in force."""
    reasons = (
        "the pack is retired" if pack.metadata.status is Status.RETIRED else "",
        _uncertain(pack, control, day),
        _outside(control.effective, day, "in effect"),
        _not_yet(entries_for(pack, control, subject), day),
    )
    return next(filter(None, reasons), "")


def turning_days(pack: PolicyPack, control: Control) -> list[date]:
    """The days on which the answer may change, in order."""
    spans = (control.effective, pack.source.in_force)
    found = {day for span in spans for day in (span.from_, span.to) if day}
    found |= {day for entry in pack.timeline for day in (entry.applies_from, entry.applies_until) if day}
    return sorted(found)


def entries_for(pack: PolicyPack, control: Control, subject: Mapping[str, Any]) -> list[TimelineEntry]:
    """The entries that bind the control for this subject; those that name it, where any does."""
    naming = [entry for entry in pack.timeline if control.id in entry.controls]
    ours = naming or [entry for entry in pack.timeline if not entry.controls]
    return [entry for entry in ours if all(subject.get(field) == value for field, value in entry.when.items())]


def _not_yet(entries: Sequence[TimelineEntry], day: date) -> str:
    if not entries or any(
        _covers(Days.model_construct(from_=e.applies_from, to=e.applies_until), day) for e in entries
    ):
        return ""
    coming = [entry.applies_from for entry in entries if entry.applies_from > day]
    return f"it applies from {min(coming)}" if coming else "it no longer applies"


def _uncertain(pack: PolicyPack, control: Control, day: date) -> str:
    own = control.citation.certainty
    certainty, span = (own, control.effective) if own else (pack.source.certainty, pack.source.in_force)
    match certainty:
        case Certainty.PROPOSED:
            return "it is proposed and not law"
        case Certainty.ADOPTED if span.from_ is None:
            return "it is adopted and not in force"
        case Certainty.REPEALED if span.to is None:
            return "it is repealed"
        case _:
            return _outside(span, day, "in force")


def _outside(span: Days, day: date, what: str) -> str:
    if _covers(span, day):
        return ""
    return (
        f"it is not {what} before {span.from_}"
        if span.from_ and day < span.from_
        else f"it is not {what} since {span.to}"
    )


def _covers(span: Days, day: date) -> bool:
    return (span.from_ is None or span.from_ <= day) and (span.to is None or day < span.to)


def instants(days: Sequence[date]) -> Iterator[int]:
    return (start_of(day) for day in days)
