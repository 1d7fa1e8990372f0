"""One test for each decided case and each sentence on what the graph means, as a sequence and its answer.

Expected answers are written by hand from the documents; `answers` is each reading of them in turn.
"""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.graph.record import Change, DatasetUse, EventRecord, Serving, Source
from catalog.identity import NodeKind, structure
from catalog.model import Basis, Direction, GapKind
from tests.reference.answers import Answer, Answers, Reading, Resolution, Served, VersionState
from tests.reference.events import (
    DAY,
    NAMES,
    RUNS,
    Scenario,
    dataset,
    drop,
    event_records,
    job,
    micros,
    parent,
    run,
    served,
    use,
    version,
)

UP, DOWN, BOTH = Direction.UPSTREAM, Direction.DOWNSTREAM, Direction.BOTH
APP = {"job_type": "APPLICATION"}
any_order = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def upstream(graph: Answers, root: str, depth: int = 1, *, history: bool = False) -> Answer:
    return graph.run_lineage(root, UP, depth, history)


def downstream(graph: Answers, root: str, depth: int = 1, *, history: bool = False) -> Answer:
    return graph.run_lineage(root, DOWN, depth, history)


def into(answer: Answer, node: str) -> set[tuple[str, Basis]]:
    return {(source, basis) for source, target, basis in answer.edges if target == node}


def out_of(answer: Answer, node: str) -> set[tuple[str, Basis]]:
    return {(target, basis) for source, target, basis in answer.edges if source == node}


def origins(graph: Answers, output: str) -> set[tuple[str, Basis]]:
    """What flows into a version through the runs that made it."""
    answer = upstream(graph, output)
    return {edge for maker, _ in into(answer, output) for edge in into(answer, maker)}


def read_by(graph: Answers, reader: str) -> set[str]:
    return {source for source, _ in into(upstream(graph, reader), reader)}


def state_of(graph: Answers, name: str) -> dict[str, str]:
    return {one.id: one.state for one in graph.versions(dataset(name))}


def the(graph: Answers, name: str, node: str) -> VersionState:
    (found,) = [one for one in graph.versions(dataset(name)) if one.id == node]
    return found


def resolved(graph: Answers, name: str, start: float, end: float, by: str | None = None) -> Resolution:
    return graph.resolve(dataset(name), micros(start), micros(end), by)


def intervals(graph: Answers, name: str = "m") -> list[tuple[str, str, float, float | None, str]]:
    """(version id, role, since, until, state) of a model, in seconds."""
    return [
        (one.version, one.role, one.since / 1e6, None if one.until is None else one.until / 1e6, one.state)
        for one in graph.deployments()
        if one.model == dataset(name)
    ]


# == Identity and duplicates


def test_a_copy_by_another_principal_says_nothing_new_about_flow(answers: Reading) -> None:
    s = Scenario().run("etl", 1, 2, reads=["a"], writes=["b"])
    copies = [msgspec.structs.replace(record, seq=record.seq + 10, actor="other") for record in s.records]
    node = version("b", by="etl")
    assert upstream(answers([*s.records, *copies]), node) == upstream(answers(s.records), node)


@any_order
@given(records=event_records(), at=st.integers(0, 12))
def test_valid_equals_projecting_the_entries_up_to_it(answers: Reading, records: list[EventRecord], at: int) -> None:
    limit = micros(at)
    cut = answers(records, valid=limit)
    alone = answers([record for record in records if record.at <= limit], valid=limit)
    assert _everything(cut) == _everything(alone)


@any_order
@given(records=event_records(), data=st.data())
def test_known_equals_projecting_the_first_entries(
    answers: Reading, records: list[EventRecord], data: st.DataObject
) -> None:
    known = data.draw(st.integers(0, len(records)))
    assert _everything(answers(records, known=known)) == _everything(answers(records[:known]))


@any_order
@given(records=event_records(), data=st.data())
def test_nothing_relies_on_arrival_order_or_repetition(
    answers: Reading, records: list[EventRecord], data: st.DataObject
) -> None:
    again = data.draw(st.permutations([*records, *data.draw(st.lists(st.sampled_from(records), max_size=3))]))
    renumbered = [msgspec.structs.replace(record, seq=seq) for seq, record in enumerate(again)]
    assert _everything(answers(renumbered)) == _everything(answers(records))


def _everything(graph: Answers) -> list[object]:
    jobs = sorted({name for names, _ in RUNS.values() for name in names})
    runs = [run(uuid, name) for uuid, (names, _) in RUNS.items() for name in names]
    walks: list[object] = [graph.run_lineage(root, BOTH, 4) for root in [*map(dataset, NAMES), *map(job, jobs), *runs]]
    walks += [graph.job_lineage(root, BOTH, 4) for root in [*map(dataset, NAMES), *map(job, jobs)]]
    chains: list[object] = [graph.versions(dataset(name)) for name in NAMES]
    return [*walks, *chains, graph.deployments(), graph.run_states()]


def test_silence_does_not_drift_under_a_fixed_known(answers: Reading) -> None:
    s = Scenario().service("srv", 0, reads=[use("m@1", model=True)]).now(100).now(10_000)
    assert intervals(answers(s.records, known=2)) == [(version("m@1"), "primary", 0, None, "SERVING")]
    assert intervals(answers(s.records)) == [(version("m@1"), "primary", 0, None, "UNKNOWN")]


@pytest.mark.parametrize(("now", "state"), [(900, "SERVING"), (901, "UNKNOWN")])
def test_without_a_window_a_heartbeat_is_300_seconds(answers: Reading, now: float, state: str) -> None:
    s = Scenario().service("srv", 0, reads=[use("m@1", model=True)]).now(now)
    assert intervals(answers(s.records)) == [(version("m@1"), "primary", 0, None, state)]


def test_now_is_the_newest_received_time_and_not_the_newest_event_time(answers: Reading) -> None:
    s = Scenario().event("etl", "START", at=0).dataset(1, "late", recorded=2 * DAY)
    assert (GapKind.NEVER_ENDED, run("etl")) in upstream(answers(s.records), run("etl")).gaps


def test_dot_extended_jobs_under_one_run_id_are_one_run(answers: Reading) -> None:
    s = Scenario().event("u", "START", at=1, job="s", reads=["a"]).event("u", at=2, job="s.table", writes=["b"])
    graph = answers(s.records)
    assert graph.run_states() == {run("u", "s"): "COMPLETED"}
    assert origins(graph, version("b", by="u")) == {(dataset("a"), Basis.INFERRED)}


def test_unrelated_jobs_under_one_run_id_collide_and_never_mix(answers: Reading) -> None:
    s = Scenario().run("u", 1, 2, job="x", reads=["a"], writes=["b"])
    s.run("u", 1, 2, job="y", reads=["c"], writes=["d"])
    graph = answers(s.records)
    answer = upstream(graph, version("b", by="u"))
    assert graph.run_states() == {run("u", "x"): "COMPLETED", run("u", "y"): "COMPLETED"}
    assert answer.nodes == {version("b", by="u"), run("u", "x"), dataset("a")}
    assert (GapKind.RUN_ID_COLLISION, run("u", "x")) in answer.gaps


