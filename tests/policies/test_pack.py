"""Pack documents: what counts for their digest, what their fields take, and the published schemas."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.library import built_in
from policies.loading import load_pack, load_text, parse_document
from policies.pack import PolicyPack, filled
from policies.published import DOCUMENTS, FOLDER, schema_of, text_of
from tests.policies.packs import HEAD, control, pack_of

CONTROL = """\
controls:
- {id: C-1, title: t, citation: {article: 1}, plain: p, severity: high, assurance: automatic, remediation: r,
   checks: [{id: c, expression: subject.licence == 'MIT', message: m}]}
"""


def loaded(text: str) -> PolicyPack:
    (pack,) = load_text(text.encode(), "p.yaml").packs
    return pack


def test_digest_is_of_what_is_said_and_not_of_how_it_is_written() -> None:
    plain = loaded(HEAD + CONTROL)
    rewritten = loaded(
        "# a comment\n"
        + "\n".join(reversed(HEAD.splitlines()))
        + "\n"
        + CONTROL.replace("plain: p", "'plain': \"p\"").replace("severity: high", "waivable: true, severity: high")
    )
    assert re.fullmatch("sha256:[0-9a-f]{64}", plain.digest)
    assert rewritten.digest == plain.digest
    assert loaded(HEAD + CONTROL.replace("message: m", "message: n")).digest != plain.digest


def test_a_normalised_pack_is_the_same_pack() -> None:
    for file in built_in().values():
        pack = load_pack(file)
        again = parse_document(json.loads(json.dumps(pack.normalised())))
        assert again == pack
        assert again.digest == pack.digest


@settings(deadline=None)
@given(st.permutations(list(pack_of().normalised().items())))
def test_the_order_of_keys_does_not_count(pairs: list[tuple[str, Any]]) -> None:
    assert parse_document(dict(pairs)).digest == pack_of().digest


def test_scalars_are_what_their_field_says_and_never_guessed() -> None:
    pack = loaded(
        HEAD
        + """\
timeline: [{when: {annex: no}, appliesFrom: 2027-12-02}]
params:
  countries: {type: list<string>, default: [NO, on, 1.10], note: yes}
  days: {type: int, default: 7, min: 1}
  share: {type: float, default: 1}
  word: {type: string, default: 1.10}
  flag: {type: bool, default: true}
"""
        + CONTROL.replace("title: t", "title: off")
    )
    assert pack.params["countries"].default == ("NO", "on", "1.10")
    assert pack.params["countries"].note == "yes"
    assert pack.params["word"].default == "1.10"
    assert pack.params["flag"].default is True
    assert pack.timeline[0].when == {"annex": "no"}
    assert pack.timeline[0].applies_from.isoformat() == "2027-12-02"
    assert pack.controls[0].title == "off"
    assert pack.controls[0].citation.article == "1"


def test_values_are_defaults_and_what_a_binding_says() -> None:
    params = {
        "days": {"type": "int", "default": 7, "min": 1, "max": 30},
        "names": {"type": "list<string>", "default": []},
    }
    pack = pack_of(control(plain="within {days} of {names}"), params=params)
    assert pack.values() == {"days": 7, "names": []}
    assert pack.values({"days": 30, "names": ["a", "b"]}) == {"days": 30, "names": ["a", "b"]}
    assert filled(pack.controls[0].plain, pack.values({"names": ["a", "b"]})) == "within 7 of a, b"


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"days": 31}, "the param days of house@1.0.0 is wrong: this is outside of 1 to 30"),
        ({"days": "7"}, "the param days of house@1.0.0 is wrong: this is no int"),
        ({"days": True}, "the param days of house@1.0.0 is wrong: this is no int"),
        ({"dais": 7}, "the pack house@1.0.0 has no param dais"),
    ],
)
def test_a_param_that_does_not_fit_is_named(given_: dict[str, Any], said: str) -> None:
    params = {"days": {"type": "int", "default": 7, "min": 1, "max": 30}}
    with pytest.raises(ValueError, match=re.escape(said)):
        pack_of(control(plain="{days}"), params=params).values(given_)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_published_schemas_are_current(kind: str) -> None:
    assert (FOLDER / f"{kind}.json").read_text("utf-8") == text_of(kind), "run: python -m policies.published"


@pytest.mark.parametrize("file", built_in().values(), ids=lambda file: Path(file).stem)
def test_the_schema_takes_every_pack_of_ours(file: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(schema_of("PolicyPack"))
    jsonschema.validate(load_pack(file).normalised(), schema_of("PolicyPack"))


def test_the_schema_refuses_what_the_loader_refuses() -> None:
    document = pack_of().normalised()
    document["controls"][0]["sevirity"] = "high"
    assert not jsonschema.Draft202012Validator(schema_of("PolicyPack")).is_valid(document)
