"""A decision for people at a terminal: what it says, what stops it and what to do, in plain lines."""

from collections.abc import Iterator

from catalog.rendering.legible import legible
from policies.formats.document import BLOCKS, Decision
from policies.verdict import ControlResult, Verdict

_WIDTH = len(Verdict.NOT_APPLICABLE)


def terminal(decision: Decision) -> str:
    """One line for each control, with its troubles below it. Ends without a line break."""
    return "\n".join(legible(line) for line in _lines(decision))


def _lines(decision: Decision) -> Iterator[str]:
    body = decision.body
    preview = " (preview)" if body.preview else ""
    yield f"{decision.state}  {decision.target} for {body.environment}{preview}"
    for reason in body.reasons:
        yield f"  {reason}"
    yield f"decision    {decision.id}"
    yield f"evaluated   {body.evaluated_at}" + (f", lapses {body.expires_at}" if body.expires_at else "")
    yield f"requested   by {body.requester}"
    yield f"evidence    {body.evidence_digest or 'none'}"
    yield f"log         {body.snapshot.log_size} entries, root {body.snapshot.root}"
    for waiver in body.waivers:
        yield f"waiver      {waiver.get('id')} until {waiver.get('expiresAt', '?')}: {waiver.get('reason', '')}"
    for pack in body.packs:
        yield f"{pack.name}@{pack.version}  {pack.digest}"
        for control in decision.controls:
            if control.pack == f"{pack.name}@{pack.version}":
                yield from _control(control)


def _control(control: ControlResult) -> Iterator[str]:
    enforcement = "" if control.verdict is Verdict.NOT_APPLICABLE else f" [{control.enforcement}]"
    note = f" ({control.note})" if control.note else ""
    yield f"  {control.verdict:<{_WIDTH}}  {control.control}  {control.title}{enforcement}{note}"
    indent = " " * (_WIDTH + 4)
    wrong = [item for item in control.items if item.verdict in BLOCKS]
    for item in wrong:
        yield f"{indent}{item.key + ': ' if item.key is not None else ''}{item.message or item.verdict}"
        for missing in item.missing:
            yield f"{indent}missing {missing.path}: {missing.reason}"
    if control.verdict in BLOCKS and control.remediation:
        yield f"{indent}→ {control.remediation}"
