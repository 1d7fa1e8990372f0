"""`lineward attest`: statements typed by their own models, and the documents behind them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from catalog.commands.statement_values import given, properties_of
from catalog.errors import InvalidInputError
from policies.statements import STATEMENTS
from tests.catalog.commands.company import Company, id_in
from tests.catalog.commands.conftest import Lineward


def attest(company: Company, *options: str | Path, **more: Any) -> Any:
    return company.run("carl", "attest", "risk@1", *options, **more)


# The command -------------------------------------------------------------------------------------------------------


def test_a_statement_is_made_and_withdrawn(company: Company) -> None:
    done = attest(
        company, "--type", "classification", "--set", "riskTier=high", "--set", "gpai=false", "--expires", "1w"
    )
    assert done.exit_code == 0, done.stderr
    assert "gpai" in done.stderr
    statement = id_in(done.stdout)
    assert done.stdout.startswith(f"STANDING  attestation {statement} by carl@example.org, until ")
    ended = json.loads(company.does("carl", "attest", "--revoke", statement, "--reason", "a mistake", "--json"))
    assert ended["state"] == "REVOKED"


@pytest.mark.parametrize("way", ["file", "standard input", "braces"])
def test_a_statement_comes_from_wherever_it_is(company: Company, way: str) -> None:
    text = '{"metric": "auc", "minimum": 0.7}'
    options: dict[str, list[Any]] = {
        "file": [company.written("s.json", text)],
        "standard input": ["-"],
        "braces": [text],
    }
    done = attest(company, "--type", "threshold", "--statement", *options[way], "--expires", "1w", input=text)
    assert done.exit_code == 0, done.stderr
    assert "0.7" in done.stderr


def test_the_digest_of_a_document_is_bound(company: Company) -> None:
    document = company.written("dpia.pdf", "assessed")
    done = attest(company, "--type", "dpia", "--document", document, "--document-uri", "https://x/d", "--expires", "1w")
    assert done.exit_code == 0, done.stderr
    assert f"sha256:{hashlib.sha256(b'assessed').hexdigest()}" in done.stderr


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--type", "dpia"], "--expires is missing"),
        (["--expires", "1w"], "--type is missing"),
        (["--type", "No Type", "--expires", "1w"], "is no type of statement"),
        (["--type", "dpia", "--set", "summary", "--expires", "1w"], "sets nothing"),
        (["--type", "dpia", "--set", "sumary=x", "--expires", "1w"], "no such property"),
        (["--type", "dpia", "--set", "summary=x", "--set", "summary=y", "--expires", "1w"], "given 2 times"),
        (["--type", "classification", "--set", "gpai=perhaps", "--expires", "1w"], "no true or false"),
        (["--type", "threshold", "--set", "metric=auc", "--expires", "1w"], "give a minimum"),
        (["--type", "dpia", "--statement", "nowhere.json", "--expires", "1w"], "nowhere.json cannot be read"),
        (["--type", "dpia", "--statement", '{"a": 1, "a": 2}', "--expires", "1w"], "--statement is no JSON"),
        (["--type", "dpia", "--document", "nowhere.pdf", "--expires", "1w"], "nowhere.pdf cannot be read"),
        (["--type", "rowOverlap", "--set", "rows=0", "--expires", "1w"], "is not about a"),
        (["--type", "dpia", "--expires", "2020-01-01"], "is not in the future"),
    ],
    ids=str,
)
def test_a_mistake_is_told(company: Company, options: list[str], what: str) -> None:
    done = attest(company, *options)
    assert (done.exit_code, done.stdout) == (2, "")
    assert what in done.stderr


def test_the_types_are_listed_with_their_properties(lineward: Lineward) -> None:
    listed = json.loads(lineward("attest", "--types", "--json").stdout)
    assert {each["type"] for each in listed} == set(STATEMENTS)
    (threshold,) = [each for each in listed if each["type"] == "threshold"]
    assert "metric*: text" in threshold["properties"]
    assert "minimum: number" in threshold["properties"]
    shown = lineward("attest", "--types").stdout
    assert all(name in shown for name in STATEMENTS)


# Values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "settings", "payload"),
    [
        ("threshold", ["metric=auc", "minimum=0.7"], {"metric": "auc", "minimum": 0.7}),
        ("threshold", ["metric=1", "maximum=1"], {"metric": "1", "maximum": 1}),
        ("validation", ["outcome=approved", "findingsOpen=2"], {"outcome": "approved", "findingsOpen": 2}),
        ("classification", ["sectors=credit"], {"sectors": ["credit"]}),
        ("classification", ["sectors=a", "sectors=b"], {"sectors": ["a", "b"]}),
        ("classification", ['sectors=["a", "b"]'], {"sectors": ["a", "b"]}),
        ("classification", ["riskTier=true", "generative=true"], {"riskTier": "true", "generative": True}),
        (
            "dataset",
            ["population.geo=DE", "labelling.by=us"],
            {"population": {"geo": ["DE"]}, "labelling": {"by": "us"}},
        ),
        ("registration", ["register=EU", "number=7"], {"register": "EU", "number": "7"}),
        ("field", ["path=licence", "value=MIT"], {"path": "licence", "value": "MIT"}),
        ("field", ["path=owner", "value=2"], {"path": "owner", "value": "2"}),
        ("field", ["path=consumerReport", "value=true"], {"path": "consumerReport", "value": True}),
        ("dpia", ["summary=a=b"], {"summary": "a=b"}),
    ],
)
def test_values_have_the_type_of_their_property(kind: str, settings: list[str], payload: dict[str, Any]) -> None:
    assert given(STATEMENTS[kind], settings, None) == payload


@given_any(st.text(min_size=1))
def test_text_stays_as_it_was_written(text: str) -> None:
    assert given(STATEMENTS["dpia"], [f"summary={text}"], None) == {"summary": text}


def test_what_is_set_goes_before_the_statement() -> None:
    assert given(STATEMENTS["dpia"], ["summary=b"], '{"summary": "a"}') == {"summary": "b"}


@pytest.mark.parametrize("kind", STATEMENTS.values(), ids=lambda kind: kind.name)
def test_every_property_of_every_type_can_be_named(kind: Any) -> None:
    for each in properties_of(kind).split(", "):
        name = each.partition(":")[0].rstrip("*")
        try:
            assert given(kind, [f"{name}=true"], None)
        except InvalidInputError as error:
            raise AssertionError(name) from error
