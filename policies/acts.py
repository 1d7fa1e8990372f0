"""What people do, as it goes into the log: one typed body an act, canonical JSON (RFC 8785), one entry each.

Bodies hold what was said, never what it amounts to: whether an approval still stands or a waiver is in force is
worked out from the acts in log order, whenever it is asked.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal, TypeVar
from uuid import uuid4

import rfc8785
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from catalog import rfc3339
from catalog.act import KINDS, Act
from catalog.canonical import quickly
from catalog.errors import CorruptLogError, InvalidInputError
from catalog.identity import act_id
from catalog.instant import text
from catalog.log.entry import EntryType, Receipt, Submission
from catalog.model import Node
from catalog.principal import Principal

SOURCE = "act"
_SAFE = 1 << 53

Time = Annotated[str, AfterValidator(rfc3339.canonical)]
Said = Annotated[str, Field(min_length=1, max_length=4_000)]
Name = Annotated[str, Field(min_length=1, max_length=256)]
ActId = Annotated[str, Field(min_length=1, description="Node id of an act.")]


class Part(BaseModel):
    """A part of a body: camelCase in JSON, nothing that we do not know."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class By(Part):
    """Who acted. A machine has no person."""

    principal: str
    person: str | None = None
    roles: tuple[str, ...] = ()


class Target(Part):
    """What an act is about."""

    node: str
    kind: str
    namespace: str
    name: str
    version: str | None = None


class Body(Part):
    """What every act says. `at` is the server's time."""

    entry_type: ClassVar[EntryType]

    v: Literal[1] = 1
    act: str
    id: str
    at: Time
    by: By


class Approve(Body):
    entry_type = EntryType.APPROVAL
    act: Literal["approve"] = "approve"
    target: Target
    environment: Name
    use: Said | None = None
    role: Name | None = None
    conditions: tuple[Said, ...] = ()
    valid_until: Time | None = None
    reason: Said | None = None
    version_digest: str | None = None
    closure_digest: str
    closure_parts: tuple[tuple[str, str, str], ...] = ()
    reaffirms: ActId | None = None


class RevokeApproval(Body):
    entry_type = EntryType.APPROVAL
    act: Literal["revokeApproval"] = "revokeApproval"
    target: Target
    refers_to: ActId
    reason: Said


class Waive(Body):
    """One control of one pack on one version. It waits for a second person, unless it breaks the glass."""

    entry_type = EntryType.WAIVER
    act: Literal["waive"] = "waive"
    target: Target
    pack: Name
    control: Name
    environment: Name | None = None
    items: tuple[str, ...] = ()
    reason: Said
    compensating_control: Said
    severity: str
    expires_at: Time
    closure_digest: str
    break_glass: bool = False


class CountersignWaiver(Body):
    entry_type = EntryType.WAIVER
    act: Literal["countersignWaiver"] = "countersignWaiver"
    target: Target
    refers_to: ActId


class RevokeWaiver(Body):
    entry_type = EntryType.WAIVER
    act: Literal["revokeWaiver"] = "revokeWaiver"
    target: Target
    refers_to: ActId
    reason: Said


class Attest(Body):
    entry_type = EntryType.ATTESTATION
    act: Literal["attest"] = "attest"
    target: Target
    type: Name
    statement: dict[str, Any]
    document_digest: Annotated[str | None, Field(pattern=r"^[a-z0-9]+:[0-9a-f]+$")] = None
    document_uri: Said | None = None
    role: Name | None = None
    expires_at: Time
    effective_at: Time | None = None
    closure_digest: str | None = None


class RevokeAttestation(Body):
    entry_type = EntryType.ATTESTATION
    act: Literal["revokeAttestation"] = "revokeAttestation"
    target: Target
    refers_to: ActId
    reason: Said


class ProposePolicy(Body):
    """Packs and bindings, normalised, that one person wants in force."""

    entry_type = EntryType.POLICY
    act: Literal["proposePolicy"] = "proposePolicy"
    documents: tuple[dict[str, Any], ...] = Field(min_length=1)
    reason: Said | None = None


class RetirePolicy(Body):
    """Names of packs and bindings that one person wants out of force."""

    entry_type = EntryType.POLICY
    act: Literal["retirePolicy"] = "retirePolicy"
    names: tuple[Name, ...] = Field(min_length=1)
    reason: Said | None = None


class AcceptBaseline(Body):
    """Today's findings that one person wants accepted under a binding until a date.

    A finding is (target's node id, pack, control, key of the item or None for the whole control).
    """

    entry_type = EntryType.POLICY
    act: Literal["acceptBaseline"] = "acceptBaseline"
    binding: Name
    until: Time
    findings: tuple[tuple[str, str, str, str | None], ...] = Field(min_length=1)


class ConfirmPolicy(Body):
    """A second person's yes to a proposal, a retirement or a baseline."""

    entry_type = EntryType.POLICY
    act: Literal["confirmPolicy"] = "confirmPolicy"
    refers_to: ActId


class Snapshot(Part):
    """The log that was decided on: its first `logSize` entries have the Merkle root `root` (hex)."""

    origin: str
    log_size: int
    root: str
    known: int


class PackUsed(Part):
    """A pack as it was evaluated: the whole document, so that the decision alone replays."""

    name: str
    version: str
    digest: str
    document: dict[str, Any]
    params: dict[str, Any] = Field(default_factory=dict)
    enforcement: dict[str, str] = Field(default_factory=dict)


