"""Errors as callers see them: ours with code and remedy, all else behind an id that the server's own log has."""

from typing import Any
from uuid import uuid4

import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from catalog.errors import LinewardError, RetryableError

_log = structlog.get_logger("lineward.graphql")


def told(error: GraphQLError) -> GraphQLError:
    """The error with its `extensions.code`, less what was not meant for callers. Telling it again changes nothing."""
    if "code" in (error.extensions or {}):
        return error
    cause = _cause(error)
    if cause is None:
        return _with(error, _unhelpful(error.message), {"code": _language_code(error)})
    if isinstance(cause, LinewardError):
        return _with(error, cause.message, _extensions(cause))
    return _with(error, *_masked(error, cause))


def as_json(error: LinewardError) -> dict[str, Any]:
    """An error of ours that no operation is to blame for, as an element of `errors`."""
    return {"message": error.message, "extensions": _extensions(error)}


def _cause(error: GraphQLError) -> BaseException | None:
    """What was raised first: graphql-core wraps errors of scalars more than once."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _language_code(error: GraphQLError) -> str:
    """The codes that other servers give to documents that do not parse, or do not fit the schema."""
    return "GRAPHQL_PARSE_FAILED" if isinstance(error, GraphQLSyntaxError) else "GRAPHQL_VALIDATION_FAILED"


def _unhelpful(message: str) -> str:
    """Without the names that graphql-core suggests: whoever may see the schema can ask for it."""
    return message.partition(" Did you mean ")[0]


def _extensions(cause: LinewardError) -> dict[str, object]:
    found: dict[str, object] = {"code": cause.code, "remedy": cause.remedy}
    if cause.pointer:
        found["pointer"] = cause.pointer
    if isinstance(cause, RetryableError):
        found["retryAfter"] = cause.retry_after
    return found


def _masked(error: GraphQLError, cause: BaseException) -> tuple[str, dict[str, object]]:
    name = uuid4().hex
    _log.error("graphql.error", error_id=name, path=error.path, exc_info=cause)
    remedy = "Report this id to whoever runs the server: its log has the cause."
    return "Something went wrong inside Lineward.", {"code": "INTERNAL", "errorId": name, "remedy": remedy}


def _with(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
