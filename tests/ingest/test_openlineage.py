"""What `interpret` understands of each facet that lineage uses, and that it takes whatever the door lets in."""

import copy
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import InvalidEventError
from catalog.graph.memory import MemoryGraph
from catalog.graph.record import Change, DatasetUse, EventRecord, Processing, Shape, Source
from catalog.identity import dataset_id, job_id
from ingest.limits import Limits
from ingest.openlineage import GRACE, Interpretation, ModelRules, interpret
from ingest.shape import check_event
from tests.conformance.corpus import corpora
from tests.ingest.events import (
    DATA,
    JOBS,
    Event,
    at,
    change,
    columns_from,
    dataset,
    dataset_event,
    entries_of,
    facet,
    job_event,
    job_type,
    model,
    parent,
    project,
    read_event,
    run_event,
    schema,
    symlinks,
    uuid,
    versioned,
)


def ds(name: str) -> str:
    return dataset_id(DATA, name)


def record(**details: Any) -> EventRecord:
    return read_event(run_event("COMPLETE", 1, "etl", **details)).record


def output(**facets: Any) -> DatasetUse:
    """How an event's one output is understood."""
    (use,) = record(writes=[dataset("b", **facets)]).outputs
    return use


def bundle_of(read: Interpretation, digest: str | None) -> dict[str, Any]:
    assert digest is not None
    return {name: orjson.loads(read.bodies[body]) for name, body in read.bundles[digest].items()}


# The event -------------------------------------------------------------------------------------------------------


def test_a_run_event_is_told_by_its_run_and_job() -> None:
    read = read_event(run_event("FAIL", 7.5, "etl"), seq=3, actor="spark").record
    assert (read.shape, read.type, read.run, read.job) == (Shape.RUN, "FAIL", uuid("etl"), job_id(JOBS, "etl"))
    assert (read.seq, read.at, read.actor, read.terminal) == (3, at(7.5), "spark", True)


def test_a_job_event_and_a_dataset_event_are_told_by_what_they_lack() -> None:
    assert read_event(job_event(1, "etl", reads=["a"])).record.shape is Shape.JOB
    of_dataset = read_event(dataset_event(1, versioned("a", "3"))).record
    assert (of_dataset.shape, of_dataset.job, of_dataset.run) == (Shape.DATASET, None, None)
    assert of_dataset.subject is not None
    assert (of_dataset.subject.dataset, of_dataset.subject.version) == (ds("a"), "3")


def test_an_event_without_a_type_is_an_event_all_the_same() -> None:
    event = run_event("COMPLETE", 1)
    del event["eventType"]
    assert read_event(event).record.type is None


def test_the_run_id_does_not_depend_on_its_case() -> None:
    event = run_event("START", 1, "etl")
    event["run"]["runId"] = event["run"]["runId"].upper()
    assert read_event(event).record.run == uuid("etl")


def test_an_event_is_at_most_five_minutes_ahead_of_its_reception() -> None:
    ahead = run_event("START", "2099-01-01T00:00:00Z")
    assert read_event(ahead, recorded=at(0)).record.at == at(0) + GRACE
    late = run_event("START", 0)
    assert read_event(late, recorded=at(9_999)).record.at == at(0)


# Run and job facets ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["parent", "parentRun"])
def test_parent_under_its_name_of_today_and_of_old(key: str) -> None:
    found = record(**{key: parent("dag_run", "dag")})
    assert found.parent is not None
    assert (found.parent.run, found.parent.namespace, found.parent.name) == (uuid("dag_run"), JOBS, "dag")


@pytest.mark.parametrize(
    "body", [{}, {"run": {}}, {"run": {"runId": 5}, "job": {"namespace": "a", "name": "b"}}, {"run": {"runId": "x"}}]
)
def test_a_parent_that_names_no_run_or_no_job_is_none(body: Event) -> None:
    assert record(parent=body).parent is None


