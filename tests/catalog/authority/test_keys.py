"""What a key may do follows from the acts before a position of the log, and from nothing else."""

import string
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.authority.keys import KeyRegistry, KeyState, digest_of, key_id, new_key
from catalog.authority.roll import Roll
from catalog.errors import CorruptLogError
from catalog.log.entry import EntryType
from catalog.principal import LOCAL, Scope
from tests.catalog.authority.memory import DAY, NOW, PEPPER, ActLog, by, creation, registry

PERSONS = ("ann@example.org", "bob@example.org", "eve@example.org", None)
KEYS = ("000000000001", "000000000002")


@dataclass(frozen=True)
class Said:
    verb: str
    key: str
    person: str | None
    owner: str = ""
    scopes: tuple[Scope, ...] = ()


acts = st.lists(
    st.one_of(
        st.builds(
            Said,
            st.just("createKey"),
            st.sampled_from(KEYS),
            st.sampled_from(PERSONS),
            st.sampled_from([each for each in PERSONS if each]),
            st.sampled_from([(Scope.APPROVE,), (Scope.INGEST_WRITE,), (Scope.WAIVE, Scope.ADMIN)]),
        ),
        st.builds(Said, st.sampled_from(["confirmKey", "revokeKey"]), st.sampled_from(KEYS), st.sampled_from(PERSONS)),
    ),
    max_size=12,
)


def told(said: Sequence[Said]) -> ActLog:
    log = ActLog()
    for each in said:
        if each.verb == "createKey":
            log.say(EntryType.KEY, creation(each.key, by(each.person), each.owner, each.scopes))
        else:
            log.say(EntryType.KEY, {"act": each.verb, "by": by(each.person), "key": each.key})
    return log


def expected(said: Sequence[Said], key: str) -> KeyState | None:
    """From the sentences of the issue, without going step by step."""
    made = next((n for n, each in enumerate(said) if (each.verb, each.key) == ("createKey", key)), None)
    if made is None:
        return None
    after = [each for each in said[made + 1 :] if each.key == key]
    verbs = [each.verb for each in after]
    if "revokeKey" in verbs:
        return KeyState.REVOKED
    first = said[made]
    two_needed = first.person != first.owner and {Scope.APPROVE, Scope.WAIVE} & set(first.scopes)
    seconds = [each for each in after if each.verb == "confirmKey" and each.person not in (None, first.person)]
    agreed = seconds and first.person is not None
    return KeyState.PENDING if two_needed and not agreed else KeyState.ACTIVE


@given(acts)
def test_the_order_in_the_log_decides(said: list[Said]) -> None:
    found = registry(told(said))
    for key in KEYS:
        held = found.get(key)
        assert (held.state(NOW) if held else None) == expected(said, key)


@given(acts, st.integers(0, 12))
def test_a_roll_that_caught_up_in_between_says_the_same(said: list[Said], cut: int) -> None:
    whole, log = told(said), ActLog()
    roll = Roll(log)
    log.entries = whole.entries[:cut]
    roll.catch_up()
    log.entries = whole.entries
    roll.catch_up()
    roll.catch_up()
    assert roll.keys.all() == registry(whole).all()


@given(acts)
def test_nobody_lets_somebody_else_approve_alone(said: list[Said]) -> None:
    for key in registry(told(said)).all():
        if key.state(NOW) is KeyState.ACTIVE and {Scope.APPROVE, Scope.WAIVE} & set(key.scopes):
            persons = {key.created_by.get("person"), (key.confirmed_by or {}).get("person")} - {None}
            assert len(persons) == 2 or persons == {key.owner}


def test_an_act_of_a_key_that_was_revoked_before_it_has_no_effect() -> None:
    admin, other = by("ann@example.org", f"key:{KEYS[0]}"), by("bob@example.org")
    log = ActLog()
    log.say(EntryType.KEY, creation(KEYS[0], LOCAL.as_json(), "ann@example.org", [Scope.ADMIN]))
    log.say(EntryType.KEY, {"act": "revokeKey", "by": other, "key": KEYS[0]})
    log.say(EntryType.KEY, creation(KEYS[1], admin, "ann@example.org", [Scope.ADMIN]))
    assert registry(log).get(KEYS[1]) is None


def test_a_key_without_admin_makes_no_keys() -> None:
    log = ActLog()
    log.say(EntryType.KEY, creation(KEYS[0], LOCAL.as_json(), "ann@example.org", [Scope.INGEST_WRITE]))
    log.say(EntryType.KEY, creation(KEYS[1], by("ann@example.org", f"key:{KEYS[0]}"), "ann@example.org", [Scope.ADMIN]))
    assert registry(log).get(KEYS[1]) is None


def test_local_makes_the_first_key_and_no_other() -> None:
    log = ActLog()
    for key in KEYS:
        log.say(EntryType.KEY, creation(key, LOCAL.as_json(), "ann@example.org", [Scope.ADMIN]))
    assert [key.id for key in registry(log).all()] == [KEYS[0]]


def test_the_first_instant_without_a_key_is_the_one_at_which_it_expires() -> None:
    log = ActLog()
    log.say(EntryType.KEY, creation(KEYS[0], by("ann@example.org"), "ann@example.org", [Scope.ADMIN], NOW + DAY))
    key = registry(log).get(KEYS[0])
    assert key is not None
    assert [key.state(NOW + DAY - 1), key.state(NOW + DAY)] == [KeyState.ACTIVE, KeyState.EXPIRED]


def test_other_entries_and_erased_ones_say_nothing() -> None:
    log = ActLog()
    log.say(EntryType.POLICY, creation(KEYS[0], by("ann@example.org"), "ann@example.org", [Scope.ADMIN]))
    assert registry(log).all() == []


def test_an_entry_that_we_cannot_have_written_is_no_key() -> None:
    log = ActLog()
    log.say(EntryType.KEY, {"act": "createKey", "by": by("ann@example.org"), "key": KEYS[0], "digest": "zz"})
    with pytest.raises(CorruptLogError, match="entry 0"):
        registry(log)


# Texts


def test_a_key_has_256_bits_of_its_own_and_is_found_by_its_id() -> None:
    made = {new_key() for _ in range(50)}
    assert len(made) == 50
    for key, text in made:
        assert key_id(text) == key
        assert text.startswith(f"lw_{key}_")
        assert len(bytes.fromhex(text.rsplit("_")[-1])) == 32


@given(st.text(string.printable, max_size=90))
def test_what_is_no_key_has_no_id(text: str) -> None:
    assert key_id(text) is None


def test_only_the_whole_text_matches() -> None:
    key, text = new_key()
    log = ActLog()
    said = creation(key, by("ann@example.org"), "ann@example.org", [Scope.ADMIN])
    log.say(EntryType.KEY, said | {"digest": digest_of(text, PEPPER).hex()})
    found = registry(log)
    other = text[:-1] + ("0" if text[-1] != "0" else "1")
    assert found.matching(text, PEPPER) == found.get(key)
    assert found.matching(other, PEPPER) is None
    assert found.matching(text, b"q" * 32) is None
    assert found.matching(new_key()[1], PEPPER) is None
    assert found.matching("", PEPPER) is None
    assert KeyRegistry().matching(text, PEPPER) is None
