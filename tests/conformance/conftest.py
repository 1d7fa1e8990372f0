"""The stores that the suite holds to the contract."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog.graph.contract import GraphStore
from catalog.graph.memory import MemoryGraph
from catalog.graph.sqlite import SqliteGraph


@pytest.fixture(params=["memory", "sqlite", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStore]:
    """An empty store of each kind; a server is asked for only where the store needs one."""
    if request.param == "neo4j":
        made: GraphStore = connect_neo4j(request.getfixturevalue("neo4j_uri"))
    elif request.param == "sqlite":
        made = SqliteGraph.open(tmp_path / "graph.db")
    else:
        made = MemoryGraph()
    with closing(made):
        yield made


def connect_neo4j(uri: str) -> GraphStore:
    from catalog.graph.neo4j import Neo4jGraph

    return Neo4jGraph.connect(uri)
