"""What a document may cost, before anything of it is validated or run."""

import pytest
from graphql import parse

from catalog_graphql.cost import Cost, cost


@pytest.mark.parametrize(
    ("query", "variables", "values", "depth"),
    [
        ("{ log { size root } }", {}, 3, 2),
        ("{ models { nodes { name } } }", {}, 1 + 20 * 2, 3),
        ("{ models(first: 5) { nodes { name } } }", {}, 1 + 5 * 2, 3),
        ("query ($n: Int) { models(first: $n) { nodes { name } } }", {"n": 7}, 1 + 7 * 2, 3),
        ("query ($n: Int) { models(first: $n) { nodes { name } } }", {}, 1 + 20 * 2, 3),
        ("{ lineage(of: {}) { nodes { id } edges { from } } }", {}, 1 + 500 * 4, 3),
        ("{ a: log { size } b: log { size } }", {}, 4, 2),
        ("{ ...f ...f } fragment f on Query { log { size } }", {}, 4, 2),
        ("{ ... on Query { log { size } } }", {}, 2, 2),
        ("{ ...f } fragment f on Query { log { size } ...f }", {}, 2, 2),
        ("{ ...nothing }", {}, 0, 0),
        ("query a { log { size } } query b { log { size root } }", {}, 3, 2),
    ],
)
def test_lists_multiply_what_lies_below_them(query: str, variables: dict[str, int], values: int, depth: int) -> None:
    assert cost(parse(query), variables) == Cost(values, depth)


def test_fragments_that_double_are_counted_without_being_walked_twice() -> None:
    doubling = "".join(f"fragment f{i} on Query {{ ...f{i + 1} ...f{i + 1} }} " for i in range(200))

    assert cost(parse("{ ...f0 } " + doubling + "fragment f200 on Query { log { size } }"), {}).values == 2**201
