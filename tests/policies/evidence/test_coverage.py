"""No field of the evidence is there for show: each is filled by something that can be sent or attested."""

from collections.abc import Iterator, Mapping
from typing import Any

from policies.evidence.fields import EVIDENCE
from policies.evidence.snippet import example_of
from policies.evidence.source import SourceKind
from policies.statements import DATASETS, MODELS, RUNS, SERVICES, STATEMENTS
from tests.ingest.events import facet, model, run_event, versioned
from tests.policies.evidence.world import (
    APPLICATIONS,
    KNOWN,
    MODEL,
    RAW,
    SERVICE,
    TEST,
    VERSION,
    Telling,
    approve,
    attest,
    built_of,
    dispose,
    erase_rows,
    governance,
    run_of,
    serve,
    story,
    used,
)

_NODES = {DATASETS: (APPLICATIONS, "DATASET"), MODELS: (MODEL, "MODEL"), SERVICES: (SERVICE, "DEPLOYMENT")}


def _stated() -> Iterator[Telling]:
    """A statement of every type with every property, about something in the story."""
    for field in EVIDENCE.values():
        for source in field.sources:
            if source.kind is SourceKind.ATTESTED:
                yield from _about(source.name, example_of(source.name, source), f"{field.path} {source.property}")


def _about(type_: str, statement: dict[str, Any], name: str) -> Iterator[Telling]:
    targets = STATEMENTS[type_].targets
    if targets == RUNS:
        for run in ("evaluate", "monitor"):
            yield attest(type_, statement, node=run_of(run), kind="RUN", name=f"{name} {run}")
        return
    node, kind = next((node for kinds, node in _NODES.items() if targets == kinds), (MODEL, "MODEL"))
    if type_ == "columnJustification":
        statement |= {"field": "sex"}
    yield attest(type_, statement, node=node, kind=kind, name=name)


def _rich() -> list[Telling]:
    card = facet(
        framework="a", digest=RAW, task="ranking", licence="MIT", baseModel={"namespace": "hub", "name": "bert"}
    )
    everything = governance(
        origin={"source": "a", "method": "b", "collectedFrom": "2024-01-01", "collectedTo": "2024-12-31"},
        personalData=True,
        specialCategories=[],
        purposes=["credit"],
        lawfulBasis="contract",
        retentionUntil="2031-12-31",
    )
    serving = facet(
        environment="production",
        country="DE",
        logging={"enabled": True, "schemaDigest": RAW, "retentionDays": 9},
        oversight={"assignedTo": ["team:a"], "overrideEnabled": True},
        decisionMode="human_in_the_loop",
    )
    checks = facet(assertions=[{"assertion": "unique", "success": True}])
    events = [
        *story(),
        run_event(
            "RUNNING",
            303,
            "train",
            reads=[used(versioned("test", TEST), "validation", splitGroup="credit")],
            lineward_training=facet(
                compute={"flops": 1e9}, seed=7, authors=["ann@example.org"], user="ann", environmentDigest=RAW
            ),
        ),
        run_event("COMPLETE", 301, "register", reads=[], writes=[model("credit", "1", lineward_model=card)]),
        run_event("RUNNING", 101, "load", writes=[versioned("applications", RAW, lineward_dataGovernance=everything)]),
        run_event(
            "COMPLETE",
            120,
            "check",
            reads=[versioned("applications", RAW) | {"inputFacets": {"dataQualityAssertions": checks}}],
        ),
        run_event(
            "COMPLETE",
            130,
            "examine",
            reads=[versioned("applications", RAW)],
            lineward_evaluation=facet(kind="bias", metrics=[], slices=[], reportDigest=RAW),
        ),
        run_event("RUNNING", 395, "evaluate", lineward_evaluation=facet(kind="a", metrics=[], reportDigest=RAW)),
        run_event(
            "COMPLETE",
            450,
            "challenge",
            reads=[model("rival", "3"), used(versioned("test", TEST), "test")],
            lineward_evaluation=facet(kind="performance", metrics=[{"name": "auc", "value": 0.8}], reportDigest=RAW),
        ),
        serve(400, "0"),
        run_event("RUNNING", 650, "serve", "score", lineward_serving=serving),
    ]
    return [*KNOWN, *events, *_stated()]


def _paths(value: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield prefix + name
            yield from _paths(each, f"{prefix}{name}.")
    elif isinstance(value, list):
        for each in value:
            yield from _paths(each, prefix.removesuffix(".") + "[].")


def test_every_field_is_filled_by_something() -> None:
    told = _rich()
    base = built_of(told)
    approved = approve(base, "bob@example.org", role="validator", use="credit", validUntil="2027-01-01T00:00:00Z")
    more = attest("dpia", {}, role="officer", documentDigest=RAW, documentUri="https://docs.example/dpia")
    psi = attest("threshold", {"metric": "psi", "maximum": 0.2})
    late = run_event("RUNNING", 150, "split", reads=["postcodes"])
    replaced, accepted = erase_rows(APPLICATIONS, "one"), erase_rows(APPLICATIONS, "two")
    decided = [
        dispose(replaced, "retrain", successor=VERSION),
        dispose(accepted, "accept", expiresAt="2027-01-01T00:00:00Z"),
    ]
    document = built_of([*told, approved, more, psi, late, replaced, accepted, *decided]).document

    filled = set(_paths(document))

    assert filled <= EVIDENCE.keys()
    assert {_field(path) for path in EVIDENCE} - {_field(path) for path in filled} == set()


def _field(path: str) -> str:
    """A field of a record, wherever the record occurs."""
    return f"{EVIDENCE[path].owner.__name__}.{path.rpartition('.')[2]}"
