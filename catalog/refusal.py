"""Why the door turns something away, and the HTTP status that says so."""

from catalog.errors import (
    ConflictError,
    ForbiddenError,
    InvalidEventError,
    InvalidInputError,
    LinewardError,
    NotFoundError,
    RetryableError,
    UnauthenticatedError,
)


class NotJsonError(InvalidInputError):
    """The bytes are no JSON text (RFC 8259)."""

    code = "NOT_JSON"


class BrokenBodyError(InvalidInputError):
    """The body is not what its headers say: cut short, or no gzip."""

    code = "BROKEN_BODY"


class TooLargeError(InvalidInputError):
    """More than a limit allows; the message names the limit."""

    code = "TOO_LARGE"


class UnsupportedBodyError(InvalidInputError):
    """A content type or encoding that the door does not read."""

    code = "UNSUPPORTED_BODY"


class SlowBodyError(InvalidInputError):
    """The body did not arrive in time."""

    code = "SLOW_BODY"


class RateLimitedError(RetryableError):
    """One sender asks too much."""

    code = "RATE_LIMITED"


class BusyError(RetryableError):
    """Too many bodies are being received."""

    code = "BUSY"


_STATUSES: dict[type[LinewardError], int] = {
    InvalidInputError: 400,
    UnauthenticatedError: 401,
    ForbiddenError: 403,
    NotFoundError: 404,
    SlowBodyError: 408,
    ConflictError: 409,
    TooLargeError: 413,
    UnsupportedBodyError: 415,
    InvalidEventError: 422,
    RateLimitedError: 429,
    RetryableError: 503,
    LinewardError: 500,
}


def status_of(error: LinewardError) -> int:
    """The HTTP status of an error, by the nearest of its classes that has one."""
    return next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)


def sentence(error: LinewardError) -> str:
    """What happened and what to do, in one line."""
    return f"{error.message.rstrip('.')}: {error.remedy}" if error.remedy else error.message
