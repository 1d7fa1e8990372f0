"""How long bodies of the log are kept: a schedule of classes, what is due under it, and what nothing covers.

A schedule deletes nothing. What is due can be put to a second person as an erasure, and nothing happens by itself.
Where several classes cover an entry the longest one counts, so their order in the file does not matter.
"""

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from catalog import rfc3339
from catalog.erasure.register import ErasureRegister
from catalog.erasure.skeleton import refuse_what_stays
from catalog.erasure.touching import Touching
from catalog.errors import InvalidInputError
from catalog.log.entry import Entry
from catalog.reading import Reading
from policies.acts import invalid
from policies.evidence.builder import everyone
from policies.evidence.draft import Governance
from policies.evidence.tags import labels_in
from policies.pack import Document, Part
from policies.scalar import Instant, Name, Text, Whole, core

Micros = int
EntryTypeName = Literal["openlineage", "approval", "waiver", "attestation", "decision"]
_SPAN = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?", re.ASCII)
_TAGS = ("tags",)


class Named(Part):
    name: Name


class RetentionClass(Part):
    """Entries of these types that name something in these namespaces, and a dataset with one of these labels.

    Nothing given is all. `keepFor` counts from when the log took an entry.
    """

    id: Name
    keep_for: Annotated[Text, Field(description="ISO 8601 in years, months, weeks and days: P2Y, P18M, P90D.")]
    basis: Annotated[Text, Field(description="Why as long and no longer, as in 'GDPR Art. 5(1)(e)'.")]
    entry_types: tuple[EntryTypeName, ...] = ()
    namespaces: Annotated[tuple[Text, ...], Field(description="Globs over the namespaces that an entry names.")] = ()
    labels: Annotated[tuple[Text, ...], Field(description="Globs over labels of datasets and columns.")] = ()

    @model_validator(mode="after")
    def _has_a_span(self) -> "RetentionClass":
        found = _SPAN.fullmatch(self.keep_for)
        if found is None or not any(found.groups()):
            raise ValueError(f"{self.keep_for} is no span of years, months, weeks and days, such as P2Y")
        return self

    def ends(self, recorded: Micros) -> Micros:
        """When an entry is due, in µs; by the calendar in UTC."""
        found = _SPAN.fullmatch(self.keep_for)
        assert found is not None
        years, months, weeks, days = (int(each or 0) for each in found.groups())
        start = datetime.fromtimestamp(recorded // 1_000_000, UTC)
        year, month = divmod(start.year * 12 + start.month - 1 + years * 12 + months, 12)
        if year > 9_900:
            return 1 << 62
        day = min(start.day, monthrange(year, month + 1)[1])
        end = start.replace(year=year, month=month + 1, day=day) + timedelta(weeks=weeks, days=days)
        return int(end.timestamp()) * 1_000_000 + recorded % 1_000_000


class RetentionHold(Part):
    """What is not due while this stands (a legal hold), as long as the file says so."""

    reason: Text
    namespaces: tuple[Text, ...] = ()
    nodes: tuple[Text, ...] = ()
    entries: tuple[Whole, ...] = ()
    until: Instant | None = None

    @model_validator(mode="after")
    def _covers_something(self) -> "RetentionHold":
        if not (self.namespaces or self.nodes or self.entries):
            raise ValueError("a hold names namespaces, nodes or entries")
        return self


class RetentionSchedule(Document):
    """How long what is kept."""

    kind: Annotated[Literal["RetentionSchedule"], BeforeValidator(core)]
    metadata: Named
    classes: Annotated[tuple[RetentionClass, ...], Field(min_length=1)]
    holds: tuple[RetentionHold, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> "RetentionSchedule":
        ids = [each.id for each in self.classes]
        if len(set(ids)) < len(ids):
            raise ValueError("two classes have one id")
        return self


def read_schedule(path: Path) -> RetentionSchedule:
    """The schedule in a YAML file. InvalidInputError with the place of the first mistake."""
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInputError(
            f"{path} cannot be read: {error}", "Name a YAML file with --schedule or LINEWARD_RETENTION."
        ) from error
    try:
        return RetentionSchedule.model_validate(told)
    except ValidationError as error:
        found = invalid(error)
        raise InvalidInputError(
            f"{path}: {found.message}", "policies/spec/RetentionSchedule.json has the form.", pointer=found.pointer
        ) from error


class Fate(StrEnum):
    KEPT = "KEPT"  # its time is not over
    DUE = "DUE"
    HELD = "HELD"  # it would be due, and a hold covers it
    UNCOVERED = "UNCOVERED"  # no class says how long
    STAYS = "STAYS"  # of a type that is never erased


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry under a schedule: the class that counts, its end (µs), and what holds it."""

    seq: int
    fate: Fate
    by: RetentionClass | None = None
    ends: Micros | None = None
    hold: str | None = None


class Retention:
    """Tells the fate of entries at an instant (µs). `register` is that of the log, `touching` how it is read."""

    def __init__(
        self,
        schedule: RetentionSchedule,
        register: ErasureRegister,
        touching: Touching,
        reading: Reading,
        instant: Micros,
    ) -> None:
        self._schedule = schedule
        self._register = register
        self._touching = touching
        self._reading = reading
        self._governance = Governance(reading, everyone)
        self._instant = instant
        self._labels: dict[str, frozenset[str]] = {}

    def over(self, entries: Iterable[Entry]) -> Iterator[Kept]:
        """The fate of each entry that still has its body, in the order given."""
        for entry in entries:
            if entry.body is not None:
                yield self._fate(entry)

    def _fate(self, entry: Entry) -> Kept:
        try:
            refuse_what_stays(entry)
        except InvalidInputError:
            return Kept(entry.seq, Fate.STAYS)
        touched = self._touching(entry, "structure")
        labels = self._labels_of(entry) if any(each.labels for each in self._schedule.classes) else frozenset()
        covering = [each for each in self._schedule.classes if _covers(each, entry, touched.namespaces, labels)]
        if not covering:
            return Kept(entry.seq, Fate.UNCOVERED)
        ends, _, by = max((each.ends(entry.recorded), each.id, each) for each in covering)
        if ends > self._instant:
            return Kept(entry.seq, Fate.KEPT, by, ends)
        hold = self._hold(entry.seq, touched.namespaces, touched.nodes)
        return Kept(entry.seq, Fate.HELD if hold else Fate.DUE, by, ends, hold)

    def _hold(self, seq: int, namespaces: Iterable[str], nodes: Sequence[str]) -> str | None:
        """Why it may not go: by the log, else by the schedule."""
        logged = self._register.holding(seq, namespaces, nodes, self._instant)
        if logged is not None:
            return logged.said.reason
        for each in self._schedule.holds:
            over = each.until is not None and rfc3339.parse(str(each.until)) <= self._instant
            named = any(fnmatchcase(space, glob) for space in namespaces for glob in each.namespaces)
            if not over and (named or seq in each.entries or not set(each.nodes).isdisjoint(nodes)):
                return each.reason
        return None

    def _labels_of(self, entry: Entry) -> frozenset[str]:
        """Labels of the datasets that an event names, and of their columns, as they are now."""
        found: set[str] = set()
        for event in self._reading.entries((entry.seq,)):
            uses = (*event.inputs, *event.outputs, *((event.subject,) if event.subject else ()))
            for dataset in {use.dataset for use in uses}:
                if dataset not in self._labels:
                    self._labels[dataset] = self._read_labels(dataset)
                found |= self._labels[dataset]
        return frozenset(found)

    def _read_labels(self, dataset: str) -> frozenset[str]:
        node = self._reading.node(dataset)
        told = labels_in(self._governance.of(node, _TAGS).get("tags")) if node else None
        if told is None:
            return frozenset()
        return frozenset((*told.own, *(label for labels in told.columns.values() for label in labels)))


def _covers(each: RetentionClass, entry: Entry, namespaces: Iterable[str], labels: Iterable[str]) -> bool:
    return (
        (not each.entry_types or entry.type.value in each.entry_types)
        and _any_matches(each.namespaces, namespaces)
        and _any_matches(each.labels, labels)
    )


def _any_matches(globs: Sequence[str], names: Iterable[str]) -> bool:
    return not globs or any(fnmatchcase(name, glob) for name in names for glob in globs)
