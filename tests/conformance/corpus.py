"""Corpora of events: our own fixtures always, and the collected ones of real producers where that folder exists."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from catalog.errors import InvalidEventError
from ingest.limits import Limits
from ingest.shape import check_event

_CHECKOUT = Path(__file__).resolve().parents[2]
OWN = _CHECKOUT / "tests" / "fixtures" / "events"
COLLECTED = _CHECKOUT.parent / "shared" / "events"
ORACLE = COLLECTED / "compat-oracle-dataplex" / "airflow" / "validation" / "links" / "links.json"
_NOT_EVENTS = {ORACLE.parents[2].parent.name}

Event = dict[str, Any]


@cache
def corpora() -> dict[str, tuple[Event, ...]]:
    """Events by corpus: ours as one (its producers share datasets), of the collected ones one for each folder."""
    found = {"own": tuple(_events(OWN))}
    if COLLECTED.is_dir():
        for folder in sorted(path for path in COLLECTED.iterdir() if path.is_dir() and path.name not in _NOT_EVENTS):
            found[folder.name] = tuple(_events(folder))
    return found


def airflow() -> tuple[Event, ...]:
    """The collected Airflow events; none where there is no such folder."""
    return tuple(_events(COLLECTED / "compat" / "airflow"))


def _events(folder: Path) -> Iterator[Event]:
    """What the door accepts of each file, in the order of the files' names."""
    for path in sorted(folder.rglob("*.json")):
        document = orjson.loads(path.read_bytes())
        yield from (event for event in (document if isinstance(document, list) else [document]) if _accepted(event))


def _accepted(document: object) -> bool:
    try:
        check_event(document, Limits())
    except InvalidEventError:
        return False
    return True
