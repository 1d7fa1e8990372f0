"""Names in events as persons that we know."""

import pytest

from policies.evidence.people import People
from tests.policies.evidence.world import MODEL, VERSION, Said, attest, identify, reading_of, story

MAPPED = identify("email:Old@Example.org", "ann@example.org")


def person(name: str, *acts: Said) -> str | None:
    with reading_of([*story(), *acts]) as reading:
        return People(reading, (MODEL, VERSION)).person_of(name)


@pytest.mark.parametrize("name", ["old@example.org", " OLD@example.org ", "Ann <old@example.org>", "ANN@EXAMPLE.ORG"])
def test_a_name_is_found_by_alias_or_as_it_is_whatever_its_case(name: str) -> None:
    assert person(name, MAPPED) == "ann@example.org"


def test_the_last_word_on_an_alias_counts() -> None:
    assert person("old@example.org", MAPPED, identify("email:old@example.org", "bob@example.org")) == "bob@example.org"


@pytest.mark.parametrize("name", ["old@example.org", "ann", "", "email:old@example.org"])
def test_a_stranger_is_nobody(name: str) -> None:
    assert person(name) is None


def test_who_stated_something_of_the_subject_is_known() -> None:
    assert person("Vera@example.org", attest("dpia", {})) == "vera@example.org"
    assert person("vera@example.org", attest("dpia", {}, node="ds_elsewhere")) is None
