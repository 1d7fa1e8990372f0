"""What commands say to a server: it fits the schema, follows pages, and takes no answer for another."""

import json
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from graphql import parse, validate

from catalog.commands import remote, server_governing
from catalog.commands.governing import opened
from catalog_graphql.schema import schema
from tests.catalog.commands.conftest import Lineward

DOCUMENTS = {
    name: value
    for name, value in vars(server_governing).items()
    if name.isupper() and isinstance(value, str) and ("query" in value or "mutation" in value)
}
Reply = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Callable[[Reply], str]:
    """A server that replies as it is told; its URL."""

    def made(reply: Reply) -> str:
        @contextmanager
        def client(url: str) -> Any:
            with httpx.Client(base_url=url, transport=httpx.MockTransport(reply)) as found:
                yield found

        monkeypatch.setattr(remote, "asking_client", client)
        return "http://server"

    return made


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_document_is_valid(name: str) -> None:
    assert not validate(schema()._schema, parse(DOCUMENTS[name]))


def test_every_page_of_models_and_versions_is_read(server: Callable[[Reply], str]) -> None:
    def page(nodes: list[dict[str, Any]], after: str | None) -> dict[str, Any]:
        return {"nodes": nodes, "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}

    def reply(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)["variables"]
        second = asked["after"] is not None
        if "model" not in asked:
            data: dict[str, Any] = {"models": page([{"id": "b" if second else "a"}], None if second else "next")}
        else:
            name = asked["model"]
            version = {"id": f"{name}{second:d}", "namespace": None, "name": name, "version": f"{second:d}"}
            data = {"node": {"versions": page([version], None if second else "next")}}
        return httpx.Response(200, json={"data": data})

    with opened(server(reply), None) as governing:
        assert [each.title for each in governing.versions()] == ["a@0", "a@1", "b@0", "b@1"]
        assert [each.title for each in governing.versions(latest=True)] == ["a@0", "b@0"]


def _timeout(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("too late", request=request)


@pytest.mark.parametrize(
    "reply",
    [
        lambda _: httpx.Response(500, text="broken"),
        lambda _: httpx.Response(200, text="<html>please sign in</html>"),
        lambda _: httpx.Response(200, json={"data": None, "errors": [{"message": "no", "extensions": {}}]}),
        lambda _: httpx.Response(
            401, json={"errors": [{"message": "who?", "extensions": {"code": "UNAUTHENTICATED"}}]}
        ),
        _timeout,
    ],
    ids=["500", "sign-in page", "error", "401", "too late"],
)
def test_a_server_that_answers_badly_is_not_an_unreachable_one(
    server: Callable[[Reply], str], lineward: Lineward, reply: Reply
) -> None:
    asked = ["gate", "--id", "dv_1", "--env", "staging", "--on-error", "allow", "--url", server(reply)]
    done = lineward(*asked, env={"LINEWARD_ON_ERROR_ALLOW_ENVIRONMENTS": '["staging"]'})
    assert (done.exit_code, done.stdout) == (3, "")
