"""The page on expressions says what is so."""

import re
from pathlib import Path

import pytest

from policies.engine import MAX_SOURCE, compile_expression
from policies.functions import FUNCTIONS, Function
from policies.sandbox import Limits
from policies.typing.activation import TOP_LEVEL

PAGE = (Path(__file__).parents[2] / "docs/reference/expressions.md").read_text(encoding="utf-8")
EXAMPLES = [line for block in re.findall(r"```cel\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_compiles(example: str) -> None:
    assert compile_expression(
        example,
        as_variable=("dataset", "trainingDatasets"),
        params={"allowedLicences": "list<string>", "biasMaxAgeDays": "int"},
    )


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_each_function_is_described(function: Function) -> None:
    assert re.search(rf"^\| `(list\.)?{function.name}\(", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", TOP_LEVEL)
def test_each_variable_is_described(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize(
    "call",
    [
        "'a-b'.split('-').join('+') == 'a+b'",
        "' A'.trim().lowerAscii().upperAscii().replace('A', 'b').substring(0).indexOf('b') == 0",
        "'a'.charAt(0).endsWith('a')",
        "math.least(math.abs(-1), 2) == 1 && math.ceil(0.5) + math.floor(0.5) == math.round(1.0)",
        "optional.none().or(optional.of(1)).hasValue()",
        "optional.of(1).optFlatMap(x, optional.of(x)).orValue(2) == 1",
        "evaluatedAt.getDate() > 0 && evaluatedAt.getDayOfWeek() >= 0 && evaluatedAt.getHours() >= 0",
        "int('7') == 7 && bool('true') && string(1.5) == '1.5' && 7 % 4 == 3",
    ],
)
def test_each_function_of_the_language_that_it_lists_exists(call: str) -> None:
    assert compile_expression(call).evaluate({"evaluatedAt": "2026-11-24T12:00:00Z"}).value is True


def test_the_limits_are_those_in_force() -> None:
    assert f"{MAX_SOURCE:,} bytes" in PAGE
    assert Limits() == Limits(memory=1 << 30, wall=10)
