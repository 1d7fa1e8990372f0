"""What a graph store is. The conformance suite checks every sentence here on every store.

A store keeps **assertions**: nodes that some entry mentioned, edges that some entry asserted at some event time, the
records of the events themselves, and facet bodies by digest. Nothing is ever taken back, so an assertion needs two
coordinates and no interval: `at` (ordering time, µs) and `seq` (position in the log). A read is made through a
`Cut`, and sees an assertion exactly when `at <= cut.valid` and `seq < cut.known`: this alone makes every answer
equal to the projection of that part of the log. What assertions *mean* together (versions, resolutions, lineage)
is worked out by `catalog.lineage`, once, for all stores.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from catalog.graph.record import EventRecord
from catalog.identity import NodeKind

FOREVER = (1 << 63) - 1


class EdgeKind(StrEnum):
    """Assertions between two keys. A run's key is its UUID, every other key is a node id."""

    USED = "USED"  # run → version that it says it read
    READ = "READ"  # run → dataset that it read without saying which version
    GENERATED = "GENERATED"  # run → version that it wrote
    WROTE = "WROTE"  # run → dataset, at each moment at which that write may have come into force
    REPLACED = "REPLACED"  # the same moments, of writes that say OVERWRITE, TRUNCATE or CREATE
    DROPPED = "DROPPED"  # the same moments, of a DROP, and of a RENAME on the old name
    RUN_OF = "RUN_OF"  # run → job
    CHILD_OF = "CHILD_OF"  # run → parent run
    PART_OF = "PART_OF"  # job → the job of its parent run
    VERSION_OF = "VERSION_OF"  # version → dataset
    DECLARED = "DECLARED"  # event without a run → the dataset or job that it speaks of; the source is the seq
    ALIAS_OF = "ALIAS_OF"  # dataset → dataset, as its symlinks facet names it
    CONSUMES = "CONSUMES"  # job → dataset
    PRODUCES = "PRODUCES"  # job → dataset
    HAS_ROLE = "HAS_ROLE"  # dataset or job → a word (MODEL, DEPLOYMENT, WRITES_ALONE, BLURRED), which is its own key
    NAMES = "NAMES"  # job → dataset that only its explicit or column lineage mentions as a source
    TOLD_BY = "TOLD_BY"  # dataset in a shared local namespace → who mentioned it (a name: its own key)
    ALIASED = "ALIASED"  # version → each alias that its registry gives it (`registry_key`), and itself, whenever told
    CONCERNS = "CONCERNS"  # act → what it is about, the act that it answers, and its kind (a word: its own key)
    ERASED = "ERASED"  # redaction → what lost something with a body that it erased; `seq` is the erased entry's


# Each moment is a fact of its own. Of all other kinds it only matters whether the cut sees the edge at all, so a store
# keeps, for each (source, target), the assertions that no other one dominates (`at` and `seq` both not greater): one
# row where entries arrive in the order of their times, a short list where they do not. Dominated ones do no harm.
MOMENTS = frozenset(
    {EdgeKind.READ, EdgeKind.WROTE, EdgeKind.REPLACED, EdgeKind.DROPPED, EdgeKind.DECLARED, EdgeKind.ALIASED}
)


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A node as the log first had to name it; `label` is the version, the run's UUID or the field's path.

    An act's name is its verb, and its namespace that of what it is about."""

    id: str
    kind: NodeKind  # structural
    namespace: str
    name: str
    seq: int
    at: int
    owner: str | None = None  # the dataset of a version or field, the job of a run, what an act is about
    label: str | None = None  # of an act the digest of its body


@dataclass(frozen=True, slots=True)
class Edge:
    kind: EdgeKind
    source: str
    target: str
    at: int
    seq: int


@dataclass(frozen=True, slots=True)
class Mention:
    """One event says of one entity: these are its facets (a bundle: facet name → digest of its body)."""

    entity: str
    bundle: str
    at: int
    seq: int
    actor: str


@dataclass(frozen=True, slots=True)
class RunShape:
    """The structure of one run as of all entries so far: runs of equal shape give equal JOB-grain edges.

    `run` is the UUID, with `#1` and so on behind it for further jobs under one UUID. An empty job blanks an earlier
    row: it is no fact.
    """

    run: str
    job: str
    shape: str
    first: int
    last: int
    succeeded: int  # µs of its success, 0 without one


