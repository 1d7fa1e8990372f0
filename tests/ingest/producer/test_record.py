import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NoReturn

from hypothesis import given
from hypothesis import strategies as st

from ingest.producer import Deployment, Model
from ingest.producer.record import Prediction, entry_of, feature_digest, line_of, rfc3339, uuid7
from tests.ingest.producer.core_spec import validator

SCHEMA = validator("https://lineward.dev/spec/facets/1-0-0/PredictionRecord.json")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ANYTHING = JSON | st.dictionaries(st.integers() | st.text(), st.binary(), max_size=3) | st.builds(object)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
)


def refuse(word: str) -> NoReturn:
    raise AssertionError(f"{word} is no JSON")


def a_prediction(features: object, output: object, name: str = "n") -> Prediction:
    at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    return Prediction(
        request_id=str(uuid7(at)),
        time=at,
        deployment=Deployment(namespace="jobs", name=name, environment="production"),
        model=Model(namespace="mlflow://m", name=name, version="1"),
        features=features,
        output=output,
        decision=None,
        latency_ms=1.23456,
        window_id="w",
    )


@given(ANYTHING, ANYTHING, st.text())
def test_any_prediction_is_one_line_that_fits_the_schema(features: object, output: object, name: str) -> None:
    line = line_of(a_prediction(features, output, name))
    assert b"\n" not in line
    SCHEMA.validate(json.loads(line, parse_constant=refuse))


@given(JSON)
def test_an_entry_is_the_salt_followed_by_the_line_without_it(output: object) -> None:
    line = line_of(a_prediction({}, output))
    salt = json.loads(line)["salt"]
    record = line.replace(b'"salt":"' + salt.encode() + b'",', b"", 1)
    assert entry_of(line) == entry_of(line + b"\n") == sha256(bytes.fromhex(salt) + record).digest()


def test_equal_records_have_unequal_entries() -> None:
    prediction = a_prediction({"a": 1}, 0.5)
    assert entry_of(line_of(prediction)) != entry_of(line_of(prediction))


def test_the_order_of_features_does_not_matter() -> None:
    assert feature_digest({"a": 1, "b": 2}) == feature_digest({"b": 2, "a": 1})
    assert feature_digest({"a": 1, "b": 2}) != feature_digest({"a": 2, "b": 1})


@given(TIMES)
def test_a_request_id_holds_its_time(at: datetime) -> None:
    identifier = uuid7(at)
    assert identifier.version == 7
    assert identifier.variant == "specified in RFC 4122"
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=identifier.int >> 80) == at
    assert datetime.fromisoformat(rfc3339(at)) == at
