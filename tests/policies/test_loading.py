"""What is wrong with a file is told with its line and column and what to do; all of it at once."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import InvalidInputError, NotFoundError
from policies.loading import load, load_pack, load_text, parse_document
from policies.problem import Located, MalformedError
from tests.policies.packs import HEAD, control, pack_of

CONTROL = """\
controls:
- id: C-1
  title: Licensed
  citation: {article: Art. 1}
  plain: The model has a licence.
  severity: high
  assurance: automatic
  checks:
  - id: licence
    expression: subject.licence == 'MIT'
    message: it is not MIT
  remediation: Send one.
"""
GOOD = HEAD + CONTROL


def problems(text: str | bytes) -> list[Located]:
    with pytest.raises(MalformedError) as raised:
        load_text(text.encode() if isinstance(text, str) else text, "p.yaml")
    return list(raised.value.problems)


def placed(text: str, mark: str) -> tuple[int, int]:
    """Line and column of a mark in a text."""
    before = text[: text.index(mark)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def test_a_good_file_loads_without_warnings() -> None:
    loaded = load_text(GOOD.encode(), "p.yaml")
    assert loaded.warnings == ()
    assert [each.label for each in loaded.packs] == ["house@1.0.0"]


@pytest.mark.parametrize(
    ("written", "instead", "mark", "what", "fix"),
    [
        ("severity: high", "sevrity: high", "sevrity", "there is no key sevrity here", "Did you mean severity?"),
        ("severity: high", "severity: hihg", "hihg", "hihg is none of 'critical', 'high'", "Did you mean high?"),
        ("title: Licensed", "title: [a]", "title", "title must be text", "Write one text"),
        (
            "remediation: Send one.",
            "waivable: no\n  remediation: r",
            "no\n",
            "waivable: this must be true or false",
            "Write true",
        ),
        ("citation: {article: Art. 1}", "citation: Art", "Art", "citation must be a mapping", "Its keys: article, uri"),
        (
            "  - id: licence\n",
            "  - id: licence\n    id: other\n",
            "id: other",
            "the key id is here twice",
            "Keep one; ",
        ),
        (
            "plain: The",
            "plain:\n  effective: {from: 2026-02-30}\n  x: The",
            "plain:",
            "plain has no value",
            "Write one",
        ),
        ("title: L", "title: &x L", "&x", "anchors and aliases are not allowed here", "Write the value out"),
        ("title: L", "title: !!python/name:os.system L", "!!py", "the tag tag:yaml.org,2002:python", "Remove it."),
        ("licence == 'MIT'", "licnce == 'MIT'", "licnce", "Subject has no field licnce", "Did you mean licence?"),
        ("'MIT'", "params.kind", "kind\n", "Params has no field kind", "The pack declares no parameters."),
        ("has a licence.", "is {kind}.", "The model", "{kind} is no param of this pack", "Declare it under params"),
        (
            "severity:",
            "inputs: {blockedBy: [UNRESOLVD]}\n  severity:",
            "UNRES",
            "UNRESOLVD is no kind of gap",
            "Did you me",
        ),
        (
            "severity:",
            "effective: {from: 2026-02-30}\n  severity:",
            "2026",
            "from: this is no day",
            "Write 2027-12-02.",
        ),
        (
            "severity:",
            "effective: {from: 2026-03-01, to: 2026-03-01}\n  severity:",
            "2026-03-01}",
            "it ends before",
            "`to`",
        ),
        ("version: 1.0.0", "version: 1.0", "1.0,", "1.0 does not fit here", "Write a version MAJOR.MINOR.PATCH"),
        (
            "status: reviewed, reviewedBy: [{name: Lea}]",
            "status: reviewed",
            "reviewed}",
            "a reviewed pack names",
            "Add",
        ),
        (
            "kind: PolicyPack",
            "kind: PolicyPak",
            "PolicyPak",
            "there is no kind of document PolicyPak",
            "Write kind: Pol",
        ),
        (
            "severity:",
            "awaits: approvals\n  severity:",
            "approvals",
            "it awaits approvals and reads none",
            "Check approv",
        ),
    ],
)
def test_a_mistake_has_its_place_and_its_fix(written: str, instead: str, mark: str, what: str, fix: str) -> None:
    assert GOOD.count(written) == 1 or written in ("title: L", "severity:")
    text = GOOD.replace(written, instead, 1)
    found = problems(text)
    told = [each for each in found if each.what.startswith(what)]
    assert told, found
    assert (told[0].line, told[0].column) == placed(text, mark)
    assert told[0].fix.startswith(fix)


def test_all_mistakes_of_a_file_come_at_once_in_the_order_of_its_lines() -> None:
    second = CONTROL.removeprefix("controls:\n").replace("subject.licence", "subject.licens")
    text = GOOD.replace("severity: high", "severity: hihg") + second
    text = text.replace("binding: internal", "binding: custom")
    found = problems(text)
    assert [each.line for each in found] == sorted(each.line for each in found)
    assert [each.what.split(" is none")[0] for each in found if "none" in each.what] == ["custom", "hihg"]
    assert any(each.what == "Subject has no field licens" for each in found)


def test_two_controls_of_one_id_are_refused() -> None:
    (found,) = problems(GOOD + CONTROL.removeprefix("controls:\n"))
    assert found.what == "there is another control C-1"
    assert found.line == 17


STYLES = {
    "plain": "    expression: subject.state == 'a' && QQQ == 1\n",
    "plain over lines": "    expression: subject.state == 'a' &&\n        QQQ == 1\n",
    "single": "    expression: 'subject.state == ''a'' && QQQ == 1'\n",
    "double": '    expression: "subject.state == \\"a\\" \\u0026& QQQ == 1"\n',
    "double over lines": "    expression: \"subject.state == 'a' && \\\n        QQQ == 1\"\n",
    "literal": "    expression: |\n      subject.state == 'a' &&\n        QQQ == 1\n",
    "folded": "    expression: >-\n      subject.state == 'a' &&\n      QQQ == 1\n",
    "folded, more indented": "    expression: >\n      subject.state == 'a' &&\n\n        QQQ\n          == 1\n",
    "indented by number": "    expression: |2-\n      subject.state == 'a' && QQQ == 1\n",
}


@pytest.mark.parametrize("style", STYLES)
def test_a_mistake_in_an_expression_is_found_in_every_style_of_yaml(style: str) -> None:
    text = GOOD.replace("    expression: subject.licence == 'MIT'\n", STYLES[style])
    found = next(each for each in problems(text) if "QQQ" in each.what)
    assert (found.line, found.column) == placed(text, "QQQ")


def test_a_mistake_in_a_message_that_is_an_expression_is_found() -> None:
    text = GOOD.replace("message: it is not MIT", """message: "='not ' + QQQ\"""")
    found = next(each for each in problems(text) if "QQQ" in each.what)
    assert (found.line, found.column) == placed(text, "QQQ")


