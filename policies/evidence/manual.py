"""The manual of the evidence, written from its models: `docs/reference/evidence.md`."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from policies.evidence.document import SCHEMA, Record
from policies.evidence.fields import EVIDENCE, EvidenceField
from policies.evidence.source import Source, SourceKind
from policies.statements import STATEMENTS, Plain, Statement

_INTRODUCTION = f"""# The evidence document

Everything that a verdict may depend on, as `{SCHEMA}`. The fields are what expressions of controls read; a field
that is not known is absent, never null. `policies/evidence/` holds the models from which this page is written.

Senders: **standard** is a facet of OpenLineage, **custom** one of ours ([facets](facets.md)), **attested** a statement
of a person, **computed** what the graph or other fields tell. A person may also state any field that is not only
computed, with a statement of the type `field`. Statements come before facets, and count from their acceptance until
they expire.

Of facets of governance (`lineward_model`, `lineward_dataGovernance`, `ownership`, `tags`) only those count whose sender
has the scope `ingest:write` in the namespace of what they describe; what others sent is listed in `facts`, not used.

A *monitoring run* is an evaluation that began while a service said that it served the version, and that read, beside
the model, a dataset which a run of this service read or wrote. Training data is what a training run read as `training`
or without saying for what (then `trainingRuns[].inputs[].role` is absent), and everything upstream of that.

A column of `inputColumns` is *masked* when every way from it to the model has a step with masking. Where an output says
nothing of its columns, every column of its inputs counts as reaching it, and `lineage.columnCoverage` is below 1.
"""


def manual() -> str:
    """The whole page."""
    return "\n".join((_INTRODUCTION, *_records(), *_statements())) + "\n"


def _records() -> Iterator[str]:
    """A table for each record, where it first occurs."""
    yield "## Fields\n"
    seen: set[type[Record]] = set()
    for place, owner in _owners():
        if owner in seen:
            continue
        seen.add(owner)
        yield f"### `{place}`\n" if place else "### The document\n"
        yield f"{_first_line(owner)}\n" if owner.__doc__ else ""
        yield "| field | type | meaning | senders |\n|---|---|---|---|"
        prefix = f"{place}." if place else ""
        for path, field in EVIDENCE.items():
            if field.owner is owner and path.rpartition(".")[0] == prefix.rstrip("."):
                yield _row(path.removeprefix(prefix), field)
        yield ""


def _owners() -> Iterator[tuple[str, type[Record]]]:
    for path, field in EVIDENCE.items():
        yield path.rpartition(".")[0], field.owner


def _row(name: str, field: EvidenceField) -> str:
    senders = "<br>".join(_sender(source) for source in field.sources)
    return f"| `{name}` | {_type(field.annotation)} | {field.meaning} | {senders} |"


def _sender(source: Source) -> str:
    if source.kind is SourceKind.COMPUTED:
        return f"computed: {source.name}"
    return f"{source.kind}: `{source.name}{f'.{source.property}' if source.property else ''}`"


def _type(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _type(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return " or ".join(_type(part) for part in get_args(annotation) if part is not type(None))
    if origin is tuple:
        return f"list of {_type(get_args(annotation)[0])}"
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return annotation.__name__
    return {str: "text", int: "integer", float: "number", bool: "yes or no"}.get(annotation, "any JSON")


def _statements() -> Iterator[str]:
    yield "## Statements\n"
    yield "What `lineward attest --type` takes. Times are RFC 3339 with a zone.\n"
    yield "| type | about | properties | meaning |\n|---|---|---|---|"
    for name, known in STATEMENTS.items():
        if known.model is not Plain:
            targets = ", ".join(sorted(target.value for target in known.targets))
            yield f"| `{name}` | {targets} | {_properties(known.model)} | {known.meaning} |"
    yield "\nPlain statements say that something exists or was done; their one property is `summary`.\n"
    yield "| type | meaning |\n|---|---|"
    for name, known in STATEMENTS.items():
        if known.model is Plain:
            yield f"| `{name}` | {known.meaning} |"


def _properties(model: type[Statement]) -> str:
    """Names in the order of the model; those that must be there in bold."""
    named = ((info.alias or name, info.is_required()) for name, info in model.model_fields.items())
    return ", ".join(f"**`{name}`**" if required else f"`{name}`" for name, required in named)


def _first_line(owner: type[Record]) -> str:
    return " ".join((owner.__doc__ or "").split())


if __name__ == "__main__":
    print(manual(), end="")
