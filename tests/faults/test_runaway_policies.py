"""Expressions that never end, eat all memory or fail: stopped, and the next one is evaluated."""

from collections.abc import Iterator

import pytest

from catalog.errors import LinewardError
from policies.engine import compile_expression
from policies.sandbox import CrashedError, Limits, OutOfMemoryError, SandboxError, TimeoutReachedError, Worker

EVALUATE = "tests.policies.runaway:evaluate"
ITEMS = {"trainingDatasets": [{"id": f"d{number}", "name": "a" * 30 + "!"} for number in range(3_000)]}
RUNAWAY = {
    "quadratic": "trainingDatasets.all(a, trainingDatasets.all(b, a.id != '' && b.id != ''))",
    "cubic": "trainingDatasets.all(a, trainingDatasets.all(b, trainingDatasets.all(c, a.id != c.id || b.id != '')))",
    "regular expression": "trainingDatasets.exists(d, d.name.matches('(a+)+$'))",
    "nested maps": f"size([[1]]{'.map(x, x + x + x + x + x + x + x + x)' * 12}[0]) > 0",
    "long texts": f"size(['aaaaaaaa']{'.map(x, x + x + x + x + x + x + x + x)' * 12}[0]) > 0",
    "division by zero": "1 / (size(trainingDatasets) - 3000) == 0",
}


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker(Limits(memory=600 << 20, wall=2), preload=("tests.policies.runaway",)) as shared:
        yield shared


ENDS = {"value", "error", "unknown", *(each.__name__ for each in (TimeoutReachedError, OutOfMemoryError, CrashedError))}


@pytest.mark.parametrize("name", RUNAWAY)
def test_no_expression_outlives_its_budget(worker: Worker, name: str) -> None:
    """F19: an answer, an error of the expression, or the end of the worker; the next expression is evaluated."""
    assert end_of(worker, RUNAWAY[name]) in ENDS
    assert worker.run(EVALUATE, ("1 + 1 == 2", {})) == ("value", True)


def end_of(worker: Worker, source: str) -> str:
    try:
        kind, _value = worker.run(EVALUATE, (source, ITEMS))
    except SandboxError as error:
        return type(error).__name__
    return str(kind)


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5_000 + "true" + ")" * 5_000,
        "!" * 20_000 + "true",
        "[" * 3_000 + "]" * 3_000 + " == []",
        " && ".join(["true"] * 20_000),
        "nothing.knows(this)",
        "trainingDatasets.all(d, d.nonsense(1))",
        "'\\ud800' == ''",
    ],
    ids=["parentheses", "negations", "lists", "terms", "unknown-name", "unknown-function", "half-a-character"],
)
def test_no_expression_is_too_strange_to_be_refused(source: str) -> None:
    """F19: compiling ends, with a program or with a mistake that has a message."""
    told = mistake_in(source)
    assert told is None or told


def mistake_in(source: str) -> str | None:
    try:
        compile_expression(source)
    except LinewardError as error:
        return error.message
    return None
