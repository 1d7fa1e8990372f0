"""Bringing packs, bindings and baselines into force: one person proposes, another confirms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from catalog.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from catalog.principal import Principal, Scope
from catalog.reading import Reading
from policies import acts, in_force
from policies.acts import AcceptBaseline, ConfirmPolicy, ProposePolicy, RetirePolicy
from policies.approving import alone, person_of
from policies.binding import PolicyBinding
from policies.in_force import Finding, InForce, Proposal
from policies.journal import Journal, Recorded
from policies.loading import parse_document
from policies.pack import PolicyPack
from policies.terms import BASELINE_DAYS, bounded
from policies.verdict import Report, Verdict


def to_accept(report: Report) -> tuple[Finding, ...]:
    """The findings of a report that a baseline may accept.

    Not among them are errors, controls that cannot be waived, and what only waits for approvals: people can act today.
    """
    return tuple(
        (report.target, control.pack.rpartition("@")[0], control.control, key)
        for control in report.controls
        if control.waivable and not control.awaits_approval
        for key in dict.fromkeys(item.key for item in control.items if item.verdict in (Verdict.FAIL, Verdict.UNKNOWN))
    )


@dataclass(frozen=True, slots=True)
class Proposed:
    """A policy change as it now stands."""

    proposal: Proposal
    token: str


class Enactment:
    """Takes what people want in force. For use by any number of threads; raises as `Register` does."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def propose_policy(
        self, principal: Principal, documents: Sequence[Mapping[str, Any]], reason: str | None = None
    ) -> Proposed:
        """Put packs and bindings to a second person. InvalidInputError for documents that do not compile, and for
        bindings that name a pack which is neither in force nor in the proposal."""
        _legislator(principal)
        normal = tuple(_normalised(document) for document in documents)
        with self._journal.turn() as turn:
            force = in_force.in_force(turn.reading, turn.at)
            for document in (*normal, *_replaced(normal, force)):
                _require_policy_write(principal, document)
            _check_packs(normal, force)
            body = acts.make(ProposePolicy, principal, turn.at, documents=normal, reason=reason)
            written = self._journal.write(body)
        return self._proposed(written)

    def retire(self, principal: Principal, names: Sequence[str], reason: str | None = None) -> Proposed:
        """Propose to end packs and bindings. NotFoundError for a name that is not in force."""
        _legislator(principal)
        with self._journal.turn() as turn:
            held = in_force.in_force(turn.reading, turn.at)
            for name in names:
                found = [each for each in (held.packs.get(name), held.bindings.get(name)) if each is not None]
                if not found:
                    raise NotFoundError(
                        f"Nothing called {name} is in force.", "`lineward policy list --in-force` shows what is."
                    )
                for each in found:
                    _require_policy_write(principal, each.document)
            body = acts.make(RetirePolicy, principal, turn.at, names=tuple(names), reason=reason)
            written = self._journal.write(body)
        return self._proposed(written)

    def accept_baseline(self, principal: Principal, binding: str, until: str, findings: Sequence[Finding]) -> Proposed:
        """Propose to accept findings under a binding until a time, at most `BASELINE_DAYS` from now."""
        _legislator(principal)
        with self._journal.turn() as turn:
            held = in_force.in_force(turn.reading, turn.at).bindings.get(binding)
            if held is None:
                raise NotFoundError(
                    f"No binding {binding} is in force.", "`lineward policy list --in-force` shows what is."
                )
            _require_policy_write(principal, held.document)
            end = bounded(until, turn.at, timedelta(days=BASELINE_DAYS), "/until", "a baseline")
            body = acts.make(
                AcceptBaseline, principal, turn.at, binding=binding, until=end, findings=tuple(map(tuple, findings))
            )
            written = self._journal.write(body)
        return self._proposed(written)

    def confirm_policy(self, principal: Principal, proposal: str) -> Proposed:
        """Say yes to somebody else's proposal, retirement or baseline: it takes effect now.

        ForbiddenError for the proposer, ConflictError where somebody has confirmed it, or where it does not fit what
        came into force meanwhile.
        """
        person = _legislator(principal)
        with self._journal.turn() as turn:
            held = _waiting_proposal(turn.reading, proposal)
            force = in_force.in_force(turn.reading, turn.at)
            for document in _documents_of(held, force):
                _require_policy_write(principal, document)
            if held.by == person:
                raise ForbiddenError(f"{person} proposed this.", alone(person, "Let a second person confirm it."))
            if held.kind == "proposePolicy":
                _check_packs(acts.read(held.act, ProposePolicy).documents, force)
            written = self._journal.write(acts.make(ConfirmPolicy, principal, turn.at, refers_to=held.act.id))
        self._journal.settle(written)
        return Proposed(Proposal(held.act, held.kind, held.by, person, written.act.id), written.token)

    def _proposed(self, written: Recorded) -> Proposed:
        self._journal.settle(written)
        by = str(written.act.body["by"]["person"])
        return Proposed(Proposal(written.act, written.act.verb, by, None, None), written.token)


