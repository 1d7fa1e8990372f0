"""The answer to an erasure request (GDPR, Art. 17 and 19) as plain data, and as a document for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.instant import text
from catalog.model import Deployment
from policies.erasure.casebook import Reviewed
from policies.erasure.cases import Disposition


def described(found: Reviewed) -> dict[str, Any]:
    """JSON types, names as in GraphQL. Of a preview, which is no case yet, `id` and what belongs to one are null."""
    case, resting = found.case, found.resting
    opened = bool(case.id)
    return {
        "id": case.id or None,
        "state": found.state.value if opened else None,
        "basis": case.basis if opened else None,
        "reason": case.reason if opened else None,
        "openedBy": case.by if opened else None,
        "openedAt": text(case.opened) if opened else None,
        "dueAt": text(case.due) if opened else None,
        "erasedBefore": text(case.before),
        "entries": list(case.erased),
        "datasets": [
            {"id": node.id, "namespace": node.namespace or "", "name": node.name}
            for node in sorted(found.datasets.values(), key=lambda each: (each.namespace or "", each.name))
        ],
        "versions": [
            {
                "id": node.id,
                "namespace": node.namespace or "",
                "name": node.name,
                "version": node.label or "",
                "open": node.id in found.open_versions,
                "path": list(resting.ways.get(node.id, (node.id,))),
                "disposition": _disposition(found.disposition(node.id), node.id in found.unsuccessful, found.instant),
            }
            for node in resting.versions
        ],
        "deployments": [_deployment(each) for each in resting.deployments],
        "decisions": [
            {
                "id": act.id,
                "state": act.body["state"],
                "environment": act.body["environment"],
                "at": text(act.at),
                "version": (act.body.get("target") or {}).get("node"),
            }
            for act in resting.decisions
        ],
        "gaps": [
            {
                "kind": gap.kind.value,
                "node": gap.node,
                "name": resting.names.get(gap.node, gap.node),
                "reason": gap.reason,
            }
            for gap in resting.gaps
        ],
        "truncated": resting.truncated,
        "asOf": text(found.instant),
        "known": found.known,
    }


def _disposition(said: Disposition | None, unsuccessful: bool, instant: int) -> dict[str, Any] | None:
    if said is None:
        return None
    return {
        "id": said.id,
        "way": said.way,
        "by": said.by,
        "at": text(said.at),
        "reason": said.reason,
        "successor": said.successor,
        "expiresAt": None if said.expires is None else text(said.expires),
        "stands": said.stands(instant) and not unsuccessful,
    }


def _deployment(each: Deployment) -> dict[str, Any]:
    return {
        "job": each.job,
        "version": each.model_version,
        "environment": each.environment,
        "role": each.role,
        "since": each.since,
        "until": each.until,
        "state": each.state,
    }


def markdown(report: Mapping[str, Any]) -> str:
    """A described case as a document that can be put on file."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    names = {each["id"]: f"{each['name']}@{each['version']}" for each in report["versions"]}
    yield "# What rests on an erasure (GDPR, Art. 17)"
    yield ""
    for name, value in facts(report):
        yield f"- {name}: {cell(value)}"
    yield ""
    yield "## Versions of models"
    yield ""
    if report["versions"]:
        yield "| model | version | namespace | decided | by | until | open |"
        yield "|---|---|---|---|---|---|---|"
    for each in report["versions"]:
        said = each["disposition"] or {}
        decided = said.get("way") or "nothing"
        if said.get("successor"):
            decided += f": {names.get(said['successor'], said['successor'])}"
        row = (each["name"], each["version"], each["namespace"], decided, said.get("by") or "",
               said.get("expiresAt") or "", "yes" if each["open"] else "no")  # fmt: skip
        yield f"| {' | '.join(map(cell, row))} |"
    if not report["versions"]:
        yield "None that the catalog knows."
    yield from _served(report, names)
    yield from _decided(report, names)
    yield from _unknown(report)


def _served(report: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    yield ""
    yield "## Services, now and before"
    yield ""
    if not report["deployments"]:
        yield "None that the catalog knows."
        return
    yield "| version | environment | role | since | until | state |"
    yield "|---|---|---|---|---|---|"
    for each in report["deployments"]:
        named = names.get(each["version"], each["version"])
        row = (named, each["environment"] or "", each["role"], each["since"], each["until"] or "", each["state"])
        yield f"| {' | '.join(map(cell, row))} |"


def _decided(report: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    yield ""
    yield "## Decisions of the gate"
    yield ""
    if not report["decisions"]:
        yield "None."
        return
    yield "| decision | version | environment | state | at |"
    yield "|---|---|---|---|---|"
    for each in report["decisions"]:
        named = names.get(each["version"], each["version"] or "")
        yield f"| {' | '.join(map(cell, (each['id'], named, each['environment'], each['state'], each['at'])))} |"


def _unknown(report: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield "## What is not known"
    yield ""
    if report["truncated"]:
        yield "- The walk was cut: there may be more."
    for gap in report["gaps"]:
        yield f"- {gap['kind']} at {cell(gap['name'])}: {cell(gap['reason'])}"
    if not report["truncated"] and not report["gaps"]:
        yield "Nothing on the ways that were walked. What no system reported is not in the catalog."


def facts(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is known of the case itself, for people."""
    if report["id"]:
        yield "case", f"{report['id']}, {report['state']}"
        yield "ground", f"{report['basis']}: {report['reason']}"
        yield "opened", f"{report['openedAt']} by {report['openedBy']}"
        yield "answer due", f"{report['dueAt']} (GDPR, Art. 12(3))"
    where = ", ".join(f"{each['name']} in {each['namespace']}" for each in report["datasets"])
    if where:
        yield "rows erased from", f"{where}, those before {report['erasedBefore']}"
    if report["entries"]:
        yield "entries erased", ", ".join(map(str, report["entries"]))
    yield "as of", f"{report['asOf']}, {report['known']} entries of the log"


def cell(value: object) -> str:
    """Text that no table or markup takes for its own."""
    plain = " ".join(str(value).split())
    return plain.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
