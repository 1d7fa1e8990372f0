"""A decision as SARIF 2.1.0 (OASIS), as code scanning takes it: a rule for each control, a result for each trouble."""

from collections.abc import Iterator
from hashlib import sha256
from importlib import metadata
from typing import Any
from urllib.parse import quote

import orjson

from catalog.identity import digest
from policies.formats.document import BLOCKS, Decision
from policies.verdict import ControlResult, Enforcement, GateState, ItemResult, Severity, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "lineward/v1"
_SHOWN = BLOCKS | {Verdict.WAIVED}
_EXIT_CODES = {GateState.ALLOW: 0, GateState.DENY: 1, GateState.INDETERMINATE: 3, GateState.PENDING: 4}


def sarif(decision: Decision, manifest: str | None = None) -> str:
    """The log file, as text. `manifest` is the file of the repository that results are shown at.

    Without one, results lie at an address made of the target's names, as code scanning wants some file.
    """
    rules = {_rule_id(control): _rule(decision, control) for control in decision.controls}
    order = {rule: index for index, rule in enumerate(rules)}
    where = manifest or _address(decision)
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(list(rules.values()))},
                "invocations": [_invocation(decision)],
                "automationDetails": {"id": f"lineward/{quote(decision.body.environment, safe='')}/{decision.id}"},
                "results": list(_results(decision, order, where)),
                "properties": _run_properties(decision),
            }
        ],
    }
    return orjson.dumps(log, option=orjson.OPT_INDENT_2).decode() + "\n"


def _driver(rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "Lineward",
        "version": metadata.version("lineward"),
        "informationUri": "https://lineward.dev",
        "rules": rules,
    }


def _invocation(decision: Decision) -> dict[str, Any]:
    return {
        "executionSuccessful": decision.state is not GateState.INDETERMINATE,
        "endTimeUtc": decision.body.evaluated_at,
        "exitCode": _EXIT_CODES[decision.state],
        "exitCodeDescription": decision.state,
    }


def _run_properties(decision: Decision) -> dict[str, Any]:
    return {
        "decision": decision.id,
        "state": decision.state,
        "reasons": list(decision.body.reasons),
        "preview": decision.body.preview,
        "environment": decision.body.environment,
        "evidenceDigest": decision.body.evidence_digest or "",
        "packs": [f"{pack.name}@{pack.version} {pack.digest}" for pack in decision.body.packs],
    }


# Rules -------------------------------------------------------------------------------------------------------------


def _rule_id(control: ControlResult) -> str:
    """Without the version of the pack, so that an alert outlives an upgrade."""
    return f"{control.pack.rpartition('@')[0]}/{control.control}"


def _rule(decision: Decision, control: ControlResult) -> dict[str, Any]:
    rule = {
        "id": _rule_id(control),
        "name": control.control,
        "shortDescription": {"text": _plain(control.title)},
        "fullDescription": {"text": _plain(control.plain or control.title)},
        "help": {"text": _plain(control.remediation or control.plain or control.title)},
        "defaultConfiguration": {"level": _level(control, Verdict.FAIL)},
        "properties": {
            "tags": ["governance", control.severity, control.assurance],
            "pack": control.pack,
            "severity": control.severity,
            "assurance": control.assurance,
            "citation": control.citation,
            "waivable": control.waivable,
        },
    }
    uri = decision.citation_uri(control)
    return rule if uri is None else rule | {"helpUri": uri}


def _level(control: ControlResult, verdict: Verdict) -> str:
    """What stops a release is an error; what warns is a warning unless of low severity; the rest is a note."""
    if control.enforcement is Enforcement.BLOCK:
        return "error"
    if control.enforcement is Enforcement.WARN and (control.severity is not Severity.LOW or verdict is Verdict.ERROR):
        return "warning"
    return "note"


# Results -----------------------------------------------------------------------------------------------------------


