"""The matrix as a file: `GET /api/v1/compliance.csv.zip` and `.xlsx`, with the rights that GraphQL asks for."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from catalog import rfc3339
from catalog.access import Access
from catalog.errors import InvalidInputError, LinewardError, RetryableError, UnauthenticatedError
from catalog.model import AsOf
from catalog.principal import CHALLENGE, Principal
from catalog.refusal import status_of
from policies.compliance.archive import MEDIA_TYPE as ZIP
from policies.compliance.archive import archive
from policies.compliance.cover import ROUTE, Cover
from policies.compliance.matrix import Matrix, Question
from policies.compliance.table import Filter, Table
from policies.compliance.workbook import MEDIA_TYPE as XLSX
from policies.compliance.workbook import MOST_ROWS, workbook
from policies.verdict import Severity, Verdict

_FORMS: Mapping[str, tuple[Callable[[Cover, Table], bytes], str]] = {
    "csv.zip": (archive, ZIP),
    "xlsx": (workbook, XLSX),
}
_ONCE = frozenset({"pack", "environment", "latest", "valid", "known", "evaluatedAt", "name"})
_MANY = frozenset({"verdict", "severity", "control"})
_AT_ONCE = 50  # models in one reading of the graph
_LARGEST = 2**53

E = TypeVar("E", Verdict, Severity)


@dataclass(frozen=True, slots=True)
class Asked:
    """A whole question, as its parameters have it."""

    question: Question
    as_of: AsOf
    evaluated_at: int | None
    wanted: Filter

    @classmethod
    def of(cls, parameters: QueryParams) -> "Asked":
        """Raises InvalidInputError for a parameter that is unknown, given twice or no value of its kind."""
        for name in parameters:
            if name not in _ONCE | _MANY:
                raise _wrong(name, "There is no such parameter.", f"There are {', '.join(sorted(_ONCE | _MANY))}.")
            if name in _ONCE and len(parameters.getlist(name)) > 1:
                raise _wrong(name, "It is given more than once.", "Give it once.")
        pack = parameters.get("pack")
        if not pack:
            raise _wrong("pack", "It is missing.", "Name a pack; `lineward policy list` shows them.")
        return cls(
            Question(pack, parameters.get("environment") or None, _flag(parameters, "latest")),
            AsOf(_instant(parameters, "valid"), _count(parameters, "known")),
            _instant(parameters, "evaluatedAt"),
            Filter(
                parameters.get("name", ""),
                frozenset(_words(parameters, "verdict", Verdict)),
                frozenset(_words(parameters, "severity", Severity)),
                frozenset(parameters.getlist("control")),
            ),
        )


@dataclass(frozen=True, slots=True)
class ComplianceDoor:
    """`principal_of` says who asks, from the headers; `root` is that of the log's first so many entries.

    One file is made at a time: it judges every model, and the gate must not wait behind many of them.
    """

    matrix: Matrix
    access: Access
    root: Callable[[int], bytes]
    principal_of: Callable[[Mapping[str, str]], Principal]
    _making: threading.Lock = field(default_factory=threading.Lock)

    def file(self, headers: Mapping[str, str], form: str, parameters: QueryParams) -> tuple[str, bytes]:
        """A name for the file, and its bytes."""
        principal, asked = self.principal_of(headers), Asked.of(parameters)
        with self.alone():
            cover, table = self.table(principal, asked)
        if form == "xlsx" and len(table.lines) > MOST_ROWS:
            raise InvalidInputError(
                f"A sheet takes {MOST_ROWS:,} rows, and these are {len(table.lines):,}.", "Filter them, or take CSV."
            )
        made, _ = _FORMS[form]
        return f"compliance-{cover.pack.name}-{cover.position.known}.{form}", made(cover, table)

    def table(self, principal: Principal, asked: Asked) -> tuple[Cover, Table]:
        position = self.matrix.position(principal, asked.as_of, asked.evaluated_at)
        pack = self.matrix.pack(position, asked.question.pack)
        models = [each for each in self.matrix.models(principal, position) if asked.wanted.takes_model(each)]
        table = Table()
        for start in range(0, len(models), _AT_ONCE):
            rows = self.matrix.rows(principal, position, asked.question, models[start : start + _AT_ONCE])
            with self.access.reading(position.as_of, principal=principal) as reading:
                table.add(rows, asked.wanted, reading.describe)
        root = self.root(position.known).hex()
        origin = self.access.log_state().origin
        return Cover(asked.question, position, asked.wanted, pack, origin, root, principal.name), table

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For the making of one file. RetryableError while another is being made."""
        if not self._making.acquire(blocking=False):
            raise RetryableError("Another export is being made.", "Try again in a moment.")
        try:
            yield
        finally:
            self._making.release()


def compliance_routes(door: ComplianceDoor) -> list[Route]:
    """A route for each form of the file."""
    return [Route(f"{ROUTE}.{form}", _answering(door, form)) for form in _FORMS]


def _answering(door: ComplianceDoor, form: str) -> Callable[[Request], object]:
    async def answer(request: Request) -> Response:
        try:
            name, content = await run_in_threadpool(door.file, request.headers, form, request.query_params)
        except LinewardError as error:
            return _refusal(error)
        headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, headers=headers, media_type=_FORMS[form][1])

    return answer


def _refusal(error: LinewardError) -> Response:
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, RetryableError):
        headers["Retry-After"] = str(ceil(error.retry_after))
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = CHALLENGE
    message = f"{error.message} {error.remedy}".strip()
    told = {"error": {"code": error.code, "message": message, "pointer": error.pointer}}
    return JSONResponse(told, status_of(error), headers)


# Parameters --------------------------------------------------------------------------------------------------------


def _wrong(name: str, what: str, remedy: str) -> InvalidInputError:
    return InvalidInputError(f"The parameter {name[:60]}: {what}", remedy, pointer=f"/{name[:60]}")


def _flag(parameters: QueryParams, name: str) -> bool:
    told = parameters.get(name, "true")
    if told not in ("true", "false"):
        raise _wrong(name, "It is neither true nor false.", "Write true or false.")
    return told == "true"


def _instant(parameters: QueryParams, name: str) -> int | None:
    told = parameters.get(name)
    if not told:
        return None
    try:
        return rfc3339.parse(rfc3339.canonical(told))
    except ValueError as error:
        raise _wrong(name, "It is no instant.", "Write RFC 3339, as in 2026-03-01T12:00:00Z.") from error


def _count(parameters: QueryParams, name: str) -> int | None:
    told = parameters.get(name)
    if not told:
        return None
    if not (told.isascii() and told.isdecimal() and len(told) <= 16 and int(told) <= _LARGEST):
        raise _wrong(name, "It is no count of entries.", "Write a whole number.")
    return int(told)


def _words(parameters: QueryParams, name: str, words: type[E]) -> Sequence[E]:
    try:
        return [words(each) for each in parameters.getlist(name)]
    except ValueError as error:
        raise _wrong(name, "It is no such word.", f"There are {', '.join(words)}.") from error
