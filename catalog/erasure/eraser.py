"""Asking for erasures, agreeing to them and forbidding them: what is checked before it is logged, one act at a time.

Nothing here is trusted later: `ErasureRegister` folds the log anew. What is erased is gone with the entry that says so,
in one transaction (`LogStore.append`), and two persons stand behind it.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from catalog.erasure import redaction
from catalog.erasure.redaction import (
    Body,
    Decline,
    EntryRef,
    Erase,
    ErasedEntry,
    Hold,
    Keep,
    Propose,
    Reached,
    Release,
    make,
)
from catalog.erasure.register import ErasureRegister, Proposal, ProposalState, StandingHold
from catalog.erasure.skeleton import REVOKING, refuse_what_stays, skeleton_of
from catalog.erasure.touching import Touching
from catalog.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from catalog.identity import NodeKind, structure
from catalog.log.entry import Entry, EntryType, Receipt, Submission, decode_envelope
from catalog.log.merkle import leaf_hash
from catalog.log.writer import microseconds_now
from catalog.principal import LOCAL, Principal, Scope

_PAGE = 500
SEARCHED = 20_000
"""How many entries one search looks at before it answers."""


class ErasableLog(Protocol):
    """What an eraser reads: see `LogReader`."""

    def entry(self, seq: int) -> Entry: ...
    def entries(self, start: int, limit: int) -> list[Entry]: ...
    def acts(self, types: Sequence[EntryType], start: int, limit: int) -> list[Entry]: ...


Reach = Callable[[Sequence[int], Sequence[str]], Reached | None]
"""What rests on entries (by position) and on datasets (by node id) now; None where nobody looks."""

SamePerson = Callable[[str, str], bool]
"""Whether two names of persons are one human, as the log says by now."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks to erase: see `redaction.Propose`."""

    reason: str
    basis: str
    entries: tuple[int, ...] = ()
    concerns: tuple[str, ...] = ()
    keep: Keep = "structure"


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that holds some words: what it is of, `where` as JSON pointers, and why it cannot be erased, if so."""

    seq: int
    type: EntryType
    recorded: int
    actor: str
    about: str
    where: tuple[str, ...]
    stays: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """Matches in the order of the log, and the position at which to search on; None at its end."""

    matches: tuple[Match, ...]
    onward: int | None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An erasure that is done: the proposal as it now stands, and the size of the log that says so."""

    proposal: Proposal
    erase: Erase
    size: int
    warnings: tuple[str, ...] = field(default=())