class BindingUsed(Part):
    name: str
    digest: str


class BaselineUsed(Part):
    """A baseline as it was applied: those of its findings that are about the target."""

    act: ActId
    binding: str
    since: Time
    until: Time
    findings: tuple[tuple[str, str, str, str | None], ...]


class RollbackTo(Part):
    """The allow that a rollback goes back to, and the one person who wants it."""

    decision: ActId
    allowed_at: Time
    person: str


class Decide(Body):
    """A release decision with everything that it takes to compute it again."""

    entry_type = EntryType.DECISION
    act: Literal["decide"] = "decide"
    target: Target | None = None
    environment: str
    use: str | None = None
    requester: str
    state: str
    reasons: tuple[str, ...]
    preview: bool = False
    snapshot: Snapshot
    evaluated_at: Time
    evidence: dict[str, Any] | None = None
    evidence_digest: str | None = None
    packs: tuple[PackUsed, ...] = ()
    bindings: tuple[BindingUsed, ...] = ()
    controls: tuple[dict[str, Any], ...] = ()
    approvals: tuple[str, ...] = ()
    waivers: tuple[dict[str, Any], ...] = ()
    baselines: tuple[BaselineUsed, ...] = ()
    next_flip_at: Time | None = None
    expires_at: Time | None = None
    verdict: str
    rollback: RollbackTo | None = None
    error_id: str | None = None


_VERBS: dict[str, type[Body]] = {
    body.model_fields["act"].default: body
    for body in (
        Approve,
        RevokeApproval,
        Waive,
        CountersignWaiver,
        RevokeWaiver,
        Attest,
        RevokeAttestation,
        ProposePolicy,
        RetirePolicy,
        AcceptBaseline,
        ConfirmPolicy,
        Decide,
    )
}

B = TypeVar("B", bound=Body)


def make(kind: type[B], principal: Principal, at: int, **said: Any) -> B:
    """A new act of a principal at `at` (µs). Raises InvalidInputError with a pointer to what is wrong."""
    by = By(principal=principal.name, person=principal.person, roles=principal.roles)
    try:
        return kind(id=str(uuid4()), at=text(at), by=by, **said)
    except ValidationError as error:
        raise invalid(error) from error


def invalid(error: ValidationError) -> InvalidInputError:
    """The first thing that is wrong, with where it is."""
    first = error.errors(include_url=False, include_context=False)[0]
    where = "/" + "/".join(to_camel(part) if isinstance(part, str) else str(part) for part in first["loc"])
    message = f"{where} cannot be taken: {first['msg']}."
    return InvalidInputError(message, "Correct it and send it again.", pointer=where)


def canonical(document: Mapping[str, Any]) -> bytes:
    """RFC 8785; integers that a double cannot hold become strings."""
    quick = quickly(document)
    return rfc8785.dumps(safe(document)) if quick is None else quick


def digest(document: Mapping[str, Any]) -> str:
    """`sha256:` and the hex digest of the canonical bytes."""
    return "sha256:" + sha256(canonical(document)).hexdigest()


def safe(value: Any) -> Any:
    """A value of JSON's types whose integers a double can hold."""
    if isinstance(value, Mapping):
        return {str(key): safe(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [safe(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _SAFE:
        return str(value)
    return value


def plain(body: Body) -> dict[str, Any]:
    """The body as JSON types. What was not said is left out, save inside of free documents and findings."""
    given = {name for name in type(body).model_fields if getattr(body, name) is not None}
    document: dict[str, Any] = body.model_dump(mode="json", by_alias=True, include=given)
    for part in ("by", "target", "rollback"):
        if part in document:
            document[part] = {key: value for key, value in document[part].items() if value is not None}
    return document


def submission(body: Body, told: Mapping[str, Any] | None = None) -> Submission:
    """The entry of an act; `told` is its `plain` where the caller has it."""
    content = canonical(plain(body) if told is None else told)
    return Submission(body.entry_type, body.by.principal, content, content, source=SOURCE)


def recorded(body: Body, receipt: Receipt, told: Mapping[str, Any] | None = None) -> Act:
    """The act as a reading will see it, once projected; `told` as for `submission`."""
    kind, said = KINDS[body.entry_type], plain(body) if told is None else told
    return Act(act_id(kind, body.id), kind, body.act, receipt.seq, rfc3339.parse(body.at), said)


def read(act: Act, kind: type[B]) -> B:
    """The typed body of an act; CorruptLogError for one that no door of ours can have written."""
    try:
        return kind.model_validate(act.body)
    except ValidationError as error:
        raise CorruptLogError(
            f"entry {act.seq} is no {kind.model_fields['act'].default} that Lineward wrote: {error}",
            "Restore the log from a backup.",
        ) from error


def by(act: Act) -> By:
    """Who acted; CorruptLogError for an act of nobody."""
    try:
        return By.model_validate(act.body.get("by"))
    except ValidationError as error:
        raise CorruptLogError(
            f"entry {act.seq} is an act of nobody: {error}", "Restore the log from a backup."
        ) from error


def typed(act: Act) -> Body | None:
    """The typed body of an act of any verb; None for verbs that are others' business."""
    kind = _VERBS.get(act.verb)
    return None if kind is None else read(act, kind)


def target_of(node: Node) -> Target:
    """What an act says of the node that it is about."""
    return Target(
        node=node.id, kind=node.kind.value, namespace=node.namespace or "", name=node.name, version=node.label
    )
