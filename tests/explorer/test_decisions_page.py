"""Decisions by click and by keyboard: from a denial to an allow by two people, and what a file proves."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect

from catalog_graphql.assets import explorer_operations
from policies.attestation.bundle import held
from policies.attestation.signing import PUBLIC, public_key
from policies.attestation.verification import verify
from tests.end_to_end.server_process import ServerProcess, lineward
from tests.explorer.accessibility import serious
from tests.explorer.conftest import KEY, watched
from tests.explorer.credit import HOSTILE
from tests.explorer.house import House, address, open_house

Picture = Callable[[Page, str], None]
Json = dict[str, Any]
HOSTILE_MODEL = HOSTILE[0] + HOSTILE[2]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("house") / "data") as house:
        yield house


@pytest.fixture
def open_as(browser: Browser, house: House) -> Iterator[Callable[..., Page]]:
    """Opens a path of the bank's server, signed in as one of its people."""
    with watched(browser, house.server.url) as open_path:
        yield lambda who, path, **more: open_path(path, key=house.keys[who], **more)


@pytest.fixture(scope="module")
def denied(house: House) -> str:
    """The id of a decision that stands for the whole module."""
    decision = house.decide("6", "production")
    assert decision["state"] == "DENY"
    return str(decision["id"])


def sign_in(page: Page, house: House, who: str, before: str) -> None:
    """As a person does who takes over from another."""
    page.get_by_role("button", name=address(before), exact=True).click()
    page.get_by_label("API key or token").fill(house.keys[who])
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_role("button", name=address(who), exact=True)).to_be_visible()


def dialog(page: Page) -> Locator:
    return page.locator("dialog.act")


def people(page: Page) -> Locator:
    return page.get_by_role("region", name="People")


def confirmed(page: Page, verb: str) -> str:
    """Reviews, confirms, and closes the answer; what it says."""
    dialog(page).get_by_role("button", name="Review").click()
    dialog(page).get_by_role("button", name=verb, exact=True).click()
    answer = dialog(page).get_by_role("status")
    expect(answer).to_contain_text("of the log")
    told = answer.inner_text()
    dialog(page).get_by_role("button", name="Done").click()
    return told


# The timeline ------------------------------------------------------------------------------------------------------


def test_what_went_past_the_gate_stands_beside_decisions(open_as: Callable[..., Page], denied: str) -> None:
    page = open_as("rita", "/decisions")
    row = page.locator(".timeline li")
    expect(row.filter(has_text="DENY").first).to_contain_text("loan-default 6 into production")
    ungated = row.filter(has_text="UNGATED")
    expect(ungated).to_contain_text("No allow came before it.")
    expect(ungated).to_contain_text("loan-scoring")
    page.get_by_label("Outcome").select_option("UNGATED")
    expect(row).to_have_count(1)
    assert "outcome=UNGATED" in page.url
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Only models with").fill("nothing of that name")
    expect(page.get_by_role("heading", name="Nothing fits this filter")).to_be_visible()


def test_an_open_server_says_why_four_eyes_cannot_pass(browser: Browser, bank: ServerProcess) -> None:
    with watched(browser, bank.url) as open_path:
        page = open_path("/decisions")
        expect(page.get_by_role("note")).to_contain_text("everybody is local, one person")
        expect(page.get_by_role("note")).to_contain_text("lineward keys create --bootstrap")


# From a denial to an allow -----------------------------------------------------------------------------------------


