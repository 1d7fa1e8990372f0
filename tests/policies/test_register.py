"""Acts of people: who may do what, what is refused and with what words, and what then stands."""

from typing import Any

import pytest

from catalog.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    LinewardError,
    NotFoundError,
    StaleProjectionError,
)
from catalog.identity import NodeKind
from catalog.instant import text
from catalog.log import token
from catalog.model import DatasetRef, NodeRef
from catalog.principal import Scope
from policies import acts
from policies.acts import Approve, CountersignWaiver
from policies.outcome import State, outcome_of
from policies.register import Entered
from policies.request import ApproveRequest, WaiveRequest
from policies.standing import standing_approvals
from policies.terms import WAIVER_DAYS
from policies.verdict import Severity
from tests.ingest.events import ORIGIN
from tests.policies.office import (
    ANN,
    BOB,
    CARL,
    DAN,
    DAY,
    EVE,
    HOUR,
    NOON,
    PIPELINE,
    REGISTRY,
    Office,
    binding,
    changed_code,
    later_input,
    pack,
    person,
    version,
)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def governed(office: Office) -> Office:
    office.enact()
    return office


# Approvals ---------------------------------------------------------------------------------------------------------


def test_an_approval_binds_what_the_version_is(office: Office) -> None:
    entered = office.approve(ANN, conditions=("watch drift",), valid_until=office.later(DAY))
    body = acts.read(entered.outcome.act, Approve)
    assert entered.outcome.state is State.STANDING
    assert (body.by.person, body.target.version, body.environment) == ("ann@example.org", "1", "production")
    assert body.closure_digest.startswith("sha256:")
    assert "input" in {part[0] for part in body.closure_parts}
    assert entered.outcome.until == office.now + DAY


def test_the_answer_of_an_act_carries_the_token_of_a_read_that_sees_it(office: Office) -> None:
    entered = office.approve(ANN)
    assert token.position(entered.token, ORIGIN) == len(office.entries)
    with office.access.reading(at_least=entered.token) as reading:
        assert [act.id for act in reading.acts(NodeKind.APPROVAL)] == [entered.outcome.id]


@pytest.mark.parametrize(
    ("who", "request_", "error", "words"),
    [
        (PIPELINE, {}, ForbiddenError, "no person"),
        (EVE, {}, ForbiddenError, "wrote or ran the training"),
        (DAN, {}, ForbiddenError, "wrote or ran the training"),
        (person("ann", scopes=[Scope.ADMIN]), {}, ForbiddenError, "may not approve"),
        (person("ann", namespaces=["elsewhere*"]), {}, ForbiddenError, f"in the namespace {REGISTRY}"),
        (ANN, {"role": "owner"}, ForbiddenError, "does not hold the role owner"),
        (ANN, {"target": version("9")}, NotFoundError, "Nothing in the catalog"),
        (ANN, {"target": NodeRef(model=DatasetRef(REGISTRY, "credit"))}, InvalidInputError, "not a version"),
        (ANN, {"valid_until": text(NOON)}, InvalidInputError, "not in the future"),
        (ANN, {"valid_until": "tomorrow"}, InvalidInputError, "no time"),
        (ANN, {"environment": ""}, InvalidInputError, "/environment"),
        (ANN, {"expects": "sha256:00"}, ConflictError, "not what was looked at"),
    ],
)
def test_what_no_approval_may_be(
    office: Office, who: Any, request_: dict[str, Any], error: type[LinewardError], words: str
) -> None:
    asked_for: dict[str, Any] = {"target": version(), "environment": "production"} | request_
    with pytest.raises(error, match=words) as refused:
        office.register.approve(who, ApproveRequest(**asked_for))
    assert refused.value.remedy
    assert office.acts(NodeKind.APPROVAL) == []


def test_who_asked_for_a_release_does_not_approve_it(office: Office) -> None:
    office.decided("PENDING", requester="ann@example.org")
    with pytest.raises(ForbiddenError, match="asked for this release"):
        office.approve(ANN)
    office.approve(ANN, environment="staging")
    office.approve(BOB)
    office.decided("PENDING", requester="carl@example.org")
    office.approve(ANN)


def test_a_role_that_one_holds_may_be_named(office: Office) -> None:
    entered = office.approve(person("ann", "owner"), role="owner")
    assert entered.outcome.act.body["role"] == "owner"


def test_a_call_sent_twice_is_one_approval(office: Office) -> None:
    first, again = office.approve(ANN), office.approve(ANN)
    assert first.outcome.id == again.outcome.id
    assert office.approve(ANN, use="mortgages").outcome.id != first.outcome.id
    assert office.approve(BOB).outcome.id != first.outcome.id


