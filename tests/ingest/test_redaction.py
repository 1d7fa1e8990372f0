"""No secret enters the log, and nothing else changes."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.document import load_document
from ingest.limits import Limits
from ingest.redaction import Redaction, redact
from ingest.secret import HIDDEN, hide_secrets


def redacted(document: Any, *allowed: str) -> Redaction:
    text = json.dumps(document, ensure_ascii=False).encode()
    return redact(text, load_document(text, Limits()), allowed)


def environment(*variables: dict[str, Any]) -> dict[str, Any]:
    return {"run": {"facets": {"environmentVariables": {"_producer": "p", "environmentVariables": list(variables)}}}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://u:hunter2@db:5432", "postgres://db:5432"),
        ("jdbc:postgresql://u:hunter2@h", "jdbc:postgresql://h"),
        (
            "jdbc:postgresql://h:5432/db?user=u&password=hunter2&ssl=true",
            f"jdbc:postgresql://h:5432/db?user=u&password={HIDDEN}&ssl=true",
        ),
        (
            "jdbc:sqlserver://h:1433;user=a@corp;password=hunter@2;db=x",
            f"jdbc:sqlserver://h:1433;user=a@corp;password={HIDDEN};db=x",
        ),
        ("jdbc:oracle:thin:scott/hunter2@//h:1521/s", "jdbc:oracle:thin:@//h:1521/s"),
        ("redis://:hunter2@h", "redis://h"),
        ("mongodb://u:hunter2@h1:1,h2:2/db", "mongodb://h1:1,h2:2/db"),
        ("amqp://u:hun@ter2@h/v", "amqp://h/v"),
        ("postgres://u:hun/ter2@h:5432/db", "postgres://h:5432/db"),
        ("postgres://u:hun;ter2@h:5432/db", "postgres://h:5432/db"),
        ("git+https://hunter2@github.com/org/repo.git", "git+https://github.com/org/repo.git"),
        ("https://hunter2@sentry.example/1", "https://sentry.example/1"),
        (
            "https://b.s3.example/x?X-Amz-Credential=hunter2%2Fus&X-Amz-Signature=hunter2&X-Amz-Security-Token=hunter2&n=1",
            f"https://b.s3.example/x?X-Amz-Credential={HIDDEN}&X-Amz-Signature={HIDDEN}&X-Amz-Security-Token={HIDDEN}&n=1",
        ),
        (
            "wasbs://c@a.blob.example/x?sv=2024&se=2026&sig=hunter2%3D",
            f"wasbs://c@a.blob.example/x?sv=2024&se=2026&sig={HIDDEN}",
        ),
        ("gs://b/x?GoogleAccessId=hunter2&Signature=hunter2", f"gs://b/x?GoogleAccessId={HIDDEN}&Signature={HIDDEN}"),
        ("https://h/cb#access_token=hunter2&state=1", f"https://h/cb#access_token={HIDDEN}&state=1"),
        ("host=h user=u password=hunter2 dbname=d", f"host=h user=u password={HIDDEN} dbname=d"),
        ("password='hunter 2' user=u", f"password='{HIDDEN}' user=u"),
        ("AccountName=a;AccountKey=hunter2==;Suffix=x", f"AccountName=a;AccountKey={HIDDEN};Suffix=x"),
        ("Driver=x;PWD={hunter;2};Server=h", f"Driver=x;PWD={{{HIDDEN}}};Server=h"),
        ("see postgres://u:hunter2@a and\npostgres://u:hunter2@b.", "see postgres://a and\npostgres://b."),
    ],
)
def test_secrets_in_uris_and_connection_strings(text: str, expected: str) -> None:
    assert hide_secrets(text) == expected
    assert hide_secrets(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("abfss://container@account.dfs.example/path", "ssh://git@github.com/org/repo", "git@github.com:org/repo"),
        *("kafka://b1:9092,b2:9092", "postgres://h:5432/a@b", "https://medium.example/@user", "hdfs://nn:8020/x@y"),
        *(
            "mlflow://fraud@champion",
            "model@3",
            "a://[::1]:5432/x@y",
            "file:///C:/data/a@b.csv",
            "jdbc:oracle:thin:@h:1521:s",
        ),
        *("select a from t where token=1 and key=@p", "https://h/x?page=2&sort=key", "s3://b/k?versionId=1&password="),
    ],
)
def test_names_that_only_look_like_secrets_stay(text: str) -> None:
    assert hide_secrets(text) == text


def test_without_secrets_the_bytes_stay_as_they_came() -> None:
    text = b'{ "b": 1.0,\n "a": "\\u00e9 x=1 @ \xc3\xa9" }'

    assert redact(text, load_document(text, Limits()), ()) == Redaction(text, ())


def test_pointers_name_what_changed_and_nothing_else_does() -> None:
    result = redacted(
        {
            "job": {"namespace": "postgres://u:hunter2@h", "name": "a@b"},
            "inputs": [{"namespace": "n", "name": "x"}, {"namespace": "n", "name": "https://h/x?sig=hunter2"}],
            "n": [1, 2.5, None, True, "=@"],
        }
    )

    assert orjson.loads(result.body) == {
        "job": {"namespace": "postgres://h", "name": "a@b"},
        "inputs": [{"namespace": "n", "name": "x"}, {"namespace": "n", "name": f"https://h/x?sig={HIDDEN}"}],
        "n": [1, 2.5, None, True, "=@"],
    }
    assert result.pointers == ("/job/namespace", "/inputs/1/name")


def test_keys_are_cleaned_and_never_merged_and_pointers_do_not_tell() -> None:
    result = redacted({"m": {"pg://u:hunter2@h": "pg://u:hunter2@x", "pg://v:hunter2@h": 2, "pg://h": 3}})

    assert orjson.loads(result.body) == {"m": {"pg://h (2)": "pg://x", "pg://h (3)": 2, "pg://h": 3}}
    assert result.pointers == ("/m/pg:~1~1h (2)", "/m/pg:~1~1h (2)", "/m/pg:~1~1h (3)")


def test_environment_values_are_hidden_unless_allowed() -> None:
    event = environment(
        {"name": "HOME", "value": "/root"},
        {"name": "DB", "value": "hunter2"},
        {"name": "PIN", "value": 1234, "note": "hunter2"},
        {"value": "hunter2"},
    )

    result = redacted(event, "HOME")

    assert orjson.loads(result.body) == environment(
        {"name": "HOME", "value": "/root"},
        {"name": "DB", "value": HIDDEN},
        {"name": "PIN", "value": HIDDEN, "note": HIDDEN},
        {"value": HIDDEN},
    )
    facet = "/run/facets/environmentVariables/environmentVariables"
    assert result.pointers == (f"{facet}/1/value", f"{facet}/2/value", f"{facet}/2/note", f"{facet}/3/value")


def test_an_allowed_variable_may_still_not_hold_a_credential() -> None:
    assert b"hunter2" not in redacted(environment({"name": "DB", "value": "pg://u:hunter2@h"}), "DB").body


@pytest.mark.parametrize(
    "value", ["hunter2", {"DB": "hunter2"}, {"DB": ["hunter2"]}, [["DB", "hunter2"]], ["DB=hunter2"]]
)
def test_environments_of_any_form_are_hidden(value: Any) -> None:
    assert b"hunter2" not in redacted({"environmentVariables": value}).body


def test_escapes_hide_nothing() -> None:
    text = rb'{"a": "pg:\/\/u\u003ahunter2\u0040h", "\u0065nvironmentVariables": {"DB": "hunter2"}}'

    assert b"hunter2" not in redact(text, load_document(text, Limits()), ()).body


PIECES = st.sampled_from(
    [
        *"@:/?#;&= \"'{}.1a\n",
        "//",
        "://",
        "http://",
        "password=",
        "&sig=",
        ";pwd=",
        "?token=",
        "jdbc:oracle:thin:",
        HIDDEN,
    ]
)
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0")
)
VALUES = st.recursive(
    TEXTS | st.integers(-9, 9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXTS | st.sampled_from(["environmentVariables", "name", "value"]), inner, max_size=3)
    ),
)


@given(TEXTS)
def test_hiding_again_changes_nothing(text: str) -> None:
    assert hide_secrets(hide_secrets(text)) == hide_secrets(text)


@given(VALUES)
def test_redacting_again_changes_nothing(document: Any) -> None:
    text = orjson.dumps(document)
    first = redact(text, load_document(text, Limits()), ("a",))

    assert redact(first.body, load_document(first.body, Limits()), ("a",)) == Redaction(first.body, ())


WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)


@given(WORD, st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ:@%!$*+-_.~()", min_size=1, max_size=30), WORD, TEXTS)
def test_a_password_in_a_uri_is_never_kept(scheme: str, password: str, host: str, before: str) -> None:
    secret = f"QQQ{password}QQQ"
    hidden = hide_secrets(f"{before} s{scheme}://user:{secret}@{host}/path")

    assert secret not in hidden


@pytest.mark.parametrize(
    "unit", ["://a:b/@", "//x@", "&a=", "password=", "jdbc:oracle:thin:a/", "//a:", "//a:b", 'pwd="', "pwd={"]
)
def test_hostile_text_is_read_in_one_go(unit: str) -> None:
    text = "http:" + unit * 50_000 + "@"

    assert hide_secrets(hide_secrets(text)) == hide_secrets(text)
