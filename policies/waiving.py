"""Waivers and baselines over verdicts: what was said is kept, and that it was let pass is shown.

A waiver turns a fail or an unknown of one control into `waived`, for as long as it lasts: from the instant of its
countersignature until before it expires. It never covers an error, and never a control that is not waivable.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog import instant, rfc3339
from policies.in_force import Baseline
from policies.outcome import BREAK_GLASS_HOURS
from policies.standing import StandingWaiver
from policies.verdict import ControlResult, ItemResult, Verdict, roll_up

BASELINE = "baseline"
_COVERED = frozenset({Verdict.FAIL, Verdict.UNKNOWN})
_HOUR = 3_600 * instant.SECOND


@dataclass(frozen=True, slots=True)
class Waiver:
    """One waiver that nobody revoked. It counts in [`since`, `until`), µs; without a countersignature not at all,
    unless it breaks the glass, and then for at most 24 hours.
    """

    id: str
    pack: str  # NAME
    control: str
    since: int
    until: int
    environment: str | None = None  # None is every one
    items: tuple[str, ...] = ()  # none is the whole control
    closure_digest: str | None = None  # None is any
    countersigned: bool = False
    break_glass: bool = False
    reason: str = ""
    compensating_control: str = ""

    def counts(self, at: int) -> bool:
        return (self.countersigned or self.break_glass) and self.since <= at < self.end

    @property
    def end(self) -> int:
        """When it ceases, µs."""
        alone = self.break_glass and not self.countersigned
        return min(self.until, self.since + BREAK_GLASS_HOURS * _HOUR) if alone else self.until

    def is_about(self, result: ControlResult, environment: str | None, closure: str | None) -> bool:
        return (
            (self.pack, self.control) == (result.pack.rpartition("@")[0], result.control)
            and self.environment in (None, environment)
            and (self.closure_digest is None or self.closure_digest == closure)
        )

    def covers(self, key: str | None) -> bool:
        return not self.items or key in self.items

    def plain(self) -> dict[str, Any]:
        """As a decision keeps it; `parse_waiver` reads it back."""
        told = {
            "id": self.id,
            "pack": self.pack,
            "control": self.control,
            "since": instant.text(self.since),
            "expiresAt": instant.text(self.until),
            "environment": self.environment,
            "items": list(self.items),
            "closureDigest": self.closure_digest,
            "countersigned": self.countersigned,
            "breakGlass": self.break_glass,
            "reason": self.reason or None,
            "compensatingControl": self.compensating_control or None,
        }
        return {name: value for name, value in told.items() if value is not None}


def parse_waiver(document: Mapping[str, Any]) -> Waiver:
    """A waiver out of a decision; whatever else stands there is left alone."""
    return Waiver(
        id=document["id"],
        pack=document["pack"],
        control=document["control"],
        since=rfc3339.parse(document["since"]),
        until=rfc3339.parse(document["expiresAt"]),
        environment=document.get("environment"),
        items=tuple(document.get("items", ())),
        closure_digest=document.get("closureDigest"),
        countersigned=bool(document.get("countersigned")),
        break_glass=bool(document.get("breakGlass")),
        reason=document.get("reason", ""),
        compensating_control=document.get("compensatingControl", ""),
    )


def waiver_of(standing: StandingWaiver) -> Waiver | None:
    """The waiver that an act amounts to; None for a revoked one."""
    if standing.revoked:
        return None
    said = standing.said
    return Waiver(
        id=standing.id,
        pack=said.pack,
        control=said.control,
        since=rfc3339.parse(said.at),
        until=rfc3339.parse(said.expires_at),
        environment=said.environment,
        items=said.items,
        closure_digest=said.closure_digest,
        countersigned=bool(standing.countersigned_by),
        break_glass=said.break_glass,
        reason=said.reason,
        compensating_control=said.compensating_control,
    )


def with_waivers(
    results: Iterable[ControlResult],
    waivers: Sequence[Waiver],
    *,
    at: int,
    environment: str | None = None,
    closure: str | None = None,
) -> list[ControlResult]:
    """The results with the waivers that count at `at` (µs) laid over them."""
    counting = [each for each in waivers if each.counts(at)]
    return [_waived(result, [w for w in counting if w.is_about(result, environment, closure)]) for result in results]


def with_baselines(
    results: Iterable[ControlResult], baselines: Sequence[Baseline], *, target: str, at: int
) -> list[ControlResult]:
    """The results with what was found when a baseline was taken let pass, until that ends.

    Never for a control that is not waivable, and never for one that waits for approvals: people can act today.
    """
    ends: dict[tuple[str, str, str | None], int] = {}
    for baseline in baselines:
        if baseline.since <= at < baseline.until:
            for node, pack, control, key in baseline.findings:
                if node == target:
                    place = (pack.partition("@")[0], control, key)
                    ends[place] = max(ends.get(place, 0), baseline.until)
    return [_accepted(result, ends) for result in results]


def _accepted(result: ControlResult, ends: Mapping[tuple[str, str, str | None], int]) -> ControlResult:
    if result.awaits_approval:
        return result
    name = result.pack.rpartition("@")[0]
    whole = ends.get((name, result.control, None))
    found = [
        Waiver(BASELINE, name, result.control, 0, end, items=(key,), countersigned=True)
        for item in result.items
        for key in {item.key}
        if key is not None and (end := ends.get((name, result.control, key))) is not None
    ]
    if whole is not None:
        found.append(Waiver(BASELINE, name, result.control, 0, whole, countersigned=True))
    accepted = _waived(result, found)
    if accepted is result:
        return result
    until = instant.text(min(each.until for each in found))
    return replace(accepted, note=" ".join(filter(None, (accepted.note, f"Accepted by a baseline until {until}."))))


def _waived(result: ControlResult, waivers: Sequence[Waiver]) -> ControlResult:
    """The result with what the waivers cover; untouched where they cover nothing or may not."""
    if not waivers or not result.waivable or result.verdict not in _COVERED:
        return result
    used: dict[str, Waiver] = {}
    items = []
    for item in result.items:
        waiver = _longest(item, waivers)
        if waiver is not None:
            used[waiver.id] = waiver
            item = replace(item, verdict=Verdict.WAIVED, underlying=item.verdict, waiver=waiver.id)
        items.append(item)
    if not used:
        return result
    ends = [instant.text(each.end) for each in used.values()]
    flips = [*ends, *([result.next_flip_at] if result.next_flip_at else [])]
    return replace(
        result,
        items=tuple(items),
        verdict=roll_up(each.verdict for each in items),
        waivers=(*result.waivers, *used),
        awaits_approval=False,
        next_flip_at=min(flips),
    )


def _longest(item: ItemResult, waivers: Sequence[Waiver]) -> Waiver | None:
    """The waiver of an item that lasts longest."""
    if item.verdict not in _COVERED:
        return None
    covering = [each for each in waivers if each.covers(item.key)]
    return max(covering, key=lambda each: (each.end, each.id), default=None)
