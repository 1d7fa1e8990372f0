"""Whether the frozen evidence, judged again by the frozen packs, gives the verdicts that a decision recorded."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from catalog.errors import InvalidInputError
from policies.attestation.verification import Outcome, own_digests
from policies.formats.document import Decision
from policies.verdict import ControlResult, ItemResult, Report

Evaluate = Callable[[Decision], Report]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was recorded otherwise than it comes out now. `what` names it, as in `base@1.0.0 B-03 verdict`."""

    what: str
    recorded: str
    replayed: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What came out: how many controls were evaluated, and every difference."""

    controls: int
    differences: tuple[Difference, ...]


def replay(decision: Decision, evaluate: Evaluate) -> Replay:
    """Evaluate again and compare every control and the state. A digest that does not hold is a difference too.

    Raises InvalidInputError for a decision that froze nothing: one that could not be decided.
    """
    if decision.body.evidence is None:
        reasons = "; ".join(decision.body.reasons)
        raise InvalidInputError(
            f"This decision froze no evidence, as it could not be decided: {reasons}.", "There is nothing to replay."
        )
    altered = tuple(_altered(decision))
    report = evaluate(decision)
    return Replay(len(report.controls), (*altered, *_differences(decision, report)))


def _altered(decision: Decision) -> Iterator[Difference]:
    for check in own_digests(decision):
        if check.outcome is not Outcome.OK:
            yield Difference(f"{check.name} digest", "as it was frozen", check.message)


def _differences(decision: Decision, report: Report) -> Iterator[Difference]:
    recorded, replayed = _named_apart(decision.controls), _named_apart(report.controls)
    for name in dict.fromkeys((*recorded, *replayed)):
        yield from _control(name, recorded.get(name), replayed.get(name))
    yield from _unless_equal("verdict of the whole", decision.body.verdict, report.verdict)
    if decision.body.rollback is None:  # else allowed for the sake of an earlier allow, whatever the controls say
        yield from _unless_equal("state", decision.state, report.state)


def _named_apart(controls: Iterable[ControlResult]) -> dict[str, ControlResult]:
    """By name; a pack that was evaluated twice, with different params, has each control twice."""
    found: dict[str, ControlResult] = {}
    for control in controls:
        name = f"{control.pack} {control.control}"
        while name in found:
            name += " again"
        found[name] = control
    return found


def _control(name: str, recorded: ControlResult | None, replayed: ControlResult | None) -> Iterator[Difference]:
    if recorded is None or replayed is None:
        yield Difference(name, "present" if recorded else "absent", "present" if replayed else "absent")
        return
    for part in ("verdict", "underlying", "enforcement", "awaits_approval", "waivers"):
        yield from _unless_equal(f"{name} {part}", getattr(recorded, part), getattr(replayed, part))
    before, after = _items(recorded), _items(replayed)
    for key in dict.fromkeys((*before, *after)):
        yield from _unless_equal(f"{name} {key}", before.get(key, "absent"), after.get(key, "absent"))


def _items(control: ControlResult) -> dict[str, str]:
    """Verdicts by what they are about."""
    return {_named(item): item.verdict for item in control.items}


def _named(item: ItemResult) -> str:
    return item.check if item.key is None else f"{item.check} of {item.key}"


def _unless_equal(what: str, recorded: object, replayed: object) -> Iterator[Difference]:
    if recorded != replayed:
        yield Difference(what, _shown(recorded), _shown(replayed))


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)
