"""What this machine could do at best: the same load on an application that does nothing, a bare append, a bare parse.

As a script it is that application: `python -m benchmarks.floor PORT`.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import orjson

from benchmarks.process import Server, running
from tests.neo4j_server import free_port

BLOCK = 4096  # bytes, about one event


@contextmanager
def empty_server() -> Iterator[Server]:
    """Starlette on uvicorn, as Lineward has them, reading each body and answering 201."""
    port = free_port()
    with running([sys.executable, "-m", "benchmarks.floor", str(port)], port, "/") as server:
        yield server


def append_and_sync(folder: Path, times: int = 300) -> list[float]:
    """Seconds of each append of 4 KB and the fdatasync behind it."""
    block = os.urandom(BLOCK)
    path = folder / "probe"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        return [_timed(lambda: _append(descriptor, block)) for _ in range(times)]
    finally:
        os.close(descriptor)
        path.unlink()


def _append(descriptor: int, block: bytes) -> None:
    os.write(descriptor, block)
    os.fdatasync(descriptor)


def parse(events: Sequence[bytes]) -> float:
    """Median seconds to parse one event with the fastest general JSON parser at hand."""
    return median(_timed(lambda event=event: orjson.loads(event)) for event in events)  # type: ignore[misc]


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _serve(port: int) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def answer(request: Request) -> Response:
        await request.body()
        return Response(b"{}", 201, media_type="application/json")

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    uvicorn.run(app, port=port, log_config=None, access_log=False, server_header=False)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
