"""What real producers do to data over time: Spark, appends, services, moved and renamed names, columns."""

from collections.abc import Sequence

import pytest

from catalog.instant import text
from catalog.model import Basis, DatasetRef, GapKind, Grain, NodeRef
from tests.ingest.events import (
    DATA,
    DAY,
    Catalog,
    Event,
    Told,
    at,
    change,
    columns_from,
    dataset,
    dataset_event,
    facet,
    job_event,
    job_type,
    model,
    parent,
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


_SOURCE = {"namespace": DATA, "name": "a", "field": "x"}
POISON: list[Event] = [
    {"columnLineage": {"fields": {"x": {"inputFields": 5}, "y": {"inputFields": [_SOURCE]}}}},
    {"columnLineage": {"fields": {"x": {"inputFields": ["junk", _SOURCE]}}}},
    {"columnLineage": {"fields": {"x": {"inputFields": [{**_SOURCE, "transformations": [{"subtype": [1]}]}]}}}},
    {"symlinks": {"identifiers": 5}},
]


# Spark -----------------------------------------------------------------------------------------------------------


def spark_ml() -> list[Event]:
    """An application that fits a pipeline, scores test data and then saves the model, as its listener reports it."""

    def action(type_: str, when: float, run: str, job: str, reads: Sequence[str] = (), writes: str = "") -> Event:
        files = [dataset(f"models/churn/v3/{writes}", "file")] if writes else []
        name, application = f"churn_app.{job}_140085c658d4", parent("app", "churn_app")
        return run_event(type_, when, run, name, reads=reads, writes=files, job_facets=ACTION, parent=application)

    return [
        *whole_run("ingest", 0, 1, reads=["raw"], writes=["train", "test"]),
        run_event("START", 10, "app", "churn_app", job_facets=APPLICATION),
        action("START", 11, "fit_1", "collect", ["train"]),
        action("START", 12, "fit_2", "map_partitions_logistic_regression"),
        action("START", 20, "score", "count", ["test"]),
        action("COMPLETE", 25, "score", "count", ["test"]),
        action("START", 30, "save_1", "save_metadata", writes="metadata"),
        action("COMPLETE", 31, "save_1", "save_metadata", writes="metadata"),
        action("COMPLETE", 33, "save_2", "save_stage", writes="stages/1_LogisticRegression_140085c658d4/data"),
        run_event("COMPLETE", 40, "app", "churn_app", job_facets=APPLICATION),
    ]


def test_spark_model_files_roll_up_what_their_application_read() -> None:
    catalog = Catalog(spark_ml())
    metadata = catalog.dataset("models/churn/v3/metadata", namespace="file")
    found = catalog.upstream(metadata, 2)
    assert found.into("save_1") == {("train@ingest", ROLLUP), ("test@ingest", ROLLUP)}
    assert found.into("train@ingest") == {("ingest", EXPLICIT)}
    assert (GapKind.ROLLED_UP, "models/churn/v3/metadata@save_1") in found.gaps


def test_spark_test_data_read_before_the_save_is_never_told_to_be_training_data() -> None:
    """The roll-up cannot tell them apart, so nothing stronger than ROLLUP may come from either."""
    catalog = Catalog(spark_ml())
    down = catalog.downstream("test")
    saved = {edge for edge in down.edges if edge[1].startswith("save_")}
    assert saved == {("test@ingest", "save_1", ROLLUP), ("test@ingest", "save_2", ROLLUP)}
    assert {kind for kind, node in down.gaps if node.startswith("models/")} == {GapKind.ROLLED_UP}


def test_spark_runs_that_only_start_end_with_their_application() -> None:
    catalog = Catalog(spark_ml())
    assert {catalog.run(each).state for each in ("fit_1", "fit_2")} == {"ENDED_WITH_PARENT"}
    assert (GapKind.NEVER_ENDED, "fit_1") in catalog.upstream(run("fit_1")).gaps


def test_spark_insert_and_its_ctas_twin_are_one_version_with_united_inputs() -> None:
    app = {"parent": parent("app"), "job_facets": ACTION}
    events = [
        *whole_run("load_1", 0, 1, writes=["orders"]),
        *whole_run("load_2", 0, 1, writes=["people"]),
        run_event("START", 2, "app", job_facets=APPLICATION),
        *whole_run("ctas", 3, 9, reads=["orders"], writes=[dataset("b", lifecycleStateChange=change("CREATE"))], **app),
        *whole_run("insert", 4, 8, reads=["people"], writes=["b"], **app),
        run_event("COMPLETE", 10, "app", job_facets=APPLICATION),
    ]
    for order in (events, events[::-1]):
        catalog = Catalog(order)
        for version in ("ctas", "insert"):
            found = catalog.upstream(catalog.dataset("b", uuid(version)))
            assert found.into(f"b@{version}") == {("ctas", EXPLICIT), ("insert", EXPLICIT)}
            assert found.into("ctas") | found.into("insert") == {
                ("orders@load_1", INFERRED),
                ("people@load_2", INFERRED),
            }


# Data over time --------------------------------------------------------------------------------------------------


def daily_append() -> list[Event]:
    """Three days of appending; only the first day's partition was made from a source with a sensitive column."""
    special = {"key": "special", "value": "true", "field": "sex"}
    people = dataset("people", schema=schema("id", "sex"), tags=facet(tags=[special]))
    events = [*whole_run("hr", 0, 1, writes=[people]), *whole_run("shop", 0, 1, writes=["orders"])]
    for day, source in enumerate(["people", "orders", "orders"]):
        start = day * DAY + 10
        events += whole_run(f"day{day}", start, start + 9, job="append", reads=[source], writes=["events"])
    return [*events, *whole_run("train", 4 * DAY, 4 * DAY + 9, reads=["events"], writes=[model("churn", "1")])]


def test_a_daily_append_still_holds_the_sensitive_column_of_an_older_partition() -> None:
    catalog = Catalog(daily_append())
    churn = catalog.dataset("churn", "1", "mlflow://registry:5000")
    exact = catalog.upstream(churn, 3)
    assert exact.into("train") == {("events@day2", INFERRED)}
    assert not any(node.startswith("people") for node in exact.nodes)
    continues = catalog.find(catalog.dataset("events", uuid("day2"))).continues
    assert continues is not None
    assert (continues.count, continues.since) == (2, None)
    assert any(node.startswith("people") for node in catalog.upstream(churn, 3, history=True).nodes)


def test_the_sensitive_source_finds_the_model_downstream_through_history() -> None:
    catalog = Catalog(daily_append())
    people = catalog.dataset("people", uuid("hr"))
    assert "churn@1" not in catalog.downstream(people, 4).nodes
    assert "churn@1" in catalog.downstream(people, 4, history=True).nodes


def test_an_overwrite_ends_what_an_append_would_continue() -> None:
    events = daily_append()
    rewritten = dataset("events", lifecycleStateChange=change("OVERWRITE"))
    events += whole_run("rewrite", 5 * DAY, 5 * DAY + 9, reads=["orders"], writes=[rewritten])
    events += whole_run("retrain", 6 * DAY, 6 * DAY + 9, reads=["events"], writes=[model("churn", "2")])
    catalog = Catalog(events)
    found = catalog.upstream(catalog.dataset("churn", "2", "mlflow://registry:5000"), 4, history=True)
    assert found.into("retrain") == {("events@rewrite", INFERRED)}
    assert not any(node.startswith("people") for node in found.nodes)


def heartbeats(*versions: tuple[float, str]) -> list[Event]:
    return [
        run_event("RUNNING", when, "api", job_facets=SERVICE, reads=[model("churn", version)])
        for when, version in versions
    ]


def served(catalog: Catalog) -> list[tuple[str | None, str, str | None]]:
    """(version, since, until) of each interval."""
    found = catalog.reading.deployments()
    versions = catalog.reading.describe(each.model_version for each in found)
    return [(versions[each.model_version].label, each.since, each.until) for each in found]


def test_a_service_that_goes_back_to_version_1_has_three_intervals() -> None:
    events = heartbeats((0, "1"), (60, "1"), (120, "2"), (180, "1"))
    expected = [("1", text(at(0)), text(at(120))), ("2", text(at(120)), text(at(180))), ("1", text(at(180)), None)]
    for order in (events, events[::-1]):
        assert served(Catalog(order)) == expected


@pytest.mark.parametrize(("when", "version"), [(0, "1"), (119, "1"), (120, "2"), (179, "2"), (180, "1"), (300, "1")])
def test_what_was_in_production_at_an_instant_is_exact_for_a_rollback(when: float, version: str) -> None:
    catalog = Catalog(heartbeats((0, "1"), (60, "1"), (120, "2"), (180, "1"), (240, "1")), valid=when)
    assert [label for label, _, _ in served(catalog)] == [version]


# Names over time -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "links", [{"a": ["b"], "b": ["c"], "c": ["a"]}, {"a": ["a", "b"], "c": ["b"]}, {"a": ["b", "c"], "b": ["a", "c"]}]
)
def test_symlink_cycles_join_names_and_never_loop(links: dict[str, Sequence[str]]) -> None:
    catalog = Catalog(
        [
            *(dataset_event(0, dataset(name, symlinks=symlinks(*to))) for name, to in links.items()),
            *whole_run("write", 1, 2, reads=["raw"], writes=["a"]),
            *whole_run("read", 3, 4, reads=["c"], writes=["d"]),
        ]
    )
    assert catalog.upstream("d", 5).pairs == {
        ("raw", "write"), ("write", "a@write"), ("a@write", "read"), ("read", "d@read"),
    }  # fmt: skip
    assert {"raw", "write", "a", "c", "read", "d"} <= catalog.upstream("d", 9, Grain.JOB).nodes


