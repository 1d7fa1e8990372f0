"""The mistakes Lineward can name. Each says what happened and what to do about it.

Edges translate by class, walking the method resolution order: HTTP maps a class to a status, GraphQL to
`extensions.code`, the command line to an exit code.
"""


class LinewardError(Exception):
    """A mistake with a remedy: `message` is what happened, `remedy` what to do."""

    code = "INTERNAL"

    def __init__(self, message: str, remedy: str = "", *, pointer: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.pointer = pointer  # a JSON pointer into the input, where one is to blame


class InvalidInputError(LinewardError):
    """The caller sent something that means nothing here."""

    code = "INVALID_INPUT"


class InvalidEventError(InvalidInputError):
    """JSON, but no OpenLineage event that Lineward can keep."""

    code = "INVALID_EVENT"


class AmbiguousReferenceError(InvalidInputError):
    """A reference fits several nodes; the message lists them."""

    code = "AMBIGUOUS_REFERENCE"


class NotFoundError(LinewardError):
    """A reference names nothing that the log has mentioned."""

    code = "NOT_FOUND"


class UnauthenticatedError(LinewardError):
    """Nobody that we know asks."""

    code = "UNAUTHENTICATED"


class ForbiddenError(LinewardError):
    """The caller is known, and may not do this."""

    code = "FORBIDDEN"


class ConflictError(LinewardError):
    """The act no longer fits what the log holds: something happened meanwhile."""

    code = "CONFLICT"


class RetryableError(LinewardError):
    """Nothing is wrong with the request: the same call may succeed after `retry_after` seconds."""

    code = "UNAVAILABLE"
    retry_after = 1


class StaleProjectionError(RetryableError):
    """The graph has not reached the position that the caller asked for."""

    code = "STALE_PROJECTION"


class LogFullError(RetryableError):
    """The append queue is full, or the log is read-only for want of disk space."""

    code = "LOG_FULL"


class LogClosedError(RetryableError):
    """The log stopped: what was pending is neither accepted nor refused, and may be sent again."""

    code = "LOG_CLOSED"


class StoreUnavailableError(RetryableError):
    """The graph store does not answer. The log goes on; the graph will catch up."""

    code = "STORE_UNAVAILABLE"


class WrongLogError(LinewardError):
    """A graph or a token belongs to another log."""

    code = "WRONG_LOG"


class CorruptLogError(LinewardError):
    """The log does not agree with itself."""

    code = "CORRUPT_LOG"


class UnsupportedPlatformError(LinewardError):
    """Something on this machine is known to lose data."""

    code = "UNSUPPORTED_PLATFORM"
