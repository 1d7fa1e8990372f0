"""Whose bearer tokens are believed, for what, and under which conditions: the setting LINEWARD_ISSUERS.

Workload tokens of GitHub Actions and GitLab name repositories by paths, which are sold, renamed and registered again;
their ids are not. A rule that leaves the ids out is refused rather than believed.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from catalog.principal import EVERYWHERE, Scope

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"
]  # RFC 7518 section 3.1 and RFC 9864, those with a public key
Glob = Annotated[str, Field(min_length=1, max_length=500)]
Value = str | bool | int


class Kind(StrEnum):
    """What sends the tokens: people's sign-in, or the jobs of a CI service."""

    OIDC = "oidc"
    GITHUB = "github"
    GITLAB = "gitlab"


_BINDING = {
    Kind.GITHUB: frozenset({"repository_id", "repository_owner_id"}),
    Kind.GITLAB: frozenset({"project_id", "namespace_id"}),
}
_PLACES = {
    Kind.GITHUB: (
        frozenset({"workflow_ref"}),
        frozenset({"job_workflow_ref"}),
        frozenset({"environment"}),
        frozenset({"ref"}),
    ),
    Kind.GITLAB: (frozenset({"ci_config_ref_uri"}), frozenset({"environment"}), frozenset({"ref", "ref_type"})),
}
_HOSTS = {"token.actions.githubusercontent.com": Kind.GITHUB, "gitlab.com": Kind.GITLAB}
_OF_PEOPLE = frozenset({Scope.APPROVE, Scope.WAIVE, Scope.ADMIN})
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class Issuer(BaseModel):
    """One rule of trust. Several may name the same issuer; the first that a token fits decides what it may do.

    `rules` are claims that must hold exactly: one value, or a list of which one holds. `jwks` is the path of a file,
    or an https address.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[str, Field(min_length=1, max_length=400)]
    audience: Annotated[str, Field(min_length=1, max_length=400)]
    jwks: Annotated[str, Field(min_length=1)]
    kind: Kind = Kind.OIDC
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("RS256",)
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    namespaces: Annotated[tuple[Glob, ...], Field(min_length=1)] = EVERYWHERE
    rules: Mapping[str, Value | tuple[Value, ...]] = {}
    person_claim: str | None = "email"
    roles_claim: str | None = None

    @field_validator("jwks")
    @classmethod
    def _fetched_safely(cls, value: str) -> str:
        address = urlsplit(value)
        if address.scheme == "http" and address.hostname not in _LOCAL_HOSTS:
            raise ValueError("keys that are fetched over plain http can be replaced on the way; use https")
        return value

    @model_validator(mode="after")
    def _binds(self) -> Self:
        actual = _HOSTS.get(urlsplit(self.issuer).hostname or "")
        if actual is not None and self.kind is not actual:
            raise ValueError(f"{self.issuer} issues tokens of jobs: give it the kind {actual}")
        if self.kind is Kind.OIDC:
            return self
        missing = sorted(_BINDING[self.kind] - self.rules.keys())
        if missing:
            raise ValueError(f"rules must bind {' and '.join(missing)}: names alone can be taken over")
        if not any(place <= self.rules.keys() for place in _PLACES[self.kind]):
            ways = ", or ".join(" with ".join(sorted(place)) for place in _PLACES[self.kind])
            raise ValueError(f"rules must bind the workflow or where it runs: {ways}")
        if taken := _OF_PEOPLE.intersection(self.scopes):
            raise ValueError(f"{', '.join(sorted(taken))} is for people; a job of a CI service is none")
        return self

    @property
    def is_machine(self) -> bool:
        return self.kind is not Kind.OIDC

    def fits(self, claims: Mapping[str, Any]) -> bool:
        """Whether every rule holds. A claim that is a list holds a value when it contains it."""
        return all(_holds(claims.get(claim), allowed) for claim, allowed in self.rules.items())


def _holds(claimed: Any, allowed: Value | tuple[Value, ...]) -> bool:
    values = allowed if isinstance(allowed, tuple) else (allowed,)
    found = claimed if isinstance(claimed, list) else [claimed]
    return not set(_texts(values)).isdisjoint(_texts(found))


def _texts(values: Iterable[Any]) -> list[str]:
    """Ids come as numbers here and as text there; nothing else is taken for something that it is not."""
    told = {True: "true", False: "false"}
    return [
        told[each] if isinstance(each, bool) else str(each) for each in values if isinstance(each, str | bool | int)
    ]
