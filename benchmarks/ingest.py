"""Ingest: events that are acknowledged when they are durable, and projected beside that."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median

from benchmarks.figures import Figure, Section, latency
from benchmarks.floor import append_and_sync, empty_server, parse
from benchmarks.load import Latencies, request, send
from benchmarks.process import Server, serving
from benchmarks.workload import pipelines_for, some_events

_PATH = "/api/v1/lineage"
_CATCH_UP = 120.0  # seconds
_WATCH = 0.1  # seconds between two looks at the lag
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Phase:
    """So many events over so many connections, so many times over."""

    connections: int
    events: int
    times: int = 1


QUICK = (Phase(1, 100), Phase(32, 1_000))
FULL = (Phase(1, 1_500), Phase(8, 6_000), Phase(32, 16_000, 3))
_TARGETS = {1: (None, 1.0), 8: (None, None), 32: (5_000.0, None)}  # connections → (events/s, p50 ms)
_TARGET_CPU = 0.25  # ms of server CPU an event, at 32 connections
_TARGET_P99 = 25.0  # ms, at 32 connections
_TARGET_SIZE = 1_100.0  # bytes an event


@dataclass(slots=True)
class Watched:
    """The greatest lag that was seen, seconds."""

    worst: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Outcome:
    latencies: Latencies
    cpu: float  # ms an event
    projector: float  # ms of it in the projector
    worst_lag: float  # seconds
    lag_after: float  # seconds until everything was projected


@dataclass(frozen=True, slots=True)
class Total:
    """Events sent in all, and MB of the server and its projector after them."""

    events: int
    resident: float


def measure(folder: Path, phases: tuple[Phase, ...], graph: str = "sqlite") -> Section:
    """Fills `folder` with a log and, where it is the embedded one, a graph. Leaves both for other measurements."""
    folder.mkdir(parents=True, exist_ok=True)
    section = Section(f"Ingest over HTTP, projected into {'sqlite' if graph == 'sqlite' else 'neo4j'}")
    probes = append_and_sync(folder)
    outcomes, floors, total = _load(folder, phases, graph)
    for phase in phases:
        _report(section, phase, outcomes[phase], floors[phase])
    _report_size(section, folder / "data", total, graph)
    _report_probe(section, probes + append_and_sync(folder))
    section.add(Figure("orjson.loads of an event", parse(some_events(500)) * _MICRO, "µs", samples=500))
    return section


def _load(
    folder: Path, phases: tuple[Phase, ...], graph: str
) -> tuple[dict[Phase, list[Outcome]], dict[Phase, Outcome], Total]:
    outcomes: dict[Phase, list[Outcome]] = {phase: [] for phase in phases}
    floors: dict[Phase, Outcome] = {}
    sent = pipeline = 0
    with empty_server() as empty, serving(folder / "data", graph) as server:
        for phase in phases:
            for _ in range(phase.times):
                requests = [request(_PATH, event) for event in some_events(phase.events, pipeline)]
                pipeline += pipelines_for(phase.events)
                if phase not in floors:
                    floors[phase] = _send(empty, phase, requests)
                outcomes[phase].append(_send(server, phase, requests, projects=True))
                sent += phase.events
        resident = server.usage().resident
    return outcomes, floors, Total(sent, resident)


def _send(server: Server, phase: Phase, requests: list[bytes], *, projects: bool = False) -> Outcome:
    before, lag_after = server.usage(), 0.0
    if projects:
        with _watching(server) as watched:
            latencies = send(server.port, requests, phase.connections)
        lag_after = server.await_projection(_CATCH_UP)
    else:
        watched, latencies = Watched(), send(server.port, requests, phase.connections)
    after, scale = server.usage(), 1000 / len(requests)
    cpu, projector = (after.cpu - before.cpu) * scale, (after.children - before.children) * scale
    return Outcome(latencies, cpu, projector, watched.worst, lag_after)


@contextmanager
def _watching(server: Server) -> Iterator[Watched]:
    """Looks at the lag now and then, from another thread."""
    watched = Watched()

    def watch() -> None:
        while not watched.stop.wait(_WATCH):
            watched.worst = max(watched.worst, server.projected()[1])

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield watched
    finally:
        watched.stop.set()
        thread.join()


def _report(section: Section, phase: Phase, outcomes: list[Outcome], floor: Outcome) -> None:
    name = f"{phase.connections} connection{'s' if phase.connections > 1 else ''}"
    rate, middle = _TARGETS[phase.connections]
    many = phase.connections == 32
    rates = [outcome.latencies.rate for outcome in outcomes]
    section.add(
        Figure(f"{name}: acknowledged", median(rates), "events/s", None, floor.latencies.rate, rate, True, len(rates))
    )
    typical = sorted(outcomes, key=lambda outcome: outcome.latencies.rate)[len(outcomes) // 2]
    section.add(latency(f"{name}: latency", typical.latencies, floor=floor.latencies.median, target=middle))
    if many:
        tail = median(outcome.latencies.percentile(99) for outcome in outcomes) * 1000
        section.add(Figure(f"{name}: p99 of latency", tail, "ms", target=_TARGET_P99, samples=len(outcomes)))
    cpu, limit = median(outcome.cpu for outcome in outcomes), _TARGET_CPU if many else None
    section.add(Figure(f"{name}: server CPU", cpu, "ms/event", floor=floor.cpu, target=limit, samples=len(outcomes)))
    projector = median(outcome.projector for outcome in outcomes)
    section.add(Figure(f"{name}: of it the projector", projector, "ms/event", samples=len(outcomes)))
    worst, after = max(o.worst_lag for o in outcomes), max(o.lag_after for o in outcomes)
    section.add(Figure(f"{name}: greatest lag", worst, "s", target=1.0, samples=len(outcomes)))
    section.add(Figure(f"{name}: lag at the end", after, "s", target=1.0, samples=len(outcomes)))


def _report_size(section: Section, data: Path, total: Total, graph: str) -> None:
    """What the closed files hold an event. A dictionary is trained on the first events, so more events cost less."""
    names = ("log.db", "graph.db") if graph == "sqlite" else ("log.db",)
    sizes = [(data / name).stat().st_size / total.events for name in names]
    for name, size in zip(names, sizes, strict=True):
        section.add(Figure(f"disk: {name}", size, "B/event", samples=total.events))
    if graph == "sqlite":
        sent = mean(map(len, some_events(1_300)))
        section.add(Figure("disk: all", sum(sizes), "B/event", floor=sent, target=_TARGET_SIZE, samples=total.events))
        section.remark(f"floor of the disk figure: the event as it was sent, {sent:,.0f} bytes")
    section.add(Figure("memory: server and projector", total.resident, "MB", target=300.0, samples=total.events))


def _report_probe(section: Section, probes: list[float]) -> None:
    each = Latencies(tuple(probes), sum(probes))
    section.add(latency("probe: append and fdatasync of 4 KB", each))
