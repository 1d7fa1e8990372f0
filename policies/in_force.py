"""Which packs, bindings and baselines are in force: what two people wanted, in the order of the log.

A proposal, a retirement or a baseline takes effect with the confirmation of a second person, at the time of that
confirmation; what is confirmed later under the same name replaces what was there before. A confirmation by the
proposer, by nobody that is known, or of something confirmed already, changes nothing, however it came into the log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from catalog import rfc3339
from catalog.act import Act
from catalog.errors import ConflictError, NotFoundError
from catalog.identity import NodeKind
from catalog.reading import Reading
from policies import acts
from policies.acts import AcceptBaseline, ConfirmPolicy, ProposePolicy, RetirePolicy

PACK = "PolicyPack"
BINDING = "PolicyBinding"

Finding = tuple[str, str, str, str | None]


@dataclass(frozen=True, slots=True)
class Enacted:
    """A document for the time in which it is in force: from `since` until before `until`, µs; None is open."""

    kind: str
    name: str
    document: Mapping[str, Any]
    digest: str
    since: int
    until: int | None
    proposal: str
    confirmation: str
    proposed_by: str
    confirmed_by: str
    ended_by: str | None = None  # the confirmation that replaced or retired it

    @property
    def version(self) -> str:
        return str(self.document.get("metadata", {}).get("version", ""))

    def holds(self, instant: int) -> bool:
        return self.since <= instant and (self.until is None or instant < self.until)


@dataclass(frozen=True, slots=True)
class Baseline:
    """Findings that are accepted under a binding from `since` until before `until`, µs."""

    act: str
    binding: str
    findings: frozenset[Finding]
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What waits for a second person, or had its confirmation. `kind` is the verb of the proposing act."""

    act: Act
    kind: str
    by: str
    confirmed_by: str | None
    confirmation: str | None


@dataclass(frozen=True, slots=True)
class InForce:
    """What is in force at one instant, by name."""

    packs: Mapping[str, Enacted]
    bindings: Mapping[str, Enacted]
    baselines: tuple[Baseline, ...]

    def bindings_for(self, environment: str, namespace: str, model: str) -> list[Enacted]:
        """The bindings that select a target, by name."""
        return [
            binding
            for _, binding in sorted(self.bindings.items())
            if selects(binding.document, environment, namespace, model)
        ]

    def pack(self, name: str, version: str | None = None, digest: str | None = None) -> Enacted:
        """The pack of that name. NotFoundError where none is in force, ConflictError where it is another one."""
        held = self.packs.get(name)
        if held is None:
            raise NotFoundError(
                f"No pack {name} is in force.",
                "Propose it with `lineward policy apply`, and let a second person confirm.",
            )
        if (version is not None and version != held.version) or (digest is not None and digest != held.digest):
            raise ConflictError(
                f"The pack {name} in force is {held.version} ({held.digest}), not {version or digest}.",
                "Apply a binding that names the pack in force, or apply the pack that the binding names.",
            )
        return held


def history(reading: Reading) -> list[Enacted]:
    """Every document that was ever in force, in the order in which they came into force."""
    return _Fold(reading.acts(NodeKind.POLICY)).enacted


def in_force(reading: Reading, instant: int) -> InForce:
    """What is in force at an instant (µs), as far as the reading knows."""
    folded = _Fold(reading.acts(NodeKind.POLICY))
    held = [each for each in folded.enacted if each.holds(instant)]
    return InForce(
        {each.name: each for each in held if each.kind == PACK},
        {each.name: each for each in held if each.kind == BINDING},
        tuple(each for each in folded.baselines if each.since <= instant < each.until),
    )


def proposals(reading: Reading) -> list[Proposal]:
    """Everything that was put to a second person, in the order of the log."""
    return list(_Fold(reading.acts(NodeKind.POLICY)).proposals.values())


def selects(binding: Mapping[str, Any], environment: str, namespace: str, model: str) -> bool:
    """Whether a binding is for a model of that name and namespace in an environment; no glob means all."""
    match = binding.get("match") or {}
    return (
        environment in binding.get("environments", ())
        and _matches(match.get("namespaces"), namespace)
        and _matches(match.get("models"), model)
    )


def _matches(globs: Iterable[str] | None, name: str) -> bool:
    listed = list(globs or ())
    return not listed or any(fnmatchcase(name, glob) for glob in listed)


class _Fold:
    """The acts about policies, one after the other."""

    def __init__(self, log: Iterable[Act]) -> None:
        self.enacted: list[Enacted] = []
        self.baselines: list[Baseline] = []
        self.proposals: dict[str, Proposal] = {}
        for act in log:
            self._take(act)

    def _take(self, act: Act) -> None:
        if act.verb == "confirmPolicy":
            self._confirm(act)
        elif act.verb in ("proposePolicy", "retirePolicy", "acceptBaseline"):
            person = act.body["by"].get("person")
            if person is not None:
                self.proposals[act.id] = Proposal(act, act.verb, person, None, None)

    def _confirm(self, act: Act) -> None:
        said = acts.read(act, ConfirmPolicy)
        proposal = self.proposals.get(said.refers_to)
        if proposal is None or proposal.confirmed_by is not None or said.by.person in (None, proposal.by):
            return
        confirmed = replace(proposal, confirmed_by=said.by.person, confirmation=act.id)
        self.proposals[said.refers_to] = confirmed
        if proposal.kind == "proposePolicy":
            self._enact(confirmed, act)
        elif proposal.kind == "retirePolicy":
            self._end(acts.read(proposal.act, RetirePolicy).names, act)
        else:
            self._accept(proposal.act, act)

    def _enact(self, proposal: Proposal, confirmation: Act) -> None:
        for document in acts.read(proposal.act, ProposePolicy).documents:
            kind, name = str(document["kind"]), str(document["metadata"]["name"])
            self._end((name,), confirmation, kind)
            self.enacted.append(
                Enacted(
                    kind,
                    name,
                    document,
                    acts.digest(document),
                    confirmation.at,
                    None,
                    proposal.act.id,
                    confirmation.id,
                    proposal.by,
                    str(proposal.confirmed_by),
                )
            )

    def _end(self, names: Iterable[str], confirmation: Act, kind: str | None = None) -> None:
        wanted = set(names)
        self.enacted = [
            replace(each, until=confirmation.at, ended_by=confirmation.id)
            if each.until is None and each.name in wanted and kind in (None, each.kind)
            else each
            for each in self.enacted
        ]

    def _accept(self, act: Act, confirmation: Act) -> None:
        said = acts.read(act, AcceptBaseline)
        findings = frozenset(said.findings)
        self.baselines.append(Baseline(act.id, said.binding, findings, confirmation.at, rfc3339.parse(said.until)))
