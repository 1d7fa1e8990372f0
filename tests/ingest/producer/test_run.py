from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openlineage.client import OpenLineageClient

from ingest.producer import BatchRun, Compute, Dataset, Delivery, Evaluation, Model, TrainingRun, digest_of
from tests.ingest.producer.collector import Collector, Memory, spooled
from tests.ingest.producer.core_spec import check_event
from tests.ingest.producer.repository import commit, git

TABLE = Dataset(namespace="file://here", name="train: 1.csv", version="v1")
MODEL = Model(namespace="mlflow://models", name="risk", version="1", framework="sklearn", intended_use="ranking")


class ToldError(Exception):
    pass


def sent(memory: Memory, act: Callable[[Delivery], object], folder: Path) -> list[dict[str, Any]]:
    delivery = Delivery(OpenLineageClient(transport=memory), spool=folder / "spool.ndjson")
    act(delivery)
    assert delivery.close(30)
    for event in memory.events:
        check_event(event)
    return memory.events


def test_a_training_run_tells_all_that_decides_its_outcome(memory: Memory, tmp_path: Path) -> None:
    artifact = tmp_path / "model.bin"
    artifact.write_bytes(b"weights")

    def train(delivery: Delivery) -> None:
        run = TrainingRun(
            delivery,
            job="train",
            namespace="jobs",
            seed=7,
            parameters={"depth": 3, "loss": "log", "layers": [4, 2]},
            inputs=[TABLE.used_as("training", split_group="g")],
            hardware="laptop",
            code=tmp_path,
        )
        with run:
            run.compute = Compute(flops=12.0)
            assert run.register(MODEL, artifact).digest == digest_of(b"weights")

    start, complete = sent(memory, train, tmp_path)
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == complete["run"]["runId"]
    assert start["outputs"] == []
    for event in (start, complete):
        assert event["run"]["facets"]["lineward_training"]["seed"] == 7
        assert event["run"]["facets"]["lineward_training"]["environmentDigest"].startswith("sha256:")
        parameters = event["run"]["facets"]["executionParameters"]["parameters"]
        assert {item["key"]: item["value"] for item in parameters} == {
            "depth": "3",
            "loss": "log",
            "layers": "[4, 2]",
        }
        assert event["inputs"][0]["facets"]["version"]["datasetVersion"] == "v1"
        assert event["inputs"][0]["inputFacets"]["lineward_input"]["role"] == "training"
    assert complete["run"]["facets"]["lineward_training"]["compute"] == {"flops": 12.0}
    model = complete["outputs"][0]
    assert (model["namespace"], model["name"]) == ("mlflow://models", "risk")
    assert model["facets"]["datasetType"]["datasetType"] == "MODEL"
    assert model["facets"]["version"]["datasetVersion"] == "1"
    assert model["facets"]["lineward_model"]["digest"] == digest_of(b"weights")


def test_what_the_block_raises_is_reported_and_goes_on(memory: Memory, tmp_path: Path) -> None:
    def fail(delivery: Delivery) -> None:
        with pytest.raises(ToldError), BatchRun(delivery, job="j", namespace="jobs", outputs=[TABLE]):
            raise ToldError("no more memory")

    failed = sent(memory, fail, tmp_path)[1]
    assert failed["eventType"] == "FAIL"
    assert failed["run"]["facets"]["errorMessage"]["message"] == "no more memory"
    assert "ToldError" in failed["run"]["facets"]["errorMessage"]["stackTrace"]


def test_an_interrupted_block_is_aborted(memory: Memory, tmp_path: Path) -> None:
    def interrupt(delivery: Delivery) -> None:
        with pytest.raises(KeyboardInterrupt), BatchRun(delivery, job="j", namespace="jobs"):
            raise KeyboardInterrupt

    assert [event["eventType"] for event in sent(memory, interrupt, tmp_path)] == ["START", "ABORT"]


def test_a_run_of_its_own_has_delivered_when_it_ends(
    client: OpenLineageClient, collector: Collector, spool: Path
) -> None:
    with BatchRun(client, job="j", namespace="jobs"):
        pass
    states = [event["eventType"] for event in [*collector.events, *spooled(spool)]]
    assert sorted(set(states)) == ["COMPLETE", "START"]


