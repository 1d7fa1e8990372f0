"""Corpora of events: our own fixtures always, and the collected ones of real producers where that folder exists."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import orjson

from catalog.act import interpret_act
from catalog.errors import InvalidEventError
from catalog.identity import named_version_id, run_id, run_version_id
from catalog.instant import text
from catalog.log.entry import Entry, EntryType
from ingest.limits import Limits
from ingest.openlineage import Interpretation
from ingest.shape import check_event
from tests.ingest.events import act_entry, entries_of, interpret_entry

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


ACTS = {
    EntryType.APPROVAL: "approve",
    EntryType.WAIVER: "waive",
    EntryType.ATTESTATION: "attest",
    EntryType.DECISION: "decide",
}
SENDERS = ("local", "key-1", "key-2")
_BETWEEN = 3  # events from one act to the next


def with_acts(events: Sequence[Event]) -> list[Entry]:
    """The entries of these events, by senders in turn, and between them acts about what they name, revocations and
    policy changes."""
    found: list[Entry] = []
    verbs = cycle(ACTS.items())
    for seq, entry in enumerate(entries_of(events)):
        found.append(replace(entry, actor=SENDERS[seq % len(SENDERS)]))
        if seq % _BETWEEN == 0:
            type_, verb = next(verbs)
            when = text(entry.recorded)
            act = act_entry(type_, verb, f"act {seq}", when, target=_subject(interpret_entry(entry)))
            made = interpret_act(act)
            assert made is not None
            found += [
                act,
                act_entry(type_, f"revoke {verb}", f"revocation {seq}", when, refers_to=made.node.id),
                act_entry(EntryType.POLICY, "proposePolicy", f"policy {seq}", when),
            ]
    return [entry_at(entry, seq) for seq, entry in enumerate(found)]


def entry_at(entry: Entry, seq: int) -> Entry:
    """The same entry at another position of the log."""
    return replace(entry, seq=seq)


def _subject(read: Interpretation) -> str:
    """A version that the event writes, else its run, its job or its dataset."""
    record = read.record
    if record.run is not None:
        for use in record.outputs:
            return (
                run_version_id(use.dataset, record.run)
                if use.version is None
                else named_version_id(use.dataset, use.version)
            )
        return run_id(record.run, record.job_namespace, record.job_name)
    return record.job or (record.subject.dataset if record.subject else "")


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
