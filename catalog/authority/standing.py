"""Whose word counts for data in a namespace: authority, which comes before time.

Whoever may send events describes what ran. What governance reads of data (labels, owners, licences) counts only from a
sender that may send events about that data's own namespace.
"""

from collections.abc import Iterable

from catalog.authority.issuers import Issuer
from catalog.authority.roll import Roll
from catalog.principal import LOCAL, Scope, grants


class Authority:
    """Tells by the actor in the log. A key that was revoked since keeps the authority of what it sent before."""

    def __init__(self, roll: Roll, issuers: Iterable[Issuer]) -> None:
        self._roll = roll
        self._issuers = tuple(issuers)

    def __call__(self, actor: str, namespace: str) -> bool:
        """Whether facets of governance by this actor count for data in the namespace."""
        if actor == LOCAL.name:
            return True
        kind, _, name = actor.partition(":")
        if kind == "key":
            key = self._roll.keys.get(name)
            return key is not None and key.principal(key.owner).may(Scope.INGEST_WRITE, namespace)
        return kind == "oidc" and any(
            name.startswith(f"{issuer.issuer}#")
            and any(
                grant.scope is Scope.INGEST_WRITE and grant.covers(namespace)
                for grant in grants(issuer.scopes, issuer.namespaces)
            )
            for issuer in self._issuers
        )
