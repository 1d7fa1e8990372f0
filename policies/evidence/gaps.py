"""Which fields of a document are missing, who could send each, and what to paste so that they do."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from policies.evidence.fields import EVIDENCE, EvidenceField, attestable_field
from policies.evidence.people import address_of
from policies.evidence.snippet import attest, example_of, snippet
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
    if path == "subject.developersKnown" and document["subject"].get("developersKnown") is False:
        yield from _unknown_people(document)
    elif field is not None:
        yield from _missing(document, document, field, field.path.split("."), document)


def _unknown_people(document: Mapping[str, Any]) -> Iterator[FieldGap]:
    """Whom nobody has told us of, and the runs that name nobody."""
    field, subject = _BY_DOTS["subject.developersKnown"], document["subject"]
    names = dict.fromkeys(address_of(name) for name in subject.get("unknownDevelopers") or ())
    if names:
        gap = _gap(document, field, document)
        yield replace(gap, senders=tuple(Sender(_ADMINISTRATOR, _identify(name)) for name in names))
    for run in document.get("trainingRuns") or ():
        if not run.get("user") and not run.get("authors"):
            yield _gap(document, _BY_DOTS["trainingRuns.authors"], run)


def _identify(name: str) -> str:
    alias, person = shlex.quote(f"email:{name}"), shlex.quote(name)
    return f"lineward keys identify {alias} {person}  # or whoever owns that person's key, if another"


def _missing(
    document: Mapping[str, Any],
    place_of: Mapping[str, Any],
    field: EvidenceField,
    steps: list[str],
    record: Mapping[str, Any],
) -> Iterator[FieldGap]:
    """Follow a path down; `record` is the innermost record with an id on the way."""
    place: Any = place_of
    for number, step in enumerate(steps):
        name = step.removesuffix("[]")
        value = place.get(name)
        if step.endswith("[]"):
            if not value:
                yield _gap(document, field, record)
            for each in value or ():
                yield from _missing(document, each, field, steps[number + 1 :], each if _id(each) else record)
            return
        if value is None or (value == [] and field.many):
            yield _gap(document, field, record)
            return
        if isinstance(value, Mapping) and _id(value):
            record = value
        place = value


def _gap(document: Mapping[str, Any], field: EvidenceField, record: Mapping[str, Any]) -> FieldGap:
    whole = "subject" in record
    of = record["subject"] if whole else record
    node = _id(of) or ""
    name = of.get("name") or of.get("job") or of.get("kind") or _column_name(of)
    version = of.get("version")
    item = None if whole or of.get("kind") in _SUBJECTS else node
    return FieldGap(
        field.path.replace("[]", ""),
        item,
        f"{name}@{version}" if version else str(name),
        field.meaning,
        tuple(_of_column(document, field, of) if _is_column(of) else _senders(field, node)),
    )


def _is_column(record: Mapping[str, Any]) -> bool:
    return "datasetId" in record and "field" in record


def _column_name(record: Mapping[str, Any]) -> str:
    return f"{record['field']} in {record['dataset']}" if _is_column(record) else ""


def _of_column(document: Mapping[str, Any], field: EvidenceField, column: Mapping[str, Any]) -> Iterator[Sender]:
    """Nothing is stated of a column itself: what is said of it is said of the subject that it reaches."""
    about = {"field": column["field"], "dataset": column["dataset"]}
    for source in field.sources:
        if source.kind is SourceKind.ATTESTED:
            statement = example_of(source.name, source) | about
            yield Sender(source, attest(source.name, statement, document["subject"]["id"]))
        else:
            yield Sender(source, snippet(source, column["datasetId"]))


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


_ADMINISTRATOR = Source(SourceKind.COMPUTED, "what an administrator says of who is who")
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