def test_a_symlink_that_moves_is_read_as_it_stood() -> None:
    catalog = Catalog(
        [
            *whole_run("blue", 1, 2, reads=["raw_blue"], writes=["scores_blue"]),
            *whole_run("green", 1, 2, reads=["raw_green"], writes=["scores_green"]),
            dataset_event(3, dataset("scores", symlinks=symlinks("scores_blue"))),
            *whole_run("monday", 4, 5, reads=["scores"], writes=["m"]),
            dataset_event(6, dataset("scores", symlinks=symlinks("scores_green"))),
            *whole_run("tuesday", 7, 8, reads=["scores"], writes=["t"]),
        ]
    )
    assert catalog.upstream("m").into("monday") == {("scores_blue@blue", INFERRED)}
    assert catalog.upstream("t").into("tuesday") == {("scores_green@green", INFERRED)}


def test_a_table_dropped_and_created_again_is_another_one_without_the_old_labels() -> None:
    labelled = versioned("b", "1", tags=facet(tags=[{"key": "pii", "value": "true"}]))
    dropped = dataset("b", schema=schema(), lifecycleStateChange=change("DROP"))
    created = versioned("b", "1", lifecycleStateChange=change("CREATE"))
    catalog = Catalog(
        [
            *whole_run("old", 1, 2, reads=["people"], writes=[labelled]),
            run_event("COMPLETE", 10, "ddl", writes=[dropped]),
            *whole_run("between", 11, 12, reads=["b"], writes=["x"]),
            *whole_run("new", 20, 21, reads=["orders"], writes=[created]),
            *whole_run("after", 30, 31, reads=["b"], writes=["y"]),
        ]
    )
    assert catalog.upstream("x").into("between") == {("b", INFERRED)}
    assert catalog.upstream("y", 2).into("b@1") == {("new", EXPLICIT)}
    assert catalog.find(catalog.dataset("b", "1")).state == "CURRENT"
    assert "tags" not in catalog.facets(catalog.dataset("b"))


