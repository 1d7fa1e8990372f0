"""Logs and metrics of the process."""

import logging
import sys

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logging(level: str) -> None:
    """JSON lines on standard error: a line break in a name stays inside its string."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
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