def test_two_people_take_a_denial_to_an_allow_by_click(
    open_as: Callable[..., Page], house: House, tmp_path: Path, picture: Picture
) -> None:
    page = open_as("pipeline", f"/decisions?ask={house.version('7')}")
    expect(dialog(page).get_by_label("Version of loan-default")).to_be_visible()
    dialog(page).get_by_role("button", name="Review").click()
    expect(dialog(page)).to_contain_text("loan-default@7")
    dialog(page).get_by_role("button", name="Ask the gate").click()
    expect(dialog(page).get_by_role("heading", name="DENY: It may not go.")).to_be_visible()
    dialog(page).get_by_role("link", name="Open the decision").click()
    expect(page.locator(".verdict-head")).to_contain_text("DENY")
    stands = page.get_by_role("region", name="What stands against it")
    expect(stands.locator(".control")).to_have_count(3)
    expect(stands.get_by_label("What proves it").first).to_contain_text("raw.loan_applications")
    expect(page.get_by_role("region", name="If you ask now")).to_contain_text("still, for the same reasons")
    picture(page, "explorer-decision")

    # Whoever asked cannot approve: the server says so, and what to do.
    people(page).get_by_role("button", name="Approve", exact=True).click()
    dialog(page).get_by_role("button", name="Review").click()
    dialog(page).get_by_role("button", name="Approve", exact=True).click()
    expect(dialog(page).get_by_role("alert")).to_contain_text("may not approve")
    dialog(page).get_by_role("button", name="Close").click()

    sign_in(page, house, "rita", "pipeline")
    for name, statement in {
        "inventory": {"Owner ": "team:credit"},
        "approvedUse": {"Intended purpose": "Ranking of loan applications"},
        "classification": {"Risk tier": "high", "Jurisdictions": "EU\nUK"},
    }.items():
        people(page).get_by_role("button", name="Attest").click()
        dialog(page).get_by_label("Type of the statement").select_option(name)
        for label, value in statement.items():
            dialog(page).get_by_label(label).first.fill(value)
        assert "STANDING" in confirmed(page, "State this")
    expect(people(page)).to_contain_text("riskTier: high")

    page.get_by_role("button", name="Waive B-03").click()
    expect(dialog(page)).to_contain_text("at most 180 days")
    dialog(page).get_by_label("Why it cannot hold now").fill("the vendor is being asked")
    dialog(page).get_by_label("What is done instead").fill("checked by hand")
    until = dialog(page).get_by_label("Until (UTC)")
    until.fill(str(until.get_attribute("max")))
    dialog(page).get_by_label("raw.loan_applications").check()
    assert "PROPOSED" in confirmed(page, "Propose the waiver")
    people(page).get_by_role("button", name="Countersign the waiver of B-03").click()
    dialog(page).get_by_role("button", name="Review").click()
    dialog(page).get_by_role("button", name="Countersign").click()
    expect(dialog(page).get_by_role("alert")).to_contain_text("Let a second person countersign it")
    dialog(page).get_by_role("button", name="Close").click()

    people(page).get_by_role("button", name="Approve", exact=True).click()
    dialog(page).get_by_label("Conditions").fill("watched weekly")
    dialog(page).get_by_role("button", name="Review").click()
    for bound in (f"sha256:{'b2' * 32}", "closure digest", "production", "every use", "watched weekly", "no end"):
        expect(dialog(page)).to_contain_text(bound)
    expect(dialog(page)).to_contain_text(address("rita"))
    picture(page, "explorer-approve")
    dialog(page).get_by_role("button", name="Approve", exact=True).click()
    with page.expect_download() as downloaded:
        dialog(page).get_by_role("button", name="Receipt of entry").click()
    receipt = tmp_path / downloaded.value.suggested_filename
    downloaded.value.save_as(receipt)
    checked = lineward("verify", receipt)
    assert "Traceback" not in checked.stderr
    assert checked.returncode in (0, 3), checked.stderr
    dialog(page).get_by_role("button", name="Done").click()

    sign_in(page, house, "omar", "rita")
    people(page).get_by_role("button", name="Countersign the waiver of B-03").click()
    assert address("omar") in confirmed(page, "Countersign")
    people(page).get_by_role("button", name="Approve", exact=True).click()
    assert "STANDING" in confirmed(page, "Approve")

    sign_in(page, house, "pipeline", "omar")
    expect(page.get_by_role("region", name="If you ask now")).to_contain_text("ALLOW")
    page.get_by_role("button", name="Ask again").click()
    dialog(page).get_by_role("button", name="Review").click()
    dialog(page).get_by_role("button", name="Ask the gate").click()
    expect(dialog(page).get_by_role("heading", name="ALLOW: It may go.")).to_be_visible()
    dialog(page).get_by_role("link", name="Open the decision").click()
    expect(page.locator(".verdict-head")).to_contain_text("ALLOW")
    expect(page.locator(".verdict-head")).to_contain_text("Unchanged since it was signed")
    again = page.get_by_role("region", name="Computed again by the server")
    expect(again).to_contain_text("16 controls come out as recorded")
    _verifies_offline(page, house, tmp_path)
    house.serve("7")
    page.goto("/decisions")
    expect(page.locator(".timeline li").filter(has_text="GATED").first).to_contain_text("In time after its allow")
    picture(page, "explorer-decisions")


