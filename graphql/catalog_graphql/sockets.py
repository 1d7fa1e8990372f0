"""Operations on a WebSocket (graphql-transport-ws): who asks is looked at again and again, and nobody is waited for."""

import asyncio
from contextlib import ExitStack, suppress
from typing import Any, cast

from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, Message

from catalog.errors import LinewardError
from catalog.refusal import RateLimitedError
from catalog_graphql.desk import Desk
from catalog_graphql.limits import Limits
from catalog_graphql.shares import CallersDesk

# Close codes of graphql-transport-ws, and of RFC 6455 section 7.4.1
_FORBIDDEN, _TOO_MANY, _SLOW, _BROKEN = 4403, 4429, 1008, 1011


class WatchedHandler(BaseGraphQLTransportWSHandler[Desk, None]):
    """Closes when the credentials lapse, or when the other side takes too long to read."""

    limits = Limits()
    _closed = False

    async def handle(self) -> None:
        """Until either side closes. What the watch finds out ends the connection though nobody reads from it."""
        watch = asyncio.create_task(self._watch())
        try:
            with ExitStack() as self._resources:
                async with asyncio.timeout(None) as self._serving:
                    await super().handle()
        except TimeoutError:
            if not self._serving.expired():
                raise
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def handle_message(self, message: Message) -> None:
        if _is_well_formed(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("Failed to parse message")

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        await super().handle_connection_init(message)
        if not self.connection_acknowledged:
            return
        try:
            self._resources.enter_context(cast(CallersDesk, self.context).share.socket())
        except RateLimitedError as error:
            await self._end(_TOO_MANY, error.message)

    async def send_message(self, message: Message) -> None:
        """Nothing that happened is told to whom it is no longer any business of."""
        if message["type"] == "next" and not await self._still_permitted():
            return
        try:
            async with asyncio.timeout(self.limits.send_seconds):
                await super().send_message(message)
        except TimeoutError:
            await self._end(_SLOW, "Too slow")

    async def _watch(self) -> None:
        """Should looking fail, nobody knows who listens."""
        try:
            while True:
                await asyncio.sleep(self.limits.recheck_seconds)
                if self.connection_acknowledged:
                    await self._still_permitted()
        except Exception:
            await self._end(_BROKEN, "Something went wrong inside Lineward.")
            raise

    async def _still_permitted(self) -> bool:
        """Whether the credentials give what they gave at the start; closes where they do not.

        Other rights ask for another connection: what is about to be told was read with those of before.
        """
        caller = cast(CallersDesk, self.context)
        before = caller.principal
        try:
            await cast(Any, self.view).authenticate(caller)
        except LinewardError as error:
            await self._end(_FORBIDDEN, error.message)
            return False
        if caller.principal != before:
            await self._end(_FORBIDDEN, "Your rights have changed: connect again.")
        return caller.principal == before and not self._closed

    async def _end(self, code: int, reason: str) -> None:
        """Say so if the other side listens, and be done in either case."""
        if self._closed:
            return
        self._closed = True
        try:
            async with asyncio.timeout(self.limits.send_seconds):
                await self.websocket.close(code=code, reason=reason[:100])
        except TimeoutError:
            pass
        finally:
            self._serving.reschedule(asyncio.get_running_loop().time())


def _is_well_formed(message: Any) -> bool:
    """What strawberry takes for granted of a message."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] == "complete":
        return isinstance(message.get("id"), str)
    if message["type"] != "subscribe":
        return True
    payload = message.get("payload")
    return (
        isinstance(message.get("id"), str)
        and isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("variables"), dict | None)
        and isinstance(payload.get("operationName"), str | None)
    )
