"""What callers name things with, and its translation into the core's words."""

from typing import Any

import strawberry

from catalog import model
from catalog.errors import InvalidInputError
from catalog_graphql.scalars import DateTime, Long, micros


@strawberry.input(description="The point in both times at which a question is answered.")
class AsOf:
    valid: DateTime | None = strawberry.field(
        default=None, description="What was true at this time of the events; left out: the latest."
    )
    known: Long | None = strawberry.field(
        default=None, description="What the log held at this size; left out: all that is projected."
    )


@strawberry.input(description="A name within a namespace.")
class NameRef:
    namespace: str = strawberry.field(description="Namespace as its producers write it.")
    name: str = strawberry.field(description="Name as its producers write it.")


@strawberry.input(description="A dataset or model, or one version of it.")
class DatasetRef:
    namespace: str = strawberry.field(description="Namespace as its producers write it.")
    name: str = strawberry.field(description="Name as its producers write it.")
    version: str | None = strawberry.field(
        default=None, description="A version by its name or, where it has none, by the id of its run."
    )


@strawberry.input(description="A column.")
class FieldRef:
    dataset: DatasetRef = strawberry.field(description="The dataset that has the column.")
    path: str = strawberry.field(description="Path of the column, nested ones with dots.")


@strawberry.input(one_of=True, description="Names one node, in exactly one of these ways.")
class NodeRef:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="An id that an earlier answer held.")
    dataset: strawberry.Maybe[DatasetRef] = strawberry.field(description="A dataset or one version of it.")
    job: strawberry.Maybe[NameRef] = strawberry.field(description="A job or deployment.")
    run: strawberry.Maybe[strawberry.ID] = strawberry.field(description="A run by its UUID.")
    model: strawberry.Maybe[DatasetRef] = strawberry.field(description="A model or one version of it.")
    field: strawberry.Maybe[FieldRef] = strawberry.field(description="A column.")


@strawberry.input(description="Which models to list. Conditions are joined by and.")
class ModelFilter:
    namespace: str | None = strawberry.field(default=None, description="Only models of exactly this namespace.")
    name_contains: str | None = strawberry.field(
        default=None, description="Only models with this text in their name, in either case."
    )

    def accepts(self, found: model.Node) -> bool:
        wanted = (self.name_contains or "").casefold()
        return self.namespace in (None, found.namespace) and wanted in found.name.casefold()


def as_of(given: AsOf | None) -> model.AsOf:
    """The core's cut. Raises InvalidInputError for a negative log size."""
    if given is None:
        return model.AsOf()
    if given.known is not None and given.known < 0:
        raise InvalidInputError("known is negative.", "Use a log size that an answer held.", pointer="/at/known")
    return model.AsOf(micros(given.valid), given.known)


def json_object(given: object, pointer: str) -> dict[str, Any]:
    """A JSON object as it was given. InvalidInputError for other JSON."""
    if not isinstance(given, dict):
        raise InvalidInputError("This is no JSON object.", "Write it in braces.", pointer=pointer)
    return given


def reference(given: NodeRef) -> model.NodeRef:
    if given.id:
        return model.NodeRef(id=str(given.id.value))
    if given.run:
        return model.NodeRef(run=str(given.run.value))
    if given.job:
        return model.NodeRef(job=model.DatasetRef(given.job.value.namespace, given.job.value.name))
    if given.model:
        return model.NodeRef(model=_dataset(given.model.value))
    if given.field:
        return model.NodeRef(field=(_dataset(given.field.value.dataset), given.field.value.path))
    if given.dataset:
        return model.NodeRef(dataset=_dataset(given.dataset.value))
    raise InvalidInputError("The reference names nothing.", "Give exactly one of its fields.")


def _dataset(given: DatasetRef) -> model.DatasetRef:
    return model.DatasetRef(given.namespace, given.name, given.version)
