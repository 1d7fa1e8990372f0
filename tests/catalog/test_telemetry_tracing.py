"""Spans where OpenTelemetry is, and nothing where it is not."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from catalog import tracing
from catalog.errors import InvalidInputError, LogFullError
from catalog.log.entry import EntryType, Receipt, Submission
from catalog.telemetry import CountRequests, Metrics


class Recorded:
    """A span: its name, and what was said of it."""

    def __init__(self, name: str, attributes: dict[str, Any]) -> None:
        self.name, self.attributes = name, dict(attributes)
        self.status: Any = None

    def set_attribute(self, name: str, value: Any) -> None:
        self.attributes[name] = value

    def set_status(self, status: Any) -> None:
        self.status = status


class Trace(ModuleType):
    """As much of `opentelemetry.trace` as is used."""

    class SpanKind:
        SERVER = "server"

    class StatusCode:
        ERROR = "error"

    def __init__(self) -> None:
        super().__init__("opentelemetry.trace")
        self.spans: list[Recorded] = []

    def get_tracer(self, name: str) -> "Trace":
        return self

    @contextmanager
    def start_as_current_span(self, name: str, attributes: dict[str, Any], **more: Any) -> Iterator[Recorded]:
        assert not more["record_exception"]
        assert not more["set_status_on_exception"]
        span = Recorded(name, attributes | {key: more[key] for key in ("kind", "context") if key in more})
        self.spans.append(span)
        yield span


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Trace:
    found = Trace()
    propagate = ModuleType("opentelemetry.propagate")
    propagate.extract = lambda carrier: carrier.get("traceparent")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "opentelemetry.propagate", propagate)
    monkeypatch.setattr(tracing, "_trace", found)
    return found


class Store:
    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def append(self, batch: Any, now_us: int) -> list[Receipt]:
        if self._error:
            raise self._error
        return [Receipt(41, b"", False), Receipt(42, b"", False)]


BATCH = [Submission(EntryType.OPENLINEAGE, "ann", b"secret", b"secret")] * 2


def test_a_transaction_is_a_span_with_its_size_and_position(trace: Trace) -> None:
    Metrics().appends.measuring(Store()).append(BATCH, 1)
    (span,) = trace.spans
    assert (span.name, span.attributes) == ("log.append", {"batch.size": 2, "lineward.seq.last": 42})


def test_a_span_that_fails_names_the_error_and_not_its_message(trace: Trace) -> None:
    with pytest.raises(LogFullError):
        Metrics().appends.measuring(Store(LogFullError("of ann@example.org"))).append(BATCH, 1)
    (span,) = trace.spans
    assert (span.status, span.attributes["error.type"]) == ("error", "LogFullError")
    assert "ann" not in str(span.attributes)


def test_a_request_continues_the_trace_of_its_caller(trace: Trace) -> None:
    async def answer(request: Any) -> Response:
        return Response()

    app = Starlette(
        routes=[Route("/known", answer)], middleware=[Middleware(CountRequests, Metrics().requests, ["/known"])]
    )
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    TestClient(app).get("/known?name=ann", headers={"traceparent": parent})
    (span,) = trace.spans
    assert span.name == "GET /known"
    assert span.attributes == {
        "http.request.method": "GET", "http.route": "/known", "kind": "server", "context": parent,
    }  # fmt: skip


def test_a_function_can_be_traced(trace: Trace) -> None:
    @tracing.traced("projection.apply")
    def step(number: int) -> int:
        return number + 1

    assert (step(1), step.__name__) == (2, "step")
    assert [span.name for span in trace.spans] == ["projection.apply"]


def test_without_opentelemetry_a_traced_function_is_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_trace", None)

    def step() -> int:
        return 1

    assert tracing.traced("x")(step) is step
    with tracing.span("x") as span:
        span.set_attribute("a", 1)


def test_the_server_needs_no_opentelemetry() -> None:
    code = "import sys; sys.modules['opentelemetry'] = None; import catalog.server; from catalog.tracing import _trace"
    subprocess.run([sys.executable, "-c", f"{code}; assert _trace is None"], check=True)


def test_nothing_is_sent_where_no_endpoint_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert not tracing.configure_tracing()


def test_an_endpoint_without_the_packages_is_a_mistake_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    with pytest.raises(InvalidInputError, match="not installed") as caught:
        tracing.configure_tracing()
    assert "lineward[tracing]" in caught.value.remedy
