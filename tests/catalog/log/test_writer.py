"""Group commit: what is in a batch, who is told what and when, and how it stops."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextvars import Context
from pathlib import Path

import pytest

from catalog.errors import LogClosedError, LogFullError
from catalog.log.entry import EntryType, Receipt, Submission
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.log.writer import LogWriter, QueueLimits


def submission(number: int, size: int = 0) -> Submission:
    return Submission(EntryType.OPENLINEAGE, "ann", b"%d" % number, b"x" * size)


class GatedStore:
    """A store whose every append waits to be let through, and may be told to fail."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.times: list[int] = []
        self.failure: Exception | None = None
        self.entered = threading.Semaphore(0)
        self._gate = threading.Semaphore(0)

    def append(self, batch: Sequence[Submission], now_us: int) -> list[Receipt]:
        self.batches.append([int(item.received) for item in batch])
        self.times.append(now_us)
        self.entered.release()
        self._gate.acquire()
        if self.failure is not None:
            raise self.failure
        return [Receipt(int(item.received), item.received, False) for item in batch]

    def let_through(self, count: int = 1) -> None:
        self._gate.release(count)


@pytest.fixture
def store() -> GatedStore:
    return GatedStore()


@pytest.fixture
def writer(store: GatedStore) -> Iterator[LogWriter]:
    with LogWriter(store, clock=lambda: 42, limits=QueueLimits(count=20, bytes=1000)) as writer:
        yield writer
        store.let_through(100)


def test_a_receipt_comes_after_the_commit_and_not_before(store: GatedStore, writer: LogWriter) -> None:
    future = writer.submit(submission(7))
    store.entered.acquire()
    assert not future.done()
    store.let_through()
    assert future.result(10) == Receipt(7, b"7", False)
    assert store.times == [42]


def test_what_waits_during_a_commit_is_the_next_batch_in_order(store: GatedStore, writer: LogWriter) -> None:
    futures = [writer.submit(submission(0))]
    store.entered.acquire()
    futures += [writer.submit(submission(i)) for i in range(1, 13)]
    assert writer.pending() == 12
    store.let_through(2)
    assert [future.result(10).seq for future in futures] == list(range(13))
    assert store.batches == [[0], list(range(1, 13))]


def test_after_a_large_batch_a_lone_submission_is_still_written(store: GatedStore, writer: LogWriter) -> None:
    futures = [writer.submit(submission(0))]
    store.entered.acquire()
    futures += [writer.submit(submission(i)) for i in range(1, 20)]
    store.let_through(100)
    for future in futures:
        future.result(10)
    assert writer.submit(submission(99)).result(10).seq == 99


def test_a_full_queue_is_refused_by_count(store: GatedStore, writer: LogWriter) -> None:
    writer.submit(submission(0))
    store.entered.acquire()
    for i in range(20):
        writer.submit(submission(i))
    with pytest.raises(LogFullError):
        writer.submit(submission(21))


def test_a_full_queue_is_refused_by_bytes_and_takes_more_later(store: GatedStore, writer: LogWriter) -> None:
    writer.submit(submission(0))
    store.entered.acquire()
    waiting = writer.submit(submission(1, 900))
    with pytest.raises(LogFullError):
        writer.submit(submission(2, 900))
    store.let_through(3)
    waiting.result(10)
    assert writer.submit(submission(2, 900)).result(10).seq == 2


def test_one_submission_beyond_the_limit_passes_alone(store: GatedStore, writer: LogWriter) -> None:
    store.let_through()
    assert writer.submit(submission(3, 5_000)).result(10).seq == 3


def test_a_failed_commit_stops_everything(store: GatedStore) -> None:
    failures: list[Exception] = []

    def on_failure(error: Exception) -> None:
        failures.append(error)
        stopping.close()

    stopping = LogWriter(store, on_failure=on_failure)
    cause = store.failure = LogClosedError("a write to the log failed: disk I/O error")
    futures = [stopping.submit(submission(0))]
    store.entered.acquire()
    futures += [stopping.submit(submission(i)) for i in range(1, 5)]
    store.let_through()
    for future in futures:
        with pytest.raises(LogClosedError, match="unknown"):
            future.result(10)
    stopping.close()
    assert failures == [cause]
    assert len(store.batches) == 1
    with pytest.raises(LogClosedError):
        stopping.submit(submission(9))


