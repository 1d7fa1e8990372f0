"""A log of events, and graphs that follow it through whatever happens to their stores."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import orjson

from catalog.errors import StoreUnavailableError
from catalog.follower import Follower
from catalog.graph.contract import GraphStore
from catalog.graph.digest import digest
from catalog.graph.memory import MemoryGraph
from catalog.graph.sqlite import SqliteGraph
from catalog.log.entry import EntryType, Submission
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.projector import Projector
from tests.ingest.events import read_entry, whole_run

NOW = 1_772_323_200_000_000  # 2026-03-01T00:00Z
TABLES = 7


def write_log(folder: Path, runs: int, seed: int = 1) -> None:
    """Runs that read and write each other's tables, their events in any order, as they come in from many senders."""
    random = Random(seed)
    events = [
        event
        for run in range(runs)
        for event in whole_run(
            f"run {run}", run, run + 2, reads=[f"table {run % TABLES}"], writes=[f"table {(run + 1) % TABLES}"]
        )
    ]
    random.shuffle(events)
    with LogStore.open(folder) as store:
        for event in events:
            body = orjson.dumps(event)
            store.append([Submission(EntryType.OPENLINEAGE, "local", body, body)], NOW)


@contextmanager
def following(folder: Path, store: GraphStore, batch: int) -> Iterator[Follower]:
    with LogReader.open(folder) as log:
        yield Follower(log, lambda _erased: Projector(store, log.origin, read_entry), batch)


def persist(follower: Follower, recover: Callable[[], None] = lambda: None) -> int:
    """Step until there is nothing left, through stores that go away; how often that happened."""
    failures = 0
    while True:
        try:
            if not follower.step():
                return failures
        except StoreUnavailableError:
            failures += 1
            assert failures < 1_000
            recover()


def race(folder: Path, open_store: Callable[[], GraphStore], projectors: int, batch: int) -> None:
    """Projectors that know nothing of each other, on one graph, each until it finds nothing more to do."""
    failed: list[BaseException] = []

    def project() -> None:
        try:
            with closing(open_store()) as store, following(folder, store, batch) as follower:
                follower.catch_up()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=project) for _ in range(projectors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def rebuilt(folder: Path) -> str:
    """The digest of the same log in a plain graph, in one go."""
    store = MemoryGraph()
    with following(folder, store, 1_000_000) as follower:
        follower.catch_up()
    return digest(store)


def embedded(folder: Path) -> str:
    """The digest of the same log in the embedded graph, a few entries at a time."""
    with closing(SqliteGraph.open(folder / "embedded.db")) as store, following(folder, store, 7) as follower:
        follower.catch_up()
        return digest(store)
