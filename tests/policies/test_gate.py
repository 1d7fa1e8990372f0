"""The gate: what it answers, what it records, and that nothing unexpected is ever an ALLOW."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from catalog.errors import (
    ForbiddenError,
    InvalidInputError,
    LinewardError,
    LogFullError,
    NotFoundError,
    StoreUnavailableError,
    WrongLogError,
)
from catalog.identity import NodeKind
from catalog.instant import text
from catalog.log import token
from catalog.model import AsOf, DatasetRef, Node, NodeRef
from catalog.principal import Principal, Scope
from catalog.reading import Reading
from policies import acts
from policies.acts import Decide
from policies.enactment import to_accept
from policies.evaluation import Evaluation, evaluate
from policies.gate import Gate, Ruling
from policies.judge import Judge, Judged
from policies.lapse import ALLOW_MICROS
from policies.pack import PolicyPack
from policies.request import DecideRequest
from policies.sandbox import TimeoutReachedError, Worker
from policies.verdict import GateState, Verdict
from policies.watch.acts import others_between
from tests.policies.office import (
    ANN,
    BOB,
    CARL,
    DAY,
    HOUR,
    PIPELINE,
    REGISTRY,
    Office,
    binding,
    control,
    later_input,
    pack,
    person,
    version,
)
from tests.policies.watched import reading_of

FOUR_EYES = control(
    "fourEyes",
    requires=[{"expression": "environment != ''", "missing": "no environment is named"}],
    checks=[
        {
            "id": "people",
            "expression": "approvals.filter(a, a.current && a.environment == environment && a.person != requester)"
            ".map(a, a.person).distinctCount() >= params.approvers",
            "message": "too few people approved",
        }
    ],
    awaits="approvals",
    waivable=False,
)
OWNED = control("owned")
PARAMS = {"approvers": {"type": "int", "default": 2, "min": 1}}

ALLOW, DENY, PENDING, INDETERMINATE = GateState


class Desk:
    """An office with a gate, and packs that others may add."""

    def __init__(self, *documents: dict[str, Any], judge: Judge | None = None, **gate: Any) -> None:
        self.office = Office()
        others = others_between(reading_of(self.office.entries))
        self.judge = judge or Judge(shelf=shelf, others=others)
        self.gate = Gate(self.office.journal, self.judge, **gate)
        if documents:
            self.office.enact(*documents)

    def decide(self, who: Principal = PIPELINE, environment: str = "production", **said: Any) -> Ruling:
        return self.gate.decide(who, DecideRequest(said.pop("target", version()), environment, **said))

    def own(self) -> None:
        self.office.attest(ANN, "inventory", statement={"owner": "team:credit"})

    def decisions(self) -> list[Decide]:
        return [acts.read(act, Decide) for act in self.office.acts(NodeKind.DECISION)]


def shelf(name: str) -> PolicyPack | None:
    return PolicyPack.model_validate(pack("extra", controls=[OWNED])) if name == "extra" else None


def owned_only() -> Desk:
    return Desk(pack(controls=[OWNED]), binding())


def four_eyes(**bound: Any) -> Desk:
    return Desk(pack(controls=[FOUR_EYES], params=PARAMS), binding(**bound))


# Answers -----------------------------------------------------------------------------------------------------------


def test_what_is_missing_denies_and_what_is_there_allows() -> None:
    desk = owned_only()
    denied = desk.decide()
    assert (denied.state, denied.allow) == (DENY, False)
    assert "nobody is told" in denied.body.reasons[0]
    desk.own()
    allowed = desk.decide()
    assert (allowed.state, allowed.allow) == (ALLOW, True)
    assert [each.state for each in desk.decisions()] == ["DENY", "ALLOW"]


def test_a_decision_is_logged_with_everything_that_it_takes_to_compute_it_again() -> None:
    desk = owned_only()
    desk.own()
    body = desk.decide().body
    (logged,) = desk.decisions()
    assert logged == body
    assert body.evidence is not None
    assert body.evidence_digest == acts.digest(body.evidence)
    assert body.requester == "key:pipeline"
    assert body.bindings[0].name == "starter"
    assert body.expires_at == text(desk.office.now + ALLOW_MICROS)
    assert body.snapshot.known == body.snapshot.log_size == len(desk.office.entries) - 1
    (used,) = body.packs
    again = evaluate(
        Evaluation(
            used.document,
            body.evidence,
            desk.office.now,
            body.environment,
            body.requester,
            used.params,
            used.enforcement,
        )
    )
    assert [(each.control, each.verdict.value) for each in again] == [
        (each["control"], each["verdict"]) for each in body.controls
    ]


def test_only_an_allow_lapses() -> None:
    assert owned_only().decide().body.expires_at is None


def test_approvals_are_waited_for_and_the_requester_does_not_count() -> None:
    desk = four_eyes()
    assert desk.decide(CARL).state is PENDING
    for who in (ANN, BOB):
        desk.office.approve(who)
    assert desk.decide(ANN).state is PENDING
    allowed = desk.decide(CARL)
    assert allowed.state is ALLOW
    assert len(allowed.body.approvals) == 2


def test_a_revoked_approval_is_none() -> None:
    desk = four_eyes()
    given = [desk.office.approve(who) for who in (ANN, BOB)]
    desk.office.register.revoke_approval(CARL, desk.office.revoke(given[0].outcome.id))
    assert desk.decide().state is PENDING


def test_an_approval_of_what_the_version_was_is_none() -> None:
    desk = four_eyes()
    for who in (ANN, BOB):
        desk.office.approve(who)
    desk.office.tell(later_input())
    assert desk.decide().state is PENDING


def test_an_approval_for_another_use_is_none() -> None:
    desk = four_eyes()
    desk.office.approve(ANN)
    desk.office.approve(BOB, use="mortgages")
    assert desk.decide().state is ALLOW
    assert desk.decide(use="mortgages").state is ALLOW
    other = desk.decide(use="consumer credit")
    assert other.state is PENDING
    assert other.body.evidence is not None
    assert other.body.evidence_digest == acts.digest(other.body.evidence)
    assert len(other.body.approvals) == 1


def test_a_binding_says_how_many_people() -> None:
    desk = four_eyes(approvals={"count": 3})
    for who in (ANN, BOB):
        desk.office.approve(who)
    assert desk.decide().state is PENDING
    desk.office.approve(CARL)
    allowed = desk.decide()
    assert (allowed.state, allowed.body.packs[0].params) == (ALLOW, {"approvers": 3})


def test_a_binding_whose_packs_count_no_approvals_decides_nothing() -> None:
    desk = Desk(pack(controls=[OWNED]), binding(approvals={"count": 2}))
    desk.own()
    ruling = desk.decide()
    assert ruling.state is INDETERMINATE
    assert "count none" in ruling.body.reasons[0]


@pytest.mark.parametrize("environment", ["staging", "", "Production"])
def test_where_no_binding_chooses_nothing_is_decided(environment: str) -> None:
    desk = owned_only()
    desk.own()
    ruling = desk.decide(environment=environment)
    assert ruling.state is INDETERMINATE
    assert "No binding in force" in ruling.body.reasons[0]


def test_a_caller_only_adds_packs() -> None:
    desk = owned_only()
    desk.own()
    assert [used.name for used in desk.decide(packs=("extra", "base")).body.packs] == ["base", "extra"]
    bare = Desk()
    bare.own()
    ruling = bare.decide(packs=("extra",))
    assert ruling.state is INDETERMINATE
    assert ruling.body.verdict == "pass"


def test_bindings_that_disagree_decide_nothing() -> None:
    two = [binding(name, params={"base": {"approvers": count}}) for name, count in (("one", 1), ("two", 2))]
    desk = Desk(pack(controls=[FOUR_EYES], params=PARAMS), *two)
    ruling = desk.decide()
    assert ruling.state is INDETERMINATE
    assert "approvers" in ruling.body.reasons[0]


def test_a_binding_without_its_pack_decides_nothing() -> None:
    desk = owned_only()
    retired = desk.office.register.retire(ANN, ["base"]).proposal.act.id
    desk.office.register.confirm_policy(BOB, retired)
    ruling = desk.decide()
    assert ruling.state is INDETERMINATE
    assert "needs the pack base" in ruling.body.reasons[0]


def test_the_stricter_of_two_bindings_holds() -> None:
    advises = binding("advises", enforcement={"*": "advise"})
    assert Desk(pack(controls=[OWNED]), advises).decide().state is ALLOW
    assert Desk(pack(controls=[OWNED]), advises, binding("blocks")).decide().state is DENY


def test_a_waiver_lets_pass_until_before_it_expires() -> None:
    desk = owned_only()
    desk.office.waive(ANN, "owned", expires_at=desk.office.later(DAY))
    assert desk.decide().state is DENY
    waived = desk.office.waive(BOB, "owned", expires_at=desk.office.later(DAY))
    ruling = desk.decide()
    assert (ruling.state, ruling.body.verdict) == (ALLOW, "waived")
    assert [each["id"] for each in ruling.body.waivers] == [waived.outcome.id]
    assert ruling.body.next_flip_at == text(desk.office.now + DAY)
    desk.office.wait(DAY - 1)
    assert desk.decide().state is ALLOW
    desk.office.wait(1)
    assert desk.decide().state is DENY


def test_a_revoked_waiver_lets_nothing_pass() -> None:
    desk = owned_only()
    desk.office.waive(ANN, "owned")
    waived = desk.office.waive(BOB, "owned")
    desk.office.register.revoke_waiver(CARL, desk.office.revoke(waived.outcome.id))
    assert desk.decide().state is DENY


def test_a_baseline_lets_todays_findings_pass_and_is_frozen_with_the_decision() -> None:
    desk = owned_only()
    denied = desk.decide()
    assert denied.body.target is not None
    assert denied.report is not None
    found = [*to_accept(denied.report), ("dv_other", "base", "owned", None)]
    assert found[0] == (denied.body.target.node, "base", "owned", None)
    proposed = desk.office.register.accept_baseline(ANN, "starter", desk.office.later(DAY), found)
    desk.office.register.confirm_policy(BOB, proposed.proposal.act.id)
    ruling = desk.decide()
    assert ruling.state is ALLOW
    assert [each.findings for each in ruling.body.baselines] == [(found[0],)]
    desk.office.wait(DAY)
    assert desk.decide().state is DENY


def test_no_baseline_accepts_what_people_can_do_today() -> None:
    denied = Desk(pack(controls=[FOUR_EYES, OWNED], params=PARAMS), binding()).decide()
    assert denied.report is not None
    assert [control for _, _, control, _ in to_accept(denied.report)] == ["owned"]


# Previews and evaluations ------------------------------------------------------------------------------------------


def test_a_preview_says_the_same_and_records_nothing() -> None:
    desk = owned_only()
    before = len(desk.office.entries)
    ruling = desk.decide(preview=True)
    assert (ruling.state, ruling.body.preview, ruling.act) == (DENY, True, None)
    assert len(desk.office.entries) == before
    assert ruling.body.controls == desk.decide().body.controls


def test_an_evaluation_as_of_a_day_sees_that_day() -> None:
    desk = owned_only()
    asked = {"environment": "production"}
    first = desk.office.now
    desk.office.wait(DAY)
    desk.own()
    then = desk.gate.evaluate(PIPELINE, version(), as_of=AsOf(valid=first), **asked)  # type: ignore[arg-type]
    now = desk.gate.evaluate(PIPELINE, version(), **asked)  # type: ignore[arg-type]
    assert (then.report.state, now.report.state) == (DENY, ALLOW)
    assert desk.gate.evaluate(PIPELINE, version()).report.state is INDETERMINATE


# What the caller has to correct ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "said", "error"),
    [
        (PIPELINE, {"target": version("9")}, NotFoundError),
        (PIPELINE, {"target": NodeRef(model=DatasetRef(REGISTRY, "credit"))}, InvalidInputError),
        (PIPELINE, {"packs": ("unheard",)}, NotFoundError),
        (PIPELINE, {"at_least": "rubbish"}, InvalidInputError),
        (PIPELINE, {"at_least": token.encode("another", 1)}, WrongLogError),
        (person("dan", scopes=[Scope.APPROVE]), {}, ForbiddenError),
        (person("dan", namespaces=["s3*"]), {}, ForbiddenError),
    ],
)
def test_mistakes_of_the_caller_are_told(who: Principal, said: dict[str, Any], error: type[LinewardError]) -> None:
    desk = owned_only()
    with pytest.raises(error):
        desk.decide(who, **said)
    assert desk.decisions() == []


# Whatever goes wrong -----------------------------------------------------------------------------------------------


class Broken(Judge):
    """Fails as told."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self._failure = failure

    def judge(self, *_: Any, **__: Any) -> Judged:
        raise self._failure


