"""The index of faults: which tests stand for which of them."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Row:
    """A fault and what holds under it. `tests` are named as pytest names them, without parameters."""

    id: str
    fault: str
    holds: str
    tests: tuple[str, ...]
    absent: str = ""  # a module that would have the fault


def rows() -> list[Row]:
    loaded: list[dict[str, Any]] = yaml.safe_load((HERE / "faults.yaml").read_text())
    return [Row(**{**row, "tests": tuple(row["tests"])}) for row in loaded]


@cache
def docstrings(path: Path) -> dict[str, str]:
    """Of the tests of a file, by their names."""
    functions = [each for each in ast.parse(path.read_text()).body if isinstance(each, ast.FunctionDef)]
    return {each.name: ast.get_docstring(each) or "" for each in functions if each.name.startswith("test_")}


def table() -> str:
    """As Markdown, for the page on reliability."""
    lines = ["| | fault | holds | tests |", "|---|---|---|---|"]
    for row in rows():
        tests = "none: there is no such door" if row.absent else files(row)
        lines.append(f"| {row.id} | {row.fault} | {row.holds} | {tests} |")
    return "\n".join(lines)


def files(row: Row) -> str:
    """The files of a row's tests, each with how many they are."""
    counts: dict[str, int] = {}
    for test in row.tests:
        path = test.partition("::")[0].removeprefix("tests/")
        counts[path] = counts.get(path, 0) + 1
    return ", ".join(f"`{path}` {count}" for path, count in counts.items())