class Eraser:
    """Takes what people want erased. For use by any number of threads; one to a log.

    `append` returns when the submission is durable. `settle` hears the size of a log that lost something, and gives the
    projection its time. `copies` tells of copies of the log that still hold these positions. Every method raises
    ForbiddenError for who may not, and what an append raises.
    """

    def __init__(
        self,
        log: ErasableLog,
        append: Callable[[Submission], Receipt],
        touching: Touching,
        *,
        reach: Reach = lambda _entries, _concerns: None,
        same_person: SamePerson = lambda one, other: one == other,
        clock: Callable[[], int] = microseconds_now,
        settle: Callable[[int], None] = lambda _size: None,
        copies: Callable[[Sequence[int]], Sequence[str]] = lambda _entries: (),
    ) -> None:
        self._log = log
        self._append = append
        self._touching = touching
        self._reach = reach
        self._same_person = same_person
        self._clock = clock
        self._settle = settle
        self._copies = copies
        self._register = ErasureRegister()
        self._lock = threading.Lock()
        self._latest = 0

    def register(self) -> ErasureRegister:
        """What the log says by now. The caller's own: it does not move."""
        return ErasureRegister.of(self._log)

    # Searching -------------------------------------------------------------------------------------------------

    def find(self, by: Principal, text: str, start: int = 0) -> Found:
        """Entries whose bodies hold the text in any string or name, whatever its case, among the next `SEARCHED`.

        Of namespaces in which the caller may redact. InvalidInputError for a text of fewer than three characters.
        """
        by.require(Scope.REDACT)
        wanted = text.casefold().strip()
        if len(wanted) < 3:
            raise InvalidInputError("That is too little to search for.", "Give at least three characters.")
        matches: list[Match] = []
        position, end = start, start + SEARCHED
        while position < end:
            page = self._log.entries(position, min(_PAGE, end - position))
            if not page:
                return Found(tuple(matches), None)
            matches += (match for entry in page if (match := self._match(by, entry, wanted)) is not None)
            position = page[-1].seq + 1
        return Found(tuple(matches), position)

    def _match(self, by: Principal, entry: Entry, wanted: str) -> Match | None:
        if entry.body is None:
            return None
        document = orjson.loads(entry.body)
        where = tuple(pointer for pointer, said in _strings(document) if wanted in said.casefold())
        if not where or not self._may(by, entry):
            return None
        try:
            refuse_what_stays(entry)
            stays = None
        except InvalidInputError as error:
            stays = error.message
        return Match(entry.seq, entry.type, entry.recorded, entry.actor, _about(document), where, stays)

    # Acts ------------------------------------------------------------------------------------------------------

    def propose(self, by: Principal, wanted: Wanted) -> Proposal:
        """Ask a second person to erase entries, or tell of rows that were erased from datasets elsewhere.

        NotFoundError for positions beyond the log, InvalidInputError for entries that are never erased, ConflictError
        for those that are erased already, or held.
        """
        _person_of(by)
        with self._turn() as at:
            refs = tuple(self._checked(by, seq, wanted.keep, at)[0] for seq in sorted(set(wanted.entries)))
            for node in wanted.concerns:
                if structure(node) not in (NodeKind.DATASET, NodeKind.DATASET_VERSION):
                    raise InvalidInputError(
                        f"{node} is no dataset.", "Take the id of a dataset from an answer.", pointer="/concerns"
                    )
            said = make(
                Propose,
                by,
                at,
                reason=wanted.reason,
                basis=wanted.basis,
                entries=refs,
                concerns=wanted.concerns,
                keep=wanted.keep,
            )
            self._write(said)
            return self._proposal(said.id)

    def confirm(self, by: Principal, proposal: str) -> Confirmed:
        """Erase what somebody else proposed: it is gone when this returns.

        ForbiddenError for the proposer, ConflictError for a proposal that was answered, or that a hold or another
        erasure overtook. NotFoundError for what is no proposal.
        """
        person = _person_of(by)
        with self._turn() as at:
            asked = self._open(proposal)
            self._second(person, asked)
            erased = tuple(self._erased(by, ref, asked.said.keep, at) for ref in asked.said.entries)
            said = make(
                Erase,
                by,
                at,
                refers_to=asked.node,
                proposal=asked.id,
                reason=asked.said.reason,
                basis=asked.said.basis,
                entries=asked.said.entries,
                concerns=asked.said.concerns,
                keep=asked.said.keep,
                erased=erased,
                reached=self._reach([each.seq for each in erased], asked.said.concerns),
            )
            receipt = self._write(said)
            done = Confirmed(self._proposal(proposal), said, receipt.seq + 1, ())
        self._settle(done.size)
        copies = tuple(self._copies([each.seq for each in erased])) if erased else ()
        return Confirmed(done.proposal, said, done.size, copies)

    def decline(self, by: Principal, proposal: str, reason: str) -> Proposal:
        """Say no to a proposal; its own proposer withdraws it."""
        _person_of(by)
        with self._turn() as at:
            asked = self._open(proposal)
            self._write(make(Decline, by, at, refers_to=asked.node, reason=reason))
            return self._proposal(proposal)

    def hold(
        self,
        by: Principal,
        reason: str,
        *,
        namespaces: Sequence[str] = (),
        nodes: Sequence[str] = (),
        entries: Sequence[int] = (),
        until: str | None = None,
    ) -> StandingHold:
        """Forbid to erase what one of these covers, until a time or a release."""
        _person_of(by)
        with self._turn() as at:
            told = {"namespaces": tuple(namespaces), "nodes": tuple(nodes), "entries": tuple(entries), "until": until}
            said = make(Hold, by, at, reason=reason, **told)
            self._write(said)
            return next(each for each in self._register.holds if each.node == redaction.node_of(said))

    def release(self, by: Principal, hold: str, reason: str) -> None:
        """End a hold, by its node id. NotFoundError where none stands under it."""
        _person_of(by)
        with self._turn() as at:
            if all(each.node != hold for each in self._register.holds):
                raise NotFoundError(f"No hold {hold} stands.", "`lineward redact list` shows those that do.")
            self._write(make(Release, by, at, refers_to=hold, reason=reason))

    # Under the lock --------------------------------------------------------------------------------------------

    @contextmanager
    def _turn(self) -> Iterator[int]:
        """In sight of all acts before this one; its time, µs, is never earlier than theirs."""
        with self._lock:
            self._register.catch_up(self._log)
            self._latest = max(self._clock(), self._latest)
            yield self._latest

    def _write(self, said: Body) -> Receipt:
        receipt = self._append(redaction.submission(said))
        self._register.catch_up(self._log)
        return receipt

    def _proposal(self, named: str) -> Proposal:
        found = self._register.proposal(named)
        if found is None:
            raise NotFoundError(f"There is no proposal {named}.", "`lineward redact list` shows them.")
        return found

    def _open(self, named: str) -> Proposal:
        found = self._proposal(named)
        if found.state is not ProposalState.OPEN:
            raise ConflictError(f"The proposal {named} is {found.state.lower()} already.", "Nothing is left to answer.")
        return found

    def _second(self, person: str, asked: Proposal) -> None:
        proposer = asked.said.by.person or ""
        if self._same_person(proposer, person):
            otherwise = "Let a second person with the scope redact confirm it."
            alone = "Without keys everybody is `local`, one person: make some with `lineward keys create --bootstrap`."
            raise ForbiddenError(f"{person} proposed this.", alone if person == LOCAL.person else otherwise)

    def _erased(self, by: Principal, ref: EntryRef, keep: Keep, at: int) -> ErasedEntry:
        held, entry = self._checked(by, ref.seq, keep, at)
        if held.commit != ref.commit:
            raise ConflictError(
                f"entry {ref.seq} is not the one that was proposed: the log has a new origin.", "Propose it again."
            )
        skeleton = skeleton_of(entry) if keep == "structure" else None
        touched = self._touching(entry, keep).nodes
        return ErasedEntry(
            seq=ref.seq, commit=ref.commit, leaf=leaf_hash(entry.envelope).hex(), keeps=skeleton, touches=touched
        )

    def _checked(self, by: Principal, seq: int, keep: Keep, at: int) -> tuple[EntryRef, Entry]:
        """An entry that may be erased now, by this caller."""
        entry = self._log.entry(seq)
        refuse_what_stays(entry)
        if entry.body is None:
            raise ConflictError(f"entry {seq} is erased already.", "Leave it out.")
        if keep == "nothing" and orjson.loads(entry.body).get("act") in REVOKING:
            raise InvalidInputError(
                f"entry {seq} revokes something, which would stand again without it.", "Keep its structure."
            )
        touched = self._touching(entry, keep)
        for namespace in touched.namespaces or (None,):
            by.require(Scope.REDACT, namespace)
        hold = self._register.holding(seq, touched.namespaces, touched.nodes, at)
        if hold is not None:
            raise ConflictError(
                f"entry {seq} is held: {hold.said.reason} ({hold.node}).",
                "Release the hold first, or leave the entry out.",
            )
        return EntryRef(seq=seq, commit=decode_envelope(seq, entry.envelope).body.commit), entry

    def _may(self, by: Principal, entry: Entry) -> bool:
        spaces = self._touching(entry, "structure").namespaces
        return all(by.may(Scope.REDACT, namespace) for namespace in spaces)


