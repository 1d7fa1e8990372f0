"""The part of the OpenLineage core schema that our facet schemas and the shape of an event refer to."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from ingest.spec import VERSION, schema, versions

CORE = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
BASE_FACET = {
    "type": "object",
    "properties": {"_producer": {"type": "string"}, "_schemaURL": {"type": "string"}},
    "required": ["_producer", "_schemaURL"],
}
NAMED = {
    "type": "object",
    "properties": {"namespace": {"type": "string"}, "name": {"type": "string"}, "facets": {"type": "object"}},
    "required": ["namespace", "name"],
}
FACETS = ("RunFacet", "DatasetFacet", "InputDatasetFacet", "OutputDatasetFacet")
DOCUMENT: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": CORE,
    "$defs": {
        "BaseFacet": BASE_FACET,
        **{name: {"allOf": [{"$ref": "#/$defs/BaseFacet"}]} for name in FACETS},
        "RunEvent": {
            "type": "object",
            "properties": {
                "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
                "eventTime": {"type": "string", "format": "date-time"},
                "producer": {"type": "string", "format": "uri"},
                "schemaURL": {"const": f"{CORE}#/$defs/RunEvent"},
                "run": {
                    "type": "object",
                    "properties": {
                        "runId": {"type": "string", "format": "uuid"},
                        "facets": {"additionalProperties": {"$ref": "#/$defs/BaseFacet"}},
                    },
                    "required": ["runId"],
                },
                "job": NAMED,
                "inputs": {"type": "array", "items": NAMED},
                "outputs": {"type": "array", "items": NAMED},
            },
            "required": ["eventTime", "producer", "schemaURL", "run", "job"],
        },
    },
}


def document(name: str) -> dict[str, Any]:
    body = schema(name)
    assert body is not None
    parsed: dict[str, Any] = json.loads(body)
    return parsed


@cache
def registry() -> Registry[Any]:
    """Resolves the core schema and all of ours, without a network."""
    ours = [document(name) for name in versions()[VERSION]]
    return Registry().with_resources((item["$id"], Resource.from_contents(item)) for item in [DOCUMENT, *ours])


def validator(reference: str) -> Draft202012Validator:
    """Validates against the schema at `reference`, formats included."""
    return Draft202012Validator(
        {"$ref": reference}, registry=registry(), format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def check_event(event: dict[str, Any]) -> None:
    """Raises ValidationError unless `event` is a RunEvent whose facets of ours fit their schemas."""
    validator(f"{CORE}#/$defs/RunEvent").validate(event)
    for facet in _facets(event):
        if facet["_schemaURL"].startswith("https://lineward.dev/"):
            validator(facet["_schemaURL"]).validate(facet)


def _facets(event: dict[str, Any]) -> list[dict[str, Any]]:
    datasets = [*event["inputs"], *event["outputs"]]
    holders = [event["run"]["facets"], event["job"]["facets"]]
    holders += [dataset.get(key, {}) for dataset in datasets for key in ("facets", "inputFacets", "outputFacets")]
    return [facet for holder in holders for facet in holder.values()]
