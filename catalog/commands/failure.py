"""How a command fails: two lines on standard error, and an exit code that says what kind of failure it is."""

import sys

from catalog.errors import (
    CorruptLogError,
    InvalidInputError,
    LinewardError,
    NotFoundError,
    RetryableError,
    WrongLogError,
)

CHECK_FAILED = 1
USAGE = 2  # also malformed input, and names of nothing
INCOMPLETE = 3  # unreachable, locked, stale: not decidable now


class CheckFailedError(LinewardError):
    """The command did its work, and what it looked at is not as it should be."""

    code = "CHECK_FAILED"


class UnreachableError(RetryableError):
    """No server answers at the given address."""

    code = "UNREACHABLE"


_CODES: dict[type[LinewardError], int] = {
    CheckFailedError: CHECK_FAILED,
    CorruptLogError: CHECK_FAILED,
    InvalidInputError: USAGE,
    NotFoundError: USAGE,
    WrongLogError: USAGE,
    RetryableError: INCOMPLETE,
    LinewardError: INCOMPLETE,
}


def exit_code(error: LinewardError) -> int:
    """By the nearest of the error's classes that has one."""
    return next(_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)


def usage(error: Exception) -> str:
    """What the parser of the command line says, as a sentence."""
    said = error.format_message() if hasattr(error, "format_message") else str(error)
    return str(said).replace(": Value error, ", ": ")  # pydantic's prefix, of no meaning here


def tell(what: str, remedy: str) -> None:
    """One line each, whatever the texts hold; safe for a terminal."""
    from catalog.rendering.legible import legible

    for line in filter(None, (_sentence(what), _sentence(remedy))):
        print(legible(line), file=sys.stderr)


def _sentence(text: str) -> str:
    joined = " ".join(text.split())
    return joined + ("" if not joined or joined[-1] in ".!?:" else ".")