def test_a_full_disk_fails_the_batch_and_not_the_writer(store: GatedStore, writer: LogWriter) -> None:
    store.failure = LogFullError("the log's disk is full")
    refused = writer.submit(submission(0))
    store.let_through()
    with pytest.raises(LogFullError):
        refused.result(10)
    store.failure = None
    store.let_through()
    assert writer.submit(submission(1)).result(10).seq == 1


def test_closing_writes_what_waits(store: GatedStore) -> None:
    writer = LogWriter(store)
    futures = [writer.submit(submission(0))]
    store.entered.acquire()
    futures += [writer.submit(submission(i)) for i in range(1, 30)]
    store.let_through(100)
    writer.close()
    assert [future.result(0).seq for future in futures] == list(range(30))
    with pytest.raises(LogClosedError):
        writer.submit(submission(31))


def test_what_is_cancelled_in_time_is_not_written(store: GatedStore, writer: LogWriter) -> None:
    first, second, third = (writer.submit(submission(i)) for i in range(3))
    store.entered.acquire()
    assert second.cancel() or 1 in store.batches[0]
    store.let_through(5)
    third.result(10)
    assert first.result(10).seq == 0
    assert second.cancelled() != any(1 in batch for batch in store.batches)


def test_coroutines_get_their_receipts(store: GatedStore, writer: LogWriter) -> None:
    store.let_through(15)
    receipts = asyncio.run(gather(writer, 15))
    assert [receipt.seq for receipt in receipts] == list(range(15))


async def gather(writer: LogWriter, count: int) -> list[Receipt]:
    return await asyncio.gather(*(writer.append(submission(i)) for i in range(count)))


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that counts how often other threads wake it."""

    woken = 0

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        self.woken += 1
        return super().call_soon_threadsafe(callback, *args, context=context)


def test_a_loop_is_woken_once_a_commit(store: GatedStore, writer: LogWriter) -> None:
    async def scenario(loop: CountingLoop) -> int:
        first = asyncio.ensure_future(writer.append(submission(0)))
        await asyncio.sleep(0)
        store.entered.acquire()
        rest = asyncio.ensure_future(asyncio.gather(*(writer.append(submission(i)) for i in range(1, 9))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        store.let_through(2)
        await asyncio.gather(first, rest)
        return loop.woken

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, CountingLoop)
        assert runner.run(scenario(loop)) == len(store.batches) == 2


def test_a_coroutine_that_gave_up_disturbs_nobody(store: GatedStore, writer: LogWriter) -> None:
    async def scenario() -> Receipt:
        impatient = asyncio.ensure_future(writer.append(submission(0)))
        await asyncio.sleep(0)
        store.entered.acquire()
        impatient.cancel()
        await asyncio.sleep(0)
        store.let_through(2)
        return await writer.append(submission(1))

    assert asyncio.run(scenario()).seq == 1


def test_a_loop_that_is_gone_disturbs_nobody(store: GatedStore, writer: LogWriter) -> None:
    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.append(submission(0)), 0.01)

    asyncio.run(give_up())
    store.let_through(2)
    assert writer.submit(submission(1)).result(10).seq == 1


def test_many_threads_and_a_real_store(tmp_path: Path) -> None:
    """Eight threads send 400 submissions, half of them twice: one entry each, one answer for both copies."""
    futures: dict[int, list[Future[Receipt]]] = {i: [] for i in range(400)}
    with LogStore.open(tmp_path) as store, LogWriter(store) as writer:

        def send(numbers: range) -> None:
            for number in numbers:
                futures[number].append(writer.submit(submission(number)))

        threads = [threading.Thread(target=send, args=(range(k * 50, k * 50 + 50),)) for k in range(8)]
        threads += [threading.Thread(target=send, args=(range(k * 50, k * 50 + 50),)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        answers = {number: [f.result(10) for f in sent] for number, sent in futures.items()}
        assert store.size == 400
    assert sorted(receipts[0].seq for receipts in answers.values()) == list(range(400))
    assert all(len({receipt.seq for receipt in receipts}) == 1 for receipts in answers.values())
    assert sum(receipt.duplicate for receipts in answers.values() for receipt in receipts) == 200
    with LogReader.open(tmp_path) as reader:
        assert reader.size() == 400
