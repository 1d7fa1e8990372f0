"""Questions of every kind, over two stores."""

from itertools import pairwise
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
import pytest
from starlette.testclient import TestClient

from catalog.log import token
from tests.graphql.world import (
    DATA,
    JOBS,
    ORIGIN,
    REGISTRY,
    RUNS,
    Ask,
    World,
    asking,
    at,
    dataset,
    event,
    failing,
    model,
    serving,
)

FIND = """query ($ref: NodeRef!, $at: AsOf, $atLeast: String) {
  find(ref: $ref, at: $at, atLeast: $atLeast) { __typename id kind namespace name }
}"""


@pytest.mark.parametrize(
    ("ref", "kind", "name"),
    [
        ({"dataset": {"namespace": DATA, "name": "features"}}, "Dataset", "features"),
        ({"dataset": {"namespace": DATA, "name": "features", "version": "f1"}}, "DatasetVersion", "features"),
        ({"model": {"namespace": REGISTRY, "name": "credit"}}, "Model", "credit"),
        ({"model": {"namespace": REGISTRY, "name": "credit", "version": "2"}}, "ModelVersion", "credit"),
        ({"field": {"dataset": {"namespace": DATA, "name": "raw"}, "path": "sex"}}, "Field", "raw"),
        ({"job": {"namespace": JOBS, "name": "train"}}, "Job", "train"),
        ({"job": {"namespace": JOBS, "name": "serve"}}, "Deployment", "serve"),
        ({"run": RUNS["train-1"]}, "Run", "train"),
    ],
)
def test_a_node_is_found_by_its_name_and_again_by_its_id(ask: Ask, ref: Any, kind: str, name: str) -> None:
    found = ask(FIND, ref=ref)["find"]

    assert (found["__typename"], found["name"]) == (kind, name)
    assert ask(FIND, ref={"id": found["id"]})["find"] == found
    assert ask("query ($id: ID!) { node(id: $id) { __typename id kind namespace name } }", id=found["id"]) == {
        "node": found
    }


def test_what_is_not_known_is_null(ask: Ask) -> None:
    assert ask(FIND, ref={"run": "nobody"}) == {"find": None}
    assert ask('{ node(id: "no id of ours") { id } }') == {"node": None}


def test_an_earlier_log_did_not_know_it(ask: Ask) -> None:
    train = {"job": {"namespace": JOBS, "name": "train"}}

    assert ask(FIND, ref=train, at={"known": 3})["find"] is None
    assert ask(FIND, ref=train, at={"known": 4})["find"]["name"] == "train"
    assert ask(FIND, ref=train, at={"valid": at("07:59:59")})["find"] is None


def test_what_lies_below_the_root_is_read_at_the_same_cut(ask: Ask) -> None:
    query = """query ($at: AsOf) { find(ref: {model: {namespace: "registry", name: "credit"}}, at: $at) {
      ... on Model {
        currentVersion { version }
        versions { nodes { version state model { currentVersion { version } } } }
      }
    } }"""

    now, before = ask(query)["find"], ask(query, at={"known": 5})["find"]

    assert [version["version"] for version in now["versions"]["nodes"]] == ["2", "1"]
    assert now["currentVersion"] == {"version": "2"}
    assert before["versions"]["nodes"] == [
        {"version": "1", "state": "CURRENT", "model": {"currentVersion": {"version": "1"}}}
    ]


def test_a_version_tells_what_its_write_said_whatever_its_dataset_became(world: World) -> None:
    for run, clock, version, column in (("first", "12:00:00", "w1", "age"), ("second", "12:10:00", "w2", "income")):
        columns = {"fields": [{"name": column, "type": "int"}]}
        world.tell(
            event(
                str(uuid5(NAMESPACE_URL, run)),
                "COMPLETE",
                clock,
                job="write",
                outputs=[dataset("wide", version, schema=columns)],
            )
        )
    told = asking(world.client())(
        """query ($ref: NodeRef!) { find(ref: $ref) { ... on DatasetVersion {
          written(names: ["schema"]) { body at } facets(names: ["schema"]) { body } } } }""",
        ref={"dataset": {"namespace": DATA, "name": "wide", "version": "w1"}},
    )["find"]
    (then,), (now,) = told["written"], told["facets"]
    assert [each["name"] for each in orjson.loads(then["body"])["fields"]] == ["age"]
    assert then["at"] == "2026-03-01T12:00:00.000000Z"
    assert [each["name"] for each in orjson.loads(now["body"])["fields"]] == ["income"]


