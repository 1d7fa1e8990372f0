"""Spans for OpenTelemetry, where it is installed; without it they cost nothing.

The attributes are sizes, positions and kinds: never a query, a name, a person or anything out of an event.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from importlib import import_module
from importlib.metadata import version
from typing import Any, ParamSpec, TypeVar

from catalog.errors import InvalidInputError

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class _NoSpan:
    def set_attribute(self, name: str, value: int | float | str) -> None:
        """Forgets it."""


_NOTHING = nullcontext(_NoSpan())


def _api() -> Any:
    """The module of the API, None where it is not installed."""
    try:
        return import_module("opentelemetry.trace")
    except ImportError:
        return None


_trace = _api()


def span(name: str, attributes: Mapping[str, int | float | str] | None = None) -> AbstractContextManager[Any]:
    """A span around a block; what it yields has `set_attribute`. An exception marks it as failed."""
    return _NOTHING if _trace is None else _spanning(name, attributes or {})


def request_span(method: str, route: str, headers: Iterable[tuple[bytes, bytes]]) -> AbstractContextManager[Any]:
    """A span around the answer to a request, which continues the trace that the headers name (W3C Trace Context)."""
    if _trace is None:
        return _NOTHING
    carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    above = import_module("opentelemetry.propagate").extract(carrier)
    attributes = {"http.request.method": method, "http.route": route}
    return _spanning(f"{method} {route}", attributes, context=above, kind=_trace.SpanKind.SERVER)


@contextmanager
def _spanning(name: str, attributes: Mapping[str, int | float | str], **more: Any) -> Iterator[Any]:
    """Messages of exceptions stay out: they may repeat what was sent."""
    tracer = _trace.get_tracer("lineward")
    silent = {"record_exception": False, "set_status_on_exception": False}
    with tracer.start_as_current_span(name, attributes=attributes, **silent, **more) as current:
        try:
            yield current
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(_trace.StatusCode.ERROR)
            raise


def traced(name: str) -> Callable[[Callable[_Arguments, _Result]], Callable[_Arguments, _Result]]:
    """A decorator: a span around each call of a function."""

    def around(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
        if _trace is None:
            return function

        @wraps(function)
        def calling(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
            with span(name):
                return function(*args, **kwargs)

        return calling

    return around


def configure_tracing() -> bool:
    """Send spans where OTEL_EXPORTER_OTLP_ENDPOINT says; False where it says nothing.

    Raises InvalidInputError where it does, and the extra `tracing` is not installed. A provider that was set before,
    as by `opentelemetry-instrument`, stays.
    """
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return False
    try:
        provider = import_module("opentelemetry.sdk.trace")
        resources = import_module("opentelemetry.sdk.resources")
        export = import_module("opentelemetry.sdk.trace.export")
        otlp = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError as error:
        raise InvalidInputError(
            f"Traces are asked for, and {error.name} is not installed.",
            "Install lineward[tracing], or unset OTEL_EXPORTER_OTLP_ENDPOINT.",
        ) from error
    if isinstance(_trace.get_tracer_provider(), provider.TracerProvider):
        return True
    about = resources.Resource.create({"service.name": "lineward", "service.version": version("lineward")})
    made = provider.TracerProvider(resource=about)
    made.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    _trace.set_tracer_provider(made)
    return True