def test_a_name_that_only_begins_alike_is_another_job(answers: Reading) -> None:
    s = Scenario().run("u", 1, 2, job="load").run("u", 1, 2, job="loader")
    assert set(answers(s.records).run_states()) == {run("u", "load"), run("u", "loader")}


def test_a_parent_reference_binds_to_what_reported_and_makes_no_collision(answers: Reading) -> None:
    s = Scenario().run("p", 1, 9, job="dag").run("c", 2, 3, reads=["a"], parent=parent("p", "another name"))
    graph = answers(s.records)
    assert graph.run_states() == {run("p", "dag"): "COMPLETED", run("c"): "COMPLETED"}
    assert upstream(graph, run("c")).gaps == {(GapKind.EXTERNAL, dataset("a"))}


def test_among_colliding_parents_the_named_or_related_one_is_meant(answers: Reading) -> None:
    s = Scenario().run("p", 1, 9, job="x", **APP).run("p", 1, 9, job="y", **APP)
    s.run("c", 2, 3, reads=["a"], parent=parent("p", "y.part"))
    graph = answers(s.records)
    assert upstream(graph, run("p", "y")).nodes == {run("p", "y"), run("c"), dataset("a")}
    assert upstream(graph, run("p", "x")).nodes == {run("p", "x")}


# == Runs


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        (["COMPLETE"], "COMPLETED"),
        (["FAIL"], "FAILED"),
        (["ABORT"], "ABORTED"),
        (["FAIL", "COMPLETE"], "CONFLICTED"),
        (["COMPLETE", "ABORT"], "CONFLICTED"),
        (["FAIL", "ABORT"], "CONFLICTED"),
        (["COMPLETE", "COMPLETE"], "COMPLETED"),
        ([], "RUNNING"),
    ],
)
def test_a_run_is_in_the_state_that_its_terminal_events_say(answers: Reading, ends: list[str], state: str) -> None:
    s = Scenario().event("u", "START", at=1)
    for at, kind in enumerate(ends, start=2):
        s.event("u", kind, at=at)
    assert answers(s.records).run_states() == {run("u"): state}


def test_contradictory_terminal_states_are_a_gap(answers: Reading) -> None:
    s = Scenario().run("u", 1, 2, ends="FAIL").event("u", at=3, writes=["b"])
    assert (GapKind.CONFLICTED, run("u")) in upstream(answers(s.records), version("b", by="u")).gaps


def test_start_only_children_of_an_ended_application_ended_with_it(answers: Reading) -> None:
    s = Scenario().run("app", 1, 9, **APP).event("c", "START", at=2, parent=parent("app"))
    graph = answers(s.records)
    assert graph.run_states()[run("c")] == "ENDED_WITH_PARENT"
    assert (GapKind.NEVER_ENDED, run("c")) in upstream(graph, run("c")).gaps


def test_an_application_that_goes_on_ends_nobody(answers: Reading) -> None:
    s = Scenario().event("app", "START", at=1, **APP).event("c", "START", at=2, parent=parent("app"))
    assert set(answers(s.records).run_states().values()) == {"RUNNING"}


def test_a_parent_that_never_reports_is_a_stub(answers: Reading) -> None:
    s = Scenario().run("c", 1, 2, parent=parent("ghost", "dag"))
    graph = answers(s.records)
    assert graph.run_states() == {run("ghost", "dag"): "UNREPORTED", run("c"): "COMPLETED"}
    assert upstream(graph, run("c")).gaps == {(GapKind.UNREPORTED_PARENT, run("c"))}


def test_a_service_and_a_stream_have_no_expected_end(answers: Reading) -> None:
    s = Scenario().service("srv", 1).stream("flow", 1).event("etl", "START", at=1).now(3 * DAY)
    graph = answers(s.records)
    gaps = {gap for name in ("srv", "flow", "etl") for gap in upstream(graph, run(name)).gaps}
    assert gaps == {(GapKind.NEVER_ENDED, run("etl"))}


def test_a_run_without_start_is_a_run(answers: Reading) -> None:
    s = Scenario().event("etl", at=5, reads=["a"], writes=["b"])
    assert origins(answers(s.records), version("b", by="etl")) == {(dataset("a"), Basis.INFERRED)}


def test_the_job_type_is_the_last_one_stated_and_else_the_jobs(answers: Reading) -> None:
    s = Scenario().service("one", 1, job="serve", reads=["m@1"]).event("two", "RUNNING", at=2, job="serve")
    s.event("two", "RUNNING", at=3, job="serve", writes=["log"])
    assert [one.id for one in answers(s.records).versions(dataset("log"))] == [version("log", by="two", at=3)]


def test_an_extraction_error_is_a_gap(answers: Reading) -> None:
    s = Scenario().run("u", 1, 2, extraction_failed=True)
    assert upstream(answers(s.records), run("u")).gaps == {(GapKind.EXTRACTION_ERROR, run("u"))}


# == Derivations


def test_inputs_and_outputs_are_the_union_over_the_events(answers: Reading) -> None:
    s = Scenario().event("etl", "START", at=1, reads=["a", "c"]).event("etl", at=2, reads=["d"], writes=["b"])
    assert origins(answers(s.records), version("b", by="etl")) == {
        (dataset("a"), Basis.INFERRED),
        (dataset("c"), Basis.INFERRED),
        (dataset("d"), Basis.INFERRED),
    }


def test_a_versioned_input_hides_the_runs_unversioned_one(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).event("etl", "START", at=3, reads=["a"])
    s.event("etl", at=4, reads=["a@7"], writes=["b"])
    assert origins(answers(s.records), version("b", by="etl")) == {(version("a@7"), Basis.INFERRED)}


def test_a_versioned_output_hides_the_runs_unversioned_one(answers: Reading) -> None:
    s = Scenario().event("etl", "START", at=1, writes=["b"]).event("etl", at=2, writes=["b@7"])
    assert state_of(answers(s.records), "b") == {version("b@7"): "CURRENT"}


def test_an_output_with_an_explicit_entry_has_only_its_own_inputs(answers: Reading) -> None:
    s = Scenario().run("etl", 1, 2, reads=["a", "c"], writes=[use("b", sources=["a"]), "d"])
    graph = answers(s.records)
    assert origins(graph, version("b", by="etl")) == {(dataset("a"), Basis.EXPLICIT)}
    assert origins(graph, version("d", by="etl")) == {
        (dataset("a"), Basis.INFERRED),
        (dataset("c"), Basis.INFERRED),
    }


def test_an_explicit_entry_without_inputs_means_no_upstream(answers: Reading) -> None:
    s = Scenario().run("etl", 1, 2, reads=["a"], writes=[use("b", sources=[])])
    assert upstream(answers(s.records), version("b", by="etl")).nodes == {version("b", by="etl"), run("etl")}


