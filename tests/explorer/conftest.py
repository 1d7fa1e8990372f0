"""A real browser on a real server. Every page is watched: what it asks of others, and what goes wrong in it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route, expect, sync_playwright

from catalog_graphql.assets import has_explorer
from tests.end_to_end.server_process import ServerProcess, serving
from tests.explorer.credit import story

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
PATIENCE = 20_000  # milliseconds that a busy machine may take for anything on a page
KEY = "lineward.key"  # under which a page keeps who is signed in
NAMES = ("chromium", "chromium-browser", "google-chrome")

Watched = Callable[..., Page]


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that holds what the bank's team reported."""
    with serving(tmp_path_factory.mktemp("explorer") / "data") as server:
        server.record(*story())
        server.await_projection()
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium. For a module: as long as it runs, no test can start an event loop of its own."""
    path = os.environ.get("LINEWARD_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    _demand(
        path is not None, "no Chromium on this machine; install the package `chromium`, or set LINEWARD_TEST_CHROMIUM"
    )
    _demand(has_explorer(), "the explorer is not built; run: make setup")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def _demand(holds: bool, what: str) -> None:
    if holds:
        return
    if os.environ.get("CI") or os.environ.get("LINEWARD_TEST_REQUIRE_CHROMIUM"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture
def open_page(browser: Browser, bank: ServerProcess) -> Iterator[Watched]:
    """Opens a path of the server, watched."""
    with watched(browser, bank.url) as open_path:
        yield open_path


@contextmanager
def watched(browser: Browser, url: str) -> Iterator[Watched]:
    """Opens paths of a server. A request to anybody else, an error in a script or a refusal by the policy fails.

    With a `key` somebody is signed in from the start.
    """
    complaints: list[str] = []
    pages: list[Page] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text[:300]}")

    def pass_on(route: Route, request: Request) -> None:
        if request.url.startswith((url, "blob:", "data:")):
            route.continue_()
        else:
            complaints.append(f"asked {request.url}")
            route.abort()

    def open_path(path: str, *, width: int = 1280, height: int = 800, dark: bool = False, key: str = "") -> Page:
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce", base_url=url
        )
        context.set_default_timeout(PATIENCE)
        context.route("**/*", pass_on)
        if key:
            context.add_init_script(f"sessionStorage.getItem({KEY!r}) ?? sessionStorage.setItem({KEY!r}, {key!r})")
        page = context.new_page()
        pages.append(page)
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(f"threw {error}"))
        page.goto(path)
        return page

    yield open_path
    for page in pages:
        page.context.close()
    assert complaints == []


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keeps what a page looks like for the documentation, when LINEWARD_SCREENSHOTS=1 asks for new pictures."""

    def keep(page: Page, name: str) -> None:
        if os.environ.get("LINEWARD_SCREENSHOTS") == "1":
            page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")

    return keep


@pytest.fixture
def model_version(bank: ServerProcess) -> str:
    """The id of the version that was trained last."""
    ref = '{model: {namespace: "mlflow://models.example", name: "loan-default", version: "7"}}'
    return str(bank.ask(f"{{ find(ref: {ref}) {{ id }} }}")["find"]["id"])
