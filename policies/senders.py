"""Who can say a field of the evidence, in words."""

from collections.abc import Mapping

from policies.evidence.fields import EVIDENCE, EvidenceField
from policies.evidence.source import Source, SourceKind

_BY_DOTS: Mapping[str, EvidenceField] = {path.replace("[]", ""): field for path, field in EVIDENCE.items()}


def field_at(path: str) -> EvidenceField | None:
    """The field that a dotted path names, such as `trainingDatasets.licence`; None for no part of the evidence."""
    return _BY_DOTS.get(path)


def senders_of(path: str) -> tuple[str, ...]:
    """Each way in which a field can come to be known; of a record, those of the record itself."""
    known = field_at(path)
    return tuple(dict.fromkeys(sender(source) for source in known.sources)) if known else ()


def sender(source: Source) -> str:
    part = f" ({source.property})" if source.property else ""
    match source.kind:
        case SourceKind.STANDARD | SourceKind.CUSTOM:
            return f"facet {source.name}{part}"
        case SourceKind.ATTESTED:
            return f"attestation {source.name}{part}"
        case _:
            return f"worked out from {source.name}"
