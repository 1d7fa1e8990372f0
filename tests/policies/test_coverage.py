"""The pages say what the packs say, and every row of the laws is a control or left out with a reason."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from policies.coverage import WITHOUT_PACK, page, pages, shipped
from policies.pack import PolicyPack

DOCS = Path(__file__).parents[2] / "docs" / "packs"

ROWS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "base-ml-governance": {f"B-{number:02}": (f"B-{number:02}",) for number in range(1, 17)},
    "eu-ai-act-high-risk": {
        "4": (),
        "5": ("EUAIA-5",),
        "9": ("EUAIA-9",),
        "9(6)-(8)": ("EUAIA-9.6",),
        "10(2)(b)": ("EUAIA-10.2b",),
        "10(2)(c)": ("EUAIA-10.2c",),
        "10(2)(f)(g)": ("EUAIA-10.2f",),
        "10(2)(h)": ("EUAIA-10.2h",),
        "10(3)(4)": ("EUAIA-10.3",),
        "4a": ("EUAIA-4a",),
        "11, Annex IV, 18": ("EUAIA-11",),
        "12, 19, 26(6)": ("EUAIA-12",),
        "13": ("EUAIA-13",),
        "14, 26(2)": ("EUAIA-14", "EUAIA-14.5"),
        "15": ("EUAIA-15", "EUAIA-15.4"),
        "16, 17, 43, 47-49": ("EUAIA-17", "EUAIA-43", "EUAIA-49"),
        "26(1)(4)(5)": ("EUAIA-26",),
        "26(9), 27": ("EUAIA-26.9", "EUAIA-27"),
        "50": ("EUAIA-50", "EUAIA-50.2"),
        "53(1)(a)-(d)": ("EUAIA-53",),
        "51(2), 52, 55": ("EUAIA-51", "EUAIA-55"),
        "72, 73": ("EUAIA-72", "EUAIA-73"),
    },
    "gdpr-training-data": {
        "5(1)(b), 6": ("GDPR-5.1b",),
        "5(1)(c), 25": ("GDPR-5.1c",),
        "5(1)(e)": ("GDPR-5.1e",),
        "9": ("GDPR-9",),
        "17": ("GDPR-17", "GDPR-17.1"),
        "22, 13-15": ("GDPR-22",),
        "30": ("GDPR-30",),
        "32": ("GDPR-32",),
        "35": ("GDPR-35",),
        "44-49": ("GDPR-44",),
    },
    "us-mrm-sr26-2": {f"MRM-{number}": (f"MRM-{number}",) for number in range(1, 9)},
    "us-mrm-sr11-7": {f"SR117-{number}": (f"SR117-{number}",) for number in range(1, 8)} | {"MRM-6": ()},
    "us-credit-regb-fcra": {name: (name,) for name in ("REGB-1", "REGB-2", "REGB-3", "REGB-4", "REGB-5")}
    | {name: (name,) for name in ("FCRA-1", "FCRA-2", "FCRA-3")},
    "nyc-ll144": {f"LL144-{number}": (f"LL144-{number}",) for number in range(1, 6)},
    "iso-42001": {
        "A.4.2-4.5": ("ISO42001-A.4.3",),
        "A.5.2-5.5": ("ISO42001-A.5.2",),
        "A.6.2.3-6.2.8": tuple(f"ISO42001-A.6.2.{number}" for number in range(3, 9)),
        "A.7.2-7.6": tuple(f"ISO42001-A.7.{number}" for number in range(2, 7)),
        "A.8.2": ("ISO42001-A.8.2",),
        "A.9.2-9.4": ("ISO42001-A.9.2", "ISO42001-A.9.4"),
        "A.10.2-10.3": ("ISO42001-A.10.3",),
    },
    "nist-ai-rmf": {
        "GOVERN 1.6": ("NIST-GOVERN-1.6",),
        "MAP 1.1, 3.5, 4.1": ("NIST-MAP-1.1", "NIST-MAP-3.5", "NIST-MAP-4.1"),
        "MEASURE 1.3, 2.3, 2.4": ("NIST-MEASURE-1.3", "NIST-MEASURE-2.3", "NIST-MEASURE-2.4"),
        "MEASURE 2.9-2.11": ("NIST-MEASURE-2.9", "NIST-MEASURE-2.10", "NIST-MEASURE-2.11"),
        "MANAGE 1.1, 2.4, 4.1, 4.3": ("NIST-MANAGE-1.1", "NIST-MANAGE-2.4", "NIST-MANAGE-4.1", "NIST-MANAGE-4.3"),
        "AI 600-1": tuple(f"NIST-GAI-{name}" for name in ("PROVENANCE", "RED-TEAM", "IP", "THIRD-PARTY", "INCIDENTS")),
    },
}
"""The rows that a pack has to answer for, and the controls that do; without one, `notCovered` names the row."""

LEFT_OUT = {("eu-ai-act-high-risk", "4"): "Art. 4, ", ("us-mrm-sr11-7", "MRM-6"): "MRM-6, "}


@cache
def packs() -> Mapping[str, PolicyPack]:
    return {pack.name: pack for pack in shipped()}


def test_the_pages_are_current() -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    assert written == pages(list(packs().values())), "run: python -m policies.coverage docs/packs"


@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_row_is_a_control_or_left_out_with_a_reason(name: str) -> None:
    pack = packs()[name]
    for row, controls in ROWS[name].items():
        assert all(pack.control(each) for each in controls), row
        if not controls:
            assert any(each.row.startswith(LEFT_OUT[name, row]) for each in pack.not_covered), row


def test_there_is_a_list_of_rows_for_every_pack_and_no_control_beyond_it() -> None:
    assert packs().keys() == ROWS.keys()
    for name, pack in packs().items():
        assert {each.id for each in pack.controls} == {each for row in ROWS[name].values() for each in row}


@pytest.mark.parametrize("regime", ["Colorado", "MAS", "PRA", "HIPAA", "FDA", "DORA"])
def test_a_regime_without_a_pack_is_named_with_the_reason(regime: str) -> None:
    (found,) = (each for each in WITHOUT_PACK if each[0].startswith(regime))
    assert all(part and part in (DOCS / "README.md").read_text(encoding="utf-8") for part in found)


def test_a_page_has_each_control_with_its_source_and_each_row_left_out() -> None:
    for pack in packs().values():
        text = page(pack)
        for control in pack.controls:
            assert f"### {control.id} · {control.title}" in text
            assert f"[{control.citation.article}]({control.citation.uri})" in text
        assert all(f"| {each.row} | {each.reason} |" in text for each in pack.not_covered)


def test_a_page_writes_out_what_parameters_stand_for() -> None:
    text = page(packs()["base-ml-governance"])
    assert "At least 2 different people" in text
    assert "{approvers}" not in text
