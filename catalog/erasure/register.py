"""What the REDACTION entries of a log amount to: proposals and what became of them, erasures, holds and dispositions.

A pure fold in the order of the log: what an act answers comes before it, and what it may not do it does not. The one
exception is an erasure: bodies that an entry took with it are gone, whatever else is said about that entry.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Protocol

import orjson

from catalog import rfc3339
from catalog.erasure import redaction
from catalog.erasure.redaction import Decline, Dispose, Erase, ErasedEntry, Hold, Propose, Release, node_of
from catalog.erasure.skeleton import is_whole_act
from catalog.log.entry import Entry, EntryType, decode_envelope

Micros = int

_PAGE = 50  # entries, of which each may hold thousands of skeletons


class ProposalState(StrEnum):
    """OPEN until somebody else erases what it names, or somebody says no."""

    OPEN = "OPEN"
    ERASED = "ERASED"
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody asked for. `node` is its node id, `seq` its position, `at` µs; `ended` is what answered it."""

    node: str
    seq: int
    at: Micros
    said: Propose
    state: ProposalState = ProposalState.OPEN
    ended: Erase | Decline | None = None

    @property
    def id(self) -> str:
        """The UUID in its body."""
        return self.said.id


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased. `node` is the node id of the erase act, `seq` its position, `at` µs."""

    node: str
    seq: int
    at: Micros
    said: Erase


@dataclass(frozen=True, slots=True)
class ErasedBody:
    """One erased entry, and the erasure that took its body."""

    entry: ErasedEntry
    erasure: Erasure

    @property
    def keeps(self) -> Mapping[str, Any] | None:
        return self.entry.keeps

    def in_place_of(self, entry: Entry) -> Entry:
        """The entry with its skeleton for a body; without one where that cannot be read as such an entry."""
        kept = self.entry.keeps
        readable = kept is not None and (entry.type is EntryType.OPENLINEAGE or is_whole_act(kept))
        return replace(entry, body=orjson.dumps(kept, option=orjson.OPT_SORT_KEYS) if readable else None)


@dataclass(frozen=True, slots=True)
class StandingHold:
    """A hold that nobody released. It forbids in [its entry, `until`), µs; None is for good."""

    node: str
    seq: int
    at: Micros
    said: Hold
    until: Micros | None

    def holds(self, now: Micros) -> bool:
        return self.until is None or now < self.until

    def covers(self, seq: int, namespaces: Iterable[str], nodes: Iterable[str]) -> bool:
        """Whether it covers an entry at this position that names these namespaces and touches these nodes."""
        if seq in self.said.entries or not set(self.said.nodes).isdisjoint(nodes):
            return True
        return any(fnmatchcase(namespace, glob) for namespace in namespaces for glob in self.said.namespaces)


@dataclass(frozen=True, slots=True)
class Disposition:
    """What somebody says is done about one version, `refers_to` the erasure or proposal that opened the case."""

    node: str
    seq: int
    at: Micros
    said: Dispose


class ReadsActs(Protocol):
    """What a register needs of a log: see `LogReader.acts`."""

    def acts(self, types: Sequence[EntryType], start: int, limit: int) -> list[Entry]: ...


class ErasureRegister:
    """Folds entries in order. Entries of other types, and positions seen already, change nothing."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.size = 0
        """The position after the last entry that was added."""
        self._proposals: dict[str, Proposal] = {}  # by node id
        self._erasures: dict[str, Erasure] = {}
        self._bodies: dict[int, ErasedBody] = {}
        self._by_commitment: dict[str, ErasedBody] = {}
        self._holds: dict[str, StandingHold] = {}
        self._dispositions: list[Disposition] = []
        for entry in entries:
            self.add(entry)

    @classmethod
    def of(cls, log: ReadsActs) -> "ErasureRegister":
        """That of a log as it now is: redactions are few, and an index finds them."""
        register = cls()
        register.catch_up(log)
        return register

    def catch_up(self, log: ReadsActs) -> None:
        """Add what came since."""
        while page := log.acts((EntryType.REDACTION,), self.size, _PAGE):
            for entry in page:
                self.add(entry)

    def add(self, entry: Entry) -> None:
        """Raises CorruptLogError for a redaction that no door of ours can have written."""
        if entry.seq < self.size:
            return
        self.size = entry.seq + 1
        if entry.type is not EntryType.REDACTION:
            return
        said = redaction.parse(entry)
        if said is None:
            return
        node, at = node_of(said), rfc3339.parse(said.at)
        match said:
            case Propose():
                self._proposals[node] = Proposal(node, entry.seq, at, said)
            case Erase():
                self._erase(Erasure(node, entry.seq, at, said))
            case Decline():
                self._decline(said)
            case Hold():
                until = None if said.until is None else rfc3339.parse(said.until)
                self._holds[node] = StandingHold(node, entry.seq, at, said, until)
            case Release():
                self._holds.pop(said.refers_to, None)
            case Dispose():
                self._dispositions.append(Disposition(node, entry.seq, at, said))

    # Proposals -------------------------------------------------------------------------------------------------

    def proposal(self, named: str) -> Proposal | None:
        """By its UUID or its node id."""
        return self._proposals.get(named) or next((each for each in self.proposals if each.id == named), None)

    @property
    def proposals(self) -> list[Proposal]:
        """All, in the order of the log."""
        return list(self._proposals.values())

    @property
    def open_proposals(self) -> list[Proposal]:
        return [each for each in self.proposals if each.state is ProposalState.OPEN]

    # Erasures --------------------------------------------------------------------------------------------------

    def erased(self, seq: int) -> ErasedBody | None:
        """What became of the body at a position, as its redaction named it; None where no redaction took it."""
        return self._bodies.get(seq)

    def erased_of(self, entry: Entry) -> ErasedBody | None:
        """What became of an entry's body, by its commitment: positions move where a log gets a new origin."""
        return self._by_commitment.get(decode_envelope(entry.seq, entry.envelope).body.commit)

    def erasure(self, node: str) -> Erasure | None:
        return self._erasures.get(node)

    def erasure_of(self, proposal: str) -> Erasure | None:
        """What answered a proposal, by the node id of that."""
        return next((each for each in self.erasures if each.said.refers_to == proposal), None)

    @property
    def erasures(self) -> list[Erasure]:
        """All, in the order of the log."""
        return list(self._erasures.values())

    @property
    def generation(self) -> int:
        """One past the position of the last entry that took bodies with it; 0 while none did.

        Logs that agree to here, with equal generations, have lost the same bodies.
        """
        return max((each.erasure.seq + 1 for each in self._bodies.values()), default=0)

    # Holds and dispositions ------------------------------------------------------------------------------------

    @property
    def holds(self) -> list[StandingHold]:
        """Those that nobody released, in the order of the log; ask each whether it still `holds`."""
        return list(self._holds.values())

    def holding(self, seq: int, namespaces: Iterable[str], nodes: Iterable[str], now: Micros) -> StandingHold | None:
        """The first hold that forbids to erase such an entry now."""
        spaces, touched = tuple(namespaces), tuple(nodes)
        return next((each for each in self.holds if each.holds(now) and each.covers(seq, spaces, touched)), None)

    @property
    def dispositions(self) -> list[Disposition]:
        """All, in the order of the log; the last one on a version of a case counts."""
        return list(self._dispositions)

    # Under the fold --------------------------------------------------------------------------------------------

    def _erase(self, erasure: Erasure) -> None:
        self._erasures[erasure.node] = erasure
        for each in erasure.said.erased:
            if each.seq < erasure.seq:
                body = self._bodies.setdefault(each.seq, ErasedBody(each, erasure))
                self._by_commitment.setdefault(each.commit, body)
        asked = self._proposals.get(erasure.said.refers_to)
        if asked is not None and asked.state is ProposalState.OPEN:
            self._proposals[asked.node] = replace(asked, state=ProposalState.ERASED, ended=erasure.said)

    def _decline(self, said: Decline) -> None:
        asked = self._proposals.get(said.refers_to)
        if asked is None or asked.state is not ProposalState.OPEN:
            return
        own = said.by.person is not None and said.by.person == asked.said.by.person
        state = ProposalState.WITHDRAWN if own else ProposalState.DECLINED
        self._proposals[asked.node] = replace(asked, state=state, ended=said)