def test_a_run_shows_its_code_parameters_and_facets(ask: Ask) -> None:
    run = ask(
        """query ($run: ID!) { find(ref: {run: $run}) { ... on Run {
          runId state started ended job { name } parentRun { id }
          code { type url version } parameters { key value }
          facets(names: ["executionParameters"]) { name body actor at }
        } } }""",
        run=RUNS["train-1"],
    )["find"]

    facet = run.pop("facets")[0]
    assert orjson.loads(facet["body"])["parameters"][0] == {"key": "C", "value": "0.5"}
    assert (facet["actor"], facet["at"]) == ("alice", "2026-03-01T08:00:00.000000Z")
    assert run == {
        "runId": RUNS["train-1"],
        "state": "COMPLETED",
        "started": "2026-03-01T08:00:00.000000Z",
        "ended": "2026-03-01T08:00:00.000000Z",
        "job": {"name": "train"},
        "parentRun": None,
        "code": {"type": "git", "url": "https://git.example/train.py", "version": "commit1"},
        "parameters": [{"key": "C", "value": "0.5"}, {"key": "depth", "value": "3"}],
    }


def test_a_parent_that_never_reported_is_shown_as_such(world: World) -> None:
    parent = {"parent": {"run": {"runId": "ghost"}, "job": {"namespace": JOBS, "name": "dag"}}}
    world.tell(event("child", "COMPLETE", "12:00:00", run_facets=parent))

    found = asking(world.client())('{ find(ref: {run: "child"}) { ... on Run { parentRun { name runId state } } } }')

    assert found["find"]["parentRun"] == {"name": "dag", "runId": "ghost", "state": "UNREPORTED"}


def test_a_version_names_its_producers_and_what_it_continues(world: World) -> None:
    world.tell(event("again", "COMPLETE", "12:00:00", job="features", outputs=[dataset("features", "f2")]))

    found = asking(world.client())(
        """{ find(ref: {dataset: {namespace: "s3://lake", name: "features", version: "f2"}}) { ... on DatasetVersion {
          version state started current continues { count since } producers { runId } dataset { name }
        } } }"""
    )["find"]

    assert found == {
        "version": "f2",
        "state": "CURRENT",
        "started": "2026-03-01T12:00:00.000000Z",
        "current": "2026-03-01T12:00:00.000000Z",
        "continues": {"count": 1, "since": None},
        "producers": [{"runId": "again"}],
        "dataset": {"name": "features"},
    }


def test_search_finds_by_the_beginnings_of_words(ask: Ask) -> None:
    query = (
        "query ($text: String!, $kinds: [NodeKind!]) { search(text: $text, kinds: $kinds) { nodes { __typename } } }"
    )

    assert ask(query, text="CRED")["search"]["nodes"] == [{"__typename": "Model"}]
    assert ask(query, text="serve", kinds=["DEPLOYMENT"])["search"]["nodes"] == [{"__typename": "Deployment"}]
    assert ask(query, text="serve", kinds=["DATASET"])["search"]["nodes"] == []


