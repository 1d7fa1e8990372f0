"""Controls that could not say no, or could not say anything, are refused when they are loaded."""

from typing import Any

import pytest

from catalog.errors import InvalidInputError
from policies.compiled import compile_pack
from policies.evaluation import evaluate_pack
from policies.pack import Control, Param
from policies.soundness import check_controls
from policies.syntax import UnreadableError, parse
from policies.vacuity import shown
from policies.verdict import Verdict
from tests.policies.packs import control, each_dataset, evidence, pack_of


def check(expression: str, **parts: Any) -> dict[str, Any]:
    return control(
        inputs={"upstream": {}, "columns": "inputColumns" in expression or "columnCoverage" in str(parts)},
        checks=[{"id": "c", "expression": expression, "message": "m"}],
        **parts,
    )


def said(made: dict[str, Any], **head: Any) -> list[str]:
    """Everything that is wrong with a pack of this control; warnings left out."""
    params = {name: Param.model_validate(each) for name, each in head.get("params", {}).items()}
    found = check_controls([(0, Control.model_validate(made))], params)
    return [each.what for each in found if not each.warning]


def requires(*expressions: str) -> list[dict[str, str]]:
    return [{"expression": each, "missing": "lacking"} for each in expressions]


@pytest.mark.parametrize(
    ("expression", "given", "empty"),
    [
        ("trainingDatasets.all(d, has(d.licence))", (), "trainingDatasets"),
        ("!evaluations.exists(e, e.kind == 'bias' && !e.passed)", (), "evaluations"),
        ("!(evaluations.exists(e, !e.passed) || subject.licence == '')", (), "evaluations"),
        ("subject.licence == 'MIT' || evaluations.all(e, e.passed)", (), "evaluations"),
        ("subject.gpai ? evaluations.all(e, e.passed) : subject.licence == ''", (), "evaluations"),
        ("size(evaluations.filter(e, !e.passed)) == 0", (), "evaluations.filter(e, !e.passed)"),
        ("size(evaluations) == 0 || evaluations.all(e, e.passed)", (), "evaluations"),
        (
            "evaluations.filter(e, e.kind == 'bias').all(e, e.passed)",
            ("size(evaluations) > 0",),
            "evaluations.filter(e",
        ),
        ("evaluations.map(e, e.passed).all(p, p)", (), "evaluations.map(e, e.passed)"),
        ("trainingRuns.all(r, r.inputs.all(i, has(i.role)))", ("size(trainingRuns) > 0",), "r.inputs"),
        ("evaluations.exists(e, !(e.datasetDigest in trainingDigests))", (), "trainingDigests"),
        ("evaluations.exists(e, disjoint([e.datasetDigest], trainingDigests))", (), "trainingDigests"),
        ("validations.exists(v, !(v.by in subject.developedBy))", (), "subject.developedBy"),
        ("!inputColumns.exists(c, c.labels.hasPrefix('special:'))", (), "inputColumns"),
        ("evaluations.all(e, e.passed)", ("size(evaluations) >= 0",), "evaluations"),
        ("evaluations.all(e, e.passed)", ("size(evaluations) > 0 || subject.gpai",), "evaluations"),
        ("evaluations.all(e, e.passed)", ("size(evaluations) >= params.least",), "evaluations"),
        ("!incidents.exists(i, i.status == 'open')", (), "incidents"),
        ("0 == size(evaluations)", (), "evaluations"),
        ("1 > size(evaluations)", (), "evaluations"),
        ("evaluations == []", (), "evaluations"),
        ("!(size(evaluations) >= 2)", (), "evaluations"),
        ("!(2 <= size(evaluations))", (), "evaluations"),
        ("!trainingDatasets.exists(d, d.labels.hasPrefix('pii:'))", ("size(trainingDatasets) > 0",), "d.labels"),
        ("validations.exists(v, !(v.by in subject.developedBy))", ("subject.developersKnown == false",), "subject.d"),
        ("evaluations.all(e, e.passed)", ("trainingRuns.all(r, size(evaluations) > 0)",), "evaluations"),
    ],
)
def test_a_check_that_could_hold_for_want_of_evidence(expression: str, given: tuple[str, ...], empty: str) -> None:
    params = {"least": {"type": "int", "default": 1, "min": 0}}
    told = said(check(expression, requires=requires(*given)), params=params)
    assert len(told) == 1
    assert told[0].startswith(f"it would pass if {empty}")


@pytest.mark.parametrize(
    ("expression", "given"),
    [
        ("trainingDatasets.all(d, has(d.licence))", ("size(trainingDatasets) > 0",)),
        ("trainingDatasets.all(d, has(d.licence))", ("trainingDatasets.size() >= 1",)),
        ("trainingDatasets.all(d, has(d.licence))", ("size(trainingDatasets) >= params.least",)),
        ("trainingDatasets.all(d, has(d.licence))", ("trainingDatasets != []",)),
        ("trainingDatasets.all(d, has(d.licence))", ("trainingDatasets.exists(d, d.direct)",)),
        ("size(trainingDatasets) > 0 && trainingDatasets.all(d, has(d.licence))", ()),
        ("trainingDatasets.filter(d, d.direct).all(d, has(d.licence))", ("size(trainingDatasets) > 0",)),
        ("evaluations.filter(e, e.kind == 'bias').all(x, x.passed)", ("evaluations.exists(e, e.kind == 'bias')",)),
        ("size(trainingRuns) > 0 && trainingRuns.all(r, size(r.inputs) > 0 && r.inputs.all(i, has(i.role)))", ()),
        ("evaluations.exists(e, !(e.datasetDigest in trainingDigests))", ("size(trainingDigests) > 0",)),
        ("validations.exists(v, !(v.by in subject.developedBy))", ("subject.developersKnown",)),
        ("!inputColumns.exists(c, c.labels.hasPrefix('special:'))", ("lineage.columnCoverage >= 1.0",)),
        ("!inputColumns.filter(c, !c.masked).exists(c, c.field == '')", ("lineage.columnCoverage == 1.0",)),
        ("!incidents.exists(i, i.status == 'open')", ("subject.licence != ''",)),
        ("lineage.gaps.all(g, g.kind == 'SILENT')", ()),
        ("!(subject.useCase in subject.restrictedUses)", ()),
        ("params.names.all(n, n != '')", ()),
        ("evaluations.exists(e, e.passed)", ()),
        ("size(evaluations) == 2", ()),
        ("2 <= size(evaluations) && evaluations.all(e, e.passed)", ()),
        ("!(size(evaluations) != 2)", ()),
    ],
)
def test_a_check_that_cannot(expression: str, given: tuple[str, ...]) -> None:
    params = {
        "least": {"type": "int", "default": 1, "min": 1},
        "names": {"type": "list<string>", "default": []},
    }
    assert said(check(expression, requires=requires(*given)), params=params) == []


