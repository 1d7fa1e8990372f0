"""Servers that run only what they know."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from catalog.errors import InvalidInputError
from catalog_graphql.trusted import TrustedDocuments, shipped, trusted_documents
from tests.graphql.world import World

SIZE = "# How long the log is.\nquery Size { log { size } }\n"
OPERATIONS = Path(__file__).parents[2] / "graphql/operations"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "size.graphql").write_text(SIZE)
    return tmp_path


@pytest.fixture
def closed(world: World, folder: Path) -> TestClient:
    return world.client(trusted=trusted_documents(folder))


def put(client: TestClient, **request: Any) -> Any:
    return client.post("/", json=request)


def test_a_known_document_runs_by_its_text_or_its_digest(closed: TestClient) -> None:
    digest = sha256(SIZE.encode()).hexdigest()
    for request in ({"query": SIZE}, {"documentId": digest}, {"documentId": f"sha256:{digest}"}):
        assert put(closed, **request).json() == {"data": {"log": {"size": 11}}}


@pytest.mark.parametrize("query", [SIZE + " ", SIZE.strip(), "{ log { size } }", "{ __typename }", "\ud800{ a }"])
def test_any_other_document_is_refused(closed: TestClient, query: str) -> None:
    answer = closed.post(
        "/",
        content=json.dumps({"query": query}),
        headers={"content-type": "application/json"},
    )

    assert "data" not in answer.json()
    assert answer.json()["errors"]


def test_the_refusal_says_what_to_do(closed: TestClient) -> None:
    (error,) = put(closed, query="{ log { size } }").json()["errors"]

    assert error["extensions"]["code"] == "FORBIDDEN"
    assert "documentId" in error["extensions"]["remedy"]


def test_sockets_are_held_to_the_same_list(closed: TestClient) -> None:
    with closed.websocket_connect("/", subprotocols=["graphql-transport-ws"]) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json()["type"] == "connection_ack"
        for name, query in (("1", "subscription { runs { id } }"), ("2", SIZE)):
            socket.send_json({"id": name, "type": "subscribe", "payload": {"query": query}})
        told = {message["id"]: message for message in (socket.receive_json() for _ in range(2))}

    assert told["1"]["type"] == "error"
    assert told["1"]["payload"][0]["extensions"]["code"] == "FORBIDDEN"
    assert told["2"]["payload"] == {"data": {"log": {"size": 11}}}


@pytest.mark.parametrize("document", ["0" * 64, "sha256:", "", 1, None, [], {}])
def test_an_unknown_digest_is_no_operation(closed: TestClient, document: object) -> None:
    answer = put(closed, documentId=document)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"


def test_digests_spare_text_where_everything_may_be_asked(world: World, folder: Path) -> None:
    client = world.client(trusted=trusted_documents(folder, only=False))

    assert put(client, documentId=sha256(SIZE.encode()).hexdigest()).json() == {"data": {"log": {"size": 11}}}
    assert put(client, query="{ log { size } }").json() == {"data": {"log": {"size": 11}}}


def test_clients_register_nothing(closed: TestClient) -> None:
    """Unlike automatic persisted queries, where whoever comes first adds to the list."""
    other = "{ log { root } }"
    extension = {"persistedQuery": {"version": 1, "sha256Hash": sha256(other.encode()).hexdigest()}}
    for request in ({"query": other, "extensions": extension}, {"extensions": extension}):
        assert "data" not in put(closed, **request).json()


def test_the_shipped_operations_run_on_a_closed_server(world: World) -> None:
    documents = trusted_documents(*shipped())
    client = world.client(trusted=documents)

    assert len(documents.texts) == len(list(OPERATIONS.glob("*.graphql"))) >= 5
    for text in documents.texts.values():
        refusals = [error["extensions"]["code"] for error in put(client, query=text).json().get("errors", [])]
        assert "FORBIDDEN" not in refusals


def test_a_folder_that_would_close_the_door_to_everybody_is_refused(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("no operation")
    (tmp_path / "bytes").mkdir()
    (tmp_path / "bytes" / "a.graphql").write_bytes(b"\xff")
    for folder in (tmp_path, tmp_path / "missing", tmp_path / "bytes"):
        with pytest.raises(InvalidInputError, match=str(tmp_path)):
            trusted_documents(folder)


def test_without_a_list_everything_is_known() -> None:
    assert not TrustedDocuments().only