def _verifies_offline(page: Page, house: House, folder: Path) -> None:
    """What is downloaded is what the command line accepts."""
    key = house.server.data / PUBLIC
    for button in ("Bundle", "Attestation"):
        with page.expect_download() as downloaded:
            page.get_by_role("button", name=button, exact=True).click()
        file = folder / downloaded.value.suggested_filename
        downloaded.value.save_as(file)
        done = lineward("decision", "verify", file, "--key", key, "--env", "production", "--allowed")
        assert done.returncode == 0, done.stdout + done.stderr
        if button == "Bundle":
            assert lineward("decision", "replay", file).returncode == 0


def test_two_people_take_a_denial_to_an_allow_by_keyboard(
    open_as: Callable[..., Page], house: House, denied: str
) -> None:
    house.state_all()
    house.waive("6")
    page = open_as("pipeline", f"/decisions/{denied}")
    for who in ("rita", "omar"):
        page.evaluate("([name, key]) => sessionStorage.setItem(name, key)", [KEY, house.keys[who]])
        page.reload()
        expect(people(page).get_by_role("button", name="Approve", exact=True)).to_be_visible()
        _press(page, people(page).get_by_role("button", name="Approve", exact=True))
        _press(page, dialog(page).get_by_role("button", name="Review"))
        expect(dialog(page).get_by_role("heading", name="Exactly this is bound")).to_be_focused()
        _press(page, dialog(page).get_by_role("button", name="Approve", exact=True))
        expect(dialog(page).get_by_role("heading", name="STANDING: the approval is in the log")).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog(page)).to_have_count(0)
        expect(people(page).get_by_role("button", name="Approve", exact=True)).to_be_focused()
    page.evaluate("([name, key]) => sessionStorage.setItem(name, key)", [KEY, house.keys["pipeline"]])
    page.reload()
    _press(page, page.get_by_role("button", name="Ask again"))
    _press(page, dialog(page).get_by_role("button", name="Review"))
    _press(page, dialog(page).get_by_role("button", name="Ask the gate"))
    _press(page, dialog(page).get_by_role("link", name="Open the decision"))
    expect(page.locator(".verdict-head")).to_contain_text("ALLOW")


def _press(page: Page, wanted: Locator) -> None:
    """Walks to it with Tab, and presses Enter."""
    expect(wanted).to_be_visible()
    element = wanted.element_handle()
    for _ in range(200):
        if page.evaluate("element => document.activeElement === element", element):
            break
        page.keyboard.press("Tab")
    expect(wanted).to_be_focused()
    page.keyboard.press("Enter")


# What a file proves ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundle(house: House, denied: str) -> Json:
    asked = next(text for text in explorer_operations() if "query Decision(" in text)
    found: Json = json.loads(house.ask("ada", asked, id=denied)["decision"]["bundle"])
    return found


def _evidence(bundle: Json) -> None:
    bundle["decision"]["evidence"]["subject"]["riskTier"] = "minimal"


def _verdict(bundle: Json) -> None:
    bundle["decision"]["controls"][0]["verdict"] = "pass"


def _pack(bundle: Json) -> None:
    bundle["decision"]["packs"][0]["document"]["controls"] = []


def _state(bundle: Json) -> None:
    bundle["decision"]["state"] = "ALLOW"


def _payload(bundle: Json) -> None:
    said = b64decode(bundle["envelope"]["payload"]).replace(b'"FAILED"', b'"PASSED"')
    bundle["envelope"]["payload"] = b64encode(said).decode()


def _environment(bundle: Json) -> None:
    bundle["decision"]["environment"] = "staging"


def _unsigned(bundle: Json) -> None:
    del bundle["envelope"]


def _payload_type(bundle: Json) -> None:
    bundle["envelope"]["payloadType"] = "text/plain"


TAMPERED = [_evidence, _verdict, _pack, _state, _payload, _environment, _unsigned, _payload_type]


def _put(page: Page, content: str) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": "decision.json", "mimeType": "application/json", "buffer": content.encode()}
    )


