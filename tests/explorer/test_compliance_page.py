"""The compliance page by click and by keyboard: the matrix, its reasons, waivers, files; and the lists of unknowns."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.end_to_end.server_process import ServerProcess
from tests.explorer import regulated
from tests.explorer.accessibility import serious
from tests.explorer.conftest import Watched
from tests.explorer.credit import HOSTILE, REFERENCES
from tests.explorer.regulated import NAMES, PACK, Bank

Picture = Callable[[Page, str], None]

MODELS = len(NAMES) + 2  # of the story, and one that is only named
CONTROLS = 16
FAIL = 3  # every third of the named ones
REFUSED = "features.02"  # trained on under a licence that is not allowed


@pytest.fixture(scope="module")
def retail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    with regulated.bank(tmp_path_factory.mktemp("regulated")) as opened:
        yield opened


@pytest.fixture(scope="module")
def bank(retail: Bank) -> ServerProcess:
    return retail.server


def matrix(page: Page) -> Locator:
    """The grid, once every model is judged."""
    expect(page.locator(".shown")).to_contain_text("controls")
    return page.get_by_role("grid", name="Verdicts by model and control")


def row(page: Page, name: str) -> Locator:
    return matrix(page).get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))


def place(page: Page) -> list[str | None]:
    """Row and column of what has the focus."""
    focused = page.locator(":focus")
    return [focused.get_attribute("data-row"), focused.get_attribute("data-column")]


def test_every_model_is_there_with_every_control_and_its_name_as_text(open_page: Watched) -> None:
    page = open_page("/compliance")
    grid = matrix(page)
    expect(grid).to_have_attribute("aria-rowcount", str(MODELS + 1))
    expect(grid).to_have_attribute("aria-colcount", str(CONTROLS + 1))
    expect(page.locator(".shown")).to_have_text(f"{MODELS} rows × {CONTROLS} controls")
    expect(row(page, "retired-scorecard")).to_contain_text("It has no version")
    expect(row(page, "loan-default").get_by_label("B-01 waived")).to_be_visible()
    row(page, HOSTILE[0]).get_by_role("rowheader").click()
    expect(page.get_by_role("complementary", name="Reason")).to_contain_text(HOSTILE[0])
    assert page.title() == "Compliance · Lineward"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_reason_is_one_click_away_and_in_the_address(open_page: Watched, picture: Picture) -> None:
    page = open_page("/compliance")
    row(page, "fraud-cards").get_by_label("B-03 fail, blocks a release").click()
    reason = page.get_by_role("complementary", name="Reason")
    expect(reason.get_by_role("heading", name="Training data is licensed for this")).to_be_visible()
    expect(reason).to_contain_text(f"licence CC-BY-NC-4.0 of dataset {REFUSED} is not allowed")
    expect(reason).to_contain_text("Train without the datasets listed")
    expect(reason).to_contain_text("B-03 licence")
    expect(reason.get_by_role("list", name="The way through the graph").get_by_role("link")).to_have_text(
        [REFUSED, "train_2", "fraud-cards"]
    )
    picture(page, "explorer-compliance")
    again = open_page(page.url.removeprefix(page.evaluate("location.origin")))
    expect(again.get_by_role("complementary", name="Reason")).to_contain_text("CC-BY-NC-4.0")
    reason.get_by_role("link", name="Lineage", exact=True).click()
    expect(page.get_by_role("heading", name="Lineage of fraud-cards")).to_be_visible()


def test_arrows_walk_the_grid_and_enter_tells_the_reason(open_page: Watched) -> None:
    page = open_page("/compliance?sort=name")
    expect(matrix(page).locator('[tabindex="0"]')).to_have_count(1)
    matrix(page).locator('[tabindex="0"]').focus()
    assert place(page) == ["1", "1"]
    for key, where in (
        ("ArrowDown", ["2", "1"]),
        ("ArrowRight", ["2", "2"]),
        ("End", ["2", str(CONTROLS)]),
        ("ArrowRight", ["2", str(CONTROLS)]),
        ("Home", ["2", "0"]),
        ("Control+End", [str(MODELS), str(CONTROLS)]),
        ("ArrowUp", [str(MODELS - 1), str(CONTROLS)]),
        ("Control+Home", ["0", "0"]),
        ("ArrowDown", ["1", "0"]),
    ):
        page.keyboard.press(key)
        assert place(page) == where, key
    page.keyboard.press("ArrowRight")
    here = place(page)
    page.keyboard.press("Enter")
    reason = page.get_by_role("complementary", name="Reason")
    expect(reason.get_by_role("heading").first).to_be_visible()
    reason.get_by_role("button", name="Close").focus()
    page.keyboard.press("Escape")
    expect(reason).to_have_count(0)
    assert place(page) == here


def test_filters_say_how_much_they_leave_and_dim_the_rest(open_page: Watched) -> None:
    page = open_page("/compliance")
    matrix(page)
    page.get_by_role("button", name="fail", exact=False).click()
    expect(page.locator(".shown")).to_have_text(f"{FAIL} of {MODELS} rows × {CONTROLS} controls")
    assert matrix(page).locator("td[data-left-out]").count() == FAIL * (CONTROLS - 1)
    page.get_by_label("Only controls of severity").select_option("HIGH")
    expect(page.locator(".shown")).to_contain_text(f"of {CONTROLS} controls")
    page.get_by_label("Only models with").fill("fraud")
    expect(page.locator(".shown")).to_contain_text(f"1 of {MODELS} rows")
    page.get_by_label("Only models with").fill("nothing of that name")
    page.get_by_role("button", name=f"Show all {MODELS} rows").click()
    expect(page.locator(".shown")).to_have_text(f"{MODELS} rows × {CONTROLS} controls")


def test_a_control_orders_the_rows_by_what_it_says(open_page: Watched) -> None:
    page = open_page("/compliance?sort=name")
    matrix(page).get_by_role("columnheader", name="B-12").click()
    marks = matrix(page).locator('tbody td[data-column="13"], tbody td[data-column="12"]')
    expect(marks.first).to_have_attribute("aria-label", "B-12 unknown, blocks a release")
    said = [each.get_attribute("aria-label") or "" for each in matrix(page).locator('td[data-column="12"]').all()]
    verdicts = [each.split()[1] for each in said if each.startswith("B-12")]
    assert verdicts == sorted(verdicts, reverse=True)  # unknown before pass
    assert set(verdicts) == {"unknown,", "pass,"}


def test_a_file_holds_what_the_page_shows(open_page: Watched, retail: Bank) -> None:
    page = open_page("/compliance?verdict=FAIL&name=fraud")
    expect(page.locator(".shown")).to_contain_text("1 of")
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Workbook").click()
    assert download.value.suggested_filename == f"compliance-{PACK}-{size(retail)}.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(Path(download.value.path()).read_bytes()))
    told = {line[0]: line[1] for line in book["Cover"].values}
    assert (told["rows"], told["filter: verdicts"], told["filter: name"]) == ("1", "fail", "fraud")
    assert told["as of: log size"] == str(size(retail))
    assert told["as of: log root"] == retail.server.ask("{ log { root } }")["log"]["root"]


def size(retail: Bank) -> int:
    return int(retail.server.ask("{ log { size } }")["log"]["size"])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "name"), [(1280, "wide"), (390, "narrow")])
def test_axe_finds_nothing_serious(
    open_page: Watched, retail: Bank, picture: Picture, width: int, name: str, dark: bool
) -> None:
    page = open_page(f"/compliance?of={retail.version('fraud-cards')}&control=B-03", width=width, dark=dark)
    matrix(page)
    expect(page.get_by_role("complementary", name="Reason").get_by_text("What to do")).to_be_visible()
    picture(page, f"explorer-compliance-{name}{'-dark' if dark else ''}")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Waivers 1").click()
    waiver = page.get_by_role("region", name="Waivers").get_by_role("row", name="loan-default")
    expect(waiver).to_contain_text("8 days left")
    expect(waiver).to_contain_text("dora@bank.example")
    assert serious(page) == []


# A thousand models ------------------------------------------------------------------------------------------------


VERDICTS = ("PASS", "PASS", "PASS", "UNKNOWN", "FAIL", "NOT_APPLICABLE")


def large(models: int, controls: int) -> Callable[[Route], None]:
    """Answers the page's questions as a server with so many would."""
    ids = [f"C-{number:02}" for number in range(controls)]
    described = [
        {"id": each, "title": f"Title of {each}", "article": "Art. 1", "severity": "HIGH", "assurance": "automatic"}
        for each in ids
    ]
    pack = {"name": "large", "version": "1.0.0", "status": "reviewed", "instrument": "Ours", "uri": "https://x.example"}

    def said(number: int) -> dict[str, Any]:
        cells = [
            {"control": each, "verdict": VERDICTS[(number * 7 + place) % 6], "enforcement": "BLOCK"}
            for place, each in enumerate(ids)
        ]
        version = {"id": f"dv_{number}", "version": "1", "state": "CURRENT"}
        rest: dict[str, Any] = {"verdict": "FAIL", "trouble": None, "servesIn": [], "nextFlipAt": None, "waivers": []}
        model = {"id": f"m_{number}", "namespace": "registry", "name": f"model-{number:04}"}
        return {"model": model, "rows": [{**rest, "target": version, "controls": cells}]}

    def answer(route: Route) -> None:
        asked = json.loads(route.request.post_data or "{}")
        if "query CompliancePacks" in asked["query"]:
            packs = [{**pack, "certainty": "enacted", "inForceSince": "2026-01-01T00:00:00Z", "controls": described}]
            route.fulfill(json={"data": {"policyPacks": packs, "policyBindings": []}})
        elif "query Compliance(" in asked["query"]:
            start = int(asked["variables"]["after"] or 0)
            end = min(models, start + asked["variables"]["first"])
            page = {"hasNextPage": end < models, "endCursor": str(end)}
            found = {"pack": "large@1.0.0", "known": 9, "evaluatedAt": "2026-11-24T00:00:00Z", "totalCount": models}
            nodes = [said(number) for number in range(start, end)]
            route.fulfill(json={"data": {"compliance": {**found, "pageInfo": page, "nodes": nodes}}})
        else:
            route.fallback()

    return answer


