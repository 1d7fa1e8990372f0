"""The gate's flat door: JSON in, JSON out, for rollout controllers and scripts that speak no GraphQL."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from catalog.errors import (
    InvalidInputError,
    LinewardError,
    NotFoundError,
    RetryableError,
    UnauthenticatedError,
)
from catalog.model import DatasetRef, NodeRef
from catalog.principal import Principal
from catalog.refusal import status_of
from policies.acts import invalid
from policies.gate import Ruling
from policies.governance import Governance
from policies.published import DOCUMENTS, text_of
from policies.request import DecideRequest

_MOST = 64 * 1024  # bytes of a question

Name = Annotated[str, Field(min_length=1)]


class Question(BaseModel):
    """What is asked: a model version by `id`, or by `namespace`, `model` and `version`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Name | None = None
    namespace: str | None = None
    model: Name | None = None
    version: Name | None = None
    environment: Name
    packs: tuple[Name, ...] = ()
    use: str | None = None
    atLeast: str | None = None  # noqa: N815 - the JSON name
    preview: bool = False
    rollback: bool = False

    @model_validator(mode="after")
    def _names_one(self) -> "Question":
        named = (self.namespace, self.model, self.version)
        if (self.id is None) == (None in named) and (self.id is None or named != (None, None, None)):
            raise ValueError("name the version by id, or by namespace, model and version")
        return self

    def request(self) -> DecideRequest:
        target = NodeRef(id=self.id)
        if self.id is None:
            assert self.namespace is not None
            assert self.model is not None
            target = NodeRef(model=DatasetRef(self.namespace, self.model, self.version))
        return DecideRequest(target, self.environment, self.packs, self.use, self.atLeast, self.preview, self.rollback)


@dataclass(frozen=True, slots=True)
class GateDoor:
    """`principal_of` says who asks, from the headers."""

    governance: Governance
    principal_of: Callable[[Mapping[str, str]], Principal]

    def decide(self, headers: Mapping[str, str], body: bytes) -> Ruling:
        principal = self.principal_of(headers)
        return self.governance.gate.decide(principal, _question(body).request())


def gate_routes(door: GateDoor) -> list[Route]:
    """`POST /api/v1/gate/decisions`: 200 with a state, whatever it is; other statuses mean that nothing was asked."""

    async def decide(request: Request) -> Response:
        try:
            body = await _body(request)
            ruling = await asyncio.to_thread(door.decide, request.headers, body)
        except LinewardError as error:
            return _refusal(error)
        return JSONResponse(_answer(ruling))

    return [
        Route("/api/v1/gate/decisions", decide, methods=["POST"], name="gate-decisions"),
        Route("/spec/policies/v1/{kind}.json", _schema),
    ]


def _schema(request: Request) -> Response:
    """The schema of a kind of policy document, for editors. Not for ever the same: v1 grows."""
    kind = request.path_params["kind"]
    if kind not in DOCUMENTS:
        known = ", ".join(DOCUMENTS)
        return _refusal(NotFoundError(f"There is no kind of policy document {kind}.", f"There are {known}."))
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(text_of(kind), media_type="application/schema+json", headers=headers)


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > _MOST:
            raise InvalidInputError(f"The question is longer than {_MOST} bytes.", "Ask about one version at a time.")
        parts.append(part)
    return b"".join(parts)


def _question(body: bytes) -> Question:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInputError(f"The body is no JSON: {error}.", "Send a JSON object.") from error
    try:
        return Question.model_validate(told)
    except ValidationError as error:
        raise invalid(error) from error


def _answer(ruling: Ruling) -> dict[str, Any]:
    body = ruling.body
    told: dict[str, Any] = {
        "decisionId": ruling.act.id if ruling.act else None,
        "allow": ruling.allow,
        "state": ruling.state.value,
        "reasons": list(body.reasons),
        "environment": body.environment,
        "verdict": body.verdict,
        "evaluatedAt": body.evaluated_at,
        "expiresAt": body.expires_at,
        "evidenceDigest": body.evidence_digest,
        "token": ruling.token,
    }
    return told


def _refusal(error: LinewardError) -> Response:
    status = status_of(error)
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, RetryableError) else {}
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = "Bearer"
    message = f"{error.message} {error.remedy}".strip()
    told = {"error": {"code": error.code, "message": message, "pointer": error.pointer}}
    return JSONResponse(told, status, headers)
