"""`lineward policy baseline`: accept what is found today until a date, so that a binding stops only what is new."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from catalog.commands.acts import agree, place_options, tell_change, tell_facts
from catalog.commands.governing import Governing, opened
from catalog.commands.progress import bar
from catalog.errors import ConflictError, NotFoundError
from catalog.model import NodeRef
from policies.enactment import to_accept
from policies.formats.document import Decision
from policies.in_force import Finding, selects
from policies.request import DecideRequest
from policies.verdict import Report, Verdict


def propose_baseline(
    binding: str, until: str, yes: bool, as_json: bool, url: str | None, data: Path | None, graph: str | None
) -> None:
    """Find what fails or is not known under a binding, and put it to a second person. `until` is RFC 3339."""
    with opened(url, data, graph, writing=True) as governing:
        document = governing.bindings_in_force().get(binding)
        if document is None:
            raise NotFoundError(
                f"no binding {binding} is in force", "Bring it into force with `lineward policy apply`."
            )
        findings = list(dict.fromkeys(_found(governing, document)))
        if not findings:
            typer.echo("Nothing is found that a baseline could accept.")
            return
        tell_facts("You accept what is found today:", _facts(binding, until, findings))
        agree("Propose this?", yes)
        change = governing.accept_baseline(binding, until, findings)
    tell_change(change, as_json, place_options(url, data))


def _found(governing: Governing, binding: Mapping[str, Any]) -> Iterator[Finding]:
    """The findings of the binding's own packs, on every version that it selects."""
    packs = {each["name"] for each in binding["packs"]}
    asked = [
        (version, environment)
        for version in governing.versions()
        for environment in binding["environments"]
        if selects(binding, environment, version.namespace, version.name)
    ]
    with bar() as progress:
        for version, environment in progress.track(asked, description="judging"):
            request = DecideRequest(NodeRef(id=version.id), environment, preview=True)
            report = _report(governing.decide(request).decision, version.title)
            yield from (each for each in to_accept(report) if each[1] in packs)


def _report(decision: Decision, title: str) -> Report:
    body = decision.body
    if body.target is None or body.evidence_digest is None:
        raise ConflictError(f"{title} cannot be judged: {' '.join(body.reasons)}", "Correct that first.")
    return Report(
        target=body.target.node,
        verdict=Verdict(body.verdict),
        state=decision.state,
        reasons=body.reasons,
        controls=decision.controls,
        packs=tuple((f"{each.name}@{each.version}", each.digest) for each in body.packs),
        evidence_digest=body.evidence_digest,
        evaluated_at=body.evaluated_at,
        environment=body.environment,
    )


def _facts(binding: str, until: str, findings: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    counts: dict[str, int] = {}
    for _, pack, control, _ in findings:
        counts[f"{pack}/{control}"] = counts.get(f"{pack}/{control}", 0) + 1
    yield "binding", binding
    yield "until", until
    for name, count in counts.items():
        yield name, f"{count} finding{'' if count == 1 else 's'}"