def test_a_thousand_models_and_forty_controls_are_walked_ordered_and_counted(open_page: Watched) -> None:
    page = open_page("/models")
    page.route("**/graphql", large(1_000, 40))
    page.goto("/compliance?sort=name")
    expect(page.locator(".shown")).to_have_text("1,000 rows × 40 controls")
    grid = matrix(page)
    assert grid.locator("tbody tr[role=row]").count() < 60
    grid.locator('[tabindex="0"]').focus()
    page.keyboard.press("Control+End")
    expect(page.locator(":focus")).to_have_attribute("data-row", "1000")
    expect(grid.get_by_role("rowheader", name="model-0999")).to_be_visible()
    page.keyboard.press("Control+Home")
    expect(grid.get_by_role("rowheader", name="model-0000")).to_be_visible()
    grid.get_by_role("columnheader", name="C-39").click()
    expect(grid.locator('td[data-row="1"][data-column="40"]')).to_have_attribute(
        "aria-label", "C-39 fail, blocks a release"
    )


# What is not known ------------------------------------------------------------------------------------------------


LISTS = (
    ("Unresolved datasets", REFERENCES + 2, "raw.bureau_scores"),
    ("Runs that never ended", 1, "nightly_refresh"),
    ("Models without an approver", MODELS - 1, "income-estimate"),
    ("About to end, 14 days", 2, f"{PACK}/B-01"),
)


def test_each_number_of_what_is_not_known_leads_to_its_list(open_page: Watched) -> None:
    page = open_page("/")
    for name, count, shows in LISTS:
        figure = page.get_by_role("region", name="Known unknowns").locator(".figures > div").filter(has_text=name)
        expect(figure.get_by_role("link")).to_have_text(str(count))
        figure.get_by_role("link").click()
        expect(page.locator(".headline")).to_contain_text(str(count))
        if count > 50:
            expect(page.locator("tbody tr")).to_have_count(50)
            page.get_by_role("button", name="Next 50").click()
            expect(page.locator("tbody tr")).to_have_count(count - 50)
            page.go_back()
        expect(page.get_by_role("row", name=shows).first).to_be_visible()
        assert serious(page) == []
        page.go_back()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_axe_finds_nothing_serious_in_lists(open_page: Watched, picture: Picture, width: int, dark: bool) -> None:
    page = open_page("/unknowns?list=ending", width=width, dark=dark)
    expect(page.get_by_role("row", name="loan-default")).to_be_visible()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if (width, dark) == (1280, False):
        picture(page, "explorer-unknowns")
