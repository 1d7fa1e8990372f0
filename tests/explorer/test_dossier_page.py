"""A model version on one page, and two side by side: what is known, what is not and who could tell, what differs."""

from collections.abc import Callable, Iterator
from json import loads
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.end_to_end.server_process import ServerProcess, serving
from tests.explorer.accessibility import serious
from tests.explorer.conftest import PATIENCE, Watched
from tests.explorer.credit import HOSTILE, REGISTRY
from tests.explorer.dossier import MODEL, story

PACK = "base-ml-governance"
Picture = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """In place of the other pages' server: one that holds what the lender's team reported and stated."""
    with serving(tmp_path_factory.mktemp("dossier") / "data") as server:
        server.record(*story())
        server.await_projection()
        target = {"model": {"namespace": REGISTRY, "name": MODEL, "version": "1"}}
        approve = "mutation ($input: ApproveInput!) { approve(input: $input) { id } }"
        server.ask(approve, input={"target": target, "environment": "production", "conditions": ["income only"]})
        attest = "mutation ($input: AttestInput!) { attest(input: $input) { id } }"
        purpose = {"intendedPurpose": "Ranking of loan applications", "uses": ["consumer credit"]}
        server.ask(
            attest,
            input={
                "target": {"model": {"namespace": REGISTRY, "name": MODEL}},
                "type": "approvedUse",
                "statement": purpose,
                "expiresAt": "2099-01-01T00:00:00Z",
            },
        )
        server.await_projection()
        yield server


@pytest.fixture(scope="module")
def ids(bank: ServerProcess) -> dict[str, str]:
    """Node ids of versions, and of the model itself under its name."""

    def found(name: str, version: str | None = None) -> str:
        ref: dict[str, Any] = {"model": {"namespace": REGISTRY, "name": name, "version": version}}
        return str(bank.ask("query ($ref: NodeRef!) { find(ref: $ref) { id } }", ref=ref)["find"]["id"])

    return {
        "1": found(MODEL, "1"),
        "2": found(MODEL, "2"),
        MODEL: found(MODEL),
        "orphan": found("orphan", "1"),
        "hostile": found(HOSTILE[4], HOSTILE[2]),
    }


def judged(page: Page) -> Page:
    """Once the verdicts are there, which come last."""
    expect(page.get_by_role("button", name="Download the evidence")).to_be_visible(timeout=PATIENCE)
    return page


def region(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name)


def test_the_dossier_tells_what_stands_behind_a_version(
    open_page: Watched, ids: dict[str, str], picture: Picture
) -> None:
    page = judged(open_page(f"/models/{ids['1']}?pack={PACK}"))
    expect(page.get_by_role("heading", name=f"{MODEL} 1")).to_be_visible()
    purpose = region(page, "What it is for")
    expect(purpose).to_contain_text("Ranking of loan applications attested by local")
    made = region(page, "How it was made")
    for says in ("a1" * 20, "1729", "dana@bank.example", "max_depth"):
        expect(made).to_contain_text(says)
    row = region(page, "Data").get_by_role("row", name="applications").first
    expect(row).to_contain_text("CC-BY-4.0")
    expect(row).to_contain_text("health")
    columns = region(page, "Data").get_by_role("table").last
    expect(columns.get_by_role("row", name="age")).to_contain_text("protected:age")
    expect(region(page, "Approvals")).to_contain_text("if income only")
    service = region(page, "Service over time")
    expect(service.get_by_role("row", name="scoring")).to_contain_text("nothing had allowed it")
    picture(page, "explorer-dossier")


def test_evaluations_are_drawn_and_their_numbers_stand_beneath(
    open_page: Watched, ids: dict[str, str], picture: Picture
) -> None:
    page = judged(open_page(f"/models/{ids['1']}?pack={PACK}"))
    evaluations = region(page, "Evaluations")
    bars = evaluations.get_by_role("img", name="approval_rate by sex: female 0.71, male 0.84")
    expect(bars).to_be_visible()
    for curve in ("Calibration", "ROC"):
        expect(evaluations.get_by_role("img", name=f"{curve}:")).to_be_visible()
    figure = evaluations.get_by_role("figure").filter(has=page.get_by_role("img", name="ROC:"))
    figure.locator("summary").click()
    expect(figure.get_by_role("row", name="0.5", exact=False).first).to_contain_text("0.66")
    evaluations.scroll_into_view_if_needed()
    picture(page, "explorer-evaluations")


