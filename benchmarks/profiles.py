"""Where the time goes: `python -m benchmarks --profile`."""

import cProfile
import io
import pstats
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.data import batches, write_log
from benchmarks.graphs import NAMESPACE, Layers, Repeated
from benchmarks.workload import some_events
from catalog.composition import follower, interpreter, open_graph
from catalog.graph.contract import GraphReader
from catalog.log.reader import LogReader
from catalog.model import DatasetRef, Direction, Grain, LineageGraph, NodeRef
from catalog.projector import Projector
from catalog.reading import Reading, Walk
from catalog.settings import Settings

_TOP = 25
_VERBS = [
    "newest",
    "nodes",
    "run_events",
    "events",
    "outgoing",
    "incoming",
    "latest",
    "earliest",
    "last",
    "count",
    "mentions",
    "bundles",
    "bodies",
    "shapes",
    "spans",
]


class Counted:
    """A reader that counts the calls that a store answers."""

    def __init__(self, reader: GraphReader, calls: Counter[str]) -> None:
        self._reader = reader
        self.calls = calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._reader, name)
        if name == "until":
            return lambda valid: Counted(found(valid), self.calls)
        if name not in _VERBS:
            return found

        def counted(*arguments: Any, **named: Any) -> Any:
            of = (
                f"{name} {arguments[0]}"
                if name in ("incoming", "outgoing", "latest", "earliest", "last", "count")
                else name
            )
            self.calls[of] += 1
            return found(*arguments, **named)

        return counted


def show(folder: Path, console: Console) -> None:
    _show_walks(folder / "walks", console)
    _show_projection(folder / "projection", console)


def _show_walks(data: Path, console: Console) -> None:
    graphs: list[Layers | Repeated] = [Layers(13, 1), Layers(13, 10), Repeated(200)]
    for graph in graphs:
        write_log(data, graph.events())
    settings = Settings(data=data)
    with LogReader.open(data) as log, closing(open_graph(settings)) as store:
        follower(settings, log, store).catch_up()
        for graph in graphs:
            for walk in _walks():
                calls: Counter[str] = Counter()
                with store.read() as reader:
                    start = graph.source if walk.direction is Direction.DOWNSTREAM else graph.root
                    found = _ask(Counted(reader, calls), start, walk)
                what = f"{start}, {walk.grain} {walk.direction}: {len(found.nodes)} nodes, {calls.total()} store calls"
                console.print(f"{what} {dict(calls.most_common(12))}", highlight=False)
        for walk in _walks():
            with (
                store.read() as reader,
                _profiled(console, f"Reading.lineage, {walk.grain} {walk.direction}"),
            ):
                up = walk.direction is Direction.UPSTREAM
                _ask(reader, Layers(13, 10).root if up else Layers(13, 10).source, walk)


def _walks() -> list[Walk]:
    ways = (Direction.UPSTREAM, Direction.DOWNSTREAM)
    return [
        Walk(direction=way, grain=grain, depth=100, limit=2_000) for way in ways for grain in (Grain.RUN, Grain.JOB)
    ]


def _ask(reader: Any, start: str, walk: Walk) -> LineageGraph:
    return Reading(reader).lineage(NodeRef(dataset=DatasetRef(NAMESPACE, start)), walk)


def _show_projection(data: Path, console: Console) -> None:
    write_log(data, some_events(5_000))
    settings = Settings(data=data)
    entries = list(batches(data, settings.batch, 5_000))
    with LogReader.open(data) as log, closing(open_graph(settings)) as store:
        projector = Projector(store, log.origin, interpreter(settings))
        with _profiled(console, "Projector.project, 5,000 events"):
            for batch in entries:
                projector.project(batch)


@contextmanager
def _profiled(console: Console, what: str) -> Iterator[None]:
    """Print the functions that cost most by themselves, then those that cost most with what they call."""
    profile = cProfile.Profile()
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
    text = io.StringIO()
    statistics = pstats.Stats(profile, stream=text).strip_dirs()
    statistics.sort_stats("tottime").print_stats(_TOP)
    statistics.sort_stats("cumtime").print_stats(_TOP)
    console.print(what, style="bold")
    console.print(text.getvalue(), markup=False, highlight=False)
