"""Dates decide whether a control is in force, and what a binding makes of it."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.evaluation import evaluate_pack
from policies.library import built_in
from policies.loading import load_pack
from policies.pack import PolicyPack
from policies.timeline import day_of, start_of, turning_days
from policies.verdict import Enforcement
from tests.policies.packs import control, evidence, pack_of


def enforced(
    pack: PolicyPack, day: str, subject: dict[str, Any] | None = None, words: dict[str, str] | None = None
) -> tuple[str, str]:
    """Enforcement and note of the pack's first control on a day."""
    document = evidence(subject=subject or {})
    results = evaluate_pack(pack, document, evaluated_at=start_of(date.fromisoformat(day)), enforcement=words or {})
    return results[0].enforcement.value, results[0].note


def source(**parts: Any) -> dict[str, Any]:
    return {"instrument": "i", "uri": "u", "binding": "law", "certainty": "enacted"} | parts


@settings(deadline=None)
@given(st.dates(date(1970, 1, 1), date(9998, 1, 1)))
def test_a_day_is_the_utc_day_of_its_instants(day: date) -> None:
    assert day_of(start_of(day)) == day
    assert day_of(start_of(day) - 1) < day
    assert day_of(start_of(day) + 86_400_000_000 - 1) == day


def test_an_entry_is_half_open() -> None:
    pack = pack_of(timeline=[{"appliesFrom": "2026-02-01", "appliesUntil": "2026-03-01"}])
    assert enforced(pack, "2026-01-31") == ("advise", "It only advises: it applies from 2026-02-01.")
    assert enforced(pack, "2026-02-01") == ("block", "")
    assert enforced(pack, "2026-02-28") == ("block", "")
    assert enforced(pack, "2026-03-01") == ("advise", "It only advises: it no longer applies.")


def test_entries_are_for_subjects_like_that() -> None:
    pack = pack_of(
        timeline=[
            {"when": {"annex": "III", "thirdParty": False}, "appliesFrom": "2027-12-02"},
            {"when": {"annex": "I"}, "appliesFrom": "2028-08-02"},
        ]
    )
    assert enforced(pack, "2027-12-02", {"annex": "III", "thirdParty": False})[0] == "block"
    assert enforced(pack, "2027-12-02", {"annex": "I"})[0] == "advise"
    assert enforced(pack, "2026-01-01", {"annex": "III"})[0] == "block", "no entry is about it: always"
    assert enforced(pack, "2026-01-01")[0] == "block", "what is not known must not spare anybody"


def test_entries_that_name_a_control_come_before_the_others() -> None:
    pack = pack_of(
        control(),
        control(id="C-2"),
        timeline=[{"appliesFrom": "2027-12-02"}, {"controls": ["C-1"], "appliesFrom": "2026-08-02"}],
    )
    document = evidence()
    results = evaluate_pack(pack, document, evaluated_at=start_of(date(2026, 8, 2)))
    assert [each.enforcement for each in results] == [Enforcement.BLOCK, Enforcement.ADVISE]


@pytest.mark.parametrize(
    ("parts", "day", "why"),
    [
        ({"certainty": "proposed", "inForce": {"from": "2026-01-01"}}, "2026-06-01", "it is proposed and not law"),
        ({"certainty": "adopted-not-in-force"}, "2026-06-01", "it is adopted and not in force"),
        ({"certainty": "adopted-not-in-force", "inForce": {"from": "2027-01-01"}}, "2027-01-01", ""),
        (
            {"certainty": "adopted-not-in-force", "inForce": {"from": "2027-01-01"}},
            "2026-12-31",
            "it is not in force before 2027-01-01",
        ),
        ({"certainty": "repealed"}, "2026-01-01", "it is repealed"),
        ({"certainty": "repealed", "inForce": {"to": "2026-04-17"}}, "2026-04-16", ""),
        (
            {"certainty": "repealed", "inForce": {"to": "2026-04-17"}},
            "2026-04-17",
            "it is not in force since 2026-04-17",
        ),
        ({"certainty": "enacted"}, "1990-01-01", ""),
    ],
)
def test_certainty_and_dates_of_the_source(parts: dict[str, Any], day: str, why: str) -> None:
    found, note = enforced(pack_of(source=source(**parts)), day)
    assert found == ("advise" if why else "block")
    assert note.startswith(f"It only advises: {why}" if why else "")


def test_a_citation_may_be_less_certain_than_its_law() -> None:
    pack = pack_of(control(citation={"article": "4a", "certainty": "proposed"}))
    assert enforced(pack, "2026-06-01") == ("advise", "It only advises: it is proposed and not law.")


def test_drafts_and_retired_packs_advise() -> None:
    metadata = {"name": "house", "version": "1.0.0", "status": "draft"}
    draft = pack_of(metadata=metadata)
    assert enforced(draft, "2026-06-01") == ("advise", "It only advises: the pack is a draft.")
    assert enforced(draft, "2026-06-01", words={"@enforceDrafts": "true"})[0] == "block"
    retired = pack_of(metadata={**metadata, "status": "retired"})
    assert enforced(retired, "2026-06-01", words={"@enforceDrafts": "true"})[0] == "advise"


def test_turning_days_are_all_days_on_which_something_can_change() -> None:
    pack = pack_of(
        control(effective={"from": "2026-01-05"}),
        source=source(inForce={"from": "2020-01-01", "to": "2030-01-01"}),
        timeline=[{"appliesFrom": "2027-12-02", "appliesUntil": "2028-01-01"}],
    )
    days = [each.isoformat() for each in turning_days(pack, pack.controls[0])]
    assert days == ["2020-01-01", "2026-01-05", "2027-12-02", "2028-01-01", "2030-01-01"]


def test_the_law_in_force_on_a_day_is_what_judges_that_day() -> None:
    """SR 11-7 gave way to SR 26-2 on 17 April 2026."""
    words = {"@enforceDrafts": "true"}
    for name, day, expected in (
        ("us-mrm-sr11-7", "2026-04-16", False),
        ("us-mrm-sr11-7", "2026-04-17", True),
        ("us-mrm-sr26-2", "2026-04-16", True),
        ("us-mrm-sr26-2", "2026-04-17", False),
    ):
        pack = load_pack(built_in()[name])
        results = evaluate_pack(pack, evidence(), evaluated_at=start_of(date.fromisoformat(day)), enforcement=words)
        assert all((each.enforcement is Enforcement.ADVISE) is expected for each in results)
