"""Verdicts survive their way through JSON, and wrong ones are named."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import InvalidInputError
from policies.formats.document import control_document, control_of, decision_of
from policies.verdict import ControlResult, ItemResult, Verdict
from tests.policies.attestation.decisions import BROKEN, DENIED, PASSED, WAIVED, allow, body, changed, deny, result

texts = st.text(max_size=5)
items = st.builds(
    ItemResult, key=st.none() | texts, check=texts, verdict=st.sampled_from(Verdict), message=texts,
    waiver=st.none() | texts, underlying=st.none() | st.sampled_from(Verdict),
)  # fmt: skip
results = st.builds(
    replace, st.just(DENIED), items=st.lists(items).map(tuple), next_flip_at=st.none() | texts, note=texts,
    waivers=st.lists(texts).map(tuple), awaits_approval=st.booleans(),
)  # fmt: skip


@given(results)
def test_a_result_reads_back_as_it_was(control: ControlResult) -> None:
    assert control_of(control_document(control)) == control


def test_names_are_camel_case_and_nothing_is_null() -> None:
    document = control_document(WAIVED)
    assert document["awaitsApproval"] is False
    assert document["items"][0] == {
        "check": "holds",
        "verdict": "waived",
        "message": "no owner",
        "missing": [{"path": "subject.owner", "reason": "nobody said"}],
        "waiver": WAIVED.waivers[0],
    }
    assert "nextFlipAt" not in document


def test_what_is_null_in_json_is_what_is_absent() -> None:
    document = control_document(PASSED) | {"nextFlipAt": None}
    assert control_of(document) == PASSED


@pytest.mark.parametrize(
    ("path", "to", "pointer"),
    [
        (("state",), "MAYBE", "/state"),
        (("controls", 0, "verdict"), "good", "/verdict"),
        (("snapshot",), {}, "/snapshot"),
    ],
)
def test_what_is_wrong_is_pointed_at(path: tuple[str | int, ...], to: object, pointer: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        decision_of(changed(allow().document, *path, to=to))
    assert caught.value.message.startswith(pointer)


def test_what_blocks_is_enforced_by_block_and_in_trouble() -> None:
    assert [each.control for each in deny().blocking()] == ["B-06"]
    assert allow().blocking() == []
    assert decision_of(body("INDETERMINATE", BROKEN)).blocking() == [BROKEN]


def test_a_citation_leads_to_the_text_that_the_frozen_pack_names() -> None:
    assert allow().citation_uri(PASSED) == "https://example.org/law#B-01"
    assert allow().citation_uri(result("B-99", Verdict.PASS)) is None
