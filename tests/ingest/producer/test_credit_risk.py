"""The example, from its own generator to a stopped service, against a collector."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from examples.credit_risk.service import REQUESTS, Summary, run
from ingest.producer import digest_of
from tests.ingest.producer.collector import Collector
from tests.ingest.producer.core_spec import check_event

SCHEMA_URL = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"


@dataclass(frozen=True, slots=True)
class Outcome:
    folder: Path
    summary: Summary
    events: list[dict[str, Any]]

    def of(self, job: str, state: str) -> list[dict[str, Any]]:
        return [event for event in self.events if (event["job"]["name"], event["eventType"]) == (job, state)]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("credit-risk")
    collector = Collector()
    summary = run(folder, collector.url)
    collector.close()
    return Outcome(folder, summary, collector.events)


def test_every_event_is_openlineage_and_arrives(outcome: Outcome) -> None:
    assert outcome.summary.delivered
    for event in outcome.events:
        check_event(event)
        assert event["schemaURL"] == SCHEMA_URL


def test_every_run_ends(outcome: Outcome) -> None:
    started = {event["run"]["runId"] for event in outcome.events if event["eventType"] == "START"}
    ended = {event["run"]["runId"] for event in outcome.events if event["eventType"] == "COMPLETE"}
    assert started == ended
    assert len(started) == 8


def test_each_input_is_a_version_that_an_earlier_step_wrote(outcome: Outcome) -> None:
    written = {version(item) for event in outcome.events for item in event["outputs"] if "version" in item["facets"]}
    read = {version(item) for event in outcome.events for item in event["inputs"]}
    extract = {item for item in read if item[1] == "bureau_extract.csv"}
    assert len(extract) == 1
    assert read - extract <= written


def test_versions_are_digests_of_the_files(outcome: Outcome) -> None:
    for event in outcome.events:
        for item in event["outputs"]:
            if item["namespace"] == "file://credit-risk" and "version" in item["facets"]:
                assert version(item)[2] == digest_of(outcome.folder / item["name"])


def test_training_names_parameters_seed_data_and_model(outcome: Outcome) -> None:
    trainings = outcome.of("train", "COMPLETE")
    assert [version(event["outputs"][0])[2] for event in trainings] == ["1", "2"]
    for number, event in enumerate(trainings, start=1):
        parameters = {item["key"] for item in event["run"]["facets"]["executionParameters"]["parameters"]}
        assert "algorithm" in parameters
        assert isinstance(event["run"]["facets"]["lineward_training"]["seed"], int)
        assert event["inputs"][0]["name"] == "train.csv"
        assert event["inputs"][0]["inputFacets"]["lineward_input"]["role"] == "training"
        model = event["outputs"][0]
        assert (model["namespace"], model["name"]) == ("mlflow://models.example", "credit-risk")
        assert model["facets"]["datasetType"]["datasetType"] == "MODEL"
        artifact = outcome.folder / f"credit-risk-{number}.pickle"
        assert model["facets"]["lineward_model"]["digest"] == digest_of(artifact)


def test_both_versions_are_measured_on_rows_held_out(outcome: Outcome) -> None:
    evaluations = outcome.of("evaluate", "COMPLETE")
    assert [version(event["inputs"][0])[2] for event in evaluations] == ["1", "2"]
    for event in evaluations:
        metrics = {item["name"]: item["value"] for item in event["run"]["facets"]["lineward_evaluation"]["metrics"]}
        assert 0.6 < metrics["roc_auc"] < 1
        assert event["inputs"][1]["name"] == "test.csv"
    counts = {name: rows(outcome.folder / f"{name}.csv") for name in ("train", "test", "features")}
    assert counts["train"] + counts["test"] == counts["features"]


def test_one_protected_column_is_dropped_and_one_survives_by_mistake(outcome: Outcome) -> None:
    applications = outcome.of("ingest", "COMPLETE")[0]["outputs"][0]
    tags = {tag["field"]: tag["key"] for tag in applications["facets"]["tags"]["tags"]}
    assert tags == {"sex": "protected:sex", "age": "protected:age", "nationality": "protected:nationality"}
    features = outcome.of("features", "COMPLETE")[0]["outputs"][0]
    lineage = features["facets"]["columnLineage"]["fields"]
    origins = {origin["field"] for column in lineage.values() for origin in column["inputFields"]}
    assert origins & set(tags) == {"age"}
    assert [origin["field"] for origin in lineage["age_group"]["inputFields"]] == ["age"]
    assert {column["name"] for column in features["facets"]["schema"]["fields"]} == set(lineage)


def test_the_service_reports_what_it_answered(outcome: Outcome) -> None:
    windows = [event for event in outcome.of("scoring", "RUNNING") if event["outputs"]]
    counts: dict[str, int] = {}
    for event in windows:
        served = version(event["inputs"][0])[2]
        facet = event["run"]["facets"]["lineward_predictions"]
        counts[served] = counts.get(served, 0) + facet["count"]
    assert counts == {"1": REQUESTS, "2": REQUESTS}
    log = (outcome.folder / "predictions.ndjson").read_text()
    assert log.count("\n") == outcome.summary.requests == 2 * REQUESTS
    assert outcome.summary.request_id in log
    assert outcome.summary.earlier_request_id in log


def version(dataset: dict[str, Any]) -> tuple[str, str, str]:
    return dataset["namespace"], dataset["name"], dataset["facets"]["version"]["datasetVersion"]


def rows(path: Path) -> int:
    with path.open(newline="") as file:
        return sum(1 for _ in csv.DictReader(file))
