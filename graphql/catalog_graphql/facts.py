"""Facts about nodes that are no nodes themselves: facets, code, parameters, measurements."""

import strawberry

from catalog import model, reported
from catalog_graphql.scalars import DateTime, Long, optional_time, time


@strawberry.type(description="One facet of a node, as its producer wrote it.")
class Facet:
    name: str = strawberry.field(description="Key of the facet in the event.")
    body: str = strawberry.field(description="The facet as JSON text, keys sorted.")
    digest: str = strawberry.field(description="SHA-256 of the body, hex.")
    actor: str = strawberry.field(description="Who sent the event that it comes from.")
    at: DateTime = strawberry.field(description="When that event says it happened.")


@strawberry.type(description="Where the code of a run is kept (standard facet sourceCodeLocation).")
class Code:
    type: str | None = strawberry.field(description="Version control system, such as git.")
    url: str | None = strawberry.field(description="Address of the file.")
    repository: str | None = strawberry.field(description="Address of the repository.")
    path: str | None = strawberry.field(description="Path inside the repository.")
    version: str | None = strawberry.field(description="The exact revision, such as a commit.")
    tag: str | None = strawberry.field(description="Tag of the revision.")
    branch: str | None = strawberry.field(description="Branch that was checked out.")


@strawberry.type(description="A parameter of a run (standard facet executionParameters).")
class Parameter:
    key: str = strawberry.field(description="Name in the program.")
    value: str | None = strawberry.field(description="Value; what is no text is given as JSON.")
    name: str | None = strawberry.field(description="Name for people.")
    description: str | None = strawberry.field(description="What it does.")


@strawberry.type(description="A measured number. Whether it is good enough is decided by a policy, not here.")
class Metric:
    name: str = strawberry.field(description="Name of the measure.")
    value: float = strawberry.field(description="What was measured, in the unit.")
    unit: str | None = strawberry.field(description="Unit; null for ratios and counts.")
    slice: str | None = strawberry.field(description="Part of the data that was measured; null for all of it.")
    higher_is_better: bool | None = strawberry.field(description="Whether a greater value is the better one.")


@strawberry.type(description="A stretch in which a model version had an alias or a stage in its registry.")
class RegistryAlias:
    alias: str = strawberry.field(description="The alias. NAME@ALIAS names the version that has it.")
    since: DateTime = strawberry.field(description="The event that says so.")
    until: DateTime | None = strawberry.field(
        description="When another version got it, or this one lost it; null while it has it."
    )


@strawberry.type(description="What a version still holds of earlier writes.")
class Continues:
    count: Long = strawberry.field(description="How many earlier writes its rows may come from.")
    since: DateTime | None = strawberry.field(
        description="The write that last replaced everything; null: none ever did."
    )


def facet(found: model.Facet) -> Facet:
    return Facet(name=found.name, body=found.body, digest=found.digest, actor=found.actor, at=time(found.at))


def code(found: reported.Code) -> Code:
    return Code(
        type=found.type,
        url=found.url,
        repository=found.repository,
        path=found.path,
        version=found.version,
        tag=found.tag,
        branch=found.branch,
    )


def parameter(found: reported.Parameter) -> Parameter:
    return Parameter(key=found.key, value=found.value, name=found.name, description=found.description)


def metric(found: reported.Metric) -> Metric:
    return Metric(
        name=found.name,
        value=found.value,
        unit=found.unit,
        slice=found.slice,
        higher_is_better=found.higher_is_better,
    )


def registry_alias(found: model.RegistryAlias) -> RegistryAlias:
    return RegistryAlias(alias=found.alias, since=time(found.since), until=optional_time(found.until))


def continues(found: model.Continues | None) -> Continues | None:
    return None if found is None else Continues(count=Long(found.count), since=optional_time(found.since))
