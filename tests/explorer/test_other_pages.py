"""The overview, the models, the console, and what holds for every page."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.server_process import ServerProcess
from tests.explorer.accessibility import serious
from tests.explorer.conftest import Watched

Picture = Callable[[Page, str], None]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/", "/models", "/lineage", "/compliance", "/decisions"])
def test_axe_finds_nothing_serious(open_page: Watched, path: str, width: int, dark: bool) -> None:
    page = open_page(path, width=width, dark=dark)
    expect(page.locator("main :is(h1, h2)").first).to_be_visible()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_overview_says_what_serves_and_leads_to_it(open_page: Watched, picture: Picture) -> None:
    page = open_page("/")
    serving = page.get_by_role("region", name="In service")
    expect(serving.get_by_role("row", name="loan-scoring")).to_contain_text("loan-default 6")
    picture(page, "explorer-overview")
    serving.get_by_role("link", name="loan-default 6").click()
    expect(page.get_by_role("heading", name="loan-default 6")).to_be_visible()


def test_each_number_of_the_overview_is_a_link(open_page: Watched) -> None:
    page = open_page("/")
    expect(page.locator(".figures dd a").first).to_be_visible()
    assert page.locator(".figures > div").count() == page.locator(".figures dd a").count()


def test_the_point_in_time_stays_in_the_address_from_page_to_page(open_page: Watched) -> None:
    page = open_page("/")
    page.get_by_role("button", name="As of now").click()
    page.get_by_label("What the log held at size").fill("4")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("button", name="As of log 4")).to_be_visible()
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("row", name="loan-default")).to_contain_text("6")
    assert "known=4" in page.url


def test_a_key_stays_in_the_tab_and_goes_with_every_question(open_page: Watched) -> None:
    page = open_page("/")
    page.get_by_role("button", name="local, open").click()
    page.get_by_label("API key or token").fill("a-key-of-mine")
    with page.expect_request(lambda each: each.url.endswith("/graphql") and "authorization" in each.headers) as asked:
        page.get_by_role("button", name="Use it").click()
    assert asked.value.headers["authorization"] == "Bearer a-key-of-mine"
    assert page.evaluate("[sessionStorage.length, localStorage.length]") == [1, 0]
    assert "a-key-of-mine" not in page.url


def test_the_console_answers_a_saved_question_offline(open_page: Watched, picture: Picture) -> None:
    page = open_page("/graphql")
    page.get_by_role("button", name="What was in production on").click()
    expect(page.locator(".graphiql-query-editor")).to_contain_text("WhatWasInProductionOn")
    page.locator(".graphiql-query-editor .view-lines").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("{ models { totalCount")
    expect(page.locator(".graphiql-tab")).to_contain_text("untitled")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".graphiql-response")).to_contain_text('"totalCount": 1')
    picture(page, "explorer-graphql")


@pytest.mark.parametrize("path", ["/", "/lineage", "/models", "/models/x", "/compliance", "/decisions/y", "/graphql"])
def test_every_page_forbids_what_it_does_not_need(bank: ServerProcess, path: str) -> None:
    answer = bank.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    assert ("unsafe-inline" in policy) == (path == "/graphql")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"


def test_assets_are_kept_for_ever_and_sent_compressed(bank: ServerProcess) -> None:
    page = bank.get("/").text
    script = page.split('src="')[1].split('"')[0]
    answer = httpx.get(bank.url + script)
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert bank.get("/assets/missing.js").status_code == 404
    assert "EPL-2.0" in bank.get("/about/elkjs.md").text
    assert "Eclipse Public License" in bank.get("/about/licences.md").text
