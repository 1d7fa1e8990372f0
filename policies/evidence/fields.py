"""Every field of the evidence by its path, with its type and its senders: what gaps, manuals and attestations go by.

A path is dotted, in the names of the document; `[]` stands behind a list of records: `trainingDatasets[].licence`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

import orjson
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from policies.evidence.document import Dataset, Deployment, Evaluation, Evidence, Record, Subject, TrainingRun
from policies.evidence.source import Source, SourceKind


@dataclass(frozen=True, slots=True)
class EvidenceField:
    """`owner` is the record that has the field; `record` the one it holds, where it holds any."""

    path: str
    owner: type[Record]
    annotation: Any
    meaning: str
    sources: tuple[Source, ...]
    record: type[Record] | None
    many: bool

    @property
    def is_attestable(self) -> bool:
        """Whether a person may state it: not what only the graph can tell."""
        return any(source.kind is not SourceKind.COMPUTED for source in self.sources)

    def accepts(self, value: Any) -> bool:
        """Whether a JSON value has the field's type, nothing converted."""
        try:
            _adapter(self.owner, self.path.rpartition(".")[2]).validate_json(orjson.dumps(value), strict=True)
        except (ValidationError, TypeError):
            return False
        return True


@cache
def _adapter(owner: type[Record], alias: str) -> TypeAdapter[Any]:
    annotation: Any = _named(owner)[alias].annotation
    return TypeAdapter(annotation)


@cache
def _named(record: type[Record]) -> Mapping[str, FieldInfo]:
    return {info.alias or name: info for name, info in record.model_fields.items()}


@cache
def fields_of(record: type[Record]) -> Mapping[str, EvidenceField]:
    """The fields of a record and of the records in it, by path from it."""
    return {field.path: field for field in _walk(record, "")}


def _walk(record: type[Record], prefix: str) -> Iterator[EvidenceField]:
    for alias, info in _named(record).items():
        inner, many = _record_in(info.annotation)
        sources = tuple(each for each in info.metadata if isinstance(each, Source))
        yield EvidenceField(prefix + alias, record, info.annotation, info.description or "", sources, inner, many)
        if inner is not None:
            yield from _walk(inner, f"{prefix}{alias}{'[]' if many else ''}.")


def _record_in(annotation: Any) -> tuple[type[Record] | None, bool]:
    """The record that a type holds, and whether it holds several."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return annotation, False
    for part in get_args(annotation):
        found, many = _record_in(part)
        if found is not None:
            return found, many or get_origin(annotation) is tuple
    return None, False


EVIDENCE = fields_of(Evidence)

ATTESTABLE: Mapping[str, tuple[type[Record], ...]] = {
    "MODEL": (Subject,),
    "MODEL_VERSION": (Subject,),
    "DATASET": (Dataset,),
    "DATASET_VERSION": (Dataset,),
    "RUN": (TrainingRun, Evaluation),
    "JOB": (Deployment,),
    "DEPLOYMENT": (Deployment,),
}
"""Whose fields a statement of the type `field` may give, by the kind of the node that it is about."""


def attestable_field(kind: str, path: str) -> EvidenceField | None:
    """The field that a person may state of a node of this kind; None where there is none."""
    for record in ATTESTABLE.get(kind, ()):
        found = fields_of(record).get(path)
        if found is not None and found.is_attestable and "[]" not in path:
            return found
    return None
