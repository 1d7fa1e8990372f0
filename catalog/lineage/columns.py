"""What facets say of columns.

Bodies come from anyone and stay for ever, so whatever has not the form that its schema gives it is passed over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from catalog.identity import dataset_id, field_id
from catalog.model import Transformation


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """A column (by id) that flows into another one, or into every column of an output."""

    column: str
    transformations: frozenset[Transformation]

    @property
    def indirect(self) -> bool:
        """Whether it only decides about rows: a filter, a join, an order."""
        return {each.type for each in self.transformations} == {"INDIRECT"}


@dataclass(frozen=True, slots=True)
class ColumnLineage:
    """Sources by output path, and those that reach every path."""

    fields: dict[str, tuple[ColumnSource, ...]]
    wide: tuple[ColumnSource, ...] = ()


def column_lineage(body: bytes) -> ColumnLineage:
    """ColumnLineageDatasetFacet 1-2-0."""
    facet = mapping(orjson.loads(body))
    fields = {
        path: _sources(mapping(target).get("inputFields")) for path, target in mapping(facet.get("fields")).items()
    }
    return ColumnLineage(fields, _sources(facet.get("dataset")))


def stated_lineage(body: bytes, dataset: str | None = None) -> ColumnLineage:
    """LineageFacet 1-0-0: a dataset's own facet, or the entries for one dataset (id) of a job's."""
    facet = mapping(orjson.loads(body))
    entries = [facet] if dataset is None else [e for e in listed(facet.get("entries")) if _names(e, dataset)]
    fields: dict[str, tuple[ColumnSource, ...]] = {}
    wide: tuple[ColumnSource, ...] = ()
    for entry in entries:
        wide += _sources(entry.get("inputs"))
        for path, target in mapping(entry.get("fields")).items():
            fields[path] = fields.get(path, ()) + _sources(mapping(target).get("inputs"))
    return ColumnLineage(fields, wide)


def schema_paths(body: bytes) -> set[str]:
    """SchemaDatasetFacet 1-2-0, nested fields as dotted paths."""
    return set(_paths(mapping(orjson.loads(body)).get("fields"), ""))


def mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _names(entry: object, dataset: str) -> bool:
    named = mapping(entry)
    parts = named.get("namespace"), named.get("name")
    if not all(isinstance(part, str) for part in parts):
        return False
    return named.get("type") != "JOB" and dataset_id(str(parts[0]), str(parts[1])) == dataset


def _sources(entries: object) -> tuple[ColumnSource, ...]:
    found = []
    for entry in map(mapping, listed(entries)):
        parts = entry.get("namespace"), entry.get("name"), entry.get("field")
        if all(isinstance(part, str) for part in parts):
            column = field_id(dataset_id(str(parts[0]), str(parts[1])), str(parts[2]))
            found.append(ColumnSource(column, _transformations(entry.get("transformations"))))
    return tuple(found)


def _transformations(value: object) -> frozenset[Transformation]:
    found = set()
    for each in map(mapping, listed(value)):
        kind, subtype = each.get("type"), each.get("subtype")
        if isinstance(kind, str):
            found.add(Transformation(kind, subtype if isinstance(subtype, str) else None, each.get("masking") is True))
    return frozenset(found)


def _paths(fields: object, prefix: str) -> Iterator[str]:
    stack = [(prefix, fields)]
    while stack:
        above, entries = stack.pop()
        for entry in map(mapping, listed(entries)):
            if isinstance(entry.get("name"), str):
                path = above + entry["name"]
                yield path
                stack.append((path + ".", entry.get("fields")))
