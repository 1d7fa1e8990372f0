"""Going back to what was allowed before, with one person."""

from typing import Any

import pytest

from catalog.errors import ConflictError, ForbiddenError, InvalidInputError, LinewardError, NotFoundError
from catalog.instant import text
from catalog.model import DatasetRef, NodeRef
from catalog.principal import Principal, Scope
from policies.acts import RollbackTo
from policies.rollback import ROLLBACK_DAYS, rollback_to
from tests.policies.office import (
    ANN,
    BOB,
    DAY,
    EVE,
    PIPELINE,
    REGISTRY,
    Office,
    changed_code,
    later_input,
    person,
    version,
)


@pytest.fixture
def office() -> Office:
    return Office()


def rolled_back(office: Office, who: Principal = ANN, environment: str = "production") -> RollbackTo:
    with office.access.reading() as reading:
        node = reading.find(version())
        assert node is not None
        return rollback_to(reading, who, node, environment, office.now)


def refused(office: Office, error: type[LinewardError], who: Principal = ANN) -> str:
    with pytest.raises(error) as caught:
        rolled_back(office, who)
    assert caught.value.remedy
    return caught.value.message


def test_one_person_goes_back_to_what_was_allowed(office: Office) -> None:
    decision = office.decided()
    office.wait(DAY)
    back = rolled_back(office)
    assert (back.decision, back.person, back.allowed_at) == (decision, "ann@example.org", text(office.now - DAY))


def test_the_period_ends(office: Office) -> None:
    office.decided()
    office.wait(ROLLBACK_DAYS * DAY - 1)
    rolled_back(office)
    office.wait(1)
    assert "within 90 days" in refused(office, NotFoundError)


@pytest.mark.parametrize("said", [{"state": "DENY"}, {"environment": "staging"}], ids=["denied", "elsewhere"])
def test_only_an_allow_into_that_environment_counts(office: Office, said: dict[str, Any]) -> None:
    office.decided(**said)
    refused(office, NotFoundError)


def test_a_rollback_starts_no_period_of_its_own(office: Office) -> None:
    office.decided()
    office.wait(60 * DAY)
    office.decided(rollback=rolled_back(office))
    office.wait(60 * DAY)
    refused(office, NotFoundError)


def test_a_later_deny_does_not_forbid_it(office: Office) -> None:
    office.decided()
    office.decided("DENY")
    rolled_back(office)


@pytest.mark.parametrize(
    "target", [version(), NodeRef(model=DatasetRef(REGISTRY, "credit"))], ids=["the version", "the model"]
)
def test_what_was_recalled_stays_out(office: Office, target: NodeRef) -> None:
    office.decided()
    recall = office.attest(BOB, "recall", target, expires_at=office.later(DAY))
    assert recall.outcome.id in refused(office, ConflictError)
    office.wait(DAY)
    rolled_back(office)


def test_a_withdrawn_recall_is_none(office: Office) -> None:
    office.decided()
    recall = office.attest(BOB, "recall")
    office.register.withdraw(BOB, office.revoke(recall.outcome.id))
    rolled_back(office)


@pytest.mark.parametrize("events", [changed_code(after=1), later_input()], ids=["code", "input"])
def test_what_is_not_what_was_allowed_is_refused(office: Office, events: Any) -> None:
    office.decided()
    office.tell(events)
    assert "not what was allowed" in refused(office, ConflictError)


def test_a_machine_needs_somebody_who_approves(office: Office) -> None:
    office.decided()
    assert "one person who may approve" in refused(office, ForbiddenError, PIPELINE)
    reader = person("fred", scopes=[Scope.POLICY_EVALUATE])
    refused(office, ForbiddenError, reader)
    office.approve(ANN, environment="staging")
    refused(office, ForbiddenError, PIPELINE)
    office.approve(BOB)
    assert rolled_back(office, PIPELINE).person == "bob@example.org"


def test_only_a_version_is_rolled_back_to(office: Office) -> None:
    with office.access.reading() as reading:
        node = reading.find(NodeRef(model=DatasetRef(REGISTRY, "credit")))
        assert node is not None
        with pytest.raises(InvalidInputError, match="no version"):
            rollback_to(reading, ANN, node, "production", office.now)


def test_a_developer_may_go_back(office: Office) -> None:
    """Nothing new is released: whoever is awake may do it."""
    office.decided()
    assert rolled_back(office, EVE).person == "eve@example.org"
