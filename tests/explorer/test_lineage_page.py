"""The lineage page by click and by keyboard: what it draws, keeps in place, says, and lets be carried away."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.server_process import ServerProcess
from tests.explorer.accessibility import serious
from tests.explorer.conftest import Watched
from tests.explorer.credit import HOSTILE, REFERENCES

PNG = b"\x89PNG\r\n\x1a\n"


def card(page: Page, *says: str) -> str:
    """A selector of the card whose spoken name has these words."""
    return ".react-flow__node" + "".join(f'[aria-label*="{text}"]' for text in says)


def places(page: Page) -> dict[str, tuple[float, float]]:
    """Where each card is drawn on the screen."""
    found = page.locator(".react-flow__node").all()
    boxes = {str(one.get_attribute("data-id")): one.bounding_box() for one in found}
    return {name: (box["x"], box["y"]) for name, box in boxes.items() if box}


def drawn(page: Page) -> Page:
    expect(page.locator(".react-flow__node").first).to_be_visible()
    return page


def test_one_hop_each_side_is_drawn_with_counts_of_the_next(open_page: Watched, model_version: str) -> None:
    page = drawn(open_page(f"/lineage?of={model_version}"))
    for says in (
        ("model version", "loan-default"),
        ("run", "train_xgboost"),
        ("dataset version", "features.loan_default"),
    ):
        expect(page.locator(card(page, *says))).to_have_count(1)
    expect(page.locator(card(page, "raw.loan_applications"))).to_have_count(0)
    expect(page.get_by_role("button", name="Show 1 upstream of features.loan_default")).to_be_visible()


def test_expanding_moves_nothing_and_collapsing_takes_it_back(
    open_page: Watched, model_version: str, picture: Callable[[Page, str], None]
) -> None:
    page = drawn(open_page(f"/lineage?of={model_version}"))
    before = places(page)
    page.get_by_role("button", name="Show 1 upstream of features.loan_default").click()
    expect(page.locator(card(page, "build_features"))).to_have_count(1)
    after = places(page)
    assert {name: after[name] for name in before} == before
    picture(page, "explorer-lineage")
    page.get_by_role("button", name="Collapse what is upstream of features.loan_default").click()
    expect(page.locator(card(page, "build_features"))).to_have_count(0)
    assert places(page) == before


def test_a_fan_is_one_card_that_says_how_many_and_lists_them(open_page: Watched, model_version: str) -> None:
    page = drawn(open_page(f"/lineage?of={model_version}&view=graph"))
    page.get_by_role("button", name="Show 1 upstream of features.loan_default").click()
    rest = REFERENCES + 1 - 8
    page.get_by_role("button", name="Fit View").click()
    page.locator(card(page, f"{rest} dataset versions")).click()
    expect(page.get_by_role("heading", name=f"{rest} dataset versions")).to_be_visible()
    expect(page.get_by_role("complementary", name="Details").get_by_role("link")).to_have_count(rest)
    page.get_by_role("button", name="Draw 20 more").click()
    expect(page.locator(card(page, f"{rest - 20} dataset versions"))).to_have_count(1)


def test_the_keyboard_walks_opens_and_expands(open_page: Watched, model_version: str) -> None:
    page = drawn(open_page(f"/lineage?of={model_version}"))
    page.locator(card(page, "model version", "loan-default")).focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(card(page, "train_xgboost"))).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(card(page, "features.loan_default"))).to_be_focused()
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator(card(page, "build_features"))).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(page.locator(card(page, "train_xgboost"))).to_be_focused()
    page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="Details")
    expect(panel.get_by_role("heading", name="train_xgboost")).to_be_visible()
    expect(panel.get_by_text("1729", exact=True)).to_be_visible()
    page.locator(card(page, "train_xgboost")).focus()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_search_leads_to_a_lineage_without_a_mouse(open_page: Watched) -> None:
    page = open_page("/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("loan-def")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Lineage of loan-default")).to_be_visible()
    drawn(page)


def test_the_table_says_the_same_as_the_drawing(open_page: Watched, model_version: str) -> None:
    page = drawn(open_page(f"/lineage?of={model_version}"))
    count = page.locator(".react-flow__node").count()
    page.get_by_role("button", name="Table").click()
    expect(page.locator("table").first.locator("tbody tr")).to_have_count(count)
    page.get_by_role("button", name="+1 upstream").first.click()
    expect(page.get_by_role("button", name="build_features", exact=True)).to_be_visible()
    assert serious(page) == []


def test_behind_a_flow_are_its_events(open_page: Watched, model_version: str) -> None:
    page = open_page(f"/lineage?of={model_version}&view=table")
    page.get_by_role("button", name="Events behind train_xgboost to loan-default").click()
    panel = page.get_by_role("complementary", name="Details")
    panel.locator("summary").first.click()
    expect(panel.locator("pre").first).to_contain_text('"eventType": "COMPLETE"')


def test_a_way_between_two_nodes_shows_nothing_else(
    open_page: Watched, bank: ServerProcess, model_version: str
) -> None:
    ref = '{dataset: {namespace: "s3://lake-eu", name: "raw.loan_applications"}}'
    found = bank.ask(f"{{ find(ref: {ref}) {{ ... on Dataset {{ currentVersion {{ id }} }} }} }}")
    page = drawn(open_page(f"/lineage?of={found['find']['currentVersion']['id']}&to={model_version}"))
    expect(page.get_by_role("heading", name="From raw.loan_applications")).to_contain_text("to loan-default")
    expect(page.locator(card(page, "reference.codes"))).to_have_count(0)
    expect(page.locator(card(page, "build_features"))).to_have_count(1)


def test_a_difference_marks_what_came_since(open_page: Watched, model_version: str) -> None:
    page = drawn(open_page(f"/lineage?of={model_version}&vknown=6"))
    expect(page.locator(card(page, "run, report", "added"))).to_have_count(1)
    expect(page.locator(card(page, "model version", "loan-default", "added"))).to_have_count(0)


@pytest.mark.parametrize("grain", ["JOB", "FIELD"])
def test_the_other_grains_are_drawn(open_page: Watched, bank: ServerProcess, model_version: str, grain: str) -> None:
    page = drawn(open_page(f"/lineage?of={model_version}&grain={grain}"))
    expect(page.get_by_role("button", name=grain.capitalize(), exact=True)).to_have_attribute("aria-pressed", "true")


def test_a_picture_is_stamped_with_the_log_and_its_root(
    open_page: Watched, bank: ServerProcess, model_version: str, tmp_path: Path
) -> None:
    page = drawn(open_page(f"/lineage?of={model_version}"))
    root = bank.ask("{ log { root } }")["log"]["root"]
    saved = {}
    for form in ("SVG", "PNG"):
        page.get_by_text("Export", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("button", name=form).click()
        saved[form] = tmp_path / form
        download.value.save_as(saved[form])
    text = "".join(ElementTree.parse(saved["SVG"]).getroot().itertext())
    assert f"root {root}" in text
    assert "loan-default" in text
    assert saved["PNG"].read_bytes().startswith(PNG)


def test_names_are_text_whatever_they_say(open_page: Watched, model_version: str) -> None:
    page = drawn(open_page(f"/lineage?of={model_version}"))
    expect(page.locator(card(page, "hostile"))).to_have_count(1)
    page.get_by_role("button", name="Table").click()
    expect(page.get_by_role("button", name=HOSTILE[0], exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="\\u001b[31mred\\u001b[0m", exact=True)).to_be_visible()
    assert page.title() == "loan-default · Lineward"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "name"), [(1280, "wide"), (390, "narrow")])
def test_axe_finds_nothing_serious(
    open_page: Watched, model_version: str, picture: Callable[[Page, str], None], dark: bool, width: int, name: str
) -> None:
    page = open_page(f"/lineage?of={model_version}&select={model_version}", width=width, dark=dark)
    expect(page.get_by_role("complementary", name="Details").get_by_text("max_depth")).to_be_visible()
    assert serious(page) == []
    picture(page, f"explorer-details-{name}{'-dark' if dark else ''}")


def test_nothing_by_that_id_says_so_and_what_to_do(open_page: Watched) -> None:
    page = open_page("/lineage?of=dv_nothing")
    expect(page.get_by_role("alert")).to_contain_text("Nothing known")
