"""Facets that count only from some senders: what others say neither counts nor hides anything."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from catalog.graph.memory import MemoryGraph
from catalog.identity import dataset_id, job_id, run_id, run_version_id
from catalog.reading import Reading
from tests.ingest.events import DATA, JOBS, dataset, entries_of, facet, project, run_event, uuid

STEWARD, STRANGER = "steward", "stranger"
DATASET = dataset_id(DATA, "t")
NODES = {
    "dataset": DATASET,
    "version": run_version_id(DATASET, uuid("r")),
    "job": job_id(JOBS, "r"),
    "run": run_id(uuid("r"), JOBS, "r"),
}


def said(when: float, origin: str) -> dict[str, Any]:
    """The same run writes the same dataset, and each event says the same word everywhere."""
    told = facet(origin=origin)
    return run_event(
        "COMPLETE",
        when,
        "r",
        writes=[dataset("t", use={"onOutput": told}, onDataset=told)],
        job_facets={"onJob": told},
        onRun=told,
    )


@pytest.fixture
def reading() -> Reading:
    """The steward speaks first, a stranger last."""
    store = MemoryGraph()
    entries = entries_of([said(1, "bureau"), said(2, "nowhere")])
    project(store, [replace(entry, actor=actor) for entry, actor in zip(entries, (STEWARD, STRANGER), strict=True)])
    return Reading(store.read().__enter__())


@pytest.mark.parametrize("node", NODES)
def test_without_a_choice_the_last_word_counts(reading: Reading, node: str) -> None:
    assert origins(reading, NODES[node], STEWARD, STRANGER) == {("nowhere", STRANGER)}
    assert [facet.actor for facet in reading.facets(NODES[node])] == [
        facet.actor for facet in reading.facets(NODES[node], said_by=lambda _: True)
    ]


@pytest.mark.parametrize("node", NODES)
def test_a_stranger_does_not_hide_what_the_steward_said(reading: Reading, node: str) -> None:
    assert origins(reading, NODES[node], STEWARD) == {("bureau", STEWARD)}


@pytest.mark.parametrize("node", NODES)
def test_nobodys_word_is_no_facet(reading: Reading, node: str) -> None:
    assert origins(reading, NODES[node]) == set()


def origins(reading: Reading, node: str, *actors: str) -> set[tuple[str, str]]:
    found = reading.facets(node, said_by=lambda actor: actor in actors)
    return {(orjson.loads(each.body)["origin"], each.actor) for each in found}