def _person_of(by: Principal) -> str:
    """The human who acts. ForbiddenError without the scope, and for a machine."""
    by.require(Scope.REDACT)
    if by.person is None:
        raise ForbiddenError(
            f"{by.name} is no person, and only people may {Scope.REDACT}.",
            "Use a key that belongs to a person, or map this identity to one.",
        )
    return by.person


def _about(document: Any) -> str:
    """What an entry is of, for whoever looks at a list: the verb of an act, the job or dataset of an event."""
    if not isinstance(document, Mapping):
        return ""
    if isinstance(document.get("act"), str):
        return str(document["act"])
    named = document.get("job") or document.get("dataset") or {}
    kind = document.get("eventType") or "described"
    return f"{kind} {named.get('name', '')}".strip() if isinstance(named, Mapping) else str(kind)


def _strings(value: Any, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Every string and every name in a JSON value, with where it is (RFC 6901)."""
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            inner = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            yield inner, key
            yield from _strings(each, inner)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _strings(each, f"{pointer}/{number}")


def numbered(words: Iterable[str]) -> tuple[int, ...]:
    """Positions as people write them: `3`, `7-9`. InvalidInputError for what is none."""
    found: list[int] = []
    for word in words:
        first, dash, last = word.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or (dash and int(last) < int(first)):
            raise InvalidInputError(f"{word} is no position of the log.", "Write them as 3, or 7-9.")
        found += range(int(first), int(last or first) + 1) if dash else [int(first)]
    return tuple(found)
