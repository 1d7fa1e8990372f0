"""What real producers do to runs, times, names and facets: the events that they send and the answer these must have."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import AmbiguousReferenceError
from catalog.identity import NodeKind
from catalog.instant import text
from catalog.model import Basis, DatasetRef, Direction, GapKind, Grain, NodeRef
from catalog.reading import Walk
from tests.ingest.events import (
    JOBS,
    Catalog,
    Event,
    at,
    dataset,
    dataset_event,
    facet,
    job_type,
    parent,
    read_event,
    run_event,
    schema,
    symlinks,
    uuid,
    versioned,
    whole_run,
)

EXPLICIT, COLUMN, INFERRED, ROLLUP = Basis.EXPLICIT, Basis.COLUMN, Basis.INFERRED, Basis.ROLLUP
APPLICATION = job_type("SPARK", "APPLICATION")
ACTION = job_type("SPARK", "SQL_JOB")
SERVICE = job_type("LINEWARD", processing="SERVICE", windowDuration=60)


def run(label: str) -> NodeRef:
    return NodeRef(run=uuid(label))


# Life of a run ---------------------------------------------------------------------------------------------------


def test_complete_may_come_before_its_start() -> None:
    started = run_event("START", 1, "etl", reads=["a"])
    completed = run_event("COMPLETE", 5, "etl", writes=["b"])
    catalog = Catalog([completed, started])
    assert catalog.upstream("b").pairs == {("a", "etl"), ("etl", "b@etl")}
    node = catalog.run("etl")
    assert (node.state, node.started, node.ended) == ("COMPLETED", text(at(1)), text(at(5)))


def test_complete_without_a_start_is_a_whole_run() -> None:
    catalog = Catalog([run_event("COMPLETE", 5, "feast_apply", reads=["source"], writes=["view"])])
    assert catalog.upstream("view").pairs == {("source", "feast_apply"), ("feast_apply", "view@feast_apply")}
    assert catalog.states("view") == {"view@feast_apply": "CURRENT"}
    assert catalog.run("feast_apply").started == text(at(5))


def test_a_complete_that_names_fewer_inputs_takes_none_away() -> None:
    five = ["source", "entity", "view", "service", "registry"]
    catalog = Catalog(
        [
            run_event("START", 1, "materialize", reads=five, writes=["online"]),
            run_event("COMPLETE", 2, "materialize", reads=five[:2], writes=["online"]),
        ]
    )
    assert catalog.upstream("online").into("materialize") == {(name, INFERRED) for name in five}


def test_running_and_complete_race_on_two_connections() -> None:
    events = [
        run_event("START", 1, "train", reads=["features"]),
        run_event("RUNNING", 2, "train", reads=["labels"]),
        run_event("COMPLETE", 2, "train", writes=["scores"]),
    ]
    for order in itertools.permutations(events):
        catalog = Catalog(order)
        assert catalog.upstream("scores").into("train") == {("features", INFERRED), ("labels", INFERRED)}
        assert catalog.run("train").state == "COMPLETED"


def test_byte_identical_retries_change_no_answer() -> None:
    events = whole_run("etl", 1, 5, reads=["a"], writes=["b"])
    once, thrice = Catalog(events), Catalog([event for event in events for _ in range(3)])
    assert thrice.upstream("b") == once.upstream("b")
    assert thrice.states("b") == {"b@etl": "CURRENT"}
    graph = thrice.reading.lineage(thrice.dataset("b"), Walk(Direction.UPSTREAM, grain=Grain.JOB))
    assert {edge.runs for edge in graph.edges} == {1}


def test_fail_then_complete_is_a_conflict_whose_data_is_there() -> None:
    catalog = Catalog(
        [
            run_event("START", 1, "etl", reads=["a"], writes=["b"]),
            run_event("FAIL", 2, "etl"),
            run_event("COMPLETE", 3, "etl"),
        ]
    )
    assert catalog.run("etl").state == "CONFLICTED"
    assert catalog.states("b") == {"b@etl": "CURRENT"}
    assert (GapKind.CONFLICTED, "etl") in catalog.upstream("b").gaps


def test_one_run_id_of_two_jobs_is_two_runs_that_share_nothing() -> None:
    shared = "ea041791-68bc-4ae1-bd89-4c8106a157e4"
    catalog = Catalog(
        [
            *whole_run(shared, 1, 5, job="billing", reads=["invoices"], writes=["revenue"]),
            *whole_run(shared, 1, 5, job="scoring", reads=["people"], writes=["scores"]),
        ]
    )
    assert catalog.upstream("revenue").into(shared) == {("invoices", INFERRED)}
    assert catalog.upstream("scores").into(shared) == {("people", INFERRED)}
    assert (GapKind.RUN_ID_COLLISION, shared) in catalog.upstream("scores").gaps
    with pytest.raises(AmbiguousReferenceError):
        catalog.reading.lineage(NodeRef(run=shared), Walk())


def test_sparks_longer_job_name_at_completion_is_the_same_run() -> None:
    catalog = Catalog(
        [
            run_event("START", 1, "save", "app.save_into", reads=["a"]),
            run_event("COMPLETE", 2, "save", "app.save_into.db_b", writes=["b"]),
        ]
    )
    found = catalog.upstream("b")
    assert found.pairs == {("a", "save"), ("save", "b@save")}
    assert (GapKind.RUN_ID_COLLISION, "save") not in found.gaps
    assert catalog.run("save").name == "app.save_into"


def test_a_parent_that_never_reports_is_a_visible_stub() -> None:
    catalog = Catalog(whole_run("task", 1, 5, reads=["a"], writes=["b"], parent=parent("dag_run", "dag")))
    found = catalog.upstream("b")
    assert found.pairs == {("a", "task"), ("task", "b@task")}
    assert (GapKind.UNREPORTED_PARENT, "task") in found.gaps
    assert catalog.run("dag_run").state == "UNREPORTED"


def test_only_the_start_names_the_parent() -> None:
    catalog = Catalog(
        [
            run_event("START", 0, "dag_run", "dag"),
            run_event("START", 1, "task", reads=["a"], parentRun=parent("dag_run", "dag")),
            run_event("COMPLETE", 2, "task", writes=["b"]),
        ]
    )
    assert catalog.run("task").parent_run == catalog.run("dag_run").id
    assert catalog.upstream(run("dag_run")).into("task") == {("a", INFERRED)}


# Time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-01T00:00:07.123456789Z", 7.123456),
        ("2026-03-01T00:00:07.7Z", 7.7),
        ("2026-03-01T00:00:07", 7),
        ("2026-03-01T00:00:07.250", 7.25),
        ("2026-03-01T00:00:07Z[Europe/London]", 7),
        ("2026-03-01T01:00:07.5+01:00[Europe/Paris]", 7.5),
        ("2026-03-01T05:30:07+0530", 7),
    ],
)
def test_times_are_understood_and_kept_as_written(written: str, meant: float) -> None:
    event = run_event("COMPLETE", written, "etl", writes=["b"])
    assert Catalog([event]).run("etl").started == text(at(meant))
    assert read_event(event).record.time == written


def test_a_clock_years_ahead_does_not_have_the_last_word_for_ever() -> None:
    ahead = dataset_event("2099-01-01T00:00:00Z", dataset("b", ownership=facet(owners=[{"name": "nobody"}])))
    corrected = dataset_event(3600, dataset("b", ownership=facet(owners=[{"name": "risk"}])))
    catalog = Catalog([ahead, corrected], recorded=lambda seq, _: at(3600 * seq))
    assert catalog.facets(catalog.dataset("b"))["ownership"] == {"owners": [{"name": "risk"}]}


def test_a_clock_years_ahead_does_not_move_its_run_out_of_sight() -> None:
    events = [
        run_event("COMPLETE", "2099-01-01T00:00:00Z", "skewed", reads=["a"], writes=["b"]),
        *whole_run("later", 7200, 7300, reads=["b"], writes=["c"]),
    ]
    catalog = Catalog(events, recorded=lambda seq, _: at(seq * 3600))
    assert catalog.upstream("c", 2).pairs >= {("a", "skewed"), ("skewed", "b@skewed"), ("b@skewed", "later")}


# Shape -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [None, "", "#/definitions/RunEvent", "https://openlineage.io/spec/1-0-5/DatasetEvent"])
def test_an_event_is_what_its_shape_says(url: str | None) -> None:
    events: list[Event] = [
        *whole_run("etl", 1, 5, reads=["a"], writes=["b"]),
        dataset_event(6, dataset("b", tags=facet(tags=[{"key": "pii", "value": "true"}]))),
    ]
    for event in events:
        del event["schemaURL"], event["producer"]
        event.update({} if url is None else {"schemaURL": url, "producer": "nope"})
    catalog = Catalog(events)
    assert catalog.upstream("b").pairs == {("a", "etl"), ("etl", "b@etl")}
    assert "tags" in catalog.facets(catalog.dataset("b"))


ODD_NAMES = [
    "postgres://h:5432/db.schema.table",
    "s3://bucket/key=1/part 0.parquet",
    "user@host:{tenant}/{{ds}}",
    "table:a/b@v1",
    " leading and trailing ",
    "größe/データ/🙂👩\u200d👩\u200d👧",
    "a%2Fb+c?d=e&f#g",
    "",
    "x" * 10_240,
    "\u202eright to left\t\n",
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_names_hold_any_character_at_any_length(name: str) -> None:
    read, version = versioned("in", f"v{name}", name), f"v{name}"
    events = whole_run("etl", 1, 5, job=name, namespace=name, reads=[read], writes=[dataset(name, name)])
    catalog = Catalog(events)
    found = catalog.upstream(catalog.dataset(name, namespace=name))
    assert found.pairs == {(f"in@{version}", "etl"), ("etl", f"{name}@etl")}
    assert catalog.find(NodeRef(job=DatasetRef(name, name))).name == name
    assert catalog.find(catalog.dataset("in", version, name)).label == version


@given(st.text(st.characters(codec="utf-8"), max_size=30), st.text(st.characters(codec="utf-8"), max_size=30))
@settings(max_examples=40, deadline=None)
def test_no_two_names_meet_whatever_joins_them(left: str, right: str) -> None:
    apart = [dataset(f"{left}:{right}", "n"), dataset(right, f"n:{left}"), dataset(left, right)]
    catalog = Catalog([run_event("COMPLETE", 1, "etl", reads=apart)])
    refs = [NodeRef(dataset=DatasetRef(each["namespace"], each["name"])) for each in apart]
    assert len({catalog.find(each).id for each in refs}) == len({(e["namespace"], e["name"]) for e in apart})


# Facets ----------------------------------------------------------------------------------------------------------


def test_deleted_removes_a_facet_and_falls_back_to_nothing() -> None:
    catalog = Catalog(
        [
            dataset_event(1, dataset("b", documentation=facet(description="old"), tags=facet(tags=[]))),
            dataset_event(2, dataset("b", documentation=facet(description="new"))),
            dataset_event(3, dataset("b", documentation=facet(_deleted=True))),
        ]
    )
    assert catalog.facets(catalog.dataset("b")).keys() == {"tags"}


def test_deleted_holds_for_jobs_and_says_nothing_of_runs() -> None:
    gone = {"sql": facet(_deleted=True)}
    catalog = Catalog(
        [
            run_event("START", 1, "etl", job_facets={"sql": facet(query="select 1")}, tags=facet(tags=[])),
            run_event("COMPLETE", 2, "etl", job_facets=gone, nominalTime=facet(nominalStartTime="2026-03-01T00:00Z")),
        ]
    )
    assert catalog.facets(NodeRef(job=DatasetRef(JOBS, "etl"))) == {}
    assert catalog.facets(run("etl")).keys() == {"tags", "nominalTime"}


def test_an_emptied_facet_clears_and_an_absent_or_null_one_does_not() -> None:
    catalog = Catalog(
        [
            dataset_event(1, dataset("b", schema=schema("id", "sex"), ownership=facet(owners=[{"name": "risk"}]))),
            dataset_event(2, dataset("b", schema=facet(fields=[]))),
            dataset_event(3, {**dataset("b"), "facets": {"ownership": None}}),
        ]
    )
    expected = {"schema": {"fields": []}, "ownership": {"owners": [{"name": "risk"}]}}
    assert catalog.facets(catalog.dataset("b")) == expected


def test_an_emptied_run_facet_replaces_the_one_before_whole() -> None:
    parameters = facet(parameters=[{"key": "seed", "value": "1"}], note="first")
    catalog = Catalog(
        [
            run_event("START", 1, "train", executionParameters=parameters),
            run_event("COMPLETE", 2, "train", executionParameters=facet(parameters=[])),
        ]
    )
    assert catalog.facets(run("train")) == {"executionParameters": {"parameters": []}}


def test_an_emptied_symlinks_facet_ends_the_aliases() -> None:
    catalog = Catalog(
        [
            dataset_event(1, dataset("view", symlinks=symlinks("table"))),
            *whole_run("load", 2, 3, writes=["table"]),
            dataset_event(10, dataset("view", symlinks=facet(identifiers=[]))),
            *whole_run("early", 5, 6, reads=["view"], writes=["x"]),
            *whole_run("late", 11, 12, reads=["view"], writes=["y"]),
        ]
    )
    assert catalog.upstream("x").into("early") == {("table@load", INFERRED)}
    assert catalog.upstream("y").into("late") == {("view", INFERRED)}


def test_dbts_model_is_no_model_of_machine_learning() -> None:
    dbt = job_type("DBT", "MODEL")
    catalog = Catalog(whole_run("churn", 1, 5, job_facets=dbt, reads=["raw"], writes=["churn_features"]))
    assert catalog.find(NodeRef(job=DatasetRef(JOBS, "churn"))).kind is NodeKind.JOB
    assert catalog.find(catalog.dataset("churn_features")).kind is NodeKind.DATASET
    assert catalog.reading.models() == []