def test_job_type_tells_processing_kind_and_pattern() -> None:
    pattern = {"eventTrigger": "PERIODIC", "eventContentMode": "COMPLETE_SNAPSHOT", "windowDuration": 60}
    found = record(job_facets=job_type("FLINK", "JOB", "STREAMING", **pattern))
    assert (found.processing, found.job_type, found.snapshot, found.window) == (Processing.STREAMING, "JOB", True, 60.0)


def test_no_job_type_is_unknown_and_one_without_a_known_word_is_batch() -> None:
    assert record().processing is None
    assert record(job_facets=job_type("X", processing="WEEKLY")).processing is Processing.BATCH
    assert record(job_facets={"jobType": facet(_deleted=True)}).processing is None


def test_an_extraction_error_marks_the_lineage_as_incomplete() -> None:
    assert record(extractionError=facet(totalTasks=3, failedTasks=1)).extraction_failed
    assert not record(extractionError=None).extraction_failed


def test_serving_names_environment_endpoint_and_models() -> None:
    named = {"namespace": DATA, "name": "churn", "version": "2", "role": "canary", "share": 0.1}
    found = record(lineward_serving=facet(environment="production", endpoint="/v1", models=[named, "junk"])).serving
    assert found is not None
    assert (found.environment, found.endpoint, found.role) == ("production", "/v1", "primary")
    (served,) = found.models
    assert (served.dataset, served.version, served.role, served.share) == (ds("churn"), "2", "canary", 0.1)


# Dataset facets --------------------------------------------------------------------------------------------------


def test_the_version_facet_is_identity_and_no_label() -> None:
    read = read_event(run_event("COMPLETE", 1, writes=[versioned("b", "7", tags=facet(tags=[]))]))
    (use,) = read.record.outputs
    assert use.version == "7"
    assert bundle_of(read, use.bundle).keys() == {"tags"}


def test_a_version_that_is_no_text_names_none_and_stays_visible() -> None:
    read = read_event(run_event("COMPLETE", 1, writes=[dataset("b", version=facet(datasetVersion=7))]))
    (use,) = read.record.outputs
    assert use.version is None
    assert bundle_of(read, use.bundle)["version"]["datasetVersion"] == 7


@pytest.mark.parametrize("word", list(Change))
def test_every_lifecycle_change_is_understood(word: Change) -> None:
    assert output(lifecycleStateChange=change(word)).change is word


def test_a_rename_names_what_it_was_called() -> None:
    assert output(lifecycleStateChange=change("RENAME", "old")).renamed_from == ds("old")
    assert output(lifecycleStateChange=change("RENAME", "old") | {"_deleted": True}).renamed_from is None


@pytest.mark.parametrize(
    ("subject", "declared"),
    [
        (model("m"), True),
        (dataset("m", datasetType=facet(datasetType="model")), True),
        (dataset("m", lineward_model=facet(framework="sklearn")), True),
        (dataset("m", datasetType=facet(datasetType="TABLE")), False),
        (dataset("m", datasetType=facet(datasetType="MODEL", _deleted=True)), False),
        (dataset("m", lineward_model=facet(_deleted=True)), False),
        (dataset("m", lineward_model=None), False),
    ],
)
def test_what_declares_a_model(subject: Event, declared: bool) -> None:
    found = read_event(dataset_event(1, subject)).record.subject
    assert found is not None
    assert found.model is declared


def test_rules_make_models_of_namespaces_and_of_path_prefixes() -> None:
    rules = ModelRules(frozenset({"mlflow"}), (("file", "/models/"),))
    told = {("mlflow", "x"): True, ("file", "/models/churn/data"): True, ("file", "/data"): False, ("s3", "x"): False}
    for (namespace, name), expected in told.items():
        event = run_event("COMPLETE", 1, writes=[dataset(name, namespace)])
        found = interpret(orjson.dumps(event), seq=0, recorded=at(2), actor="a", rules=rules).record
        assert found.outputs[0].model is expected


