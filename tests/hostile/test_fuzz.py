"""Parsers of what strangers send: a value or a mistake with a remedy, whatever the bytes."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import GraphQLError, parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.authority.authenticator import Authenticator
from catalog.authority.issuers import Issuer
from catalog.authority.keys import PREFIX, key_id, new_key
from catalog.authority.pepper import Pepper
from catalog.authority.roll import Roll
from catalog.authority.tokens import BearerTokens
from catalog.errors import InvalidInputError, LinewardError, UnauthenticatedError
from catalog.log import token
from catalog_graphql.connection import Listing
from catalog_graphql.cost import list_sizes, measure
from catalog_graphql.media import is_json, preferred
from catalog_graphql.schema import schema
from ingest.document import load_document
from ingest.intake import Intake
from ingest.limits import Limits
from policies.loading import load_text
from policies.problem import MalformedError

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
STARTER = sorted((Path(__file__).parents[2] / "policies").rglob("*.yaml"))
SHORT = st.binary(max_size=300)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def mangled(texts: list[bytes]) -> st.SearchStrategy[bytes]:
    """One of these, with a stretch of it replaced: what a careless or hostile hand makes of something good."""

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        text = draw(st.sampled_from(texts))
        start = draw(st.integers(0, len(text)))
        stop = draw(st.integers(start, min(len(text), start + 40)))
        return text[:start] + draw(st.binary(max_size=20) | st.sampled_from(YAML_BITS)) + text[stop:]

    return made()


YAML_BITS = [
    b"?", b"{\xc3\x80", b"a: b\nc", b"- ? ",
    b"*a", b"&a [*a]", b"<<: *a", b"!!python/object/apply:os.system [id]", b"!!binary x", b"!!set {a}", b"%YAML 9.9\n",
    b"\t", b"---\n...\n", b"? [a, b]\n: c", b"{a: {b: {c: d}}}", b"0x7fffffffffffffffffffffff", b".nan", b"2026-13-45",
    b"- " * 30, b"[" * 200, b"1e999", b"\xed\xa0\x80", b"\\ud800", b"|2\n x", b"!<tag:yaml.org,2002:float> x", b": : :",
    b"!!int 0b_", b"!!timestamp x", b"12:30:45", b"0o9", b"{1: 2, true: 3, null: 4, 1.5: 6}",
]  # fmt: skip


# Packs -------------------------------------------------------------------------------------------------------------


def mistake(read: Callable[[bytes], object], content: bytes) -> LinewardError | None:
    """What is wrong with it, where something is."""
    try:
        read(content)
    except LinewardError as error:
        return error
    return None


def loads_or_says_why(content: bytes) -> None:
    found = mistake(lambda text: load_text(text, "fuzz.yaml"), content)

    assert found is None or (isinstance(found, InvalidInputError) and found.message)


@UNHURRIED
@given(SHORT)
def test_any_bytes_are_a_pack_or_a_mistake(content: bytes) -> None:
    loads_or_says_why(content)


@UNHURRIED
@given(
    st.lists(
        st.sampled_from([*"aAk:-[]{}&*!|>'\"#%@`?,. \n\t\r01~<=", *["apiVersion", "kind", "controls"]]), max_size=40
    ).map("".join)
)
def test_any_yaml_is_a_pack_or_a_mistake(content: str) -> None:
    loads_or_says_why(content.encode())


@UNHURRIED
@given(JSON_VALUES)
def test_any_values_are_a_pack_or_a_mistake(content: Any) -> None:
    loads_or_says_why(json.dumps(content).encode())


@UNHURRIED
@given(mangled([each.read_bytes()[:1_500] for each in STARTER]))
def test_a_mangled_pack_is_a_pack_or_a_mistake(content: bytes) -> None:
    loads_or_says_why(content)


@pytest.mark.parametrize("bit", YAML_BITS)
def test_what_yaml_is_known_for_is_a_mistake_at_most(bit: bytes) -> None:
    loads_or_says_why(bit)
    loads_or_says_why(b"apiVersion: " + bit + b"\nkind: PolicyPack\n")
    loads_or_says_why(b"kind: PolicyPack\nmetadata: " + bit)


def test_aliases_that_multiply_are_not_multiplied_out() -> None:
    """Nine lines of ten references each: a billion values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    with pytest.raises(MalformedError):
        load_text("\n".join(lines).encode(), "bomb.yaml")


@pytest.mark.parametrize("opening", [b"[", b"{a: ", b"- ", b"? "])
def test_no_depth_is_too_deep_to_be_refused(opening: bytes) -> None:
    with pytest.raises(MalformedError):
        load_text(opening * 5_000, "deep.yaml")


# Events ------------------------------------------------------------------------------------------------------------

EVENT = orjson.dumps(
    {
        "eventType": "COMPLETE",
        "eventTime": "2026-03-01T12:00:00Z",
        "producer": "https://example.com",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        "run": {"runId": "0195d0e2-7a3c-7000-8000-000000000001", "facets": {"nominalTime": {"a": 1}}},
        "job": {"namespace": "n", "name": "j", "facets": {}},
        "inputs": [{"namespace": "s3://lake", "name": "raw", "facets": {"schema": {"fields": [{"name": "a"}]}}}],
        "outputs": [],
    }
)


def reads_or_says_why(read: Callable[[bytes], object], content: bytes) -> None:
    found = mistake(read, content)

    assert found is None or (isinstance(found, InvalidInputError) and found.message and found.remedy)


