"""A small catalog with data, a model, a service and people, told in events and acts."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
import rfc8785

from catalog.act import KINDS, InterpretedAct, interpret_act
from catalog.graph.contract import FOREVER, GraphStore
from catalog.graph.memory import MemoryGraph
from catalog.identity import act_id, dataset_id, job_id, named_version_id, run_id
from catalog.instant import SECOND
from catalog.log.entry import Entry, EntryType
from catalog.projector import Projector
from catalog.reading import Reading
from ingest.instant import parse_instant
from ingest.openlineage import Interpretation
from policies.evidence.builder import Built, build_evidence, everyone
from policies.evidence.draft import Authoritative
from tests.ingest.events import (
    DATA,
    JOBS,
    ORIGIN,
    Event,
    at,
    columns_from,
    dataset,
    facet,
    interpret_entry,
    job_type,
    model,
    run_event,
    schema,
    time,
    uuid,
    versioned,
)

REGISTRY = "mlflow://registry:5000"
LATER = at(5000)  # when evidence is asked for, µs
RAW = "sha256:" + "0a" * 32
TRAIN = "sha256:" + "7a" * 32
TEST = "sha256:" + "7e" * 32
WEIGHTS = "sha256:" + "ee" * 32
ENVIRONMENT = "sha256:" + "e0" * 32

MODEL = dataset_id(REGISTRY, "credit")
VERSION = named_version_id(MODEL, "1")
APPLICATIONS = dataset_id(DATA, "applications")
TRAINING_DATA = named_version_id(dataset_id(DATA, "train"), TRAIN)
TEST_DATA = named_version_id(dataset_id(DATA, "test"), TEST)
SERVICE = job_id(JOBS, "score")


def run_of(label: str, job: str | None = None) -> str:
    return run_id(uuid(label), JOBS, job or label)


# Events ------------------------------------------------------------------------------------------------------------


def tagged(**columns: str) -> Event:
    return facet(tags=[{"key": label, "value": "true", "field": column} for column, label in columns.items()])


def governance(**said: Any) -> Event:
    return facet(**({"licence": "CC-BY-4.0", "origin": {"source": "bureau"}, "storageCountry": "DE"} | said))


def code(commit: str = "c0ffee", repository: str = "https://git.example/credit") -> Event:
    return {
        "sourceCodeLocation": facet(type="git", url=repository, repoUrl=repository, path="train.py", version=commit)
    }


def used(mention: Event, role: str | None = None, **said: Any) -> Event:
    told = said | ({"role": role} if role else {})
    return mention | {"inputFacets": {"lineward_input": facet(**told)}}


def prepare(**applications: Any) -> list[Event]:
    """Applications from the bureau's extract, and features from these: sex is hashed on the way."""
    table = versioned(
        "applications",
        RAW,
        schema=schema("income", "sex"),
        tags=tagged(sex="protected:sex"),
        lineward_dataGovernance=governance(),
        ownership=facet(owners=[{"name": "team:data"}]),
        **applications,
    )
    lineage = columns_from(income=[("applications", "income")], sex_h=[("applications", "sex")])
    lineage["fields"]["sex_h"]["inputFields"][0]["transformations"] = [
        {"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": True}
    ]
    halves = [
        versioned(name, digest, schema=schema("income", "sex_h"), columnLineage=lineage)
        for name, digest in (("train", TRAIN), ("test", TEST))
    ]
    return [
        run_event("COMPLETE", 100, "load", reads=["extract"], writes=[table], job_facets=code("1oad")),
        run_event("COMPLETE", 200, "split", reads=[versioned("applications", RAW)], writes=halves),
    ]


