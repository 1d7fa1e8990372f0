"""What never stands in a line of the structured log, wherever it came from: keys, tokens, credentials of URIs.

Errors of libraries repeat what they were given, and an operator sends these lines to systems that more people read
than may read the secrets.
"""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from ingest.secret import HIDDEN, hide_secrets

_API_KEY = re.compile(r"\b(lw_[0-9a-f]{12})_[0-9a-f]{16,}")
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE | re.ASCII)
_TOKEN = re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?", re.ASCII)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_DEEPEST = 6


def concealed(text: str) -> str:
    """The text without secrets; the id of an API key stays, which tells whose it was."""
    text = _PEM.sub(HIDDEN, text)
    text = _API_KEY.sub(rf"\1_{HIDDEN}", text)
    text = _TOKEN.sub(HIDDEN, _BEARER.sub(rf"\1 {HIDDEN}", text))
    return "\n".join(map(hide_secrets, text.split("\n")))


def conceal(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The processor that does this to every value of an event; the last one before it is rendered."""
    for name, value in event.items():
        if not name.startswith("_"):  # what structlog hands on to itself
            event[name] = _plain(value, _DEEPEST)
    return event


def _plain(value: Any, depth: int) -> Any:
    """A value that JSON has a form for, without secrets. Anything else is told as its text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth and isinstance(value, Mapping):
        return {concealed(str(key)): _plain(each, depth - 1) for key, each in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [_plain(each, depth - 1) for each in value]
    return concealed(str(value))
