"""GraphQL over HTTP: media types, status codes, and what is refused."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

from catalog_graphql.application import create_graphql
from catalog_graphql.media import preferred
from tests.graphql.world import World

JSON, RESPONSE = "application/json", "application/graphql-response+json"
GOOD: dict[str, Any] = {"query": "{ log { size } }"}


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*;q=0.8", JSON),
        (JSON, JSON),
        (RESPONSE, RESPONSE),
        (f"{RESPONSE}, {JSON}", RESPONSE),
        (f"{JSON}; charset=utf-8, {RESPONSE}; charset=utf-8", RESPONSE),
        (f"{RESPONSE};q=0.5, {JSON};q=0.9", JSON),
        (f"{RESPONSE};q=0, {JSON};q=0.1", JSON),
        (f"{RESPONSE};q=much", JSON),
        ("text/html", JSON),
    ],
)
def test_the_media_type_is_the_one_that_is_liked_best(accept: str, media: str) -> None:
    assert preferred(accept) == media


@pytest.mark.parametrize(("media", "refused"), [(JSON, 200), (RESPONSE, 400)])
def test_the_status_follows_the_media_type(client: TestClient, media: str, refused: int) -> None:
    def status(query: str) -> tuple[int, bool]:
        answer = client.post("/", json={"query": query}, headers={"accept": media})
        assert answer.headers["content-type"] == media
        return answer.status_code, "data" in answer.json()

    assert status("{ log { size } }") == (200, True)
    assert status('{ lineage(of: {run: "x"}) { depthReached } }') == (200, True)
    assert status("{ nonsense }") == (refused, False)
    assert status("{ log") == (refused, False)
    assert status("query a { log { size } } query b { log { size } }") == (refused, False)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"content": b"{", "headers": {"content-type": JSON}}, 400),
        ({"content": b"[]", "headers": {"content-type": JSON}}, 400),
        ({"content": b'"text"', "headers": {"content-type": JSON}}, 400),
        ({"content": b"\xff", "headers": {"content-type": JSON}}, 400),
        ({"content": b"[" * 50_000, "headers": {"content-type": JSON}}, 400),
        ({"json": {}}, 400),
        ({"json": {"query": 1}}, 400),
        ({"json": GOOD | {"variables": "no"}}, 400),
        ({"json": {"query": "subscription { runs { id } }"}}, 400),
        ({"content": b"query={log{size}}", "headers": {"content-type": "application/x-www-form-urlencoded"}}, 415),
        ({"content": b"{}", "headers": {"content-type": "text/plain"}}, 415),
        ({"files": {"operations": b"{}"}}, 415),
        ({"json": {"query": "#" * 300_000}}, 413),
    ],
)
def test_what_is_no_operation_is_refused_in_json(client: TestClient, request_: dict[str, Any], status: int) -> None:
    answer = client.post("/", **request_)

    assert answer.status_code == status
    assert answer.json()["errors"][0]["message"]


def test_a_cookie_needs_the_header_that_no_form_can_send(client: TestClient) -> None:
    cookie = {"cookie": "session=1"}

    assert client.post("/", json=GOOD, headers=cookie).status_code == 403
    assert client.post("/", json=GOOD, headers=cookie | {"x-lineward-csrf": "1"}).status_code == 200
    assert client.post("/", json=GOOD, headers=cookie | {"authorization": "Bearer x"}).status_code == 200


def test_get_never_runs_a_query(world: World) -> None:
    query = "/graphql?query={log{size}}"
    page = PlainTextResponse("the page")

    bare = world.client().get(query)
    assert (bare.status_code, bare.headers["allow"]) == (405, "POST")
    assert world.client(page=page).get(query).text == "the page"
    assert world.client(page=page).put("/graphql").status_code == 405


def test_it_is_mounted_by_routes_of_one_path(world: World) -> None:
    application = create_graphql(world.access, world.entry)
    routes = [Route("/graphql", application), WebSocketRoute("/graphql", application)]
    client = TestClient(Starlette(routes=routes))

    answer = client.post("/graphql", json=GOOD, follow_redirects=False)
    assert answer.json() == {"data": {"log": {"size": 11}}}
    with client.websocket_connect("/graphql", subprotocols=["graphql-transport-ws"]) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json()["type"] == "connection_ack"


def test_one_of_several_operations_is_run_by_its_name(client: TestClient) -> None:
    several = {"query": "query a { log { size } } query b { log { root } }", "operationName": "a"}

    assert client.post("/", json=several).json() == {"data": {"log": {"size": 11}}}


def test_a_document_of_too_many_tokens_is_refused(client: TestClient) -> None:
    answer = client.post("/", json={"query": "{ log { size } }" + " #x\n" * 10 + "query a { log { size } }" * 1_000})

    assert answer.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


def test_introspection_is_answered(client: TestClient) -> None:
    from graphql import get_introspection_query

    assert "errors" not in client.post("/", json={"query": get_introspection_query()}).json()
