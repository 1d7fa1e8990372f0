"""Which property of which facet or statement fills which field: read from the sources that the fields declare."""

from collections.abc import Mapping
from functools import cache

from policies.evidence.document import Record
from policies.evidence.fields import fields_of
from policies.evidence.source import SourceKind


@cache
def layout(record: type[Record], kind: SourceKind) -> Mapping[str, Mapping[str, str]]:
    """Facet or statement → property → the fields's path, for fields outside of lists."""
    found: dict[str, dict[str, str]] = {}
    for path, field in fields_of(record).items():
        for source in field.sources:
            if source.kind is kind and source.property and "[]" not in path and field.record is None:
                found.setdefault(source.name, {})[source.property] = path
    return found
