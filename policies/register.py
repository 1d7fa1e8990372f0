"""What people do: approvals, waivers, attestations, and what is to be in force.

Every act is checked against everything logged before it, one act at a time, and then logged; but nothing here is
trusted later. Whoever reads derives anew what each act amounts to, from the acts in log order: a race between two
acts is decided by the log, and what the checks below refuse is refused for the sake of a clear answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from catalog.act import Act
from catalog.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from catalog.identity import ACTS, NodeKind
from catalog.model import Node, NodeRef
from catalog.principal import Principal, Scope
from catalog.reading import Reading
from policies import acts, in_force
from policies.acts import (
    Approve,
    Attest,
    CountersignWaiver,
    RevokeApproval,
    RevokeAttestation,
    RevokeWaiver,
    Waive,
    target_of,
)
from policies.approving import alone, check_approver, developers_of, person_of, requester_of
from policies.enactment import Enactment
from policies.evidence.builder import build_evidence, everyone
from policies.evidence.closure import Closure, closure, difference, has_only_grown
from policies.evidence.document import Evidence
from policies.evidence.draft import Authoritative
from policies.in_force import InForce
from policies.journal import Journal, Recorded, Turn
from policies.outcome import BREAK_GLASS_HOURS, Outcome, State, outcome, outcome_of
from policies.request import ApproveRequest, AttestRequest, RevokeRequest, WaiveRequest
from policies.statements import parse_statement
from policies.terms import WAIVER_DAYS, bounded, future, instant
from policies.verdict import Severity

# What is answered, and asked of others -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entered:
    """An approval, waiver or attestation as it now stands, and the token of a read that sees it so."""

    outcome: Outcome
    token: str


class Register(Enactment):
    """Takes every act save decisions. For use by any number of threads.

    Every method may raise ForbiddenError, StaleProjectionError (nothing was written; try again), and what an append
    raises (LogClosedError: it is not known whether the act is in the log).
    """

    def __init__(self, journal: Journal, authoritative: Authoritative = everyone) -> None:
        super().__init__(journal)
        self._authoritative = authoritative

    # Approvals -------------------------------------------------------------------------------------------------

    def approve(self, principal: Principal, request: ApproveRequest) -> Entered:
        """Approve a model version for an environment, as it is now.

        Binds the digests of the artifact and of the closure. NotFoundError for what the log never mentioned,
        InvalidInputError for what is no model version, ConflictError where it is not what the caller expects,
        ForbiddenError for its developers and for who asked for the release.
        """
        with self._journal.turn() as turn:
            node = _model_version(turn.reading, request.target)
            principal.require(Scope.APPROVE, node.namespace)
            person = person_of(principal, Scope.APPROVE)
            _check_role(principal, request.role)
            asked_by = requester_of(turn.reading, node.id, request.environment)
            evidence = self._evidence(turn, node)
            check_approver(person, developers_of(evidence), asked_by)
            made_of = closure(turn.reading, node.id)
            _check_expected(turn.reading, person, node, request, made_of)
            body = acts.make(
                Approve,
                principal,
                turn.at,
                target=target_of(node),
                environment=request.environment,
                use=request.use,
                role=request.role,
                conditions=request.conditions,
                valid_until=future(request.valid_until, turn.at, "/validUntil"),
                reason=request.reason,
                version_digest=evidence.subject.digest,
                closure_digest=made_of.digest,
                closure_parts=made_of.parts,
                reaffirms=request.reaffirms,
            )
            standing = _same_approval(turn, body)
            if standing is not None:
                return Entered(standing, self._journal.everything())
            written = self._journal.write(body)
        return self._entered(written.act, [], written)

    def _evidence(self, turn: Turn, node: Node) -> Evidence:
        return build_evidence(turn.reading, node.id, evaluated_at=turn.at, authoritative=self._authoritative).evidence

    def revoke_approval(self, principal: Principal, request: RevokeRequest) -> Entered:
        """End an approval. NotFoundError for an unknown id, ConflictError where it was revoked already."""
        return self._revoke(principal, request, NodeKind.APPROVAL, "approve", Scope.APPROVE, RevokeApproval)

    # Waivers ---------------------------------------------------------------------------------------------------

    def waive(self, principal: Principal, request: WaiveRequest) -> Entered:
        """Propose to waive one control on one version; a second person's call countersigns it.

        ConflictError where the version or the proposal is not what it was, ForbiddenError for the proposer's own
        countersignature and for controls that cannot be waived, InvalidInputError for an expiry that is past or
        beyond `WAIVER_DAYS`. Breaking the glass takes one person and lasts `BREAK_GLASS_HOURS` at most.
        """
        with self._journal.turn() as turn:
            person = person_of(principal, Scope.WAIVE)
            proposed = self._waiting(turn, request, person)
            if proposed is None:
                body: Waive | CountersignWaiver = self._proposal(turn, principal, request)
            else:
                body = self._countersignature(turn, principal, person, proposed)
            written = self._journal.write(body)
            main = written.act if proposed is None else proposed.act
            answers = [] if proposed is None else [*turn.reading.acts(NodeKind.WAIVER, main.id), written.act]
        return self._entered(main, answers, written)

    def revoke_waiver(self, principal: Principal, request: RevokeRequest) -> Entered:
        """End a waiver, proposed or in force."""
        return self._revoke(principal, request, NodeKind.WAIVER, "waive", Scope.WAIVE, RevokeWaiver)

    def _waiting(self, turn: Turn, request: WaiveRequest, person: str) -> Outcome | None:
        """The proposal that this call countersigns; None where it makes one."""
        if request.waiver is not None:
            return outcome_of(turn.reading, _act(turn.reading, request.waiver, NodeKind.WAIVER, "waive"), turn.at)
        if request.break_glass:
            return None
        node = _found(turn.reading, request.target)
        alike = (outcome_of(turn.reading, act, turn.at) for act in _waivers_like(turn.reading, node.id, request))
        waiting = [each for each in alike if each.state is State.PROPOSED]
        for each in waiting:
            if each.act.body["by"].get("person") != person:
                _check_same_expiry(each, request)
                return each
        if waiting:
            raise ConflictError(
                f"Your waiver {waiting[0].id} of this control waits for a second person.",
                "Let somebody else countersign it, or revoke it first.",
            )
        return None

    def _proposal(self, turn: Turn, principal: Principal, request: WaiveRequest) -> Waive:
        node = _model_version(turn.reading, request.target)
        principal.require(Scope.WAIVE, node.namespace)
        severity = _waivable(in_force.in_force(turn.reading, turn.at), request.pack, request.control)
        return acts.make(
            Waive,
            principal,
            turn.at,
            target=target_of(node),
            pack=_pack_name(request.pack),
            control=request.control,
            environment=request.environment,
            items=request.items,
            reason=request.reason,
            compensating_control=request.compensating_control,
            severity=severity.value,
            expires_at=_waiver_end(request, severity, turn.at),
            closure_digest=closure(turn.reading, node.id).digest,
            break_glass=request.break_glass,
        )

    def _countersignature(self, turn: Turn, principal: Principal, person: str, proposed: Outcome) -> CountersignWaiver:
        said = acts.read(proposed.act, Waive)
        principal.require(Scope.WAIVE, said.target.namespace)
        if proposed.state is not State.PROPOSED:
            raise ConflictError(
                f"The waiver {proposed.id} is {proposed.state.value.lower()}, and takes no countersignature.",
                "Look at it again; propose another one where it is needed.",
            )
        if said.by.person == person:
            raise ForbiddenError(
                f"{person} proposed this waiver.",
                alone(person, "Let a second person countersign it: their own key, their own call."),
            )
        _waivable(in_force.in_force(turn.reading, turn.at), said.pack, said.control)
        if closure(turn.reading, said.target.node).digest != said.closure_digest:
            raise ConflictError(
                "The version is not what the waiver was proposed for any more.",
                "Revoke the proposal, look at the version, and propose it again.",
            )
        return acts.make(CountersignWaiver, principal, turn.at, target=said.target, refers_to=proposed.id)

    # Attestations ----------------------------------------------------------------------------------------------

    def attest(self, principal: Principal, request: AttestRequest) -> Entered:
        """State something about a node. InvalidInputError for a payload that is not of its type, or no future expiry.

        About a version it holds for what the version is now: the closure digest is bound.
        """
        with self._journal.turn() as turn:
            node = _found(turn.reading, request.target)
            principal.require(Scope.ATTEST, node.namespace)
            person_of(principal, Scope.ATTEST)
            _check_role(principal, request.role)
            whole = node.kind is NodeKind.MODEL_VERSION
            body = acts.make(
                Attest,
                principal,
                turn.at,
                target=target_of(node),
                type=request.type,
                statement=parse_statement(request.type, request.statement, node.kind).plain(),
                document_digest=request.document_digest,
                document_uri=request.document_uri,
                role=request.role,
                expires_at=future(request.expires_at, turn.at, "/expiresAt"),
                effective_at=request.effective_at,
                closure_digest=closure(turn.reading, node.id).digest if whole else None,
            )
            written = self._journal.write(body)
        return self._entered(written.act, [], written)

    def withdraw(self, principal: Principal, request: RevokeRequest) -> Entered:
        """End an attestation."""
        return self._revoke(principal, request, NodeKind.ATTESTATION, "attest", Scope.ATTEST, RevokeAttestation)

    def _revoke(
        self,
        principal: Principal,
        request: RevokeRequest,
        kind: NodeKind,
        verb: str,
        scope: Scope,
        body: type[RevokeApproval] | type[RevokeWaiver] | type[RevokeAttestation],
    ) -> Entered:
        with self._journal.turn() as turn:
            act = _act(turn.reading, request.id, kind, verb)
            principal.require(scope, act.body["target"]["namespace"])
            person_of(principal, scope)
            now = outcome_of(turn.reading, act, turn.at)
            if now.state is State.REVOKED:
                raise ConflictError(f"{now.revoked_by} has revoked {act.id} already.", "Nothing is left to revoke.")
            made = acts.make(
                body, principal, turn.at, target=act.body["target"], refers_to=act.id, reason=request.reason
            )
            written = self._journal.write(made)
            answers = [*turn.reading.acts(kind, act.id), written.act]
        return self._entered(act, answers, written)

    def _entered(self, main: Act, answers: Sequence[Act], written: Recorded) -> Entered:
        self._journal.settle(written)
        return Entered(outcome(main, answers, written.act.at), written.token)


# Nodes and acts ----------------------------------------------------------------------------------------------------


def _found(reading: Reading, reference: NodeRef | None) -> Node:
    if reference is None:
        raise InvalidInputError("No target is named.", "Say what it is about.", pointer="/target")
    node = reading.find(reference)
    if node is None or node.kind in ACTS:
        raise NotFoundError("Nothing in the catalog has that name.", "Check namespace, name and version.")
    return node


def _model_version(reading: Reading, reference: NodeRef | None) -> Node:
    node = _found(reading, reference)
    if node.kind is not NodeKind.MODEL_VERSION:
        raise InvalidInputError(
            f"{node.name} is a {node.kind.value.lower().replace('_', ' ')}, not a version of a model.",
            "Name the model with its version.",
            pointer="/target",
        )
    return node


def _act(reading: Reading, id_: str, kind: NodeKind, verb: str) -> Act:
    found = next((act for act in reading.acts(kind) if act.id == id_ and act.verb == verb), None)
    if found is None:
        raise NotFoundError(f"No {kind.value.lower()} has the id {id_}.", "Use the id that the act was answered with.")
    return found


def _parts_of(reading: Reading, version: str, closure: str) -> Sequence[Sequence[str]] | None:
    """The parts of an earlier closure of a version, where an approval has kept them."""
    for act in reading.acts(NodeKind.APPROVAL, version):
        if act.verb == "approve" and act.body["closureDigest"] == closure:
            return acts.read(act, Approve).closure_parts
    return None


def _same_approval(turn: Turn, body: Approve) -> Outcome | None:
    """The standing approval that says just this, so that a call sent twice is one approval."""
    new = acts.plain(body)
    own = {"id", "at", "by"}
    for act in turn.reading.acts(NodeKind.APPROVAL, body.target.node):
        same_person = act.body["by"].get("person") == body.by.person
        if same_person and {k: v for k, v in act.body.items() if k not in own} == {
            k: v for k, v in new.items() if k not in own
        }:
            held = outcome_of(turn.reading, act, turn.at)
            if held.state is State.STANDING:
                return held
    return None


def _check_expected(reading: Reading, person: str, node: Node, request: ApproveRequest, now: Closure) -> None:
    if request.expects is not None and request.expects != now.digest:
        told = _parts_of(reading, node.id, request.expects)
        changed = "" if told is None else f": {'; '.join(difference(told, now.parts))}"
        raise ConflictError(
            f"The version is not what was looked at any more{changed}.",
            f"Look at it again, and approve with the closure digest {now.digest}.",
            pointer="/expects",
        )
    if request.reaffirms is not None:
        _check_reaffirmed(reading, person, node, request, now)


def _check_reaffirmed(reading: Reading, person: str, node: Node, request: ApproveRequest, now: Closure) -> None:
    act = _act(reading, str(request.reaffirms), NodeKind.APPROVAL, "approve")
    before = acts.read(act, Approve)
    if request.expects is None:
        raise InvalidInputError(
            "Who reaffirms has to say what they saw.", "Give the closure digest as `expects`.", pointer="/expects"
        )
    if (before.target.node, before.environment, before.by.person) != (node.id, request.environment, person):
        raise InvalidInputError(
            f"{act.id} is not your approval of this version for this environment.",
            "Name your own, or approve without reaffirming another.",
            pointer="/reaffirms",
        )
    if not has_only_grown(before.closure_parts, now.parts):
        changed = "; ".join(difference(before.closure_parts, now.parts))
        raise ConflictError(
            f"More than late knowledge came: {changed}.",
            "Let everybody who is needed approve it anew.",
            pointer="/reaffirms",
        )


def _check_role(principal: Principal, role: str | None) -> None:
    if role is not None and role not in principal.roles:
        held = ", ".join(principal.roles) or "none"
        raise ForbiddenError(
            f"{principal.name} does not hold the role {role} (roles: {held}).", "Act in a role you hold."
        )


# Waivers -----------------------------------------------------------------------------------------------------------


def _waivable(force: InForce, pack: str, control: str) -> Severity:
    """The severity of a control that may be waived."""
    listed = force.pack(_pack_name(pack)).document.get("controls", ())
    found = next((each for each in listed if each["id"] == control), None)
    if found is None:
        raise NotFoundError(f"The pack {pack} has no control {control}.", "`lineward policy show` lists its controls.")
    if not found.get("waivable", True):
        raise ForbiddenError(f"{control} cannot be waived.", "Do what it asks for: its remediation says how.")
    return Severity(found["severity"])


def _pack_name(told: str) -> str:
    """A waiver outlives a new version of its pack: of NAME@VERSION only the name is bound."""
    return told.partition("@")[0]


def _waiver_end(request: WaiveRequest, severity: Severity, at: int) -> str:
    if request.break_glass:
        most = timedelta(hours=BREAK_GLASS_HOURS)
        return bounded(request.expires_at, at, most, "/expiresAt", "what one person waives alone")
    most = timedelta(days=WAIVER_DAYS[severity])
    return bounded(request.expires_at, at, most, "/expiresAt", f"a waiver of {severity.value} severity")


def _waivers_like(reading: Reading, node: str, request: WaiveRequest) -> list[Act]:
    return [
        act
        for act in reading.acts(NodeKind.WAIVER, node)
        if act.verb == "waive"
        and act.body["pack"] == _pack_name(request.pack)
        and act.body["control"] == request.control
        and act.body.get("environment") == request.environment
        and sorted(act.body.get("items", ())) == sorted(request.items)
        and not act.body.get("breakGlass")
    ]


def _check_same_expiry(proposed: Outcome, request: WaiveRequest) -> None:
    if request.expires_at and instant(request.expires_at, "/expiresAt") != proposed.until:
        raise ConflictError(
            f"The waiver {proposed.id} of this control waits for a second person, with another expiry.",
            "Countersign it by its id, or let it be revoked first.",
            pointer="/expiresAt",
        )
