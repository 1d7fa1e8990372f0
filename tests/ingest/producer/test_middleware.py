import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from openlineage.client import OpenLineageClient

from ingest.producer import (
    Dataset,
    Deployment,
    Model,
    PredictionLog,
    PredictionMiddleware,
    ScoringRequest,
    Served,
)
from ingest.producer.middleware import HEADER, Message, Receive, Scope, Send
from tests.ingest.producer.collector import Collector, spooled

HTTP: Scope = {"type": "http", "method": "POST", "path": "/score", "headers": []}


class ScoringError(Exception):
    pass


def log_to(client: OpenLineageClient, folder: Path) -> PredictionLog:
    return PredictionLog(
        client,
        deployment=Deployment(namespace="jobs", name="scoring", environment="production"),
        served=[Served(Model(namespace="mlflow://m", name="risk", version="1"))],
        path=folder / "predictions.ndjson",
        dataset=Dataset(namespace="file://here", name="predictions.ndjson"),
    )


async def scoring(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that scores two cases per request, and follows the lifespan protocol."""
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{phase}"
            await send({"type": f"lifespan.{phase}.complete"})
        return
    request: ScoringRequest = scope["lineward"]
    for value in (0.25, 0.75):
        request.predicted(features={"value": value}, output=value, decision="approve")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def failing(scope: Scope, receive: Receive, send: Send) -> None:
    raise ScoringError


async def call(app: PredictionMiddleware, scope: Scope, messages: tuple[str, ...] = ()) -> list[Message]:
    waiting = [{"type": kind} for kind in messages]
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


def ids_of(answer: list[Message]) -> list[str]:
    headers: dict[bytes, bytes] = dict(answer[0]["headers"])
    return headers[HEADER].decode().split(",")


def all_events(collector: Collector, spool: Path) -> list[dict[str, Any]]:
    return [*collector.events, *spooled(spool)]


def test_answers_carry_the_ids_of_their_predictions(client: OpenLineageClient, tmp_path: Path, spool: Path) -> None:
    log = log_to(client, tmp_path)
    answer = asyncio.run(call(PredictionMiddleware(scoring, log), HTTP))
    log.close()
    records = [json.loads(line) for line in (tmp_path / "predictions.ndjson").read_text().splitlines()]
    assert ids_of(answer) == [record["requestId"] for record in records]
    assert [record["output"] for record in records] == [0.25, 0.75]
    assert all(record["latencyMs"] >= 0 for record in records)
    assert (b"a", b"b") in answer[0]["headers"]


def test_the_run_lasts_as_long_as_the_application(
    collector: Collector, client: OpenLineageClient, tmp_path: Path, spool: Path
) -> None:
    app = PredictionMiddleware(scoring, log_to(client, tmp_path))
    answer = asyncio.run(call(app, {"type": "lifespan"}, ("lifespan.startup", "lifespan.shutdown")))
    assert [message["type"] for message in answer] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    states = {event["eventType"] for event in all_events(collector, spool)}
    assert states == {"START", "RUNNING", "COMPLETE"}


def test_what_the_application_raises_goes_on(client: OpenLineageClient, tmp_path: Path, spool: Path) -> None:
    log = log_to(client, tmp_path)
    with pytest.raises(ScoringError):
        asyncio.run(call(PredictionMiddleware(failing, log), HTTP))
    log.close()


def test_requests_are_answered_while_the_server_stalls_and_the_disk_refuses(
    collector: Collector, client: OpenLineageClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LINEWARD_SPOOL", str(tmp_path / "file" / "spool.ndjson"))
    collector.stalling = True
    log = log_to(client, tmp_path / "file")
    app = PredictionMiddleware(scoring, log)
    answers = [asyncio.run(call(app, HTTP)) for _ in range(3)]
    # Nobody has been answered by the server yet: the requests did not wait for it.
    assert not collector.released.is_set()
    assert [answer[1]["body"] for answer in answers] == [b"ok"] * 3
    collector.released.set()
    log.close()
