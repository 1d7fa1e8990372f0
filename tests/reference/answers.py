"""What a reading of `docs/reference/meaning.md` answers, so that one set of tests can question several readings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from catalog.graph.record import EventRecord
from catalog.model import Basis, Direction, GapKind


@dataclass(frozen=True, slots=True)
class Answer:
    """A walk without its ornaments: node ids, (source, target, basis) and (kind, node id)."""

    nodes: frozenset[str]
    edges: frozenset[tuple[str, str, Basis]]
    gaps: frozenset[tuple[GapKind, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a read means: REPORTED, SINGLE, AMBIGUOUS or EXTERNAL, with version ids (two of `count` when over ten)."""

    how: str
    versions: tuple[str, ...]
    count: int
    partial: bool = False
    unknown: bool = False  # a reported version that no run wrote


@dataclass(frozen=True, slots=True)
class VersionState:
    """One version of a chain; `moments` are µs at which it became current, ascending."""

    id: str
    state: str  # CURRENT, SUPERSEDED, DROPPED, PARTIAL, IN_PROGRESS
    moments: tuple[int, ...]
    producers: frozenset[str]  # run ids
    continues: int
    since: int | None


@dataclass(frozen=True, slots=True)
class Served:
    """An interval of serving, µs; `until` is None while nothing ended it."""

    job: str
    run: str
    model: str
    version: str
    role: str
    share: float | None
    since: int
    until: int | None
    state: str  # SERVING, ENDED, UNKNOWN


@dataclass(frozen=True, slots=True)
class JobEdge:
    """What many runs say together of one edge between a job and a dataset."""

    basis: Basis
    first_seen: int
    last_seen: int
    runs: int | None
    stale: bool
    by: frozenset[str] = field(default_factory=frozenset)  # run ids


class Answers(Protocol):
    """The questions that tests ask. Roots are node ids."""

    def run_lineage(self, root: str, direction: Direction, depth: int, history: bool = False) -> Answer: ...

    def job_lineage(self, root: str, direction: Direction, depth: int) -> Answer: ...

    def job_edge(self, source: str, target: str) -> JobEdge | None: ...

    def resolve(
        self, dataset: str, start: int, end: int, run: str | None = None, version: str | None = None
    ) -> Resolution: ...

    def versions(self, dataset: str) -> list[VersionState]: ...

    def deployments(self) -> list[Served]: ...

    def run_states(self) -> dict[str, str]: ...


class Reading(Protocol):
    """Makes answers from a set of records, as a cut sees them."""

    def __call__(
        self, records: Sequence[EventRecord], *, known: int | None = None, valid: int | None = None
    ) -> Answers: ...
