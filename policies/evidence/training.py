"""The runs that made a model version, and the people behind them."""

from dataclasses import dataclass
from typing import Any

from catalog.model import Node
from catalog.reading import Reading
from catalog.reported import code_of, only
from policies.evidence.attested import Attested, lay_over_fields
from policies.evidence.closure import parameters_digest
from policies.evidence.document import TrainingRun
from policies.evidence.draft import Draft
from policies.evidence.people import People
from policies.evidence.said import digest_in, text_in, texts_in
from policies.evidence.upstream import PASSING, Upstream


@dataclass(frozen=True, slots=True)
class Trained:
    """A training run, everybody it names, and what it consumed."""

    draft: Draft
    names: tuple[str, ...]
    flops: float | None


def training_runs(reading: Reading, upstream: Upstream, attested: Attested, made: list[Node]) -> list[Trained]:
    """The runs that made the version, by id."""
    return [_trained(reading, upstream, attested, run) for run in sorted(made, key=lambda run: run.id)]


def _trained(reading: Reading, upstream: Upstream, attested: Attested, run: Node) -> Trained:
    draft = Draft(TrainingRun, id=run.id, runId=run.label, job=run.name, state=run.state)
    draft.put("startedAt", run.started)
    draft.put("endedAt", run.ended)
    code = code_of(reading, run.id)
    if code is not None:
        draft.put("code.repository", code.repository or code.url)
        draft.put("code.path", code.path)
        draft.put("code.commit", code.version)
    draft.put("parametersDigest", parameters_digest(reading, run.id))
    told = only(reading.facets(run.id, ["lineward_training"]))
    draft.put("environmentDigest", digest_in(told.get("environmentDigest")))
    draft.put("seed", told.get("seed"))
    draft.put("user", told.get("user"))
    draft.put("authors", told.get("authors"))
    draft.put("inputs", inputs_of(upstream, run))
    reported = _names(draft)
    lay_over_fields(draft, attested.counting(run.id))
    names = tuple(dict.fromkeys((*reported, *_names(draft))))  # a statement adds people, it never takes one away
    flops = told.get("compute", {}).get("flops") if isinstance(told.get("compute"), dict) else None
    if isinstance(flops, bool) or not isinstance(flops, int | float):
        return Trained(draft, names, None)
    return Trained(draft, names, float(flops))


def _names(draft: Draft) -> list[str]:
    user = text_in(draft["user"])
    return [*(texts_in(draft["authors"]) or ()), *([user] if user else [])]


def inputs_of(upstream: Upstream, run: Node) -> list[dict[str, Any]]:
    """What a run read, by id, with the role that it gave to each."""
    read = [upstream.nodes[edge.source] for edge in upstream.into(run.id)]
    return [
        {"id": data.id, "namespace": data.namespace or "", "name": data.name}
        | ({"role": role} if (role := upstream.use(run.id, data).role) is not None else {})
        for data in sorted(read, key=lambda each: each.id)
        if data.kind not in PASSING
    ]


def put_developers(subject: Draft, runs: list[Trained], people: People) -> None:
    """Who developed the version, and whether that is everybody: only where a run made it at all."""
    if not runs:
        return
    persons = {name: people.person_of(name) for run in runs for name in run.names}
    subject.put("developedBy", sorted({person for person in persons.values() if person is not None}))
    subject.put("developersKnown", all(run.names for run in runs) and None not in persons.values())
    subject.put("unknownDevelopers", sorted(name for name, person in persons.items() if person is None) or None)
    started = [run.draft["startedAt"] for run in runs if run.draft["startedAt"]]
    subject.put("lastMaterialChangeAt", max(started, default=None))
    flops = [run.flops for run in runs if run.flops is not None]
    subject.put("trainingFlops", sum(flops) if flops else None)
