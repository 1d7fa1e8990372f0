"""The pages that say what each pack covers and what it does not, made from the packs themselves.

`python -m policies.coverage docs/packs` writes them.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from policies.compiled import CompiledControl, compile_pack
from policies.evidence.source import SourceKind
from policies.library import built_in
from policies.loading import load_pack
from policies.pack import Assurance, Citation, Days, PolicyPack, TimelineEntry, filled
from policies.senders import field_at
from policies.verdict import Enforcement

WITHOUT_PACK: Sequence[tuple[str, str, str]] = (
    (
        "Colorado SB 26-189 (CO-1 to CO-4)",
        "enacted, in force from 2027-01-01",
        "not yet in force, its rules by the Attorney General are still due; its predecessor SB 24-205 never applied",
    ),
    (
        "MAS FEAT principles and AI risk guidelines (FEAT-1 to FEAT-14, MAS-AIRG)",
        "FEAT current; the guidelines were proposed",
        "whether the guidelines are final has to be confirmed; the base pack holds most of what they ask",
    ),
    (
        "PRA SS1/23 (P1.2 to P5.3)",
        "in force since 2024-05-17",
        "the base pack and `us-mrm-sr26-2` ask the same of a model; principles for the bank's board do not show in one",
    ),
    (
        "HIPAA (HIPAA-1 to HIPAA-5)",
        "in force; the new Security Rule is proposed",
        "no sender tells the 18 identifiers apart or knows of business associate agreements beyond a person's word",
    ),
    (
        "FDA good machine learning practice and PCCP (GMLP-3 to GMLP-10, PCCP-1)",
        "guidance",
        "the limits of an authorised change plan are in no facet; a device maker writes its own pack",
    ),
    (
        "DORA (DORA-8, 11, 12, 17 to 19, 28, 30)",
        "applies since 2025-01-17",
        "about ICT assets and contracts, of which the graph knows the services and little more",
    ),
)
"""Regimes that no pack is about: name with the rows left out, state in November 2026, reason."""

_OVERVIEW = """\
# What each pack covers and what it does not

A pack is a law, a standard or a set of house rules as controls that can be decided. Each page lists them with their
source, what they read, what makes them pass, and the rows that were left out with the reason. None of it is legal
advice: a pack is a draft until a person with the knowledge has read it, and a draft only advises unless a binding says
`enforceDrafts`.

| pack | about | controls | facts / people / both | source | in force |
|---|---|---|---|---|---|
{packs}

## How a control answers

- **pass**: the evidence is there and every check holds.
- **fail**: the evidence is there and says otherwise.
- **unknown**: evidence is missing, or lineage has a gap that matters to this control. It denies as a fail does.
- **not applicable**: it is about something else, such as a service where nothing is served.

Where a control rests on a statement of a person, a statement that was never made is **unknown**; one that has expired,
or was made of what the version no longer is, is a **fail**. Quality words of the law (representative, appropriate,
effective) are never decided by a machine: such controls ask for the statement of a person over this version, and check
that it is there, fresh and in time.

Controls about services look at those of the environment that is asked about, and do not apply before there is one.
Hashing or masking a column never makes it harmless to a control about `protected:`, `special:` or `proxy:` labels; for
`pii:` the control says so. Intervals that no law gives are parameters whose note says so.

Each control has examples beside the pack, in `policies/packs/examples/`: evidence on which it passes, fails and is
unknown, and for the base pack a failing one with its remediation applied.

## Regimes without a pack

