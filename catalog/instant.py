"""Instants as µs since the epoch, and their one canonical text."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000


@lru_cache(maxsize=16_384)  # answers repeat the same instants
def text(micros: int) -> str:
    """RFC 3339 in UTC with microseconds."""
    return (EPOCH + timedelta(microseconds=micros)).isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def optional_text(micros: int | None) -> str | None:
    return None if micros is None else text(micros)


def of(moment: datetime) -> int:
    """µs of an aware datetime."""
    delta = moment - EPOCH
    return (delta.days * 86400 + delta.seconds) * SECOND + delta.microseconds
