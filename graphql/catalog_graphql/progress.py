"""Word of the projection's progress, for those who wait for something new."""

import asyncio
from collections.abc import Callable
from typing import Protocol

_POLL = 0.2  # seconds between two looks


class Progress(Protocol):
    async def beyond(self, offset: int) -> int:
        """Wait until more than `offset` entries are projected; how many are."""
        ...


class PolledProgress:
    """Looks at the offset again and again; each waiting subscriber costs one look an interval."""

    def __init__(self, offset: Callable[[], int], interval: float = _POLL) -> None:
        self._offset = offset
        self._interval = interval

    async def beyond(self, offset: int) -> int:
        while (reached := await asyncio.to_thread(self._offset)) <= offset:
            await asyncio.sleep(self._interval)
        return reached