def test_a_file_is_checked_as_the_command_line_checks_it(
    open_as: Callable[..., Page], house: House, bundle: Json, picture: Picture
) -> None:
    key = public_key((house.server.data / PUBLIC).read_text(), "the server")
    page = open_as("rita", "/decisions/file")
    seal = page.get_by_role("region", name="Checked in this browser").locator(".seal")
    _put(page, json.dumps(bundle))
    expect(seal).to_contain_text("Unchanged since it was signed")
    page.get_by_text("Check it with a key that I trust").click()
    page.get_by_label("Public key in PEM").fill((house.server.data / PUBLIC).read_text())
    page.get_by_role("button", name="Trust this key").click()
    expect(seal).to_contain_text("Genuine: signed by the key that you trust")
    for tamper in TAMPERED:
        changed: Json = json.loads(json.dumps(bundle))
        tamper(changed)
        failed = [check.name for check in verify(held(changed), key).failed]
        assert failed, tamper
        _put(page, json.dumps(changed))
        expect(seal).to_contain_text("Does not verify")
        shown = set(str(seal.inner_text()).partition(": ")[2].split(", "))
        assert shown & set(failed), (tamper, shown, failed)
        assert shown <= set(failed) | {"verdicts", "signed evidence digest"}, (tamper, shown, failed)
    picture(page, "explorer-tampered")
    twice = json.dumps(bundle).replace('"decision": {', '"decision": {"state": "ALLOW", ', 1)
    _put(page, twice)
    expect(seal).to_contain_text("Does not verify: file")
    page.get_by_role("button", name="Forget the key that I trust").click()


def test_what_a_server_changed_shows_on_its_own_page(browser: Browser, house: House, denied: str, bundle: Json) -> None:
    def lie(route: Route, request: Request) -> None:
        if "query Decision(" not in (request.post_data or ""):
            route.fallback()
            return
        answer = route.fetch()
        content = answer.json()
        told = json.loads(content["data"]["decision"]["bundle"])
        told["decision"]["reasons"] = ["All is well."]
        content["data"]["decision"]["bundle"] = json.dumps(told)
        route.fulfill(response=answer, json=content)

    with watched(browser, house.server.url) as open_path:
        page = open_path("/decisions/file", key=house.keys["rita"])
        page.route("**/graphql", lie)
        page.goto(f"/decisions/{denied}")
        expect(page.locator(".verdict-head .seal")).to_contain_text("Does not verify: decision")


# What holds everywhere ---------------------------------------------------------------------------------------------


def test_hostile_names_are_text_and_nothing_else(open_as: Callable[..., Page], house: House) -> None:
    decision = house.decide("1", environment=HOSTILE[1], name=HOSTILE_MODEL)
    page = open_as("rita", f"/decisions/{decision['id']}")
    expect(page.locator(".verdict-head")).to_contain_text("<script>document.title")
    expect(page.locator(".verdict-head")).to_contain_text("<img src=x")
    assert page.locator("main img, main script").count() == 0
    assert page.title() != "taken"
    assert "\u202e" not in page.locator("main").inner_text()
    people(page).get_by_role("button", name="Approve", exact=True).click()
    dialog(page).get_by_role("button", name="Review").click()
    expect(dialog(page)).to_contain_text("<img src=x")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto("/decisions")
    expect(page.locator(".timeline li").filter(has_text="<img src=x").first).to_be_visible()
    assert page.locator("main img, main script").count() == 0


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["wide light", "narrow dark"])
def test_axe_finds_nothing_serious(
    open_as: Callable[..., Page], denied: str, bundle: Json, width: int, dark: bool
) -> None:
    page = open_as("rita", "/decisions", width=width, dark=dark)
    expect(page.locator(".timeline li").first).to_be_visible()
    assert serious(page) == []
    page.goto(f"/decisions/{denied}")
    expect(page.get_by_role("region", name="Computed again by the server").locator(".seal")).to_be_visible()
    expect(people(page).get_by_role("button", name="Attest")).to_be_visible()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    people(page).get_by_role("button", name="Attest").click()
    dialog(page).get_by_label("Type of the statement").select_option("threshold")
    assert serious(page) == []
    page.goto("/decisions/file")
    _put(page, json.dumps(bundle))
    expect(page.locator(".seal").first).to_be_visible()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
