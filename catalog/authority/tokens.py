"""Bearer tokens: JSON Web Tokens (RFC 7519) of configured issuers, checked as RFC 8725 advises.

The issuer decides which algorithms and which keys count, never the token: `none` and secrets are not among them. The
audience must be ours alone.
"""

import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from catalog.authority.issuers import Issuer
from catalog.authority.jwks import Fetch, PublicKeys, read_place
from catalog.authority.persons import Persons, person_id
from catalog.errors import InvalidInputError, UnauthenticatedError
from catalog.principal import Principal, grants

LEEWAY = 30  # seconds by which clocks may differ
_LONGEST = 16 * 1024  # characters of a token
_LONGEST_NAME = 900  # characters of issuer and subject, which become an actor in the log
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_AGAIN = "Get a new token from its issuer."


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that is genuine, ours, in time, and fits a rule of trust."""

    issuer: Issuer
    claims: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The actor in the log, and the alias of whoever is behind it."""
        return f"oidc:{self.issuer.issuer}#{self.claims['sub']}"

    def principal(self, persons: Persons) -> Principal:
        rule = self.issuer
        person = None if rule.is_machine else self._person(persons)
        return Principal(self.name, person, grants(rule.scopes, rule.namespaces), self._roles())

    def _person(self, persons: Persons) -> str | None:
        """Whom the mapping names for the subject; else the claim, where it names a person beyond doubt."""
        mapped = persons.person_of(self.name)
        if mapped is not None or self.issuer.person_claim is None:
            return mapped
        if self.issuer.person_claim == "email" and self.claims.get("email_verified") is not True:
            return None
        try:
            return persons.canonical(person_id(str(self.claims.get(self.issuer.person_claim, ""))))
        except InvalidInputError:
            return None  # a name that is nobody's address: an unknown person

    def _roles(self) -> tuple[str, ...]:
        claimed = self.claims.get(self.issuer.roles_claim) if self.issuer.roles_claim else None
        listed = claimed if isinstance(claimed, list) else [claimed]
        return tuple(dict.fromkeys(each for each in listed if isinstance(each, str)))


class BearerTokens:
    """Verifies tokens of the issuers. For any number of threads."""

    def __init__(
        self,
        issuers: Iterable[Issuer],
        fetch: Fetch = read_place,
        now: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = tuple(issuers)
        self._now = now
        self._keys = {rule.jwks: PublicKeys(rule.jwks, fetch, ticks) for rule in self._rules}

    def __bool__(self) -> bool:
        return bool(self._rules)

    def verify(self, token: str) -> Verified:
        """Raises UnauthenticatedError that says why a token is not believed, IssuerUnavailableError while nobody can
        tell. May wait for an issuer's keys, for seconds."""
        header, claimed = _parts(token)
        rules = [rule for rule in self._rules if rule.issuer == claimed.get("iss")]
        if not rules:
            raise UnauthenticatedError("The token's issuer is not trusted here.", "See the setting LINEWARD_ISSUERS.")
        rules = [rule for rule in rules if _is_for(rule.audience, claimed.get("aud"))]
        if not rules:
            raise UnauthenticatedError("The token is meant for somebody else.", "Ask its issuer for our audience.")
        fitting = next((rule for rule in rules if rule.fits(claimed)), None)
        claims = self._claims(token, header, fitting or rules[0])
        if claims != claimed:
            raise _forged()
        if fitting is None:
            raise UnauthenticatedError(
                "The token is genuine, but fits no rule of trust.", "Compare its claims with LINEWARD_ISSUERS."
            )
        self._check_times(claims)
        _check_subject(claims)
        return Verified(fitting, claims)

    def _claims(self, token: str, header: Mapping[str, Any], rule: Issuer) -> Mapping[str, Any]:
        """Those that the issuer signed."""
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in rule.algorithms:
            raise UnauthenticatedError("The token is not signed in a way that is trusted of its issuer.", _AGAIN)
        if "crit" in header:
            raise UnauthenticatedError("The token asks for extensions that are not understood here.", _AGAIN)
        kid = header.get("kid")
        key = self._keys[rule.jwks].key(kid if isinstance(kid, str) else None)
        if key.key_type != _KEY_TYPES[algorithm[:2]]:
            raise _forged()
        registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        registry.max_header_length = registry.max_payload_length = _LONGEST
        try:
            signed = jws.deserialize_compact(token, key, registry=registry)
        except (JoseError, ValueError) as error:
            raise _forged() from error
        claims: Mapping[str, Any] = orjson.loads(signed.payload or b"")
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        """`exp` is required; `nbf` and `iat` count where they are given (RFC 7519, 4.1.4 to 4.1.6)."""
        now = self._now()
        times = {name: claims.get(name) for name in ("exp", "nbf", "iat")}
        if any(isinstance(each, bool) or not isinstance(each, int | float | None) for each in times.values()):
            raise UnauthenticatedError("The token's times are no numbers.", _AGAIN)
        if times["exp"] is None or now >= times["exp"] + LEEWAY:
            raise UnauthenticatedError("The token has expired.", _AGAIN)
        if any(now < (times[name] or 0) - LEEWAY for name in ("nbf", "iat")):
            raise UnauthenticatedError("The token is not valid yet.", "Compare the clocks of both machines.")


def _parts(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims as the token has them: nobody has vouched for either yet."""
    if len(token) > _LONGEST or _COMPACT.fullmatch(token) is None:
        raise _no_token()
    try:
        header, claims = (orjson.loads(urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    except ValueError as error:
        raise _no_token() from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise _no_token()
    return header, claims


def _is_for(audience: str, claimed: Any) -> bool:
    """Us alone: a token that others may be shown too, they could show to us."""
    return claimed in (audience, [audience])


def _check_subject(claims: Mapping[str, Any]) -> None:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or not subject.isprintable() or len(subject) > _LONGEST_NAME // 2:
        raise UnauthenticatedError("The token's subject is no name.", _AGAIN)


def _no_token() -> UnauthenticatedError:
    return UnauthenticatedError(
        "The credentials are neither an API key nor a token.", "Send `Authorization: Bearer` with one of them."
    )


def _forged() -> UnauthenticatedError:
    return UnauthenticatedError("The token's signature does not verify.", _AGAIN)
