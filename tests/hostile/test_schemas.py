"""Every route and every field is asked what its schema allows, and what it does not: no answer is an accident.

Whatever is sent, the server answers with a status that the schema names, in the form that it gives, and never with an
error that it did not mean.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from graphql import parse_value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

from catalog.openapi import openapi_document
from catalog.pages import EXPLORER_PATHS
from catalog.server import create_app, opened
from catalog.settings import Settings
from catalog_graphql.assets import asset_routes
from catalog_graphql.schema import schema
from tests.end_to_end.server_process import PATIENCE, serving

schemathesis.graphql.scalar("JSON", st.sampled_from(["{}", "[]", "1", '"x"', '{kind: "PolicyPack"}']).map(parse_value))
PAGES = {*EXPLORER_PATHS, *(route.path for route in asset_routes()), "/graphql", "/openapi.json", "/style.css"}
GRAPHQL = schema()._schema
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
FEW = settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The routes of a server of their own: some of them end what an open server lets everybody do."""
    with serving(tmp_path_factory.mktemp("rest") / "data") as server:
        yield schemathesis.openapi.from_url(f"{server.url}/openapi.json")


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serving(tmp_path_factory.mktemp("graphql") / "data") as server:
        yield schemathesis.graphql.from_url(f"{server.url}/graphql")


ROUTES = [
    (path, method, mode)
    for path, methods in openapi_document()["paths"].items()
    for method, operation in methods.items()
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or "requestBody" in operation  # a path cannot be wrong, only lead nowhere
]


@pytest.mark.parametrize(("path", "method", "mode"), ROUTES)
def test_a_route_answers_as_its_schema_says(rest: Any, path: str, method: str, mode: GenerationMode) -> None:
    @FEW
    @given(case=rest[path][method].as_strategy(generation_mode=mode))
    def asked(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS, timeout=PATIENCE)

    asked()


FIELDS = [
    (kind.name, field)
    for kind in (GRAPHQL.query_type, GRAPHQL.mutation_type)
    if kind is not None
    for field in kind.fields
]


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_a_field_answers_with_data_or_with_an_error_that_was_meant(questions: Any, kind: str, field: str) -> None:
    @FEW
    @given(case=questions[kind][field].as_strategy())
    def asked(case: schemathesis.Case[Any]) -> None:
        response = case.call(timeout=PATIENCE)
        assert response.status_code in (200, 400, 503), response.text
        for error in json.loads(response.text).get("errors", []):
            assert error["extensions"]["code"] != "INTERNAL", (case.body, error)

    asked()


def test_the_document_names_every_route_that_is_no_page(tmp_path: Path) -> None:
    with opened(Settings(data=tmp_path / "data")) as parts:
        paths = {route.path for route in create_app(parts).routes if isinstance(route, Route)}
    pages = {path for path in paths if path in PAGES or path.endswith("{rest:path}")}
    assert {path.replace(":path", "") for path in paths - pages} == set(openapi_document()["paths"])
