"""A decision as a comment on a pull request: short, what blocks first, waivers always, the rest folded away.

Texts come from anybody who may send an event or write a pack. They are shown as text: they can neither become markup,
nor mention people, nor link, nor close or command anything on the page that shows them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.rendering.legible import legible
from policies.formats.document import BLOCKS, Decision
from policies.verdict import ControlResult, GateState, ItemResult, Verdict

MOST = 60_000  # characters; GitHub takes 65,536
_ITEMS = 10  # of one control
_ROWS = 20  # of controls that block
_LONGEST = 600  # characters of one text

_HEADLINES = {
    GateState.ALLOW: "✅ Release allowed",
    GateState.DENY: "⛔ Release denied",
    GateState.PENDING: "⏳ Waiting for approval",
    GateState.INDETERMINATE: "❓ Not decidable",
}
_MARKS = {
    Verdict.ERROR: "❓",
    Verdict.FAIL: "❌",
    Verdict.UNKNOWN: "❔",
    Verdict.WAIVED: "🟡",
    Verdict.PASS: "✅",
    Verdict.NOT_APPLICABLE: "➖",
}
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$%^=:>])")
_TRIGGER = re.compile(r"([@#!%~&$:]|www)")
_WORD = re.compile(r"[A-Za-z0-9:._\-]+")
_SPLIT = "&#8203;"  # zero width: what a mention, a reference or an address would be made of comes apart


def markdown(decision: Decision) -> str:
    """GitHub-flavoured Markdown, at most `MOST` characters: what no longer fits is counted instead."""
    parts = [*_head(decision), *_blocking(decision), *_waivers(decision)]
    told = "\n".join(parts)
    for section in _details(decision):
        if len(told) + len(section) > MOST:
            told += "\n_More is in the decision: `lineward decision show`._\n"
            break
        told += "\n" + section
    return told


def text(said: str) -> str:
    """A text of others as text, on one line and safe in a table."""
    return "".join(_MARKUP.sub(r"\\\1", part) if not _is_trigger(part) else part for part in _parts(said))


def within_html(said: str) -> str:
    """The same between tags, where Markdown's escapes would show."""
    return "".join(_parts(said))


def _parts(said: str) -> Iterator[str]:
    """The line in entities, cut behind each sign that would make a mention, a reference or an address."""
    line = legible(" ".join(said.split()))
    if len(line) > _LONGEST:
        line = line[: _LONGEST - 1] + "…"
    for part in re.split(_TRIGGER, line):
        yield f"{_entity(part)}{_SPLIT}" if _TRIGGER.fullmatch(part) else _entity(part)


def _is_trigger(part: str) -> bool:
    return part.endswith(_SPLIT)


def code(said: str) -> str:
    """An id or a digest, to be copied; anything else as `text`."""
    return f"`{said}`" if _WORD.fullmatch(said) else text(said)


def _entity(part: str) -> str:
    return part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _head(decision: Decision) -> Iterator[str]:
    body = decision.body
    preview = " (preview, nothing is recorded)" if body.preview else ""
    yield f"### {_HEADLINES[decision.state]}: {text(decision.target)} → {text(body.environment)}{preview}\n"
    for reason in body.reasons:
        yield f"- {text(reason)}"
    yield ""


def _blocking(decision: Decision) -> Iterator[str]:
    found = decision.blocking()
    if not found:
        return
    yield "| | Control | What is wrong | What to do |\n|---|---|---|---|"
    for control in found[:_ROWS]:
        named = f"{text(control.control)}: {text(control.title)}"
        yield f"| {_MARKS[control.verdict]} | {named} | {text(_what(control))} | {_todo(control)} |"
    if len(found) > _ROWS:
        yield f"\nand {len(found) - _ROWS} more"
    yield ""


