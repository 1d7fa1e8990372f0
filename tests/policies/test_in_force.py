"""What is in force: two people, the order of the log, and any day in the past."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import ConflictError, NotFoundError
from catalog.identity import NodeKind
from catalog.model import AsOf
from catalog.principal import Principal
from policies import acts
from policies.acts import AcceptBaseline, ConfirmPolicy, ProposePolicy
from policies.in_force import BINDING, PACK, Finding, InForce, history, in_force, proposals, selects
from policies.loading import parse_document
from tests.policies.office import ANN, BOB, CARL, DAY, HOUR, NOON, PIPELINE, Office, binding, control, pack


def held(office: Office, at: int | None = None, as_of: AsOf | None = None) -> InForce:
    with office.access.reading(as_of) as reading:
        return in_force(reading, office.now if at is None else at)


def test_nothing_is_in_force_before_somebody_confirms() -> None:
    office = Office()
    proposed = office.register.propose_policy(ANN, [pack(), binding()]).proposal.act.id
    assert not held(office).packs
    office.wait(HOUR)
    office.register.confirm_policy(BOB, proposed)
    force = held(office)
    assert set(force.packs) == {"base"}
    assert set(force.bindings) == {"starter"}
    assert not held(office, office.now - 1).packs


def test_a_document_keeps_the_digest_that_its_file_has() -> None:
    office = Office()
    office.enact()
    assert held(office).packs["base"].digest == parse_document(pack()).digest


def test_what_was_in_force_is_known_for_any_day() -> None:
    office = Office()
    first = office.now
    office.enact(pack(version="1.0.0"))
    office.wait(DAY)
    office.enact(pack(version="1.1.0"))
    office.wait(DAY)
    retired = office.register.retire(ANN, ["base"]).proposal.act.id
    office.register.confirm_policy(BOB, retired)
    versions = [each.version for day in range(3) if (each := held(office, first + day * DAY).packs.get("base"))]
    assert versions == ["1.0.0", "1.1.0"]
    as_of = AsOf(valid=first + HOUR)
    assert held(office, first + HOUR, as_of).packs["base"].version == "1.0.0"
    with office.access.reading() as reading:
        told = [(each.version, each.since - first, each.until and each.until - first) for each in history(reading)]
    assert told == [("1.0.0", 0, DAY), ("1.1.0", DAY, 2 * DAY)]


def test_a_pack_and_a_binding_of_one_name_do_not_replace_each_other() -> None:
    office = Office()
    office.enact(pack("one"), binding("one", "one"))
    force = held(office)
    assert (force.packs["one"].kind, force.bindings["one"].kind) == (PACK, BINDING)


@pytest.mark.parametrize("who", [ANN, PIPELINE])
def test_a_confirmation_by_the_proposer_or_by_nobody_changes_nothing(who: Principal) -> None:
    office = Office()
    proposed = office.register.propose_policy(ANN, [pack()]).proposal.act.id
    office.write(acts.make(ConfirmPolicy, who, office.now, refers_to=proposed))
    assert not held(office).packs


def test_what_a_machine_proposed_takes_two_people_more_than_it_has() -> None:
    office = Office()
    document = parse_document(pack()).normalised()
    proposed = office.write(acts.make(ProposePolicy, PIPELINE, office.now, documents=(document,)))
    office.write(acts.make(ConfirmPolicy, BOB, office.now, refers_to=proposed.id))
    assert not held(office).packs


def test_a_confirmation_counts_once_and_only_after_what_it_confirms() -> None:
    office = Office()
    first = office.register.propose_policy(ANN, [pack(version="1.0.0")]).proposal.act.id
    second = office.register.propose_policy(ANN, [pack(version="2.0.0")]).proposal.act.id
    for proposal in (first, second, first):
        office.wait(1)
        office.write(acts.make(ConfirmPolicy, BOB, office.now, refers_to=proposal))
    assert held(office).packs["base"].version == "2.0.0"
    with office.access.reading() as reading:
        assert [each.confirmed_by for each in proposals(reading)] == ["bob@example.org", "bob@example.org"]


def test_a_pinned_pack_is_that_pack_or_an_error() -> None:
    office = Office()
    office.enact()
    force = held(office)
    assert force.pack("base", "1.0.0", force.packs["base"].digest).name == "base"
    with pytest.raises(ConflictError, match=r"in force is 1\.0\.0"):
        force.pack("base", "2.0.0")
    with pytest.raises(ConflictError):
        force.pack("base", None, "sha256:00")
    with pytest.raises(NotFoundError, match="No pack other"):
        force.pack("other")


@pytest.mark.parametrize(
    ("match", "selected"),
    [
        ({}, True),
        ({"namespaces": ["mlflow*"]}, True),
        ({"namespaces": ["s3*", "*:5000"]}, True),
        ({"namespaces": ["MLFLOW*"]}, False),
        ({"models": ["credit*"]}, True),
        ({"namespaces": ["mlflow*"], "models": ["fraud"]}, False),
    ],
)
def test_a_binding_selects_by_environment_namespace_and_model(match: dict[str, Any], selected: bool) -> None:
    document = binding(match=match)
    assert selects(document, "production", "mlflow://registry:5000", "credit-risk") is selected
    assert not selects(document, "staging", "mlflow://registry:5000", "credit-risk")


def test_a_baseline_holds_from_its_confirmation_until_before_its_end() -> None:
    office = Office()
    office.enact()
    found: Finding = ("dv_1", "base", "licence", None)
    proposed = office.register.accept_baseline(ANN, "starter", office.later(DAY), [found]).proposal.act.id
    assert not held(office).baselines
    office.wait(HOUR)
    office.register.confirm_policy(BOB, proposed)
    end = office.now - HOUR + DAY
    assert [(each.binding, each.findings) for each in held(office).baselines] == [("starter", frozenset({found}))]
    assert held(office, end - 1).baselines
    assert not held(office, end).baselines


PEOPLE = (ANN, BOB, CARL, PIPELINE)
MOVES = st.lists(st.tuples(st.sampled_from(["propose", "confirm"]), st.integers(0, 3), st.integers(0, 5)), max_size=14)


DOCUMENT = parse_document(pack(controls=[control("licence")])).normalised()


@given(MOVES)
def test_any_sequence_of_acts_comes_to_what_a_plain_replay_says(moves: list[tuple[str, int, int]]) -> None:
    """Against a reference of a few lines: whoever confirms first, being another person, decides."""
    office = Office(events=())
    made: list[tuple[str, str | None]] = []
    confirmed: list[str] = []
    for move, who, which in moves:
        office.wait(1)
        by = PEOPLE[who]
        if move == "propose":
            act = office.write(acts.make(ProposePolicy, by, office.now, documents=(DOCUMENT,)))
            made.append((act.id, by.person))
        elif which < len(made):
            proposal, proposer = made[which]
            office.write(acts.make(ConfirmPolicy, by, office.now, refers_to=proposal))
            if None not in (proposer, by.person) and by.person != proposer and proposal not in confirmed:
                confirmed.append(proposal)
    force = held(office)
    assert [each.proposal for each in force.packs.values()] == confirmed[-1:]
    with office.access.reading() as reading:
        assert [each.proposal for each in history(reading)] == confirmed


def test_baselines_are_acts_like_others() -> None:
    office = Office()
    office.enact()
    office.register.accept_baseline(ANN, "starter", office.later(DAY), [("dv_1", "base", "licence", "x")])
    act = office.acts(NodeKind.POLICY)[-1]
    assert acts.read(act, AcceptBaseline).findings == (("dv_1", "base", "licence", "x"),)
    assert act.at == NOON
