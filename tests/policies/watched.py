"""A catalog that is projected bit by bit, with a watch over it, and everything judged anew to compare with."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from catalog.access import Access, LogState
from catalog.errors import LinewardError
from catalog.graph.contract import FOREVER, GraphStore
from catalog.identity import NodeKind
from catalog.log.entry import Entry, EntryType
from catalog.model import Node
from catalog.projector import Projector
from catalog.reading import Reading
from policies.evidence.kept import OthersBetween
from policies.in_force import in_force
from policies.judge import Judge, Judged
from policies.watch.acts import ActsBetween, ReadActs, acts_between, others_between
from policies.watch.change import VerdictChange, name_of
from policies.watch.verdicts import NOBODY, Key, VerdictWatch
from tests.ingest.events import ORIGIN, read_entry

Said = dict[tuple[str, str], tuple[str, str]] | str
"""By pack and control verdict and enforcement, or what kept it from being judged."""


class CountingJudge(Judge):
    """Remembers whom it judged, and the evidence that it judged by."""

    def __init__(self, others: OthersBetween) -> None:
        super().__init__(others=others)
        self.judged: Counter[Key] = Counter()

    def judge(self, reading: Reading, target: Node, **asked: Any) -> Judged:
        self.judged[target.id, asked["environment"]] += 1
        return super().judge(reading, target, **asked)


class Shown:
    """The first entries of a log in a store, and a watch that has seen them."""

    def __init__(self, store: GraphStore, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.judge = CountingJudge(others_between(reading_of(entries)))
        self.watch = VerdictWatch(self.judge)
        self.access = Access(store, lambda: LogState(ORIGIN, len(entries), b"\0" * 32), 0.01)
        self.acts = acts_of(entries)
        self._store = store
        self._projector = Projector(store, ORIGIN, read_entry)

    def project(self, end: int | None = None) -> None:
        assert self._projector.project(self.entries[self._projector.offset : end])

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        with self._store.read(valid=FOREVER) as reader:
            yield Reading(reader)

    def begin(self, now: int) -> None:
        with self.reading() as reading:
            self.watch.begin(reading, now)
            assert self._settled(reading, now) == []

    def follow(self, now: int, end: int | None = None) -> list[VerdictChange]:
        """Project up to a position, and let the watch take notice."""
        self.project(end)
        with self.reading() as reading:
            self.watch.advance(reading, self.acts(self.watch.known, reading.known), now)
            self.watch.due(reading, now)
            return self._settled(reading, now)

    def _settled(self, reading: Reading, now: int) -> list[VerdictChange]:
        found: list[VerdictChange] = []
        while (told := self.watch.step(reading, now)) is not None:
            found += told
        return found

    def standing(self) -> dict[Key, Said]:
        return {
            (each.target.id, each.environment): each.trouble
            or {(name_of(c.pack), c.control): (c.verdict.value, c.enforcement.value) for c in each.controls}
            for each in self.watch.standing()
        }

    def verdicts(self) -> dict[tuple[str, str, str, str], str]:
        return {
            (version, environment, *control): verdict
            for (version, environment), said in self.standing().items()
            if isinstance(said, dict)
            for control, (verdict, _) in said.items()
        }

    def anew(self, now: int) -> dict[Key, Said]:
        """Every version that a binding selects, judged from scratch."""
        judge, found = Judge(), dict[Key, Said]()
        with self.reading() as reading:
            for version, environment in _selected(reading, now):
                found[version.id, environment] = _said(judge, reading, version, environment, now)
        return found


def acts_of(entries: Sequence[Entry]) -> ActsBetween:
    return acts_between(reading_of(entries))


def reading_of(entries: Sequence[Entry]) -> ReadActs:
    def read(types: Sequence[EntryType], start: int, limit: int) -> list[Entry]:
        return [each for each in entries[start:] if each.type in types][:limit]

    return read


def _selected(reading: Reading, now: int) -> Iterator[tuple[Node, str]]:
    force = in_force(reading, now)
    environments = {name for each in force.bindings.values() for name in each.document["environments"]}
    for model in reading.models():
        for version in reading.versions_of(model.id):
            for environment in sorted(environments):
                if version.kind is NodeKind.MODEL_VERSION and force.bindings_for(
                    environment, version.namespace or "", version.name
                ):
                    yield version, environment


def _said(judge: Judge, reading: Reading, version: Node, environment: str, now: int) -> Said:
    try:
        judged = judge.judge(reading, version, environment=environment, packs=(), requester=NOBODY, evaluated_at=now)
    except LinewardError as error:
        return f"{error.message} {error.remedy}".strip()
    return {(name_of(c.pack), c.control): (c.verdict.value, c.enforcement.value) for c in judged.report.controls}
