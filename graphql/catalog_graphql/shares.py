"""One caller's share of the server: operations, sockets and threads at the same time."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from typing import TypeVar
from weakref import WeakValueDictionary

from catalog.principal import Principal
from catalog.refusal import RateLimitedError
from catalog_graphql.desk import Desk, Sources
from catalog_graphql.limits import Limits, may_explore
from catalog_graphql.trusted import Admission, TrustedDocuments

T = TypeVar("T")


class Share:
    """What one principal has under way. For use on one event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._operations = 0
        self._sockets = 0
        self._threads = asyncio.Semaphore(limits.threads)

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Raises RateLimitedError where as many run as may."""
        if self._operations >= self._limits.at_once:
            raise RateLimitedError(
                f"{self._limits.at_once} of your operations are running.", "Wait for one of them, then send it again."
            )
        self._operations += 1
        try:
            yield
        finally:
            self._operations -= 1

    @contextmanager
    def socket(self) -> Iterator[None]:
        """Raises RateLimitedError where as many are open as may."""
        if self._sockets >= self._limits.sockets:
            raise RateLimitedError(f"{self._limits.sockets} of your WebSockets are open.", "Close one of them.")
        self._sockets += 1
        try:
            yield
        finally:
            self._sockets -= 1

    async def run(self, executor: Executor, work: Callable[[], T]) -> T:
        """The work in a thread. Given up, it counts until its thread is done, since nothing can stop a thread."""
        loop = asyncio.get_running_loop()
        await self._threads.acquire()
        try:
            future = executor.submit(work)
        except BaseException:
            self._threads.release()
            raise

        def done(_: Future[T]) -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile, and nobody waits
                loop.call_soon_threadsafe(self._threads.release)

        future.add_done_callback(done)
        return await asyncio.wrap_future(future)


class Shares:
    """The share of everybody who has something under way."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._known: WeakValueDictionary[str, Share] = WeakValueDictionary()

    def of(self, principal: Principal) -> Share:
        found = self._known.get(principal.name)
        if found is None:
            found = self._known[principal.name] = Share(self._limits)
        return found


class CallersDesk(Desk):
    """The desk of one caller, who is held to limits. `admission` is what documents are measured against."""

    def __init__(
        self,
        sources: Sources,
        principal: Principal,
        headers: Mapping[str, str],
        shares: Shares,
        limits: Limits,
        trusted: TrustedDocuments,
    ) -> None:
        super().__init__(sources, principal)
        self.headers = headers  # that the principal was told by
        self._shares = shares
        self._limits = limits
        self._trusted = trusted
        self.share = shares.of(principal)

    @property
    def admission(self) -> Admission:
        return Admission(self._limits.of(self.principal), may_explore(self.principal), self._trusted)

    def turn_to(self, principal: Principal) -> None:
        """Someone else asks from now on, or the same one with other rights."""
        self.principal = principal
        self.share = self._shares.of(principal)

    async def in_thread(self, work: Callable[[], T]) -> T:
        return await self.share.run(self.sources.executor, work)