def test_what_changed_is_named_to_whoever_saw_something_else(office: Office) -> None:
    seen = office.approve(ANN).outcome.act.body["closureDigest"]
    office.tell(changed_code())
    with pytest.raises(ConflictError, match=r"code of \S+ (added|changed)") as refused:
        office.approve(BOB, expects=seen)
    assert "sha256:" in refused.value.remedy
    assert refused.value.pointer == "/expects"


def test_a_revoked_approval_can_be_given_again(office: Office) -> None:
    given = office.approve(ANN)
    office.wait(HOUR)
    revoked = office.register.revoke_approval(BOB, office.revoke(given.outcome.id))
    assert (revoked.outcome.id, revoked.outcome.state) == (given.outcome.id, State.REVOKED)
    assert revoked.outcome.until == office.now
    assert revoked.outcome.revoked_by == "bob@example.org"
    with pytest.raises(ConflictError, match=r"bob@example\.org has revoked"):
        office.register.revoke_approval(CARL, office.revoke(given.outcome.id))
    assert office.approve(ANN).outcome.id != given.outcome.id


def test_only_an_approval_is_revoked_as_one(office: Office) -> None:
    attested = office.attest(ANN)
    with pytest.raises(NotFoundError, match="No approval"):
        office.register.revoke_approval(ANN, office.revoke(attested.outcome.id))
    given = office.approve(ANN)
    with pytest.raises(ForbiddenError):
        office.register.revoke_approval(person("bob", scopes=[Scope.WAIVE]), office.revoke(given.outcome.id))
    with pytest.raises(InvalidInputError, match="/reason"):
        office.register.revoke_approval(BOB, office.revoke(given.outcome.id, ""))


def seen_now(office: Office, given: Entered) -> str:
    """The closure digest that somebody is shown who comes with the one of an approval."""
    with pytest.raises(ConflictError) as refused:
        office.approve(CARL, expects=given.outcome.act.body["closureDigest"])
    return refused.value.remedy.rpartition(" ")[2].removesuffix(".")


def test_one_approver_reaffirms_what_only_grew(office: Office) -> None:
    first, other = office.approve(ANN), office.approve(BOB)
    office.tell(later_input())
    with pytest.raises(InvalidInputError, match="what they saw"):
        office.approve(ANN, reaffirms=first.outcome.id)
    now = seen_now(office, first)
    with pytest.raises(InvalidInputError, match="not your approval"):
        office.approve(ANN, reaffirms=other.outcome.id, expects=now)
    again = office.approve(ANN, reaffirms=first.outcome.id, expects=now)
    with office.access.reading() as reading:
        standing = standing_approvals(reading, str(again.outcome.act.body["target"]["node"]))
    assert [each.current for each in standing] == [True, True, True]


def test_what_was_changed_is_not_reaffirmed(office: Office) -> None:
    office.tell(changed_code(commit="c1"))
    first = office.approve(ANN)
    office.tell(changed_code(commit="c2", after=1))
    now = seen_now(office, first)
    with pytest.raises(ConflictError, match="More than late knowledge"):
        office.approve(ANN, reaffirms=first.outcome.id, expects=now)
    with pytest.raises(InvalidInputError, match="not your approval"):
        office.approve(ANN, environment="staging", reaffirms=first.outcome.id, expects=now)


# Waivers -----------------------------------------------------------------------------------------------------------


def test_a_waiver_takes_a_second_person(governed: Office) -> None:
    proposed = governed.waive(ANN)
    assert proposed.outcome.state is State.PROPOSED
    governed.wait(HOUR)
    signed = governed.register.waive(BOB, WaiveRequest(waiver=proposed.outcome.id))
    assert (signed.outcome.id, signed.outcome.state) == (proposed.outcome.id, State.STANDING)
    assert signed.outcome.since == governed.now
    assert signed.outcome.countersigned_by == "bob@example.org"


def test_the_same_call_by_a_second_person_countersigns(governed: Office) -> None:
    proposed = governed.waive(ANN)
    with pytest.raises(ConflictError, match="waits for a second person"):
        governed.waive(ANN)
    with pytest.raises(ConflictError, match="another expiry"):
        governed.waive(BOB, expires_at=governed.later(DAY))
    assert governed.waive(BOB).outcome.state is State.STANDING
    assert governed.waive(BOB).outcome.id != proposed.outcome.id


def test_a_pack_may_be_named_with_its_version(governed: Office) -> None:
    proposed = governed.waive(ANN, pack="base@1.0.0")
    assert proposed.outcome.act.body["pack"] == "base"
    assert governed.waive(BOB).outcome.id == proposed.outcome.id


