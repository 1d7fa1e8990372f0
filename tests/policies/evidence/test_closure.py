"""The closure digest: what makes a model what it is, and nothing else."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.identity import named_version_id
from policies.evidence.closure import Closure, closure, closure_digest, difference, has_only_grown
from tests.ingest.events import Event, dataset, dataset_event, facet, model, run_event, versioned
from tests.policies.evidence.world import (
    ENVIRONMENT,
    MODEL,
    RAW,
    TRAIN,
    VERSION,
    Telling,
    attest,
    evaluate,
    governance,
    identify,
    monitor,
    prepare,
    reading_of,
    serve,
    tagged,
    train,
    used,
)


def closure_of(told: list[Telling]) -> Closure:
    with reading_of(told) as reading:
        return closure(reading, VERSION)


BASE = closure_of([*prepare(), train()])

UNRELATED: list[Telling] = [
    evaluate(),
    evaluate("again", 410, kind="bias"),
    serve(500),
    serve(600),
    serve(700, kind="COMPLETE"),
    monitor(800),
    dataset_event(900, versioned("applications", RAW, tags=tagged(income="special:health"))),
    dataset_event(910, versioned("train", TRAIN, lineward_dataGovernance=governance(licence="MIT"))),
    dataset_event(920, dataset("train", ownership=facet(owners=[{"name": "team:other"}]))),
    run_event("COMPLETE", 1000, "later", "load", reads=["extract"], writes=[versioned("applications", "next")]),
    run_event("COMPLETE", 1100, "elsewhere", reads=["p"], writes=["q"]),
    train(version="2", run="retrain", when=1200, c="0.9"),
    attest("classification", {"riskTier": "high"}),
    attest("document", {"type": "technical_documentation", "digest": ENVIRONMENT}),
    identify("email:someone@example.org", "someone@example.org"),
    train(),  # the client's retry
    prepare()[0],
]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(UNRELATED), max_size=6), st.randoms(use_true_random=False))
def test_nothing_but_what_is_behind_the_version_changes_it(extra: list[Telling], random: Random) -> None:
    told: list[Telling] = [*prepare(), train(), *extra]
    random.shuffle(told)

    assert closure_of(told) == BASE


@pytest.mark.parametrize(
    ("changed", "differences"),
    [
        (train(commit="beef"), ("code of train changed",)),
        (train(c="0.9"), ("parameters of train changed",)),
        (train(seed=8), ("seed of train changed",)),
        (train(digest="sha256:" + "12" * 32), ("artifact changed",)),
        (
            train(data=used(versioned("train", "sha256:" + "34" * 32), "training")),
            ("input applications removed", "input extract removed", "input train changed", "code of load removed"),
        ),
        (
            train(base={"namespace": "hub", "name": "bert", "version": "3"}),
            ("base model bert added",),
        ),
    ],
    ids=["commit", "parameter", "seed", "artifact", "input", "base model"],
)
def test_what_makes_the_model_changes_it_and_is_named(changed: Event, differences: tuple[str, ...]) -> None:
    other = closure_of([*prepare(), changed])

    assert other.digest != BASE.digest
    assert set(difference(BASE.parts, other.parts)) == set(differences)


def test_late_growth_changes_it_and_is_told_apart_from_a_change() -> None:
    late: list[Telling] = [*prepare(), train(), run_event("RUNNING", 150, "split", reads=["postcodes"])]
    grown, altered = closure_of(late), closure_of([*prepare(), train(commit="beef")])

    assert difference(BASE.parts, grown.parts) == ("input postcodes added",)
    assert has_only_grown(BASE.parts, grown.parts)
    assert not has_only_grown(BASE.parts, altered.parts)
    assert not has_only_grown(grown.parts, BASE.parts)


def test_another_way_between_the_same_inputs_is_a_difference_of_the_lineage() -> None:
    direct = run_event("RUNNING", 250, "train", "train", reads=[versioned("applications", RAW)])

    assert difference(BASE.parts, closure_of([*prepare(), train(), direct]).parts) == ("lineage changed",)


def test_names_do_not_count_where_a_digest_is_known() -> None:
    def told(name: str) -> list[Telling]:
        table = versioned(name, RAW)
        return [
            run_event("COMPLETE", 100, "load", writes=[table]),
            run_event("COMPLETE", 300, "train", reads=[used(table, "training")], writes=[model("credit", "1")]),
        ]

    assert closure_of(told("applications")).digest == closure_of(told("renamed")).digest


def test_a_version_without_a_digest_counts_by_what_its_reader_measured() -> None:
    def told(digest: str) -> list[Telling]:
        read = used(versioned("train", "today"), "training", digest=digest)
        return [run_event("COMPLETE", 300, "train", reads=[read], writes=[model("credit", "1")])]

    one, other = closure_of(told("sha256:" + "01" * 32)), closure_of(told("sha256:" + "02" * 32))

    assert difference(one.parts, other.parts) == ("input train changed",)


def test_two_versions_are_compared_by_what_is_behind_them() -> None:
    told: list[Telling] = [*prepare(), train(), train(version="2", run="retrain", when=1200, c="0.9", digest=RAW)]
    with reading_of(told) as reading:
        second = closure(reading, named_version_id(MODEL, "2"))

    assert set(difference(BASE.parts, second.parts)) == {"artifact changed", "parameters of train changed"}


def test_the_digest_is_that_of_the_parts_without_their_names() -> None:
    renamed = [(kind, f"{key}!", digest) for kind, key, digest in BASE.parts]

    assert closure_digest(BASE.parts) == closure_digest(renamed) == BASE.digest
