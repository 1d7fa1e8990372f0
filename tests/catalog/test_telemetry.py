"""What the process counts, and what its log never says."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from io import StringIO
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from catalog.concealment import concealed
from catalog.errors import (
    ForbiddenError,
    InvalidEventError,
    LinewardError,
    LogClosedError,
    LogFullError,
    NotFoundError,
    UnauthenticatedError,
)
from catalog.log.entry import EntryType, Receipt, Submission
from catalog.telemetry import CountRequests, IngestMeter, Metrics, configure_logging
from policies.gate import Ruling
from policies.sandbox import CrashedError, OutOfMemoryError, TaskError, TimeoutReachedError
from policies.verdict import GateState

KEY = f"lw_0123456789ab_{'5e' * 32}"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHh4\n-----END PRIVATE KEY-----"
SECRETS = {
    "an API key": (KEY, "5e" * 32),
    "a bearer token": (f"Authorization: Bearer {TOKEN}", "eyJ"),
    "a token alone": (TOKEN, "eyJzdWIiOiJhbm4ifQ"),
    "a basic credential": ("authorization: basic YW5uOmh1bnRlcjI=", "YW5uOmh1bnRlcjI"),
    "a credential URI": ("neo4j+s://ann:hunter2@graph.example:7687", "hunter2"),
    "a password with an @": ("postgres://ann:hun@ter2@db/x", "ter2"),
    "a signed URL": ("https://b.example/o?X-Amz-Signature=0badc0de&x=1", "0badc0de"),
    "a private key": (PEM, "MC4CAQAwBQYDK2VwBCIEIHh4"),
}


def samples(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    """(name, label values) -> value, where it is not 0."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name, " ".join(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if sample.value and not sample.name.endswith(("_created", "_bucket"))
    }


def counted(metrics: Metrics, name: str) -> dict[str, float]:
    return {labels: value for (sample, labels), value in samples(metrics.registry).items() if sample == name}


# Logs --------------------------------------------------------------------------------------------------------------


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """Logging as the server sets it up; the lines that were logged."""
    before, sink = (logging.root.handlers[:], logging.root.level), StringIO()
    monkeypatch.setattr(sys, "stderr", sink)
    configure_logging("info")
    yield lambda: [json.loads(line) for line in sink.getvalue().splitlines()]
    structlog.reset_defaults()
    logging.root.handlers[:], level = before
    logging.root.setLevel(level)


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS)
def test_a_secret_is_in_no_line_wherever_it_comes_from(lines: Lines, text: str, secret: str) -> None:
    log = structlog.get_logger("tests")
    log.info("plain", told=text, nested={"list": [text, {text: text}]}, object=ValueError(text))
    log.warning(f"in the event: {text}")
    try:
        raise RuntimeError(f"the driver said {text}")
    except RuntimeError:
        log.exception("raised")
        logging.getLogger("library").exception("raised %s", text)
    logging.getLogger("library").error("said %s and", text)
    assert len(lines()) == 5
    assert secret not in json.dumps(lines())


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS)
def test_a_request_that_fails_logs_the_fault_and_no_secret(lines: Lines, text: str, secret: str) -> None:
    async def fails(request: Request) -> Response:
        structlog.get_logger("tests").info("asked", authorization=request.headers["x-sent"])
        raise RuntimeError(f"cannot reach {request.headers['x-sent']}")

    app = Starlette(routes=[Route("/fails", fails)])
    sent = text.replace("\n", " ")
    try:
        TestClient(app).get("/fails", headers={"x-sent": sent})
    except RuntimeError:
        structlog.get_logger("tests").exception("request.failed")
    assert [line["event"] for line in lines()] == ["asked", "request.failed"]
    assert "RuntimeError" in lines()[1]["exception"]
    assert secret not in json.dumps(lines())


def test_the_id_of_an_api_key_stays() -> None:
    assert concealed(f"used {KEY}.") == "used lw_0123456789ab_REDACTED."


@given(st.text())
def test_concealing_twice_is_concealing_once(text: str) -> None:
    once = concealed(text)
    assert concealed(once) == once


@given(st.text(), st.sampled_from(list(SECRETS.values())), st.text())
def test_a_secret_between_other_words_is_found(before: str, secret: tuple[str, str], after: str) -> None:
    said = concealed(f"{before}\n {secret[0]} \n{after}")
    assert secret[1] not in said or secret[1] in before + after


def test_a_line_that_says_no_secret_is_as_it_was(lines: Lines) -> None:
    structlog.get_logger("tests").info("server.listening", url="http://127.0.0.1:8765", size=3, share=0.5, ready=True)
    (said,) = lines()
    assert (said["url"], said["size"], said["share"], said["ready"]) == ("http://127.0.0.1:8765", 3, 0.5, True)


# Requests ----------------------------------------------------------------------------------------------------------


def client(metrics: Metrics) -> TestClient:
    async def answer(request: Request) -> Response:
        return JSONResponse({}, int(request.query_params["status"]))

    async def fail(request: Request) -> Response:
        raise RuntimeError

    routes = [Route("/known", answer), Route("/broken", fail), Route("/with/{name}", answer)]
    counting = Middleware(CountRequests, metrics.requests, ["/known", "/broken"])
    return TestClient(Starlette(routes=routes, middleware=[counting]), raise_server_exceptions=False)


