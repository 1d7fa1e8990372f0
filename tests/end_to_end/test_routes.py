"""What a browser, a supervisor and a collector of metrics get."""

import json
from urllib.parse import quote

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.end_to_end.server_process import ServerProcess
from tests.end_to_end.story import event

FACETS = (
    "LinewardModelDatasetFacet",
    "LinewardTrainingRunFacet",
    "LinewardInputInputDatasetFacet",
    "LinewardEvaluationRunFacet",
    "LinewardServingRunFacet",
    "LinewardPredictionsRunFacet",
    "LinewardPredictionsOutputDatasetFacet",
    "LinewardDataGovernanceDatasetFacet",
)


def test_the_root_is_a_page(shared_server: ServerProcess) -> None:
    page = shared_server.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'self'")


@pytest.mark.parametrize("accept", ["text/html", "application/json", "application/graphql-response+json", "*/*"])
def test_a_query_in_an_address_is_never_executed(shared_server: ServerProcess, accept: str) -> None:
    query = quote("{ log { size root } }")
    answer = httpx.get(f"{shared_server.url}/graphql?query={query}", headers={"Accept": accept})
    assert answer.text == shared_server.get("/graphql").text
    assert answer.headers["content-type"].startswith("text/html")
    assert shared_server.ask("{ log { root } }")["log"]["root"] not in answer.text


@pytest.mark.parametrize("name", FACETS)
def test_the_schema_of_each_facet_is_published_for_good(shared_server: ServerProcess, name: str) -> None:
    published = shared_server.get(f"/spec/facets/1-0-0/{name}.json")
    assert published.status_code == 200
    assert published.json()["$id"].endswith(f"/spec/facets/1-0-0/{name}.json")
    assert "immutable" in published.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/spec/facets/1-0-0/Nothing.json", "/spec/facets/9-0-0/LinewardModelDatasetFacet.json"]
)
def test_a_schema_that_does_not_exist_is_not_found(shared_server: ServerProcess, path: str) -> None:
    assert shared_server.get(path).status_code == 404


def test_a_running_server_is_alive_and_ready(shared_server: ServerProcess) -> None:
    assert shared_server.get("/livez").status_code == 200
    ready = shared_server.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


def test_the_metrics_count_what_was_logged_and_projected(shared_server: ServerProcess) -> None:
    shared_server.record(event(302, "counted", "09:00:00", "START"))
    size = shared_server.await_projection()
    families = text_string_to_metric_families(shared_server.get("/metrics").text)
    found = {sample.name: sample.value for family in families for sample in family.samples}
    assert (found["lineward_log_size"], found["lineward_projection_offset"]) == (size, size)
    assert found["lineward_projection_lag_seconds"] == 0


def test_an_address_with_a_slash_too_many_is_no_redirect(shared_server: ServerProcess) -> None:
    body = json.dumps(event(303, "lost", "09:00:00", "START")).encode()
    assert httpx.post(f"{shared_server.url}/api/v1/lineage/", content=body).status_code == 404
