"""What a person at a terminal needs of a decision: the state, what stops it and what to do, waivers, what lapses."""

from collections.abc import Iterator, Mapping
from shlex import join
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from catalog.rendering.caption import moment
from catalog.rendering.legible import legible
from policies.formats.document import BLOCKS, Decision
from policies.verdict import ControlResult, Enforcement, GateState, Verdict

_STYLES = {
    GateState.ALLOW: "bold green",
    GateState.DENY: "bold red",
    GateState.PENDING: "bold yellow",
    GateState.INDETERMINATE: "bold magenta",
}
_WORDS = {
    GateState.ALLOW: "may be released",
    GateState.DENY: "may not be released",
    GateState.PENDING: "waits for approval",
    GateState.INDETERMINATE: "cannot be decided",
}


def summary(decision: Decision) -> Iterator[RenderableType]:
    """Whatever others wrote is legible text, never markup."""
    yield _headline(decision)
    blocking = decision.blocking()
    if blocking:
        yield _table(blocking)
    for reason in _beyond(decision, blocking):
        yield Text(legible(reason))
    waivers = list(_waivers(decision))
    if waivers:
        yield Text("\n".join(waivers), style="yellow")
    advising = [each for each in decision.controls if each not in blocking and each.verdict in BLOCKS]
    if advising:
        names = ", ".join(each.control for each in advising)
        yield Text(legible(f"does not hold, and only advises: {names}"), style="dim")
    yield Text("\n".join(_facts(decision)), style="dim")
    if decision.state is GateState.PENDING:
        yield Text(f"to approve: {_approval(decision)}")


def _beyond(decision: Decision, blocking: list[ControlResult]) -> list[str]:
    """The reasons that the table of what blocks does not tell."""
    return [each for each in decision.body.reasons if not any(each.startswith(f"{own.control} ") for own in blocking)]


def _headline(decision: Decision) -> Text:
    preview = " (preview: nothing is recorded)" if decision.body.preview else ""
    said = f"{decision.target} → {decision.body.environment}: {_WORDS[decision.state]}{preview}"
    return Text.assemble((decision.state.value, _STYLES[decision.state]), "  ", legible(said))


def _table(blocking: list[ControlResult]) -> Table:
    table = Table("control", "verdict", "why", "what to do", box=None, pad_edge=False, header_style="dim")
    for control in blocking:
        table.add_row(
            Text(legible(control.control), style="bold", overflow="fold"),
            Text(control.verdict.value, style="yellow" if control.verdict is Verdict.UNKNOWN else "red"),
            Text(legible(_why(control)), overflow="fold"),
            Text(legible(control.remediation), overflow="fold"),
        )
    return table


def _why(control: ControlResult) -> str:
    """The first trouble, and how many more there are; for an unknown also what is not there."""
    troubles = [item for item in control.items if item.verdict in BLOCKS]
    told = list(dict.fromkeys(filter(None, (item.message for item in troubles))))
    missing = dict.fromkeys(each.path for item in troubles for each in item.missing)
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    said = (told[0] + more) if told else control.title
    return said + (f" [missing: {', '.join(missing)}]" if missing else "")


def _waivers(decision: Decision) -> Iterator[str]:
    """Every waiver that counts, with what it covers; and what a baseline accepts."""
    known = {str(each.get("id")): each for each in decision.body.waivers}
    used: dict[str, list[ControlResult]] = {name: [] for name in known}
    for control in decision.controls:
        for waiver in control.waivers:
            used.setdefault(waiver, []).append(control)
    for waiver, controls in used.items():
        said = known.get(waiver, {})
        covered = ", ".join(f"{each.control} ({each.underlying} without it)" for each in controls)
        until = f", until {moment(str(said['expiresAt']))}" if "expiresAt" in said else ""
        glass = ", BREAK-GLASS" if said.get("breakGlass") else ""
        why = f": {said['reason']}" if said.get("reason") else ""
        head = f"waived: {covered} by {waiver}" if controls else f"waived: {_idle(said)} by {waiver}"
        yield legible(f"{head}{until}{glass}{why}")


def _idle(waiver: Mapping[str, Any]) -> str:
    return f"{waiver['control']} (not needed now)" if "control" in waiver else "nothing that fails"


def _facts(decision: Decision) -> Iterator[str]:
    body = decision.body
    if body.preview:
        yield "decision   none, this is a preview"
    else:
        yield legible(f"decision   {decision.id}")
    yield legible(f"decided    {moment(body.evaluated_at)}, for {body.requester}")
    if body.expires_at is not None:
        yield f"lapses     {moment(body.expires_at)}, unless it is deployed by then"
    if body.next_flip_at is not None:
        yield f"changes    {moment(body.next_flip_at)}, by time alone"
    packs = ", ".join(f"{each.name}@{each.version}" for each in body.packs)
    blocking = sum(each.enforcement is Enforcement.BLOCK for each in decision.controls)
    if packs:
        yield legible(f"packs      {packs}: {len(decision.controls)} controls, {blocking} of which block")


def _approval(decision: Decision) -> str:
    target = decision.body.target
    if target is None:
        return "lineward approve"
    named = ["--namespace", target.namespace, "--model", target.name, "--version", target.version or ""]
    return legible(join(["lineward", "approve", *named, "--env", decision.body.environment]))
