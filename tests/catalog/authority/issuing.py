"""An issuer of tokens for tests: its keys, its published set, and clocks that stand still."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from catalog.authority.issuers import Issuer
from catalog.authority.tokens import BearerTokens

ISSUER, AUDIENCE, JWKS = "https://issuer.example", "lineward", "https://issuer.example/jwks"
NOW = 1_800_000_000.0  # seconds


@cache
def rsa(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid})


@cache
def elliptic(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid})


def rule(**more: Any) -> Issuer:
    told = {"issuer": ISSUER, "audience": AUDIENCE, "jwks": JWKS, "scopes": ["lineage:read"]}
    return Issuer.model_validate(told | more)


@dataclass
class Provider:
    """Publishes keys and signs tokens; counts how often it is asked, and may not answer."""

    keys: list[Any] = field(default_factory=lambda: [rsa("k1")])
    asked: int = 0
    down: bool = False
    seconds: float = 0.0

    def fetch(self, place: str) -> bytes:
        self.asked += 1
        if self.down:
            raise OSError("no route to host")
        return orjson.dumps({"keys": [key.as_dict(private=False) for key in self.keys]})

    def ticks(self) -> float:
        return self.seconds

    def verifier(self, *rules: Issuer) -> BearerTokens:
        return BearerTokens(rules or (rule(),), self.fetch, lambda: NOW + self.seconds, self.ticks)


def claims(**more: Any) -> dict[str, Any]:
    told = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u-1", "iat": NOW, "exp": NOW + 300}
    return {name: value for name, value in (told | more).items() if value is not None}


def signed(told: Mapping[str, Any] | None = None, key: RSAKey | ECKey | OctKey | None = None, **header: Any) -> str:
    key = key or rsa("k1")
    header = {"alg": "RS256", "kid": key.kid} | header
    return jwt.encode(header, dict(claims() if told is None else told), key, algorithms=[header["alg"]])
