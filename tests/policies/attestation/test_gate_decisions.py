"""What the gate decides verifies and replays, from the log and from nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from catalog.identity import NodeKind
from policies.acts import digest
from policies.attestation.bundle import bundle, held
from policies.attestation.reevaluation import reevaluate
from policies.attestation.replay import replay
from policies.attestation.statement import why_unsigned
from policies.attestation.verification import verify
from policies.formats.document import Decision, decision_of
from policies.formats.junit import junit
from policies.formats.markdown import markdown
from policies.formats.sarif import sarif
from policies.gate import Gate
from policies.journal import Journal
from policies.judge import Judge
from policies.request import DecideRequest
from policies.verdict import GateState, Verdict
from tests.policies.attestation.decisions import SIGNER
from tests.policies.office import (
    ANN,
    BOB,
    CARL,
    ENVIRONMENT,
    PIPELINE,
    Office,
    binding,
    control,
    later_input,
    pack,
    version,
)

FOUR_EYES = control(
    "fourEyes",
    requires=[{"expression": "environment != ''", "missing": "no environment is named"}],
    checks=[
        {
            "id": "people",
            "expression": "size(approvals.filter(a, a.current && a.person != requester)) >= 2",
            "message": "too few people approved",
        }
    ],
    awaits="approvals",
    waivable=False,
)
OWNED = control("licence")


@pytest.fixture
def office() -> Office:
    """With an owner and four eyes asked for in production."""
    office = Office()
    office.enact(pack(controls=[OWNED, FOUR_EYES]), binding())
    return office


def gate(office: Office) -> Gate:
    journal: Journal = office.journal
    return Gate(journal, Judge())


def decided(office: Office, **more: Any) -> Decision:
    """The decision as the log has it afterwards."""
    ruling = gate(office).decide(PIPELINE, DecideRequest(version(), more.pop("environment", ENVIRONMENT), **more))
    assert ruling.act is not None
    with office.access.reading() as reading:
        act = reading.act(ruling.act.id)
    assert act is not None
    return decision_of(act.body)


def untouched(office: Office) -> None:
    """Nobody did anything."""


def owned(office: Office) -> None:
    office.attest(ANN, "inventory", statement={"owner": "team:credit"})


def approved(office: Office) -> None:
    owned(office)
    office.approve(ANN)
    office.approve(BOB)


def waived(office: Office) -> None:
    office.waive(ANN)
    office.waive(CARL)
    office.approve(ANN)
    office.approve(BOB)


def outgrown(office: Office) -> None:
    approved(office)
    office.tell(later_input())


PREPARED: dict[str, tuple[Callable[[Office], None], GateState]] = {
    "denied": (untouched, GateState.DENY),
    "waiting": (owned, GateState.PENDING),
    "allowed": (approved, GateState.ALLOW),
    "waived": (waived, GateState.ALLOW),
    "outgrown": (outgrown, GateState.PENDING),
}


@pytest.mark.parametrize(("prepare", "state"), PREPARED.values(), ids=PREPARED)
def test_a_decision_verifies_and_replays_through_a_file(
    office: Office, prepare: Callable[[Office], None], state: GateState
) -> None:
    prepare(office)
    decision = decided(office)
    assert decision.state is state
    file = json.loads(json.dumps(bundle(decision, SIGNER)))
    found = verify(held(file), SIGNER.public_key)
    assert not found.failed
    assert found.signed == (state in (GateState.ALLOW, GateState.DENY))
    assert not replay(decision_of(file["decision"]), reevaluate).differences


@pytest.mark.parametrize("prepare", [each for each, _ in PREPARED.values()], ids=PREPARED)
def test_every_format_can_be_written(office: Office, prepare: Callable[[Office], None]) -> None:
    prepare(office)
    decision = decided(office)
    assert json.loads(sarif(decision))["version"] == "2.1.0"
    assert "fourEyes" in junit(decision)
    assert "credit" in markdown(decision)


def test_a_waiver_is_replayed_as_it_stood_then(office: Office) -> None:
    waived(office)
    decision = decided(office)
    assert [each.verdict for each in decision.controls] == [Verdict.WAIVED, Verdict.PASS]
    with office.access.reading() as reading:
        (first, *_) = [act for act in reading.acts(NodeKind.WAIVER) if act.verb == "waive"]
    office.register.revoke_waiver(ANN, office.revoke(first.id))
    assert decided(office).state is GateState.DENY
    assert not replay(decision, reevaluate).differences


def test_what_the_log_holds_is_what_the_statement_names(office: Office) -> None:
    approved(office)
    decision = decided(office)
    (entry,) = [each for each in office.entries if each.body and b'"decide"' in each.body]
    assert entry.body is not None
    assert digest(json.loads(entry.body)) == digest(decision.document)


def test_what_no_binding_covers_is_replayed_as_undecided(office: Office) -> None:
    decision = decided(office, environment="nowhere")
    assert decision.state is GateState.INDETERMINATE
    assert not replay(decision, reevaluate).differences


def test_a_rollback_replays_and_is_signed_as_the_allow_that_it_is(office: Office) -> None:
    approved(office)
    assert decided(office).state is GateState.ALLOW
    (first, _) = office.acts(NodeKind.APPROVAL)
    office.register.revoke_approval(ANN, office.revoke(first.id))
    assert decided(office).state is GateState.PENDING
    back = decided(office, rollback=True)
    assert back.state is GateState.ALLOW
    assert back.blocking() == []
    assert "<failure" not in junit(back)
    assert back.body.rollback is not None
    assert why_unsigned(back) is None
    assert not replay(back, reevaluate).differences
