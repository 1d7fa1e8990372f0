"""A witness that is asked: `POST /add-checkpoint` of C2SP tlog-witness."""

import asyncio

import typer
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from catalog.errors import LinewardError
from catalog.log.cosigning import ForkError, OldSizeError, RollbackError, UnknownLogError, Witness, addition_of
from catalog.log.note import MOST_BYTES, ForgedError, MalformedError

_STATUSES: dict[type[LinewardError], int] = {
    MalformedError: 400,
    ForgedError: 403,
    UnknownLogError: 404,
    OldSizeError: 409,
    RollbackError: 409,
    ForkError: 422,
}


def serve(watching: Witness, port: int) -> None:
    """Answer on the loopback address until told to stop; a proxy in front brings it to others."""
    typer.echo(f"listening on http://127.0.0.1:{port}/add-checkpoint", err=True)
    uvicorn.run(witness_app(watching), host="127.0.0.1", port=port, log_level="warning", server_header=False)


def witness_app(watching: Witness) -> Starlette:
    """200 with a signature line; 400, 403, 404, 409 and 422 as the specification has them."""

    async def add(request: Request) -> Response:
        try:
            body = await _body(request)
            line = await asyncio.to_thread(lambda: watching.add(*addition_of(body)))
        except OldSizeError as error:
            return Response(f"{error.size}\n", 409, media_type="text/x.tlog.size")
        except (ForgedError, MalformedError, UnknownLogError) as error:
            status = next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)
            return PlainTextResponse(f"{error.message}\n", status)
        return PlainTextResponse(str(line))

    return Starlette(routes=[Route("/add-checkpoint", add, methods=["POST"])])


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > 2 * MOST_BYTES:
            raise MalformedError("This is no request to cosign: it is too long.", "Send one checkpoint with its proof.")
    return body