def train(
    *,
    commit: str = "c0ffee",
    c: str = "0.5",
    seed: int = 7,
    data: Event | None = None,
    authors: list[str] | None = None,
    version: str = "1",
    run: str = "train",
    when: float = 300,
    base: Mapping[str, str] | None = None,
    digest: str = WEIGHTS,
) -> Event:
    card = {"digest": digest, "framework": "scikit-learn", "intendedUse": "ranking of applications"}
    training = facet(seed=seed, environmentDigest=ENVIRONMENT)
    training |= {"authors": ["ann@example.org"] if authors is None else authors, "user": "Ann@Example.org"}
    return run_event(
        "COMPLETE",
        when,
        run,
        "train",
        reads=[data or used(versioned("train", TRAIN), "training", splitGroup="credit")],
        writes=[model("credit", version, lineward_model=facet(**card, **({"baseModel": base} if base else {})))],
        job_facets=code(commit),
        lineward_training=training,
        executionParameters=facet(parameters=[{"key": "C", "value": c}, {"key": "depth", "value": 3}]),
    )


def evaluate(run: str = "evaluate", when: float = 400, *, kind: str = "performance", auc: float = 0.75) -> Event:
    metrics = [{"name": "auc", "value": auc}, {"name": "auc", "value": 0.5, "slice": "young"}]
    return run_event(
        "COMPLETE",
        when,
        run,
        reads=[model("credit", "1"), used(versioned("test", TEST), "test", splitGroup="credit")],
        lineward_evaluation=facet(kind=kind, metrics=metrics, slices=[{"name": "young", "attributes": ["age"]}]),
    )


def serve(when: float, version: str = "1", kind: str = "RUNNING") -> Event:
    serving = facet(environment="production", country="DE", logging={"enabled": True, "retentionDays": 90})
    return run_event(
        kind,
        when,
        "serve",
        "score",
        reads=[used(model("credit", version), digest=WEIGHTS), dataset("online")],
        writes=[dataset("predictions")],
        job_facets=job_type("LINEWARD", processing="SERVICE", windowDuration=7200),
        lineward_serving=serving,
        lineward_predictions=facet(**{"from": time(when - 60), "to": time(when), "count": 5}),
    )


def monitor(when: float, run: str = "monitor") -> Event:
    return run_event(
        "COMPLETE",
        when,
        run,
        reads=[model("credit", "1"), dataset("predictions")],
        lineward_evaluation=facet(kind="drift", metrics=[{"name": "psi", "value": 0.3}]),
    )


def story() -> list[Event]:
    return [*prepare(), train(), evaluate(), serve(500), serve(600), monitor(700)]


# Acts --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """An act with its type of entry."""

    type: EntryType
    body: Mapping[str, Any]

    @property
    def id(self) -> str:
        return act_id(KINDS[self.type], self.body["id"])


Telling = Event | Said


def _act(type_: EntryType, verb: str, when: float, name: str, actor: str, **said: Any) -> Said:
    by = {"principal": f"key:{actor}", "roles": ["validator"], "person": actor}
    body = {"v": 1, "act": verb, "id": str(uuid5(NAMESPACE_URL, name)), "at": time(when), "by": by}
    return Said(type_, body | {key: value for key, value in said.items() if value is not None})


def erase_rows(dataset: str, name: str, when: float = 1_500) -> Said:
    """Somebody tells that rows went from a dataset."""
    told = {"reason": "asked for", "basis": "GDPR Art. 17(1)(b)", "concerns": [dataset], "keep": "structure"}
    return _act(EntryType.REDACTION, "propose", when, name, "eve@example.org", **told, erased=[])


def dispose(case: Said, way: str, when: float = 1_600, **said: Any) -> Said:
    """Somebody decides what is done about the version because of it."""
    told = {"refersTo": case.id, "version": VERSION, "disposition": way, "reason": "decided", "erased": []} | said
    return _act(EntryType.REDACTION, "dispose", when, f"dispose {case.id} {way}", "fay@example.org", **told)


def target(node: str, kind: str = "MODEL_VERSION") -> dict[str, Any]:
    return {"node": node, "kind": kind, "namespace": REGISTRY, "name": "credit"}


def attest(
    type_: str,
    statement: Mapping[str, Any],
    *,
    node: str = MODEL,
    kind: str = "MODEL",
    when: float = 900,
    until: float = 100_000,
    name: str | None = None,
    person: str = "vera@example.org",
    **said: Any,
) -> Said:
    return _act(
        EntryType.ATTESTATION,
        "attest",
        when,
        name or f"{type_} {sorted(statement.items())} {node}",
        person,
        target=target(node, kind),
        type=type_,
        statement=dict(statement),
        expiresAt=time(until),
        **said,
    )


