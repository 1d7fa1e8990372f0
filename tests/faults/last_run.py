"""The figures of the last run of the long tier, kept beside the checkout's caches."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

PROPERTY = "counted"
FILE = Path(__file__).resolve().parents[2] / ".cache" / "faults.json"


@dataclass(slots=True)
class Figures:
    """Of one test without its parameters: how often it passed, failed or was skipped, and what it counted."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    counted: list[str] = field(default_factory=list)


_found: dict[str, Figures] = {}


def note(report: pytest.TestReport) -> None:
    """Take down what a test said of itself. Its failures while it was set up or cleaned up count, too."""
    if report.when != "call" and report.outcome == "passed":
        return
    figures = _found.setdefault(report.nodeid.partition("[")[0], Figures())
    setattr(figures, report.outcome, getattr(figures, report.outcome) + 1)
    figures.seconds += report.duration
    figures.counted += [str(value) for name, value in report.user_properties if name == PROPERTY]


def write() -> None:
    if _found:
        FILE.parent.mkdir(exist_ok=True)
        tests = {test: asdict(figures) for test, figures in sorted(_found.items())}
        FILE.write_text(json.dumps({"day": datetime.now(UTC).date().isoformat(), "tests": tests}, indent=1))


def read() -> tuple[str, dict[str, Figures]]:
    """The day of the run and its figures by test; FileNotFoundError where there was none."""
    kept = json.loads(FILE.read_text())
    return kept["day"], {test: Figures(**figures) for test, figures in kept["tests"].items()}
