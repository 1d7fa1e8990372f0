"""Who may erase what: two persons, within their namespaces, and nothing that is held or stays for good."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from catalog.erasure.eraser import Eraser, Wanted, numbered
from catalog.erasure.redaction import Reached
from catalog.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from catalog.log import audit
from catalog.log.entry import EntryType, Submission
from catalog.principal import LOCAL, Principal, Scope, grants
from tests.catalog.erasure.redactions import ANN, BEN, START
from tests.catalog.erasure.test_projection import EVENTS, SECRET, World

WANTED = Wanted("the subject asked", "GDPR Art. 17(1)(b)", (0,))


@pytest.fixture
def told(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.tell(EVENTS)
    yield made
    made.close()


def append(told: World, type_: EntryType, **said: Any) -> int:
    body = orjson.dumps({"id": "1", "at": "2026-03-01T00:00:00Z", "by": {}, **said})
    return int(told.append(Submission(type_, "ann", body, body)).seq)


def test_a_second_person_erases_what_the_first_one_asked_for(told: World) -> None:
    asked = told.eraser.propose(ANN, WANTED)
    assert told.log.entry(0).body is not None
    done = told.eraser.confirm(BEN, asked.id)
    assert told.log.entry(0).body is None
    assert (done.proposal.state, done.size) == ("ERASED", len(EVENTS) + 2)
    assert audit.check(told.log).unexplained == ()


@pytest.mark.parametrize("second", [ANN, Principal("key:other", ANN.person, ANN.grants)], ids=["same key", "other key"])
def test_one_person_is_not_two(told: World, second: Principal) -> None:
    asked = told.eraser.propose(ANN, WANTED)
    with pytest.raises(ForbiddenError, match="proposed this"):
        told.eraser.confirm(second, asked.id)
    assert told.log.entry(0).body is not None


def test_two_addresses_of_one_person_are_not_two(told: World) -> None:
    alike = Eraser(told.log, told.append, told.eraser._touching, same_person=lambda one, other: True)
    with pytest.raises(ForbiddenError):
        alike.confirm(BEN, alike.propose(ANN, WANTED).id)


def test_everybody_without_keys_is_one_person(told: World) -> None:
    asked = told.eraser.propose(LOCAL, WANTED)
    with pytest.raises(ForbiddenError) as raised:
        told.eraser.confirm(LOCAL, asked.id)
    assert "keys create --bootstrap" in raised.value.remedy


@pytest.mark.parametrize(
    "who",
    [
        Principal("key:x", "x@example.com", grants([Scope.ADMIN, Scope.APPROVE])),
        Principal("key:x", "x@example.com", grants([Scope.REDACT], ["elsewhere"])),
        Principal("key:x", None, grants([Scope.REDACT])),
    ],
    ids=["no scope", "another namespace", "a machine"],
)
def test_who_may_not(told: World, who: Principal) -> None:
    with pytest.raises(ForbiddenError):
        told.eraser.propose(who, WANTED)
    asked = told.eraser.propose(ANN, WANTED)
    with pytest.raises(ForbiddenError):
        told.eraser.confirm(who, asked.id)


def test_a_proposal_is_answered_once(told: World) -> None:
    asked = told.eraser.propose(ANN, WANTED)
    assert told.eraser.decline(BEN, asked.id, "still needed").state == "DECLINED"
    for act in (told.eraser.confirm, lambda by, id_: told.eraser.decline(by, id_, "no")):
        with pytest.raises(ConflictError):
            act(BEN, asked.id)
    with pytest.raises(NotFoundError):
        told.eraser.confirm(BEN, "another")


def test_a_hold_forbids_to_ask_and_to_agree(told: World) -> None:
    asked = told.eraser.propose(ANN, WANTED)
    held = told.eraser.hold(ANN, "lawsuit", namespaces=("postgres://*",))
    with pytest.raises(ConflictError, match="lawsuit"):
        told.eraser.confirm(BEN, asked.id)
    with pytest.raises(ConflictError, match="lawsuit"):
        told.eraser.propose(ANN, Wanted("r", "b", (1,)))
    told.eraser.release(BEN, held.node, "settled")
    told.eraser.confirm(BEN, asked.id)
    with pytest.raises(NotFoundError):
        told.eraser.release(BEN, held.node, "again")


def test_of_two_proposals_of_one_entry_one_erases_it(told: World) -> None:
    first, second = told.eraser.propose(ANN, WANTED), told.eraser.propose(ANN, WANTED)
    told.eraser.confirm(BEN, first.id)
    with pytest.raises(ConflictError, match="erased already"):
        told.eraser.confirm(BEN, second.id)
    with pytest.raises(ConflictError, match="erased already"):
        told.eraser.propose(ANN, WANTED)


def test_what_is_never_erased(told: World) -> None:
    seq = append(told, EntryType.POLICY, act="identify")
    with pytest.raises(InvalidInputError, match="cannot be erased"):
        told.eraser.propose(ANN, Wanted("r", "b", (seq,)))
    revoked = append(told, EntryType.APPROVAL, act="revokeApproval", refersTo="ap_1")
    with pytest.raises(InvalidInputError, match="would stand again"):
        told.eraser.propose(ANN, Wanted("r", "b", (revoked,), keep="nothing"))


@pytest.mark.parametrize("wanted", [Wanted("r", "b"), Wanted("", "b", (0,)), Wanted("r", "b", concerns=("rn_1",))])
def test_what_cannot_be_asked(told: World, wanted: Wanted) -> None:
    with pytest.raises(InvalidInputError):
        told.eraser.propose(ANN, wanted)
    with pytest.raises(NotFoundError):
        told.eraser.propose(ANN, Wanted("r", "b", (999,)))


def test_rows_erased_elsewhere_are_told_without_erasing_anything(told: World) -> None:
    asked = told.eraser.propose(ANN, Wanted("r", "b", concerns=("ds_abcdef",)))
    done = told.eraser.confirm(BEN, asked.id)
    assert (done.erase.erased, told.eraser.register().generation) == ((), 0)


def test_what_rested_on_it_is_asked_before_it_goes(told: World) -> None:
    def reach(entries: Any, concerns: Any) -> Reached:
        assert all(told.log.entry(seq).body is not None for seq in entries)
        return Reached(models=("dv_credit",))

    asking = Eraser(told.log, told.append, told.eraser._touching, reach=reach, clock=lambda: START)
    done = asking.confirm(BEN, asking.propose(ANN, WANTED).id)
    assert done.erase.reached == Reached(models=("dv_credit",))


def test_words_are_found_wherever_they_are(told: World) -> None:
    frozen = {"evidence": {"subject": {"owner": f"x {SECRET} y"}}, "target": {"node": "dv_1", "namespace": "r"}}
    decision = append(told, EntryType.DECISION, act="decide", **frozen)
    policy = append(told, EntryType.POLICY, act="identify", alias=SECRET)
    found = {each.seq: each for each in told.eraser.find(ANN, SECRET.upper()).matches}
    assert set(found) == {0, 1, 2, 3, 4, decision, policy}
    assert found[decision].where == ("/evidence/subject/owner",)
    assert (found[0].about, found[0].stays) == ("START etl", None)
    assert "cannot be erased" in (found[policy].stays or "")
    told.eraser.confirm(BEN, told.eraser.propose(ANN, Wanted("r", "b", (decision,))).id)
    assert decision not in {each.seq for each in told.eraser.find(ANN, SECRET).matches}


def test_a_search_shows_nothing_of_other_namespaces(told: World) -> None:
    stranger = Principal("key:x", "x@example.com", grants([Scope.REDACT], ["elsewhere"]))
    assert told.eraser.find(stranger, SECRET).matches == ()
    with pytest.raises(InvalidInputError):
        told.eraser.find(ANN, "ab")


def test_positions_as_people_write_them() -> None:
    assert numbered(["3", "7-9"]) == (3, 7, 8, 9)
    for wrong in ("x", "9-7", "-1", "1-"):
        with pytest.raises(InvalidInputError):
            numbered([wrong])