def test_the_unexpected_is_indeterminate_and_logged_with_an_id() -> None:
    desk = Desk(pack(controls=[OWNED]), binding(), judge=Broken(ZeroDivisionError("division by zero")))
    with capture_logs() as logs:
        ruling = desk.decide()
    assert ruling.state is INDETERMINATE
    assert ruling.body.error_id is not None
    assert ruling.body.error_id in ruling.body.reasons[0]
    assert "division" not in ruling.body.reasons[0]
    assert [each["error_id"] for each in logs if each["event"] == "gate.failed"] == [ruling.body.error_id]
    assert [each.state for each in desk.decisions()] == ["INDETERMINATE"]


def test_a_store_that_does_not_answer_is_indeterminate(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = owned_only()

    def gone(*_: Any) -> Any:
        raise StoreUnavailableError("The graph does not answer.", "Start it.")

    monkeypatch.setattr(desk.office.store, "position", gone)
    ruling = desk.decide()
    monkeypatch.undo()
    assert (ruling.state, ruling.body.target is None) == (INDETERMINATE, False)
    assert "does not answer" in ruling.body.reasons[0]
    desk.office.project()
    assert len(desk.decisions()) == 1


def test_what_cannot_be_logged_is_not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = owned_only()
    desk.own()

    def full(_: Any) -> Any:
        raise LogFullError("The disk is full.", "Free some space.")

    monkeypatch.setattr(desk.office.journal, "_append", full)
    ruling = desk.decide()
    assert (ruling.state, ruling.act, ruling.token) == (INDETERMINATE, None, None)
    assert "disk is full" in ruling.body.reasons[0]


class Slow(Worker):
    """A worker that is always stopped."""

    def run(self, task: str, argument: Any) -> Any:
        raise TimeoutReachedError("The evaluation took too long.", "Simplify it.")


def test_an_evaluation_that_was_stopped_is_an_error_and_indeterminate() -> None:
    with Slow() as worker:
        desk = Desk(pack(controls=[OWNED]), binding(), judge=Judge(worker=worker))
        ruling = desk.decide()
    assert (ruling.state, ruling.body.verdict) == (INDETERMINATE, Verdict.ERROR.value)
    assert "took too long" in ruling.body.reasons[0]
    assert ruling.body.evidence is not None


def test_a_worker_says_what_the_process_itself_would() -> None:
    with Worker() as worker:
        apart = Desk(pack(controls=[OWNED]), binding(), judge=Judge(worker=worker))
        assert apart.decide().body.controls == owned_only().decide().body.controls


# Old facts ---------------------------------------------------------------------------------------------------------


def behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the log go on without the graph; the token of its end."""
    monkeypatch.setattr(desk.office, "project", lambda: None)
    desk.office.tell(later_input())
    return desk.office.journal.everything()


def test_no_decision_is_older_than_the_callers_token(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = owned_only()
    desk.own()
    late = behind(desk, monkeypatch)
    ruling = desk.decide(at_least=late)
    assert ruling.state is INDETERMINATE
    assert "behind the log" in ruling.body.reasons[0]
    assert ruling.body.target is not None
    monkeypatch.undo()
    desk.office.project()
    assert desk.decide(at_least=late).state is ALLOW
    assert [each.state for each in desk.decisions()] == ["INDETERMINATE", "ALLOW"]


@pytest.mark.parametrize(
    ("gate", "bound", "state"),
    [
        ({}, {}, INDETERMINATE),
        ({"lag": lambda: 59.0}, {}, ALLOW),
        ({"lag": lambda: 61.0}, {}, INDETERMINATE),
        ({"lag": lambda: 61.0, "max_lag": 120.0}, {}, ALLOW),
        ({"lag": lambda: 59.0}, {"maxLagSeconds": 30}, INDETERMINATE),
    ],
)
def test_without_a_token_a_little_lag_is_borne(
    monkeypatch: pytest.MonkeyPatch, gate: dict[str, Any], bound: dict[str, Any], state: GateState
) -> None:
    desk = Desk(pack(controls=[OWNED]), binding(**bound), **gate)
    desk.own()
    behind(desk, monkeypatch)
    assert desk.decide().state is state


def test_no_lag_hides_an_act(monkeypatch: pytest.MonkeyPatch) -> None:
    """A revocation that is logged and not projected is waited for, whatever lag is borne."""
    desk = Desk(pack(controls=[FOUR_EYES], params=PARAMS), binding(), lag=lambda: 1.0)
    given = [desk.office.approve(who) for who in (ANN, BOB)]
    monkeypatch.setattr(desk.office, "project", lambda: None)
    desk.office.register.revoke_approval(CARL, desk.office.revoke(given[0].outcome.id))
    assert desk.decide().state is INDETERMINATE


class Interrupted(Judge):
    """Lets something happen after each of the first evaluations."""

    def __init__(self, happenings: Sequence[Callable[[], object]]) -> None:
        super().__init__()
        self.happenings = list(happenings)
        self.evaluated = 0

    def judge(self, reading: Reading, target: Node, **said: Any) -> Judged:
        judged = super().judge(reading, target, **said)
        self.evaluated += 1
        if self.happenings:
            self.happenings.pop(0)()
        return judged


def test_an_act_between_evaluation_and_decision_is_evaluated_too() -> None:
    judge = Interrupted([])
    desk = Desk(pack(controls=[FOUR_EYES], params=PARAMS), binding(), judge=judge)
    given = [desk.office.approve(who) for who in (ANN, BOB)]
    revoked = desk.office.revoke(given[0].outcome.id)
    judge.happenings = [lambda: desk.office.register.revoke_approval(CARL, revoked)]
    assert desk.decide().state is PENDING
    assert judge.evaluated == 2
    assert len(desk.decisions()) == 1


def test_a_gate_that_is_always_interrupted_keeps_the_others_waiting_at_last() -> None:
    judge = Interrupted([])
    desk = Desk(pack(controls=[OWNED]), binding(), judge=judge)
    judge.happenings = [desk.own] * 3
    assert desk.decide().state is ALLOW
    assert judge.evaluated == 4


# Rollbacks ---------------------------------------------------------------------------------------------------------


def test_one_person_rolls_back_to_what_was_allowed() -> None:
    desk = owned_only()
    desk.own()
    allowed = desk.decide()
    assert allowed.act is not None
    desk.office.wait(11 * DAY)
    assert desk.decide(ANN).state is DENY
    back = desk.decide(ANN, rollback=True)
    assert back.state is ALLOW
    assert back.body.rollback is not None
    assert (back.body.rollback.decision, back.body.rollback.person) == (allowed.act.id, "ann@example.org")
    assert back.body.expires_at is not None
    assert back.body.verdict == "unknown"


def test_a_rollback_waits_for_the_one_person() -> None:
    desk = owned_only()
    desk.own()
    desk.decide()
    desk.office.wait(HOUR)
    assert desk.decide(rollback=True).state is PENDING
    desk.office.approve(BOB)
    assert desk.decide(rollback=True).state is ALLOW


def test_a_rollback_to_what_was_never_allowed_or_recalled_is_denied() -> None:
    desk = owned_only()
    assert desk.decide(ANN, rollback=True).state is DENY
    desk.own()
    desk.decide()
    desk.office.attest(ANN, "recall")
    denied = desk.decide(ANN, rollback=True)
    assert (denied.state, denied.body.rollback) == (DENY, None)
    assert "recalled" in denied.body.reasons[0]
    assert desk.decide(ANN, "staging", rollback=True).state is INDETERMINATE