def test_answers_are_counted_by_route_and_class_of_status() -> None:
    metrics = Metrics()
    asking = client(metrics)
    for status in (200, 204, 401, 403, 403, 503):
        asking.get("/known", params={"status": status})
    asking.get("/with/anybody", params={"status": 200})
    asking.get("/nowhere")
    assert counted(metrics, "lineward_http_requests_total") == {
        "/known 2xx": 2, "/known 4xx": 3, "/known 5xx": 1, "other 2xx": 1, "other 4xx": 1,
    }  # fmt: skip
    assert counted(metrics, "lineward_auth_failures_total") == {"unauthenticated": 1, "forbidden": 2}
    assert counted(metrics, "http_server_request_duration_seconds_count") == {"/known": 6, "other": 2}


def test_a_request_that_raises_is_measured_too() -> None:
    metrics = Metrics()
    assert client(metrics).get("/broken").status_code == 500
    assert counted(metrics, "http_server_request_duration_seconds_count") == {"/broken": 1}


def test_names_that_callers_choose_never_become_labels() -> None:
    metrics = Metrics()
    asking = client(metrics)
    for number in range(20):
        asking.get(f"/with/{number}", params={"status": 200})
    assert counted(metrics, "lineward_http_requests_total") == {"other 2xx": 20}


# Ingest and the log ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (Receipt(1, b"", False), "accepted"),
        (Receipt(1, b"", True), "duplicate"),
        (InvalidEventError("x"), "invalid"),
        (ForbiddenError("x"), "forbidden"),
        (UnauthenticatedError("x"), "forbidden"),
        (LogFullError("x"), "unavailable"),
        (LogClosedError("x"), "unavailable"),
        (NotFoundError("x"), "failed"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_events_are_counted_by_what_became_of_them(outcome: Receipt | LinewardError, result: str) -> None:
    metrics = Metrics()
    metrics.ingest(100, outcome)
    metrics.ingest(50, outcome)
    assert counted(metrics, "lineward_ingest_events_total") == {f"{result} http": 2}
    assert counted(metrics, "lineward_ingest_bytes_total") == {"http": 150}
    assert result in IngestMeter.RESULTS


class Store:
    """Takes what it is given, or raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def append(self, batch: Sequence[Submission], now_us: int) -> list[Receipt]:
        if self._error:
            raise self._error
        return [Receipt(now_us + place, b"", False) for place, _ in enumerate(batch)]


BATCH = [Submission(EntryType.OPENLINEAGE, "ann", b"1", b"1")] * 3


def test_a_transaction_is_measured_and_its_receipts_are_handed_on() -> None:
    metrics = Metrics()
    receipts = metrics.appends.measuring(Store()).append(BATCH, 7)
    assert [each.seq for each in receipts] == [7, 8, 9]
    assert counted(metrics, "lineward_append_duration_seconds_count") == {"": 1}
    assert counted(metrics, "lineward_append_batch_size_sum") == {"": 3}
    assert counted(metrics, "lineward_append_failures_total") == {}


@pytest.mark.parametrize(("error", "reason"), [(LogFullError("x"), "full"), (LogClosedError("x"), "failed")])
def test_a_transaction_that_fails_is_counted_and_told(error: Exception, reason: str) -> None:
    metrics = Metrics()
    with pytest.raises(type(error)):
        metrics.appends.measuring(Store(error)).append(BATCH, 7)
    assert counted(metrics, "lineward_append_failures_total") == {reason: 1}
    assert counted(metrics, "lineward_append_batch_size_count") == {}


# Policies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", GateState)
def test_answers_of_the_gate_are_counted_by_state_and_previews_are_not(state: GateState) -> None:
    metrics = Metrics()
    for seconds, preview in ((0.2, False), (0.3, True)):
        metrics.policies.observed(
            cast(Ruling, SimpleNamespace(state=state, body=SimpleNamespace(preview=preview))), seconds
        )
    assert counted(metrics, "lineward_policy_evaluations_total") == {state.value: 1}
    assert counted(metrics, "lineward_policy_duration_seconds_sum") == {"": 0.5}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutReachedError("x"), "timeout"),
        (OutOfMemoryError("x"), "memory"),
        (CrashedError("x"), "crash"),
        (TaskError("x"), "raised"),
        (ValueError("x"), "malformed"),
    ],
)
def test_evaluations_without_a_result_are_counted_by_reason(error: Exception, reason: str) -> None:
    metrics = Metrics()
    metrics.policies.failed(error)
    assert counted(metrics, "lineward_policy_failures_total") == {reason: 1}


def test_queries_over_a_limit_are_counted() -> None:
    metrics = Metrics()
    metrics.query_refused("TOO_COSTLY")
    assert counted(metrics, "lineward_graphql_rejections_total") == {"TOO_COSTLY": 1}


def test_the_versions_are_told_and_the_process_is_measured() -> None:
    found = samples(Metrics().registry)
    assert any(name == "lineward_build_info" and labels.endswith(version("lineward")) for name, labels in found)
    assert found["process_open_fds", ""] > 0


def test_what_is_no_request_passes() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(CountRequests(app, Metrics().requests, [])({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