def test_symlinks_list_aliases_end_them_or_say_nothing() -> None:
    assert output(symlinks=symlinks("x", "y")).aliases == (ds("x"), ds("y"))
    assert output(symlinks=facet(identifiers=[])).aliases == ()
    assert output(symlinks=facet(identifiers=[{"namespace": "n", "name": "x"}], _deleted=True)).aliases == ()
    assert output(symlinks=None).aliases is None
    assert output(symlinks=facet(identifiers="x")).aliases is None


def test_schema_names_columns_and_nested_ones_by_path() -> None:
    geo = {"name": "geo", "fields": [{"name": "lat"}]}
    nested = {"name": "address", "type": "struct", "fields": [{"name": "zip"}, geo]}
    read = read_event(dataset_event(1, dataset("b", schema=facet(fields=[nested, {"name": "id"}, {}, "junk"]))))
    assert read.fields[ds("b")] == {"address", "address.zip", "address.geo", "address.geo.lat", "id"}


def test_column_lineage_names_sources_and_columns_on_both_sides() -> None:
    told = columns_from(x=[("people", "sex")])
    told["dataset"] = [{"namespace": DATA, "name": "filter", "field": "country"}]
    read = read_event(run_event("COMPLETE", 1, writes=[dataset("f", schema=schema("x"), columnLineage=told)]))
    assert set(read.record.outputs[0].columns) == {ds("people"), ds("filter")}
    named = {name: set(read.fields[ds(name)]) for name in ("f", "people", "filter")}
    assert named == {"f": {"x"}, "people": {"sex"}, "filter": {"country"}}


def test_input_and_output_facets_belong_to_the_use() -> None:
    statistics = {"outputStatistics": facet(rowCount=5)}
    read = read_event(run_event("COMPLETE", 1, writes=[dataset("b", use=statistics, tags=facet(tags=[]))]))
    (use,) = read.record.outputs
    assert bundle_of(read, use.use_bundle)["outputStatistics"]["rowCount"] == 5
    assert bundle_of(read, use.bundle).keys() == {"tags"}


def test_serving_on_an_input_overrides_role_and_share() -> None:
    (use,) = record(reads=[dataset("m", use={"lineward_serving": facet(role="shadow", share=0.5)})]).inputs
    assert (use.role, use.share) == ("shadow", 0.5)


UNKNOWN = facet(anything=[1, {"deep": None}], ünïcode="🙂")


def test_unknown_facets_are_kept_whole_wherever_they_are() -> None:
    event = run_event("COMPLETE", 1, reads=[dataset("a", x_new=UNKNOWN)], job_facets={"x_new": UNKNOWN})
    event["run"]["facets"]["spark.logicalPlan"] = UNKNOWN
    read = read_event(event)
    assert bundle_of(read, read.record.inputs[0].bundle) == {"x_new": UNKNOWN}
    assert bundle_of(read, read.record.job_bundle) == {"x_new": UNKNOWN}
    assert bundle_of(read, read.record.run_bundle) == {"spark.logicalPlan": UNKNOWN}


def test_a_null_facet_is_an_absent_one() -> None:
    nothing = record(job_facets={"jobType": None, "sql": None}, writes=[dataset("b", schema=None)], parent=None)
    assert (nothing.job_bundle, nothing.run_bundle, nothing.outputs[0].bundle) == (None, None, None)


# Explicit lineage ------------------------------------------------------------------------------------------------


def source(name: str, field: str | None = None) -> Event:
    return {"type": "DATASET", "namespace": DATA, "name": name} | ({"field": field} if field else {})


def target(name: str, **stated: Any) -> Event:
    return {"type": "DATASET", "namespace": DATA, "name": name, **stated}


def explicit(*entries: Any) -> EventRecord:
    return record(reads=["a"], writes=["b"], job_facets={"lineage": facet(entries=list(entries))})


def test_a_job_facets_entry_states_the_inputs_of_its_target() -> None:
    fields = {"x": {"inputs": [source("c", "y")]}}
    (use,) = explicit(target("b", inputs=[source("a")], fields=fields)).outputs
    assert use.sources == (Source(ds("a")), Source(ds("c"), "y"))


