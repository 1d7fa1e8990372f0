"""Bodies of redactions: what they may say, and that they come back from the log as they went in."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.erasure import redaction
from catalog.erasure.redaction import Body, Decline, Dispose, Erase, Hold, Propose, Reached, Release, make, node_of
from catalog.errors import CorruptLogError, InvalidInputError
from catalog.identity import NodeKind, act_id, structure
from catalog.log.entry import Entry, EntryType
from tests.catalog.erasure.redactions import ANN, BEN, START, entry_of, gone, ref

ASKED = make(Propose, ANN, START, reason="asked to", basis="GDPR Art. 17(1)(b)", entries=(ref(3),))
BODIES: list[Body] = [
    ASKED,
    make(
        Erase,
        BEN,
        START,
        refers_to=node_of(ASKED),
        proposal=ASKED.id,
        reason="asked to",
        basis="GDPR Art. 17(1)(b)",
        entries=(ref(3),),
        erased=(gone(3, {"eventType": None, "nested": {"snake_case": 1}}, ("rn_abcdef",)), gone(4)),
        reached=Reached(models=("dv_model",)),
    ),
    make(Decline, BEN, START, refers_to=node_of(ASKED), reason="still needed"),
    make(Hold, ANN, START, namespaces=("postgres://*",), reason="lawsuit", until="2027-01-01T00:00:00Z"),
    make(Release, ANN, START, refers_to="er_hold", reason="settled"),
    make(Dispose, ANN, START, refers_to="er_1", version="dv_1", disposition="unlearn", reason="done"),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: str(body.act))
def test_a_body_comes_back_as_it_went_in(body: Body) -> None:
    assert redaction.parse(entry_of(body, 7)) == body


@pytest.mark.parametrize("body", BODIES, ids=lambda body: str(body.act))
def test_every_body_says_what_it_erased(body: Body) -> None:
    said = json.loads(redaction.serialise(body))
    assert [each["seq"] for each in said["erased"]] == ([3, 4] if body.act == "erase" else [])
    assert redaction.submission(body).erases == ((3, 4) if body.act == "erase" else ())
    assert redaction.submission(body).type is EntryType.REDACTION


def test_words_of_a_skeleton_stay_as_they_are() -> None:
    said = json.loads(redaction.serialise(BODIES[1]))
    assert said["erased"][0]["keeps"] == {"eventType": None, "nested": {"snake_case": 1}}
    assert "keeps" in said["erased"][1]


def test_a_redaction_has_a_node_of_its_own() -> None:
    assert node_of(ASKED) == act_id(NodeKind.REDACTION, ASKED.id)
    assert structure(node_of(ASKED)) is NodeKind.REDACTION


@given(st.integers(0, (1 << 48) * 1000 - 1))
def test_ids_carry_their_moment(at: int) -> None:
    made = redaction.uuid7(at)
    assert (made.version, made.variant, made.int >> 80) == (7, UUID(int=0x8 << 60).variant, at // 1000)
    assert redaction.uuid7(at) != made


@pytest.mark.parametrize(
    ("kind", "said", "pointer"),
    [
        (Propose, {"reason": "r", "basis": "b"}, "/"),
        (Propose, {"reason": "", "basis": "b", "concerns": ("ds_1",)}, "/reason"),
        (Propose, {"reason": "r", "basis": "b", "concerns": ("ds_1",), "keep": "some"}, "/keep"),
        (Propose, {"reason": "r", "basis": "b", "entries": ({"seq": -1, "commit": ref(1).commit},)}, "/entries/0/seq"),
        (Propose, {"reason": "r", "basis": "b", "entries": ({"seq": 1, "commit": "x"},)}, "/entries/0/commit"),
        (Hold, {"reason": "r"}, "/"),
        (Hold, {"reason": "r", "nodes": ("ds_1",), "until": "soon"}, "/until"),
        (Dispose, {"refers_to": "er_1", "version": "dv_1", "disposition": "accept", "reason": "r"}, "/"),
        (Dispose, {"refers_to": "er_1", "version": "dv_1", "disposition": "retrain", "reason": "r"}, "/"),
    ],
)
def test_what_cannot_be_said(kind: type[Body], said: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        make(kind, ANN, START, **said)
    assert raised.value.pointer == pointer
    assert raised.value.remedy


@pytest.mark.parametrize(
    "altered",
    [b"[]", b"{}", b'{"act":"erase"}', b"\xff", b'{"act":["erase"]}'],
    ids=["list", "empty", "bare", "bytes", "odd"],
)
def test_what_no_door_wrote_is_corrupt(altered: bytes) -> None:
    with pytest.raises(CorruptLogError):
        redaction.parse(replace(entry_of(ASKED, 1), body=altered))


def test_verbs_of_later_versions_say_nothing() -> None:
    assert redaction.parse(replace(entry_of(ASKED, 1), body=b'{"act":"forget","erased":[]}')) is None


def test_other_entries_are_no_redactions() -> None:
    other: Entry = replace(entry_of(ASKED, 1), type=EntryType.APPROVAL)
    with pytest.raises(CorruptLogError):
        redaction.parse(other)
