import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from ingest.spec import VERSION, facet_url, schema, schema_digest, schema_url, versions

NAMES = sorted(versions()[VERSION])
FACETS = [name for name in NAMES if name != "PredictionRecord"]


def test_every_facet_has_a_schema() -> None:
    keys = {key for name in FACETS for key in json.loads(schema(name) or b"")["properties"]}
    assert keys == {
        "lineward_model",
        "lineward_training",
        "lineward_input",
        "lineward_evaluation",
        "lineward_serving",
        "lineward_predictions",
        "lineward_dataGovernance",
        "lineward_registry",
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_and_named_by_its_canonical_address(name: str) -> None:
    document = json.loads(schema(name) or b"")
    Draft202012Validator.check_schema(document)
    assert document["$id"] == schema_url(name) == f"https://lineward.dev/spec/facets/1-0-0/{name}.json"


@pytest.mark.parametrize("name", FACETS)
def test_a_facet_extends_the_core_facet_that_its_name_ends_in(name: str) -> None:
    core = json.loads(schema(name) or b"")["$defs"][name]["allOf"][0]["$ref"].rpartition("/")[2]
    assert name.endswith(core)
    assert facet_url(name).endswith(f"{name}.json#/$defs/{name}")


@pytest.mark.parametrize("name", NAMES)
def test_every_property_is_described(name: str) -> None:
    document = json.loads(schema(name) or b"")
    described = [document] if name == "PredictionRecord" else _objects(document["$defs"])
    for item in described:
        for key, value in item.get("properties", {}).items():
            assert value.get("description"), f"{name}.{key}"


def _objects(definitions: dict[str, dict[str, object]]) -> list[dict[str, dict[str, dict[str, str]]]]:
    found: list[dict[str, dict[str, dict[str, str]]]] = []
    for definition in definitions.values():
        parts = definition.get("allOf", [definition])
        assert isinstance(parts, list)
        found += parts
    return found


@pytest.mark.parametrize(
    ("name", "version"), [("Nothing", VERSION), ("../1-0-0/PredictionRecord", VERSION), (NAMES[0], "9-0-0")]
)
def test_what_is_not_published_is_none(name: str, version: str) -> None:
    assert schema(name, version) is None


def test_a_digest_is_of_the_bytes_served() -> None:
    assert schema_digest("PredictionRecord").startswith("sha256:")
    with pytest.raises(KeyError):
        schema_digest("Nothing")


def test_the_reference_names_every_facet_and_property() -> None:
    reference = (Path(__file__).parents[2] / "docs" / "reference" / "facets.md").read_text()
    for name in NAMES:
        document = json.loads(schema(name) or b"")
        described = [document] if name == "PredictionRecord" else _objects(document["$defs"])
        assert name in reference
        for item in described:
            for key in item.get("properties", {}):
                assert f"{key}`" in reference, f"{name}.{key}"
