"""What was measured, as rows: a median, its tail, the floor under it and the target above it."""

import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import apsw
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.load import Latencies

_PACKAGES = ("lineward", "starlette", "uvicorn", "uvloop", "apsw", "msgspec", "orjson", "strawberry-graphql", "neo4j")
_MILLI = 1000.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. `floor` is the same measure of something that does no work; `more` says that more is better."""

    name: str
    value: float
    unit: str
    tail: float | None = None  # p99
    floor: float | None = None
    target: float | None = None
    more: bool = False
    samples: int = 1

    @property
    def ratio(self) -> float | None:
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.more else self.value <= self.target


def latency(
    name: str, found: Latencies, *, floor: float | None = None, target: float | None = None, factor: float = _MILLI
) -> Figure:
    """Milliseconds, median and p99; `floor` in seconds."""
    return Figure(
        name,
        found.median * factor,
        "ms",
        tail=found.percentile(99) * factor,
        floor=None if floor is None else floor * factor,
        target=target,
        samples=len(found.each),
    )


@dataclass(slots=True)
class Section:
    """Figures that belong together, and remarks under them."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, figure: Figure) -> None:
        self.figures.append(figure)

    def remark(self, text: str) -> None:
        self.remarks.append(text)


def machine(folder: Path) -> dict[str, str]:
    """Where and with what this was measured."""
    return {
        "processor": next(_processors(), platform.processor()),
        "cores": str(len(os.sched_getaffinity(0))),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "folder": str(folder),
        **{name: version(name) for name in _PACKAGES},
    }


def _processors() -> Iterator[str]:
    information = Path("/proc/cpuinfo")
    for line in information.read_text().splitlines() if information.exists() else ():
        if line.startswith("model name"):
            yield line.partition(":")[2].strip()


def show(section: Section, console: Console) -> None:
    table = Table(title=section.title, title_justify="left", title_style="bold", box=None, header_style="bold")
    table.add_column("", overflow="fold")
    for column in ("median", "p99", "unit", "floor", "× floor", "target", "n"):
        table.add_column(column, justify="left" if column == "unit" else "right")
    for figure in section.figures:
        style = {None: "", True: "green", False: "bold red"}[figure.met]
        table.add_row(
            figure.name,
            Text(_number(figure.value), style=style),
            _number(figure.tail),
            figure.unit,
            _number(figure.floor),
            _number(figure.ratio),
            "" if figure.target is None else f"{'≥' if figure.more else '≤'} {_number(figure.target)}",
            f"{figure.samples:,}",
        )
    console.print(table)
    for remark in section.remarks:
        console.print(Text(f"  {remark}", style="dim"))
    console.print()


def _number(value: float | None) -> str:
    """Three significant digits."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def keep(path: Path, about: dict[str, str], sections: list[Section]) -> None:
    """Everything that was shown, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {"machine": about, "sections": [asdict(section) for section in sections]}
    path.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