def test_nobody_countersigns_alone(governed: Office) -> None:
    proposed = governed.waive(ANN).outcome.id
    with pytest.raises(ForbiddenError, match="proposed this waiver"):
        governed.register.waive(person("ann"), WaiveRequest(waiver=proposed))
    with pytest.raises(ForbiddenError, match="no person"):
        governed.register.waive(PIPELINE, WaiveRequest(waiver=proposed))
    with pytest.raises(ForbiddenError, match="may not waive"):
        governed.register.waive(person("bob", scopes=[Scope.APPROVE]), WaiveRequest(waiver=proposed))


def test_a_countersignature_that_slipped_in_counts_for_nothing(governed: Office) -> None:
    proposed = governed.waive(ANN).outcome
    target = proposed.act.body["target"]
    for who in (ANN, PIPELINE):
        governed.write(acts.make(CountersignWaiver, who, governed.now, target=target, refers_to=proposed.id))
    with governed.access.reading() as reading:
        assert outcome_of(reading, proposed.act, governed.now).state is State.PROPOSED


def test_what_changed_since_the_proposal_is_not_countersigned(governed: Office) -> None:
    proposed = governed.waive(ANN)
    governed.tell(later_input())
    with pytest.raises(ConflictError, match="not what the waiver was proposed for"):
        governed.register.waive(BOB, WaiveRequest(waiver=proposed.outcome.id))


@pytest.mark.parametrize(
    ("control", "severity"), [("licence", Severity.HIGH), ("secret", Severity.CRITICAL)], ids=["high", "critical"]
)
def test_severity_limits_the_life_of_a_waiver(governed: Office, control: str, severity: Severity) -> None:
    most = WAIVER_DAYS[severity] * DAY
    with pytest.raises(InvalidInputError, match="too late"):
        governed.waive(ANN, control, expires_at=governed.later(most + 1))
    assert governed.waive(ANN, control, expires_at=governed.later(most)).outcome.until == governed.now + most


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"control": "fourEyes"}, ForbiddenError, "cannot be waived"),
        ({"control": "nothing"}, NotFoundError, "no control nothing"),
        ({"pack": "unknown"}, NotFoundError, "No pack unknown"),
        ({"reason": ""}, InvalidInputError, "/reason"),
        ({"compensating_control": ""}, InvalidInputError, "/compensatingControl"),
        ({"expires_at": ""}, InvalidInputError, "no time"),
        ({"expires_at": text(NOON)}, InvalidInputError, "not in the future"),
    ],
)
def test_what_no_waiver_may_be(governed: Office, said: dict[str, Any], error: type[LinewardError], words: str) -> None:
    with pytest.raises(error, match=words):
        governed.waive(ANN, **said)


def test_a_waiver_holds_until_before_its_expiry(governed: Office) -> None:
    proposed = governed.waive(ANN)
    signed = governed.waive(BOB).outcome
    with governed.access.reading() as reading:
        end = governed.now + 10 * DAY
        assert outcome_of(reading, signed.act, end - 1).state is State.STANDING
        assert outcome_of(reading, signed.act, end).state is State.EXPIRED
    governed.wait(11 * DAY)
    with pytest.raises(ConflictError, match="takes no countersignature"):
        governed.register.waive(CARL, WaiveRequest(waiver=proposed.outcome.id))


def test_one_person_breaks_the_glass_for_a_day(governed: Office) -> None:
    with pytest.raises(InvalidInputError, match="one person waives alone"):
        governed.waive(ANN, break_glass=True, expires_at=governed.later(DAY + 1))
    with pytest.raises(ForbiddenError, match="cannot be waived"):
        governed.waive(ANN, "fourEyes", break_glass=True, expires_at=governed.later(DAY))
    alone = governed.waive(ANN, break_glass=True, expires_at=governed.later(DAY))
    assert (alone.outcome.state, alone.outcome.since) == (State.STANDING, governed.now)


def test_a_waiver_is_revoked(governed: Office) -> None:
    governed.waive(ANN)
    signed = governed.waive(BOB)
    governed.wait(HOUR)
    revoked = governed.register.revoke_waiver(CARL, governed.revoke(signed.outcome.id))
    assert (revoked.outcome.state, revoked.outcome.until) == (State.REVOKED, governed.now)
    with pytest.raises(ConflictError, match="takes no countersignature"):
        governed.register.waive(CARL, WaiveRequest(waiver=signed.outcome.id))


# Attestations ------------------------------------------------------------------------------------------------------


def test_an_attestation_about_a_version_is_bound_to_what_it_is(office: Office) -> None:
    digest = f"sha256:{'0' * 64}"
    about_version = office.attest(ANN, document_digest=digest).outcome
    whole = office.attest(ANN, target=NodeRef(model=DatasetRef(REGISTRY, "credit"))).outcome
    assert about_version.act.body["closureDigest"]
    assert about_version.act.body["documentDigest"] == digest
    assert "closureDigest" not in whole.act.body
    assert about_version.until == office.now + 10 * DAY


