"""The columnar executor answers as graphql-core does: random documents over random, often broken, objects."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace
from typing import Any

import graphql
import orjson
import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionResult
from structlog.testing import capture_logs

from catalog import model
from catalog.identity import NodeKind
from catalog.model import AsOf, Basis, GapKind
from catalog_graphql import columnar
from catalog_graphql.columnar import ColumnarExecution, execution
from catalog_graphql.enums import TransformationType, TruncationReason
from catalog_graphql.lineage import Gap, LineageEdge, LineageGraph, Transformation, Truncation
from catalog_graphql.log import Snapshot
from catalog_graphql.nodes import ACT_TYPES, TYPES, Dataset, Job, Node, Run
from catalog_graphql.scalars import SCALARS, DateTime, Long
from catalog_graphql.unmade import Making, Unmade

DOCUMENTS = 400  # for each seed
SEEDS = range(4)
CUT = AsOf()
TIME = DateTime("2026-01-02T03:04:05.000006Z")


@strawberry.type
class Loud(Node):
    """A node with a field that fails, and one that comes later."""

    @strawberry.field
    def fails(self) -> int:
        raise ValueError("fails")

    @strawberry.field
    async def later(self) -> str | None:
        return "later"


class Disguised(Run):
    """No type of the schema, though it derives from one."""


class World:
    graph: LineageGraph


@strawberry.type
class Query:
    @strawberry.field
    def graph(self) -> LineageGraph:
        return World.graph

    @strawberry.field
    async def graph_later(self) -> LineageGraph | None:
        return World.graph

    @strawberry.field
    def some(self) -> list[Node | None] | None:
        return World.graph.nodes  # type: ignore[return-value]

    @strawberry.field
    def numbers(self) -> list[int | None]:
        return World.numbers  # type: ignore[attr-defined,no-any-return]


def _schema(execution_class: type[ColumnarExecution] | None) -> strawberry.Schema:
    return strawberry.Schema(
        Query,
        types=[*TYPES.values(), *ACT_TYPES.values(), Loud],
        config=StrawberryConfig(scalar_map=SCALARS),
        execution_context_class=execution_class,
    )


PLAIN, COLUMNAR = _schema(None), _schema(ColumnarExecution)


# Data ------------------------------------------------------------------------------------------------------------


class Objects:
    """Random objects; `broken` of their values are of any kind at all."""

    def __init__(self, random: Random, broken: float) -> None:
        self._random, self._broken = random, broken

    def value(self, sound: Any) -> Any:
        if self._random.random() >= self._broken:
            return sound
        junk: list[Any] = [
            None, 3, 3.5, True, "x", ValueError("value"), [1], NodeKind.RUN, Basis.COLUMN, 2**40, -1,
            datetime(2026, 1, 1, tzinfo=UTC), b"z", object, lambda: "called", TIME, (), {},
        ]  # fmt: skip
        return self._random.choice(junk)

    def node(self) -> Any:
        random = self._random
        if random.random() < self._broken / 2:
            return random.choice([None, object(), 5, ValueError("item"), self._made(Disguised), self._transformation()])
        kinds: list[type[Node]] = [Dataset, Run, Run, Job, Loud, TYPES[NodeKind.DATASET_VERSION]]
        made = self._made(random.choice(kinds))
        if self._broken and random.random() < 0.05:
            return strawberry.cast(random.choice([Job, Run]), made)
        return made

    def _made(self, of: type[Node]) -> Node:
        record = model.Node("i", NodeKind.RUN, "ns", "n", state="RUNNING", started=TIME)
        return of(
            id=self.value(strawberry.ID(f"i{self._random.randrange(99)}")),
            kind=self.value(self._random.choice(list(NodeKind))),
            namespace=self.value(self._random.choice(["ns", None])),
            name=self.value("n"),
            record=record,
            cut=CUT,
        )

    def _transformation(self) -> Transformation:
        return Transformation(
            type=self.value(TransformationType.DIRECT), subtype=self.value(None), masking=self.value(False)
        )

    def _edge(self) -> Any:
        random = self._random
        if random.random() < self._broken / 2:
            return random.choice([None, 5, self._transformation()])
        number = random.choice([1, 1, 1, None, 2**31 - 1, -(2**31), *([2**31, -(2**31) - 1] if self._broken else [])])
        return LineageEdge(
            from_=self.value(strawberry.ID("a")),
            to=self.value(strawberry.ID("b")),
            basis=self.value(random.choice(list(Basis))),
            transformations=self.value([self._transformation() for _ in range(random.randrange(3))]),
            first_seen=self.value(TIME),
            last_seen=self.value(random.choice([TIME, None])),
            runs=self.value(number),
            stale=self.value(random.choice([True, None])),
            entries=(),
            cut=CUT,
        )

    def _unmade_nodes(self) -> Unmade[SimpleNamespace, Node]:
        """Records under other names than those of the nodes that they become."""
        made = [self._made(self._random.choice(UNMADE)) for _ in range(self._random.randrange(6))]
        records = [SimpleNamespace(of=type(n), key=n.id, kind=n.kind, place=n.namespace, name=n.name) for n in made]

        def make(record: SimpleNamespace) -> Node:
            names = {"id": record.key, "kind": record.kind, "namespace": record.place, "name": record.name}
            return record.of(**names, record=made[0].record, cut=CUT)  # type: ignore[no-any-return]

        attributes = {"id": "key", "kind": "kind", "namespace": "place", "name": "name"}
        return Unmade(records, Making(make, lambda record: record.of, attributes))

    def _unmade_edges(self) -> Unmade[LineageEdge, LineageEdge]:
        """Of which the transformations are told by the object alone."""
        made = [edge for _ in range(self._random.randrange(6)) if isinstance(edge := self._edge(), LineageEdge)]
        told = ("from_", "to", "basis", "first_seen", "last_seen", "runs", "stale")
        return Unmade(made, Making(replace, type, {name: name for name in told}))

    def graph(self) -> LineageGraph:
        random = self._random
        nodes = [self.node() for _ in range(random.randrange(6))]
        snapshot = Snapshot(
            log_size=self.value(Long(5)), root=self.value("x"), known=self.value(Long(2**40)), valid=None
        )
        return LineageGraph(
            root=self.node(),
            nodes=self.value(random.choice([nodes, nodes, tuple(nodes), self._unmade_nodes()])),
            edges=self.value(random.choice([[self._edge() for _ in range(random.randrange(6))], self._unmade_edges()])),
            depth_reached=self.value(3),
            truncated=self.value(
                random.choice([None, Truncation(reason=TruncationReason.LIMIT, omitted=self.value(1))])
            ),
            gaps=self.value([Gap(kind=GapKind.PARTIAL, node=strawberry.ID("a"), reason=self.value("r"))]),
            snapshot=self.value(snapshot),
        )


UNMADE: list[type[Node]] = [Dataset, Run, Run, Job, Loud, Disguised]


# Documents -------------------------------------------------------------------------------------------------------

NODE = ["id", "id", "kind", "namespace", "name", "__typename"]
LEAVES: dict[str, list[str]] = {
    "Node": NODE,
    "Run": [*NODE, "state", "started"],
    "Dataset": NODE,
    "Loud": [*NODE, "fails", "later"],
    "LineageEdge": ["from", "to", "basis", "firstSeen", "lastSeen", "runs", "stale", "__typename"],
    "Transformation": ["type", "subtype", "masking", "__typename"],
}
NARROWER = {"Node": ["Node", "Run", "Dataset", "Loud"]}


class Documents:
    """Random documents: aliases, merged fields, fragments, directives, fields with resolvers."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def document(self) -> str:
        parts: list[Callable[[], str]] = [
            lambda: f"root {{ {self._selected('Node')} }}",
            lambda: f"nodes {{ {self._selected('Node')} }}",
            lambda: f"edges {{ {self._selected('LineageEdge')} }}",
            lambda: f"again: edges {{ {self._selected('LineageEdge')} }}",
            lambda: "depthReached",
            lambda: "truncated { reason omitted }",
            lambda: "gaps { kind node reason }",
            lambda: "snapshot { logSize known root }",
            lambda: "__typename",
        ]
        chosen = " ".join(self._random.choice(parts)() for _ in range(self._random.randrange(1, 5)))
        asked = self._random.choice(
            [
                f"graph {{ {chosen} }}",
                f"graphLater {{ {chosen} }}",
                f"some {{ {self._selected('Node')} }}",
                "numbers",
            ]
        )
        spread = "more: some { ...Named }"
        fragment = "fragment Named on Node { id kind ... on Run { state } }"
        odd = "odd: __typename @skip(if: $yes) @include(if: $no)"
        return f"query($yes: Boolean!, $no: Boolean = false) {{ {asked} {spread} {odd} }} {fragment}"

    def _selected(self, of: str, depth: int = 0) -> str:
        return " ".join(self._one(of, depth) for _ in range(self._random.randrange(1, 5)))

    def _one(self, of: str, depth: int) -> str:
        chance = self._random.random()
        if depth < 2 and chance < 0.15:
            return f"... {self._directive()} {{ {self._selected(of, depth + 1)} }}"
        if depth < 2 and chance < 0.3 and of in NARROWER:
            narrower = self._random.choice(NARROWER[of])
            return f"... on {narrower} {self._directive()} {{ {self._selected(narrower, depth + 1)} }}"
        if of == "LineageEdge" and chance < 0.4:
            return f"transformations {self._directive()} {{ {self._selected('Transformation', 2)} }}"
        leaf = self._random.choice(LEAVES[of])
        alias = f"as_{leaf.strip('_')}: " if self._random.random() < 0.25 else ""
        return f"{alias}{leaf} {self._directive()}"

    def _directive(self) -> str:
        if self._random.random() < 0.75:
            return ""
        return self._random.choice(["@skip(if: $yes)", "@include(if: $yes)", "@skip(if: $no)", "@include(if: $no)"])


