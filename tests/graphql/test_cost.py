"""What a document asks for, known before anything of it is validated or run."""

from typing import Any

import pytest
from graphql import get_introspection_query, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_graphql.cost import Measure, list_sizes, measure, walk
from catalog_graphql.limits import DocumentLimits
from catalog_graphql.schema import schema

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SIZES = list_sizes(schema()._schema)


def measured(query: str, **variables: Any) -> Measure:
    return measure(parse(query), variables, SIZES)


@pytest.mark.parametrize(
    ("query", "variables", "values", "depth"),
    [
        ("{ log { size root } }", {}, 3, 2),
        ("{ models { nodes { name } } }", {}, 1 + 20 * 2, 3),
        ("{ models(first: 5) { nodes { name } } }", {}, 1 + 5 * 2, 3),
        ("{ models(first: null) { nodes { name } } }", {}, 1 + 20 * 2, 3),
        ("query ($n: Int) { models(first: $n) { nodes { name } } }", {"n": 7}, 1 + 7 * 2, 3),
        ("query ($n: Int) { models(first: $n) { nodes { name } } }", {"n": None}, 1 + 20 * 2, 3),
        ("query ($n: Int) { models(first: $n) { nodes { name } } }", {}, 1 + 20 * 2, 3),
        ("query ($n: Int = 200) { models(first: $n) { nodes { name } } }", {}, 1 + 200 * 2, 3),
        ("query ($n: Int = 200) { models(first: $n) { nodes { name } } }", {"n": 3}, 1 + 3 * 2, 3),
        ("{ lineage(of: {}) { nodes { id } edges { from } } }", {}, 1 + 500 * 4, 3),
        ("{ a: log { size } b: log { size } }", {}, 4, 2),
        ("{ ...f ...f } fragment f on Query { log { size } }", {}, 4, 2),
        ("{ ... on Query { log { size } } }", {}, 2, 2),
        ("{ ...f } fragment f on Query { log { size } ...f }", {}, 2, 2),
        ("{ ...f } fragment f on Query { ...g log { size } } fragment g on Query { ...f }", {}, 2, 2),
        ("{ ...nothing }", {}, 0, 0),
        ("query a { log { size } } query b { log { size root } }", {}, 3, 2),
    ],
)
def test_lists_multiply_what_lies_below_them(query: str, variables: dict[str, Any], values: int, depth: int) -> None:
    found = measured(query, **variables)

    assert (found.values, found.depth) == (values, depth)


@pytest.mark.parametrize("length", [-1, -200, -(10**30), -1.5, float("-inf")])
def test_no_list_pays_for_another(length: float) -> None:
    query = "query ($n: Int) { dear: models(first: 200) { nodes { name } } models(first: $n) { nodes { name } } }"

    assert measured(query, n=length).values >= 1 + 200 * 2
    assert measured(query.replace("$n)", "-9)")).values >= 1 + 200 * 2


@pytest.mark.parametrize("length", ["200", [200], {"a": 1}, 10**30, 1e300, float("nan"), float("inf")])
def test_what_is_no_length_counts_as_the_longest(length: object) -> None:
    query = "query ($n: Int) { models(first: $n) { nodes { name } } }"

    assert measured(query, n=length).values == 1 + 10_000 * 2


def test_everything_else_is_counted_where_it_is_spread() -> None:
    query = """
        query { a: log @skip(if: false) { size } ...f ... on Query @include(if: true) { ...f } }
        fragment f on Query { b: log { s: size @skip(if: true) } log { root } }
    """
    found = measured(query)

    assert (found.fields, found.aliases, found.directives, found.root_fields) == (10, 5, 4, 5)
    assert (found.depth, found.nesting) == (2, 4)


def chain(links: int, spreads: int) -> str:
    """Fragments that each spread the next several times: a kilobyte that expands to more than there are atoms."""
    each = "".join(f"fragment f{i} on Query {{ {f'...f{i + 1} ' * spreads}}} " for i in range(links))
    return "{ ...f0 } " + each + f"fragment f{links} on Query {{ log {{ size }} }}"


def test_a_doubling_chain_is_looked_at_once() -> None:
    """603 bytes, with which limiters that walk every spread are busy for seconds."""
    query = chain(14, 2)
    assert len(query) <= 603
    document = parse(query)
    walking = walk(document, {}, SIZES)

    found = walking.operation(document.definitions[0])  # type: ignore[arg-type]

    assert found.values == 2 * 2**14
    assert walking.visited == 1 + 14 * 2 + 2  # the selections that are written there


def test_no_chain_is_too_long_to_be_measured() -> None:
    found = measured(chain(2_000, 2))

    assert found.values == 2 * 2**2_000
    assert found.nesting == 2_003


@UNHURRIED
@given(st.data())
def test_the_work_is_that_of_reading_the_document(data: st.DataObject) -> None:
    """Whatever spreads whatever, itself included: no selection is looked at twice."""
    names = [f"f{i}" for i in range(data.draw(st.integers(1, 8)))]
    spread = st.lists(st.sampled_from([*names, "unknown"]), max_size=4)
    bodies = [[f"...{name}" for name in data.draw(spread)] + ["log { size }"] for _ in names]
    query = "{ ...f0 ...f0 } " + " ".join(
        f"fragment {name} on Query {{ {' '.join(body)} }}" for name, body in zip(names, bodies, strict=True)
    )
    document = parse(query)
    walking = walk(document, {}, SIZES)

    walking.operation(document.definitions[0])  # type: ignore[arg-type]

    assert walking.visited <= 2 + sum(len(body) + 1 for body in bodies)


def test_every_list_of_the_schema_has_a_length() -> None:
    assert SIZES["facets"] == 10
    assert SIZES["models"] == 20
    assert SIZES["types"] == 100
    assert "nodes" not in SIZES
    assert "name" not in SIZES


def test_the_usual_introspection_query_is_within_the_limits() -> None:
    found, limits = measured(get_introspection_query()), DocumentLimits()

    assert found.values < limits.values
    assert found.depth < limits.depth
    assert found.nesting < limits.nesting
    assert found.fields < limits.fields