def withdraw(act: Said, when: float = 950) -> Said:
    return _act(
        EntryType.ATTESTATION,
        "revokeAttestation",
        when,
        f"withdraw {act.id}",
        "vera@example.org",
        target=act.body["target"],
        refersTo=act.id,
        reason="wrong",
    )


def approve(built: Built, person: str, when: float = 1000, **said: Any) -> Said:
    assert built.closure is not None
    return _act(
        EntryType.APPROVAL,
        "approve",
        when,
        f"approve {person} {built.closure.digest} {when}",
        person,
        target=target(VERSION),
        environment="production",
        closureDigest=built.closure.digest,
        closureParts=[list(part) for part in built.closure.parts],
        **said,
    )


def revoke(act: Said, when: float = 1100) -> Said:
    return _act(
        EntryType.APPROVAL,
        "revokeApproval",
        when,
        f"revoke {act.id}",
        "bob@example.org",
        target=act.body["target"],
        refersTo=act.id,
        reason="wrong",
    )


def waive(built: Built, person: str, when: float = 1000) -> Said:
    assert built.closure is not None
    return _act(
        EntryType.WAIVER,
        "waive",
        when,
        f"waive {person}",
        person,
        target=target(VERSION),
        pack="base",
        control="B-01",
        reason="late data",
        compensatingControl="watched by hand",
        severity="high",
        expiresAt=time(50_000),
        closureDigest=built.closure.digest,
    )


def answer_waiver(act: Said, verb: str, person: str, when: float = 1100) -> Said:
    reason = "over" if verb == "revokeWaiver" else None
    return _act(
        EntryType.WAIVER,
        verb,
        when,
        f"{verb} {act.id} {person}",
        person,
        target=act.body["target"],
        refersTo=act.id,
        reason=reason,
    )


def identify(alias: str, person: str, when: float = 10) -> Said:
    return _act(
        EntryType.POLICY, "identify", when, f"{alias} {person}", "admin@example.org", alias=alias, person=person
    )


KNOWN = [identify("email:ann@example.org", "ann@example.org"), identify("email:bob@example.org", "bob@example.org")]


# The catalog -------------------------------------------------------------------------------------------------------


def entries(told: Iterable[Telling], *, start: int = 0, actor: str = "local") -> list[Entry]:
    """Log entries in the order given, each received a second after it happened."""
    return [_entry(seq, each, actor) for seq, each in enumerate(told, start)]


def _entry(seq: int, told: Telling, actor: str) -> Entry:
    if isinstance(told, Said):
        moment = _micros(told.body["at"])
        return Entry(seq, moment, told.type, "key", "act", (), rfc8785.dumps(dict(told.body)), b"")
    received = _micros(told["eventTime"]) + SECOND
    return Entry(seq, received, EntryType.OPENLINEAGE, actor, "http", (), orjson.dumps(told), b"")


def _micros(when: str) -> int:
    return parse_instant(when).micros


def interpreted(entry: Entry) -> Interpretation | InterpretedAct | None:
    return interpret_entry(entry) if entry.type is EntryType.OPENLINEAGE else interpret_act(entry)


def fill(store: GraphStore, told: Iterable[Telling], *, actor: str = "local") -> None:
    assert Projector(store, ORIGIN, interpreted).project(entries(told, actor=actor))


@contextmanager
def reading_of(
    told: Iterable[Telling], *, store: GraphStore | None = None, known: int | None = None
) -> Iterator[Reading]:
    held = store or MemoryGraph()
    fill(held, told)
    with held.read(known, FOREVER) as reader:
        yield Reading(reader)


def built_of(
    told: Iterable[Telling],
    node: str = VERSION,
    *,
    evaluated_at: int = LATER,
    authoritative: Authoritative = everyone,
    known: int | None = None,
    **bounds: int,
) -> Built:
    with reading_of(told, known=known) as reading:
        return build_evidence(reading, node, evaluated_at=evaluated_at, authoritative=authoritative, **bounds)