# Tests -----------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """strawberry logs each of the many errors."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", SEEDS)
def test_data_and_errors_are_those_of_graphql_core(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    completed = _counting(monkeypatch)
    failed = 0
    for _ in range(DOCUMENTS):
        objects = Objects(random, random.choice([0, 0, 0.02, 0.1]))
        World.graph = objects.graph()
        World.numbers = [objects.value(number) for number in (1, None, 2)]  # type: ignore[attr-defined]
        document = Documents(random).document()
        variables = {"yes": random.random() < 0.5}
        expected, found = [_executed(schema, document, variables) for schema in (PLAIN, COLUMNAR)]
        assert _image(found) == _image(expected), document
        failed += bool(expected.errors)
    assert len(completed) > DOCUMENTS / 2  # else this tests nothing
    assert DOCUMENTS / 20 < failed < DOCUMENTS * 0.9


def _executed(schema: strawberry.Schema, document: str, variables: dict[str, Any]) -> ExecutionResult:
    found = asyncio.run(schema.execute(document, variables))
    assert isinstance(found, ExecutionResult)
    return found


def _counting(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What grows with each list that was completed by the column."""
    completed: list[bool] = []
    listed = ColumnarExecution._listed

    def counted(self: ColumnarExecution, item_type: Any, details: Any, items: list[Any]) -> list[Any]:
        found = listed(self, item_type, details, items)
        completed.append(True)
        return found

    monkeypatch.setattr(ColumnarExecution, "_listed", counted)
    return completed


def _image(result: ExecutionResult) -> tuple[bytes, list[bytes]]:
    """Data and errors, the order of keys included."""
    return orjson.dumps(result.data), [orjson.dumps(error.formatted) for error in result.errors or []]


def test_a_field_with_a_resolver_leaves_its_neighbours_as_they_are() -> None:
    World.graph = Objects(Random(0), 0).graph()
    World.graph.nodes = [Objects(Random(each), 0)._made(Run) for each in range(3)]
    document = "{ graph { nodes { id name ... on Run { state started } } } }"
    expected, found = [_executed(schema, document, {}) for schema in (PLAIN, COLUMNAR)]
    assert found.errors is None
    assert _image(found) == _image(expected)


def test_another_graphql_core_is_left_alone_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert execution() is ColumnarExecution
    monkeypatch.setattr(graphql, "__version__", "9.9.9")
    with capture_logs() as logs:
        assert columnar.execution() is None
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("graphql.columnar_off", "warning")]
