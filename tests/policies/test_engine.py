"""What expressions mean: a table of them with their outcomes, what they read, and what is wrong with misspelt ones."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog.errors import InvalidInputError
from policies.engine import (
    MAX_SOURCE,
    Activation,
    DocumentError,
    Expected,
    ExpressionError,
    Outcome,
    Program,
    compile_expression,
)

PARAMS = {
    "maxAgeDays": "int",
    "threshold": "float",
    "licences": "list<string>",
    "strict": "bool",
    "prefix": "string",
}
DATASET = {
    "id": "dv:1",
    "namespace": "warehouse",
    "name": "applications",
    "licence": "CC-BY-4.0",
    "origin": {"source": "credit bureau"},
    "labels": ["special:health", "pii:name"],
    "biasExaminations": [{"at": "2026-06-01T00:00:00Z", "attributes": ["sex"]}],
    "personalData": True,
}
BARE = {"id": "dv:2", "namespace": "warehouse", "name": "loans", "labels": []}
DOCUMENT: dict[str, Any] = {
    "subject": {
        "id": "mv:1",
        "kind": "MODEL_VERSION",
        "namespace": "ml",
        "name": "credit-risk",
        "digest": "sha256:aa",
        "riskTier": "high",
        "jurisdictions": ["EU", "DE"],
        "developedBy": ["ann@example.org"],
        "registeredAt": "2026-10-01T00:00:00Z",
        "trainingFlops": 1,
    },
    "trainingRuns": [
        {"id": "r:1", "runId": "u", "job": "train", "seed": 7, "inputs": [{"id": "dv:1"}, {"id": "dv:2"}]}
    ],
    "trainingDatasets": [DATASET, BARE],
    "lineage": {"complete": True, "truncated": False, "gaps": [], "depthReached": 3, "columnCoverage": 1},
    "evaluations": [
        {"run": "r:2", "kind": "performance", "at": "2026-10-02T00:00:00Z", "passed": True, "datasetDigest": "sha256:t"}
    ],
    "approvals": [
        {
            "id": "a:1",
            "person": "bob@example.org",
            "environment": "production",
            "current": True,
            "at": "2026-11-01T00:00:00Z",
        },
        {
            "id": "a:2",
            "person": "cy@example.org",
            "environment": "production",
            "current": True,
            "at": "2026-11-02T00:00:00Z",
        },
        {
            "id": "a:3",
            "person": "bob@example.org",
            "environment": "staging",
            "current": False,
            "at": "2026-11-03T00:00:00Z",
        },
    ],
    "deployments": [],
    "trainingDigests": ["sha256:d1"],
    "evaluatedAt": "2026-11-24T12:00:00Z",
    "environment": "production",
    "requester": "dan@example.org",
    "params": {
        "maxAgeDays": 365,
        "threshold": 1,
        "licences": ["CC-BY-4.0", "MIT"],
        "strict": False,
        "prefix": "special:",
    },
    "dataset": DATASET,
}


def compiled(source: str, expects: Expected = "bool", variables: dict[str, Program] | None = None) -> Program:
    return compile_expression(
        source, as_variable=("dataset", "trainingDatasets"), params=PARAMS, variables=variables, expects=expects
    )


def value(of: Any) -> Outcome:
    return Outcome("value", of)


def unknown(*missing: str) -> tuple[str, tuple[str, ...]]:
    return ("unknown", missing)


ERROR = ("error", ())
TRUE, FALSE = value(True), value(False)

OUTCOMES: list[tuple[str, Outcome | tuple[str, tuple[str, ...]]]] = [
    # what is there
    ("subject.riskTier == 'high'", TRUE),
    ("subject.riskTier in ['prohibited', 'high']", TRUE),
    ("'EU' in subject.jurisdictions && !('US' in subject.jurisdictions)", TRUE),
    ("subject.namespace + '/' + subject.name == 'ml/credit-risk'", TRUE),
    ("environment == 'production' && requester != 'ann@example.org'", TRUE),
    ("!(requester in subject.developedBy)", TRUE),
    ("dataset.licence in params.licences", TRUE),
    ("dataset.origin.source.contains('bureau')", TRUE),
    ("subject.digest.matches('^sha256:[0-9a-f]+$')", TRUE),
    ("subject.digest.split(':')[0] == 'sha256'", TRUE),
    ("size(trainingDatasets) == 2 && trainingDatasets.size() == 2", TRUE),
    ("trainingRuns.all(r, size(r.inputs) > 1 && r.seed == 7)", TRUE),
    ("trainingRuns.exists_one(r, r.inputs.exists(i, i.id == dataset.id))", TRUE),
    ("params.strict ? false : true", TRUE),
    ("trainingDatasets[0].licence == 'CC-BY-4.0'", TRUE),
    ("dataset == trainingDatasets[0]", TRUE),
    # numbers: JSON writes 1.0 as 1
    ("lineage.columnCoverage >= 0.5", TRUE),
    ("lineage.columnCoverage + 0.5 > params.threshold", TRUE),
    ("lineage.columnCoverage * 100.0 >= 99.5", TRUE),
    ("subject.trainingFlops < 1e25", TRUE),
    ("double(lineage.depthReached) / 2.0 == 1.5", TRUE),
    ("math.greatest(lineage.depthReached, 5) == 5", TRUE),
    # what is not there
    ("subject.owner == 'team:risk'", unknown("subject.owner")),
    ("subject.owner != 'team:risk'", unknown("subject.owner")),
    ("!(subject.owner == 'x')", unknown("subject.owner")),
    ("subject.thirdParty", unknown("subject.thirdParty")),
    ("dataset.retentionUntil < '2030'", unknown("trainingDatasets.retentionUntil")),
    ("dataset.storage.country == 'DE'", unknown("trainingDatasets.storage")),
    ("dataset.origin.method == 'form'", unknown("trainingDatasets.origin.method")),
    ("trainingDatasets.all(d, d.licence in params.licences)", unknown("trainingDatasets.licence")),
    ("trainingDatasets.map(d, d.owner).size() > 0", unknown("trainingDatasets.owner")),
    ("validations.exists(v, v.outcome == 'approved')", unknown("validations")),
    ("subject.owner == 'x' && evaluations[0].passed", unknown("subject.owner")),
    ("string(subject.gpai) == 'true'", unknown("subject.gpai")),
    # what decides in spite of it
    ("subject.owner == 'x' || true", TRUE),
    ("true || subject.owner == 'x'", TRUE),
    ("subject.owner == 'x' && false", FALSE),
    ("trainingDatasets.exists(d, d.licence == 'CC-BY-4.0')", TRUE),
    ("trainingDatasets.all(d, d.licence == 'GPL-3.0-only')", FALSE),
    ("subject.riskTier == 'high' ? true : subject.owner == 'x'", TRUE),
    # asking whether it is there
    ("has(dataset.licence) && !has(dataset.owner)", TRUE),
    ("has(dataset.origin.source) && !has(dataset.origin.method)", TRUE),
    ("has(dataset.storage.country)", unknown("trainingDatasets.storage")),
    ("has(dataset.storage) && has(dataset.storage.country)", FALSE),
    ("dataset.?storage.?country.orValue('nowhere') == 'nowhere'", TRUE),
    ("dataset.?licence.hasValue() && !dataset.?owner.hasValue()", TRUE),
    ("trainingDatasets[?9].hasValue()", FALSE),
    ("dataset.?licence.optMap(l, l.startsWith('CC')).orValue(false)", TRUE),
    # times
    ("timestamp(subject.registeredAt) < evaluatedAt", TRUE),
    ("evaluatedAt - timestamp(subject.registeredAt) < days(params.maxAgeDays)", TRUE),
    ("evaluatedAt - timestamp(subject.registeredAt) < hours(24)", FALSE),
    ("dataset.biasExaminations.exists(b, evaluatedAt - timestamp(b.at) < days(params.maxAgeDays))", TRUE),
    ("latest(approvals.map(a, timestamp(a.at))) == timestamp('2026-11-03T00:00:00Z')", TRUE),
    ("latest(deployments.map(d, timestamp(d.startedAt))) < evaluatedAt", unknown()),
    ("evaluatedAt.getFullYear() == 2026 && evaluatedAt.getMonth() == 10", TRUE),
    ("duration('36h') > days(1)", TRUE),
    # functions
    ("approvals.filter(a, a.current && a.environment == environment).map(a, a.person).distinctCount() >= 2", TRUE),
    ("approvals.map(a, a.person).distinctCount() == 2", TRUE),
    ("disjoint(approvals.map(a, a.person), subject.developedBy)", TRUE),
    ("intersects(subject.jurisdictions, ['US', 'DE'])", TRUE),
    ("dataset.labels.hasPrefix(params.prefix) && !trainingDatasets[1].labels.hasPrefix('special:')", TRUE),
    ("!deployments.map(d, d.name).hasPrefix('x')", TRUE),
    # what cannot be computed
    ("timestamp(subject.name) < evaluatedAt", ERROR),
    ("lineage.depthReached / 0 == 1", ERROR),
    ("trainingDatasets[7].licence == 'x'", ERROR),
    ("dataset.?owner.value() == 'x'", ERROR),
    ("subject.name.matches('(')", ERROR),
    ("9223372036854775807 + lineage.depthReached > 0", ERROR),
    ("days(9223372036854775807) > days(1)", ERROR),
    ("trainingDatasets.distinctCount() == 2", ERROR),
    ("lineage.depthReached / 0 == 1 || true", TRUE),
]


@pytest.mark.parametrize(("source", "expected"), OUTCOMES, ids=[source for source, _ in OUTCOMES])
def test_outcome(source: str, expected: Outcome | tuple[str, tuple[str, ...]]) -> None:
    outcome = compiled(source).evaluate(DOCUMENT)
    if isinstance(expected, Outcome):
        assert outcome == expected
    else:
        assert (outcome.kind, outcome.missing) == expected
        assert outcome.message


RESULTS: list[tuple[str, Expected, str, Any]] = [
    ("'dataset ' + dataset.name + ' has no licence'", "string", "string", "dataset applications has no licence"),
    ("'%s: %d'.format([dataset.name, size(dataset.labels)])", "string", "string", "applications: 2"),
    ("days(params.maxAgeDays)", "duration", "duration", timedelta(days=365)),
    ("timestamp(subject.registeredAt)", "timestamp", "timestamp", datetime(2026, 10, 1, tzinfo=UTC)),
    ("approvals.filter(a, a.current).map(a, a.person)", "list", "list(string)", ["bob@example.org", "cy@example.org"]),
    ("trainingDatasets.filter(d, has(d.owner))", "value", "list(Dataset)", []),
    ("trainingDatasets[1]", "value", "Dataset", BARE),
    ("size(subject.name)", "int", "int", 11),
    ("lineage.columnCoverage", "double", "double", 1.0),
]


@pytest.mark.parametrize(("source", "expects", "type_", "expected"), RESULTS, ids=[each[0] for each in RESULTS])
def test_results_of_other_types(source: str, expects: Expected, type_: str, expected: Any) -> None:
    program = compiled(source, expects)
    assert program.type == type_
    assert program.evaluate(DOCUMENT) == value(expected)


READS: list[tuple[str, set[str]]] = [
    ("subject.riskTier == 'high'", {"subject.riskTier"}),
    (".subject.riskTier == 'high'", {"subject.riskTier"}),
    ("dataset.licence == 'x'", {"trainingDatasets.licence"}),
    ("dataset.origin.source == 'x'", {"trainingDatasets.origin.source"}),
    ("has(dataset.owner)", {"trainingDatasets.owner"}),
    ("dataset.?storage.?country.orValue('') == ''", {"trainingDatasets.storage.country"}),
    ("size(testDatasets) > 0", {"testDatasets"}),
    ("size(testDatasets) > 0 && testDatasets.all(d, has(d.digest))", {"testDatasets.digest"}),
    ("testDatasets[0].digest == ''", {"testDatasets.digest"}),
    ("subject == subject", {"subject"}),
    (
        "approvals.filter(a, a.current).map(a, a.person).distinctCount() > 1",
        {"approvals.current", "approvals.person"},
    ),
    (
        "trainingRuns.all(r, r.inputs.exists(i, testDatasets.exists(t, t.id == i.id && i.role == 'training')))",
        {"trainingRuns.inputs.id", "trainingRuns.inputs.role", "testDatasets.id"},
    ),
    ("testDatasets.map(d, d.origin).exists(o, o.source == 'x')", {"testDatasets.origin.source"}),
    ("(testDatasets + validationDatasets).all(d, has(d.digest))", {"testDatasets.digest", "validationDatasets.digest"}),
    ("(lineage.complete ? testDatasets : []).all(d, d.external)", {"lineage.complete", "testDatasets.external"}),
    ("[subject, subject].all(s, s.owner == 'x')", {"subject.owner"}),
    ("{'a': subject}.a.owner == 'x'", {"subject.owner"}),
    ("{'a': subject}['a'].owner == 'x'", {"subject.owner"}),
    ("dyn(subject)['owner'] == 'x'", {"subject.owner"}),
    ("dataset.?origin.optMap(o, o.source).orValue('') == ''", {"trainingDatasets.origin.source"}),
    ("approvals.all(subject, subject.current)", {"approvals.current"}),
    ("environment == requester && evaluatedAt > timestamp('2026-01-01T00:00:00Z') && params.strict", set()),
]


@pytest.mark.parametrize(("source", "fields"), READS, ids=[source for source, _ in READS])
def test_what_is_read(source: str, fields: set[str]) -> None:
    assert compiled(source).fields == fields


def test_what_is_read_besides_evidence() -> None:
    program = compiled("dataset.licence in params.licences && environment == 'production'")
    assert program.params == {"licences"}
    assert program.roots == {"dataset", "params", "environment"}


def test_variables_read_for_those_who_read_them() -> None:
    known = compiled("trainingDatasets.filter(d, has(d.licence))", "value")
    age = compiled("days(params.maxAgeDays)", "value")
    program = compiled(
        "variables.known.all(d, d.origin.source != '') && days(1) < variables.age",
        variables={"known": known, "age": age},
    )
    assert program.fields == {"trainingDatasets.licence", "trainingDatasets.origin.source"}
    assert program.params == {"maxAgeDays"}
    assert program.variables == {"known", "age"}
    assert program.evaluate(DOCUMENT) == TRUE


def test_times_and_lists_of_times_pass_through_variables() -> None:
    times = compiled("approvals.map(a, timestamp(a.at))", "value")
    last = compiled("latest(variables.times)", "value", {"times": times})
    assert (
        compiled("variables.last > variables.times[0]", variables={"times": times, "last": last}).evaluate(DOCUMENT)
        == TRUE
    )


def test_what_a_variable_lacks_is_what_its_readers_lack() -> None:
    variables = {
        "tier": compiled("subject.materialityTier", "value"),
        "broken": compiled("lineage.depthReached / 0", "value"),
    }
    lacking = compiled("variables.tier == 'tier 1'", variables=variables).evaluate(DOCUMENT)
    assert (lacking.kind, lacking.missing) == unknown("subject.materialityTier")
    broken = compiled("variables.broken == 1", variables=variables).evaluate(DOCUMENT)
    assert (broken.kind, broken.message) == ("error", "divide by zero")
    assert (
        compiled("variables.broken == 1 || subject.riskTier == 'high'", variables=variables).evaluate(DOCUMENT) == TRUE
    )


def test_a_variable_is_computed_for_each_item_that_it_reads() -> None:
    licensed = compiled("has(dataset.licence)", "value")
    program = compiled("variables.licensed", variables={"licensed": licensed})
    activation = Activation(DOCUMENT)
    outcomes = [program.evaluate(activation.having("dataset", each)) for each in (DATASET, BARE, DATASET)]
    assert outcomes == [TRUE, FALSE, TRUE]


MISTAKES: list[tuple[str, list[tuple[int, int, str]], str]] = [
    ("dataset.licenze == 'x'", [(1, 9, "Dataset has no field licenze")], "Did you mean licence?"),
    ("subject.risktier == 'x'", [(1, 9, "Subject has no field risktier")], "Did you mean riskTier"),
    ("has(dataset.origin.sauce)", [(1, 20, "Origin has no field sauce")], "Did you mean source?"),
    ("dataset.?licenze.orValue('') == ''", [(1, 10, "Dataset has no field licenze")], "Did you mean licence?"),
    ("'é😀' == dataset\n  .licenze", [(2, 4, "Dataset has no field licenze")], "Did you mean licence?"),
    ("dyn(subject).nme == 'x'", [(1, 13, "Subject has no field nme")], "Did you mean name?"),
    ("params.maxAge > 1", [(1, 8, "Params has no field maxAge")], "Did you mean maxAgeDays?"),
    ("variables.age > days(1)", [(1, 11, "the control has no variable age")], "The control has no variables."),
    ("subjekt.name == 'x'", [(1, 1, "subjekt is neither a variable nor a function")], "Did you mean subject?"),
    ("facts.size() == 0", [(1, 1, "facts is neither a variable nor a function")], "expressions.md"),
    ("day(3) > days(1)", [(1, 1, "day is neither a variable nor a function")], "Did you mean days?"),
    (
        "cel.bind(x, 1, x) == 1",
        [(1, 1, "cel is neither"), (1, 5, "bind is neither"), (1, 10, "x is neither"), (1, 16, "x is neither")],
        "expressions.md",
    ),
    ("subject.name.first == 'x'", [(1, 13, "expression of type 'string' cannot")], ""),
    ("lineage.columnCoverage > 1", [(1, 24, "> does not take (double, int)")], "1.0"),
    ("timestamp(subject.registeredAt) < evaluatedAt - 3", [(1, 47, "- does not take (timestamp, int)")], "one type"),
    ("subject.name", [(1, 1, "the result is string, not of type bool")], "Compare it"),
    ("subject.?owner", [(1, 1, "the result is an optional(string)")], ".orValue"),
    ("{'a': 1}.all(k, k == 'a')", [(1, 1, "only a list can be gone through")], "expressions.md"),
    ("dyn(subject).all(k, k == 'a')", [(1, 4, "only a list can be gone through")], "expressions.md"),
    ("lineward.evidence.v1.Gap{kind: 'x'}.kind == 'x'", [(1, 1, "an expression reads evidence")], "expressions.md"),
    ("subject.name = 'x'", [(1, 14, "Syntax error"), (1, 16, "Syntax error")], "Equality is =="),
    ("", [(1, 1, "Syntax error")], "Equality"),
    (
        "trainingRuns.map(x, " * 20 + "trainingRuns" + ")" * 20 + ".size() > 0",
        [(1, 1, "the expression is nested too deeply")],
        "variables",
    ),
    ("(" * 60 + "true" + ")" * 60, [(1, 1, "the expression is nested too deeply")], "variables"),
    ("size(" + " + ".join(["'x'"] * 60) + ") > 0", [(1, 1, "the expression is nested too deeply")], "variables"),
    ("'" + "x" * MAX_SOURCE + "' == ''", [(1, 1, "the expression is longer than 4096 bytes")], "variables"),
    ("'" + "é" * (MAX_SOURCE // 2) + "' == ''", [(1, 1, "the expression is longer than 4096 bytes")], "variables"),
    (
        "dataset.licenze in params.licenses\n  && foo(dataset)\n  && subject.nam == ''",
        [
            (1, 9, "Dataset has no field licenze"),
            (1, 27, "Params has no field licenses"),
            (2, 6, "foo is neither a variable nor a function"),
            (3, 14, "Subject has no field nam"),
        ],
        "Did you mean licence?",
    ),
]


@pytest.mark.parametrize(("source", "expected", "remedy"), MISTAKES, ids=[each[0][:40] for each in MISTAKES])
def test_mistakes_have_places_and_remedies(source: str, expected: list[tuple[int, int, str]], remedy: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled(source)
    error = caught.value
    found = [
        (each.line, each.column, each.what[: len(what)])
        for each, (_, _, what) in zip(error.mistakes, expected, strict=True)
    ]
    assert found == expected
    assert (error.line, error.column) == expected[0][:2]
    assert remedy in error.remedy
    assert "lineward.evidence" not in error.message


def test_has_does_not_apply_to_a_variable() -> None:
    strict = compiled("params.strict", "value")
    with pytest.raises(ExpressionError, match=r"has\(\) does not apply to variables\.strict"):
        compiled("has(variables.strict)", variables={"strict": strict})


@pytest.mark.parametrize("path", ["subject", "trainingDataset", "lineage.complete", "nothing.at.all", ""])
def test_a_loop_over_no_list_is_refused(path: str) -> None:
    with pytest.raises(InvalidInputError, match="is no list of the evidence"):
        compile_expression("true", as_variable=("dataset", path))


@pytest.mark.parametrize("name", ["subject", "params", "variables", "evaluatedAt", "a b", "", "é"])
def test_a_loop_variable_hides_nothing(name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot name the items"):
        compile_expression("true", as_variable=(name, "trainingDatasets"))


@pytest.mark.parametrize("name", ["max-age", "", "é", "a b", "1st"])
def test_a_parameter_has_a_name_that_expressions_can_have(name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be named"):
        compile_expression("true", params={name: "int"})


def test_parameters_that_differ_in_writing_alone_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="max_age and maxAge are the same"):
        compile_expression("true", params={"max_age": "int", "maxAge": "int"})


def test_a_loop_may_range_over_strings_and_nested_lists() -> None:
    digest = compile_expression("digest.startsWith('sha256:')", as_variable=("digest", "trainingDigests"))
    assert digest.evaluate({"digest": "sha256:d1"}) == TRUE
    assert digest.fields == {"trainingDigests"}
    used = compile_expression("used.role == 'training'", as_variable=("used", "trainingRuns.inputs"))
    assert used.fields == {"trainingRuns.inputs.role"}


REFUSED: list[tuple[Any, str]] = [
    ({"subject": {"owner": datetime(2026, 1, 1, tzinfo=UTC)}}, "/subject/owner"),
    ({"subject": {"developedBy": ("ann",)}}, "/subject/developedBy"),
    ({"subject": {"developedBy": {"ann"}}}, "/subject/developedBy"),
    ({"subject": {"developedBy": [None]}}, "/subject/developedBy/0"),
    ({"subject": {"gpai": 1}}, "/subject/gpai"),
    ({"subject": {"name": "a\ud800"}}, "/subject/name"),
    ({"subject": {"trainingFlops": float("nan")}}, "/subject/trainingFlops"),
    ({"subject": {"trainingFlops": True}}, "/subject/trainingFlops"),
    ({"subject": {"later/field": 1 << 64}}, "/subject/later~1field"),
    ({"subject": {1: 2}}, "/subject"),
    ({"subject": []}, "/subject"),
    ({"subject": "x"}, "/subject"),
]


@pytest.mark.parametrize(("document", "pointer"), REFUSED, ids=[pointer + repr(d)[-24:] for d, pointer in REFUSED])
def test_values_that_are_not_evidence_are_refused_by_their_place(document: Any, pointer: str) -> None:
    with pytest.raises(DocumentError) as caught:
        compiled("has(subject.owner)").evaluate(document)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("time", ["yesterday", "2026-11-24", datetime(2026, 1, 1), 7])
def test_the_evaluated_time_is_a_moment(time: Any) -> None:
    with pytest.raises(DocumentError, match=r"is no time|of type timestamp"):
        compiled("evaluatedAt > timestamp('2026-01-01T00:00:00Z')").evaluate({"evaluatedAt": time})


def test_whole_numbers_that_canonical_json_keeps_as_text_are_numbers_again() -> None:
    program = compile_expression("trainingRuns.all(r, r.seed > 9007199254740992)")
    assert program.evaluate({"trainingRuns": [{"seed": "9007199254740993"}]}) == TRUE
    assert program.evaluate({"trainingRuns": [{"seed": str(1 << 80)}]}).kind == "error"
    with pytest.raises(DocumentError, match="/trainingRuns/0/seed"):
        program.evaluate({"trainingRuns": [{"seed": "lucky"}]})


def test_what_an_expression_does_not_read_cannot_spoil_it() -> None:
    assert compiled("subject.name == 'x'").evaluate({"subject": {"name": "x"}, "approvals": object()}) == TRUE
