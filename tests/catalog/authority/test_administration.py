"""What administrators may do, and what nobody may do alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest

from catalog import instant
from catalog.authority.administration import Administration, key_request
from catalog.authority.keys import KeyState
from catalog.authority.pepper import Pepper
from catalog.authority.roll import Roll
from catalog.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from catalog.log.entry import EntryType
from catalog.principal import LOCAL, Principal, Scope
from tests.catalog.authority.memory import ANN, BOB, DAY, NOW, ActLog, administration, person, request


@pytest.fixture
def log() -> ActLog:
    return ActLog()


@pytest.fixture
def pepper(tmp_path: Path) -> Pepper:
    return Pepper(tmp_path)


@pytest.fixture
def office(log: ActLog, pepper: Pepper) -> Administration:
    return administration(log, pepper)[0]


def test_a_key_works_and_only_its_digest_is_logged(log: ActLog, pepper: Pepper) -> None:
    office, roll = administration(log, pepper)
    made = office.create(ANN, request("Ann@Example.org", Scope.INGEST_WRITE, namespaces=["team-*"], roles=["owner"]))
    found = roll.keys.matching(made.text, pepper.secret())
    assert found == made.key
    assert found is not None
    principal = found.principal(found.owner)
    assert (principal.name, principal.person, principal.roles) == (f"key:{found.id}", "ann@example.org", ("owner",))
    assert principal.may(Scope.INGEST_WRITE, "team-a")
    assert not principal.may(Scope.INGEST_WRITE, "other")
    secret = made.text.rsplit("_")[-1].encode()
    assert all(secret not in (entry.body or b"") for entry in log.entries)


def test_making_a_key_says_whose_it_is(log: ActLog, office: Administration) -> None:
    made = office.create(ANN, request("bob@example.org", Scope.LINEAGE_READ))
    said = [orjson.loads(entry.body or b"") for entry in log.entries if entry.type is EntryType.POLICY]
    assert [(act["act"], act["alias"], act["person"]) for act in said] == [
        ("identify", f"key:{made.key.id}", "bob@example.org")
    ]
    assert said[0]["by"]["person"] == "ann@example.org"
    assert said[0]["at"] == instant.text(NOW)


def test_one_who_administers_nothing_makes_nothing(log: ActLog, office: Administration) -> None:
    mallory = person("mallory@example.org", Scope.APPROVE, Scope.POLICY_WRITE)
    acts: list[Callable[[], Any]] = [
        lambda: office.create(mallory, request("mallory@example.org", Scope.ADMIN)),
        lambda: office.identify(mallory, "email:x@example.org", "mallory@example.org"),
        lambda: office.confirm(mallory, "000000000001"),
        lambda: office.revoke(mallory, "000000000001"),
        lambda: office.keys(mallory),
    ]
    for act in acts:
        with pytest.raises(ForbiddenError, match="may not admin"):
            act()
    assert log.entries == []


@pytest.mark.parametrize("scope", [Scope.APPROVE, Scope.WAIVE])
def test_a_key_to_approve_for_somebody_else_waits_for_a_second_person(office: Administration, scope: Scope) -> None:
    made = office.create(ANN, request("carol@example.org", scope)).key
    assert made.state(NOW) is KeyState.PENDING
    with pytest.raises(ForbiddenError, match="two persons"):
        office.confirm(ANN, made.id)
    confirmed = office.confirm(BOB, made.id)
    assert confirmed.state(NOW) is KeyState.ACTIVE
    with pytest.raises(ConflictError, match="active"):
        office.confirm(BOB, made.id)


def test_two_keys_of_one_person_are_one_administrator(office: Administration) -> None:
    made = office.create(ANN, request("carol@example.org", Scope.APPROVE)).key
    again = office.create(ANN, request("ann@example.org", Scope.ADMIN)).key
    with pytest.raises(ForbiddenError, match="two persons"):
        office.confirm(again.principal(again.owner), made.id)


def test_beside_other_administrators_nobody_makes_a_further_one_alone(office: Administration) -> None:
    first = office.create(ANN, request("ann@example.org", Scope.ADMIN)).key
    second = office.create(ANN, request("bob@example.org", Scope.ADMIN)).key
    assert second.state(NOW) is KeyState.ACTIVE, "nobody is there yet to agree"
    puppet = office.create(first.principal(first.owner), request("carol@example.org", Scope.ADMIN)).key
    assert puppet.state(NOW) is KeyState.PENDING
    with pytest.raises(ForbiddenError, match="two persons"):
        office.confirm(first.principal(first.owner), puppet.id)
    assert office.confirm(second.principal(second.owner), puppet.id).state(NOW) is KeyState.ACTIVE


def test_a_machine_is_neither_of_two_persons(office: Administration) -> None:
    machine = Principal("oidc:https://ci.example#job", None, ANN.grants)
    made = office.create(ANN, request("carol@example.org", Scope.APPROVE)).key
    with pytest.raises(ForbiddenError):
        office.confirm(machine, made.id)
    with pytest.raises(ForbiddenError, match="no person"):
        office.create(machine, request("carol@example.org", Scope.APPROVE))
    assert office.create(machine, request("carol@example.org", Scope.LINEAGE_READ)).key.state(NOW) is KeyState.ACTIVE
    office.create(ANN, request("ann@example.org", Scope.ADMIN))
    with pytest.raises(ForbiddenError, match="no person"):
        office.create(machine, request("carol@example.org", Scope.ADMIN))


def test_ones_own_key_to_approve_takes_nobody_else(office: Administration) -> None:
    assert office.create(ANN, request("ann@example.org", Scope.APPROVE)).key.state(NOW) is KeyState.ACTIVE


def test_the_first_key_has_to_administer(log: ActLog, office: Administration) -> None:
    for scopes in ([Scope.INGEST_WRITE], [Scope.ADMIN, Scope.APPROVE]):
        with pytest.raises(InvalidInputError, match="first key"):
            office.create(LOCAL, request("ann@example.org", *scopes))
    assert log.entries == []
    assert office.create(LOCAL, request("ann@example.org", Scope.ADMIN)).key.state(NOW) is KeyState.ACTIVE
    with pytest.raises(ForbiddenError, match="no longer"):
        office.create(LOCAL, request("eve@example.org", Scope.ADMIN))


def test_many_who_bootstrap_at_once_make_one_key(log: ActLog, office: Administration) -> None:
    def attempt(number: int) -> bool:
        try:
            office.create(LOCAL, request(f"p{number}@example.org", Scope.ADMIN))
        except ForbiddenError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1
    assert len([entry for entry in log.entries if entry.type is EntryType.KEY]) == 1


def test_what_is_revoked_stays_so(office: Administration) -> None:
    made = office.create(ANN, request("carol@example.org", Scope.APPROVE)).key
    assert office.revoke(BOB, made.id, "left").state(NOW) is KeyState.REVOKED
    assert office.revoke(BOB, made.id).state(NOW) is KeyState.REVOKED
    with pytest.raises(ConflictError, match="revoked"):
        office.confirm(BOB, made.id)


def test_owners_may_revoke_their_own(office: Administration) -> None:
    own = office.create(ANN, request("carol@example.org", Scope.LINEAGE_READ)).key
    other = office.create(ANN, request("dave@example.org", Scope.LINEAGE_READ)).key
    carol = own.principal(own.owner)
    with pytest.raises(ForbiddenError):
        office.revoke(carol, other.id)
    assert office.revoke(carol, own.id).state(NOW) is KeyState.REVOKED


def test_the_last_administrator_stays(log: ActLog, pepper: Pepper) -> None:
    office, _ = administration(log, pepper, can_recover=False)
    first = office.create(LOCAL, request("ann@example.org", Scope.ADMIN)).key
    ann = first.principal(first.owner)
    with pytest.raises(ConflictError, match="only one"):
        office.revoke(ann, first.id)
    office.create(ann, request("bob@example.org", Scope.ADMIN))
    assert office.revoke(ann, first.id).state(NOW) is KeyState.REVOKED


def test_credentials_that_lapsed_meanwhile_act_no_more(log: ActLog, office: Administration) -> None:
    key = office.create(ANN, request("carol@example.org", Scope.ADMIN)).key
    office.revoke(ANN, key.id)
    with pytest.raises(ForbiddenError, match="no longer"):
        office.create(key.principal(key.owner), request("eve@example.org", Scope.ADMIN))


def test_a_key_of_an_old_address_is_the_same_person(office: Administration, log: ActLog, pepper: Pepper) -> None:
    office.identify(ANN, "email:ann@old.example", "ann@example.org")
    made = office.create(ANN, request("ann@old.example", Scope.APPROVE)).key
    assert made.owner == "ann@example.org"
    assert made.state(NOW) is KeyState.ACTIVE


def test_where_two_administer_two_say_who_somebody_is(office: Administration) -> None:
    alias = "email:x@home.example"
    office.create(ANN, request("ann@example.org", Scope.ADMIN))
    assert not office.identify(ANN, alias, "carol@example.org").pending  # nobody else is there to agree
    office.create(ANN, request("bob@example.org", Scope.ADMIN))

    assert office.identify(ANN, alias, "dora@example.org").pending
    assert office.identify(ANN, alias, "dora@example.org").pending  # the same person again is one person
    assert office.roll.persons.person_of(alias) == "carol@example.org"
    assert not office.identify(BOB, alias, "dora@example.org").pending
    assert office.roll.persons.person_of(alias) == "dora@example.org"


def test_who_says_something_else_agrees_to_nothing(office: Administration) -> None:
    alias = "email:x@home.example"
    for each in (ANN, BOB):
        office.create(ANN, request(str(each.person), Scope.ADMIN))
    office.identify(ANN, alias, "dora@example.org")
    assert office.identify(BOB, alias, "eve@example.org").pending
    assert office.identify(BOB, alias, "dora@example.org").pending  # it was overtaken by another word
    assert office.roll.persons.person_of(alias) is None


def test_the_owner_of_a_key_is_not_said_anew(office: Administration) -> None:
    made = office.create(ANN, request("bob@example.org", Scope.LINEAGE_READ)).key
    with pytest.raises(InvalidInputError, match="owner already"):
        office.identify(ANN, made.name, "eve@example.org")


def test_what_is_not_there_is_told(office: Administration) -> None:
    with pytest.raises(NotFoundError):
        office.revoke(ANN, "000000000001")


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"scopes": ["admin"]}, "/owner"),
        ({"owner": "a@b.c", "scopes": []}, "/scopes"),
        ({"owner": "a@b.c", "scopes": ["everything"]}, "/scopes/0"),
        ({"owner": "a@b.c", "scopes": ["admin"], "namespaces": []}, "/namespaces"),
        ({"owner": "a@b.c", "scopes": ["admin"], "namespaces": [""]}, "/namespaces/0"),
        ({"owner": "a@b.c", "scopes": ["admin"], "scope": "approve"}, "/scope"),
    ],
)
def test_a_request_that_means_nothing_is_refused(document: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        key_request(document)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize("expires", ["soon", "2027-01-31T00:00:00", instant.text(NOW), instant.text(NOW - DAY)])
def test_a_key_expires_at_a_time_to_come(office: Administration, expires: str) -> None:
    with pytest.raises(InvalidInputError, match="expiresAt"):
        office.create(ANN, request("a@b.c", Scope.LINEAGE_READ, expiresAt=expires))


def test_a_roll_that_starts_later_knows_the_same(office: Administration, log: ActLog) -> None:
    made = office.create(ANN, request("carol@example.org", Scope.APPROVE)).key
    office.confirm(BOB, made.id)
    roll = Roll(log)
    assert roll.keys.get(made.id) == office.keys(ANN)[0][0]
    assert roll.persons.person_of(made.name) == "carol@example.org"
