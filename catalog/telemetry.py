"""Logs and metrics of the process."""

import logging
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from platform import python_version
from typing import TYPE_CHECKING, Protocol

import apsw
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import Processor

from catalog.concealment import conceal
from catalog.errors import (
    ForbiddenError,
    InvalidInputError,
    LinewardError,
    LogFullError,
    RetryableError,
    UnauthenticatedError,
)
from catalog.log.entry import Receipt, Submission
from catalog.tracing import request_span, span
from policies.sandbox import CrashedError, OutOfMemoryError, TaskError, TimeoutReachedError
from policies.verdict import GateState

if TYPE_CHECKING:
    from policies.gate import Ruling  # imports all of the policies, which the projector has no use for

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_APPEND_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_REFUSED = {401: "unauthenticated", 403: "forbidden"}


# Logs --------------------------------------------------------------------------------------------------------------

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def configure_logging(level: str) -> None:
    """JSON lines on standard error, without secrets: a line break in a name stays inside its string.

    What libraries say through the standard library's logging comes out the same way, from warnings upwards.
    """
    renderer = structlog.processors.JSONRenderer()
    finish: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, conceal, renderer]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=finish, foreign_pre_chain=_SHARED))
    logging.basicConfig(handlers=[handler], level=max(LEVELS[level.lower()], logging.WARNING), force=True)
    structlog.configure(
        processors=[*_SHARED, conceal, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level.lower()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


# Metrics -----------------------------------------------------------------------------------------------------------


class Metrics:
    """What this process counts for `/metrics`; `catalog.health` adds what is read when it is asked.

    Labels are bounded: no namespace, no name, no person.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        build = Gauge("lineward_build_info", "1, labelled", ["version", "python", "sqlite"], registry=self.registry)
        build.labels(version("lineward"), python_version(), apsw.sqlite_lib_version()).set(1)
        self.requests = RequestMeter(self.registry)
        self.ingest = IngestMeter(self.registry)
        self.appends = AppendMeter(self.registry)
        self.policies = PolicyMeter(self.registry)
        self._queries = Counter(
            "lineward_graphql_rejections_total",
            "GraphQL requests that were not executed, by the code of their error",
            ["reason"],
            registry=self.registry,
        )

    def query_refused(self, code: str) -> None:
        """A GraphQL request was refused before it was executed; `code` is its `extensions.code`."""
        self._queries.labels(code).inc()


class RequestMeter:
    """Answers of HTTP requests: how many, how long, and how many for want of rights."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answers = Counter(
            "lineward_http_requests_total",
            "Requests by route and status class",
            ["route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "http_server_request_duration_seconds",
            "From the first byte of a request to the last of its answer",
            ["http_route"],
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._refused = Counter(
            "lineward_auth_failures_total",
            "Answers 401 (unauthenticated) and 403 (forbidden)",
            ["reason"],
            registry=registry,
        )
        for reason in _REFUSED.values():
            self._refused.labels(reason)

    def answered(self, route: str, status: int) -> None:
        self._answers.labels(route, f"{status // 100}xx").inc()
        if status in _REFUSED:
            self._refused.labels(_REFUSED[status]).inc()

    def ended(self, route: str, seconds: float) -> None:
        self._seconds.labels(route).observe(seconds)


class IngestMeter:
    """What became of events that were offered: to be called with the size as received and the outcome of each."""

    RESULTS = ("accepted", "duplicate", "invalid", "forbidden", "unavailable", "failed")

    def __init__(self, registry: CollectorRegistry) -> None:
        events = Counter(
            "lineward_ingest_events_total",
            "Events offered over HTTP, by what became of them",
            ["transport", "result"],
            registry=registry,
        )
        received = Counter(
            "lineward_ingest_bytes_total", "Bytes of these events, unpacked", ["transport"], registry=registry
        )
        self._events = {result: events.labels("http", result) for result in self.RESULTS}
        self._bytes = received.labels("http")

    def __call__(self, size: int, outcome: Receipt | LinewardError) -> None:
        self._events[_result(outcome)].inc()
        self._bytes.inc(size)


def _result(outcome: Receipt | LinewardError) -> str:
    match outcome:
        case Receipt():
            return "duplicate" if outcome.duplicate else "accepted"
        case ForbiddenError() | UnauthenticatedError():
            return "forbidden"
        case InvalidInputError():
            return "invalid"
        case RetryableError():
            return "unavailable"
        case _:
            return "failed"


class Appends(Protocol):
    """What takes batches: see `catalog.log.store.LogStore.append`."""

    def append(self, batch: Sequence[Submission], now_us: int) -> list[Receipt]: ...


class AppendMeter:
    """The transactions of the log."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "lineward_append_duration_seconds",
            "One transaction of the log, its fsync included",
            buckets=_APPEND_SECONDS,
            registry=registry,
        )
        self._sizes = Histogram(
            "lineward_append_batch_size", "Submissions of one transaction", buckets=_BATCH_SIZES, registry=registry
        )
        failures = Counter(
            "lineward_append_failures_total",
            "Transactions that the log did not take: `full` is a full disk, after `failed` the server ends",
            ["reason"],
            registry=registry,
        )
        self._full, self._failed = failures.labels("full"), failures.labels("failed")

    def measuring(self, store: Appends) -> Appends:
        """The same store, measured."""
        return _MeasuredAppends(store, self)

    def append(self, store: Appends, batch: Sequence[Submission], now_us: int) -> list[Receipt]:
        began = time.perf_counter()
        with span("log.append", {"batch.size": len(batch)}) as traced:
            try:
                receipts = store.append(batch, now_us)
            except LogFullError:
                self._full.inc()
                raise
            except Exception:
                self._failed.inc()
                raise
            traced.set_attribute("lineward.seq.last", max((each.seq for each in receipts), default=-1))
        self._seconds.observe(time.perf_counter() - began)
        self._sizes.observe(len(batch))
        return receipts


class _MeasuredAppends:
    def __init__(self, store: Appends, meter: AppendMeter) -> None:
        self._store = store
        self._meter = meter

    def append(self, batch: Sequence[Submission], now_us: int) -> list[Receipt]:
        return self._meter.append(self._store, batch, now_us)


class PolicyMeter:
    """Decisions of the gate, and evaluations that came to nothing."""

    FAILURES: Mapping[type[Exception], str] = {
        TimeoutReachedError: "timeout",
        OutOfMemoryError: "memory",
        CrashedError: "crash",
        TaskError: "raised",
        Exception: "malformed",
    }

    def __init__(self, registry: CollectorRegistry) -> None:
        decisions = Counter(
            "lineward_policy_evaluations_total",
            "Answers of the gate, by their state; previews left out",
            ["decision"],
            registry=registry,
        )
        self._decisions = {state: decisions.labels(state.value) for state in GateState}
        self._seconds = Histogram(
            "lineward_policy_duration_seconds",
            "From a question to the gate to its answer, previews included",
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        failures = Counter(
            "lineward_policy_failures_total",
            "Evaluations of one pack that gave no result: the answer was INDETERMINATE",
            ["reason"],
            registry=registry,
        )
        self._failures = {kind: failures.labels(reason) for kind, reason in self.FAILURES.items()}

    def observed(self, ruling: "Ruling", seconds: float) -> None:
        """The gate answered."""
        self._seconds.observe(seconds)
        if not ruling.body.preview:
            self._decisions[ruling.state].inc()

    def failed(self, error: Exception) -> None:
        """A pack could not be evaluated."""
        next(counter for kind, counter in self._failures.items() if isinstance(error, kind)).inc()


class CountRequests:
    """Middleware that measures answers by route and class of status; what is no route of ours is one label."""

    def __init__(self, app: ASGIApp, meter: RequestMeter, routes: Collection[str]) -> None:
        self._app = app
        self._meter = meter
        self._routes = frozenset(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = scope["path"] if scope["path"] in self._routes else "other"
        began = time.perf_counter()

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._meter.answered(route, message["status"])
            await send(message)

        try:
            with request_span(scope["method"], route, scope["headers"]):
                await self._app(scope, receive, counting)
        finally:
            self._meter.ended(route, time.perf_counter() - began)