def test_reporting_that_goes_wrong_never_reaches_the_block(
    client: OpenLineageClient, collector: Collector, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    collector.status = lambda number: 500
    run = TrainingRun(client, job="j", namespace="jobs", inputs=["no dataset"])  # type: ignore[list-item]
    with run:
        run.register(MODEL, Path("/there/is/no/such/file"))
        reached = True
    assert reached
    assert "could not take the digest of a model" in caplog.text
    assert "could not report START of a run" in caplog.text


def test_the_commit_around_the_code_is_reported(memory: Memory, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "remote", "add", "origin", "https://user:secret@git.example/risk.git")
    head = commit(tmp_path, "src/train.py", "ann@example.org")
    location = sent(memory, trained(code=tmp_path / "src"), tmp_path)[0]["job"]["facets"]["sourceCodeLocation"]
    assert location["version"] == head
    assert location["url"] == "https://git.example/risk.git"
    assert (location["path"], location["branch"]) == ("src", "main")


def test_who_committed_to_the_code_and_who_started_the_run_are_reported(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEWARD_USER", "eve@example.org")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "src/train.py", "bob@example.org")
    commit(tmp_path, "src/train.py", "ann@example.org")
    commit(tmp_path, "docs/guide.md", "tom@example.org")
    for event in sent(memory, trained(code=tmp_path / "src"), tmp_path):
        told = event["run"]["facets"]["lineward_training"]
        assert told["authors"] == ["ann@example.org", "bob@example.org"]
        assert told["user"] == "eve@example.org"


def test_code_outside_a_repository_has_no_authors(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LINEWARD_USER", raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    told = sent(memory, trained(code=tmp_path), tmp_path)[0]["run"]["facets"]["lineward_training"]
    assert not {"authors", "user"} & told.keys()


@pytest.mark.parametrize(
    ("argument", "variable", "expected"),
    [
        ("ann@example.org", "eve@example.org", "ann@example.org"),
        (None, "eve@example.org", "eve@example.org"),
        (None, "", "git@example.org"),
    ],
)
def test_who_started_a_run_is_told_by_argument_variable_or_git(
    memory: Memory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    argument: str | None,
    variable: str,
    expected: str,
) -> None:
    monkeypatch.setenv("LINEWARD_USER", variable)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "user.email", "git@example.org")
    told = sent(memory, trained(code=tmp_path, user=argument), tmp_path)[0]["run"]["facets"]["lineward_training"]
    assert told["user"] == expected


def trained(**details: Any) -> Callable[[Delivery], None]:
    """Reports a training run that does nothing."""

    def train(delivery: Delivery) -> None:
        with TrainingRun(delivery, job="train", namespace="jobs", **details):
            pass

    return train


def test_an_evaluation_names_model_and_data_and_tells_its_numbers(memory: Memory, tmp_path: Path) -> None:
    model = MODEL.with_artifact(b"weights")

    def evaluate(delivery: Delivery) -> None:
        measured = TABLE.used_as("test", split_group="g")
        with Evaluation(delivery, job="e", namespace="jobs", model=model, dataset=measured, kind="bias") as run:
            run.metric("roc_auc", 0.8, higher_is_better=True)
            run.metric("approval_rate", 0.4, slice="sex=f")
            run.slice("sex=f", attributes=["sex"], count=12)
            assert run.expect("good", actual=0.8, at_least=0.7)
            assert not run.expect("excellent", actual=0.8, at_least=0.9)
            run.report(b"report")

    event = sent(memory, evaluate, tmp_path)[1]
    facet = event["run"]["facets"]["lineward_evaluation"]
    assert (facet["kind"], facet["reportDigest"]) == ("bias", digest_of(b"report"))
    assert [(item["name"], item["value"], item.get("slice")) for item in facet["metrics"]] == [
        ("roc_auc", 0.8, None),
        ("approval_rate", 0.4, "sex=f"),
    ]
    assert facet["slices"] == [{"name": "sex=f", "attributes": ["sex"], "count": 12}]
    assert [item["status"] for item in event["run"]["facets"]["test"]["tests"]] == ["pass", "fail"]
    measured_model, measured_data = event["inputs"]
    assert measured_model["inputFacets"]["lineward_input"]["digest"] == model.digest
    assert "lineward_model" not in measured_model["facets"]
    assert measured_data["inputFacets"]["lineward_input"]["role"] == "test"


def test_a_metric_without_a_number_is_missing_and_the_rest_arrives(memory: Memory, tmp_path: Path) -> None:
    def evaluate(delivery: Delivery) -> None:
        with Evaluation(delivery, job="e", namespace="jobs", model=MODEL, dataset=TABLE) as run:
            run.metric("undefined", float("nan"))
            run.metric("nothing", None)  # type: ignore[arg-type]
            run.metric("roc_auc", 0.8)

    event = sent(memory, evaluate, tmp_path)[1]
    assert [item["name"] for item in event["run"]["facets"]["lineward_evaluation"]["metrics"]] == ["roc_auc"]


def test_the_version_of_a_file_is_the_digest_of_its_content(tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(b"a,b\n")
    by_file = Dataset(namespace="n", name="data.csv").with_content(file)
    assert by_file == Dataset(namespace="n", name="data.csv").with_content(b"a,b\n")
    assert by_file.version == by_file.digest == digest_of(b"a,b\n")
