"""How long a person waits for a command, and a deployment for the server."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, Section
from benchmarks.process import serving


def measure(folder: Path, times: int) -> Section:
    """`folder` takes empty data folders."""
    section = Section("Start")
    bare = median(_seconds("-c", "pass") for _ in range(times))
    helped = median(_seconds("-m", "catalog.cli", "--help") for _ in range(times))
    section.add(Figure("lineward --help", helped, "s", floor=bare, target=0.3, samples=times))
    ready = median(_ready(folder / str(number)) for number in range(times))
    section.add(Figure("serve until ready, empty folder", ready, "s", floor=bare, target=1.5, samples=times))
    section.remark("floor: a Python that does nothing")
    return section


def _seconds(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _ready(data: Path) -> float:
    with serving(data) as server:
        return server.started