def _what(control: ControlResult) -> str:
    """The first thing that is wrong, and how many more."""
    troubles = [item for item in control.items if item.verdict in BLOCKS]
    if not troubles:
        return control.note or control.verdict
    first = _trouble(troubles[0])
    return first if len(troubles) == 1 else f"{first} (and {len(troubles) - 1} more)"


def _trouble(item: ItemResult) -> str:
    missing = ", ".join(f"{each.path} ({each.reason})" for each in item.missing)
    return item.message or (f"missing: {missing}" if missing else item.verdict)


def _todo(control: ControlResult) -> str:
    return text("Approve it." if control.awaits_approval and not control.remediation else control.remediation)


def _waivers(decision: Decision) -> Iterator[str]:
    """Each waiver that counted, and what the verdict would be without it."""
    waived = [each for each in decision.controls if each.waivers]
    reasons = {str(waiver.get("id")): waiver for waiver in decision.body.waivers}
    used = {waiver for control in waived for waiver in control.waivers}
    yield from (_idle(said) for waiver, said in reasons.items() if waiver not in used)
    if not waived:
        return
    yield f"**{len(waived)} waived:**\n"
    for control in waived:
        for waiver in control.waivers:
            said = reasons.get(waiver, {})
            until = f", until {text(str(said['expiresAt']))}" if "expiresAt" in said else ""
            reason = str(said.get("reason") or control.note)
            why = f": {text(reason)}" if reason else ""
            glass = " **break-glass**" if said.get("breakGlass") else ""
            yield f"- 🟡 {text(control.control)} ({control.underlying} without it{until}){glass}{why}"
    yield ""


def _idle(waiver: Mapping[str, Any]) -> str:
    """One that stands and covers nothing, since its control is not in trouble now."""
    glass = " **break-glass**" if waiver.get("breakGlass") else ""
    until = f", until {text(str(waiver['expiresAt']))}" if "expiresAt" in waiver else ""
    return f"- ⚪ waiver of {text(str(waiver.get('control', 'a control')))} (not needed now{until}){glass}\n"


def _details(decision: Decision) -> Iterator[str]:
    for pack in dict.fromkeys(control.pack for control in decision.controls):
        ours = [control for control in decision.controls if control.pack == pack]
        counted = ", ".join(_counts(ours))
        lines = "\n".join(line for control in ours for line in _control(control))
        yield f"<details><summary>{within_html(pack)}: {counted}</summary>\n\n{lines}\n\n</details>\n"
    yield _frozen(decision)


def _counts(controls: Iterable[ControlResult]) -> Iterator[str]:
    verdicts = [control.verdict for control in controls]
    for verdict in Verdict:
        if count := verdicts.count(verdict):
            yield f"{count} {verdict.replace('_', ' ')}"


def _control(control: ControlResult) -> Iterator[str]:
    note = f" ({text(control.note)})" if control.note else ""
    yield (
        f"- {_MARKS[control.verdict]} {text(control.control)}: {text(control.plain or control.title)} "
        f"· {text(control.citation)} · {control.severity}, {control.enforcement}{note}"
    )
    wrong = [item for item in control.items if item.verdict in BLOCKS]
    for item in wrong[:_ITEMS]:
        key = f"{text(item.key)}: " if item.key is not None else ""
        yield f"  - {_MARKS[item.verdict]} {key}{text(_trouble(item))}"
    if len(wrong) > _ITEMS:
        yield f"  - and {len(wrong) - _ITEMS} more"


def _frozen(decision: Decision) -> str:
    body = decision.body
    rows = {
        "decision": code(decision.id),
        "evaluated at": code(body.evaluated_at),
        "evidence": code(body.evidence_digest or "none"),
        "log": f"{code(body.snapshot.origin)} at {body.snapshot.log_size} entries",
        "lapses": code(body.expires_at or "never"),
    }
    lines = "\n".join(f"- {name}: {value}" for name, value in rows.items())
    return f"<details><summary>What it was computed from</summary>\n\n{lines}\n\n</details>\n"