@settings(deadline=None)
@given(
    before=st.lists(st.sampled_from(["subject.state == 'ä'", "size(approvals) > 1", "'it''s' != \"\""]), max_size=3),
    style=st.sampled_from(["", "'", '"', "|", ">"]),
    width=st.integers(20, 60),
)
def test_any_dump_of_an_expression_keeps_the_place(before: list[str], style: str, width: int) -> None:
    expression = " && ".join([*(each.replace("''", "`") for each in before), "QQQ == 1"])
    dumped = yaml.dump(
        {"expression": expression},
        default_style=style or None,
        width=width,
        allow_unicode=True,
        default_flow_style=False,
    )
    shown = "".join(f"    {line}\n" for line in dumped.splitlines())
    if style:
        shown = shown.replace(
            shown.split("expression", 1)[0] + "expression" + shown.split("expression", 1)[1][:1], "    expression", 1
        )
    text = GOOD.replace("    expression: subject.licence == 'MIT'\n", shown)
    found = next(each for each in problems(text) if "QQQ" in each.what)
    assert (found.line, found.column) == placed(text, "QQQ")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "there is no document in this file"),
        (b"# nothing\n", "there is no document in this file"),
        (b"- a\n", "this is no mapping of keys and values"),
        (b"a: [1, 2\n", "this is no YAML"),
        (b"a: \x01\n", "this is no YAML"),
        (b"\xff\xfe\n", "this is not UTF-8"),
        (b"a: " + b"[" * 2000 + b"\n", "this is no YAML"),
        (b"x" * (1 << 20) + b"x", "this file is larger than 1 MiB"),
        (b"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "anchors and aliases are not allowed here"),
        (b"? [a]\n: b\n", "a key must be a word"),
        (b"kind: PolicyPack\ncontrols:\n-\n", "this element of the list is empty"),
    ],
)
def test_what_is_no_document_is_refused(content: bytes, what: str) -> None:
    assert problems(content)[0].what.startswith(what)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_do_anything_worse_than_be_refused(content: bytes) -> None:
    with pytest.raises(MalformedError):
        load_text(content, "p.yaml")


def test_several_documents_in_a_file() -> None:
    binding = """\
---
apiVersion: lineward.dev/v1
kind: PolicyBinding
metadata: {name: retail}
environments: [production]
packs: [{name: house}]
"""
    loaded = load_text((GOOD + binding).encode(), "p.yaml")
    assert [type(each).__name__ for each in loaded.documents] == ["PolicyPack", "PolicyBinding"]
    (found,) = problems(GOOD + binding.replace("packs:", "pack:").replace("packs", "pack") + "packs: []\n")[:1]
    assert found.what == "there is no key pack here"


def test_warnings_do_not_refuse_a_file() -> None:
    text = GOOD.replace("severity:", "inputs: {columns: true, upstream: {}}\n  severity:", 1)
    text = text.replace("controls:", "params: {spare: {type: int, default: 1}}\ncontrols:", 1)
    told = [str(each) for each in load_text(text.encode(), "p.yaml").warnings]
    assert told == [
        "p.yaml:5:10: warning: no control uses the param spare. Use it, or remove it.",
        "p.yaml:11:12: warning: it asks for columns and reads none. Remove columns.",
        "p.yaml:11:27: warning: it asks for what is upstream and reads nothing of it. Remove upstream.",
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        load(tmp_path)
    file = tmp_path / "two.yaml"
    file.write_text(GOOD + "---\n" + GOOD)
    with pytest.raises(InvalidInputError, match="holds 2 packs"):
        load_pack(file)


def test_json_is_told_by_pointer() -> None:
    document = pack_of().normalised()
    document["controls"][0]["checks"][0]["expression"] = "subject.licens == ''"
    with pytest.raises(
        InvalidInputError, match=re.escape("/controls/0/checks/0/expression: Subject has no field")
    ) as raised:
        parse_document(document)
    assert raised.value.pointer == "/controls/0/checks/0/expression"
    assert raised.value.remedy == "Did you mean licence?"


def test_json_numbers_are_not_taken_from_text() -> None:
    document = pack_of(control(inputs={"upstream": {"depth": 3}}, plain="p")).normalised()
    document["controls"][0]["inputs"]["upstream"]["depth"] = "3"
    with pytest.raises(InvalidInputError, match="must be a whole number"):
        parse_document(document)