def test_a_rename_carries_the_data_to_the_new_name_and_ends_the_old_one() -> None:
    renamed = dataset("people_v2", lifecycleStateChange=change("RENAME", "people"))
    catalog = Catalog(
        [
            *whole_run("load", 1, 2, reads=["raw"], writes=["people"]),
            *whole_run("ddl", 10, 11, writes=[renamed]),
            *whole_run("late", 20, 21, reads=["people"], writes=["x"]),
        ]
    )
    assert catalog.upstream("people_v2", 2).pairs == {
        ("raw", "load"), ("load", "people@load"), ("people@load", "ddl"), ("ddl", "people_v2@ddl"),
    }  # fmt: skip
    assert catalog.states("people") == {"people@load": "DROPPED"}
    assert catalog.upstream("x").into("late") == {("people", INFERRED)}


def test_both_lives_of_a_version_name_are_listed() -> None:
    dropped = dataset("b", lifecycleStateChange=change("DROP"))
    catalog = Catalog(
        [
            *whole_run("old", 1, 2, writes=[versioned("b", "1")]),
            run_event("COMPLETE", 10, "ddl", writes=[dropped]),
            *whole_run("new", 20, 21, writes=[versioned("b", "1", lifecycleStateChange=change("CREATE"))]),
        ]
    )
    versions = catalog.reading.versions_of(catalog.find(catalog.dataset("b")).id)
    assert [(node.label, node.state) for node in versions] == [("1", "CURRENT"), ("1", "DROPPED")]


