"""Bodies of acts: one form, one digest, and back."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.act import interpret_act
from catalog.errors import CorruptLogError, InvalidInputError
from catalog.identity import NodeKind, act_id
from catalog.instant import text
from catalog.log.entry import Entry, EntryType, Receipt
from catalog.model import Node
from policies import acts
from policies.acts import AcceptBaseline, Approve, Attest, Body, Decide, ProposePolicy, Snapshot, Target
from tests.policies.office import ANN, NOON, PIPELINE

TARGET = Target(node="dv_1", kind="MODEL_VERSION", namespace="registry", name="credit", version="1")


def approval(**said: Any) -> Approve:
    given = {"target": TARGET, "environment": "production", "closure_digest": "sha256:00"} | said
    return acts.make(Approve, ANN, NOON, **given)


def decision(**said: Any) -> Decide:
    given = {
        "target": TARGET,
        "environment": "production",
        "requester": "ann@example.org",
        "state": "DENY",
        "reasons": ("B-01",),
        "snapshot": Snapshot(origin="o", log_size=3, root="00", known=3),
        "evaluated_at": text(NOON),
        "verdict": "fail",
    } | said
    return acts.make(Decide, PIPELINE, NOON, **given)


def as_logged(body: Body, seq: int = 7) -> Entry:
    entry = acts.submission(body)
    return Entry(seq, NOON, entry.type, entry.actor, entry.source, (), entry.body, b"")


def test_an_act_is_read_back_as_it_was_made() -> None:
    made = approval(conditions=("watch drift",), closure_parts=(("input", "applications", "sha256:11"),))
    act = acts.recorded(made, Receipt(7, b"", False))
    assert acts.read(act, Approve) == made
    assert acts.typed(act) == made
    assert acts.by(act) == made.by


def test_a_reading_sees_the_act_that_was_answered() -> None:
    made = approval()
    interpreted = interpret_act(as_logged(made))
    answered = acts.recorded(made, Receipt(7, b"", False))
    assert interpreted is not None
    assert (interpreted.node.id, interpreted.node.seq, interpreted.node.at) == (answered.id, 7, NOON)
    assert answered.id == act_id(NodeKind.APPROVAL, made.id)
    assert {edge.target for edge in interpreted.edges} == {"dv_1", "APPROVAL"}
    assert orjson.loads(interpreted.bodies[interpreted.node.label or ""]) == answered.body


def test_what_was_not_said_is_left_out() -> None:
    assert {"use", "role", "validUntil", "reason", "reaffirms"}.isdisjoint(acts.plain(approval()))
    machine = acts.plain(decision())
    assert machine["by"] == {"principal": "key:pipeline", "roles": []}
    assert acts.submission(decision(evidence={"subject": {}})).type is EntryType.DECISION


def test_nothing_inside_of_free_documents_is_left_out() -> None:
    found = (("dv_1", "base", "licence", None), ("dv_1", "base", "licence", "ds_1"))
    baseline = acts.make(AcceptBaseline, ANN, NOON, binding="starter", until=text(NOON + 1), findings=found)
    assert acts.plain(baseline)["findings"] == [list(each) for each in found]
    stated = acts.make(
        Attest, ANN, NOON, target=TARGET, type="field", statement={"value": None}, expires_at=text(NOON + 1)
    )
    assert acts.plain(stated)["statement"] == {"value": None}


def test_integers_that_json_cannot_hold_become_text() -> None:
    body = acts.submission(acts.make(ProposePolicy, ANN, NOON, documents=({"n": 1 << 60, "m": (1 << 53) - 1},)))
    assert orjson.loads(body.body)["documents"] == [{"n": str(1 << 60), "m": (1 << 53) - 1}]


def test_two_equal_acts_are_two_entries() -> None:
    assert acts.submission(approval()).received != acts.submission(approval()).received


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda e: st.dictionaries(st.text(), e)))
def test_a_digest_does_not_depend_on_the_order_of_keys(value: Any) -> None:
    one, two = {"a": value, "b": 1}, {"b": 1, "a": value}
    assert acts.digest(one) == acts.digest(two)
    assert acts.canonical(one) == acts.canonical(two)


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"environment": ""}, "/environment"),
        ({"valid_until": "soon"}, "/validUntil"),
        ({"conditions": ("",)}, "/conditions/0"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_a_wrong_body_says_where(said: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        approval(**said)
    assert refused.value.pointer == pointer
    assert refused.value.remedy


def test_times_have_one_form() -> None:
    assert approval(valid_until="2026-03-01t14:00:00+02:00").valid_until == "2026-03-01T12:00:00.000000Z"


def test_an_entry_that_is_no_act_of_ours_is_named() -> None:
    act = acts.recorded(approval(), Receipt(7, b"", False))
    broken = replace(act, body={key: each for key, each in act.body.items() if key != "closureDigest"})
    with pytest.raises(CorruptLogError, match="entry 7 is no approve"):
        acts.read(broken, Approve)
    with pytest.raises(CorruptLogError, match="act of nobody"):
        acts.by(replace(act, body={}))
    assert acts.typed(replace(act, verb="identify")) is None


def test_a_target_is_named_for_people_too() -> None:
    node = Node("dv_1", NodeKind.MODEL_VERSION, "registry", "credit", "1")
    assert acts.target_of(node) == TARGET
