"""The usual questions, as they are stored, and their answers."""

from pathlib import Path
from typing import Any

from tests.graphql.world import DATA, JOBS, OPERATIONS, RUNS, Ask, at, stored


def flows(graph: Any) -> set[tuple[str, str]]:
    """Edges by the names of their ends."""
    names = {node["id"]: node.get("path") or node["name"] for node in graph["nodes"]}
    return {(names[edge["from"]], names[edge["to"]]) for edge in graph["edges"]}


def test_where_did_this_prediction_come_from(ask: Ask) -> None:
    answer = ask(stored("where-did-this-prediction-come-from"), namespace=JOBS, service="serve", at=at("09:30:00"))[
        "prediction"
    ]

    known = {
        "modelVersion": ("credit", "version", "1"),
        "trainingRun": ("train", "runId", RUNS["train-1"]),
        "window": ("serve", "runId", RUNS["serve"]),
    }
    for leg, (name, key, value) in known.items():
        assert answer[leg]["state"] == "KNOWN"
        assert (answer[leg]["node"]["name"], answer[leg]["node"][key]) == (name, value)
    assert details(answer["code"])["version"] == "commit1"
    assert details(answer["parameters"]) == {"C": "0.5", "depth": "3"}
    assert [(leg["node"]["name"], details(leg)["role"]) for leg in answer["trainingData"]] == [
        ("train", "training"),
        ("holdout", "validation"),
    ]
    assert details(answer["metrics"][0]) == {"kind": "performance", "auc": "0.75", "auc [f]": "0.5"}
    assert [leg["node"]["name"] for leg in answer["features"]] == ["train", "online"]
    assert answer["approver"]["state"] == "UNKNOWN"
    assert answer["approver"]["reason"]


def details(leg: Any) -> dict[str, str]:
    return {detail["name"]: detail["value"] for detail in leg["details"]}


def test_what_was_in_production_on(ask: Ask) -> None:
    """Exact for the rollback: version 1, then 2, then 1 again."""
    query = stored("what-was-in-production-on")
    served = {
        clock: [node["modelVersion"]["version"] for node in ask(query, at=at(clock))["deployments"]["nodes"]]
        for clock in ("08:59:59", "09:00:00", "09:59:59", "10:00:00", "10:59:59", "11:00:00")
    }

    assert served == {
        "08:59:59": [],
        "09:00:00": ["1"],
        "09:59:59": ["1"],
        "10:00:00": ["2"],
        "10:59:59": ["2"],
        "11:00:00": ["1"],
    }


def test_what_was_in_another_environment(ask: Ask) -> None:
    answer = ask(stored("what-was-in-production-on"), at=at("09:30:00"), environment="staging")

    assert answer["deployments"]["nodes"] == []


def test_what_breaks_if_i_change_this_dataset(ask: Ask) -> None:
    graph = ask(stored("what-breaks-if-i-change-this-dataset"), namespace=DATA, name="train")["lineage"]

    assert flows(graph) == {("train", "train"), ("train", "credit"), ("credit", "evaluate"), ("credit", "serve")}
    assert {node["__typename"] for node in graph["nodes"]} == {"Dataset", "Job", "Model", "Deployment"}


def test_which_models_trained_on_this_dataset(ask: Ask) -> None:
    query = stored("which-models-trained-on-this-dataset")
    graph = ask(query, namespace=DATA, name="features", version="f1")["lineage"]

    assert {n["version"] for n in graph["nodes"] if n["__typename"] == "ModelVersion"} == {"1", "2"}
    trained = {n["runId"] for n in graph["nodes"] if n["__typename"] == "Run" and n["name"] == "train"}
    assert trained == {RUNS["train-1"], RUNS["train-2"]}


def test_what_does_this_column_reach(ask: Ask) -> None:
    graph = ask(stored("what-does-this-column-reach"), namespace=DATA, dataset="raw", path="sex")["lineage"]

    assert {("sex", "sex_h"), ("sex_h", "sex_h"), ("sex_h", "credit")} == flows(graph)
    assert any(step["masking"] for edge in graph["edges"] for step in edge["transformations"])


def test_every_stored_operation_is_executed_by_a_test() -> None:
    told = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))

    assert [path.stem for path in OPERATIONS.glob("*.graphql") if f'stored("{path.stem}")' not in told] == []


def test_what_was_deployed_without_the_gate(ask: Ask) -> None:
    found = ask(stored("what-was-deployed-without-the-gate"))["deployments"]["nodes"]

    assert [(each["modelVersion"]["version"], each["gate"]) for each in found] == [
        (version, {"state": "UNGATED", "decision": None}) for version in ("1", "2", "1")
    ]