def _legislator(principal: Principal) -> str:
    """The person behind a principal that may write some policy; which ones, their namespaces say."""
    principal.require(Scope.POLICY_WRITE)
    return person_of(principal, Scope.POLICY_WRITE)


def _normalised(given: Mapping[str, Any]) -> dict[str, Any]:
    document = parse_document(given)
    if not isinstance(document, PolicyPack | PolicyBinding):
        raise InvalidInputError(
            f"A {given['kind']} does not come into force like a policy.",
            "Propose packs and bindings; a waiver is an act of its own (`lineward waive`).",
            pointer="/kind",
        )
    return document.normalised()


def _replaced(documents: Sequence[Mapping[str, Any]], force: InForce) -> list[Mapping[str, Any]]:
    """What is in force under the names of documents that are to come."""
    held = {in_force.PACK: force.packs, in_force.BINDING: force.bindings}
    found = (held[each["kind"]].get(each["metadata"]["name"]) for each in documents)
    return [each.document for each in found if each is not None]


def _require_policy_write(principal: Principal, document: Mapping[str, Any]) -> None:
    """A binding takes the scope in each of its namespaces; a pack, which any binding may name, everywhere."""
    globs = (document.get("match") or {}).get("namespaces") if document["kind"] == in_force.BINDING else None
    for glob in globs or ("*",):
        if not any(
            grant.scope is Scope.POLICY_WRITE and any(_includes(held, glob) for held in grant.namespaces)
            for grant in principal.grants
        ):
            raise ForbiddenError(
                f"{principal.name} may not {Scope.POLICY_WRITE} in every namespace that {glob} matches.",
                "Use a key with that scope there; ask an administrator.",
            )


def _includes(held: str, wanted: str) -> bool:
    """Whether a glob surely matches all that another one does: it is the same, or a plain prefix of it with `*`."""
    stem = held.removesuffix("*")
    plain_prefix = held.endswith("*") and not set(stem) & set("*?[")
    return held == wanted or (plain_prefix and wanted.startswith(stem))


def _check_packs(documents: Sequence[Mapping[str, Any]], force: InForce) -> None:
    """Every binding of a proposal finds its packs."""
    proposed = {each["metadata"]["name"]: each for each in documents if each["kind"] == in_force.PACK}
    for binding in (each for each in documents if each["kind"] == in_force.BINDING):
        for named in binding.get("packs", ()):
            pack = proposed.get(named["name"])
            if pack is None:
                force.pack(named["name"], named.get("version"), named.get("digest"))
                continue
            wrong_version = named.get("version") not in (None, pack["metadata"]["version"])
            if wrong_version or named.get("digest") not in (None, acts.digest(pack)):
                raise ConflictError(
                    f"The binding {binding['metadata']['name']} names another {named['name']} than is proposed.",
                    "Name the version and digest of the pack that comes with it.",
                )


def _waiting_proposal(reading: Reading, id_: str) -> Proposal:
    held = next((each for each in in_force.proposals(reading) if each.act.id == id_), None)
    if held is None:
        raise NotFoundError(f"No proposal has the id {id_}.", "Use the id that the proposal was answered with.")
    if held.confirmed_by is not None:
        raise ConflictError(f"{held.confirmed_by} has confirmed this already.", "Nothing is left to confirm.")
    return held


def _documents_of(proposal: Proposal, force: InForce) -> list[Mapping[str, Any]]:
    """What a proposal touches."""
    if proposal.kind == "proposePolicy":
        documents = acts.read(proposal.act, ProposePolicy).documents
        return [*documents, *_replaced(documents, force)]
    names = (
        acts.read(proposal.act, RetirePolicy).names
        if proposal.kind == "retirePolicy"
        else (acts.read(proposal.act, AcceptBaseline).binding,)
    )
    held = [each for name in names for each in (force.packs.get(name), force.bindings.get(name)) if each is not None]
    return [each.document for each in held]
