"""What only Neo4j has: its schema, its absences, and people who read it. The contract is held elsewhere."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import neo4j
import neo4j.time
import pytest
from neo4j.exceptions import ConstraintError

from catalog.errors import InvalidInputError, StoreUnavailableError, WrongLogError
from catalog.graph import cypher
from catalog.graph.contract import Batch, Edge, EdgeKind, Mention, NodeRecord, RunShape
from catalog.graph.digest import digest
from catalog.graph.memory import MemoryGraph
from catalog.graph.neo4j import Neo4jGraph
from catalog.graph.record import DatasetUse, EventRecord, Shape
from catalog.identity import NodeKind, act_id, dataset_id, job_id, named_version_id, run_id
from tests.neo4j_server import RunningServer

pytestmark = pytest.mark.neo4j

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "read-the-graph-in-cypher.md"
QUERIES = re.findall(r"## ([^\n]*)\n(?:(?!\n## ).)*?```cypher\n(.*?)```", GUIDE.read_text(), re.DOTALL)

ORIGIN = "log.example/1"
NAMESPACE = "file"
DAY = 86_400_000_000  # µs
MARCH = 1_772_323_200_000_000  # 2026-03-01T00:00Z

RAW, FEATURES, MODEL = "raw/applications.csv", "features/applicants", "credit-risk"
PREPARE, TRAIN = "prepare", "train"
PREPARED, TRAINED, ABANDONED = (f"0195b8c0-0000-7000-8000-00000000000{n}" for n in range(3))


@pytest.fixture
def graph(neo4j_server: RunningServer, neo4j_uri: str) -> Iterator[Neo4jGraph]:
    with closing(Neo4jGraph.connect(neo4j_uri, *(neo4j_server.auth or ()))) as store:
        yield store


def dataset(name: str) -> str:
    return dataset_id(NAMESPACE, name)


def version(name: str, label: str) -> str:
    return named_version_id(dataset(name), label)


def versioned(name: str, label: str, seq: int, at: int) -> Batch:
    """The nodes of a dataset and one version of it."""
    owner, id_ = dataset(name), version(name, label)
    return Batch(
        nodes=[
            NodeRecord(owner, NodeKind.DATASET, NAMESPACE, name, seq, at),
            NodeRecord(id_, NodeKind.DATASET_VERSION, NAMESPACE, name, seq, at, owner, label),
        ],
        edges=[Edge(EdgeKind.VERSION_OF, id_, owner, at, seq)],
    )


def reported(
    seq: int, type_: str, run: str, job: str, read: dict[str, str] | None = None, wrote: dict[str, str] | None = None
) -> Batch:
    """One event of a run, the way a projector puts it, a day after the one before it."""
    at, job_key = MARCH + seq * DAY, job_id(NAMESPACE, job)
    uses = tuple(DatasetUse(dataset(name), label) for name, label in (read or {}).items())
    made = tuple(DatasetUse(dataset(name), label) for name, label in (wrote or {}).items())
    batch = Batch(
        nodes=[
            NodeRecord(job_key, NodeKind.JOB, NAMESPACE, job, seq, at),
            NodeRecord(run_id(run, NAMESPACE, job), NodeKind.RUN, NAMESPACE, job, seq, at, job_key, run),
        ],
        edges=[Edge(EdgeKind.RUN_OF, run, job_key, at, seq)],
        events=[
            EventRecord(
                seq, at, at, f"2026-03-0{seq + 1}T00:00:00Z", "pipeline", Shape.RUN, f"{seq:064x}", type_, run, job_key,
                NAMESPACE, job, inputs=uses, outputs=made,
            )
        ],
        shapes=[RunShape(run, job_key, "s", at, at, at)],
    )  # fmt: skip
    for verb, habit, some in ((EdgeKind.USED, EdgeKind.CONSUMES, read), (EdgeKind.GENERATED, EdgeKind.PRODUCES, wrote)):
        for name, label in (some or {}).items():
            add(batch, versioned(name, label, seq, at))
            batch.edges.append(Edge(verb, run, version(name, label), at, seq))
            batch.edges.append(Edge(habit, job_key, dataset(name), at, seq))
    return batch


def add(batch: Batch, more: Batch) -> None:
    batch.nodes.extend(more.nodes)
    batch.edges.extend(more.edges)


def pipeline() -> list[Batch]:
    """Applications become features and a model; another training is never heard of again."""
    schema = Mention(dataset(FEATURES), "bundle", MARCH + DAY, 1, "pipeline")
    log = [
        reported(0, "START", PREPARED, PREPARE, read={RAW: "1"}),
        reported(1, "COMPLETE", PREPARED, PREPARE, read={RAW: "1"}, wrote={FEATURES: "7"}),
        reported(2, "START", ABANDONED, TRAIN, read={FEATURES: "7"}),
        reported(3, "COMPLETE", TRAINED, TRAIN, read={FEATURES: "7"}, wrote={MODEL: "2"}),
    ]
    log[3].edges.append(Edge(EdgeKind.HAS_ROLE, dataset(MODEL), "MODEL", MARCH + 3 * DAY, 3))
    log[1].mentions.append(schema)
    log[1].bundles["bundle"] = {"schema": "body"}
    log[1].bodies["body"] = b'{"fields":[{"name":"income"}]}'
    return log


def governed() -> list[Batch]:
    """The pipeline, and then Ann approves its model and Bob takes that back."""
    approval = act_id(NodeKind.APPROVAL, "approval")
    acts = [
        ("approve", approval, version(MODEL, "2"), b'{"by":{"person":"ann@example.org"},"environment":"production"}'),
        ("revokeApproval", act_id(NodeKind.APPROVAL, "revocation"), approval, b'{"by":{"person":"bob@example.org"}}'),
    ]
    return pipeline() + [acted(4 + n, *act) for n, act in enumerate(acts)]


def acted(seq: int, verb: str, id_: str, about: str, body: bytes) -> Batch:
    at = MARCH + seq * DAY
    return Batch(
        nodes=[NodeRecord(id_, NodeKind.APPROVAL, NAMESPACE, verb, seq, at, about, f"body {seq}")],
        edges=[Edge(EdgeKind.CONCERNS, id_, each, at, seq) for each in (about, "APPROVAL")],
        bodies={f"body {seq}": body},
    )


def project(graph: Neo4jGraph | MemoryGraph, log: list[Batch]) -> None:
    for seq, batch in enumerate(log):
        assert graph.apply(batch, ORIGIN, seq, seq + 1)


def rows(driver: neo4j.Driver, query: str, **parameters: Any) -> list[list[Any]]:
    return [record.values() for record in driver.execute_query(query, parameters).records]


def test_the_first_use_makes_what_every_key_needs(neo4j_server: RunningServer, neo4j_driver: neo4j.Driver) -> None:
    for (name,) in rows(neo4j_driver, "SHOW CONSTRAINTS YIELD name"):
        rows(neo4j_driver, f"DROP CONSTRAINT {name}")
    for (name,) in rows(neo4j_driver, "SHOW INDEXES YIELD name, type WHERE type IN ['RANGE', 'FULLTEXT'] RETURN name"):
        rows(neo4j_driver, f"DROP INDEX {name}")
    with closing(Neo4jGraph.connect(neo4j_server.uri, *(neo4j_server.auth or ()))) as graph:
        assert graph.position() is None
    for label, key in (("Node", "id"), ("Event", "seq"), ("Facet", "digest"), ("Statement", "id")):
        with pytest.raises(ConstraintError):
            rows(neo4j_driver, f"CREATE (:{label} {{{key}: 1}}), (:{label} {{{key}: 1}})")
    states = rows(neo4j_driver, "SHOW INDEXES YIELD state RETURN DISTINCT state")
    assert states == [["ONLINE"]]


def test_a_second_start_leaves_the_schema_alone(
    graph: Neo4jGraph, neo4j_server: RunningServer, neo4j_driver: neo4j.Driver
) -> None:
    project(graph, pipeline())
    before = rows(neo4j_driver, "SHOW INDEXES YIELD id RETURN id ORDER BY id")
    with closing(Neo4jGraph.connect(neo4j_server.uri, *(neo4j_server.auth or ()))) as again:
        assert digest(again) == digest(graph)
    assert rows(neo4j_driver, "SHOW INDEXES YIELD id RETURN id ORDER BY id") == before


def test_the_log_of_another_origin_is_refused_and_changes_nothing(graph: Neo4jGraph) -> None:
    project(graph, pipeline())
    before = digest(graph)
    with pytest.raises(WrongLogError, match="holds the log"):
        graph.apply(pipeline()[0], "log.example/2", 4, 5)
    assert digest(graph) == before
    position = graph.position()
    assert position is not None
    assert (position.origin, position.offset) == (ORIGIN, 4)


def test_an_empty_graph_that_refused_a_batch_is_still_empty(graph: Neo4jGraph) -> None:
    assert not graph.apply(pipeline()[0], ORIGIN, 3, 4)
    assert graph.position() is None


def test_of_several_projectors_one_wins_each_batch(graph: Neo4jGraph) -> None:
    log, plain = pipeline(), MemoryGraph()
    project(plain, log)
    with ThreadPoolExecutor(4) as pool:
        for seq, batch in enumerate(log):
            tries = [pool.submit(graph.apply, batch, ORIGIN, seq, seq + 1) for _ in range(4)]
            assert sum(one.result() for one in tries) == 1
    assert digest(graph) == digest(plain)


def test_shapes_are_not_told_once_the_projection_has_moved(graph: Neo4jGraph) -> None:
    log = pipeline()
    project(graph, log[:3])
    with graph.read() as reader:
        assert reader.shapes([job_id(NAMESPACE, TRAIN)]) is not None
        assert graph.apply(log[3], ORIGIN, 3, 4)
        assert reader.shapes([job_id(NAMESPACE, TRAIN)]) is None


def test_a_clear_that_was_cut_short_is_finished_before_the_next_batch(
    graph: Neo4jGraph, neo4j_driver: neo4j.Driver
) -> None:
    project(graph, pipeline())
    rows(neo4j_driver, cypher.START_CLEARING)
    rows(neo4j_driver, "MATCH (e:Event) DETACH DELETE e")
    assert graph.position() is None
    assert graph.apply(Batch(), "log.example/2", 0, 1)
    assert list(graph.facts()) == []


def test_clearing_leaves_what_is_not_ours(graph: Neo4jGraph, neo4j_driver: neo4j.Driver) -> None:
    rows(neo4j_driver, "CREATE (:Note)-[:ON]->(:Note)")
    project(graph, pipeline())
    graph.clear()
    assert rows(neo4j_driver, "MATCH (n)-[e]->() RETURN labels(n), type(e)") == [[["Note"], "ON"]]


def test_a_stopped_server_is_a_store_that_is_unavailable_and_comes_back(stoppable_neo4j: RunningServer) -> None:
    log = pipeline()
    with closing(Neo4jGraph.connect(stoppable_neo4j.uri, *(stoppable_neo4j.auth or ()))) as graph:
        project(graph, log[:2])
        stoppable_neo4j.stop()
        for call in (graph.position, lambda: graph.apply(log[2], ORIGIN, 2, 3), lambda: list(graph.facts())):
            with pytest.raises(StoreUnavailableError, match="does not answer") as caught:
                call()
            assert caught.value.remedy
        with (
            closing(Neo4jGraph.connect(stoppable_neo4j.uri)) as late,
            pytest.raises(StoreUnavailableError),
            late.read(),
        ):
            pass
        stoppable_neo4j.start()
        assert graph.apply(log[2], ORIGIN, 2, 3)
        with graph.read() as reader:
            assert list(reader.events(range(9))) == [0, 1, 2]


def test_what_is_no_address_is_the_callers_mistake() -> None:
    with pytest.raises(InvalidInputError):
        Neo4jGraph.connect("http://127.0.0.1:1")


def test_a_name_of_any_length_is_kept_and_found(graph: Neo4jGraph) -> None:
    name = "long " + "ü" * 20_000
    node = NodeRecord(dataset(name), NodeKind.DATASET, name, name, 0, 0)
    assert graph.apply(Batch(nodes=[node]), ORIGIN, 0, 1)
    with graph.read() as reader:
        assert reader.search(["ü" * 300], [NodeKind.DATASET]) == [node]
        assert reader.search(["ü" * 20_001], [NodeKind.DATASET]) == []


def test_labels_and_properties_are_readable(graph: Neo4jGraph, neo4j_driver: neo4j.Driver) -> None:
    project(graph, pipeline())
    labels = "MATCH (n:Node) UNWIND labels(n) AS label RETURN label, count(*) ORDER BY label"
    assert dict(map(tuple, rows(neo4j_driver, labels))) == {
        "Node": 15,
        "Dataset": 3,
        "DatasetVersion": 3,
        "Job": 2,
        "Model": 1,
        "ModelVersion": 1,
        "Role": 1,
        "Run": 3,
        "RunIdentity": 3,
    }
    training = "MATCH (r:Run)-[:GENERATED]->(v:ModelVersion) RETURN r.uuid, r.name, v.name, v.label"
    assert rows(neo4j_driver, training) == [[TRAINED, TRAIN, MODEL, "2"]]


def test_acts_are_readable(graph: Neo4jGraph, neo4j_driver: neo4j.Driver) -> None:
    project(graph, governed())
    acts = """
        MATCH (a:Approval {verb: 'approve'})-[:CONCERNS]->(v:ModelVersion), (a)-[:CONCERNS]->(k:Kind),
              (f:Facet {digest: a.label})
        RETURN a.person, a.environment, v.name, k.id, f.body
    """
    body = '{"by":{"person":"ann@example.org"},"environment":"production"}'
    assert rows(neo4j_driver, acts) == [["ann@example.org", "production", MODEL, "APPROVAL", body]]
    with graph.read() as reader:
        assert reader.search(["approve"], list(NodeKind)) == []


@pytest.mark.parametrize("kind", [EdgeKind.WROTE, EdgeKind.READ, EdgeKind.RUN_OF])
def test_the_last_and_first_edges_are_found_without_looking_at_all(
    graph: Neo4jGraph, neo4j_driver: neo4j.Driver, kind: EdgeKind
) -> None:
    edges = [Edge(kind, f"run {n}", "target", n, n) for n in range(2_000)]
    assert graph.apply(Batch(edges=edges), ORIGIN, 0, 2_000)
    with graph.read() as reader:
        assert reader.latest(kind, "target", before=1_500, limit=3) == edges[1_499:1_496:-1]
        assert reader.earliest(kind, "target", after=1_500, limit=3) == edges[1_501:1_504]
    for query in (cypher.latest(kind), cypher.earliest(kind)):
        profile = neo4j_driver.execute_query(
            f"PROFILE {query}", keys=["target"], known=2_000, low=500, high=1_499, limit=3
        ).summary.profile
        assert profile
        assert max(rows_of(profile)) < 20


def rows_of(plan: dict[str, Any]) -> Iterator[int]:
    """How many rows each operator of a profiled plan gave."""
    yield plan["rows"]
    for child in plan.get("children", []):
        yield from rows_of(child)


def test_the_guide_names_every_kind_of_edge() -> None:
    assert set(EdgeKind) <= set(re.findall(r"[A-Z_]+", GUIDE.read_text()))


ANSWERS: dict[str, list[list[Any]]] = {
    "Find datasets by a word of their name": [[NAMESPACE, MODEL, dataset(MODEL)]],
    "What stands behind a model version": [[FEATURES, "7", [TRAIN]], [RAW, "1", [TRAIN, PREPARE]]],
    "What depends on a dataset": [[MODEL, TRAIN, True], [FEATURES, PREPARE, False]],
    "Who said what the columns are, and when last": [
        ["pipeline", "2026-03-02T00:00:00.000000000+00:00", 1, '{"fields":[{"name":"income"}]}']
    ],
    "Who approved a model version, and who took it back": [
        ["ann@example.org", "production", "2026-03-05T00:00:00.000000000+00:00", "bob@example.org"]
    ],
    "Runs that started and never ended": [[TRAIN, ABANDONED, "2026-03-03T00:00:00Z"]],
}


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=[title for title, _ in QUERIES])
def test_the_guides_queries_answer(graph: Neo4jGraph, neo4j_driver: neo4j.Driver, title: str, query: str) -> None:
    project(graph, governed())
    answer = rows(neo4j_driver, query)
    plain = [[one.iso_format() if isinstance(one, neo4j.time.DateTime) else one for one in row] for row in answer]
    assert plain == ANSWERS[title]


def test_the_guide_has_a_query_for_each_answer() -> None:
    assert {title for title, _ in QUERIES} == ANSWERS.keys()
