"""Where a field of the evidence can come from. A field that nothing can send is a field that no control may read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class SourceKind(StrEnum):
    STANDARD = "standard"  # a facet of OpenLineage
    CUSTOM = "custom"  # a facet of ours
    ATTESTED = "attested"  # a typed attestation, entered by a person
    COMPUTED = "computed"  # from the graph: lineage, digests, other fields


@dataclass(frozen=True, slots=True)
class Source:
    """`name` is the facet, the attestation type, or what computes it; `property` the part of it.

    `example` is a value to show in a snippet.
    """

    kind: SourceKind
    name: str
    property: str = ""
    example: Any = None


def standard(facet: str, property: str = "", example: Any = None) -> Source:  # noqa: A002 - the word of JSON Schema
    return Source(SourceKind.STANDARD, facet, property, example)


def custom(facet: str, property: str = "", example: Any = None) -> Source:  # noqa: A002
    return Source(SourceKind.CUSTOM, f"lineward_{facet}", property, example)


def attested(statement: str, property: str = "", example: Any = None) -> Source:  # noqa: A002
    return Source(SourceKind.ATTESTED, statement, property, example)


def computed(by: str) -> Source:
    return Source(SourceKind.COMPUTED, by)
