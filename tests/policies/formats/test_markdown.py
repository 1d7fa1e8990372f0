"""The comment on a pull request: what blocks and what was waived is always there, and no text of others acts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from policies.formats.document import decision_of
from policies.formats.markdown import MOST, markdown, text
from policies.verdict import GateState, ItemResult, Missing, Verdict
from tests.policies.attestation.decisions import ADVISED, BROKEN, PASSED, WAIVED, allow, body, deny, result, waiver

ZERO = "\u200b"


def rendered(source: str) -> str:
    return str(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(source))


def words(html: str) -> str:
    """What a reader sees."""
    plain = re.sub(r"<[^>]*>", "", html).replace(ZERO, "")
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        plain = plain.replace(entity, sign)
    return plain


def test_a_denied_release_says_what_blocks_and_what_to_do() -> None:
    html = rendered(markdown(deny()))
    assert "<h3>" in html
    assert "Release denied: credit risk@2 → production" in words(html)
    table = html[html.index("<table>") : html.index("</table>")]
    assert "sex reaches the model (and 1 more)" in words(table)
    assert "Remedy of B-06." in words(table)
    assert "B-01" not in table


def test_the_rest_is_folded_away() -> None:
    told = markdown(deny())
    assert told.count("<details>") == told.count("</details>") == 2
    assert "1 fail, 1 pass, 1 not applicable" in words(told)
    assert told.index("<details>") > told.index("| | Control |")


def test_waivers_are_outside_of_the_folds() -> None:
    told = markdown(allow())
    head = told[: told.index("<details>")]
    assert "the owner is on leave" in head
    assert "unknown without it" in head
    assert "2026" in head


def test_a_broken_glass_is_named() -> None:
    told = markdown(decision_of(body("ALLOW", WAIVED, waivers=[waiver() | {"breakGlass": True}])))
    assert "**break-glass**" in told


@pytest.mark.parametrize("state", GateState)
def test_every_state_has_its_headline(state: GateState) -> None:
    assert markdown(decision_of(body(state, PASSED, BROKEN))).startswith("### ")


def test_a_preview_says_that_it_is_one() -> None:
    assert "preview" in markdown(deny(preview=True)).splitlines()[0]


EVIL = [
    "# head", "**bold**", "<img src=x onerror=y>", "[a](https://evil)", "![a](b)", "`code`", "a|b|c", "@everyone",
    "#123", "!5", "https://evil.example", "www.evil.example", "</details>", "<!-- ", "/approve", "- item", "1. item",
    "> quote", "~~gone~~", "&lt;b&gt;", "$x$", "mail@evil.example", "line\n\n# head", "\u202etxet", "```\nx", "\\",
    "_a_", "***", "===", "%7", ":+1:",
]  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
def test_texts_of_others_are_shown_and_do_nothing(evil: str) -> None:
    html = rendered(f"{text(evil)} and more")
    assert re.fullmatch(r"<p>[^<]*</p>\n", html)
    assert words(html).split() == f"{evil} and more".replace("\u202e", "\\u202e").split()


@pytest.mark.parametrize("evil", EVIL)
def test_no_mention_reference_or_address_is_left_in_one_piece(evil: str) -> None:
    html = rendered(text(evil))
    assert not re.search(r"[@#!%~$]\w|://|www\.|:\+1:", html)


def test_a_pack_in_a_summary_shows_no_escapes_and_no_tags() -> None:
    control = result("B-01", Verdict.PASS, pack="a*b<i>@1.0.0")
    told = markdown(decision_of(body("ALLOW", control)))
    assert "<summary>a*b&lt;i&gt;@&#8203;1.0.0: 1 pass</summary>" in told


@given(st.text(max_size=40))
def test_a_text_is_one_paragraph_of_itself(said: str) -> None:
    html = rendered(f"x{text(said)}x")
    assert re.fullmatch(r"<p>[^<]*</p>\n", html)


@given(st.text(alphabet="|\\`a\n<&", max_size=20))
def test_no_text_adds_a_cell_to_the_table(said: str) -> None:
    control = result(
        "B-01", Verdict.FAIL, title=said, remediation=said, items=(ItemResult(said, said, Verdict.FAIL, said),)
    )
    html = rendered(markdown(decision_of(body("DENY", control))))
    assert html.count("<td>") + html.count("<th>") + html.count("<td") - html.count("<td>") == 8


def test_it_fits_into_a_comment_whatever_was_found() -> None:
    items = tuple(ItemResult(f"k{n}", "c", Verdict.FAIL, "long " * 200, (Missing("a.b", "x"),)) for n in range(30))
    controls = [result(f"B-{n}", Verdict.FAIL, items=items) for n in range(200)]
    told = markdown(decision_of(body("DENY", *controls, WAIVED)))
    assert len(told) <= 65_536
    assert "the owner is on leave" in told
    assert told.count("<details>") == told.count("</details>")
    assert MOST < 65_536


def test_many_items_are_counted() -> None:
    items = tuple(ItemResult(f"k{n}", "c", Verdict.FAIL, "bad") for n in range(30))
    told = markdown(decision_of(body("DENY", result("B-01", Verdict.FAIL, items=items), ADVISED)))
    assert "and 20 more" in told