@dataclass(frozen=True, slots=True)
class ShapeSummary:
    """All runs of a job that have one shape; `example` is the one of them that ended last."""

    shape: str
    example: str
    first: int
    last: int
    runs: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A point in both times: entries with `seq < known`, and of these the ones with `at <= valid`."""

    known: int
    valid: int = FOREVER

    @property
    def is_open(self) -> bool:
        """Whether valid time is not limited."""
        return self.valid == FOREVER


@dataclass(slots=True)
class Batch:
    """What a stretch [start, end) of the log adds. Applying it twice changes nothing.

    Every `seq` in it lies in the stretch: a store may rely on later batches having greater ones. Lists have no order,
    save `shapes`, where the last of a run counts.
    """

    nodes: list[NodeRecord] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    events: list[EventRecord] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    bundles: dict[str, Mapping[str, str]] = field(default_factory=dict)  # digest → {facet name: body digest}
    bodies: dict[str, bytes] = field(default_factory=dict)  # digest → canonical JSON
    shapes: list[RunShape] = field(default_factory=list)
    spans: dict[str, int] = field(default_factory=dict)  # dataset → longest run that read it, µs


@dataclass(frozen=True, slots=True)
class Position:
    """How far a store has come, and in which log."""

    origin: str
    offset: int


class GraphReader(Protocol):
    """Reads at one cut. All maps hold every key that was asked for; unknown keys have empty values or are absent
    where the value is a single record. Lists are ordered by (at, seq, other end) unless said otherwise."""

    @property
    def cut(self) -> Cut: ...

    @property
    def epoch(self) -> Hashable:
        """Another one once the store was emptied, or anything in it taken back: what was read before is void."""
        ...

    def until(self, valid: int) -> "GraphReader":
        """The same state with valid time limited further: `min(valid, cut.valid)`."""
        ...

    def newest(self) -> int:
        """The latest received time among events with `seq < known`, µs; 0 without any."""
        ...

    def nodes(self, ids: Iterable[str]) -> dict[str, NodeRecord]:
        """The nodes of which the cut sees an assertion; absent ids are left out.

        `at` is the smallest and `seq` the smallest of those assertions, each for itself. All else in a record follows
        from its id, so assertions never differ in it.
        """
        ...

    def run_events(self, runs: Iterable[str]) -> dict[str, list[EventRecord]]:
        """All events of each run (by UUID)."""
        ...

    def events(self, seqs: Iterable[int]) -> dict[int, EventRecord]:
        """The events at these log positions that the cut sees."""
        ...

    def outgoing(
        self, kind: EdgeKind, sources: Iterable[str], *, low: int = 0, high: int = FOREVER
    ) -> dict[str, list[Edge]]:
        """Edges from each source with `low <= at <= high`.

        Of kinds outside MOMENTS each (source, target) comes once, with the smallest visible `at` and, for it, the
        smallest `seq`; the window applies to that.
        """
        ...

    def incoming(
        self, kind: EdgeKind, targets: Iterable[str], *, low: int = 0, high: int = FOREVER
    ) -> dict[str, list[Edge]]:
        """Edges to each target with `low <= at <= high`, as `outgoing`."""
        ...

    def latest(self, kind: EdgeKind, target: str, *, before: int, limit: int) -> list[Edge]:
        """The last `limit` edges to the target with `at < before`, the latest first: (at, seq, source) descending.

        Outside MOMENTS each source has one edge, as in `outgoing`.
        """
        ...

    def earliest(self, kind: EdgeKind, target: str, *, after: int, limit: int) -> list[Edge]:
        """The first `limit` edges to the target with `at > after`, ordered by (at, seq, source)."""
        ...

    def last(self, kind: EdgeKind, targets: Iterable[str], *, limit: int) -> dict[str, list[Edge]]:
        """The last `limit` edges to each target, the latest first, as `latest`. `kind` is one of MOMENTS."""
        ...

    def count(self, kind: EdgeKind, target: str, *, low: int, high: int) -> int:
        """How many different sources have an edge, as in `outgoing`, to the target with `low <= at <= high`."""
        ...

    def mentions(self, entities: Iterable[str]) -> dict[str, list[Mention]]:
        """For each entity the last mention of each distinct (bundle, actor), ordered by (at, bundle, actor).

        The last has the greatest visible `at` and, for it, the smallest `seq`.
        """
        ...

    def bundles(self, digests: Iterable[str]) -> dict[str, Mapping[str, str]]:
        """Facet names and body digests of each bundle."""
        ...

    def bodies(self, digests: Iterable[str]) -> dict[str, bytes]:
        """Facet bodies as canonical JSON."""
        ...

    def shapes(self, jobs: Iterable[str]) -> dict[str, list[ShapeSummary]] | None:
        """The distinct run shapes of each job, ordered by shape; among runs that ended together the greatest is shown.

        None unless the cut is the whole projection, as shapes have no past.
        """
        ...

    def spans(self, datasets: Iterable[str]) -> dict[str, int]:
        """The longest run known to have read each dataset, µs, 0 by default. It may exceed what the cut sees."""
        ...

    def search(self, words: Sequence[str], kinds: Iterable[NodeKind]) -> list[NodeRecord]:
        """Nodes with a name of which each word begins a token, case folded, ordered by (name, id). Never acts.

        `catalog.graph.tokens` is the rule. Words without a letter or digit ask for nothing, and find nothing.
        """
        ...

    def of_kind(self, kind: NodeKind) -> list[NodeRecord]:
        """Every node of one structural kind that the cut sees, ordered by (namespace, name, id)."""
        ...


class GraphStore(Protocol):
    """A place for assertions that one projector fills in log order and any number of readers see."""

    name: str

    def position(self) -> Position | None:
        """Origin and offset, None for a store that nothing was ever applied to: its offset is 0."""
        ...

    def apply(self, batch: Batch, origin: str, start: int, end: int) -> bool:
        """Add a batch and move the offset from `start` to `end` in one transaction.

        False, with nothing changed, where the offset is not `start`: somebody else projected, or an earlier attempt
        whose answer got lost did. Raises WrongLogError where the store holds another log.
        """
        ...

    def read(self, known: int | None = None, valid: int = FOREVER) -> AbstractContextManager[GraphReader]:
        """A reader over one consistent state, at `known` or at all that is projected, whichever is less."""
        ...

    def facts(self) -> Iterator[bytes]:
        """Every fact without log positions, each once, in an order of no meaning: what the digest covers.

        What depends on the order of arrival is left out: of an edge outside MOMENTS and of a node only the smallest
        `at` counts, of a DECLARED edge not its source. Two entries that say the same are two events. The images are
        those of `catalog.graph.digest`.
        """
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def close(self) -> None: ...
