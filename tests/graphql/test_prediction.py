"""What stands behind a prediction, and what is honestly unknown."""

from typing import Any

import pytest

from catalog.errors import InvalidInputError, NotFoundError
from catalog.graph.contract import GraphStore
from catalog.model import DatasetRef, Leg, NodeRef
from catalog.prediction import Trace, moment_of, trace
from catalog.rfc3339 import parse
from tests.graphql.world import DATA, JOBS, REGISTRY, SERVICE, World, asking, at, dataset, event, model, serving, story

SERVE = NodeRef(job=DatasetRef(JOBS, "serve"))


def traced(world: World, clock: str, request_id: str | None = None) -> Trace:
    with world.access.reading() as reading:
        return trace(reading, SERVE, request_id, parse(at(clock)))


def leg(found: Trace, name: str) -> Leg:
    return next(each for each in found.legs if each.name == name)


def version(found: Trace) -> str | None:
    node = leg(found, "modelVersion").node
    return node.label if node else None


def test_a_uuid7_names_the_moment(world: World) -> None:
    moment = parse(at("10:30:00")) // 1000
    request_id = f"{moment:012x}"
    request_id = f"{request_id[:8]}-{request_id[8:]}-7abc-8def-0123456789ab"

    with world.access.reading() as reading:
        found = trace(reading, SERVE, request_id)

    assert found.at == "2026-03-01T10:30:00.000000Z"
    assert version(found) == "2"


@pytest.mark.parametrize("request_id", [None, "", "order-17", "6fa459ea-ee8a-4ca4-894e-db77e160355e"])
def test_a_foreign_id_needs_the_time(request_id: str | None) -> None:
    with pytest.raises(InvalidInputError, match=r"no time|nor a time"):
        moment_of(request_id, None)

    assert moment_of(request_id, 5) == 5


def test_a_rollback_is_followed_by_the_instant(world: World) -> None:
    clocks = ("09:00:00", "09:59:59.999999", "10:00:00", "10:59:59", "11:00:00", "23:00:00")

    assert [version(traced(world, clock)) for clock in clocks] == ["1", "1", "2", "2", "1", "1"]


def test_before_the_service_ran_everything_but_it_is_unknown(world: World) -> None:
    found = traced(world, "06:00:00")

    assert found.interval is None
    assert leg(found, "deployment").node is not None
    assert all(each.node is None and each.reason for each in found.legs if each.name != "deployment")


def test_every_trace_has_every_leg_known_or_with_its_reason(world: World) -> None:
    whole = {each.name for each in traced(world, "09:30:00").legs}

    for clock in ("06:00:00", "09:30:00", "10:30:00", "11:30:00"):
        found = traced(world, clock)
        assert {each.name for each in found.legs} == whole
        assert all(each.node or each.reason for each in found.legs)


def test_a_version_that_nobody_measured_has_unknown_metrics(world: World) -> None:
    assert leg(traced(world, "10:30:00"), "metrics").node is None
    assert leg(traced(world, "10:30:00"), "trainingRun").node is not None


def test_a_window_is_found_by_the_instant_that_it_covers(world: World) -> None:
    assert leg(traced(world, "09:59:59.999999"), "window").detail["entry"] == "6"
    assert leg(traced(world, "11:00:00"), "window").detail["entry"] == "10"
    assert leg(traced(world, "10:30:00"), "window").node is None


def test_a_window_ends_before_its_end(world: World) -> None:
    world.tell(serving("12:30:00", "1", window=("12:05:00", "12:15:00")))

    assert leg(traced(world, "12:14:59.999999"), "window").node is not None
    assert leg(traced(world, "12:15:00"), "window").node is None


def test_a_canary_makes_the_version_ambiguous_and_a_shadow_does_not(store: GraphStore) -> None:
    def pair(clock: str, role: str) -> dict[str, Any]:
        other = model("2") | {"inputFacets": {"lineward_serving": {"role": role, "share": 0.1}}}
        return serving(clock, "1") | {"inputs": [model("1"), other]}

    world = World(store).tell(*story()[:8], pair("12:00:00", "canary"), pair("13:00:00", "shadow"))

    canary, shadow = traced(world, "12:30:00"), traced(world, "13:30:00")

    assert (version(canary), version(shadow)) == ("1", "1")
    assert "2 versions" in (leg(canary, "modelVersion").reason or "")
    assert leg(shadow, "modelVersion").reason is None
    assert [other.role for other in shadow.others] == ["shadow"]


def test_what_only_shadows_serve_answers_nobody(store: GraphStore) -> None:
    quiet = serving("12:00:00", "1") | {
        "inputs": [model("1") | {"inputFacets": {"lineward_serving": {"role": "shadow"}}}]
    }
    found = traced(World(store).tell(*story()[:5], quiet), "12:30:00")

    assert found.interval is None
    assert len(found.others) == 1


