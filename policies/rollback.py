"""Going back to what was allowed before: one person is enough, at three in the morning too.

A version that was allowed in full into the environment within the last `ROLLBACK_DAYS`, is still what it was then, and
was not recalled since, may be allowed again by one person. Such an allow is logged as a rollback; it starts no new
period of its own.
"""

from datetime import timedelta

from catalog.act import Act
from catalog.errors import ConflictError, ForbiddenError, InvalidInputError, LinewardError, NotFoundError
from catalog.identity import NodeKind, base_version
from catalog.instant import text
from catalog.model import Node
from catalog.principal import Principal, Scope
from catalog.reading import Reading
from policies.acts import RollbackTo
from policies.evidence.artifact import artifact_of
from policies.evidence.closure import closure
from policies.standing import standing_approvals, standing_attestations

ROLLBACK_DAYS = 90
"""How long after an allow one person may go back to it, days."""

RECALL = "recall"
"""The type of the statement that takes a version, or all versions of a model, out of use."""

_WINDOW = timedelta(days=ROLLBACK_DAYS) // timedelta(microseconds=1)


def rollback_to(reading: Reading, principal: Principal, version: Node, environment: str, instant: int) -> RollbackTo:
    """What a rollback at an instant (µs) goes back to, and whose word it is.

    Raises InvalidInputError for what is no model version, NotFoundError where nothing was allowed in time,
    ConflictError for what was recalled or is not what was allowed, ForbiddenError where nobody who may approve there
    wants it.
    """
    if version.kind is not NodeKind.MODEL_VERSION:
        raise InvalidInputError(f"{_label(version)} is no version of a model.", "Name one to roll back to.")
    allowed = last_full_allow(reading, version.id, environment, instant)
    if allowed is None:
        raise NotFoundError(
            f"{_label(version)} was not allowed into {environment} within {ROLLBACK_DAYS} days.",
            "Let it be decided as a release: without asking for a rollback.",
        )
    recall = recalled(reading, version, instant)
    if recall is not None:
        raise ConflictError(
            f"{_label(version)} was recalled (attestation {recall}).",
            "Roll back to another version, or withdraw the recall.",
        )
    _check_unchanged(reading, version, allowed)
    person = _who_wants_it(reading, principal, version, environment)
    return RollbackTo(decision=allowed.id, allowed_at=text(allowed.at), person=person)


def last_full_allow(reading: Reading, version: str, environment: str, instant: int) -> Act | None:
    """The last allow into an environment within the period that was no rollback itself."""
    found = [
        act
        for act in reading.acts(NodeKind.DECISION, version)
        if act.body["state"] == "ALLOW"
        and act.body["environment"] == environment
        and "rollback" not in act.body
        and instant - _WINDOW < act.at <= instant
    ]
    return found[-1] if found else None


def recalled(reading: Reading, version: Node, instant: int) -> str | None:
    """The attestation that recalls a version or its whole model at an instant; None where none does."""
    models = (version.parent,) if version.parent else ()
    for target in dict.fromkeys((version.id, base_version(version.id), *models)):
        for stated in standing_attestations(reading, target):
            if stated.said.type == RECALL and stated.counts(instant):
                return stated.id
    return None


def _check_unchanged(reading: Reading, version: Node, allowed: Act) -> None:
    """The same artifact where one was told, else the same closure."""
    subject = (allowed.body.get("evidence") or {}).get("subject", {})
    artifact = artifact_of(reading, version).digest
    same = artifact == subject["digest"] if "digest" in subject else False
    if not same and closure(reading, version.id).digest != subject.get("closureDigest"):
        raise _changed(version, allowed)


def _changed(version: Node, allowed: Act) -> LinewardError:
    return ConflictError(
        f"{_label(version)} is not what was allowed on {text(allowed.at)}.",
        "Let it be decided as a release: without asking for a rollback.",
    )


def _who_wants_it(reading: Reading, principal: Principal, version: Node, environment: str) -> str:
    """The caller, if a person who may approve there; else whoever approves this version for the environment."""
    if principal.person is not None and principal.may(Scope.APPROVE, version.namespace):
        return principal.person
    for approval in standing_approvals(reading, version.id):
        person = approval.said.by.person
        if approval.current and approval.said.environment == environment and person is not None:
            return person
    raise ForbiddenError(
        f"A rollback takes one person who may approve in {version.namespace}.",
        "Call with the key of such a person, or let one approve the version first.",
    )


def _label(version: Node) -> str:
    return version.name if version.label is None else f"{version.name}@{version.label}"
