"""Rules that say whose `file` is meant, and how an event shows that one of them moved its data."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.graph.memory import MemoryGraph
from catalog.identity import dataset_id, is_shared_namespace
from catalog.model import DatasetRef, GapKind, NodeRef
from catalog.projector import Projector
from catalog.reading import Reading, Walk
from ingest.namespaces import NamespaceRules
from ingest.openlineage import Interpretation, interpret
from tests.ingest.events import (
    ORIGIN,
    at,
    dataset,
    dataset_event,
    entries_of,
    facet,
    run_event,
    schema,
    whole_run,
)

LAPTOPS = NamespaceRules((("laptop-*", "file", "file://{principal}"), ("*", "default", "lake")))


def read(event: dict[str, Any], actor: str = "laptop-1", places: NamespaceRules = LAPTOPS) -> Interpretation:
    return interpret(orjson.dumps(event), seq=0, recorded=at(100), actor=actor, places=places)


@pytest.mark.parametrize(
    ("namespace", "is_shared"),
    [
        *((each, True) for each in ("file", "inmemory", "default", "FILE", "file:", "file://", "file:///data")),
        *((each, True) for each in ("file:/data", "file://localhost/data", "inmemory://")),
        *(
            (each, False)
            for each in ("file://laptop-1/data", "files", "s3://default", "default.db", "", "postgres://h")
        ),
    ],
)
def test_which_namespaces_every_machine_has(namespace: str, is_shared: bool) -> None:
    assert is_shared_namespace(namespace) is is_shared


@pytest.mark.parametrize(
    ("principal", "namespace", "expected"),
    [
        ("laptop-1", "file", "file://laptop-1"),
        ("laptop-2", "file", "file://laptop-2"),
        ("server", "file", None),
        ("LAPTOP-1", "file", None),
        ("server", "default", "lake"),
        ("laptop-1", "file:", None),
    ],
)
def test_the_first_rule_that_fits_places_a_namespace(principal: str, namespace: str, expected: str | None) -> None:
    assert LAPTOPS.place(principal, namespace) == expected


@given(st.text(max_size=5), st.text(max_size=5))
def test_without_rules_nothing_is_placed(principal: str, namespace: str) -> None:
    assert NamespaceRules().place(principal, namespace) is None


def test_every_mention_of_a_dataset_is_placed_alike() -> None:
    """As input, output, alias, column source, previous name and explicit source and target."""
    mine = {"namespace": "file", "name": "a"}
    lineage = facet(entries=[{**mine, "type": "DATASET", "inputs": [{"namespace": "file", "name": "b"}]}])
    events = [
        run_event("COMPLETE", 1, reads=[dataset("a", "file")], writes=[dataset("b", "file")]),
        run_event("COMPLETE", 1, writes=[dataset("x", symlinks=facet(identifiers=[{**mine, "type": "TABLE"}]))]),
        run_event("COMPLETE", 1, writes=[dataset("x", columnLineage=_column_from(mine))]),
        run_event("COMPLETE", 1, writes=[dataset("a", "file")], job_facets={"lineage": lineage}),
        run_event("COMPLETE", 1, writes=[dataset("x", "file", lifecycleStateChange=_renamed_from(mine))]),
        dataset_event(1, dataset("a", "file")),
    ]
    for event in events:
        named = read(event).datasets
        assert named[dataset_id("file://laptop-1", "a")] == ("file://laptop-1", "a")
        assert all(namespace != "file" for namespace, _ in named.values())
        assert read(event).unplaced == set()


def _column_from(source: dict[str, str]) -> dict[str, Any]:
    return facet(fields={"c": {"inputFields": [{**source, "field": "c"}]}})


def _renamed_from(previous: dict[str, str]) -> dict[str, Any]:
    return facet(lifecycleStateChange="RENAME", previousIdentifier=previous)


def test_an_explicit_entry_meets_its_output_where_a_rule_put_both() -> None:
    lineage = facet(
        entries=[{"namespace": "file", "name": "b", "type": "DATASET", "inputs": [{"namespace": "file", "name": "a"}]}]
    )
    event = run_event("COMPLETE", 1, writes=[dataset("b", "file")], job_facets={"lineage": lineage})
    (output,) = read(event).record.outputs
    assert output.dataset == dataset_id("file://laptop-1", "b")
    assert [source.dataset for source in output.sources or ()] == [dataset_id("file://laptop-1", "a")]


def test_a_moved_dataset_says_how_its_namespace_was_written() -> None:
    event = run_event("COMPLETE", 1, reads=[dataset("a", "file", schema=schema("c")), dataset("t")])
    found = read(event)
    moved, other = found.record.inputs
    told = found.bodies[found.bundles[moved.bundle or ""]["lineward_namespace"]]
    assert orjson.loads(told) == {"written": "file"}
    assert "schema" in found.bundles[moved.bundle or ""]
    assert other.bundle is None


@pytest.mark.parametrize("places", [NamespaceRules(), NamespaceRules((("*", "file", "file"),))])
def test_what_no_rule_moves_says_nothing_of_it(places: NamespaceRules) -> None:
    found = read(run_event("COMPLETE", 1, reads=[dataset("a", "file")]), places=places)
    assert found.record.inputs[0].bundle is None


def test_a_sender_cannot_claim_that_a_rule_moved_its_data() -> None:
    claimed = dataset("t", lineward_namespace=facet(written="file"), schema=schema("c"))
    found = read(run_event("COMPLETE", 1, reads=[claimed]))
    assert found.bundles[found.record.inputs[0].bundle or ""].keys() == {"schema"}


def test_only_a_shared_namespace_without_a_rule_is_unplaced() -> None:
    event = run_event("COMPLETE", 1, reads=[dataset("a", "file"), dataset("t")], writes=[dataset("d", "default")])
    assert read(event, "server").unplaced == {dataset_id("file", "a")}
    everybodys = NamespaceRules((("*", "file", "file"), ("*", "default", "default")))
    assert read(event, "server", everybodys).unplaced == set()


# What readers see ------------------------------------------------------------------------------------------------


def asked(places: NamespaceRules, *actors: str) -> Reading:
    """Senders that each read the file `data.csv` of theirs and write a table."""
    store = MemoryGraph()
    projector = Projector(
        store,
        ORIGIN,
        lambda e: interpret(e.body or b"", seq=e.seq, recorded=e.recorded, actor=e.actor, places=places),
    )
    events = [
        (event, actor)
        for n, actor in enumerate(actors)
        for event in whole_run(actor, 2 * n, 2 * n + 1, reads=[dataset("data.csv", "file")], writes=[f"t-{actor}"])
    ]
    entries = entries_of(event for event, _ in events)
    sent = [replace(entry, actor=actor) for entry, (_, actor) in zip(entries, events, strict=True)]
    assert projector.project(sent)
    return Reading(store.read().__enter__())


def test_two_senders_of_one_local_file_are_a_gap() -> None:
    reading = asked(NamespaceRules(), "laptop-1", "laptop-2")
    graph = reading.lineage(_table("t-laptop-1"), Walk())
    assert (GapKind.SHARED_NAMESPACE, dataset_id("file", "data.csv")) in {(gap.kind, gap.node) for gap in graph.gaps}


def test_one_sender_alone_is_none() -> None:
    graph = asked(NamespaceRules(), "laptop-1", "laptop-1").lineage(_table("t-laptop-1"), Walk())
    assert GapKind.SHARED_NAMESPACE not in {gap.kind for gap in graph.gaps}


def test_a_rule_tells_two_senders_apart() -> None:
    reading = asked(LAPTOPS, "laptop-1", "laptop-2")
    for laptop in ("laptop-1", "laptop-2"):
        graph = reading.lineage(_table(f"t-{laptop}"), Walk())
        assert GapKind.SHARED_NAMESPACE not in {gap.kind for gap in graph.gaps}
        assert {node.namespace for node in graph.nodes if node.name == "data.csv"} == {f"file://{laptop}"}
    moved = reading.find(NodeRef(dataset=DatasetRef("file://laptop-1", "data.csv")))
    assert moved is not None
    assert [(each.name, each.actor) for each in reading.facets(moved.id)] == [("lineward_namespace", "laptop-1")]


def test_a_rule_may_say_that_all_mean_the_same_place() -> None:
    graph = asked(NamespaceRules((("*", "file", "file"),)), "laptop-1", "laptop-2").lineage(
        _table("t-laptop-1"), Walk()
    )
    assert GapKind.SHARED_NAMESPACE not in {gap.kind for gap in graph.gaps}


def _table(name: str) -> NodeRef:
    return NodeRef(dataset=DatasetRef("postgres://warehouse:5432", name))
