"""Logs and metrics of the process."""

import logging
import sys
from collections.abc import Collection

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import Processor

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def configure_logging(level: str) -> None:
    """JSON lines on standard error: a line break in a name stays inside its string.

    What libraries say through the standard library's logging comes out the same way, from warnings upwards.
    """
    renderer = structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=_SHARED))
    logging.basicConfig(handlers=[handler], level=max(LEVELS[level.lower()], logging.WARNING), force=True)
    structlog.configure(
        processors=[*_SHARED, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level.lower()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


class Metrics:
    """What `/metrics` shows. Labels are bounded: no namespace, no name, no person."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "lineward_http_requests_total",
            "Requests by route and status class",
            ["route", "status"],
            registry=self.registry,
        )
        self.log_size = Gauge("lineward_log_size", "Entries in the log", registry=self.registry)
        self.offset = Gauge("lineward_projection_offset", "Entries projected into the graph", registry=self.registry)
        self.lag = Gauge(
            "lineward_projection_lag_seconds", "Age of the oldest entry not projected", registry=self.registry
        )
        self.queue = Gauge("lineward_append_queue", "Events waiting for their commit", registry=self.registry)
        self.restarts = Gauge(
            "lineward_projector_restarts", "Times that the projector was started again", registry=self.registry
        )


class CountRequests:
    """Middleware that counts answers by route and class of status; what is no route of ours is one label."""

    def __init__(self, app: ASGIApp, counter: Counter, routes: Collection[str]) -> None:
        self._app = app
        self._counter = counter
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = scope["path"] if scope["path"] in self._routes else "other"
                self._counter.labels(route, f"{message['status'] // 100}xx").inc()
            await send(message)

        await self._app(scope, receive, counting)
