"""What is about to end: allows that wait to be deployed, approvals and waivers whose time runs out."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from catalog.identity import NodeKind
from catalog.instant import SECOND
from catalog.model import Node
from catalog.reading import Reading
from policies.lapse import unused_allows
from policies.outcome import State, outcome_of

DAYS = 14
"""How far one looks ahead unless told, days."""

DAY = 86_400 * SECOND


class EndingKind(StrEnum):
    ALLOW = "ALLOW"  # not deployed yet
    APPROVAL = "APPROVAL"
    WAIVER = "WAIVER"


@dataclass(frozen=True, slots=True)
class Ending:
    """`act` ends at `until`, µs; `node` is the version that it is about, `what` its environment or control."""

    kind: EndingKind
    act: str
    node: str
    what: str
    by: str
    until: int


def ending(reading: Reading, now: int, days: int = DAYS) -> list[Ending]:
    """Everything that stands now (µs) and ends within so many days, the next first."""
    found = [*_allows(reading, now), *_acts(reading, now, NodeKind.APPROVAL), *_acts(reading, now, NodeKind.WAIVER)]
    return sorted(
        (each for each in found if now < each.until <= now + days * DAY), key=lambda each: (each.until, each.act)
    )


def unapproved(reading: Reading, now: int) -> list[Node]:
    """Models of which no version has an approval that stands now (µs), by namespace and name."""
    standing = [
        act.body["target"]["node"]
        for act in reading.acts(NodeKind.APPROVAL)
        if act.verb == "approve" and outcome_of(reading, act, now).state is State.STANDING
    ]
    approved = {node.parent for node in reading.describe(standing).values()}
    return [model for model in reading.models() if model.id not in approved]


def _allows(reading: Reading, now: int) -> Iterator[Ending]:
    for allow, lapses in unused_allows(reading):
        if allow.at <= now:
            by = str(allow.body.get("requester", ""))
            yield Ending(
                EndingKind.ALLOW, allow.id, allow.body["target"]["node"], allow.body["environment"], by, lapses
            )


def _acts(reading: Reading, now: int, kind: NodeKind) -> Iterator[Ending]:
    verb, named = ("approve", EndingKind.APPROVAL) if kind is NodeKind.APPROVAL else ("waive", EndingKind.WAIVER)
    for act in reading.acts(kind):
        held = outcome_of(reading, act, now) if act.verb == verb else None
        if held is None or held.state is not State.STANDING or held.until is None:
            continue
        body = act.body
        about = body["environment"] if verb == "approve" else f"{body['pack']}/{body['control']}"
        by = str(body["by"].get("person") or body["by"]["principal"])
        yield Ending(named, act.id, body["target"]["node"], about, by, held.until)