| regime and rows | state in November 2026 | why there is none |
|---|---|---|
{regimes}
"""

_ASSURANCE = {
    Assurance.AUTOMATIC: "from recorded facts",
    Assurance.ATTESTED: "from statements of people",
    Assurance.MIXED: "from recorded facts and statements of people",
}
_EFFECT = {Enforcement.BLOCK: "denies a release", Enforcement.WARN: "warns", Enforcement.ADVISE: "advises"}


def shipped() -> list[PolicyPack]:
    """The packs that come with Lineward, by name."""
    return [load_pack(path) for path in built_in().values()]


def pages(packs: Sequence[PolicyPack]) -> dict[str, str]:
    """Markdown by file name: one page a pack, and README.md about all of them."""
    return {"README.md": _overview(packs)} | {f"{pack.name}.md": page(pack) for pack in packs}


def page(pack: PolicyPack) -> str:
    """What one pack covers and what it does not."""
    return "\n".join((*_head(pack), *_dates(pack), *_params(pack), *_controls(pack), *_omissions(pack)))


# One pack ----------------------------------------------------------------------------------------------------------


def _head(pack: PolicyPack) -> Iterator[str]:
    source = pack.source
    yield f"# {pack.label}"
    yield ""
    yield f"[{source.instrument}]({source.uri})"
    yield ""
    status = f"Status of the pack: **{pack.metadata.status}**."
    yield f"{status} Source: {source.binding}, {source.certainty}{_span(source.in_force)}."
    if pack.metadata.supersedes:
        yield f"It supersedes {pack.metadata.supersedes}."
    yield ""


def _span(days: Days) -> str:
    since = f", in force from {days.from_}" if days.from_ else ""
    return since + (f" until {days.to}" if days.to else "")


def _dates(pack: PolicyPack) -> Iterator[str]:
    if not pack.timeline:
        return
    yield "## Dates"
    yield ""
    yield "On days outside of these a control still answers, and only advises."
    yield ""
    yield "| about | from | until | note |"
    yield "|---|---|---|---|"
    for entry in pack.timeline:
        yield f"| {_about(entry)} | {entry.applies_from} | {entry.applies_until or ''} | {_cell(entry.note or '')} |"
    yield ""


def _about(entry: TimelineEntry) -> str:
    when = [f"{name} {value}" for name, value in entry.when.items()]
    return _cell(", ".join((*entry.controls, *when)) or "every control")


def _params(pack: PolicyPack) -> Iterator[str]:
    if not pack.params:
        return
    yield "## Parameters"
    yield ""
    yield "A binding may set these."
    yield ""
    yield "| name | default | note |"
    yield "|---|---|---|"
    for name, param in pack.params.items():
        default = filled("{it}", {"it": param.default}) or "none"
        yield f"| `{name}` | {_cell(default)} | {_cell(param.note or '')} |"
    yield ""


def _controls(pack: PolicyPack) -> Iterator[str]:
    yield "## Controls"
    yield ""
    for compiled in compile_pack(pack).controls:
        yield from _control(pack, compiled)


def _control(pack: PolicyPack, compiled: CompiledControl) -> Iterator[str]:
    control = compiled.control
    values = pack.values()
    yield f"### {control.id} · {control.title}"
    yield ""
    yield filled(control.plain, values)
    yield ""
    yield f"- Source: {_cited(control.citation)}{_span(control.effective)}"
    effect = _EFFECT[control.enforcement] + ("" if control.waivable else ", cannot be waived")
    yield f"- Severity {control.severity}, {effect}; decided {_ASSURANCE[control.assurance]}"
    if control.applies:
        yield f"- Applies where `{control.applies}`"
    yield f"- Unknown while {'; '.join(_unknown(compiled))}"
    if senders := _senders(compiled.fields):
        yield f"- Evidence from {', '.join(senders)}"
    if control.related:
        yield f"- Related: {', '.join(control.related)}"
    yield f"- To pass: {filled(control.remediation, values)}"
    yield ""


def _cited(citation: Citation) -> str:
    text = f"[{citation.article}]({citation.uri})" if citation.uri else citation.article
    return f"{text}, {citation.certainty}" if citation.certainty else text


def _unknown(compiled: CompiledControl) -> Iterator[str]:
    yield from (each.require.missing for each in compiled.requires)
    if gaps := compiled.control.inputs.blocked_by:
        yield f"lineage has a gap of kind {', '.join(gaps)}"


def _senders(fields: Iterable[str]) -> list[str]:
    """Facets and attestations that carry what the control reads; not what is worked out from the graph."""
    sources = [source for path in fields if (known := field_at(path)) for source in known.sources]
    facets = {source.name for source in sources if source.kind in (SourceKind.STANDARD, SourceKind.CUSTOM)}
    statements = {source.name for source in sources if source.kind is SourceKind.ATTESTED}
    return [f"facet `{name}`" for name in sorted(facets)] + [f"attestation `{name}`" for name in sorted(statements)]


def _omissions(pack: PolicyPack) -> Iterator[str]:
    yield "## Not covered"
    yield ""
    yield "| row | why |"
    yield "|---|---|"
    for each in pack.not_covered:
        yield f"| {_cell(each.row)} | {_cell(each.reason)} |"
    yield ""


# All of them -------------------------------------------------------------------------------------------------------


def _overview(packs: Sequence[PolicyPack]) -> str:
    regimes = [f"| {_cell(name)} | {_cell(state)} | {_cell(reason)} |" for name, state, reason in WITHOUT_PACK]
    return _OVERVIEW.format(packs="\n".join(_summary(pack) for pack in packs), regimes="\n".join(regimes))


def _summary(pack: PolicyPack) -> str:
    kinds = [control.assurance for control in pack.controls]
    counts = " / ".join(str(kinds.count(each)) for each in (Assurance.AUTOMATIC, Assurance.ATTESTED, Assurance.MIXED))
    days = pack.source.in_force
    force = f"{days.from_ or ''} to {days.to}" if days.to else f"from {days.from_}" if days.from_ else ""
    source = f"{pack.source.binding}, {pack.source.certainty}"
    return (
        f"| [{pack.name}]({pack.name}.md) | {_cell(pack.source.instrument)} | {len(pack.controls)} | {counts} "
        f"| {source} | {force} |"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def write(folder: Path) -> None:
    """Writes the pages of the shipped packs and removes those of packs that are gone."""
    made = pages(shipped())
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
