"""Who sends a request: everybody, a key, a token, a stranger, or nobody."""

import asyncio
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from catalog.authority.authenticator import Authenticator
from catalog.authority.issuers import Issuer
from catalog.authority.pepper import Pepper, PepperMissingError
from catalog.authority.roll import Roll
from catalog.authority.tokens import BearerTokens
from catalog.errors import UnauthenticatedError
from catalog.principal import LOCAL, Principal, Scope
from tests.catalog.authority.issuing import Provider, claims, rule, signed
from tests.catalog.authority.memory import ANN, DAY, ActLog, administration, request

NOTHING: Mapping[str, str] = {}


class House:
    """A log, its administration, and doors on it."""

    def __init__(self, folder: Path) -> None:
        self.log = ActLog()
        self.pepper = Pepper(folder)
        self.office, self.roll = administration(self.log, self.pepper)

    def key(self, *scopes: Scope, owner: str = "ann@example.org", **more: object) -> str:
        return self.office.create(ANN, request(owner, *scopes, **more)).text

    def door(
        self, *issuers: Issuer, anonymous: Sequence[Scope] = (), loopback: bool = True, roll: Roll | None = None
    ) -> Authenticator:
        tokens = Provider().verifier(*issuers) if issuers else BearerTokens(())
        roll = roll or self.roll
        return Authenticator(roll, self.pepper, tokens, anonymous, loopback=loopback, now=self.log.clock)


