"""`lineward policy`: what authors and pipelines see of packs."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from catalog.cli import app
from policies.examples import FOLDER, read_examples, try_examples
from policies.library import built_in
from policies.loading import load_pack
from policies.problem import MalformedError
from policies.verdict import Verdict
from tests.policies.packs import HEAD

CONTROL = """\
controls:
- id: C-1
  title: Licensed
  citation: {article: "1", uri: "https://example.org/rules#1"}
  plain: The model has one of the licences {licences}.
  severity: high
  assurance: automatic
  checks: [{id: licence, expression: subject.licence in params.licences, message: it has another}]
  remediation: Send one.
params: {licences: {type: list<string>, default: [MIT]}}
"""
EXAMPLE = """\
control: C-1
given: {subject: {licence: MIT}}
pass: {}
fail: {subject: {licence: GPL-3.0}}
unknown: {subject: {licence: null}}
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack with its examples."""
    file = tmp_path / "house.yaml"
    file.write_text(HEAD + CONTROL)
    (tmp_path / FOLDER / "house").mkdir(parents=True)
    (tmp_path / FOLDER / "house" / "C-1.yaml").write_text(EXAMPLE)
    return file


def example_of(pack: Path) -> Path:
    return pack.parent / FOLDER / "house" / "C-1.yaml"


def lineward(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["policy", *map(str, arguments)])


def test_a_good_pack(pack: Path) -> None:
    done = lineward("check", pack)
    assert done.exit_code == 0
    digest = load_pack(pack).digest
    assert done.stdout == f"ok    {pack}: PolicyPack house@1.0.0, 1 control, 3 examples as expected, {digest}\n"


def test_a_typo_has_its_line_and_column_and_code_2(pack: Path) -> None:
    pack.write_text(pack.read_text().replace("subject.licence", "subject.licens").replace("severity", "sevrity"))
    done = lineward("check", pack)
    assert done.exit_code == 2
    assert done.stdout.splitlines() == [
        f"{pack}:10:3: error: there is no key sevrity here. Did you mean severity?",
        f"{pack}:12:46: error: Subject has no field licens. Did you mean licence?",
    ]
    assert done.stderr.splitlines()[0] == "2 mistakes in 1 file of 1."


def test_an_expression_is_checked_where_the_rest_is_well_formed(pack: Path) -> None:
    pack.write_text(pack.read_text().replace("subject.licence", "subject.licens"))
    done = lineward("check", pack)
    assert done.exit_code == 2
    assert done.stdout == f"{pack}:12:46: error: Subject has no field licens. Did you mean licence?\n"


def test_an_example_that_comes_out_otherwise_is_code_1(pack: Path) -> None:
    example_of(pack).write_text(EXAMPLE.replace("pass: {}", "pass: {subject: {licence: Zlib}}"))
    done = lineward("check", pack)
    assert done.exit_code == 1
    assert done.stdout.startswith("fails C-1 pass: fail where pass is expected. it has another\n")
    assert done.stderr.splitlines()[0] == "1 example missing or other than expected."


def test_missing_examples_are_told(pack: Path) -> None:
    example_of(pack).write_text(EXAMPLE.replace("unknown: {subject: {licence: null}}\n", ""))
    done = lineward("check", pack)
    assert done.exit_code == 1
    assert "fails C-1 unknown: there is no example of it in" in done.stdout
    assert lineward("check", "--no-examples", pack).exit_code == 0


def test_files_that_are_not_there(pack: Path) -> None:
    done = lineward("check", pack, "base-ml-governnce")
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "there is neither a file nor a built-in pack base-ml-governnce.",
        "Did you mean base-ml-governance?",
    ]


def test_control_characters_in_a_file_do_not_reach_the_terminal(pack: Path) -> None:
    pack.write_text(pack.read_text().replace("severity: high", 'severity: "\\e[31mred"'))
    assert "\x1b" not in lineward("check", pack).stdout


def test_list_and_show_name_every_pack_and_control() -> None:
    listed = lineward("list").stdout
    for name, file in built_in().items():
        (row,) = [line for line in listed.splitlines() if line.startswith(name + " ")]
        assert f" {len(load_pack(file).controls)} " in row
    shown = lineward("show", "base-ml-governance").stdout
    for control in load_pack(built_in()["base-ml-governance"]).controls:
        assert f"\n{control.id}  {control.title}\n" in shown
    assert "  reads trainingDatasets.licence ← facet lineward_dataGovernance (licence)" in shown


def test_show_fills_in_what_the_params_say(pack: Path) -> None:
    shown = lineward("show", pack).stdout
    assert "  The model has one of the licences MIT.\n  1 · https://example.org/rules#1\n" in shown
    assert "  reads subject.licence ← facet lineward_model (licence)\n" in shown


def test_json_for_scripts(pack: Path) -> None:
    listed = json.loads(lineward("list", "--json").stdout)
    assert [each["name"] for each in listed] == list(built_in())
    shown = json.loads(lineward("show", "--json", pack).stdout)
    assert shown.pop("digest") == load_pack(pack).digest
    assert shown == load_pack(pack).normalised()


def test_no_name_shows_the_help() -> None:
    done = lineward()
    assert done.exit_code == 2
    assert {"check", "list", "show"} <= set(done.stdout.split())


# Examples ----------------------------------------------------------------------------------------------------------


def test_examples_are_laid_over_what_they_share(pack: Path) -> None:
    passing, failing, unknown = read_examples(example_of(pack))
    assert passing.document["subject"]["licence"] == "MIT"
    assert failing.document["subject"]["licence"] == "GPL-3.0"
    assert "licence" not in unknown.document["subject"]
    assert unknown.document["subject"]["kind"] == "MODEL_VERSION"
    assert (passing.environment, passing.requester) == ("production", "rita@example.org")


def test_a_case_may_set_time_and_params(pack: Path) -> None:
    example_of(pack).write_text(EXAMPLE + "remedied: {params: {licences: [GPL-3.0]}, subject: {licence: GPL-3.0}}\n")
    tried = try_examples(load_pack(pack), example_of(pack).parent)
    assert [each.result.verdict for each in tried.trials] == [Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS]
    assert tried.failures == ()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("- a", "this is no mapping"),
        ("control: [", "this is no YAML"),
        ("pass: {}", "control is missing"),
        ("control: C-1\nfails: {}", "there is no case fails"),
        ("control: C-1\npass: {subject: {licens: MIT}}", "pass: subject.licens: Extra inputs are not permitted"),
        ("control: C-1\npass: {evaluatedAt: June}", "pass: evaluatedAt: this is no RFC 3339 time"),
    ],
)
def test_what_is_no_example_is_refused(pack: Path, text: str, what: str) -> None:
    example_of(pack).write_text(text)
    with pytest.raises(MalformedError, match=what):
        list(read_examples(example_of(pack)))
    assert lineward("check", pack).exit_code == 2


def test_an_example_of_no_control_is_told(pack: Path) -> None:
    shutil.copy(example_of(pack), example_of(pack).with_name("C-2.yaml"))
    stray = example_of(pack).with_name("C-2.yaml")
    stray.write_text(stray.read_text().replace("C-1", "C-2"))
    assert try_examples(load_pack(pack), stray.parent).failures == ("C-2: the pack has no such control.",)
