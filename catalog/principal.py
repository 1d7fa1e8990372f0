"""Who acts, and what they may do where.

A **principal** is what authenticated (a key, a bearer token, the open door of a laptop); a **person** is the human
behind it. Two keys of one owner are two principals and one person, and four eyes count persons.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from catalog.errors import ForbiddenError

EVERYWHERE = ("*",)
CHALLENGE = 'Bearer realm="lineward"'
"""The WWW-Authenticate header of an answer 401 (RFC 6750, section 3)."""


class Scope(StrEnum):
    """What a principal may do. None of them implies another: `admin` does not imply `approve`."""

    INGEST_WRITE = "ingest:write"
    LINEAGE_READ = "lineage:read"
    POLICY_READ = "policy:read"
    POLICY_WRITE = "policy:write"
    POLICY_EVALUATE = "policy:evaluate"
    APPROVE = "approve"
    WAIVE = "waive"
    ATTEST = "attest"
    REDACT = "redact"
    AUDIT_READ = "audit:read"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Grant:
    """A scope in the namespaces that match one of these globs (`*` any text, slashes included; `?`, `[…]`)."""

    scope: Scope
    namespaces: tuple[str, ...] = EVERYWHERE

    def covers(self, namespace: str) -> bool:
        return "*" in self.namespaces or any(fnmatchcase(namespace, glob) for glob in self.namespaces)


@dataclass(frozen=True, slots=True)
class Principal:
    """`name` is the actor in the log; `person` is None for a machine and for an unmapped human."""

    name: str
    person: str | None
    grants: tuple[Grant, ...]
    roles: tuple[str, ...] = field(default=())

    def may(self, scope: Scope, namespace: str | None = None) -> bool:
        """Whether the scope is granted in the namespace; without one, whether it is granted anywhere."""
        return any(grant.scope is scope and (namespace is None or grant.covers(namespace)) for grant in self.grants)

    def require(self, scope: Scope, namespace: str | None = None) -> None:
        """Raises ForbiddenError that names the scope and the namespace."""
        if not self.may(scope, namespace):
            where = "" if namespace is None else f" in the namespace {namespace}"
            raise ForbiddenError(
                f"{self.name} may not {scope}{where}.", f"Use a key with the scope {scope} there; ask an administrator."
            )

    def sees_everything(self) -> bool:
        """Whether nothing needs to be hidden from this reader."""
        everywhere = {grant.scope for grant in self.grants if "*" in grant.namespaces}
        return everywhere >= {Scope.LINEAGE_READ, Scope.POLICY_READ}

    def as_json(self) -> dict[str, Any]:
        """Who acted, as the log has it (`by` of an act). A machine has no person."""
        person = {} if self.person is None else {"person": self.person}
        return {"principal": self.name, **person, "roles": list(self.roles)}


def grants(scopes: Iterable[Scope], namespaces: Iterable[str] = EVERYWHERE) -> tuple[Grant, ...]:
    where = tuple(namespaces)
    return tuple(Grant(scope, where) for scope in scopes)


LOCAL = Principal("local", "local", grants(Scope))
"""Everybody on a loopback address while no credentials exist: one person, so that four eyes cannot pass."""