def sent(credentials: str) -> dict[str, str]:
    return {"authorization": f"Bearer {credentials}"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_without_credentials_everybody_here_is_one_person(house: House) -> None:
    door = house.door()
    assert door.is_open
    assert door.principal_of(NOTHING) == door.principal_of(sent("whatever")) == LOCAL


def test_open_doors_are_announced(house: House) -> None:
    with capture_logs() as said:
        house.door().announce()
        house.key(Scope.ADMIN)
        house.door().announce()
    assert [(line["log_level"], line["event"]) for line in said] == [
        ("warning", "access.open"),
        ("info", "access.authenticated"),
    ]


@pytest.mark.parametrize("headers", [NOTHING, sent("x"), sent("lw_0_0"), {"authorization": "Basic x"}])
def test_from_elsewhere_nobody_is_let_in_without_credentials(house: House, headers: Mapping[str, str]) -> None:
    with pytest.raises(UnauthenticatedError):
        house.door(loopback=False).principal_of(headers)


def test_the_first_key_closes_the_door_at_once_and_for_good(house: House) -> None:
    door = house.door()
    house.key(Scope.ADMIN)
    with pytest.raises(UnauthenticatedError):
        door.principal_of(NOTHING)
    for key, _ in house.office.keys(ANN):
        house.office.revoke(ANN, key.id)
    assert not door.is_open
    assert not house.door(roll=Roll(house.log)).is_open


def test_an_issuer_closes_the_door_too(house: House) -> None:
    door = house.door(rule())
    with pytest.raises(UnauthenticatedError):
        door.principal_of(NOTHING)
    assert door.principal_of(sent(signed())).name == "oidc:https://issuer.example#u-1"


def test_a_key_is_its_owner_with_its_scopes(house: House) -> None:
    text = house.key(Scope.LINEAGE_READ, owner="bob@example.org", namespaces=["team-*"])
    for scheme in ("Bearer", "bearer", "BEARER"):
        principal = house.door().principal_of({"authorization": f"{scheme}  {text}"})
        assert (principal.name.startswith("key:"), principal.person) == (True, "bob@example.org")
    assert principal.may(Scope.LINEAGE_READ, "team-a")
    assert not principal.may(Scope.LINEAGE_READ, "a")
    assert not principal.may(Scope.APPROVE)


def test_two_keys_of_one_owner_are_two_principals_and_one_person(house: House) -> None:
    found = [house.door().principal_of(sent(house.key(Scope.APPROVE))) for _ in range(2)]
    assert len({each.name for each in found}) == 2
    assert {each.person for each in found} == {"ann@example.org"}


def test_a_key_and_a_sign_in_of_one_person_are_one_person(house: House) -> None:
    house.office.identify(ANN, "oidc:https://issuer.example#u-1", "ann@example.org")
    door = house.door(rule())
    assert door.principal_of(sent(signed())).person == door.principal_of(sent(house.key(Scope.APPROVE))).person


@pytest.mark.parametrize("how", ["PENDING", "REVOKED", "EXPIRED"])
def test_a_key_that_does_not_count_says_why(house: House, how: str) -> None:
    owner = "bob@example.org" if how == "PENDING" else "ann@example.org"
    text = house.key(Scope.APPROVE, owner=owner, expiresAt="2027-01-16T00:00:00Z")
    if how == "REVOKED":
        house.office.revoke(ANN, text.split("_")[1])
    if how == "EXPIRED":
        house.log.now += 10 * DAY
    with pytest.raises(UnauthenticatedError, match="second administrator" if how == "PENDING" else how.lower()):
        house.door().principal_of(sent(text))


def test_a_wrong_secret_is_told_nothing_about_its_key(house: House) -> None:
    text = house.key(Scope.ADMIN)
    house.office.revoke(ANN, text.split("_")[1])
    wrong = [text[:-64] + "0" * 64, "lw_000000000000_" + "0" * 64, text + "0", text[:-1]]
    messages = set()
    for each in wrong:
        with pytest.raises(UnauthenticatedError) as refused:
            house.door().principal_of(sent(each))
        messages.add(refused.value.message)
    assert len(messages) == 1


def test_another_log_knows_none_of_its_keys(house: House, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = House(tmp_path / "other")
    other.key(Scope.ADMIN)
    with pytest.raises(UnauthenticatedError):
        other.door().principal_of(sent(house.key(Scope.ADMIN)))


def test_a_lost_pepper_is_no_wrong_key(house: House, tmp_path: Path) -> None:
    text = house.key(Scope.ADMIN)
    (tmp_path / "key.pepper").unlink()
    tokens = BearerTokens(())
    with pytest.raises(PepperMissingError):
        Authenticator(house.roll, Pepper(tmp_path), tokens, loopback=True).principal_of(sent(text))


@pytest.mark.parametrize("credentials", ["", "  ", "lw_x", "a b", "a.b.c"])
def test_credentials_that_mean_nothing_are_never_a_strangers(house: House, credentials: str) -> None:
    house.key(Scope.ADMIN)
    door = house.door(anonymous=[Scope.LINEAGE_READ])
    with pytest.raises(UnauthenticatedError):
        door.principal_of(sent(credentials))


def test_strangers_may_what_is_configured_and_are_no_person(house: House) -> None:
    house.key(Scope.ADMIN)
    stranger = house.door(anonymous=[Scope.LINEAGE_READ]).principal_of(NOTHING)
    assert (stranger.name, stranger.person) == ("anonymous", None)
    assert [grant.scope for grant in stranger.grants] == [Scope.LINEAGE_READ]


def test_a_loop_waits_for_tokens_and_for_nothing_else(house: House) -> None:
    text = house.key(Scope.ADMIN)
    door = house.door(rule())
    assert isinstance(door.arriving(sent(text)), Principal)

    async def arrive() -> Principal:
        found = door.arriving(sent(signed(claims(sub="u-7"))))
        assert inspect.isawaitable(found)
        return await found

    assert asyncio.run(arrive()).name.endswith("#u-7")


def test_acts_of_another_process_are_seen_after_a_second(house: House) -> None:
    ticks = [0.0]
    roll = Roll(house.log, lambda: ticks[0])
    door = house.door(roll=roll)
    text = house.key(Scope.ADMIN)
    assert door.is_open
    ticks[0] = 1.0
    assert door.principal_of(sent(text)).person == "ann@example.org"
