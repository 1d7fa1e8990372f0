"""What people say about erasures, as it goes into the log: one typed body a REDACTION entry, canonical JSON (RFC 8785).

One person proposes, a second one erases; either may be told no. Holds forbid what they cover, until they are released.
A disposition says what is done about something that rests on erased data (GDPR Art. 17). Every body has `erased`,
which `lineward verify` reads: the positions whose bodies went with this entry, by their commitments.
"""

import secrets
from typing import Annotated, Any, Literal, TypeVar, Union
from uuid import UUID

import orjson
import rfc8785
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from catalog import rfc3339
from catalog.errors import CorruptLogError, InvalidInputError
from catalog.identity import NodeKind, act_id
from catalog.instant import text
from catalog.log.entry import Entry, EntryType, Submission
from catalog.principal import Principal

SOURCE = "act"
MAX_ENTRIES = 5_000
"""How many entries one proposal may name: its erasure is one transaction and one entry."""

Time = Annotated[str, AfterValidator(rfc3339.canonical)]
Said = Annotated[str, Field(min_length=1, max_length=4_000)]
Seq = Annotated[int, Field(ge=0, lt=1 << 53)]
Commit = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$", description="Base64 of 32 bytes, as in the envelope.")]
NodeId = Annotated[str, Field(min_length=4, max_length=200)]
Glob = Annotated[str, Field(min_length=1, max_length=500)]
Keep = Literal["structure", "nothing"]
Way = Literal["retrain", "unlearn", "suppress", "accept"]


class Part(BaseModel):
    """A part of a body: camelCase in JSON, nothing that we do not know."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class By(Part):
    """Who acted. A machine has no person."""

    principal: str
    person: str | None = None
    roles: tuple[str, ...] = ()


class EntryRef(Part):
    """An entry of the log, bound to its body by the commitment in its envelope."""

    seq: Seq
    commit: Commit


class ErasedEntry(EntryRef):
    """An entry whose body went. `leaf` is its hash in the tree, hex.

    `keeps` is its skeleton (see `catalog.erasure.skeleton`), None where nothing stays; `touches` are the nodes of the
    graph that lost something with it.
    """

    leaf: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    keeps: dict[str, Any] | None = None
    touches: tuple[NodeId, ...] = ()


class Reached(Part):
    """What rested on the entries, or on the data erased elsewhere, when it was erased: node ids."""

    models: tuple[NodeId, ...] = ()
    deployments: tuple[NodeId, ...] = ()
    decisions: tuple[NodeId, ...] = ()


class Body(Part):
    """What every act says. `at` is the server's time."""

    v: Literal[1] = 1
    act: str
    id: str
    at: Time
    by: By
    erased: tuple[ErasedEntry, ...] = ()


class Propose(Body):
    """One person wants these bodies erased, or tells that rows were erased from these datasets elsewhere.

    `basis` is the ground in law, as in "GDPR Art. 17(1)(b)"; `concerns` are node ids of datasets.
    """

    act: Literal["propose"] = "propose"
    reason: Said
    basis: Said
    entries: tuple[EntryRef, ...] = Field(default=(), max_length=MAX_ENTRIES)
    concerns: tuple[NodeId, ...] = Field(default=(), max_length=1_000)
    keep: Keep = "structure"

    @model_validator(mode="after")
    def _names_something(self) -> "Propose":
        if not self.entries and not self.concerns:
            raise ValueError("a proposal names entries, or datasets whose rows were erased elsewhere")
        return self


class Erase(Body):
    """A second person's yes: the bodies went in the transaction that wrote this. `proposal` is the id (a UUID) of what
    `refersTo` names by its node. `reached` is None where nobody looked."""

    act: Literal["erase"] = "erase"
    refers_to: NodeId
    proposal: str
    reason: Said
    basis: Said
    entries: tuple[EntryRef, ...] = ()
    concerns: tuple[NodeId, ...] = ()
    keep: Keep = "structure"
    reached: Reached | None = None


class Decline(Body):
    """No to a proposal; from its own proposer, a withdrawal."""

    act: Literal["decline"] = "decline"
    refers_to: NodeId
    reason: Said


