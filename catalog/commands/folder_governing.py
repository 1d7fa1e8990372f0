"""A data folder in which a command acts: its log is written directly, its graph kept up with it."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import structlog

from catalog import rfc3339
from catalog.authority.roll import Roll
from catalog.authority.standing import Authority
from catalog.commands.governing import Answer, Change, Evaluated, Said, Standing, Version
from catalog.commands.keyring import caller, nothing
from catalog.commands.local import LocalCatalogue
from catalog.commands.options import settings
from catalog.composition import DataDirectory, create_log, evaluation_worker, log_clock, open_data, signer
from catalog.erasure.redaction import Way
from catalog.instant import optional_text
from catalog.log.entry import Receipt, Submission
from catalog.log.writer import LogWriter, microseconds_now
from catalog.model import AsOf, NodeRef
from catalog.principal import Principal, Scope
from policies import acts
from policies.enactment import Proposed
from policies.erasure.report import described
from policies.formats.document import decision_of
from policies.governance import Governance, governance
from policies.in_force import Finding, InForce, in_force
from policies.register import Entered
from policies.request import ApproveRequest, AttestRequest, DecideRequest, RevokeRequest, WaiveRequest

Append = Callable[[Submission], Receipt]


@dataclass(frozen=True, slots=True)
class FolderGoverning:
    folder: DataDirectory
    governance: Governance
    principal: Principal

    @property
    def catalogue(self) -> LocalCatalogue:
        return LocalCatalogue(self.folder)

    # Deciding --------------------------------------------------------------------------------------------------

    def decide(self, request: DecideRequest) -> Answer:
        ruling = self.governance.gate.decide(self.principal, request)
        decision = decision_of(acts.plain(ruling.body))
        return Answer(decision, self.governance.bundle(decision), self.governance.attestation(decision))

    def evaluate(
        self, target: NodeRef, *, packs: Sequence[str] = (), environment: str | None = None, at: int | None = None
    ) -> Evaluated:
        judged = self.governance.gate.evaluate(
            self.principal, target, packs=packs, environment=environment, as_of=AsOf(at)
        )
        return Evaluated(
            judged.built.document,
            rfc3339.parse(judged.report.evaluated_at),
            judged.requester,
            tuple(
                Said(each.pack, each.control, each.verdict, each.underlying, each.fields)
                for each in judged.report.controls
            ),
        )

    def find(self, target: NodeRef) -> Version | None:
        self.principal.require(Scope.LINEAGE_READ)
        with self.folder.access.reading(principal=self.principal) as reading:
            found = reading.find(target)
        return None if found is None else Version(found.id, found.namespace or "", found.name, found.label or "")

    def versions(self, at: int | None = None, *, latest: bool = False) -> list[Version]:
        self.principal.require(Scope.LINEAGE_READ)
        with self.folder.access.reading(AsOf(at), principal=self.principal) as reading:
            return [
                Version(each.id, each.namespace or "", each.name, each.label or "")
                for model in reading.models()
                for each in reading.versions_of(model.id)[: 1 if latest else None]
            ]

    # What is in force ------------------------------------------------------------------------------------------

    def packs_in_force(self, at: int | None = None) -> Mapping[str, str]:
        return {name: each.version for name, each in self._in_force(at).packs.items()}

    def bindings_in_force(self, at: int | None = None) -> Mapping[str, Mapping[str, Any]]:
        return {name: each.document for name, each in self._in_force(at).bindings.items()}

    def _in_force(self, at: int | None) -> InForce:
        self.principal.require(Scope.POLICY_READ)
        with self.folder.access.reading() as reading:
            return in_force(reading, microseconds_now() if at is None else at)

    # Acts ------------------------------------------------------------------------------------------------------

    def said(self, act: str) -> Mapping[str, Any] | None:
        self.principal.require(Scope.LINEAGE_READ)
        with self.folder.access.reading(principal=self.principal) as reading:
            found = reading.act(act)
        return None if found is None else found.body

    def approve(self, request: ApproveRequest) -> Standing:
        return _standing(self.governance.register.approve(self.principal, request))

    def revoke_approval(self, request: RevokeRequest) -> Standing:
        return _standing(self.governance.register.revoke_approval(self.principal, request))

    def waive(self, request: WaiveRequest) -> Standing:
        return _standing(self.governance.register.waive(self.principal, request))

    def revoke_waiver(self, request: RevokeRequest) -> Standing:
        return _standing(self.governance.register.revoke_waiver(self.principal, request))

    def attest(self, request: AttestRequest) -> Standing:
        return _standing(self.governance.register.attest(self.principal, request))

    def revoke_attestation(self, request: RevokeRequest) -> Standing:
        return _standing(self.governance.register.withdraw(self.principal, request))

    def propose(self, documents: Sequence[Mapping[str, Any]], reason: str | None) -> Change:
        return _change(self.governance.register.propose_policy(self.principal, documents, reason))

    def retire(self, names: Sequence[str], reason: str | None) -> Change:
        return _change(self.governance.register.retire(self.principal, names, reason))

    def accept_baseline(self, binding: str, until: str, findings: Sequence[Finding]) -> Change:
        return _change(self.governance.register.accept_baseline(self.principal, binding, until, findings))

    def confirm(self, change: str) -> Change:
        return _change(self.governance.register.confirm_policy(self.principal, change))

    # Erasures --------------------------------------------------------------------------------------------------

    def erasure_report(self, case: str | None, about: NodeRef | None) -> dict[str, Any]:
        book = self.governance.case_book
        if case is not None:
            return described(book.case(self.principal, case))
        assert about is not None
        return described(book.about(self.principal, about))

    def erasure_cases(self) -> list[dict[str, Any]]:
        return [described(each) for each in self.governance.case_book.cases(self.principal)]

    def dispose_erasure(
        self, case: str, version: NodeRef, way: str, reason: str, successor: NodeRef | None, expires_at: str | None
    ) -> dict[str, Any]:
        return described(
            self.governance.case_book.dispose(
                self.principal, case, version, cast(Way, way), reason, successor=successor, expires_at=expires_at
            )
        )


def _standing(entered: Entered) -> Standing:
    held = entered.outcome
    by = held.act.body["by"]
    person = str(by.get("person") or by["principal"])
    return Standing(
        held.id,
        held.state.value,
        person,
        optional_text(held.until),
        held.countersigned_by,
        held.act.body.get("closureDigest") if held.act.verb == "approve" else None,
    )


def _change(proposed: Proposed) -> Change:
    held = proposed.proposal
    return Change(held.act.id, held.kind, held.by, held.confirmed_by)


# Opening -----------------------------------------------------------------------------------------------------------


@contextmanager
def folder_governing(data: Path | None, graph: str | None, *, writing: bool) -> Iterator[FolderGoverning]:
    """Raises NotFoundError where the folder holds no log, LogLockedError where somebody else writes it.

    A folder that has seen a key asks for LINEWARD_API_KEY like a server.
    """
    configured = settings(data=data, graph=graph)
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))  # standard output is for answers
    with open_data(configured) as folder, appending(folder, writing) as append, evaluation_worker() as worker:
        folder.project()
        roll = Roll(folder.log)
        principal = caller(configured, roll)
        governing = governance(
            folder.access,
            append,
            signer(configured),
            worker=worker,
            authoritative=Authority(roll, configured.issuers),
            clock=log_clock(folder.log),
        )
        yield FolderGoverning(folder, governing, principal)


@contextmanager
def appending(folder: DataDirectory, writing: bool) -> Iterator[Append]:
    """Every entry is projected as soon as it is logged: nobody else does it here."""
    if not writing:
        yield nothing
        return
    with create_log(folder.settings.data) as store, LogWriter(store) as writer:

        def append(submission: Submission) -> Receipt:
            receipt = writer.submit(submission).result()
            folder.project()
            return receipt

        yield append
