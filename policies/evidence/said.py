"""Values as producers write them, taken only in the form that their schema gives them."""

import re
from collections.abc import Mapping
from typing import Any

from catalog import rfc3339

_DIGEST = re.compile(r"[a-z0-9]+:[0-9a-f]{32,}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def digest_in(value: Any) -> str | None:
    """algorithm:hex in lower case; None for what is no digest. A commit or a bare hash is none."""
    if not isinstance(value, str):
        return None
    digest = value.lower()
    return digest if _DIGEST.fullmatch(digest) else None


def moment_in(value: Any) -> str | None:
    """RFC 3339 in UTC; a day is its first instant."""
    if not isinstance(value, str):
        return None
    try:
        return rfc3339.canonical(f"{value}T00:00:00Z" if _DAY.fullmatch(value) else value)
    except ValueError:
        return None


def text_in(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def texts_in(value: Any) -> list[str] | None:
    """A list of texts; None where any of it is something else."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return None
    return list(value)


def part_in(body: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; None where there is none."""
    found: Any = body
    for name in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found