def test_no_inputs_say_that_there_is_no_upstream() -> None:
    assert explicit(target("b", inputs=[])).outputs[0].sources == ()
    assert output(lineage=facet(inputs=[])).sources == ()


@pytest.mark.parametrize("stated", [{}, {"inputs": None}, {"inputs": "a"}, {"inputs": [5, {}]}, {"fields": {"x": 5}}])
def test_what_cannot_be_read_never_says_that_there_is_no_upstream(stated: Event) -> None:
    assert explicit(target("b", **stated)).outputs[0].sources is None
    assert output(lineage=facet(**stated)).sources is None


def test_a_target_that_no_output_lists_is_an_output() -> None:
    found = {use.dataset: use.sources for use in explicit(target("c", inputs=[source("a")])).outputs}
    assert found == {ds("b"): None, ds("c"): (Source(ds("a")),)}


def test_an_entry_without_a_name_is_about_the_events_own_job() -> None:
    found = explicit({"type": "JOB", "inputs": [source("transactions")]})
    assert found.sources == (Source(ds("transactions")),)
    assert {use.dataset for use in found.inputs} == {ds("a"), ds("transactions")}
    assert {use.dataset for use in found.outputs} == {ds("b")}


def test_a_job_as_a_source_is_no_dataset() -> None:
    named = {"type": "JOB", "namespace": JOBS, "name": "upstream", "runId": uuid("up")}
    (use,) = explicit(target("b", inputs=[named, {"type": "JOB"}])).outputs
    assert use.sources == (Source(job=job_id(JOBS, "upstream"), run=uuid("up")), Source(job=job_id(JOBS, "etl")))


# Whatever comes --------------------------------------------------------------------------------------------------

ALL_EVENTS = [event for events in corpora().values() for event in events]
SHAPES: list[Any] = [
    *(None, True, 5, -1, 1.5, 2**63 - 1, "", "x", "\U0001f642", "DROP", "JOB", "SERVICE"),
    *([], {}, [5], ["x"], [[]], [{}], [None], {"a": 1}, {"": {}}),
    *([{"namespace": "n", "name": "m", "field": []}], {"inputs": [{"type": "JOB"}]}, {"_deleted": True}),
]
JSON = st.recursive(
    st.sampled_from(SHAPES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) inside a JSON value."""
    found, stack = [], [value]
    while stack:
        held = stack.pop()
        keys = list(held) if isinstance(held, dict) else range(len(held)) if isinstance(held, list) else ()
        found += [(held, key) for key in keys]
        stack += [held[key] for key in keys]
    return found


@st.composite
def mutated_events(draw: st.DrawFn) -> Event:
    """An event that some producer sends, with other JSON in some places, that the door would let in."""
    event: Event = copy.deepcopy(ALL_EVENTS[draw(st.integers(0, len(ALL_EVENTS) - 1))])
    for _ in range(draw(st.integers(1, 4))):
        found = places(event)
        held, key = found[draw(st.integers(0, len(found) - 1))]
        held[key] = copy.deepcopy(draw(JSON))  # drawn values are shared between examples
    return event


def accepted(event: Event) -> bool:
    try:
        check_event(event, Limits())
    except InvalidEventError:
        return False
    return True


@given(mutated_events().filter(accepted))
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_door_accepts_is_understood_and_projected(event: Event) -> None:
    store = MemoryGraph()
    project(store, entries_of([event]))
    with store.read() as reader:
        assert list(reader.events([0]))


def meaning(read: Interpretation) -> tuple[object, ...]:
    """All that it says, whichever parts it was put together from."""
    return read.record, read.datasets, read.jobs, read.fields, read.bundles, read.bodies, read.unplaced


@given(mutated_events().filter(accepted))
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_interpreting_is_pure_and_loses_no_facet(event: Event) -> None:
    read = read_event(event)
    assert meaning(read) == meaning(read_event(copy.deepcopy(event)))
    job = event.get("job") or {}
    facets = {name: body for name, body in (job.get("facets") or {}).items() if body is not None}
    assert (bundle_of(read, read.record.job_bundle) if facets else {}) == facets
