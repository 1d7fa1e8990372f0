"""Addresses, subjects and keys of one human are one person, and a stranger is nobody."""

from itertools import permutations

import pytest

from catalog.authority.persons import Persons, alias_id, person_id
from catalog.errors import InvalidInputError


def said(alias: str, person: str) -> dict[str, str]:
    return {"act": "identify", "alias": alias, "person": person}


def test_commit_subject_and_key_are_one_person() -> None:
    aliases = ["email:ann@home.example", "oidc:https://issuer.example#u-1", "key:0123456789ab"]
    persons = Persons(said(alias, "ann@example.org") for alias in aliases)
    assert {persons.person_of(alias) for alias in aliases} == {"ann@example.org"}


def test_whom_nobody_named_is_unknown() -> None:
    persons = Persons([said("key:0123456789ab", "ann@example.org")])
    assert persons.person_of("email:bob@example.org") is None
    assert persons.person_of("oidc:https://issuer.example#u-2") is None


def test_the_address_that_a_person_is_called_by_is_theirs() -> None:
    assert (
        Persons([said("key:0123456789ab", "ann@example.org")]).person_of("email:ann@example.org") == "ann@example.org"
    )


def test_the_last_word_counts() -> None:
    persons = Persons([said("email:x@y.z", "ann@example.org"), said("email:x@y.z", "bob@example.org")])
    assert persons.person_of("email:x@y.z") == "bob@example.org"


def test_an_old_address_leads_on_to_the_new_one() -> None:
    told = [said("key:0123456789ab", "ann@old.example"), said("email:ann@old.example", "ann@example.org")]
    for order in permutations(told):
        assert Persons(order).person_of("key:0123456789ab") == "ann@example.org"


def test_addresses_that_lead_in_a_circle_end() -> None:
    persons = Persons([said("email:a@x.y", "b@x.y"), said("email:b@x.y", "a@x.y")])
    assert persons.person_of("email:a@x.y") in ("a@x.y", "b@x.y")


def test_other_policy_acts_name_nobody() -> None:
    assert Persons([{"act": "proposePolicy", "documents": []}]).person_of("email:a@b.c") is None


@pytest.mark.parametrize("written", ["Ann@Example.org", " ann@example.org "])
def test_a_person_has_one_spelling(written: str) -> None:
    assert person_id(written) == "ann@example.org"


@pytest.mark.parametrize("written", ["", "ann", "local", "a b@c.d", "a@b@c", "@b", "a@", "x" * 300 + "@b"])
def test_what_is_no_address_is_no_person(written: str) -> None:
    with pytest.raises(InvalidInputError):
        person_id(written)


@pytest.mark.parametrize("written", ["ann@example.org", "email:", "oidc:issuer", "phone:1", "key:1", "email:a b@c"])
def test_what_is_no_alias_is_refused(written: str) -> None:
    with pytest.raises(InvalidInputError):
        alias_id(written)


def test_subjects_keep_their_case_and_addresses_do_not() -> None:
    assert alias_id("email:Ann@Example.org") == "email:ann@example.org"
    assert alias_id("oidc:https://Issuer#U-1") == "oidc:https://Issuer#U-1"
