"""Times with a zone and integers that every JSON parser reads exactly."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import instant
from catalog.errors import InvalidInputError
from catalog.rfc3339 import canonical, parse
from catalog_graphql.scalars import SCALARS, DateTime, Long

read_time: Callable[[object], object] = SCALARS[DateTime].parse_value or repr
read_long: Callable[[object], object] = SCALARS[Long].parse_value or repr

zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1000, 1, 3), datetime(9999, 12, 29), timezones=zones)


@given(moments)
def test_every_spelling_of_an_instant_is_read_as_the_same_text(moment: datetime) -> None:
    assert read_time(moment.isoformat()) == instant.text(instant.of(moment))
    assert parse(moment.astimezone(UTC).isoformat().replace("+00:00", "z")) == instant.of(moment)


def test_finer_digits_are_cut_off() -> None:
    assert canonical("2026-03-01T00:00:00.123456789Z") == "2026-03-01T00:00:00.123456Z"


@pytest.mark.parametrize("text", ["2026-03-01T09:30:00", "2026-03-01 09:30:00.5"])
def test_a_time_without_zone_says_what_to_add(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_time(text)

    assert f"{text}Z" in refused.value.remedy


@pytest.mark.parametrize(
    "value",
    [
        "",
        "now",
        "2026-03-01",
        "20260301T093000Z",
        "2026-13-01T00:00:00Z",
        "2026-03-01T25:00:00Z",
        "2026-W10-7",
        5,
        None,
    ],
)
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(InvalidInputError):
        read_time(value)


@given(st.integers(-(2**53), 2**53))
def test_a_long_is_exact(value: int) -> None:
    assert read_long(value) == value


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, "5", 1.0, True, None])
def test_what_is_no_long_is_refused(value: object) -> None:
    with pytest.raises(InvalidInputError):
        read_long(value)
