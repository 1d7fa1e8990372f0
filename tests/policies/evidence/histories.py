"""Histories of a small catalog: what may happen around a version, in any order in which people can have acted."""

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

from tests.ingest.events import dataset, dataset_event, facet, model, parent, run_event, symlinks, versioned
from tests.policies.evidence.world import (
    APPLICATIONS,
    KNOWN,
    RAW,
    SERVICE,
    TRAIN,
    VERSION,
    Said,
    Telling,
    answer_waiver,
    approve,
    attest,
    built_of,
    evaluate,
    governance,
    identify,
    monitor,
    prepare,
    revoke,
    run_of,
    serve,
    story,
    tagged,
    train,
    used,
    waive,
    withdraw,
)

_BUILT = built_of(story())
_APPROVED = approve(_BUILT, "bob@example.org")
_WAIVED = waive(_BUILT, "bob@example.org")
_TIER = attest("classification", {"riskTier": "high"})

ACTS: list[Said] = [
    *KNOWN,
    identify("email:ann@example.org", "ann.other@example.org"),
    _APPROVED,
    approve(_BUILT, "carol@example.org", 1001),
    revoke(_APPROVED),
    _WAIVED,
    answer_waiver(_WAIVED, "countersignWaiver", "carol@example.org"),
    _TIER,
    withdraw(_TIER),
    attest("classification", {"riskTier": "limited"}, node=VERSION, kind="MODEL_VERSION"),
    attest("threshold", {"metric": "auc", "minimum": 0.7}),
    attest("validation", {"outcome": "approved"}, node=VERSION, kind="MODEL_VERSION", closureDigest="sha256:00"),
    attest("field", {"path": "licence", "value": "MIT"}, node=APPLICATIONS, kind="DATASET"),
    attest("rowOverlap", {"rows": 0}, node=run_of("evaluate"), kind="RUN"),
    attest("notice", {"kind": "ai"}, node=SERVICE, kind="DEPLOYMENT"),
]

EVENTS = [
    *story(),
    train(version="2", run="retrain", when=800, c="0.9"),
    train(commit="beef"),
    serve(900, "2"),
    serve(950, "1"),
    serve(960, kind="COMPLETE"),
    evaluate("again", 410, kind="bias", auc=0.6),
    monitor(710, "monitor again"),
    run_event("RUNNING", 405, "slow", reads=[model("credit", "1")]),
    run_event("COMPLETE", 415, "slow", lineward_evaluation=facet(kind="bias", metrics=[{"name": "auc", "value": 0.6}])),
    run_event("RUNNING", 150, "split", reads=["postcodes"]),
    run_event("START", 290, "train", parent=parent("pipeline")),
    run_event("FAIL", 310, "train", "train"),
    run_event("COMPLETE", 20, "postcodes", writes=[dataset("postcodes", tags=tagged(code="proxy:postcode"))]),
    run_event("COMPLETE", 95, "export", reads=[model("credit", "0")], writes=[dataset("extract")]),
    run_event("COMPLETE", 96, "export more", reads=["crm"], writes=[dataset("extract")]),
    run_event("COMPLETE", 120, "check", reads=[used(versioned("applications", RAW), "reference")]),
    dataset_event(30, versioned("applications", RAW, tags=tagged(income="special:wealth"))),
    dataset_event(970, dataset("train", lineward_dataGovernance=governance(licence="MIT", personalData=True))),
    dataset_event(40, dataset("extract", symlinks=symlinks("crm"))),
    dataset_event(980, dataset("applications", ownership=facet(owners=[{"name": "team:b"}]))),
    run_event("COMPLETE", 990, "far away", reads=["p"], writes=[versioned("q", TRAIN)]),
]


def shuffled(told: Sequence[Telling], random: Random) -> list[Telling]:
    """Events anywhere, acts in the order in which they were made."""
    places = list(range(len(told)))
    random.shuffle(places)
    mixed = [told[place] for place in places]
    acts = iter(sorted((each for each in mixed if isinstance(each, Said)), key=ACTS.index))
    return [next(acts) if isinstance(each, Said) else each for each in mixed]


@st.composite
def histories(draw: st.DrawFn, *, most: int = 12) -> list[Telling]:
    """The data and the training of the version, and some of all else."""
    extra = draw(st.lists(st.sampled_from(EVENTS), max_size=most))
    acts = draw(st.lists(st.sampled_from(ACTS), max_size=most, unique_by=lambda act: act.id))
    return shuffled([*prepare(), train(), *extra, *acts], Random(draw(st.integers(0, 1000))))
