"""A Spark ML model at the gate: most runs of its application start and never end, and that alone stops nothing."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from catalog.graph.contract import GraphStore
from catalog.graph.memory import MemoryGraph
from catalog.graph.sqlite import SqliteGraph
from catalog.model import DatasetRef, NodeRef
from policies.gate import Gate, Ruling
from policies.judge import Judge
from policies.library import built_in
from policies.loading import load_pack
from policies.request import DecideRequest
from tests.ingest.events import DATA, Event, dataset, facet, job_type, parent, run_event, uuid, whole_run
from tests.policies.office import ANN, DAY, PIPELINE, Office, binding

PACK = load_pack(built_in()["base-ml-governance"])
CHILDREN = 13
SAVED = dataset("models/churn/v3/metadata", "file", datasetType=facet(datasetType="MODEL"))
VERSION = NodeRef(dataset=DatasetRef("file", SAVED["name"]))


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStore]:
    with closing(MemoryGraph() if request.param == "memory" else SqliteGraph.open(tmp_path / "graph.db")) as made:
        yield made


def action(kind: str, when: float, run: str, reads: Sequence[str] = (), writes: Sequence[Event] = ()) -> Event:
    details: dict[str, Any] = {"job_facets": job_type("SPARK", "SQL_JOB"), "parent": parent("app")}
    return run_event(kind, when, run, f"app.{run}_140085c658d4", reads=reads, writes=writes, **details)


def application(*, save_ends: bool) -> list[Event]:
    """It reads its training data in runs that only start, and saves the model in a run that may only start too."""
    spark = job_type("SPARK", "APPLICATION")
    return [
        *whole_run("ingest", 0, 1, reads=["raw"], writes=["train"]),
        run_event("START", 10, "app", job_facets=spark),
        *(action("START", 11 + number, f"fit_{number}", ["train"]) for number in range(CHILDREN)),
        action("START", 30, "save", writes=[SAVED]),
        *([action("COMPLETE", 31, "save", writes=[SAVED])] if save_ends else []),
        run_event("COMPLETE", 40, "app", job_facets=spark),
    ]


class Desk:
    def __init__(self, store: GraphStore, *, save_ends: bool) -> None:
        self.office = Office(application(save_ends=save_ends), store)
        self.office.wait(3 * DAY)
        self.office.enact(PACK.normalised(), binding("spark", PACK.name))

    def decide(self) -> Ruling:
        with self.office.access.reading() as reading:
            found = reading.find(VERSION)
            assert found is not None
            (version,) = reading.versions_of(found.id)
        gate = Gate(self.office.journal, Judge())
        return gate.decide(PIPELINE, DecideRequest(NodeRef(id=version.id), "production"))

    def blocked(self) -> dict[str, set[str]]:
        """By control the kinds of gap that keep it unknown."""
        return {each["control"]: set(each["blockedBy"]) for each in self.decide().body.controls if each["blockedBy"]}

    def attest(self, path: str, value: str, target: NodeRef) -> None:
        self.office.attest(ANN, "field", target, statement={"path": path, "value": value})

    def verdict(self, control: str) -> str:
        return next(str(each["verdict"]) for each in self.decide().body.controls if each["control"] == control)


@pytest.mark.parametrize("save_ends", [True, False])
def test_each_control_names_the_gaps_that_block_it_and_runs_that_never_ended_are_none(
    store: GraphStore, save_ends: bool
) -> None:
    desk = Desk(store, save_ends=save_ends)
    evidence = desk.decide().body.evidence
    assert evidence is not None
    gaps = {each["kind"] for each in evidence["lineage"]["gaps"]}
    assert gaps == {"EXTERNAL", "ROLLED_UP"} | (set() if save_ends else {"NEVER_ENDED"})
    on_data = {control: {"EXTERNAL"} for control in ["B-01", "B-02", "B-03", "B-13", "B-15"]}
    assert desk.blocked() == on_data | {"B-04": {"EXTERNAL", "ROLLED_UP"}}


@pytest.mark.parametrize("save_ends", [True, False])
def test_what_people_say_of_the_source_and_the_code_ends_what_is_unknown(store: GraphStore, save_ends: bool) -> None:
    """Only what is about roles stays unknown: nobody said which of the application's reads trained the model."""
    desk = Desk(store, save_ends=save_ends)
    assert desk.verdict("B-01") == "unknown"
    desk.attest("origin.source", "the shop's own database", NodeRef(dataset=DatasetRef(DATA, "raw")))
    desk.attest("code.commit", "c0ffee", NodeRef(run=uuid("save")))
    assert desk.blocked() == {"B-04": {"ROLLED_UP"}}
    assert desk.verdict("B-01") == "pass"