def test_explicit_entries_unite_over_the_events(answers: Reading) -> None:
    s = Scenario().event("etl", "RUNNING", at=1, writes=[use("b", sources=["a"])])
    s.event("etl", at=2, writes=[use("b", sources=["c"])])
    assert origins(answers(s.records), version("b", by="etl")) == {
        (dataset("a"), Basis.EXPLICIT),
        (dataset("c"), Basis.EXPLICIT),
    }


def test_an_explicit_source_takes_the_version_that_the_run_reads(answers: Reading) -> None:
    s = Scenario().run("etl", 1, 2, reads=["a@4"], writes=[use("b", sources=["a", "c"])])
    assert origins(answers(s.records), version("b", by="etl")) == {
        (version("a@4"), Basis.EXPLICIT),
        (dataset("c"), Basis.EXPLICIT),
    }


def test_column_lineage_upgrades_the_pairs_that_it_names(answers: Reading) -> None:
    s = Scenario().run("etl", 1, 2, reads=["a", "c"], writes=[use("b", columns=["a", "d"])])
    assert origins(answers(s.records), version("b", by="etl")) == {
        (dataset("a"), Basis.COLUMN),
        (dataset("c"), Basis.INFERRED),
        (dataset("d"), Basis.COLUMN),
    }


def test_run_to_version_is_explicit_and_a_shared_edge_takes_its_strongest_basis(answers: Reading) -> None:
    s = Scenario().run("etl", 1, 2, reads=["a"], writes=["b", use("c", sources=["a"])])
    s.run("merge", 3, 4, reads=["b", "c"], writes=["d"])
    answer = upstream(answers(s.records), version("d", by="merge"), 2)
    assert into(answer, run("etl")) == {(dataset("a"), Basis.EXPLICIT)}
    assert into(answer, version("b", by="etl")) == {(run("etl"), Basis.EXPLICIT)}


def test_services_and_streams_have_a_derivation_per_event(answers: Reading) -> None:
    s = Scenario().stream("flow", 1, reads=["a"], writes=["b"]).stream("flow", 2, reads=["c"], writes=["b"])
    graph = answers(s.records)
    assert origins(graph, version("b", by="flow", at=1)) == {(dataset("a"), Basis.INFERRED)}
    assert origins(graph, version("b", by="flow", at=2)) == {(dataset("c"), Basis.INFERRED)}


def test_runs_with_complete_snapshots_have_a_derivation_per_event(answers: Reading) -> None:
    s = Scenario().event("etl", "RUNNING", at=1, reads=["a"], writes=["b"], snapshot=True)
    s.event("etl", at=2, reads=["c"], writes=["d"], snapshot=True)
    assert origins(answers(s.records), version("d", by="etl")) == {(dataset("c"), Basis.INFERRED)}


def test_a_service_event_without_inputs_keeps_the_previous_ones(answers: Reading) -> None:
    s = Scenario().service("srv", 1, reads=["m@1"]).service("srv", 2).service("srv", 3, writes=["log"])
    assert origins(answers(s.records), version("log", by="srv", at=3)) == {(version("m@1"), Basis.INFERRED)}


def test_a_complete_snapshot_without_inputs_keeps_none(answers: Reading) -> None:
    s = Scenario().stream("flow", 1, reads=["a"], writes=["b"]).stream("flow", 2, writes=["b"], snapshot=True)
    assert origins(answers(s.records), version("b", by="flow", at=2)) == set()


# == Versions


def test_a_write_becomes_current_when_its_run_succeeds(answers: Reading) -> None:
    s = Scenario().run("w", 1, 5, writes=["a"])
    graph = answers(s.records)
    assert resolved(graph, "a", 4, 4).how == "EXTERNAL"
    assert resolved(graph, "a", 5, 5) == Resolution("SINGLE", (version("a", by="w"),), 1)


def test_a_stream_writes_at_once_and_is_named_by_run_and_time(answers: Reading) -> None:
    s = Scenario().stream("flow", 3, writes=["a"]).stream("flow", 4, writes=["a"])
    graph = answers(s.records)
    assert state_of(graph, "a") == {
        version("a", by="flow", at=3): "SUPERSEDED",
        version("a", by="flow", at=4): "CURRENT",
    }


@pytest.mark.parametrize("ends", ["FAIL", "ABORT"])
def test_fail_and_abort_leave_a_write_partial(answers: Reading, ends: str) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("broken", 3, 4, writes=["a"], ends=ends)
    assert state_of(answers(s.records), "a") == {
        version("a", by="w"): "CURRENT",
        version("a", by="broken"): "PARTIAL",
    }


