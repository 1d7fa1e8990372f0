"""Whose facets of governance count where."""

import pytest

from catalog.authority.issuers import Issuer, Kind
from catalog.authority.roll import Roll
from catalog.authority.standing import Authority
from catalog.log.entry import EntryType
from catalog.principal import Scope
from tests.catalog.authority.memory import ActLog, by, creation

ANN = "ann@example.org"
KEY = "000000000001"


def authority(*scopes: Scope, namespaces: tuple[str, ...] = ("lake/*",), revoked: bool = False) -> Authority:
    log = ActLog()
    made = creation(KEY, by(ANN), ANN, scopes) | {"namespaces": list(namespaces)}
    log.say(EntryType.KEY, made)
    if revoked:
        log.say(EntryType.KEY, {"act": "revokeKey", "by": by(ANN), "key": KEY})
    roll = Roll(log)
    roll.catch_up()
    issuer = Issuer(
        issuer="https://issuer.example",
        audience="lineward",
        algorithms=("RS256",),
        jwks="https://issuer.example/jwks",
        scopes=(Scope.INGEST_WRITE,),
        namespaces=("lake/*",),
        kind=Kind.OIDC,
        person_claim="email",
    )
    return Authority(roll, [issuer])


@pytest.mark.parametrize(
    ("actor", "namespace", "counts"),
    [
        ("local", "anything", True),
        (f"key:{KEY}", "lake/credit", True),
        (f"key:{KEY}", "registry", False),
        ("key:000000000002", "lake/credit", False),
        ("oidc:https://issuer.example#job", "lake/credit", True),
        ("oidc:https://issuer.example#job", "registry", False),
        ("oidc:https://issuer.example.evil#job", "lake/credit", False),
        ("anonymous", "lake/credit", False),
        ("", "lake/credit", False),
    ],
)
def test_a_sender_has_authority_where_it_may_send(actor: str, namespace: str, counts: bool) -> None:
    assert authority(Scope.INGEST_WRITE)(actor, namespace) is counts


def test_other_scopes_give_no_authority() -> None:
    assert not authority(Scope.LINEAGE_READ, Scope.ADMIN)(f"key:{KEY}", "lake/credit")


def test_what_a_key_said_before_it_was_revoked_still_counts() -> None:
    assert authority(Scope.INGEST_WRITE, revoked=True)(f"key:{KEY}", "lake/credit")
