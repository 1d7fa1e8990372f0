"""Who may approve a release, and how many of them a binding asks for.

Four eyes count persons, not keys. Neither the requester of the release nor those who wrote or ran the training
count. Whether there are enough is for the controls to say: they see the approvals in the evidence.
"""

import re
from collections.abc import Collection, Iterable
from typing import Any

from catalog.act import Act
from catalog.errors import ForbiddenError
from catalog.identity import NodeKind
from catalog.principal import LOCAL, Principal, Scope
from catalog.reading import Reading
from policies.binding import PolicyBinding
from policies.evidence.document import Evidence
from policies.pack import PolicyPack

COUNT, ROLES = "approvers", "approverRoles"
"""Params of a pack that counts approvals: how many people, and roles that must each be held by one of them."""

_ADDRESSED = re.compile(r"[^<]*<([^<>]+)>\s*")


def person_of(principal: Principal, scope: Scope) -> str:
    """The human behind a principal; ForbiddenError for a machine."""
    if principal.person is None:
        raise ForbiddenError(
            f"{principal.name} is no person, and only people may {scope}.",
            "Use a key that belongs to a person, or map this identity to one.",
        )
    return principal.person


def alone(person: str, otherwise: str) -> str:
    """What to do where one person would be two. In open mode there is nobody else until there are keys."""
    if person != LOCAL.person:
        return otherwise
    return "Without keys everybody is `local`, one person: make the first with `lineward keys create --bootstrap`."


def check_approver(person: str, developers: Collection[str], requester: str | None) -> None:
    """Raises ForbiddenError for somebody who would approve their own work or their own request."""
    if person in developers:
        raise ForbiddenError(
            f"{person} wrote or ran the training of this version.", "Ask somebody who took no part in it to approve."
        )
    if person == requester:
        raise ForbiddenError(
            f"{person} asked for this release.", "Let somebody else approve it, or somebody else ask for it."
        )


def requester_of(reading: Reading, version: str, environment: str) -> str | None:
    """Who last asked for a version's release into an environment, while that has not been allowed."""
    asked = [act for act in reading.acts(NodeKind.DECISION, version) if act.body.get("environment") == environment]
    last: Act | None = asked[-1] if asked else None
    return None if last is None or last.body["state"] == "ALLOW" else str(last.body["requester"])


def developers_of(evidence: Evidence) -> frozenset[str]:
    """Everybody who wrote or ran the training: persons, and names that may yet turn out to be persons', case folded."""
    told = (name for run in evidence.training_runs for name in (*(run.authors or ()), run.user) if name)
    return frozenset(evidence.subject.developed_by or ()) | {_address(name) for name in told}


def _address(name: str) -> str:
    match = _ADDRESSED.fullmatch(name)
    return (match[1] if match else name).strip().casefold()


def approval_params(pack: PolicyPack, bindings: Iterable[PolicyBinding]) -> dict[str, Any]:
    """What bindings say under `approvals`, as params of a pack that counts them: the most people, all roles."""
    asked = [each.approvals for each in bindings if each.approvals is not None]
    if not asked:
        return {}
    roles = list(dict.fromkeys(role for each in asked for role in each.roles))
    told = {COUNT: max(each.count for each in asked), ROLES: roles}
    return {name: value for name, value in told.items() if name in pack.params}


def counts_approvals(pack: PolicyPack) -> bool:
    return COUNT in pack.params
