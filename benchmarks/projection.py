"""The projector by itself, without a server beside it: from the entries of a log into each store."""

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from benchmarks.data import batches
from benchmarks.figures import Figure, Section
from catalog.composition import interpreter, open_graph
from catalog.graph.contract import GraphStore
from catalog.log.reader import LogReader
from catalog.projector import Projector
from catalog.settings import Settings

_TARGETS = {"sqlite": None, "neo4j": 2_000.0}  # events/s


def measure(data: Path, folder: Path, neo4j: str | None, most: int, reason: str) -> Section:
    """`data` holds a log and a graph; `folder` takes a scratch graph; `neo4j` is the address of an empty server, or
    None for the `reason` given."""
    section = Section("Projection, in process")
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(data=folder)
    with closing(open_graph(settings)) as store:
        _project(section, data, store, settings, most)
    _rebuild(section, data)
    if neo4j is None:
        section.remark(f"Neo4j: not measured: {reason}")
        return section
    with closing(open_graph(Settings(data=folder, graph=neo4j))) as store:
        _project(section, data, store, settings, most // 4)
        store.clear()
    return section


def _project(section: Section, data: Path, store: GraphStore, settings: Settings, most: int) -> None:
    with LogReader.open(data) as log:
        projector = Projector(store, log.origin, interpreter(settings))
    entries = list(batches(data, settings.batch, most))
    count = sum(map(len, entries))
    began, cpu = time.perf_counter(), time.process_time()
    for batch in entries:
        projector.project(batch)
    elapsed, used = time.perf_counter() - began, time.process_time() - cpu
    name = f"into {store.name}"
    section.add(Figure(name, count / elapsed, "events/s", target=_TARGETS[store.name], more=True, samples=count))
    section.add(Figure(f"{name}: CPU of this process", used / count * 1e6, "µs/event", samples=count))


def _rebuild(section: Section, data: Path) -> None:
    """The command as a whole process, its start included."""
    with LogReader.open(data) as log:
        size = log.size()
    began = time.perf_counter()
    command = [sys.executable, "-m", "catalog.cli", "rebuild", "--data", str(data)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rate = size / (time.perf_counter() - began)
    section.add(Figure("lineward rebuild", rate, "events/s", target=10_000, more=True, samples=size))