def test_what_applies_asks_for_counts_too() -> None:
    assert said(check("evaluations.all(e, e.passed)", applies="size(evaluations) > 0")) == []


def test_variables_are_looked_through() -> None:
    parts: dict[str, Any] = {"variables": [{"name": "bias", "expression": "evaluations.filter(e, e.kind == 'bias')"}]}
    made = check("variables.bias.all(e, e.passed)", **parts)
    assert said(made) == ["it would pass if evaluations.filter(e, e.kind == 'bias') were empty"]
    assert said({**made, "requires": requires("size(variables.bias) > 0")}) == []


def test_a_loop_needs_something_to_loop_over() -> None:
    made = each_dataset("has(dataset.licence)")
    assert said(made) == []
    assert said({**made, "requires": []}) == ["it would pass if trainingDatasets were empty"]
    assert said({**made, "forEach": {**made["forEach"], "in": "trainingDatasets.filter(d, d.direct)"}}) == []


def test_an_item_may_be_required_to_have_something() -> None:
    made = each_dataset("dataset.labels.all(l, l != 'pii:name')")
    assert said(made) == ["it would pass if dataset.labels were empty"]
    made["requires"] += requires("size(dataset.labels) > 0")
    assert said(made) == []


def test_vacuous_truth_is_what_the_rule_is_about() -> None:
    """The refused control would pass on nothing; the accepted one does not know."""
    accepted = pack_of(check("evaluations.all(e, e.passed)", requires=requires("size(evaluations) > 0")))
    (result,) = evaluate_pack(accepted, evidence(), evaluated_at=0)
    assert result.verdict is Verdict.UNKNOWN
    with pytest.raises(InvalidInputError, match="it would pass if evaluations were empty"):
        pack_of(check("evaluations.all(e, e.passed)"))


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (
            control(checks=[{"id": "c", "expression": "lineage.complete", "message": "m"}]),
            "it reads lineage.complete and does not ask for what is upstream",
        ),
        (
            check("lineage.columnCoverage > 0.5") | {"inputs": {"upstream": {}}},
            "it reads lineage.columnCoverage and does not ask for columns",
        ),
        (control(inputs={"blockedBy": ["EXTERNAL"]}), "gaps are found upstream, which it does not ask for"),
        (control(inputs={"fields": ["subject.name"]}), "it reads subject.licence, which is not listed"),
        (control(awaits="approvals"), "it awaits approvals and reads none"),
        (control(forEach={"in": "subject", "as": "x", "key": "'k'"}), "subject is no list of the evidence"),
        (
            each_dataset("has(dataset.licence)")
            | {"forEach": {"in": "trainingDatasets", "as": "params", "key": "'k'"}},
            "params cannot name the items of trainingDatasets",
        ),
    ],
)
def test_what_a_control_reads_is_what_it_asks_for(made: dict[str, Any], what: str) -> None:
    made = {**made, "inputs": made.get("inputs", {})}
    assert what in said(made)


def test_fields_are_those_of_every_expression() -> None:
    made = each_dataset("dataset.licence != '' && subject.purpose in dataset.purposes", applies="subject.gpai")
    (compiled,) = compile_pack(pack_of(made)).controls
    assert compiled.fields == (
        "subject.gpai",
        "subject.purpose",
        "trainingDatasets.id",
        "trainingDatasets.licence",
        "trainingDatasets.purposes",
    )


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("a.b.c", "a.b.c"),
        ("a && b || !c", "a && b || !c"),
        ("x.filter(d, d.k == 'a')[0].?y", "x.filter(d, d.k == 'a')[0].y"),
        ("size([1, 2u, 0x1F]) >= 2 ? 'a' : \"b\"", "size([1, 2u, 0x1F]) >= 2 ? 'a' : \"b\""),
        ("r'\\d' in {'k': 1}", "r'\\d' in {}"),
        ("a // a comment\n  && b", "a && b"),
        ("'&& not an operator'", "'&& not an operator'"),
    ],
)
def test_expressions_are_read_by_their_grammar(source: str, form: str) -> None:
    assert shown(parse(source)).replace("'k', 1", "") in (form, form.replace("{}", ""))


@pytest.mark.parametrize("source", ["", "a &&", "a b", "(a", "f(", "a.", "'open", "a ? b", "#", "(" * 3000 + "a"])
def test_what_is_no_expression_is_not_read(source: str) -> None:
    with pytest.raises(UnreadableError):
        parse(source)