# Columns ---------------------------------------------------------------------------------------------------------


def column_lineage(first: Event, second: Event) -> Told:
    """Upstream of `b` after a START and a COMPLETE that each have a columnLineage facet."""
    return Catalog(
        [
            run_event("START", 1, "etl", reads=["a", "c"], writes=[dataset("b", columnLineage=first)]),
            run_event("COMPLETE", 2, "etl", reads=["a", "c"], writes=[dataset("b", columnLineage=second)]),
        ]
    ).upstream("b")


def test_a_later_column_lineage_replaces_the_earlier_whole() -> None:
    found = column_lineage(columns_from(id=[("a", "id")]), columns_from(id=[("c", "id")]))
    assert found.into("etl") == {("a", INFERRED), ("c", COLUMN)}


def test_an_emptied_column_lineage_leaves_what_the_run_read() -> None:
    found = column_lineage(columns_from(id=[("a", "id")]), facet(fields={}))
    assert found.into("etl") == {("a", INFERRED), ("c", INFERRED)}


def derived_feature(*, listed: bool) -> Catalog:
    """A feature renamed from a sensitive column, and a model trained on it; its schema facet may be missing."""
    features = dataset("f", columnLineage=columns_from(x=[("people", "sex")]))
    features["facets"] |= {"schema": schema("x")} if listed else {}
    return Catalog(
        [
            *whole_run("features", 1, 2, reads=["people"], writes=[features]),
            *whole_run("train", 3, 4, reads=["f"], writes=[model("churn", "1")]),
        ]
    )


@pytest.mark.parametrize("listed", [True, False])
def test_a_sensitive_column_reaches_the_model_through_a_renamed_feature(listed: bool) -> None:
    catalog = derived_feature(listed=listed)
    sex = NodeRef(field=(DatasetRef(DATA, "people"), "sex"))
    assert catalog.downstream(sex, 3, Grain.FIELD).pairs == {("people.sex", "f.x"), ("f.x", "churn@1")}


def test_explicit_lineage_of_a_field_is_followed_at_field_grain() -> None:
    x = NodeRef(field=(DatasetRef(DATA, "f"), "x"))
    assert explicit_field().upstream(x, 1, Grain.FIELD).pairs == {("people.sex", "f.x")}


def explicit_field() -> Catalog:
    source = {"type": "DATASET", "namespace": DATA, "name": "people", "field": "sex"}
    entry = {"type": "DATASET", "namespace": DATA, "name": "f", "fields": {"x": {"inputs": [source]}}}
    lineage = {"lineage": facet(entries=[entry])}
    return Catalog(whole_run("features", 1, 2, job_facets=lineage, reads=["people", "orders"], writes=["f"]))


def test_explicit_lineage_takes_the_place_of_all_that_the_run_read() -> None:
    assert explicit_field().upstream("f").into("features") == {("people", EXPLICIT)}


@pytest.mark.parametrize("told", POISON)
def test_a_facet_of_the_wrong_form_breaks_no_later_answer(told: Event) -> None:
    """Entries stay for ever: one that a reader cannot bear would take its dataset's lineage away for good."""
    odd = {**dataset("b"), "facets": told}
    aliased = dataset_event(0, dataset("b", symlinks=symlinks("z")))
    catalog = Catalog([aliased, *whole_run("etl", 1, 2, reads=["a"], writes=[odd])])
    assert ("etl", "b@etl") in catalog.upstream("b").pairs
    catalog.upstream("b", 3, Grain.FIELD)


def test_a_job_type_of_the_wrong_form_breaks_no_run_of_the_job() -> None:
    declared = job_event(3, "etl")
    declared["job"]["facets"] = {"jobType": {"processingType": {"a": 1}}}
    catalog = Catalog([*whole_run("etl", 1, 2, reads=["a"], writes=["b"]), declared])
    assert catalog.upstream("b").into("etl") == {("a", INFERRED)}