def test_models_are_listed_by_name_in_pages(world: World) -> None:
    named = [dict(model("1"), name=name) for name in ("delta", "alpha", "charlie")]
    world.tell(event("register", "COMPLETE", "12:00:00", outputs=named))
    ask = asking(world.client())
    query = """query ($after: String) { models(first: 2, after: $after) {
      totalCount edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

    one = ask(query)["models"]
    two = ask(query, after=one["pageInfo"]["endCursor"])["models"]

    assert [edge["node"]["name"] for edge in one["edges"] + two["edges"]] == ["alpha", "charlie", "credit", "delta"]
    assert one["totalCount"] == two["totalCount"] == 4
    assert [page["pageInfo"]["hasNextPage"] for page in (one, two)] == [True, False]
    assert [page["pageInfo"]["hasPreviousPage"] for page in (one, two)] == [False, True]


def test_models_are_filtered(ask: Ask) -> None:
    query = "query ($filter: ModelFilter) { models(filter: $filter) { nodes { name } } }"

    assert ask(query, filter={"nameContains": "RED"})["models"]["nodes"] == [{"name": "credit"}]
    assert ask(query, filter={"nameContains": "RED", "namespace": "other"})["models"]["nodes"] == []


def test_deployments_are_intervals_of_a_service(ask: Ask) -> None:
    query = """query ($model: NodeRef) { deployments(model: $model) { nodes {
      role environment endpoint since until state
      deployment { name } run { runId } model { name } modelVersion { version } events { seq } } } }"""
    version = {"model": {"namespace": REGISTRY, "name": "credit", "version": "2"}}

    every, one = ask(query)["deployments"]["nodes"], ask(query, model=version)["deployments"]["nodes"]

    assert [interval["modelVersion"]["version"] for interval in every] == ["1", "2", "1"]
    assert one == [
        {
            "role": "primary",
            "environment": "production",
            "endpoint": "https://score.example",
            "since": "2026-03-01T10:00:00.000000Z",
            "until": "2026-03-01T11:00:00.000000Z",
            "state": "ENDED",
            "deployment": {"name": "serve"},
            "run": {"runId": RUNS["serve"]},
            "model": {"name": "credit"},
            "modelVersion": {"version": "2"},
            "events": [{"seq": 8}],
        }
    ]


def test_a_deployment_lists_its_own_intervals(ask: Ask) -> None:
    found = ask(
        """{ find(ref: {job: {namespace: "airflow", name: "serve"}}) {
          ... on Deployment { intervals(first: 1) { totalCount nodes { modelVersion { version } } } }
        } }"""
    )["find"]

    assert found["intervals"] == {"totalCount": 3, "nodes": [{"modelVersion": {"version": "1"}}]}


def test_one_query_from_a_deployment_to_the_data(ask: Ask) -> None:
    graph = ask(
        """{ lineage(of: {job: {namespace: "airflow", name: "serve"}}, at: {valid: "2026-03-01T10:30:00Z"}) {
          root { __typename } depthReached
          nodes { __typename ... on Run { runId code { version } } ... on DatasetVersion { version } }
          snapshot { logSize known valid }
        } }"""
    )["lineage"]

    runs = {node["runId"]: node for node in graph["nodes"] if node["__typename"] == "Run"}
    assert runs[RUNS["train-2"]]["code"] == {"version": "commit2"}
    assert {node["version"] for node in graph["nodes"] if node["__typename"] == "DatasetVersion"} >= {"t1", "f1"}
    assert graph["snapshot"] == {"logSize": 11, "known": 11, "valid": "2026-03-01T10:30:00.000000Z"}


EVENTS = """query ($run: ID!) { lineage(of: {run: $run}, depth: 1) { edges { events(first: 1) {
  seq type eventType eventTime at recorded actor leafHash body job { name } run { runId } } } } }"""


def test_an_edge_leads_to_the_events_behind_it(ask: Ask, world: World) -> None:
    entry = ask(EVENTS, run=RUNS["train-1"])["lineage"]["edges"][0]["events"][0]

    assert orjson.loads(entry.pop("body")) == orjson.loads(world.entries[3].body or b"")
    assert len(entry.pop("leafHash")) == 64
    assert entry == {
        "seq": 3,
        "type": "OPENLINEAGE",
        "eventType": "COMPLETE",
        "eventTime": "2026-03-01T08:00:00Z",
        "at": "2026-03-01T08:00:00.000000Z",
        "recorded": "2026-03-01T08:00:00.000000Z",
        "actor": "alice",
        "job": {"name": "train"},
        "run": {"runId": RUNS["train-1"]},
    }


def test_the_earliest_events_come_first(ask: Ask) -> None:
    query = "query ($first: Int) { deployments(first: 1) { nodes { events(first: $first) { seq } } } }"

    assert ask(query)["deployments"]["nodes"] == [{"events": [{"seq": 5}, {"seq": 6}]}]
    assert ask(query, first=1)["deployments"]["nodes"] == [{"events": [{"seq": 5}]}]


def test_an_erased_body_is_null_and_its_leaf_stays(ask: Ask, world: World) -> None:
    world.erase(3)
    entry = ask(EVENTS, run=RUNS["train-1"])["lineage"]["edges"][0]["events"][0]

    assert entry["body"] is None
    assert len(entry["leafHash"]) == 64


def test_paths_lead_from_one_node_to_the_other(ask: Ask) -> None:
    query = """{ paths(from: {dataset: {namespace: "s3://lake", name: "raw"}},
      to: {model: {namespace: "registry", name: "credit"}}) { nodes { id name } edges { from to } } }"""

    for path in ask(query)["paths"]:
        assert (path["nodes"][0]["name"], path["nodes"][-1]["name"]) == ("raw", "credit")
        ids = [node["id"] for node in path["nodes"]]
        assert [(edge["from"], edge["to"]) for edge in path["edges"]] == list(pairwise(ids))


def test_the_log_tells_its_size_root_and_lag(world: World) -> None:
    ask = asking(world.client(digest=lambda: "abc"))
    query = "{ log { size root projection { store offset lagSeconds digest } } }"

    assert ask(query)["log"] == {
        "size": 11,
        "root": world.state().root.hex(),
        "projection": {"store": world.store.name, "offset": 11, "lagSeconds": 0.0, "digest": "abc"},
    }
    world.append(serving("12:00:00", "1"))
    late = ask(query)["log"]
    assert (late["size"], late["projection"]["offset"]) == (12, 11)
    assert late["projection"]["lagSeconds"] > 0


def test_a_read_waits_for_a_write_or_says_that_it_is_stale(world: World, fail: Ask, ask: Ask) -> None:
    ref = {"job": {"namespace": JOBS, "name": "serve"}}

    assert ask(FIND, ref=ref, atLeast=token.encode(ORIGIN, 11))["find"]["name"] == "serve"
    world.append(serving("12:00:00", "1"))
    stale = fail(FIND, ref=ref, atLeast=token.encode(ORIGIN, 12))
    assert stale["extensions"]["code"] == "STALE_PROJECTION"
    assert stale["extensions"]["retryAfter"] == 1


@pytest.mark.parametrize(
    ("query", "code", "pointer"),
    [
        ('{ lineage(of: {run: "x"}) { depthReached } }', "NOT_FOUND", None),
        (
            '{ lineage(of: {job: {namespace: "airflow", name: "train"}}, depth: 101) { depthReached } }',
            "INVALID_INPUT",
            "/depth",
        ),
        ("{ models(first: 0) { totalCount } }", "INVALID_INPUT", "/first"),
        ("{ models(first: 201) { totalCount } }", "INVALID_INPUT", "/first"),
        ('{ models(after: "rubbish") { totalCount } }', "INVALID_INPUT", "/after"),
        ("{ models(at: {known: -1}) { totalCount } }", "INVALID_INPUT", "/at/known"),
        ('{ models(at: {valid: "2026-03-01T09:30:00"}) { totalCount } }', "INVALID_INPUT", None),
        ("{ models(at: {known: 9007199254740993}) { totalCount } }", "INVALID_INPUT", None),
        ('{ find(ref: {run: "a", id: "b"}) { id } }', "GRAPHQL_VALIDATION_FAILED", None),
        ("{ mdels { totalCount } }", "GRAPHQL_VALIDATION_FAILED", None),
        ("{ models", "GRAPHQL_PARSE_FAILED", None),
        ('{ find(ref: {id: "x"}, atLeast: "rubbish") { id } }', "INVALID_INPUT", None),
    ],
)
def test_a_mistake_has_its_code(fail: Ask, query: str, code: str, pointer: str | None) -> None:
    error = fail(query)

    assert error["extensions"]["code"] == code
    assert error["extensions"].get("pointer") == pointer
    assert "Did you mean" not in error["message"]
    assert bool(error["extensions"].get("remedy")) is (not code.startswith("GRAPHQL"))


def test_a_time_without_zone_is_refused_with_what_to_do(fail: Ask) -> None:
    error = fail("query ($at: AsOf) { models(at: $at) { totalCount } }", at={"valid": "2026-03-01T09:30:00"})

    assert "no zone" in error["message"]
    assert "2026-03-01T09:30:00Z" in error["extensions"]["remedy"]


def test_a_cursor_of_another_list_is_refused(ask: Ask, fail: Ask) -> None:
    cursor = ask("{ deployments { pageInfo { endCursor } } }")["deployments"]["pageInfo"]["endCursor"]

    error = fail("query ($after: String) { models(after: $after) { totalCount } }", after=cursor)
    assert error["extensions"]["pointer"] == "/after"


def test_what_nobody_foresaw_is_masked(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(seq: int) -> Any:
        raise RuntimeError("the password is hunter2")

    world.entry = broken  # type: ignore[method-assign]
    error = failing(world.client())(EVENTS, run=RUNS["train-1"])

    assert "hunter2" not in str(error)
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["extensions"]["errorId"] in "".join(capsys.readouterr())


def test_nested_lists_cannot_multiply(client: TestClient) -> None:
    query = """{ models(first: 200) { nodes { versions(first: 200) { nodes {
      model { versions(first: 200) { nodes { id } } } } } } } }"""
    error = failing(client)(query)

    assert error["extensions"]["code"] == "INVALID_INPUT"
    assert "at most 300,000" in error["extensions"]["remedy"]