def test_a_verdict_says_why_what_proves_it_and_what_would_fix_it(
    open_page: Watched, ids: dict[str, str], picture: Picture
) -> None:
    page = judged(open_page(f"/models/{ids['1']}?pack={PACK}"))
    verdicts = region(page, "Verdicts")
    control = verdicts.get_by_role("listitem").filter(has_text="Sensitive columns reach the model").first
    expect(control).to_contain_text("column age of applications reaches the model")
    way = control.get_by_role("list", name="The way through the graph that proves it").first
    expect(way.get_by_role("listitem").first).to_contain_text("age in applications")
    expect(way.get_by_role("listitem").last).to_contain_text(MODEL)
    expect(control).to_contain_text("What would fix it")
    expect(control.get_by_role("link", name="B-13")).to_have_attribute(
        "href", "https://lineward.dev/packs/base-ml-governance#b-13"
    )
    control.scroll_into_view_if_needed()
    picture(page, "explorer-verdicts")
    way.get_by_role("link", name="age in applications").click()
    expect(page.get_by_role("heading", name="Lineage of age")).to_be_visible()


def test_the_keyboard_opens_a_control_and_a_gap(open_page: Watched, ids: dict[str, str]) -> None:
    page = judged(open_page(f"/models/{ids['1']}?pack={PACK}"))
    control = region(page, "Verdicts").locator("summary").filter(has_text="The model is documented")
    control.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Technical documentation of this version exists")).to_be_visible()
    gap = region(page, "What is not known").locator("summary").filter(has_text="documents")
    gap.focus()
    page.keyboard.press("Space")
    expect(region(page, "What is not known").locator("pre").filter(has_text="--type document").first).to_be_visible()


def test_what_nobody_told_is_an_unknown_that_names_who_could(open_page: Watched, ids: dict[str, str]) -> None:
    page = judged(open_page(f"/models/{ids['orphan']}"))
    expect(region(page, "How it was made").get_by_role("link", name="not known")).not_to_have_count(0)
    expect(region(page, "Data")).to_contain_text("No run named the data")
    expect(region(page, "Evaluations")).to_contain_text("No run reported measuring this version")
    expect(region(page, "Service over time")).to_contain_text("has not served")
    expect(region(page, "Verdicts")).to_contain_text("No policy in force judges it")
    unknown = region(page, "What is not known")
    tier = unknown.locator("details").filter(has_text="subject.riskTier")
    tier.locator("summary").click()
    expect(tier).to_contain_text("A person, with a statement of the type classification")
    expect(tier.locator("pre")).to_contain_text("lineward attest")


def test_a_pack_that_is_not_in_force_can_be_tried_from_the_page(open_page: Watched, ids: dict[str, str]) -> None:
    page = judged(open_page(f"/models/{ids['1']}"))
    page.get_by_role("button", name=PACK).click()
    expect(region(page, "Verdicts")).to_contain_text("not in force here")
    assert f"pack={PACK}" in page.url


