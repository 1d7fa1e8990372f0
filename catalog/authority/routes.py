"""Keys and people over HTTP: `/api/v1/keys`, `/api/v1/people`. JSON in and out, errors as at the lineage door."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog import instant
from catalog.authority.administration import Administration, key_request
from catalog.authority.authenticator import Authenticator
from catalog.authority.keys import ApiKey, KeyState
from catalog.errors import (
    InvalidInputError,
    LinewardError,
    RetryableError,
)
from catalog.log.writer import microseconds_now
from catalog.principal import CHALLENGE, Principal
from catalog.refusal import TooLargeError, UnsupportedBodyError, status_of

_MOST = 64 * 1024  # bytes of a request


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: who, for which key, with what document ({} where there is none)."""

    by: Principal
    key: str
    document: dict[str, Any]


Act = Callable[[Administration, _Asked], Any]


def authority_routes(authenticator: Authenticator, administration: Administration) -> list[Route]:
    """Keys are made, listed, confirmed and revoked; people are identified."""

    def route(path: str, method: str, act: Act, status: int = 200) -> Route:
        endpoint = partial(_answer, authenticator, administration, act, status)
        return Route(f"/api/v1{path}", endpoint, methods=[method], name=f"{method} {path}")

    return [
        route("/keys", "GET", _list),
        route("/keys", "POST", _create, 201),
        route("/keys/{key}/confirm", "POST", _confirm),
        route("/keys/{key}/revoke", "POST", _revoke),
        route("/people", "POST", _identify, 201),
    ]


async def _answer(
    authenticator: Authenticator, administration: Administration, act: Act, status: int, request: Request
) -> Response:
    try:
        by = await run_in_threadpool(authenticator.principal_of, request.headers)
        asked = _Asked(by, request.path_params.get("key", ""), await _document(request))
        return _json(await run_in_threadpool(act, administration, asked), status)
    except LinewardError as error:
        return refusal(error)


def refusal(error: LinewardError) -> Response:
    """An error as an answer: its status, its code, what happened and what to do."""
    told = {"code": error.code, "message": error.message, "remedy": error.remedy, "pointer": error.pointer}
    status = status_of(error)
    answer = _json({"error": told}, status)
    if answer.status_code == 401:
        answer.headers["www-authenticate"] = CHALLENGE
    if isinstance(error, RetryableError):
        answer.headers["retry-after"] = str(error.retry_after)
    return answer


def _json(content: Any, status: int) -> Response:
    """Never kept by a cache: a new key is in it."""
    return Response(orjson.dumps(content), status, {"cache-control": "no-store"}, "application/json")


async def _document(request: Request) -> dict[str, Any]:
    """The body, which has to say that it is JSON: a form on some page cannot."""
    if request.method == "GET":
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedBodyError("the body is not said to be JSON", "send content-type: application/json")
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > _MOST:
            raise TooLargeError(f"the body has more than {_MOST:,} bytes", "send less")
    try:
        document = orjson.loads(content or b"{}")
    except orjson.JSONDecodeError as error:
        raise InvalidInputError(f"the body is no JSON: {error}", "send a JSON object") from error
    if not isinstance(document, dict):
        raise InvalidInputError("the body is no JSON object", "send a JSON object")
    return document


def _list(administration: Administration, asked: _Asked) -> Any:
    return {"keys": [described(key, state) for key, state in administration.keys(asked.by)]}


def _create(administration: Administration, asked: _Asked) -> Any:
    made = administration.create(asked.by, key_request(asked.document))
    return {"key": _now(made.key), "secret": made.text}


def _confirm(administration: Administration, asked: _Asked) -> Any:
    return {"key": _now(administration.confirm(asked.by, asked.key))}


def _revoke(administration: Administration, asked: _Asked) -> Any:
    reason = asked.document.get("reason")
    if not isinstance(reason, str | None):
        raise InvalidInputError("the reason is no string", "send a string", pointer="/reason")
    return {"key": _now(administration.revoke(asked.by, asked.key, reason))}


def _identify(administration: Administration, asked: _Asked) -> Any:
    alias, person = asked.document.get("alias"), asked.document.get("person")
    if not isinstance(alias, str) or not isinstance(person, str):
        raise InvalidInputError("alias and person are needed", 'send {"alias": "email:…", "person": "…"}')
    found = administration.identify(asked.by, alias, person)
    return {"alias": found.alias, "person": found.person, "pending": found.pending}


def _now(key: ApiKey) -> dict[str, Any]:
    return described(key, key.state(microseconds_now()))


def described(key: ApiKey, state: KeyState) -> dict[str, Any]:
    """A key as JSON: everything that is known of it but its digest."""
    return {
        "id": key.id,
        "owner": key.owner,
        "state": state.value,
        "scopes": [scope.value for scope in key.scopes],
        "namespaces": list(key.namespaces),
        "roles": list(key.roles),
        "createdAt": instant.text(key.created),
        "createdBy": key.created_by["principal"],
        "expiresAt": instant.optional_text(key.expires),
        "confirmedBy": None if key.confirmed_by is None else key.confirmed_by["principal"],
        "revokedAt": instant.optional_text(key.revoked),
        "revokedBy": None if key.revoked_by is None else key.revoked_by["principal"],
    }
