"""Liveness, readiness and metrics: what a supervisor, a load balancer and a person on call ask."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from catalog.access import Access
from catalog.errors import RetryableError
from catalog.log.writer import LogWriter
from catalog.supervision import SupervisedChild
from catalog.telemetry import Metrics

Status = Literal["ready", "degraded", "unready"]


@dataclass(frozen=True, slots=True)
class Health:
    """The parts of a running server; reading them never waits for one that is down.

    `recorded` tells when the log took an entry, µs. `accepting` is whether the log takes entries.
    """

    access: Access
    writer: LogWriter
    projector: SupervisedChild
    recorded: Callable[[int], int]
    accepting: Callable[[], bool]
    metrics: Metrics

    def lag(self) -> tuple[int | None, float]:
        """(entries projected, age of the oldest entry that is not, seconds); None where the store does not answer."""
        try:
            return self.access.offset(), self.access.lag(self.recorded)
        except RetryableError:
            return None, 0.0

    def report(self) -> tuple[Status, dict[str, object]]:
        """Ready to take events; degraded while the graph cannot follow, which loses nothing."""
        state = self.access.log_state()
        offset, seconds = self.lag()
        graph = {
            "store": self.access.store_name,
            "answers": offset is not None,
            "offset": offset,
            "lagSeconds": seconds,
        }
        projector = {"running": self.projector.pid is not None, "restarts": self.projector.restarts}
        parts = {"log": {"accepting": self.accepting(), "size": state.size}, "graph": graph, "projector": projector}
        if not self.accepting():
            return "unready", parts
        return ("ready" if graph["answers"] and projector["running"] else "degraded"), parts

    def observe(self) -> None:
        offset, seconds = self.lag()
        self.metrics.log_size.set(self.access.log_state().size)
        self.metrics.offset.set(-1 if offset is None else offset)
        self.metrics.lag.set(seconds)
        self.metrics.queue.set(self.writer.pending())
        self.metrics.restarts.set(self.projector.restarts)


def health_routes(health: Health) -> list[Route]:
    """`GET /livez`, `/readyz` and `/metrics`."""

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    def ready(request: Request) -> Response:
        status, parts = health.report()
        return JSONResponse({"status": status, **parts}, 503 if status == "unready" else 200)

    def metrics(request: Request) -> Response:
        health.observe()
        return Response(generate_latest(health.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", live), Route("/readyz", ready), Route("/metrics", metrics)]
