"""`python -m benchmarks`: everything, or with `--quick` just enough to see that it runs."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from benchmarks import figures, gate, ingest, lineage, profiles, projection, start, sweep
from benchmarks.figures import Section
from benchmarks.store import some_neo4j

_DISK = Path("dist")  # on the disk of the checkout: what a temporary folder lies on may be memory
_WIDTH = 120


def main() -> None:
    typer.run(bench)


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Under a minute, for CI: says nothing about speed.")] = False,
    neo4j: Annotated[bool, typer.Option(help="Also into and out of Neo4j.")] = True,
    profile: Annotated[bool, typer.Option("--profile", help="Only where the time goes, function by function.")] = False,
    raw: Annotated[Path, typer.Option(help="Where the rows go, as JSON.")] = _DISK / "benchmarks.json",
) -> None:
    """Measure Lineward on this machine, beside what the machine does at best."""
    console = Console(width=_WIDTH)
    _DISK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=_DISK) as name:
        folder = Path(name)
        if profile:
            profiles.show(folder, console)
            return
        about = figures.machine(folder.parent.absolute())
        console.print(Text(", ".join(f"{key} {value}" for key, value in about.items()), style="dim"))
        sections = []
        for section in _measured(folder, console, quick=quick, neo4j=neo4j):
            figures.show(section, console)
            sections.append(section)
        figures.keep(raw, about, sections)
        console.print(f"rows: {raw}")


def _measured(folder: Path, console: Console, *, quick: bool, neo4j: bool) -> Iterator[Section]:
    """The sections, each when it is done."""
    timed = _Clock(console)
    plan = lineage.QUICK if quick else lineage.FULL
    yield timed("start", lambda: start.measure(folder / "start", 1 if quick else 5))
    yield timed("ingest", lambda: ingest.measure(folder / "ingest", ingest.QUICK if quick else ingest.FULL))
    graphs = folder / "graphs"
    lineage.prepare(graphs, plan)
    yield timed("lineage", lambda: lineage.measure(graphs, plan))
    yield timed("gate", lambda: gate.measure(folder / "gate", gate.QUICK if quick else gate.FULL))
    yield timed("verdicts", lambda: _swept(folder / "verdicts", sweep.QUICK if quick else sweep.FULL))
    with _neo4j(wanted=neo4j) as (address, reason):
        most = 400 if quick else 24_000
        ingested = folder / "ingest" / "data"
        yield timed("projection", lambda: projection.measure(ingested, folder / "projection", address, most, reason))
        if address is not None:
            yield timed("lineage, neo4j", lambda: _out_of_neo4j(folder, address, quick=quick))


def _swept(data: Path, versions: int) -> Section:
    sweep.prepare(data, versions)
    return sweep.measure(data, versions)


def _out_of_neo4j(folder: Path, address: str, *, quick: bool) -> Section:
    plan = lineage.QUICK_NEO4J if quick else lineage.FULL_NEO4J
    data = folder / "neo4j"
    lineage.prepare(data, plan)
    return lineage.measure(data, plan, address)


@contextmanager
def _neo4j(*, wanted: bool) -> Iterator[tuple[str | None, str]]:
    """The address of an empty server, or why there is none."""
    if not wanted:
        yield None, "it was not asked for"
        return
    with some_neo4j() as server:
        yield (None, server) if isinstance(server, str) else (server.uri, "")


class _Clock:
    """Says on standard error what is being measured, and how long that took."""

    def __init__(self, console: Console) -> None:
        self._console = Console(stderr=True, width=console.width)

    def __call__(self, what: str, work: Callable[[], Section]) -> Section:
        began = time.perf_counter()
        with self._console.status(f"measuring {what}"):
            section = work()
        self._console.print(Text(f"{what}: {time.perf_counter() - began:.0f} s", style="dim"))
        return section


if __name__ == "__main__":
    main()
