"""Where one operation's questions are put: readings in threads, all of one step of the operation in one reading.

The root of an operation fixes the cut; everything below it reads at that cut, so an answer never mixes two states.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from time import time
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader
from strawberry.types.info import Info as StrawberryInfo

from catalog.access import Access
from catalog.erasure.eraser import Eraser
from catalog.errors import NotFoundError
from catalog.log.entry import Entry
from catalog.model import AsOf, Node
from catalog.principal import Principal, Scope
from catalog.read_audit import ReadAudit
from catalog.reading import Reading
from catalog_graphql.progress import Progress
from policies.governance import Governance

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

Question = Callable[[Reading], Any]


@dataclass(frozen=True, slots=True)
class Sources:
    """What the GraphQL surface reads from.

    `entry` is an entry of the log by its position (NotFoundError beyond it), `digest` the last digest of the graph
    that somebody computed, `executor` runs whatever waits for a store.
    """

    access: Access
    entry: Callable[[int], Entry]
    progress: Progress
    executor: Executor
    digest: Callable[[], str | None] = lambda: None
    governance: Governance | None = None
    now: Callable[[], float] = time  # seconds since the epoch
    eraser: Eraser | None = None
    audit: ReadAudit | None = None


class Desk:
    """The context of one operation. For use on one event loop."""

    def __init__(self, sources: Sources, principal: Principal) -> None:
        self.sources = sources
        self.principal = principal
        self.connection_params: Mapping[str, object] = {}  # of a WebSocket: strawberry puts them here
        self._questions: DataLoader[tuple[AsOf, Question], Any] = DataLoader(self._answer, cache=False)
        self._nodes: DataLoader[tuple[AsOf, str], Node | None] = DataLoader(self._describe, cache=False)
        self._entries: DataLoader[int, Entry | None] = DataLoader(self._fetch, cache=False)

    @property
    def governance(self) -> Governance:
        """What policies need. NotFoundError where this server only reads."""
        if self.sources.governance is None:
            raise NotFoundError("This server answers no questions about policies.", "Ask the one that keeps the log.")
        return self.sources.governance

    @property
    def eraser(self) -> Eraser:
        """What erasures need. NotFoundError where this server only reads."""
        if self.sources.eraser is None:
            raise NotFoundError("This server erases nothing.", "Ask the one that keeps the log.")
        return self.sources.eraser

    def now(self) -> int:
        """The instant at which expiries are judged, µs."""
        return int(self.sources.now() * 1_000_000)

    async def in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.sources.executor, work)

    async def open(self, as_of: AsOf, at_least: str | None, question: Callable[[Reading], T]) -> tuple[AsOf, T]:
        """A root question: its answer, and the cut at which everything below it is read."""

        self.principal.require(Scope.LINEAGE_READ)

        def work() -> tuple[AsOf, T]:
            with self.sources.access.reading(as_of, at_least, self.principal) as reading:
                return AsOf(as_of.valid, reading.known), question(reading)

        return await self.in_thread(work)

    async def ask(self, cut: AsOf, question: Callable[[Reading], T]) -> T:
        """A question below the root; those of one step share a reading."""
        answer: T = await self._questions.load((cut, question))
        return answer

    async def node(self, cut: AsOf, node: str) -> Node | None:
        return await self._nodes.load((cut, node))

    async def entry(self, seq: int) -> Entry | None:
        """An entry of the log; None where it is not there."""
        return await self._entries.load(seq)

    # Batches ---------------------------------------------------------------------------------------------------

    async def _answer(self, asked: list[tuple[AsOf, Question]]) -> list[Any]:
        return await self.in_thread(lambda: _at_each_cut(self._reading, asked, _answers))

    async def _describe(self, asked: list[tuple[AsOf, str]]) -> list[Any]:
        return await self.in_thread(lambda: _at_each_cut(self._reading, asked, _descriptions))

    def _reading(self, cut: AsOf) -> AbstractContextManager[Reading]:
        return self.sources.access.reading(cut, None, self.principal)

    async def _fetch(self, seqs: list[int]) -> list[Any]:
        return await self.in_thread(lambda: [self._entry(seq) for seq in seqs])

    def _entry(self, seq: int) -> Entry | None:
        try:
            return self.sources.entry(seq)
        except NotFoundError:
            return None


Info = StrawberryInfo[Desk, None]


def _at_each_cut(
    opened: Callable[[AsOf], AbstractContextManager[Reading]],
    asked: list[tuple[AsOf, K]],
    answers: Callable[[Reading, list[K]], Iterable[Any]],
) -> list[Any]:
    """Answers in the order asked; a mistake is the answer to its own question only."""
    groups: dict[AsOf, list[int]] = {}
    for index, (cut, _) in enumerate(asked):
        groups.setdefault(cut, []).append(index)
    found: dict[int, Any] = {}
    for cut, indices in groups.items():
        with opened(cut) as reading:
            found.update(zip(indices, answers(reading, [asked[i][1] for i in indices]), strict=True))
    return [found[index] for index in range(len(asked))]


def _answers(reading: Reading, questions: list[Question]) -> list[Any]:
    return [_tried(reading, question) for question in questions]


def _tried(reading: Reading, question: Question) -> Any:
    try:
        return question(reading)
    except Exception as error:  # the loader raises it where the question was put
        return error


def _descriptions(reading: Reading, ids: list[str]) -> list[Node | None]:
    found = reading.describe(ids)
    return [found.get(each) for each in ids]
