"""What was measured of the engine and must not surprise anybody: each trap with the behaviour we rely on."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from policies.engine import Activation, ExpressionError, Outcome, compile_expression
from policies.evidence.document import Evidence, Subject
from policies.typing.descriptor import file_descriptor


def datasets(count: int) -> list[dict[str, Any]]:
    return [{"id": f"d{number}", "namespace": "n", "name": "x", "licence": "MIT"} for number in range(count)]


def test_all_of_nothing_is_true() -> None:
    """Why every control that loops needs `requires`."""
    program = compile_expression("trainingDatasets.all(d, d.licence == 'MIT')")
    assert program.evaluate({"trainingDatasets": []}) == Outcome("value", True)
    assert program.evaluate({}).missing == ("trainingDatasets",)


@pytest.mark.parametrize("source", ["has(subject.owner)", "has(subject.owner) && subject.owner == 'x'"])
def test_null_is_missing(source: str) -> None:
    """The engine's `has()` holds for an explicit null: none reaches it."""
    assert compile_expression(source).evaluate({"subject": {"owner": None}}) == Outcome("value", False)


def test_null_is_unknown() -> None:
    outcome = compile_expression("subject.owner == 'x'").evaluate({"subject": {"owner": None}})
    assert (outcome.kind, outcome.missing) == ("unknown", ("subject.owner",))


def test_the_budget_of_iterations_is_an_error() -> None:
    program = compile_expression("trainingDatasets.all(d, d.licence == 'MIT')")
    assert program.evaluate({"trainingDatasets": datasets(9_999)}) == Outcome("value", True)
    outcome = program.evaluate({"trainingDatasets": datasets(10_000)})
    assert outcome.kind == "error"
    assert "Iteration budget exceeded" in outcome.message
    assert program.evaluate({"trainingDatasets": datasets(1)}) == Outcome("value", True)


def test_the_budget_is_one_for_nested_loops() -> None:
    program = compile_expression("trainingDatasets.all(a, trainingDatasets.all(b, a.licence == b.licence))")
    assert program.evaluate({"trainingDatasets": datasets(50)}) == Outcome("value", True)
    assert program.evaluate({"trainingDatasets": datasets(200)}).kind == "error"


def test_functions_and_membership_cost_no_iterations() -> None:
    document = {"trainingDigests": [f"sha256:{number}" for number in range(20_000)]}
    assert compile_expression("'sha256:19999' in trainingDigests").evaluate(document) == Outcome("value", True)
    assert compile_expression("trainingDigests.distinctCount() == 20000").evaluate(document) == Outcome("value", True)


def test_a_loop_outside_has_a_budget_for_each_item() -> None:
    program = compile_expression("dataset.licence == 'MIT'", as_variable=("dataset", "trainingDatasets"))
    activation = Activation({"trainingDatasets": datasets(10_001)})
    items = activation.get("trainingDatasets")
    assert {program.evaluate(activation.having("dataset", item)).value for item in items} == {True}


def test_records_cannot_be_counted_as_a_set() -> None:
    outcome = compile_expression("trainingDatasets.distinctCount() == 1").evaluate({"trainingDatasets": datasets(1)})
    assert outcome.kind == "error"
    assert "compared as a set" in outcome.message


def test_equality_across_types_is_refused_when_compiled() -> None:
    """At run time it would be false, silently."""
    with pytest.raises(ExpressionError, match="== does not take"):
        compile_expression("subject.name == 7")


def test_an_optional_is_no_result() -> None:
    """The engine can compute one, and then not hand it over."""
    with pytest.raises(ExpressionError, match="optional"):
        compile_expression("[subject.?owner]", expects="value")


@pytest.mark.parametrize("source", ["null", "type(subject)", "b'x'", "1u"])
def test_what_cannot_be_kept_is_no_variable(source: str) -> None:
    with pytest.raises(ExpressionError, match="not a value that can be kept"):
        compile_expression(source, expects="value")


def test_the_order_of_a_maps_keys_decides_nothing() -> None:
    """It differs from process to process."""
    with pytest.raises(ExpressionError, match="order"):
        compile_expression("{'a': 1, 'b': 2, 'c': 3}.map(k, k)[0] == 'a'")


def test_a_message_may_have_half_an_error() -> None:
    outcome = compile_expression("'owner ' + subject.owner", expects="string").evaluate({"subject": {}})
    assert (outcome.kind, outcome.missing) == ("unknown", ("subject.owner",))


def test_each_part_of_the_evidence_is_typed() -> None:
    """Every name of the document is a name in expressions, and there are no others."""
    messages = {message.name: message for message in file_descriptor().message_type}
    assert {field.name for field in messages["Subject"].field} == {
        field.alias for field in Subject.model_fields.values()
    }
    subject = {"id": "mv:1", "kind": "MODEL_VERSION", "namespace": "n", "name": "m"}
    document = Evidence.model_validate({"subject": subject, "lineage": {"complete": True}}).plain()
    for name in document.keys() - {"schema", "facts"}:
        program = compile_expression(f"{name} == {name}")
        assert program.evaluate(document) == Outcome("value", True)
        assert program.fields == {name}


def test_one_program_for_many_threads() -> None:
    program = compile_expression("trainingDatasets.all(d, d.licence == subject.licence)")

    def ask(licence: str) -> bool:
        outcomes = [
            program.evaluate({"trainingDatasets": datasets(20), "subject": {"licence": licence}}) for _ in range(50)
        ]
        return all(outcome.value is (licence == "MIT") for outcome in outcomes)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, ["MIT", "GPL"] * 8))


def test_threads_compile_at_once() -> None:
    with ThreadPoolExecutor(8) as threads:
        programs = list(
            threads.map(
                lambda number: compile_expression(f"params.p{number} == {number}", params={f"p{number}": "int"}),
                range(40),
            )
        )
    for number, program in enumerate(programs):
        assert program.evaluate({"params": {f"p{number}": number}}) == Outcome("value", True)


def test_a_process_that_only_evaluates_knows_times() -> None:
    """The engine takes datetimes only in an environment that has compiled something; it never gets any."""
    code = (
        "from policies.engine import compile_expression as c\n"
        "p = c('evaluatedAt < timestamp(\"2027-01-01T00:00:00Z\")')\n"
        "assert p.evaluate({'evaluatedAt': '2026-11-24T12:00:00Z'}).value is True"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
