"""The doors that speak no GraphQL, as an OpenAPI 3.1 document: `GET /openapi.json`.

Tools read it, and the tests ask every route what it allows. Bodies that a model of ours checks are described by it.
"""

from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from catalog.authority.administration import KeyRequest
from policies.http import Question

Schema = dict[str, Any]

_REFUSALS = {
    400: "The body is not what the route takes",
    401: "Nobody who is known asks",
    403: "Whoever asks may not",
    404: "There is no such thing",
    408: "The body took too long",
    409: "It is not in the state for that",
    413: "More than a limit allows",
    415: "A type or encoding that is not read",
    422: "JSON that is no event",
    429: "Too much at the same time",
    503: "Not now; Retry-After says when",
}


def openapi_routes() -> list[Route]:
    """`GET /openapi.json`."""
    return [Route("/openapi.json", _answer)]


def _answer(request: Request) -> Response:
    return JSONResponse(openapi_document(), headers={"Cache-Control": "public, max-age=3600"})


def openapi_document() -> Schema:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lineward",
            "version": version("lineward"),
            "summary": "The evidence graph and release gate for machine-learning systems",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": _ingest() | _gate() | _compliance() | _keys() | _proofs() | _health() | _schemas(),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Error": _object(error=_object(code=_TEXT, message=_TEXT, pointer=_TEXT), required=["error"]),
                **_modelled(),
            },
        },
        "security": [{}, {"bearer": []}],
    }


# Routes ------------------------------------------------------------------------------------------------------------


def _ingest() -> Schema:
    event = {"type": "object", "description": "An OpenLineage RunEvent, JobEvent or DatasetEvent"}
    taken = _object(seq=_COUNT, leafHash=_TEXT, token=_TEXT, duplicate=_FLAG)
    summary = _object(received=_COUNT, successful=_COUNT, failed=_COUNT, retriable=_COUNT, non_retriable=_COUNT)
    failed = {"type": "array", "items": _object(index=_COUNT, reason=_TEXT, retriable=_FLAG)}
    batch = _object(status=_TEXT, summary=summary, failed_events=failed)
    refusals = (400, 401, 403, 408, 413, 415, 422, 429, 503)
    return {
        "/api/v1/lineage": {
            "post": _operation("Send one event; it is durable when this answers", 201, taken, refusals, body=event)
        },
        "/api/v1/lineage/batch": {
            "post": _operation(
                "Send several events", 200, batch, refusals, body={"type": "array", "items": event, "maxItems": 1000}
            )
        },
    }


def _gate() -> Schema:
    state = {"enum": ["ALLOW", "DENY", "PENDING", "INDETERMINATE"]}
    reasons = {"type": "array", "items": {}}
    answer = _object(decisionId=_MAYBE, allow=_FLAG, state=state, reasons=reasons, environment=_TEXT, token=_MAYBE)
    operation = _operation(
        "Ask the release gate about a model version",
        200,
        answer,
        (400, 401, 403, 404, 409, 503),
        body=_reference(Question),
    )
    return {"/api/v1/gate/decisions": {"post": operation}}


def _compliance() -> Schema:
    asked = [
        _parameter(name, what, _TEXT, "query")
        for name, what in (
            ("pack", "The pack, as NAME or NAME@VERSION"),
            ("environment", "The environment to judge for"),
            ("valid", "As of this time"),
            ("known", "As of this size of the log"),
            ("evaluatedAt", "The time at which the controls are judged"),
            ("name", "Only models with this in their name"),
        )
    ]
    refusals = (400, 401, 403, 404, 409, 503)

    def export(what: str, media: str) -> Schema:
        content = {media: {"schema": {"format": "binary"}}}
        return {"get": _operation(what, 200, None, refusals, asked, content=content)}

    return {
        "/api/v1/compliance.csv.zip": export("Models against the controls of a pack, as CSV", "application/zip"),
        "/api/v1/compliance.xlsx": export("The same as a workbook", _WORKBOOK),
    }


