"""Looking at cases, and deciding what is done about the versions that rest on an erasure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from catalog.erasure import redaction
from catalog.erasure.redaction import Dispose, Way
from catalog.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from catalog.identity import NodeKind
from catalog.model import Node, NodeRef
from catalog.principal import Principal, Scope
from catalog.reading import Reading
from policies.approving import alone, person_of
from policies.erasure.cases import Case, Disposition, cases_of
from policies.erasure.reach import Resting, resting_on
from policies.journal import Journal
from policies.terms import bounded

ACCEPT_DAYS = 180
"""How long somebody may accept that erased rows stay in a version, days: as a waiver of high severity."""


class CaseState(StrEnum):
    OPEN = "OPEN"  # nothing that stands is decided about some version
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A case with what rests on it, at an instant (µs). `open_versions` wait for a disposition that stands.

    `known` is how many entries of the log were known.
    """

    case: Case
    resting: Resting
    datasets: Mapping[str, Node]
    open_versions: frozenset[str]
    unsuccessful: frozenset[str]  # versions whose successor rests on it as well
    instant: int
    known: int

    @property
    def state(self) -> CaseState:
        return CaseState.OPEN if self.open_versions or self.resting.truncated else CaseState.CLOSED

    def disposition(self, version: str) -> Disposition | None:
        return self.case.disposition(version, self.instant)


def review(reading: Reading, case: Case, instant: int) -> Reviewed:
    """A case as a reading knows it at an instant (µs).

    A retraining counts only while its successor is reached by none of it: late events may show that it is.
    """
    resting = resting_on(reading, case)
    reached = {node.id for node in resting.versions}
    held = {version: case.disposition(version, instant) for version in reached}
    unsuccessful = frozenset(version for version, said in held.items() if said and said.successor in reached)
    waiting = frozenset(version for version in reached if case.is_open_for(version, instant)) | unsuccessful
    return Reviewed(case, resting, reading.describe(case.datasets), waiting, unsuccessful, instant, reading.known)


def reviews(reading: Reading, instant: int) -> list[Reviewed]:
    """Every case, in the order of their opening."""
    return [review(reading, case, instant) for case in cases_of(reading, instant)]


def about(reading: Reading, dataset: str, instant: int) -> Reviewed:
    """What an erasure of rows from a dataset would reach, were they erased at this instant: a case that nobody has."""
    preview = Case("", instant, instant, "", "", "", frozenset({dataset}))
    return review(reading, preview, instant)


def named(reading: Reading, id_: str, instant: int) -> Case:
    """The case of a proposal, or of the erasure that answered it. NotFoundError where there is none."""
    for case in cases_of(reading, instant):
        if case.id == id_:
            return case
    for act in reading.acts(NodeKind.REDACTION):
        if id_ in (act.id, act.body["id"]):
            proposal = act.body.get("refersTo") if act.verb == "erase" else act.id
            found = next((case for case in cases_of(reading, instant) if case.id == proposal), None)
            if found is not None:
                return found
    raise NotFoundError(f"No erasure opened a case called {id_}.", "`lineward redact cases` lists them.")


