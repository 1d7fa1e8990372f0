"""ASGI middleware that gives every request of a scoring service a place to say what it predicted.

app = PredictionMiddleware(app, log)
…
request_id = request.scope["lineward"].predicted(features=row, output=0.83, decision="approve")
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from ingest.producer.deployment import Served
from ingest.producer.predictions import PredictionLog

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADER = b"lineward-request-id"
HEADER_IDS = 20  # more would outgrow what proxies accept as one header


class ScoringRequest:
    """One HTTP request, in `scope["lineward"]`. Its predictions are logged as soon as they are made."""

    def __init__(self, log: PredictionLog) -> None:
        self.request_ids: list[str] = []
        self._log = log
        self._arrived = perf_counter()

    def predicted(
        self, *, features: object, output: object, decision: str | None = None, served: Served | None = None
    ) -> str:
        """Logs a prediction and returns its request id; call it for each case that the request scores."""
        latency_ms = (perf_counter() - self._arrived) * 1000
        request_id = self._log.record(
            features=features, output=output, decision=decision, latency_ms=latency_ms, served=served
        )
        self.request_ids.append(request_id)
        return request_id


class PredictionMiddleware:
    """Follows the life of the application: START when it has started up, the last window when it shuts down.

    Answers get the header `lineward-request-id` with the ids of the (first) predictions made for them.
    """

    def __init__(self, app: ASGIApp, log: PredictionLog) -> None:
        self.app = app
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, self._following(send))
        elif scope["type"] == "http":
            self.log.start()  # servers may run without lifespan events
            request = ScoringRequest(self.log)
            await self.app({**scope, "lineward": request}, receive, _naming(request, send))
        else:
            await self.app(scope, receive, send)

    def _following(self, send: Send) -> Send:
        async def follow(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self.log.start()
            if message["type"].startswith("lifespan.shutdown."):
                await asyncio.to_thread(self.log.close)
            await send(message)

        return follow


def _naming(request: ScoringRequest, send: Send) -> Send:
    async def name(message: Message) -> None:
        if message["type"] == "http.response.start" and request.request_ids:
            header = (HEADER, ",".join(request.request_ids[:HEADER_IDS]).encode())
            message = {**message, "headers": [*message.get("headers", ()), header]}
        await send(message)

    return name