@UNHURRIED
@given(SHORT | mangled([EVENT]) | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_document_or_a_mistake(content: bytes) -> None:
    reads_or_says_why(lambda text: load_document(text, Limits()), content)


@UNHURRIED
@given(SHORT | mangled([EVENT]) | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_event_or_a_mistake(content: bytes) -> None:
    reads_or_says_why(lambda text: Intake(Limits()).submission(text, "anybody", "http"), content)


# Who asks ----------------------------------------------------------------------------------------------------------

ISSUER = Issuer.model_validate(
    {
        "issuer": "https://issuer.example",
        "kind": "oidc",
        "audience": "lineward",
        "scopes": ["lineage:read"],
        "jwks": "https://issuer.example/keys",
    }
)


class EmptyLog:
    def size(self) -> int:
        return 0

    def acts(self, *_: object) -> list[Any]:
        return []


@pytest.fixture(scope="module")
def authenticators(tmp_path_factory: pytest.TempPathFactory) -> list[Authenticator]:
    """With and without an issuer; neither lets anybody in."""
    folder = tmp_path_factory.mktemp("authority")
    roll, pepper = Roll(EmptyLog()), Pepper(folder, "pepper" * 8)
    tokens = [BearerTokens(()), BearerTokens((ISSUER,))]
    return [Authenticator(roll, pepper, each, loopback=False) for each in tokens]


def encoded(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


HEADERS = (
    st.text(max_size=80)
    | st.text(max_size=80).map(lambda text: f"Bearer {text}")
    | st.text(max_size=60).map(lambda text: f"Bearer {PREFIX}{text}")
    | st.tuples(JSON_VALUES, JSON_VALUES, st.text(max_size=10)).map(
        lambda parts: f"Bearer {encoded(parts[0])}.{encoded(parts[1])}.{parts[2]}"
    )
    | st.fixed_dictionaries(
        {"alg": st.sampled_from(["none", "HS256", "RS256", "ES256", "", 7])},
        optional={"kid": JSON_VALUES, "jwk": JSON_VALUES, "jku": st.text(), "crit": JSON_VALUES, "b64": JSON_VALUES},
    ).map(lambda header: f"Bearer {encoded(header)}.{encoded({'iss': 'https://other.example', 'exp': 9e9})}.AA")
)


@UNHURRIED
@given(header=HEADERS)
def test_no_header_lets_a_stranger_in(authenticators: list[Authenticator], header: str) -> None:
    for authenticator in authenticators:
        with pytest.raises(UnauthenticatedError):
            authenticator.principal_of({"authorization": header})


@UNHURRIED
@given(st.text(max_size=120) | st.text(max_size=80).map(lambda text: PREFIX + text))
def test_a_key_is_one_that_was_made(text: str) -> None:
    assert key_id(text) is None


def test_a_made_key_is_one() -> None:
    text, *_ = new_key()
    assert key_id(text) or key_id(new_key()[1])


# Opaque texts that come back ---------------------------------------------------------------------------------------


@UNHURRIED
@given(st.text(max_size=80) | SHORT.map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_any_text_is_no_read_token(text: str) -> None:
    with pytest.raises(InvalidInputError):
        token.decode(text)


@UNHURRIED
@given(st.text(max_size=30), st.integers(0, 2**63 - 1), st.data())
def test_a_token_that_was_changed_is_none(origin: str, size: int, data: st.DataObject) -> None:
    made = token.encode(origin, size)
    place = data.draw(st.integers(0, len(made) - 1))
    other = data.draw(st.sampled_from("AZaz09-_"))
    changed = made[:place] + other + made[place + 1 :]

    assert token.decode(made) == (origin, size)
    if changed != made:
        with pytest.raises(InvalidInputError):
            token.decode(changed)


LISTING: Listing[str] = Listing("names", lambda name: (name,))


@UNHURRIED
@given(
    st.text(max_size=60)
    | SHORT.map(lambda raw: urlsafe_b64encode(raw).decode())
    | JSON_VALUES.map(lambda value: urlsafe_b64encode(json.dumps(value).encode()).decode())
    | st.lists(JSON_VALUES, max_size=3).map(
        lambda rest: urlsafe_b64encode(json.dumps(["names", *rest]).encode()).decode()
    )
)
def test_any_text_is_a_cursor_or_a_mistake(text: str) -> None:
    found = mistake(lambda _: LISTING.page(["a", "b"], 1, text), b"")

    assert found is None or (isinstance(found, InvalidInputError) and found.pointer == "/after")


# GraphQL -----------------------------------------------------------------------------------------------------------


@UNHURRIED
@given(
    st.lists(
        st.sampled_from([*'{}()[]:!$@=|&."#, \nab1-', *["query ", "fragment ", " on ", "...", "models(first: "]]),
        max_size=40,
    ).map("".join)
)
def test_any_document_that_parses_is_measured(text: str) -> None:
    try:
        document = parse(text, max_tokens=2_000)
    except GraphQLError:
        return
    found = measure(document, {}, list_sizes(schema()._schema))

    assert min(found.values, found.depth, found.fields, found.aliases, found.directives) >= 0


@UNHURRIED
@given(st.text(max_size=60) | st.lists(st.sampled_from(["application/json", ";q=", "1", ",", "*/*", " "])).map("".join))
def test_any_accept_header_gets_one_of_two_types(text: str) -> None:
    assert preferred(text) in ("application/json", "application/graphql-response+json")
    assert is_json(text) == (text.split(";")[0].strip().lower() == "application/json")