class CaseBook:
    """Reads cases and takes dispositions. For use by any number of threads; raises as `Register` does."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def cases(self, principal: Principal) -> list[Reviewed]:
        """All of them. ForbiddenError for who may neither redact nor audit."""
        _reader(principal)
        with self._journal.access.reading() as reading:
            return [_seen_by(principal, each) for each in reviews(reading, self._journal.now())]

    def case(self, principal: Principal, id_: str) -> Reviewed:
        """One of them, by the id of the proposal or of the erasure."""
        _reader(principal)
        with self._journal.access.reading() as reading:
            now = self._journal.now()
            return _seen_by(principal, review(reading, named(reading, id_, now), now))

    def about(self, principal: Principal, dataset: NodeRef) -> Reviewed:
        """What an erasure from a dataset would reach now. NotFoundError for what the log never mentioned."""
        _reader(principal)
        with self._journal.access.reading() as reading:
            node = reading.find(dataset)
            if node is None or node.kind not in (NodeKind.DATASET, NodeKind.MODEL):
                raise NotFoundError("No dataset has that name.", "Check namespace and name.", pointer="/about")
            return _seen_by(principal, about(reading, node.id, self._journal.now()))

    def dispose(
        self,
        principal: Principal,
        id_: str,
        version: NodeRef,
        way: Way,
        reason: str,
        *,
        successor: NodeRef | None = None,
        expires_at: str | None = None,
    ) -> Reviewed:
        """Decide what is done about one version that rests on an erasure.

        InvalidInputError for a version that does not, for a retraining without successor and an acceptance without
        end; ConflictError for a successor that rests on it too; ForbiddenError for who opened the case and would
        accept alone what stays.
        """
        with self._journal.turn() as turn:
            case = named(turn.reading, id_, turn.at)
            node = _version(turn.reading, version, "/version")
            principal.require(Scope.REDACT, node.namespace)
            person = person_of(principal, Scope.REDACT)
            before = review(turn.reading, case, turn.at)
            reached = {each.id for each in before.resting.versions}
            if node.id not in reached:
                raise InvalidInputError(
                    f"{node.name}@{node.label} does not rest on this erasure.",
                    "`lineward redact report` lists the versions that do.",
                    pointer="/version",
                )
            if way == "accept" and person == case.by:
                raise ForbiddenError(
                    f"{person} opened this case, and what stays is not for one person to accept.",
                    alone(person, "Let a second person with the scope redact accept it."),
                )
            following = None if successor is None else _version(turn.reading, successor, "/successor")
            if following is not None and following.id in reached:
                raise ConflictError(
                    f"{following.name}@{following.label} rests on what was erased as well.",
                    "Train it from data that was written after the erasure, and name that version.",
                )
            said = redaction.make(
                Dispose,
                principal,
                turn.at,
                refers_to=case.id,
                version=node.id,
                disposition=way,
                reason=reason,
                successor=None if following is None else following.id,
                expires_at=_end(way, expires_at, turn.at),
            )
            token = self._journal.enter(redaction.submission(said), turn.at)
        with self._journal.access.reading(at_least=token) as reading:
            return review(reading, named(reading, case.id, turn.at), turn.at)


def _end(way: Way, told: str | None, at: int) -> str | None:
    if way != "accept":
        if told is not None:
            raise InvalidInputError(
                f"{way} is done for good, and takes no end.", "Leave expiresAt out.", pointer="/expiresAt"
            )
        return None
    if told is None:
        raise InvalidInputError(
            "What is accepted expires.", f"Give an end, at most {ACCEPT_DAYS} days from now.", pointer="/expiresAt"
        )
    return bounded(told, at, timedelta(days=ACCEPT_DAYS), "/expiresAt", "what is accepted")


def _version(reading: Reading, reference: NodeRef, pointer: str) -> Node:
    node = reading.find(reference)
    if node is None or node.kind is not NodeKind.MODEL_VERSION:
        raise NotFoundError("No version of a model has that name.", "Check model and version.", pointer=pointer)
    return node


def _reader(principal: Principal) -> None:
    if not principal.may(Scope.REDACT):
        principal.require(Scope.AUDIT_READ)


def _seen_by(principal: Principal, found: Reviewed) -> Reviewed:
    """A report that hides a part would be taken for the whole: who may not see all of it gets none."""
    spaces = {node.namespace or "" for node in (*found.resting.versions, *found.datasets.values())}
    for namespace in sorted(spaces):
        if not principal.may(Scope.LINEAGE_READ, namespace):
            raise ForbiddenError(
                f"{principal.name} may not see everything that rests on this erasure.",
                "Let somebody ask who has lineage:read in every namespace.",
            )
    return found