class Hold(Body):
    """Nothing that one of these selectors covers may be erased before `until`, or a release (a legal hold)."""

    act: Literal["hold"] = "hold"
    namespaces: tuple[Glob, ...] = ()
    nodes: tuple[NodeId, ...] = ()
    entries: tuple[Seq, ...] = Field(default=(), max_length=MAX_ENTRIES)
    reason: Said
    until: Time | None = None

    @model_validator(mode="after")
    def _covers_something(self) -> "Hold":
        if not self.namespaces and not self.nodes and not self.entries:
            raise ValueError("a hold names namespaces, nodes or entries")
        return self


class Release(Body):
    """The end of a hold."""

    act: Literal["release"] = "release"
    refers_to: NodeId
    reason: Said


class Dispose(Body):
    """What is done about one `version` that rests on what the erasure `refersTo` erased, or was told of.

    `successor` is the version trained without it; to accept that it stays takes an `expiresAt`.
    """

    act: Literal["dispose"] = "dispose"
    refers_to: NodeId
    version: NodeId
    disposition: Way
    reason: Said
    successor: NodeId | None = None
    expires_at: Time | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Dispose":
        if self.disposition == "accept" and self.expires_at is None:
            raise ValueError("what is accepted expires: say when, as expiresAt")
        if self.disposition == "retrain" and self.successor is None:
            raise ValueError("a retraining names the version that succeeds, as successor")
        return self


Redaction = Annotated[
    Union[Propose, Erase, Decline, Hold, Release, Dispose],  # noqa: UP007 - a type of pydantic's, at run time
    Field(discriminator="act"),
]
_REDACTION: TypeAdapter[Propose | Erase | Decline | Hold | Release | Dispose] = TypeAdapter(Redaction)

B = TypeVar("B", bound=Body)


def node_of(body: Body) -> str:
    """The node id of an act, by which others answer it."""
    return act_id(NodeKind.REDACTION, body.id)


def make(kind: type[B], principal: Principal, at: int, **said: Any) -> B:
    """A new act of a principal at `at` (µs). Raises InvalidInputError with a pointer to what is wrong."""
    by = By(principal=principal.name, person=principal.person, roles=principal.roles)
    try:
        return kind(id=str(uuid7(at)), at=text(at), by=by, **said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = "/" + "/".join(to_camel(part) if isinstance(part, str) else str(part) for part in first["loc"])
        raise InvalidInputError(
            f"{where} cannot be taken: {first['msg']}.", "Correct it and send it again.", pointer=where
        ) from error


def plain(body: Body) -> dict[str, Any]:
    """The body as JSON types. What was not said is left out, save inside of skeletons; `erased` is always there."""
    given = {name for name in type(body).model_fields if getattr(body, name) is not None}
    document: dict[str, Any] = body.model_dump(mode="json", by_alias=True, include=given)
    document["by"] = {key: value for key, value in document["by"].items() if value is not None}
    return document


def serialise(body: Body) -> bytes:
    """RFC 8785."""
    return rfc8785.dumps(plain(body))


def submission(body: Body) -> Submission:
    """The entry of an act; an erasure takes the bodies that it erases with it, in one transaction."""
    content = serialise(body)
    return Submission(
        EntryType.REDACTION,
        body.by.principal,
        content,
        content,
        source=SOURCE,
        erases=tuple(each.seq for each in body.erased),
    )


def parse(entry: Entry) -> Propose | Erase | Decline | Hold | Release | Dispose | None:
    """The act in a REDACTION entry; None for verbs that a later version may bring.

    Raises CorruptLogError for a body that no door of ours can have written, and for other types of entries.
    """
    if entry.type is not EntryType.REDACTION or entry.body is None:
        raise _corrupt(entry, "it has no such body")
    try:
        document = orjson.loads(entry.body)
        if document["act"] not in VERBS:
            return None
        return _REDACTION.validate_python(document)
    except (ValueError, KeyError, TypeError) as error:
        raise _corrupt(entry, str(error)) from error


VERBS = frozenset(kind.model_fields["act"].default for kind in (Propose, Erase, Decline, Hold, Release, Dispose))


def uuid7(at: int) -> UUID:
    """RFC 9562, section 5.7, of a moment in µs."""
    random = secrets.randbits(74)
    return UUID(int=(at // 1000 << 80) | (7 << 76) | (random >> 62 << 64) | (2 << 62) | (random & ((1 << 62) - 1)))


def _corrupt(entry: Entry, why: str) -> CorruptLogError:
    return CorruptLogError(
        f"entry {entry.seq} is no redaction that Lineward wrote: {why}", "Restore the log from a backup."
    )
