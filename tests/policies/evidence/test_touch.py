"""An entry that speaks of nothing that a document was read from leaves it as it is."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.act import interpret_act
from catalog.graph.contract import FOREVER
from catalog.graph.memory import MemoryGraph
from catalog.reading import Reading
from policies.evidence.people import IDENTITIES
from policies.evidence.touch import touched_by_act, touched_by_event
from tests.ingest.events import Event, at, dataset, facet, interpret_entry, model, parent, run_event, versioned
from tests.policies.evidence.histories import ACTS, EVENTS, histories
from tests.policies.evidence.world import (
    MODEL,
    RAW,
    VERSION,
    Said,
    Telling,
    attest,
    built_of,
    entries,
    evaluate,
    fill,
    identify,
    run_of,
    serve,
    story,
    train,
)

ELSEWHERE: list[Telling] = [
    run_event("COMPLETE", 1000, "elsewhere", reads=["p"], writes=[model("rival", "1")]),
    run_event("COMPLETE", 1001, "copy", reads=[versioned("extract", "other")], writes=["p"]),
    run_event("START", 1002, "child", parent=parent("pipeline")),
    run_event("COMPLETE", 1003, "crm load", writes=[dataset("crm")]),
    attest("classification", {"riskTier": "high"}, node=run_of("elsewhere"), kind="MODEL"),
]


def touched(told: Sequence[Telling], last: Telling) -> frozenset[str]:
    store = MemoryGraph()
    fill(store, [*told, last])
    (entry,) = entries([last], start=len(told))
    with store.read(valid=FOREVER) as reader:
        reading = Reading(reader)
        if not isinstance(last, Said):
            return touched_by_event(reading, interpret_entry(entry).record)
        act = interpret_act(entry)
        assert act is not None
        found = reading.act(act.node.id)
        assert found is not None
        return touched_by_act(found)


@settings(max_examples=60, deadline=None)
@given(histories(), st.sampled_from([*EVENTS, *ACTS, *ELSEWHERE]))
def test_an_entry_that_touches_no_dependency_changes_nothing(told: list[Telling], last: Telling) -> None:
    before = built_of(told)
    if touched(told, last) & before.dependencies:
        return

    assert built_of([*told, last]).bytes == before.bytes


def test_what_concerns_the_version_is_a_dependency() -> None:
    built = built_of(story())
    concerning: list[Telling] = [
        evaluate("another", 420),
        serve(800),
        train(version="2", run="retrain", when=900),
        run_event("RUNNING", 150, "split", reads=["postcodes"]),
        run_event("COMPLETE", 120, "check", reads=[versioned("applications", RAW)]),
        attest("dpia", {}),
        identify("email:x@example.org", "x@example.org"),
    ]

    slow = run_event("RUNNING", 405, "slow", reads=[model("credit", "1")])
    measured = run_event("COMPLETE", 415, "slow", lineward_evaluation=facet(kind="bias", metrics=[]))
    assert touched([*story(), slow], measured) & built_of([*story(), slow]).dependencies
    for last in concerning:
        assert touched(story(), last) & built.dependencies, last
    for last in ELSEWHERE[:1] + ELSEWHERE[3:]:
        assert not touched(story(), last) & built.dependencies, last
    assert {VERSION, MODEL, IDENTITIES, run_of("train")} <= built.dependencies


def test_silence_is_a_change_that_is_announced() -> None:
    """A service that says nothing, and a run that never ends, change the document without an entry about them."""
    told: list[Telling] = [*story(), run_event("START", 50, "load", job="load")]
    open_run: list[Telling] = [
        run_event("RUNNING", 150, "split", reads=["extract"], writes=[versioned("train", "t")]),
        run_event("COMPLETE", 300, "train", reads=[versioned("train", "t")], writes=[model("credit", "1")]),
    ]

    assert _quiet_until(told) == at(600 + 3 * 7200)
    assert _quiet_until(open_run) == at(150 + 24 * 3600)
    for events in (told, open_run):
        before = built_of(events).bytes
        assert built_of([*events, _noise(_quiet_until(events) - at(0))]).bytes == before
        assert built_of([*events, _noise(_quiet_until(events) - at(0) + 1)]).bytes != before


def _quiet_until(told: list[Telling]) -> int:
    found = built_of(told).quiet_until
    assert found is not None
    return found


def _noise(received: int) -> Event:
    """An event of others that is received at this time, µs into the day: a second after it happened."""
    return run_event("COMPLETE", (received - 1_000_000) / 1_000_000, "noise", reads=["p"], writes=["q"])