def test_a_statement_has_its_form_and_an_end(office: Office) -> None:
    with pytest.raises(InvalidInputError, match="no right wrong"):
        office.attest(ANN, statement={"wrong": 1})
    with pytest.raises(InvalidInputError, match="not in the future"):
        office.attest(ANN, expires_at=text(office.now))
    with pytest.raises(ForbiddenError, match="no person"):
        office.attest(PIPELINE)


def test_a_withdrawn_attestation_is_revoked(office: Office) -> None:
    stated = office.attest(ANN)
    assert office.register.withdraw(ANN, office.revoke(stated.outcome.id)).outcome.state is State.REVOKED


# Policies ----------------------------------------------------------------------------------------------------------


def test_policies_take_two_people(office: Office) -> None:
    proposed = office.register.propose_policy(ANN, [pack(), binding()]).proposal
    assert proposed.confirmed_by is None
    with pytest.raises(ForbiddenError, match="proposed this"):
        office.register.confirm_policy(person("ann"), proposed.act.id)
    with pytest.raises(ForbiddenError, match="no person"):
        office.register.confirm_policy(PIPELINE, proposed.act.id)
    assert office.register.confirm_policy(BOB, proposed.act.id).proposal.confirmed_by == "bob@example.org"
    with pytest.raises(ConflictError, match=r"bob@example\.org has confirmed"):
        office.register.confirm_policy(CARL, proposed.act.id)
    with pytest.raises(NotFoundError, match="No proposal"):
        office.register.confirm_policy(CARL, "po_unknown")


def test_who_may_write_no_policy_confirms_none(governed: Office) -> None:
    retired = governed.register.retire(ANN, ["starter"]).proposal.act.id
    governed.register.confirm_policy(BOB, governed.register.retire(ANN, ["starter"]).proposal.act.id)
    with pytest.raises(ForbiddenError, match="policy:write"):
        governed.register.confirm_policy(person("team", scopes=[Scope.APPROVE]), retired)


def test_a_binding_needs_its_packs(office: Office) -> None:
    with pytest.raises(NotFoundError, match="No pack base"):
        office.register.propose_policy(ANN, [binding()])
    with pytest.raises(InvalidInputError, match="no kind of document Poem"):
        office.register.propose_policy(ANN, [{"kind": "Poem"}])
    wrong = binding(packs=[{"name": "base", "version": "2.0.0"}])
    with pytest.raises(ConflictError, match="names another base"):
        office.register.propose_policy(ANN, [pack(), wrong])


def test_a_confirmation_looks_again_at_what_came_into_force_meanwhile(governed: Office) -> None:
    proposed = governed.register.propose_policy(ANN, [binding("second")]).proposal.act.id
    retired = governed.register.retire(ANN, ["base", "starter"]).proposal.act.id
    governed.register.confirm_policy(BOB, retired)
    with pytest.raises(NotFoundError, match="No pack base"):
        governed.register.confirm_policy(BOB, proposed)


def test_policy_scopes_cover_what_the_policy_covers(governed: Office) -> None:
    local = person("team", scopes=[Scope.POLICY_WRITE], namespaces=["mlflow*"])
    governed.register.propose_policy(local, [binding("team", match={"namespaces": ["mlflow://credit*"]})])
    for refused in (pack(), binding("all"), binding("other", match={"namespaces": ["mlflow*", "s3*"]})):
        with pytest.raises(ForbiddenError, match="every namespace"):
            governed.register.propose_policy(local, [refused])
    with pytest.raises(ForbiddenError, match="every namespace"):
        governed.register.retire(local, ["starter"])
    with pytest.raises(ForbiddenError, match="every namespace"):
        governed.register.propose_policy(local, [binding("starter", match={"namespaces": ["mlflow*"]})])


def test_a_baseline_takes_two_people_and_ends(governed: Office) -> None:
    found = [("dv_1", "base", "licence", None)]
    with pytest.raises(InvalidInputError, match="too late"):
        governed.register.accept_baseline(ANN, "starter", governed.later(366 * DAY), found)
    with pytest.raises(NotFoundError, match="No binding other"):
        governed.register.accept_baseline(ANN, "other", governed.later(DAY), found)
    proposed = governed.register.accept_baseline(ANN, "starter", governed.later(DAY), found).proposal.act.id
    assert governed.register.confirm_policy(BOB, proposed).proposal.kind == "acceptBaseline"


# Projection --------------------------------------------------------------------------------------------------------


def test_no_act_is_checked_against_an_old_graph(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "project", lambda: None)
    office.tell(later_input())
    with pytest.raises(StaleProjectionError):
        office.approve(ANN)


def test_an_act_that_the_graph_does_not_show_yet_is_logged_all_the_same(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office, "project", lambda: None)
    assert office.approve(ANN).outcome.state is State.STANDING
