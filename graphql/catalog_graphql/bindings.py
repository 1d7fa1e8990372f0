"""Policy bindings: which packs are in force for which models, in which environments."""

import orjson
import strawberry

from catalog.instant import text
from catalog.reading import Reading
from catalog_graphql.scalars import DateTime, time
from policies.in_force import in_force


@strawberry.type(description="Which packs bind which models in which environments, and how hard.")
class PolicyBinding:
    name: str = strawberry.field(description="Name.")
    digest: str = strawberry.field(description="SHA-256 of the normalised document (RFC 8785).")
    document: str = strawberry.field(description="The normalised document as JSON text.")
    environments: list[str] = strawberry.field(description="Environments that it is for.")
    packs: list[str] = strawberry.field(description="Names of the packs that it brings to bear.")
    in_force_since: DateTime = strawberry.field(description="Since when it is in force here, by two people.")
    proposed_by: str = strawberry.field(description="Who proposed it.")
    confirmed_by: str = strawberry.field(description="Who confirmed it.")


def policy_bindings(reading: Reading, instant: int) -> list[PolicyBinding]:
    """Those in force at the instant (µs), by name."""
    return [
        PolicyBinding(
            name=name,
            digest=held.digest,
            document=orjson.dumps(held.document, option=orjson.OPT_SORT_KEYS).decode(),
            environments=list(held.document["environments"]),
            packs=[each["name"] for each in held.document["packs"]],
            in_force_since=time(text(held.since)),
            proposed_by=held.proposed_by,
            confirmed_by=held.confirmed_by,
        )
        for name, held in sorted(in_force(reading, instant).bindings.items())
    ]