def _keys() -> Schema:
    key = _object(id=_TEXT, owner=_TEXT, state=_TEXT, scopes=_LIST, namespaces=_LIST, roles=_LIST)
    one, refusals = _object(key=key), (400, 401, 403, 404, 409, 413, 415, 503)
    named = [_parameter("key", "The key's id", _TEXT)]
    created = _object(key=key, secret=_TEXT)
    person = _object(alias=_TEXT, person=_TEXT, pending=_FLAG)
    reason = {"type": "object", "properties": {"reason": _MAYBE}}
    identity = {"type": "object", "properties": {"alias": _TEXT, "person": _TEXT}, "required": ["alias", "person"]}
    return {
        "/api/v1/keys": {
            "get": _operation("Every key", 200, _object(keys={"type": "array", "items": key}), refusals),
            "post": _operation("Make a key", 201, created, refusals, body=_reference(KeyRequest)),
        },
        "/api/v1/keys/{key}/confirm": {
            "post": _operation("Agree to a key", 200, one, refusals, named, body={"type": "object"})
        },
        "/api/v1/keys/{key}/revoke": {"post": _operation("End a key", 200, one, refusals, named, body=reason)},
        "/api/v1/people": {"post": _operation("Say who somebody is", 201, person, refusals, body=identity)},
    }


def _proofs() -> Schema:
    text, octets = {"text/plain": {"schema": _TEXT}}, {"application/octet-stream": {"schema": {"format": "binary"}}}
    cosigned = _operation(
        "Give a cosignature of a known witness", 204, None, (400, 403, 413, 500), body=_TEXT, media="text/plain"
    )
    tile = [_parameter("path", "Level and index, as tlog-tiles writes them", _TEXT)]
    receipt = [
        _parameter("named", "A position in the log, or the id of an act", _TEXT),
        _parameter("body", "Whether the receipt holds the entry's body", {"enum": ["true", "false"]}, "query"),
    ]
    return {
        "/checkpoint": {"get": _operation("The newest signed checkpoint", 200, None, (500, 503), content=text)},
        "/checkpoint/key": {"get": _operation("Its public keys, one a line", 200, None, (), content=text)},
        "/checkpoint/cosignatures": {"post": cosigned},
        "/tile/{path}": {
            "get": _operation("A tile of the tree", 200, None, (400, 401, 403, 404, 503), tile, content=octets)
        },
        "/api/v1/receipts/{named}": {
            "get": _operation(
                "A receipt (tlog-proof) of an entry", 200, None, (400, 401, 403, 404, 500, 503), receipt, content=text
            )
        },
    }


def _health() -> Schema:
    status = _object(status=_TEXT)
    plain = {"text/plain": {"schema": _TEXT}}
    return {
        "/livez": {"get": _operation("Whether the process answers", 200, status, ())},
        "/readyz": {"get": _operation("Whether it takes events; degraded loses nothing", 200, status, (503,))},
        "/metrics": {"get": _operation("Prometheus metrics", 200, None, (), content=plain)},
    }


def _schemas() -> Schema:
    facet = [_parameter("version", "Such as 1-0-0", _TEXT), _parameter("name", "Such as PredictionRecord", _TEXT)]
    kind = [_parameter("kind", "A kind of policy document", _TEXT)]
    schema = {"type": "object"}
    return {
        "/spec/facets/{version}/{name}.json": {
            "get": _operation("JSON schema of a facet", 200, schema, (404,), facet, media="application/schema+json")
        },
        "/spec/policies/v1/{kind}.json": {
            "get": _operation(
                "JSON schema of a policy document", 200, schema, (404,), kind, media="application/schema+json"
            )
        },
    }


def _modelled() -> Schema:
    """The bodies that are models of ours, and what those refer to."""
    found: Schema = {}
    for model in (Question, KeyRequest):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        found |= schema.pop("$defs", {}) | {model.__name__: schema}
    return found


def _reference(model: type[BaseModel]) -> Schema:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


# Parts -------------------------------------------------------------------------------------------------------------

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TEXT: Schema = {"type": "string"}
_MAYBE: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}
_LIST: Schema = {"type": "array", "items": _TEXT}


def _object(required: list[str] | None = None, **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": required or sorted(properties)}


def _parameter(name: str, what: str, schema: Schema, place: str = "path") -> Schema:
    return {"name": name, "in": place, "required": place == "path", "description": what, "schema": schema}


def _operation(
    summary: str,
    status: int,
    answer: Schema | None,
    refusals: tuple[int, ...],
    parameters: list[Schema] | None = None,
    *,
    body: Schema | None = None,
    media: str = "application/json",
    content: Schema | None = None,
) -> Schema:
    """One method of a path; `answer` is JSON of type `media`, `content` what else it may be."""
    good: Schema = {"description": summary}
    if answer is not None:
        good["content"] = {media: {"schema": answer}}
    elif content is not None:
        good["content"] = content
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    told = {str(code): {"description": _REFUSALS.get(code, "It failed"), "content": error} for code in refusals}
    operation: Schema = {"summary": summary, "responses": {str(status): good} | told}
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        kind = media if answer is None else "application/json"
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": body}}}
    return operation
