"""Whatever the evidence holds: an expression has one outcome, and never another one for the same facts."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policies.engine import Activation, Outcome, Program, compile_expression
from policies.typing.shape import Items, Scalar, Shape, evidence_shapes

TEXTS = st.sampled_from(
    ["", "high", "sha256:aa", "2026-01-01T00:00:00Z", "ann@example.org", "production", "ü"]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS: dict[Scalar, st.SearchStrategy[Any]] = {
    Scalar.STRING: TEXTS,
    Scalar.BOOL: st.booleans(),
    Scalar.INT: st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-(1 << 70), 1 << 70).map(str),
    Scalar.DOUBLE: st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 5),
}

SOURCES = [
    "lineage.complete && trainingRuns.all(r, has(r.code.commit) && size(r.inputs) > 0)",
    "trainingDatasets.all(d, has(d.licence) && d.licence in ['MIT', 'high'])",
    "approvals.filter(a, a.current && !(a.person in subject.developedBy)).map(a, a.person).distinctCount() >= 2",
    "evaluations.exists(e, e.passed && !(e.datasetDigest in trainingDigests) && e.metrics.all(m, m.value > 0.5))",
    "attestations.exists(a, timestamp(a.at) <= evaluatedAt && timestamp(a.expiresAt) > evaluatedAt)",
    "trainingRuns.exists(r, r.seed + 1 > 0) || subject.trainingFlops * 2.0 > 1.0",
    "deployments.all(d, d.?logging.?retentionDays.orValue(0) >= 183 && d.modelDigest == subject.digest)",
    "inputColumns.all(c, !c.labels.hasPrefix('protected:') || c.masked) ? lineage.columnCoverage > 0.5 : false",
    "latest(approvals.map(a, timestamp(a.at))) > timestamp(subject.registeredAt)",
    "subject.owner == 'x' || disjoint(subject.developedBy, approvals.map(a, a.person))",
]
PROGRAMS: list[Program] = [compile_expression(source) for source in SOURCES]


def values(shape: Shape) -> st.SearchStrategy[Any]:
    match shape:
        case Items(of):
            return st.lists(values(of), max_size=3)
        case Scalar():
            return SCALARS[shape]
        case _:
            fields = {name: st.none() | values(part) for name, part in shape.fields.items()}
            return st.fixed_dictionaries({}, optional=fields)


def needed(program: Program) -> st.SearchStrategy[dict[str, Any]]:
    shapes = {name: shape for name, shape in evidence_shapes().items() if name in program.roots}
    return st.fixed_dictionaries(
        {"evaluatedAt": st.just("2026-11-24T12:00:00Z")},
        optional={name: values(shape) for name, shape in shapes.items()},
    )


CASES = st.sampled_from(PROGRAMS).flatmap(lambda program: st.tuples(st.just(program), needed(program)))


def reordered(value: Any) -> Any:
    """The same JSON with the keys of each record the other way round."""
    match value:
        case dict():
            return {key: reordered(value[key]) for key in reversed(value)}
        case list():
            return [reordered(each) for each in value]
        case _:
            return value


@given(CASES)
def test_an_outcome_depends_on_the_facts_alone(case: tuple[Program, dict[str, Any]]) -> None:
    program, document = case
    outcome = program.evaluate(document)
    assert isinstance(outcome, Outcome)
    assert outcome == program.evaluate(reordered(document)) == program.evaluate(Activation(document))
    assert (outcome.kind == "value") is isinstance(outcome.value, bool)
    assert all(any(read == path or read.startswith(path + ".") for read in program.fields) for path in outcome.missing)


@given(CASES)
def test_nothing_but_what_is_read_matters(case: tuple[Program, dict[str, Any]]) -> None:
    program, document = case
    fields = {name for name in document if name in program.roots}
    assert program.evaluate(document) == program.evaluate({name: document[name] for name in fields})