def test_two_runs_that_answer_make_the_run_ambiguous(world: World) -> None:
    world.tell(serving("12:00:00", "1") | {"run": {"runId": "replica", "facets": {"lineward_serving": {}}}})
    found = traced(world, "12:30:00")

    assert "2 runs" in (leg(found, "deploymentRun").reason or "")
    assert leg(found, "modelVersion").reason is None


def test_silence_is_doubt_and_not_an_end(world: World) -> None:
    world.tell(event("later", "COMPLETE", "20:00:00"))
    found = traced(world, "19:00:00")

    assert version(found) == "1"
    assert "last heard of" in (leg(found, "modelVersion").reason or "")


def test_a_run_that_is_heard_of_goes_before_a_silent_one(world: World) -> None:
    world.tell(
        serving("11:30:00", "2") | {"run": {"runId": "replica", "facets": {"lineward_serving": {}}}},
        serving("20:00:00", "1"),
    )

    assert version(traced(world, "19:00:00")) == "1"


def test_a_model_that_nobody_reported_training_is_unknown_from_there(world: World) -> None:
    world.tell(serving("12:00:00", "imported"))
    found = traced(world, "12:30:00")

    assert version(found) == "imported"
    for name in ("trainingRun", "code", "parameters", "trainingData"):
        assert leg(found, name).node is None
        assert leg(found, name).reason


def test_an_input_without_a_role_says_so(world: World) -> None:
    bare = event("bare", "COMPLETE", "12:00:00", inputs=[dataset("train", "t1"), model("1")], outputs=[model("tuned")])
    world.tell(bare, serving("13:00:00", "tuned"))
    data = [each for each in traced(world, "13:30:00").legs if each.name == "trainingData"]

    reasons = {each.node.name: each.reason for each in data if each.node}
    assert "no lineward_input facet" in (reasons["train"] or "")
    assert reasons["credit"] is None


def test_data_from_outside_is_a_leg_with_its_reason(world: World) -> None:
    world.tell(
        event("outside", "COMPLETE", "12:00:00", inputs=[dataset("bought")], outputs=[model("3")]),
        serving("13:00:00", "3"),
    )
    (data,) = [each for each in traced(world, "13:30:00").legs if each.name == "trainingData"]

    assert data.node is not None
    assert data.node.name == "bought"
    assert "no version of it" in (data.reason or "")


def test_only_a_known_deployment_can_be_asked(world: World) -> None:
    with world.access.reading() as reading:
        with pytest.raises(NotFoundError):
            trace(reading, NodeRef(job=DatasetRef(JOBS, "nobody")), None, 0)
        with pytest.raises(InvalidInputError, match="not a deployment"):
            trace(reading, NodeRef(job=DatasetRef(JOBS, "train")), None, 0)
        with pytest.raises(InvalidInputError, match="not a deployment"):
            trace(reading, NodeRef(dataset=DatasetRef(DATA, "train")), None, 0)


def test_facets_without_their_form_tell_nothing(store: GraphStore) -> None:
    broken: dict[str, Any] = {
        "executionParameters": {"parameters": [1, {"key": 2}, {"value": "x"}]},
        "lineward_evaluation": {"metrics": [{"name": "a"}, {"name": "b", "value": True}, 7], "kind": 3},
        "lineward_predictions": {"from": "yesterday", "to": 5},
        "lineward_serving": {},
    }
    trained = event(
        "odd",
        "COMPLETE",
        "08:00:00",
        inputs=[dataset("train", "t1", schema={"fields": "none"}) | {"inputFacets": {"lineward_input": {"role": 1}}}],
        outputs=[model("1")],
        run_facets=broken,
        job_facets={"sourceCodeLocation": {"type": 1}},
    )
    served = event("serve", "RUNNING", "09:00:00", inputs=[model("1")], run_facets=broken, job_facets=SERVICE)
    found = traced(World(store).tell(trained, served), "09:00:00")

    assert version(found) == "1"
    for name in ("window", "parameters", "features"):
        assert leg(found, name).node is None


def test_the_answer_in_graphql_says_how_sure_each_leg_is(world: World) -> None:
    answer = asking(world.client())(
        """query ($at: DateTime) { prediction(deployment: {job: {namespace: "airflow", name: "serve"}}, at: $at) {
          at requestId others { role } legs { name state reason node { name namespace } }
          deployment { state } deploymentRun { node { ... on Run { runId } } }
        } }""",
        at=at("09:30:00"),
    )["prediction"]

    states = {each["name"]: each["state"] for each in answer["legs"]}
    assert states["modelVersion"] == "KNOWN"
    assert states["approver"] == "UNKNOWN"
    assert next(e["node"] for e in answer["legs"] if e["name"] == "modelVersion")["namespace"] == REGISTRY