def test_a_read_after_a_partial_write_takes_the_last_current_one_with_a_gap(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("broken", 3, 4, writes=["a"], ends="FAIL")
    s.run("r", 5, 6, reads=["a"])
    answer = upstream(answers(s.records), run("r"))
    assert answer.nodes == {run("r"), version("a", by="w")}
    assert answer.gaps == {(GapKind.PARTIAL, run("r"))}


def test_a_partial_write_that_a_success_followed_is_no_gap(answers: Reading) -> None:
    s = Scenario().run("broken", 1, 2, writes=["a"], ends="FAIL").run("w", 3, 4, writes=["a"])
    s.run("r", 5, 6, reads=["a"])
    assert upstream(answers(s.records), run("r")).gaps == set()


def test_a_conflicted_run_becomes_current_at_its_first_complete(answers: Reading) -> None:
    s = Scenario().run("w", 1, 3, writes=["a"], ends="FAIL").event("w", at=5)
    s.event("w", at=7)
    assert the(answers(s.records), "a", version("a", by="w")).moments == (micros(5),)


def test_a_drop_ends_what_is_current(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("dropper", 3, 4, writes=[drop("a")])
    s.run("r", 5, 6, reads=["a"])
    graph = answers(s.records)
    assert state_of(graph, "a") == {version("a", by="w"): "DROPPED"}
    assert upstream(graph, run("r")).gaps == {(GapKind.EXTERNAL, dataset("a"))}


def test_a_drop_of_a_failed_run_ends_nothing(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("dropper", 3, 4, writes=[drop("a")], ends="FAIL")
    assert state_of(answers(s.records), "a") == {version("a", by="w"): "CURRENT"}


def test_a_dataset_event_drops_at_its_time(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).dataset(4, drop("a"))
    graph = answers(s.records)
    assert resolved(graph, "a", 3, 3).versions == (version("a", by="w"),)
    assert resolved(graph, "a", 5, 5).how == "EXTERNAL"


def test_a_create_after_a_drop_starts_an_incarnation_without_the_old_labels(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a@1"]).run("r", 3, 4, reads=["a@1"]).dataset(5, drop("a"))
    s.run("w2", 6, 7, writes=[use("a@1", change=Change.CREATE)]).run("r2", 8, 9, reads=["a@1"])
    graph = answers(s.records)
    assert state_of(graph, "a") == {version("a@1"): "DROPPED", version("a@1", after=5): "CURRENT"}
    assert read_by(graph, run("r")) == {version("a@1")}
    assert read_by(graph, run("r2")) == {version("a@1", after=5)}
    assert upstream(graph, version("a@1", after=5)).nodes == {version("a@1", after=5), run("w2")}


def test_a_rename_derives_from_the_old_names_version_and_ends_it(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, reads=["x"], writes=["old"])
    s.run("mv", 3, 4, writes=[use("new", change=Change.RENAME, renamed_from="old")]).run("r", 5, 6, reads=["old"])
    graph = answers(s.records)
    assert origins(graph, version("new", by="mv")) == {(version("old", by="w"), Basis.EXPLICIT)}
    assert dataset("x") in upstream(graph, version("new", by="mv"), 2).nodes
    assert state_of(graph, "old") == {version("old", by="w"): "DROPPED"}
    assert read_by(graph, run("r")) == {dataset("old")}


def test_runs_that_write_one_reported_version_are_its_producers(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, reads=["x"], writes=["a@1"]).run("v", 3, 4, reads=["y"], writes=["a@1"])
    graph = answers(s.records)
    assert the(graph, "a", version("a@1")).producers == {run("w"), run("v")}
    assert origins(graph, version("a@1")) == {(dataset("x"), Basis.INFERRED), (dataset("y"), Basis.INFERRED)}


def test_the_last_event_that_states_a_change_decides(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).event("v", "START", at=3, writes=[drop("a")])
    s.event("v", "RUNNING", at=4, writes=[use("a", change=Change.CREATE)]).event("v", at=5, writes=["a"])
    graph = answers(s.records)
    assert state_of(graph, "a") == {version("a", by="w"): "SUPERSEDED", version("a", by="v"): "CURRENT"}
    assert the(graph, "a", version("a", by="v")).continues == 0


def test_a_dataset_event_without_a_change_makes_nothing_current(answers: Reading) -> None:
    s = Scenario().dataset(1, "a@1").run("r", 2, 3, reads=["a"])
    assert read_by(answers(s.records), run("r")) == {dataset("a")}


# -- twins


def twins(label: str = "", other: str = "", *, start: float = 5) -> Scenario:
    s = Scenario().run("app", 1, 9, **APP)
    s.run("insert", 2, 5, reads=["x"], writes=[f"t{label}"], parent=parent("app"))
    return s.run("ctas", start, 7, reads=["y"], writes=[f"t{other}"], parent=parent("app"))


def test_overlapping_twins_keep_their_ids_and_share_producers_and_inputs(answers: Reading) -> None:
    graph = answers(twins().records)
    for node in (version("t", by="insert"), version("t", by="ctas")):
        assert the(graph, "t", node).producers == {run("insert"), run("ctas")}
        assert origins(graph, node) == {(dataset("x"), Basis.INFERRED), (dataset("y"), Basis.INFERRED)}


def test_twins_with_different_reported_names_are_different_versions(answers: Reading) -> None:
    graph = answers(twins("@1", "@2").records)
    assert origins(graph, version("t@1")) == {(dataset("x"), Basis.INFERRED)}


def test_a_twin_with_a_reported_name_equals_one_without(answers: Reading) -> None:
    graph = answers(twins("@1").records)
    assert the(graph, "t", version("t@1")).producers == {run("insert"), run("ctas")}


def test_writes_that_do_not_overlap_are_no_twins(answers: Reading) -> None:
    graph = answers(twins(start=6).records)
    assert the(graph, "t", version("t", by="ctas")).producers == {run("ctas")}


def test_overlapping_writes_outside_an_application_are_no_twins(answers: Reading) -> None:
    s = Scenario().run("one", 1, 5, writes=["t"]).run("two", 2, 6, writes=["t"])
    assert the(answers(s.records), "t", version("t", by="two")).producers == {run("two")}


# -- continuing


def test_an_unknown_write_continues_its_predecessors(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("v", 3, 4, writes=["a"]).run("u", 5, 6, writes=["a"])
    last = the(answers(s.records), "a", version("a", by="u"))
    assert (last.continues, last.since) == (2, None)


@pytest.mark.parametrize("change", [Change.OVERWRITE, Change.TRUNCATE, Change.CREATE])
def test_a_write_known_to_replace_continues_nothing_before_it(answers: Reading, change: Change) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("v", 3, 4, writes=[use("a", change=change)])
    s.run("u", 5, 6, writes=["a"])
    graph = answers(s.records)
    replacing, last = the(graph, "a", version("a", by="v")), the(graph, "a", version("a", by="u"))
    assert (replacing.continues, replacing.since) == (0, micros(3))
    assert (last.continues, last.since) == (1, micros(3))


@pytest.mark.parametrize("change", [Change.ALTER, None])
def test_any_other_change_continues(answers: Reading, change: Change | None) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("v", 3, 4, writes=[use("a", change=change)])
    assert the(answers(s.records), "a", version("a", by="v")).continues == 1


def test_an_append_that_ran_meanwhile_survives_an_overwrite(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).event("over", "START", at=3).run("append", 4, 5, writes=["a"])
    s.event("over", at=6, writes=[use("a", change=Change.OVERWRITE)])
    last = the(answers(s.records), "a", version("a", by="over"))
    assert (last.continues, last.since) == (1, micros(3))


def test_nothing_continues_across_a_drop(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).dataset(3, drop("a")).run("v", 4, 5, writes=["a"])
    assert the(answers(s.records), "a", version("a", by="v", after=3)).continues == 0


# == Reads


def test_a_read_without_version_takes_the_one_current_at_its_start(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("v", 3, 4, writes=["a"]).run("r", 5, 6, reads=["a"])
    answer = upstream(answers(s.records), run("r"))
    assert answer.nodes == {run("r"), version("a", by="v")}
    assert answer.gaps == set()


def test_versions_that_became_current_while_it_ran_make_it_ambiguous(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).event("r", "START", at=3).run("v", 4, 5, writes=["a"])
    s.event("r", at=6, reads=["a"], writes=["b"]).run("later", 7, 8, writes=["a"])
    answer = upstream(answers(s.records), version("b", by="r"))
    assert {source for source, _ in into(answer, run("r"))} == {version("a", by="w"), version("a", by="v")}
    assert (GapKind.AMBIGUOUS, run("r")) in answer.gaps


def test_a_version_of_the_very_end_came_too_late(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("v", 3, 6, writes=["a"])
    assert resolved(answers(s.records), "a", 5, 6).versions == (version("a", by="w"),)


def test_only_the_last_of_two_versions_of_one_instant_is_current(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("v", 1, 2, writes=["a"])
    assert resolved(answers(s.records), "a", 2, 5).how == "SINGLE"


def test_over_ten_versions_are_the_first_the_last_and_the_count(answers: Reading) -> None:
    s = Scenario().event("r", "START", at=1)
    for at in range(2, 14):
        s.run(f"w{at}", at, at + 0.5, writes=["a"])
    s.event("r", at=20, reads=["a"])
    found = resolved(answers(s.records), "a", 1, 20)
    assert found == Resolution("AMBIGUOUS", (version("a", by="w2"), version("a", by="w13")), 12)


@pytest.mark.parametrize(("versions", "told"), [(10, 10), (11, 2)])
def test_up_to_ten_versions_are_all_told(answers: Reading, versions: int, told: int) -> None:
    s = Scenario()
    for at in range(2, 2 + versions):
        s.run(f"w{at}", at, at + 0.5, writes=["a"])
    found = resolved(answers(s.records), "a", 1, 20)
    assert (len(found.versions), found.count) == (told, versions)


def test_external_means_that_no_version_of_ours_was_current(answers: Reading) -> None:
    s = Scenario().run("r", 1, 2, reads=["a"]).run("w", 3, 4, writes=["a"])
    answer = upstream(answers(s.records), run("r"))
    assert answer.nodes == {run("r"), dataset("a")}
    assert answer.gaps == {(GapKind.EXTERNAL, dataset("a"))}


def test_a_reported_version_that_nobody_wrote_has_an_unknown_producer(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a@1"]).run("r", 3, 4, reads=["a@1", "b@9"])
    answer = upstream(answers(s.records), run("r"))
    assert answer.nodes == {run("r"), version("a@1"), version("b@9")}
    assert answer.gaps == {(GapKind.UNKNOWN_PRODUCER, version("b@9"))}


def test_a_read_never_resolves_to_its_own_runs_write(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("upsert", 3, 4, reads=["a"], writes=["a"])
    s.stream("flow", 5, writes=["b"]).stream("flow", 6, reads=["b"], writes=["c"])
    graph = answers(s.records)
    assert origins(graph, version("a", by="upsert")) == {(version("a", by="w"), Basis.INFERRED)}
    assert origins(graph, version("c", by="flow", at=6)) == {(dataset("b"), Basis.INFERRED)}


def test_a_read_does_not_see_its_own_runs_drop(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).stream("flow", 3, writes=[drop("a")])
    s.stream("flow", 4, reads=["a"], writes=["b"]).run("other", 5, 6, reads=["a"])
    graph = answers(s.records)
    assert origins(graph, version("b", by="flow", at=4)) == {(version("a", by="w"), Basis.INFERRED)}
    assert read_by(graph, run("other")) == {dataset("a")}


def test_a_run_without_a_terminal_event_ends_at_its_last_event(answers: Reading) -> None:
    s = Scenario().event("r", "START", at=3).event("r", "RUNNING", at=6, reads=["a"])
    s.run("w", 4, 5, writes=["a"]).run("v", 6, 8, writes=["a"])
    assert read_by(answers(s.records), run("r")) == {version("a", by="w")}


def test_a_late_event_changes_no_answer_with_a_fixed_known(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("r", 5, 6, reads=["a"])
    known = len(s.records)
    before = upstream(answers(s.records, known=known), run("r"))
    s.run("late", 3, 4, writes=["a"])
    graph = answers(s.records)
    assert upstream(answers(s.records, known=known), run("r")) == before
    assert read_by(graph, run("r")) == {version("a", by="late")}


def test_a_symlinked_name_reads_from_the_chain_of_its_table(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=[use("table", aliases=["path"])]).run("r", 3, 4, reads=["path"])
    assert read_by(answers(s.records), run("r")) == {version("table", by="w")}


def test_a_symlink_that_moved_leads_to_where_it_stood_at_the_read(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=[use("t1", aliases=["path"])]).run("r", 3, 4, reads=["path"])
    s.dataset(5, use("t1", aliases=[])).run("v", 6, 7, writes=[use("t2", aliases=["path"])])
    s.run("r2", 8, 9, reads=["path"])
    graph = answers(s.records)
    assert read_by(graph, run("r")) == {version("t1", by="w")}
    assert read_by(graph, run("r2")) == {version("t2", by="v")}


def test_a_dataset_named_without_version_is_its_current_one(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("v", 3, 4, writes=["a"])
    assert version("a", by="v") in upstream(answers(s.records), dataset("a")).nodes
    assert version("a", by="w") in upstream(answers(s.records, valid=micros(2)), dataset("a")).nodes


def test_a_dropped_dataset_named_without_version_is_its_latest_written_one(answers: Reading) -> None:
    s = Scenario().dataset(0, "a@declared").run("w", 1, 2, writes=["a"]).dataset(3, drop("a"))
    assert upstream(answers(s.records), dataset("a")).nodes == {version("a", by="w"), run("w")}


def test_a_dataset_that_nobody_wrote_is_its_latest_declared_version(answers: Reading) -> None:
    s = Scenario().dataset(1, "a@1").dataset(2, "a@2")
    assert upstream(answers(s.records), dataset("a")).nodes == {version("a@2")}


# == Walks at RUN grain


def chain() -> Scenario:
    s = Scenario().run("one", 1, 2, reads=["a"], writes=["b"])
    return s.run("two", 3, 4, reads=["b"], writes=["c"]).run("three", 5, 6, reads=["c"], writes=["d"])


def test_one_hop_is_one_run(answers: Reading) -> None:
    graph = answers(chain().records)
    b, c, d = version("b", by="one"), version("c", by="two"), version("d", by="three")
    assert upstream(graph, d, 0).nodes == {d}
    assert upstream(graph, d, 1).nodes == {d, run("three"), c}
    assert upstream(graph, d, 2).nodes == {d, run("three"), c, run("two"), b}
    assert downstream(graph, b, 1).nodes == {b, run("two"), c}
    assert downstream(graph, dataset("a"), 1).nodes == {dataset("a"), run("one"), b}
    assert downstream(graph, run("one"), 2).nodes == {run("one"), b, run("two"), c}


def test_both_directions_are_what_each_one_finds(answers: Reading) -> None:
    graph = answers(chain().records)
    c = version("c", by="two")
    both, up, down = graph.run_lineage(c, BOTH, 2), upstream(graph, c, 2), downstream(graph, c, 2)
    assert (both.nodes, both.edges, both.gaps) == (
        up.nodes | down.nodes,
        up.edges | down.edges,
        up.gaps | down.gaps,
    )


def test_downstream_leaves_a_run_only_by_outputs_that_the_version_flows_into(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"])
    s.run("etl", 3, 4, reads=["a", "x"], writes=[use("b", sources=["a"]), use("c", sources=["x"])])
    answer = downstream(answers(s.records), version("a", by="w"))
    assert answer.nodes == {version("a", by="w"), run("etl"), version("b", by="etl")}


def test_a_run_walk_stays_on_exact_versions(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, reads=["x"], writes=["a"]).run("v", 3, 4, reads=["y"], writes=["a"])
    assert dataset("x") not in upstream(answers(s.records), version("a", by="v"), 9).nodes


def test_with_history_a_continued_write_joins_at_job_grain(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, reads=["x"], writes=["a"]).run("v", 3, 4, reads=["y"], writes=["a"])
    answer = upstream(answers(s.records), version("a", by="v"), history=True)
    assert {(dataset("x"), job("w"), Basis.INFERRED), (job("w"), dataset("a"), Basis.EXPLICIT)} <= answer.edges


def test_what_history_joins_counts_its_hops(answers: Reading) -> None:
    s = Scenario().run("z", 1, 2, reads=["y"], writes=["x"]).run("w", 3, 4, reads=["x"], writes=["a"])
    s.run("v", 5, 6, writes=["a"])
    graph, last = answers(s.records), version("a", by="v")
    assert job("z") not in upstream(graph, last, 1, history=True).nodes
    assert {job("z"), dataset("y")} <= upstream(graph, last, 2, history=True).nodes


def test_history_ends_at_the_last_replacement(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, reads=["x"], writes=["a"])
    s.run("v", 3, 4, reads=["y"], writes=[use("a", change=Change.OVERWRITE)])
    answer = upstream(answers(s.records), version("a", by="v"), 9, history=True)
    assert dataset("x") not in answer.nodes


def test_with_history_versions_left_out_of_a_long_read_join(answers: Reading) -> None:
    s = Scenario().event("r", "START", at=1)
    for at in range(2, 14):
        s.run(f"w{at}", at, at + 0.5, reads=[f"x{at}"], writes=[use("a", change=Change.OVERWRITE)])
    s.event("r", at=20, reads=["a"], writes=["b"])
    graph, b = answers(s.records), version("b", by="r")
    assert dataset("x7") not in upstream(graph, b, 9).nodes
    assert dataset("x7") in upstream(graph, b, 9, history=True).nodes


def test_with_history_downstream_follows_later_versions_that_continue(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["a"]).run("v", 3, 4, writes=["a"])
    s.run("r", 5, 6, reads=["a"], writes=["b"])
    graph, first = answers(s.records), version("a", by="w")
    assert downstream(graph, first, 3).nodes == {first}
    assert version("b", by="r") in downstream(graph, first, 3, history=True).nodes


def test_a_parents_walk_includes_its_childrens_derivations(answers: Reading) -> None:
    s = Scenario().run("dag", 1, 9, job_type="DAG").run("task", 2, 8, job_type="TASK", parent=parent("dag"))
    s.run("sql", 3, 4, reads=["a"], writes=["b"], parent=parent("task"))
    graph = answers(s.records)
    assert (dataset("a"), run("sql"), Basis.INFERRED) in upstream(graph, run("dag")).edges
    assert (run("sql"), version("b", by="sql"), Basis.EXPLICIT) in downstream(graph, run("dag")).edges


def test_a_job_is_its_latest_run(answers: Reading) -> None:
    s = Scenario().run("u1", 1, 9, job="etl", reads=["a"]).run("u2", 2, 3, job="etl", reads=["b"])
    assert upstream(answers(s.records), job("etl")).nodes == {run("u2", "etl"), dataset("b")}


def test_a_service_is_its_latest_event(answers: Reading) -> None:
    s = Scenario().service("srv", 1, reads=["m@1"]).service("srv", 2, reads=["m@2"])
    graph = answers(s.records)
    assert upstream(graph, job("srv")).nodes == {run("srv"), version("m@2")}
    assert upstream(graph, run("srv")).nodes == {run("srv"), version("m@1"), version("m@2")}


@any_order
@given(records=event_records())
def test_both_directions_tell_of_the_same_flows(answers: Reading, records: list[EventRecord]) -> None:
    graph = answers(records)
    for name in NAMES:
        for one in graph.versions(dataset(name)):
            for source, _ in origins(graph, one.id):
                if structure(source) is NodeKind.DATASET_VERSION:
                    assert one.id in downstream(graph, source).nodes


def test_cycles_end(answers: Reading) -> None:
    s = Scenario().run("one", 1, 2, reads=["b@1"], writes=["a@1"]).run("two", 3, 4, reads=["a@1"], writes=["b@1"])
    answer = upstream(answers(s.records), version("a@1"), 50)
    assert answer.nodes == {version("a@1"), version("b@1"), run("one"), run("two")}


# == Roll-up


def spark() -> Scenario:
    """An application that reads in one query and saves a model in another."""
    s = Scenario().run("app", 1, 9, **APP)
    s.run("read", 2, 3, reads=["train"], parent=parent("app"), job_type="SQL_JOB")
    return s.run("save", 4, 5, writes=["model"], parent=parent("app"), job_type="SQL_JOB")


MODEL = version("model", by="save")


def test_an_output_without_declared_input_takes_the_reads_of_its_application(answers: Reading) -> None:
    graph = answers(spark().records)
    answer = upstream(graph, MODEL)
    assert answer.edges == {
        (dataset("train"), run("save"), Basis.ROLLUP),
        (run("save"), MODEL, Basis.EXPLICIT),
    }
    assert answer.gaps == {(GapKind.ROLLED_UP, MODEL), (GapKind.EXTERNAL, dataset("train"))}
    assert MODEL in downstream(graph, dataset("train")).nodes


def test_the_application_itself_is_inside_it(answers: Reading) -> None:
    s = Scenario().event("app", "START", at=1, reads=["train"], **APP).event("app", at=9, **APP)
    s.run("save", 4, 5, writes=["model"], parent=parent("app"))
    assert origins(answers(s.records), MODEL) == {(dataset("train"), Basis.ROLLUP)}


def test_a_run_that_began_after_the_output_was_written_is_not_taken(answers: Reading) -> None:
    s = spark().run("late", 6, 7, reads=["other"], parent=parent("app"))
    assert origins(answers(s.records), MODEL) == {(dataset("train"), Basis.ROLLUP)}


@pytest.mark.parametrize(
    ("inputs", "output"),
    [
        (["x"], use("model")),
        ([], use("model", sources=["x"])),
        ([], use("model", columns=["x"])),
    ],
)
def test_a_declared_input_of_any_kind_stops_the_roll_up(
    answers: Reading, inputs: list[str], output: DatasetUse
) -> None:
    s = Scenario().run("app", 1, 9, reads=["train"], **APP)
    s.run("save", 4, 5, reads=inputs, writes=[output], parent=parent("app"))
    answer = upstream(answers(s.records), MODEL)
    assert {source for source, _ in into(answer, run("save"))} == {dataset("x")}
    assert answer.gaps == {(GapKind.EXTERNAL, dataset("x"))}


def test_an_explicit_empty_entry_stops_the_roll_up(answers: Reading) -> None:
    s = Scenario().run("app", 1, 9, reads=["train"], **APP)
    s.run("save", 4, 5, writes=[use("model", sources=[])], parent=parent("app"))
    assert origins(answers(s.records), MODEL) == set()


@pytest.mark.parametrize("between", ["DAG", "TASK", None])
def test_the_search_for_the_application_ends_at_a_dag_a_task_or_an_untyped_parent(
    answers: Reading, between: str | None
) -> None:
    s = Scenario().run("app", 1, 9, reads=["train"], **APP).run("mid", 1, 9, job_type=between, parent=parent("app"))
    s.run("save", 4, 5, writes=["model"], parent=parent("mid"))
    assert origins(answers(s.records), MODEL) == set()


def test_the_search_for_the_application_passes_other_parents(answers: Reading) -> None:
    s = Scenario().run("app", 1, 9, reads=["train"], **APP)
    s.run("mid", 1, 9, job_type="SQL_JOB", parent=parent("app")).run(
        "save", 4, 5, writes=["model"], parent=parent("mid")
    )
    assert origins(answers(s.records), MODEL) == {(dataset("train"), Basis.ROLLUP)}


def test_an_unreported_parent_ends_the_search(answers: Reading) -> None:
    s = Scenario().run("app", 1, 9, reads=["train"], **APP)
    s.run("save", 4, 5, writes=["model"], parent=parent("ghost"))
    assert origins(answers(s.records), MODEL) == set()


def test_roll_up_never_takes_the_reads_of_a_dag_parent(answers: Reading) -> None:
    s = Scenario().run("dag", 1, 9, reads=["secret"], job_type="DAG")
    s.run("app", 2, 8, reads=["train"], parent=parent("dag"), **APP)
    s.run("save", 4, 5, writes=["model"], parent=parent("app"))
    assert origins(answers(s.records), MODEL) == {(dataset("train"), Basis.ROLLUP)}


def test_roll_up_takes_only_versions_that_stood_before_the_output(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, writes=["early"]).run("app", 2, 20, **APP)
    s.run("read", 3, 15, reads=["early", "later"], parent=parent("app"))
    s.run("save", 4, 5, writes=["model"], parent=parent("app")).run("v", 6, 7, writes=["later"])
    assert origins(answers(s.records), MODEL) == {(version("early", by="w"), Basis.ROLLUP)}


def test_roll_up_never_takes_a_version_derived_from_the_output(answers: Reading) -> None:
    s = Scenario().run("app", 1, 20, **APP).event("eval", "START", at=2, parent=parent("app"))
    s.run("export", 3, 4, reads=["model@1"], writes=["copy"])
    s.run("save", 5, 6, writes=["model@1"], parent=parent("app"))
    s.event("eval", at=8, reads=["copy", "train"], parent=parent("app"))
    assert origins(answers(s.records), version("model@1")) == {(dataset("train"), Basis.ROLLUP)}


def test_roll_up_never_takes_the_applications_own_earlier_write_of_the_dataset(answers: Reading) -> None:
    s = Scenario().run("app", 1, 20, **APP).run("first", 2, 3, writes=["model"], parent=parent("app"))
    s.run("read", 4, 5, reads=["model", "train"], parent=parent("app"))
    s.run("save", 6, 7, writes=["model"], parent=parent("app"))
    assert origins(answers(s.records), MODEL) == {(dataset("train"), Basis.ROLLUP)}


# == JOB grain


def test_triples_keep_unrelated_flows_of_one_job_apart(answers: Reading) -> None:
    s = (
        Scenario()
        .run("u1", 1, 2, job="j", reads=["x"], writes=["A"])
        .run("u2", 3, 4, job="j", reads=["y"], writes=["B"])
    )
    graph = answers(s.records)
    assert graph.job_lineage(dataset("x"), DOWN, 3).nodes == {dataset("x"), job("j"), dataset("A")}
    assert graph.job_lineage(dataset("B"), UP, 3).edges == {
        (dataset("y"), job("j"), Basis.INFERRED),
        (job("j"), dataset("B"), Basis.EXPLICIT),
    }


def test_one_hop_at_job_grain_is_one_job(answers: Reading) -> None:
    graph = answers(chain().records)
    assert graph.job_lineage(dataset("d"), UP, 1).nodes == {dataset("d"), job("three"), dataset("c")}
    assert graph.job_lineage(job("two"), BOTH, 1).nodes == {dataset("b"), job("two"), dataset("c")}
    assert graph.job_lineage(dataset("a"), DOWN, 9).nodes == {
        *map(dataset, "abcd"),
        *map(job, ("one", "two", "three")),
    }


def test_edges_carry_first_seen_last_seen_and_the_number_of_runs(answers: Reading) -> None:
    s = Scenario().run("u1", 1, 2, job="j", reads=["a"]).run("u2", 5, 7, job="j", reads=["a"])
    edge = answers(s.records).job_edge(dataset("a"), job("j"))
    assert edge is not None
    assert (edge.first_seen, edge.last_seen, edge.runs, edge.stale) == (micros(1), micros(7), 2, False)
    limited = answers(s.records, valid=micros(7)).job_edge(dataset("a"), job("j"))
    assert limited is not None
    assert limited.runs is None


@pytest.mark.parametrize(("successes", "stale"), [(2, False), (3, True)])
def test_an_edge_is_stale_when_the_last_three_successful_runs_leave_it_out(
    answers: Reading, successes: int, stale: bool
) -> None:
    s = Scenario().run("old", 1, 2, job="j", reads=["a"], ends="FAIL")
    for number in range(successes):
        s.run(f"u{number}", 10 * number + 5, 10 * number + 6, job="j", reads=["b"])
    edge = answers(s.records).job_edge(dataset("a"), job("j"))
    assert edge is not None
    assert edge.stale is stale


def test_failed_runs_make_no_edge_stale(answers: Reading) -> None:
    s = Scenario().run("old", 1, 2, job="j", reads=["a"])
    for number in range(3, 9):
        s.run(f"u{number}", 10 * number, 10 * number + 1, job="j", ends="FAIL" if number > 4 else "COMPLETE")
    edge = answers(s.records).job_edge(dataset("a"), job("j"))
    assert edge is not None
    assert not edge.stale


def test_a_job_event_contributes_without_being_counted(answers: Reading) -> None:
    s = Scenario().job("j", 1, reads=["a"], writes=["b"]).run("u", 2, 3, job="j", reads=["a"])
    graph = answers(s.records)
    edge = graph.job_edge(dataset("a"), job("j"))
    assert edge is not None
    assert (edge.first_seen, edge.runs) == (micros(1), 1)
    assert dataset("b") in graph.job_lineage(dataset("a"), DOWN, 1).nodes


def test_an_alias_is_walked_where_its_interval_meets_the_edges(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, job="writer", reads=["x"], writes=[use("table", aliases=["path"])])
    s.run("r", 3, 4, job="reader", reads=["path"], writes=["b"])
    answer = answers(s.records).job_lineage(dataset("b"), UP, 5)
    assert {dataset("path"), dataset("table"), job("writer"), dataset("x")} <= answer.nodes


def test_an_alias_that_ended_before_the_edge_is_not_walked(answers: Reading) -> None:
    s = Scenario().run("w", 1, 2, job="writer", reads=["x"], writes=[use("table", aliases=["path"])])
    s.dataset(3, use("table", aliases=[])).run("r", 5, 6, job="reader", reads=["path"], writes=["b"])
    answer = answers(s.records).job_lineage(dataset("b"), UP, 5)
    assert answer.nodes == {dataset("b"), job("reader"), dataset("path")}


def test_alias_cycles_end(answers: Reading) -> None:
    s = (
        Scenario()
        .dataset(1, use("a", aliases=["b"]))
        .dataset(1, use("b", aliases=["c"]))
        .dataset(1, use("c", aliases=["a"]))
    )
    s.run("w", 2, 3, writes=["c"]).run("r", 4, 5, reads=["a"])
    graph = answers(s.records)
    assert read_by(graph, run("r")) == {version("c", by="w")}
    assert job("w") in graph.job_lineage(job("r"), UP, 5).nodes


# == Deployments


def test_a_rollback_is_three_exact_intervals(answers: Reading) -> None:
    s = Scenario()
    for at, label in [(10, "1"), (20, "2"), (30, "1")]:
        s.service("srv", at, reads=[use(f"m@{label}", model=True)])
    assert intervals(answers(s.records)) == [
        (version("m@1"), "primary", 10, 20, "ENDED"),
        (version("m@2"), "primary", 20, 30, "ENDED"),
        (version("m@1"), "primary", 30, None, "SERVING"),
    ]
    assert intervals(answers(s.records, valid=micros(25)))[-1] == (version("m@2"), "primary", 20, None, "SERVING")


def test_equal_consecutive_assertions_are_one_interval(answers: Reading) -> None:
    s = Scenario()
    for at in (10, 20, 30):
        s.service("srv", at, reads=[use("m@1", model=True)])
    assert intervals(answers(s.records)) == [(version("m@1"), "primary", 10, None, "SERVING")]


def test_a_model_that_a_later_event_does_not_mention_goes_on(answers: Reading) -> None:
    s = Scenario().service("srv", 1, reads=[use("m@1", model=True), use("n@1", model=True)])
    s.service("srv", 2, reads=[use("n@2", model=True)]).service("srv", 3)
    graph = answers(s.records)
    assert intervals(graph) == [(version("m@1"), "primary", 1, None, "SERVING")]
    assert intervals(graph, "n")[0] == (version("n@1"), "primary", 1, 2, "ENDED")


def test_a_terminal_event_ends_all(answers: Reading) -> None:
    s = Scenario().service("srv", 1, reads=[use("m@1", model=True), use("n@1", model=True)])
    s.service("srv", 5, "COMPLETE")
    graph = answers(s.records)
    assert intervals(graph) == [(version("m@1"), "primary", 1, 5, "ENDED")]
    assert intervals(graph, "n") == [(version("n@1"), "primary", 1, 5, "ENDED")]


def test_parallel_runs_coexist(answers: Reading) -> None:
    s = Scenario().service("blue", 1, job="srv", reads=[use("m@1", model=True)])
    s.service("green", 2, job="srv", reads=[use("m@2", model=True)])
    assert intervals(answers(s.records)) == [
        (version("m@1"), "primary", 1, None, "SERVING"),
        (version("m@2"), "primary", 2, None, "SERVING"),
    ]


def test_every_model_version_in_one_event_is_primary_without_the_input_facet(answers: Reading) -> None:
    s = Scenario().service("srv", 1, reads=[use("m@1", model=True), use("m@2", model=True)])
    assert {one[1] for one in intervals(answers(s.records))} == {"primary"}


def test_the_input_facet_overrides_role_and_share(answers: Reading) -> None:
    canary = use("m@2", model=True, role="canary", share=0.1)
    serving = Serving(role="primary", share=0.9)
    s = Scenario().service("srv", 1, reads=[use("m@1", model=True), canary], serving=serving)
    assert {(one.version, one.role, one.share) for one in answers(s.records).deployments()} == {
        (version("m@1"), "primary", 0.9),
        (version("m@2"), "canary", 0.1),
    }


def test_a_canary_that_becomes_primary_is_two_intervals(answers: Reading) -> None:
    s = Scenario().service("srv", 1, reads=[use("m@1", model=True), use("m@2", model=True, role="canary")])
    s.service("srv", 5, reads=[use("m@2", model=True)])
    assert set(intervals(answers(s.records))) == {
        (version("m@1"), "primary", 1, 5, "ENDED"),
        (version("m@2"), "canary", 1, 5, "ENDED"),
        (version("m@2"), "primary", 5, None, "SERVING"),
    }


def test_models_of_the_serving_facet_serve_too(answers: Reading) -> None:
    s = Scenario().service("srv", 1, serving=Serving(models=(served("m@3", "shadow", 0.5),)))
    (only,) = answers(s.records).deployments()
    assert only == Served(
        job("srv"), run("srv"), dataset("m"), version("m@3"), "shadow", 0.5, micros(1), None, "SERVING"
    )


def test_silence_past_three_heartbeats_is_unknown_and_not_an_end(answers: Reading) -> None:
    s = Scenario().service("srv", 0, reads=[use("m@1", model=True)], window=10.0)
    assert intervals(answers(s.records, valid=micros(30)))[0][3:] == (None, "SERVING")
    assert intervals(answers(s.records, valid=micros(31)))[0][3:] == (None, "UNKNOWN")


def test_an_input_that_is_no_model_is_not_served(answers: Reading) -> None:
    s = Scenario().service("srv", 1, reads=["features@1"])
    assert answers(s.records).deployments() == []


def test_a_model_is_a_dataset_that_was_ever_declared_one(answers: Reading) -> None:
    s = Scenario().service("srv", 1, reads=["m@1"]).dataset(2, use("m", model=True))
    assert intervals(answers(s.records)) == [(version("m@1"), "primary", 1, None, "SERVING")]


def test_a_batch_run_that_reads_a_model_deploys_nothing(answers: Reading) -> None:
    s = Scenario().run("score", 1, 2, reads=[use("m@1", model=True)])
    assert answers(s.records).deployments() == []


def test_a_deployment_leads_back_to_training_data_in_one_walk(answers: Reading) -> None:
    s = Scenario().run("features", 1, 2, reads=["raw"], writes=["f"])
    s.run("train", 3, 4, reads=["f"], writes=[use("m@1", model=True)]).service("srv", 5, reads=["m@1"])
    assert upstream(answers(s.records), job("srv"), 5).nodes == {
        run("srv"),
        version("m@1"),
        run("train"),
        version("f", by="features"),
        run("features"),
        dataset("raw"),
    }


def test_a_source_that_is_a_job_is_no_dataset(answers: Reading) -> None:
    output = msgspec.structs.replace(use("b"), sources=(Source(job=job("elsewhere")),))
    s = Scenario().run("etl", 1, 2, reads=["a"], writes=[output])
    assert origins(answers(s.records), version("b", by="etl")) == set()