def _results(decision: Decision, order: dict[str, int], where: str) -> Iterator[dict[str, Any]]:
    for control in decision.controls:
        if control.verdict not in _SHOWN:
            continue
        items = [item for item in control.items if item.verdict in _SHOWN]
        for item in items or [ItemResult(None, control.control, control.verdict, control.note)]:
            yield _result(decision, control, item, order[_rule_id(control)], where)


def _result(decision: Decision, control: ControlResult, item: ItemResult, rule: int, where: str) -> dict[str, Any]:
    result = {
        "ruleId": _rule_id(control),
        "ruleIndex": rule,
        "kind": "fail",
        "level": _level(control, item.verdict),
        "message": {"text": _plain(_message(control, item))},
        "locations": [_location(decision, item, where)],
        "partialFingerprints": {FINGERPRINT: _fingerprint(decision, control, item)},
        "properties": _properties(control, item),
    }
    suppressions = list(_suppressions(decision, control, item))
    return result | {"suppressions": suppressions} if suppressions else result


def _message(control: ControlResult, item: ItemResult) -> str:
    missing = ", ".join(f"{each.path} ({each.reason})" for each in item.missing)
    said = item.message or (f"missing: {missing}" if missing else f"{control.title}: {item.verdict}")
    told = f"{said} [{item.key}]" if item.key is not None and item.key not in said else said
    return f"{told} {control.remediation}".strip()


def _plain(text: str) -> str:
    """SARIF 3.11.5 and 3.11.6: braces and brackets mean something in a message, unless they are escaped."""
    escaped = text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return escaped.replace("{", "{{").replace("}", "}}") or " "


def _location(decision: Decision, item: ItemResult, where: str) -> dict[str, Any]:
    target = decision.body.target
    logical = [{"fullyQualifiedName": target.node, "name": decision.target, "kind": "resource"}] if target else []
    if item.key is not None:
        logical.append({"fullyQualifiedName": item.key, "name": item.key, "kind": "resource"})
    return {
        "physicalLocation": {"artifactLocation": {"uri": where}, "region": {"startLine": 1}},
        "logicalLocations": logical,
    }


def _address(decision: Decision) -> str:
    target = decision.body.target
    names = (target.namespace, target.name, target.version or "") if target else (decision.target,)
    return "models/" + "/".join(_segment(name) for name in names if name)


def _segment(name: str) -> str:
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")


def _fingerprint(decision: Decision, control: ControlResult, item: ItemResult) -> str:
    """The same trouble of the same model, whatever the version of the model and of the pack."""
    target = decision.body.target
    names = (target.namespace, target.name) if target else ("", "")
    parts = (*names, decision.body.environment, _rule_id(control), item.check, item.key or "")
    return sha256(digest(*parts)).hexdigest()


def _properties(control: ControlResult, item: ItemResult) -> dict[str, Any]:
    said: dict[str, Any] = {
        "verdict": item.verdict,
        "enforcement": control.enforcement,
        "check": item.check,
        "missing": [each.path for each in item.missing],
        "blockedBy": list(control.blocked_by),
        "fields": list(control.fields),
    }
    if item.key is not None:
        said["item"] = item.key
    if item.witness is not None:
        said["witness"] = {"nodes": list(item.witness.nodes), "entries": list(item.witness.entries)}
    return said


def _suppressions(decision: Decision, control: ControlResult, item: ItemResult) -> Iterator[dict[str, Any]]:
    """A waiver is an accepted suppression from outside of the analysed files."""
    if item.verdict is not Verdict.WAIVED:
        return
    known = {str(waiver.get("id")): waiver for waiver in decision.body.waivers}
    for waiver in (item.waiver,) if item.waiver else control.waivers:
        said = known.get(waiver, {})
        yield {
            "kind": "external",
            "status": "accepted",
            "justification": str(said.get("reason") or control.note or "waived"),
            "properties": {"waiver": waiver, **{name: said[name] for name in _WAIVER if name in said}},
        }


_WAIVER = ("expiresAt", "compensatingControl", "breakGlass")
