"""A decision as a JUnit report: a suite for each pack, a case for each control.

There is no standard; this keeps to the schema of Jenkins (`junit-10.xsd`), which others take as well. Only what stops
the release is a failure or an error, so that a report is red exactly where the gate is shut.
"""

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from catalog.rendering.legible import legible
from policies.formats.document import BLOCKS, Decision
from policies.verdict import ControlResult, Enforcement, Verdict

GATE = "release gate"


def junit(decision: Decision) -> str:
    """The report. Control characters, which XML cannot hold, are written as escapes."""
    root = Element("testsuites", name="lineward")
    if decision.state.name != "ALLOW" and not decision.blocking():
        _whole(root, decision)
    for pack in dict.fromkeys(control.pack for control in decision.controls):
        _suite(root, decision, pack, [each for each in decision.controls if each.pack == pack])
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _whole(root: Element, decision: Decision) -> None:
    """No control says why, such as where none applies: the gate itself is the case."""
    suite = SubElement(root, "testsuite", name=GATE, tests="1", failures="0", errors="1", skipped="0", time="0")
    suite.set("timestamp", _timestamp(decision))
    case = SubElement(suite, "testcase", classname=GATE, name=legible(decision.target), time="0")
    reasons = legible("; ".join(decision.body.reasons) or decision.state)
    SubElement(case, "error", message=reasons, type=decision.state).text = reasons


def _suite(root: Element, decision: Decision, pack: str, controls: Sequence[ControlResult]) -> None:
    suite = SubElement(root, "testsuite", name=legible(pack), tests=str(len(controls)), time="0")
    suite.set("timestamp", _timestamp(decision))
    _properties(suite, {**_origin(decision), **_waived(controls)})
    for control in controls:
        _case(suite, control, stops=control in decision.blocking())
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))


def _timestamp(decision: Decision) -> str:
    """ISO 8601 without a zone, as consumers have it; UTC."""
    return decision.body.evaluated_at[:19]


def _origin(decision: Decision) -> dict[str, str]:
    return {
        "decision": decision.id,
        "state": decision.state,
        "environment": decision.body.environment,
        "target": decision.target,
    }


def _properties(parent: Element, values: dict[str, str]) -> None:
    listed = SubElement(parent, "properties")
    for name, value in values.items():
        SubElement(listed, "property", name=legible(name), value=legible(value))


def _case(suite: Element, control: ControlResult, *, stops: bool) -> None:
    name = legible(f"{control.control} {control.title}")
    case = SubElement(suite, "testcase", classname=legible(control.pack), name=name, time="0")
    if control.verdict is Verdict.NOT_APPLICABLE:
        SubElement(case, "skipped", message=legible(control.note or "does not apply"))
    elif control.verdict in BLOCKS:
        _trouble(case, control, stops=stops)
    SubElement(case, "system-out").text = "\n".join(legible(f"{name}: {value}") for name, value in _said(control))


def _waived(controls: Sequence[ControlResult]) -> dict[str, str]:
    """Waived controls pass; the suite says which they are and by what, as cases may not have properties."""
    return {
        f"waived {control.control}": f"{', '.join(control.waivers)}; {control.underlying} without it"
        for control in controls
        if control.waivers
    }


def _said(control: ControlResult) -> Iterator[tuple[str, str]]:
    yield "verdict", control.verdict
    yield "severity", control.severity
    yield "enforcement", control.enforcement
    yield "citation", control.citation
    if control.waivers:
        yield "waived by", ", ".join(control.waivers)


def _trouble(case: Element, control: ControlResult, *, stops: bool) -> None:
    first, *_ = lines = _lines(control)
    if not stops:
        SubElement(case, "skipped", message=f"{control.verdict}, which {_effect(control)}: {first}")
        return
    tag = "error" if control.verdict is Verdict.ERROR else "failure"
    SubElement(case, tag, message=first, type=control.verdict).text = "\n".join(lines)


def _effect(control: ControlResult) -> str:
    effects = {Enforcement.WARN: "only warns", Enforcement.ADVISE: "only advises"}
    return effects.get(control.enforcement, "does not stop this release")


def _lines(control: ControlResult) -> list[str]:
    """What is wrong, a line for each item, and what to do about it."""
    wrong = [item for item in control.items if item.verdict in BLOCKS]
    told = [
        f"{item.key}: {item.message or item.verdict}" if item.key is not None else item.message or str(item.verdict)
        for item in wrong
    ]
    missing = [f"missing: {each.path} ({each.reason})" for item in wrong for each in item.missing]
    lines = [*(told or [control.note or control.verdict]), *missing, control.remediation]
    return [legible(line) for line in lines if line]
