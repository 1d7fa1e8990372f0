"""The world of `world.py` over two stores, and ways to ask about it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from catalog.graph.contract import GraphStore
from catalog.graph.memory import MemoryGraph
from catalog.graph.sqlite import SqliteGraph
from tests.graphql.world import Ask, World, asking, failing, story


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStore]:
    made: GraphStore = MemoryGraph() if request.param == "memory" else SqliteGraph.open(tmp_path / "graph.db")
    with closing(made):
        yield made


@pytest.fixture
def world(store: GraphStore) -> World:
    return World(store).tell(*story())


@pytest.fixture
def client(world: World) -> TestClient:
    return world.client()


@pytest.fixture
def ask(client: TestClient) -> Ask:
    return asking(client)


@pytest.fixture
def fail(client: TestClient) -> Ask:
    return failing(client)
