"""Which fields of a document are missing, who could send each, and what to paste so that they do."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.evidence.fields import EVIDENCE, EvidenceField, attestable_field
from policies.evidence.snippet import attest, snippet
from policies.evidence.source import Source, SourceKind


@dataclass(frozen=True, slots=True)
class Sender:
    """One way to fill a field. `snippet` is empty where the graph computes it."""

    source: Source
    snippet: str


@dataclass(frozen=True, slots=True)
class FieldGap:
    """A field that is not there. `path` is as expressions read it: `trainingDatasets.licence`.

    `item` is the id of the record that lacks it, None for the document itself; `name` says what that record is of.
    """

    path: str
    item: str | None
    name: str
    meaning: str
    senders: tuple[Sender, ...]


def gaps_of(document: Mapping[str, Any], paths: Iterable[str]) -> list[FieldGap]:
    """The gaps among some fields of a document, by path and item; of an empty list the list itself is missing.

    Paths that are no fields of the evidence are left out: whoever reads them was refused before.
    """
    found = (gap for path in sorted(set(paths)) for gap in _of_path(document, path))
    return sorted({(gap.path, gap.item): gap for gap in found}.values(), key=lambda gap: (gap.path, gap.item or ""))


def _of_path(document: Mapping[str, Any], path: str) -> Iterator[FieldGap]:
    field = _BY_DOTS.get(path)
    if field is not None:
        yield from _missing(document, field, field.path.split("."), document)


def _missing(
    document: Mapping[str, Any], field: EvidenceField, steps: list[str], record: Mapping[str, Any]
) -> Iterator[FieldGap]:
    """Follow a path down; `record` is the innermost record with an id on the way."""
    place: Any = document
    for number, step in enumerate(steps):
        name = step.removesuffix("[]")
        value = place.get(name)
        if step.endswith("[]"):
            if not value:
                yield _gap(field, record)
            for each in value or ():
                yield from _missing(each, field, steps[number + 1 :], each if _id(each) else record)
            return
        if value is None or (value == [] and field.many):
            yield _gap(field, record)
            return
        if isinstance(value, Mapping) and _id(value):
            record = value
        place = value


def _gap(field: EvidenceField, record: Mapping[str, Any]) -> FieldGap:
    whole = "subject" in record
    of = record["subject"] if whole else record
    node = _id(of) or ""
    name = of.get("name") or of.get("job") or of.get("kind") or ""
    version = of.get("version")
    item = None if whole or of.get("kind") in _SUBJECTS else node
    return FieldGap(
        field.path.replace("[]", ""),
        item,
        f"{name}@{version}" if version else str(name),
        field.meaning,
        tuple(_senders(field, node)),
    )


def _senders(field: EvidenceField, node: str) -> Iterator[Sender]:
    sources = tuple(_inner_sources(field)) if field.record else field.sources
    for source in sources:
        yield Sender(source, snippet(source, node))
    typed = any(source.kind is SourceKind.ATTESTED for source in sources)
    if not typed and (said := _stated(field, node)):
        yield Sender(Source(SourceKind.ATTESTED, "field", "value"), said)


def _inner_sources(field: EvidenceField) -> list[Source]:
    """What can send any part of a record."""
    inner = (each for path, each in EVIDENCE.items() if path.startswith((f"{field.path}.", f"{field.path}[].")))
    found = {
        (source.kind, source.name): source
        for each in inner
        for source in each.sources
        if source.kind is not SourceKind.COMPUTED
    }
    return list(found.values())


def _stated(field: EvidenceField, node: str) -> str:
    """The command that states the field as such."""
    for prefix, kind in _STATED.items():
        if field.path.startswith(prefix):
            path = field.path.removeprefix(prefix)
            if attestable_field(kind, path) is not None:
                examples = (*(source.example for source in field.sources), *_BLANKS)
                fitting = (each for each in examples if each is not None and field.accepts(each))
                value = next(fitting, None)
                return "" if value is None else attest("field", {"path": path, "value": value}, node)
    return ""


def _id(record: Mapping[str, Any]) -> str | None:
    return record.get("id") or record.get("run")


_BLANKS = ("…", True, 0, 0.5, ["…"])
_STATED: Mapping[str, str] = {
    "subject.": "MODEL_VERSION",
    "trainingRuns[].": "RUN",
    "trainingDatasets[].": "DATASET_VERSION",
    "validationDatasets[].": "DATASET_VERSION",
    "testDatasets[].": "DATASET_VERSION",
    "evaluations[].": "RUN",
    "deployments[].": "DEPLOYMENT",
}
_SUBJECTS = ("MODEL_VERSION", "DATASET_VERSION", "RUN", "DEPLOYMENT")
_BY_DOTS: Mapping[str, EvidenceField] = {path.replace("[]", ""): field for path, field in EVIDENCE.items()}
