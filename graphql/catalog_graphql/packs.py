"""Policy packs: those in force, and those that come with Lineward and may be tried."""

from collections.abc import Iterator

import strawberry

from catalog.instant import text
from catalog.reading import Reading
from catalog_graphql.scalars import DateTime, optional_time
from policies import pack as packs
from policies.in_force import Enacted, in_force
from policies.judge import shipped
from policies.library import built_in
from policies.verdict import Enforcement, Severity


@strawberry.type(description="One thing that must hold.")
class Control:
    id: str = strawberry.field(description="Id within the pack.")
    title: str = strawberry.field(description="What it is about.")
    plain: str = strawberry.field(description="What must hold, in plain words; {names} are params.")
    article: str = strawberry.field(description="Where the law or standard says so.")
    uri: str | None = strawberry.field(description="Address of the text.")
    severity: Severity = strawberry.field(description="How bad a failure is.")
    assurance: str = strawberry.field(
        description="automatic: from recorded facts; attested: from a person's word; mixed: both."
    )
    enforcement: Enforcement = strawberry.field(
        description="What a failure does to a release, unless a binding says otherwise."
    )
    waivable: bool = strawberry.field(description="Whether it may be set aside for a time.")
    remediation: str = strawberry.field(description="What to do about a failure.")


@strawberry.type(description="A part of the law that the pack leaves out.")
class NotCovered:
    row: str = strawberry.field(description="The part.")
    reason: str = strawberry.field(description="Why.")


@strawberry.type(description="What one law, standard or house rule asks, as controls.")
class PolicyPack:
    name: str = strawberry.field(description="Name.")
    version: str = strawberry.field(description="MAJOR.MINOR.PATCH.")
    status: str = strawberry.field(
        description="draft until somebody with the knowledge has read it; reviewed; retired."
    )
    digest: str = strawberry.field(description="SHA-256 of the normalised document (RFC 8785).")
    instrument: str = strawberry.field(description="The law or standard.")
    uri: str = strawberry.field(description="Address of its text.")
    binding: str = strawberry.field(description="law, supervisory-guidance, standard or internal.")
    certainty: str = strawberry.field(description="enacted, adopted-not-in-force, proposed or repealed.")
    in_force_since: DateTime | None = strawberry.field(
        description="Since when it is in force here, by two people; null for one that is only at hand."
    )
    confirmed_by: str | None = strawberry.field(description="Who confirmed it.")
    controls: list[Control] = strawberry.field(description="What it asks.")
    not_covered: list[NotCovered] = strawberry.field(description="What it leaves out.")


def policy_packs(reading: Reading, instant: int) -> list[PolicyPack]:
    """Those in force at the instant (µs), then those that come with the program, each by name."""
    held = in_force(reading, instant).packs
    return [_pack(packs.PolicyPack.model_validate(each.document), each) for _, each in sorted(held.items())] + [
        _pack(pack, None) for pack in _at_hand() if pack.name not in held
    ]


def _at_hand() -> Iterator[packs.PolicyPack]:
    for name in built_in():
        found = shipped(name)
        if found is not None:
            yield found


def _pack(found: packs.PolicyPack, enacted: Enacted | None) -> PolicyPack:
    return PolicyPack(
        name=found.name,
        version=found.metadata.version,
        status=found.metadata.status.value,
        digest=found.digest,
        instrument=found.source.instrument,
        uri=found.source.uri,
        binding=found.source.binding.value,
        certainty=found.source.certainty.value,
        in_force_since=optional_time(text(enacted.since)) if enacted else None,
        confirmed_by=enacted.confirmed_by if enacted else None,
        controls=[_control(each) for each in found.controls],
        not_covered=[NotCovered(row=each.row, reason=each.reason) for each in found.not_covered],
    )


def _control(found: packs.Control) -> Control:
    return Control(
        id=found.id,
        title=found.title,
        plain=found.plain,
        article=found.citation.article,
        uri=found.citation.uri,
        severity=found.severity,
        assurance=found.assurance.value,
        enforcement=found.enforcement,
        waivable=found.waivable,
        remediation=found.remediation,
    )