def test_the_evidence_is_the_document_that_was_judged(
    open_page: Watched, bank: ServerProcess, ids: dict[str, str], tmp_path: Path
) -> None:
    page = judged(open_page(f"/models/{ids['1']}"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the evidence").click()
    assert download.value.suggested_filename == f"evidence-{MODEL}-1.json"
    download.value.save_as(tmp_path / "evidence.json")
    held = loads((tmp_path / "evidence.json").read_text())
    assert (held["subject"]["id"], held["schema"]) == (ids["1"], "lineward.dev/evidence/v1")
    expect(region(page, "Evidence")).to_contain_text(bank.ask("{ log { root } }")["log"]["root"])


def test_the_address_keeps_the_point_in_time(open_page: Watched, ids: dict[str, str]) -> None:
    page = judged(open_page(f"/models/{ids['1']}?known=3&valid=2026-10-05T00:00:00Z"))
    expect(region(page, "Evaluations")).to_contain_text("No run reported measuring this version")
    page.get_by_role("link", name="Lineage", exact=True).last.click()
    expect(page.get_by_role("heading", name=f"Lineage of {MODEL}")).to_be_visible()
    assert "known=3" in page.url


def test_what_a_key_may_not_judge_leaves_the_rest_to_be_read(open_page: Watched) -> None:
    refused = {"message": "You may not evaluate.", "extensions": {"code": "FORBIDDEN", "remedy": "Ask for a scope."}}

    def answer(route: Route) -> None:
        if "DossierVerdicts" in (route.request.post_data or ""):
            route.fulfill(json={"data": None, "errors": [refused]})
        else:
            route.fallback()

    page = open_page("/models")
    page.route("**/graphql", answer)
    page.get_by_role("link", name=MODEL).click()
    alert = region(page, "Verdicts").get_by_role("alert")
    expect(alert).to_contain_text("You may not evaluate.")
    expect(alert).to_contain_text("Ask for a scope.")
    expect(region(page, "Data")).to_contain_text("Not to be had without the verdicts")
    expect(region(page, "How it was made")).to_contain_text("max_depth")
    expect(page.get_by_role("alert")).to_have_count(1)


def test_a_model_opens_its_latest_version(open_page: Watched, ids: dict[str, str]) -> None:
    page = open_page(f"/models/{ids[MODEL]}")
    expect(page.get_by_role("heading", name=f"{MODEL} 2")).to_be_visible()
    assert page.url.endswith(f"/models/{ids['2']}")


@pytest.mark.parametrize("path", ["/models/dv_nothing", "/models/dv_nothing/compare/dv_nothing"])
def test_an_address_that_names_nothing_says_so(open_page: Watched, path: str) -> None:
    page = open_page(path)
    expect(page.get_by_role("main")).to_contain_text("All models")


def test_the_models_and_the_panel_lead_to_the_dossier(open_page: Watched, ids: dict[str, str]) -> None:
    page = open_page("/models")
    page.get_by_role("link", name=MODEL).click()
    expect(page.get_by_role("heading", name=f"{MODEL} 2")).to_be_visible()
    page.goto(f"/lineage?of={ids['1']}&select={ids['1']}")
    page.get_by_role("complementary", name="Details").get_by_role("link", name="Dossier").click()
    expect(page.get_by_role("heading", name=f"{MODEL} 1")).to_be_visible()


def test_a_comparison_shows_first_what_differs(open_page: Watched, ids: dict[str, str], picture: Picture) -> None:
    page = judged(open_page(f"/models/{ids['2']}?pack={PACK}"))
    page.get_by_label("Compare with").select_option(value=ids["1"])
    expect(page.get_by_role("status").filter(has_text="differ")).to_be_visible()
    assert page.url.split("?")[0].endswith(f"/models/{ids['2']}/compare/{ids['1']}")
    for group, row, base, other in (
        ("Data", "features (training)", "40", "41"),
        ("Schema", "age in features", "int", "–"),
        ("Code", "Commit", "a1" * 20, "b2" * 20),
        ("Parameters", "max_depth", "6", "4"),
        ("Metrics", "roc_auc", "0.81", "0.79−0.02, worse"),
        ("Approvals", "local", "standing for production", "–"),
    ):
        cells = region(page, group).get_by_role("row", name=row).first.get_by_role("cell")
        expect(cells.nth(0)).to_have_text(base)
        expect(cells.nth(1)).to_have_text(other)
    same = page.locator("details.alike").filter(has_text="Environment")
    expect(same).to_contain_text("3 the same")
    picture(page, "explorer-comparison")
    page.get_by_role("link", name="Swap sides").click()
    expect(region(page, "Data").get_by_role("row", name="features (training)").get_by_role("cell").nth(0)).to_have_text(
        "41"
    )


def test_what_a_side_does_not_tell_is_neither_the_same_nor_another(open_page: Watched, ids: dict[str, str]) -> None:
    page = open_page(f"/models/{ids['1']}/compare/{ids['orphan']}")
    expect(page.get_by_role("main")).to_contain_text("versions of two different models")
    commit = region(page, "Code").get_by_role("row", name="Commit")
    expect(commit.get_by_role("cell").nth(0)).to_have_text("not known")
    expect(commit).not_to_have_attribute("data-change", "changed")


def test_names_are_text_whatever_they_say(open_page: Watched, ids: dict[str, str]) -> None:
    for path in (f"/models/{ids['hostile']}?pack={PACK}", f"/models/{ids['hostile']}/compare/{ids['1']}"):
        page = open_page(path)
        expect(page.get_by_text("\\u202egnp.elif\\u202c").first).to_be_visible()
        expect(page.get_by_role("main")).to_contain_text("\\u001b[31mred")
        assert "taken" not in page.title()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("(main => main.scrollWidth <= main.clientWidth)(document.querySelector('main'))")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(open_page: Watched, ids: dict[str, str], width: int, dark: bool) -> None:
    page = judged(open_page(f"/models/{ids['1']}?pack={PACK}", width=width, dark=dark))
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert serious(page) == []
    assert page.evaluate("(main => main.scrollWidth <= main.clientWidth)(document.querySelector('main'))")
    page.goto(f"/models/{ids['2']}/compare/{ids['1']}?pack={PACK}")
    expect(page.get_by_role("heading", name="Verdicts")).to_be_visible()
    assert serious(page) == []
    assert page.evaluate("(main => main.scrollWidth <= main.clientWidth)(document.querySelector('main'))")
