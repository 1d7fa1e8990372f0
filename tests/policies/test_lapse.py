"""What time and practice make of decisions: gated, lapsed and ungated deployments, and what to look at."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.instant import text
from catalog.model import Deployment
from policies.lapse import ALLOW_MICROS, Finding, FindingKind, GateStanding, findings, gated, stretches
from tests.ingest.events import DAY, Event, at, facet, job_type, model, run_event
from tests.policies.office import ANN, BOB, HOUR, NOON, REGISTRY, Office

SECOND = 1_000_000
HOURS = 3_600.0


def serving(
    when: float,
    number: str = "1",
    run: str = "pod",
    kind: str = "RUNNING",
    environment: str = "production",
    **said: Any,
) -> Event:
    """A service says that it serves a version; it reports once a week."""
    pattern = job_type("SERVING", processing="SERVICE", windowDuration=7 * DAY)
    told = facet(environment=environment, **said)
    reads = [model("credit", number, REGISTRY)]
    return run_event(kind, when, run, "scorer", reads=reads, job_facets=pattern, lineward_serving=told)


@pytest.fixture
def office() -> Office:
    return Office()


def standing(office: Office) -> list[tuple[GateStanding, str | None]]:
    with office.access.reading() as reading:
        found = reading.deployments()
        return [(judged.state, judged.decision) for each in found if (judged := gated(reading, each))]


def listed(office: Office) -> list[Finding]:
    with office.access.reading() as reading:
        return findings(reading, office.now)


def kinds(office: Office) -> list[FindingKind]:
    return [each.kind for each in listed(office)]


noon = (NOON - at(0)) / SECOND


def test_a_deployment_within_a_day_of_an_allow_is_gated(office: Office) -> None:
    allow = office.decided()
    office.tell([serving(noon + 23 * HOURS)])
    assert standing(office) == [(GateStanding.GATED, allow)]


def test_a_deployment_after_that_day_is_lapsed(office: Office) -> None:
    allow = office.decided()
    office.tell([serving(noon + 25 * HOURS)])
    assert standing(office) == [(GateStanding.LAPSED, allow)]


@pytest.mark.parametrize(
    "said",
    [{"state": "DENY"}, {"state": "PENDING"}, {"environment": "staging"}, {"name": "2"}],
    ids=["denied", "pending", "another environment", "another version"],
)
def test_only_an_allow_of_the_version_into_the_environment_gates(office: Office, said: dict[str, Any]) -> None:
    office.decided(**said)
    office.tell([serving(noon + HOURS)])
    assert standing(office) == [(GateStanding.UNGATED, None)]


def test_what_was_deployed_before_its_allow_is_ungated(office: Office) -> None:
    office.tell([serving(noon - HOURS)])
    office.decided()
    assert standing(office) == [(GateStanding.UNGATED, None)]


def test_clocks_may_differ_by_minutes(office: Office) -> None:
    allow = office.decided()
    office.tell([serving(noon - 240)])
    assert standing(office) == [(GateStanding.GATED, allow)]


def test_another_share_or_a_restart_is_no_new_release(office: Office) -> None:
    allow = office.decided()
    office.tell(
        [
            serving(noon + HOURS, role="canary"),
            serving(noon + 3 * 24 * HOURS, role="primary"),
            serving(noon + 4 * 24 * HOURS, kind="COMPLETE"),
            serving(noon + 4 * 24 * HOURS + 60, run="pod-2"),
        ]
    )
    assert standing(office) == [(GateStanding.GATED, allow)] * 3


def test_coming_back_after_another_version_is_a_release(office: Office) -> None:
    first = office.decided()
    second = office.decided(name="2")
    office.tell([serving(noon + hours * HOURS, number) for hours, number in ((1, "1"), (2, "2"), (48, "1"))])
    gates = [(GateStanding.GATED, first), (GateStanding.GATED, second)]
    assert standing(office) == [*gates, (GateStanding.LAPSED, first)]
    office.wait(40 * HOUR)
    again = office.decided()
    assert standing(office) == [*gates, (GateStanding.GATED, again)]


def interval(start: int, length: int, number: str) -> Deployment:
    since, until = text(at(start)), text(at(start + length))
    return Deployment(
        f"{number}{start}", "job", "run", "credit", number, "production", None, "primary", None, since, until, "ENDED"
    )


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20), st.sampled_from("ab")), max_size=8))
def test_stretches_hold_every_deployment_once(told: list[tuple[int, int, str]]) -> None:
    deployments = list({each.id: each for each in (interval(*part) for part in told)}.values())
    found = stretches(deployments)
    assert sorted(d.id for s in found for d in s.deployments) == sorted(each.id for each in deployments)
    assert all(len({d.model_version for d in s.deployments}) == 1 for s in found)
    assert stretches(reversed(deployments)) == found
    alone = [each for each in deployments if each.model_version == "a"]
    assert len(stretches(alone)) <= 1


# Findings ----------------------------------------------------------------------------------------------------------


def test_nothing_to_look_at_is_an_empty_list(office: Office) -> None:
    office.decided()
    office.tell([serving(noon + HOURS)])
    office.wait(30 * HOUR)
    assert listed(office) == []


def test_an_ungated_service_is_listed_until_it_ends(office: Office) -> None:
    office.tell([serving(noon + HOURS)])
    office.wait(2 * HOUR)
    (found,) = listed(office)
    assert found.kind is FindingKind.UNGATED_DEPLOYMENT
    assert "production" in found.message
    assert found.since == NOON + HOUR
    assert found.remedy
    office.tell([serving(noon + 2 * HOURS, kind="COMPLETE")])
    assert listed(office) == []


def test_an_allow_that_nobody_used_is_listed_from_its_lapse_on(office: Office) -> None:
    allow = office.decided()
    office.wait(ALLOW_MICROS - 1)
    assert listed(office) == []
    office.wait(1)
    (found,) = listed(office)
    assert (found.kind, found.act) == (FindingKind.LAPSED_ALLOW, allow)
    office.decided("DENY")
    assert listed(office) == []


def test_approvals_that_ended_are_listed_unless_revoked(office: Office) -> None:
    office.approve(ANN, valid_until=office.later(HOUR))
    revoked = office.approve(BOB, valid_until=office.later(HOUR))
    office.register.revoke_approval(ANN, office.revoke(revoked.outcome.id))
    office.wait(HOUR - 1)
    assert listed(office) == []
    office.wait(1)
    (found,) = listed(office)
    assert found.kind is FindingKind.LAPSED_APPROVAL
    assert "ann@example.org" in found.message


def test_waivers_that_ended_are_listed_and_broken_glass_always(office: Office) -> None:
    office.enact()
    office.waive(ANN, expires_at=office.later(2 * HOUR))
    office.waive(BOB, expires_at=office.later(2 * HOUR))
    office.waive(ANN, "secret", expires_at=office.later(HOUR), break_glass=True)
    assert kinds(office) == [FindingKind.BREAK_GLASS]
    office.wait(2 * HOUR)
    assert kinds(office) == [FindingKind.BREAK_GLASS, FindingKind.EXPIRED_WAIVER, FindingKind.EXPIRED_WAIVER]


def test_a_proposal_that_nobody_countersigned_does_not_end(office: Office) -> None:
    office.enact()
    office.waive(ANN, expires_at=office.later(HOUR))
    office.wait(2 * HOUR)
    assert listed(office) == []


def test_a_verdict_that_time_has_flipped_is_listed_while_the_version_serves(office: Office) -> None:
    flip = text(office.now + 3 * HOUR)
    decision = office.decided(next_flip_at=flip)
    office.tell([serving(noon + HOURS)])
    office.wait(3 * HOUR - 1)
    assert listed(office) == []
    office.wait(1)
    (found,) = listed(office)
    assert (found.kind, found.act, found.since) == (FindingKind.FLIP_DUE, decision, office.now)
    office.tell([serving(noon + 3 * HOURS, kind="COMPLETE")])
    assert listed(office) == []
