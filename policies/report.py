"""Many verdicts as one answer: what the gate says, and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from catalog import instant
from policies.in_force import Baseline
from policies.pack import PolicyPack
from policies.verdict import ControlResult, Enforcement, GateState, Report, Verdict, Witness, roll_up
from policies.waiving import Waiver, with_baselines, with_waivers

_BAD = (Verdict.FAIL, Verdict.UNKNOWN)
_MOST_REASONS = 50


def report(
    evaluated: Sequence[tuple[PolicyPack, Sequence[ControlResult]]],
    *,
    target: str,
    evidence_digest: str,
    evaluated_at: int,
    environment: str | None = None,
    closure_digest: str | None = None,
    waivers: Sequence[Waiver] = (),
    baselines: Sequence[Baseline] = (),
    witnesses: Mapping[str, Witness] | None = None,
) -> Report:
    """The whole answer on one target (a node id) at one instant (µs), from what each pack said of it.

    `closure_digest` is the target's, for waivers are given to what it was; `witnesses` by the key of an item.
    """
    controls = [result for _, results in evaluated for result in results]
    controls = with_baselines(controls, baselines, target=target, at=evaluated_at)
    controls = with_waivers(controls, waivers, at=evaluated_at, environment=environment, closure=closure_digest)
    controls = [_witnessed(each, witnesses or {}) for each in controls]
    state = gate_state(controls)
    return Report(
        target=target,
        verdict=roll_up(each.verdict for each in controls),
        state=state,
        reasons=reasons(controls, state),
        controls=tuple(controls),
        packs=tuple((pack.label, pack.digest) for pack, _ in evaluated),
        evidence_digest=evidence_digest,
        evaluated_at=instant.text(evaluated_at),
        environment=environment,
        next_flip_at=min((each.next_flip_at for each in controls if each.next_flip_at), default=None),
        waivers=tuple(dict.fromkeys(waiver for each in controls for waiver in each.waivers)),
    )


def gate_state(controls: Sequence[ControlResult]) -> GateState:
    """What the gate answers. Only blocking controls stop a release; without any applicable one nothing is decided."""
    blocking = [each for each in controls if each.enforcement is Enforcement.BLOCK]
    if any(each.verdict is Verdict.ERROR for each in blocking):
        return GateState.INDETERMINATE
    if all(each.verdict is Verdict.NOT_APPLICABLE for each in controls):
        return GateState.INDETERMINATE
    bad = [each for each in blocking if each.verdict in _BAD]
    if not bad:
        return GateState.ALLOW
    return GateState.PENDING if all(each.awaits_approval for each in bad) else GateState.DENY


def reasons(controls: Sequence[ControlResult], state: GateState) -> tuple[str, ...]:
    """Why, a sentence a control that stops the release; for an allow, what stands behind it."""
    blocking = [each for each in controls if each.enforcement is Enforcement.BLOCK]
    if state is GateState.ALLOW:
        return _of_an_allow(controls)
    if all(each.verdict is Verdict.NOT_APPLICABLE for each in controls):
        return ("No control applies, so nothing can be said.",)
    stopping = [each for each in blocking if each.verdict in (*_BAD, Verdict.ERROR)]
    if state is GateState.INDETERMINATE:
        stopping.sort(key=lambda each: each.verdict is not Verdict.ERROR)
    told = [_sentence(each) for each in stopping[:_MOST_REASONS]]
    rest = len(stopping) - len(told)
    return (*told, *([f"{rest} more controls stop the release."] if rest else ()))


def _of_an_allow(controls: Iterable[ControlResult]) -> tuple[str, ...]:
    listed = list(controls)
    counts = [
        (sum(each.verdict is Verdict.PASS for each in listed), "hold", "holds"),
        (sum(each.verdict is Verdict.WAIVED for each in listed), "are waived", "is waived"),
        (sum(each.verdict in (*_BAD, Verdict.ERROR) for each in listed), "only advise", "only advises"),
    ]
    told = [f"{count} {one if count == 1 else many}" for count, many, one in counts if count]
    return (f"No control stops it: {', '.join(told)}.",)


def _sentence(control: ControlResult) -> str:
    stopping = [each for each in control.items if each.verdict is control.verdict]
    messages = list(dict.fromkeys(each.message for each in stopping if each.message))
    more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
    said = messages[0].rstrip(".") if messages else control.title
    return f"{control.control} {_WORDS[control.verdict]}: {said}{more}."


_WORDS = {Verdict.ERROR: "cannot be evaluated", Verdict.FAIL: "fails", Verdict.UNKNOWN: "is not known"}


def _witnessed(control: ControlResult, witnesses: Mapping[str, Witness]) -> ControlResult:
    """Each item that does not hold with the way through the graph that proves it; known by its key."""
    if not witnesses:
        return control
    items = tuple(
        replace(item, witness=witnesses.get(item.key or "", item.witness)) if item.verdict is not Verdict.PASS else item
        for item in control.items
    )
    return replace(control, items=items)
