"""Which approvals, waivers and statements stand: worked out from the acts in the order of the log, whenever asked.

What answers an act (a revocation, a countersignature) counts when it comes after it. Whether an act is *current* is a
question of the closure: it was given to what the version still is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog import rfc3339
from catalog.act import Act
from catalog.identity import NodeKind, structure
from catalog.reading import Reading
from policies import acts
from policies.acts import Approve, Attest, Waive
from policies.evidence.closure import Closure, closure, difference, has_only_grown

Micros = int


@dataclass(frozen=True, slots=True)
class StandingApproval:
    """An approval that nobody revoked. `changed` says what is no longer as it was when it was given.

    It is current when the closure is the same, or has only grown since and the same environment holds a reaffirmation,
    by one who had approved, of an approval of that closure.
    """

    id: str
    seq: int
    said: Approve
    current: bool
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StandingAttestation:
    """A statement that nobody withdrew. It counts in [`since`, `until`), µs."""

    id: str
    seq: int
    said: Attest
    since: Micros
    until: Micros
    current: bool

    @property
    def statement(self) -> Mapping[str, Any]:
        return self.said.statement

    def counts(self, instant: Micros) -> bool:
        return self.since <= instant < self.until


@dataclass(frozen=True, slots=True)
class StandingWaiver:
    """A waiver, countersigned by which other people, and whether it was revoked."""

    id: str
    seq: int
    said: Waive
    countersigned_by: tuple[str, ...]
    revoked: bool
    current: bool


def standing_approvals(reading: Reading, version: str, now: Closure | None = None) -> list[StandingApproval]:
    """Approvals of a version in the order of the log; `now` is its closure, where the caller has it."""
    given = [
        (act, acts.read(act, Approve))
        for act in _made(reading, NodeKind.APPROVAL, version, "approve")
        if acts.by(act).person is not None and not _answers(reading, act, "revokeApproval")
    ]
    if not given:
        return []
    now = now or closure(reading, version)
    renewed = _renewed(given, now)
    return [_approval(act, said, now, renewed) for act, said in given]


def _approval(act: Act, said: Approve, now: Closure, renewed: set[tuple[str, str]]) -> StandingApproval:
    same = said.closure_digest == now.digest
    grown = (said.environment, said.closure_digest) in renewed and has_only_grown(said.closure_parts, now.parts)
    changed = () if same else difference(said.closure_parts, now.parts)
    return StandingApproval(act.id, act.seq, said, same or grown, changed)


def _renewed(given: Sequence[tuple[Act, Approve]], now: Closure) -> set[tuple[str, str]]:
    """(environment, closure digest) of approvals that a current approval reaffirms."""
    by_id = {act.id: (act, said) for act, said in given}
    found = set()
    for act, said in given:
        earlier = by_id.get(said.reaffirms or "")
        if earlier is None or said.closure_digest != now.digest or earlier[0].seq > act.seq:
            continue
        if said.by.person is not None and (earlier[1].by.person, earlier[1].environment) == (
            said.by.person,
            said.environment,
        ):
            found.add((said.environment, earlier[1].closure_digest))
    return found


def standing_attestations(reading: Reading, target: str, now: Closure | None = None) -> list[StandingAttestation]:
    """Statements about a node in the order of the log.

    A statement about a version of a model is current while the closure that it names is the version's; one about
    anything else always is. `now` is the closure of the target, where the caller has it.
    """
    made = [
        (act, acts.read(act, Attest))
        for act in _made(reading, NodeKind.ATTESTATION, target, "attest")
        if not _answers(reading, act, "revokeAttestation")
    ]
    bound = any(said.closure_digest for _, said in made) and structure(target) is NodeKind.DATASET_VERSION
    digest = (now or closure(reading, target)).digest if bound else None
    return [_attestation(act, said, digest) for act, said in made]


def _attestation(act: Act, said: Attest, digest: str | None) -> StandingAttestation:
    since = max(rfc3339.parse(each) for each in (said.at, said.effective_at) if each is not None)
    free = said.target.kind != NodeKind.MODEL_VERSION
    current = free or (said.closure_digest is not None and said.closure_digest == digest)
    return StandingAttestation(act.id, act.seq, said, since, rfc3339.parse(said.expires_at), current)


def standing_waivers(reading: Reading, version: str, now: Closure | None = None) -> list[StandingWaiver]:
    """All waivers of controls on a version in the order of the log, revoked ones included and marked.

    Countersignatures of the one who asked, and of nobody that is known, do not count.
    """
    made = [(act, acts.read(act, Waive)) for act in _made(reading, NodeKind.WAIVER, version, "waive")]
    if not made:
        return []
    digest = (now or closure(reading, version)).digest
    return [
        StandingWaiver(
            act.id,
            act.seq,
            said,
            _others(_answers(reading, act, "countersignWaiver"), said.by.person),
            bool(_answers(reading, act, "revokeWaiver")),
            said.closure_digest == digest,
        )
        for act, said in made
    ]


def _made(reading: Reading, kind: NodeKind, target: str, verb: str) -> list[Act]:
    return [act for act in reading.acts(kind, target) if act.verb == verb]


def _answers(reading: Reading, act: Act, verb: str) -> list[Act]:
    """Later acts with this verb that answer the act."""
    return [
        each
        for each in reading.acts(act.kind, act.id)
        if each.verb == verb and each.body.get("refersTo") == act.id and each.seq > act.seq
    ]


def _others(answers: Iterable[Act], asked: str | None) -> tuple[str, ...]:
    persons = (each.body["by"].get("person") for each in answers)
    return tuple(dict.fromkeys(person for person in persons if person is not None and person != asked))
