"""What the catalog answers with: plain frozen records, the same from every store and for every door.

Times are canonical RFC 3339 text in UTC (`2026-03-01T00:00:00.000001Z`), made once and passed through.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import msgspec

from catalog.identity import NodeKind

Timestamp = Annotated[str, "RFC 3339, UTC"]


class Direction(StrEnum):
    UPSTREAM = "UPSTREAM"
    DOWNSTREAM = "DOWNSTREAM"
    BOTH = "BOTH"


class Grain(StrEnum):
    """JOB has datasets and jobs; RUN has versions and runs; FIELD has columns."""

    JOB = "JOB"
    RUN = "RUN"
    FIELD = "FIELD"


class Basis(StrEnum):
    """Why an edge is believed, the strongest first."""

    EXPLICIT = "EXPLICIT"
    COLUMN = "COLUMN"
    INFERRED = "INFERRED"
    ROLLUP = "ROLLUP"


STRENGTH = {basis: rank for rank, basis in enumerate(Basis)}


class RunState(StrEnum):
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    CONFLICTED = "CONFLICTED"  # contradictory terminal events
    ENDED_WITH_PARENT = "ENDED_WITH_PARENT"  # started only, in an application that ended
    UNREPORTED = "UNREPORTED"  # known only because a child names it


class GapKind(StrEnum):
    """What is not known, and so never lets a policy pass."""

    EXTERNAL = "EXTERNAL"  # read, but no version of ours was current
    AMBIGUOUS = "AMBIGUOUS"  # several versions became current while the run read
    PARTIAL = "PARTIAL"  # the last write before the read failed
    ROLLED_UP = "ROLLED_UP"  # inputs taken from the application, not declared
    NEVER_ENDED = "NEVER_ENDED"  # no terminal event, and none is coming
    CONFLICTED = "CONFLICTED"
    RUN_ID_COLLISION = "RUN_ID_COLLISION"
    EXTRACTION_ERROR = "EXTRACTION_ERROR"  # the producer says that its lineage is incomplete
    UNREPORTED_PARENT = "UNREPORTED_PARENT"
    UNKNOWN_PRODUCER = "UNKNOWN_PRODUCER"  # a version that somebody read and nobody reported writing
    SILENT = "SILENT"  # a service past three heartbeats
    SHARED_NAMESPACE = "SHARED_NAMESPACE"  # several senders mean perhaps different data by one name
    ERASED = "ERASED"  # what an entry said of it was erased, and an entry of the log says by whom and why
    NOT_PERMITTED = "NOT_PERMITTED"  # it is there, and the reader may not see it


@dataclass(frozen=True, slots=True)
class AsOf:
    """The two times of a read: `valid` is event time (µs), `known` the size of the log."""

    valid: int | None = None
    known: int | None = None


@dataclass(frozen=True, slots=True)
class DatasetRef:
    namespace: str
    name: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class NodeRef:
    """Exactly one of these names a node."""

    id: str | None = None
    dataset: DatasetRef | None = None
    model: DatasetRef | None = None
    job: DatasetRef | None = None
    run: str | None = None
    field: tuple[DatasetRef, str] | None = None


@dataclass(frozen=True, slots=True)
class Continues:
    """How many earlier writes' rows this version still holds, as far as is known, and since when."""

    count: int
    since: Timestamp | None


@dataclass(frozen=True, slots=True)
class Node:
    """A node with what its kind knows; a field that does not apply is None.

    An act's name is its verb, its namespace that of what it is about, `started` when it was accepted.
    """

    id: str
    kind: NodeKind
    namespace: str | None
    name: str
    label: str | None = None  # version, run UUID, column path
    parent: str | None = None  # dataset of a version or column, job of a run, what an act is about
    state: str | None = None  # RunState, or CURRENT, SUPERSEDED, PARTIAL, DROPPED for a version
    started: Timestamp | None = None
    ended: Timestamp | None = None
    continues: Continues | None = None
    parent_run: str | None = None


@dataclass(frozen=True, slots=True)
class Transformation:
    """One step of a column's lineage (ColumnLineageDatasetFacet 1-2-0)."""

    type: str  # DIRECT or INDIRECT
    subtype: str | None = None
    masking: bool = False


class LineageEdge(msgspec.Struct, frozen=True, gc=False):
    """Data flowed from one node to the other. `entries` are log positions that say so.

    A struct, as each answer makes one for each edge, and making a frozen dataclass takes eight times as long.
    """

    source: str
    target: str
    basis: Basis
    transformations: tuple[Transformation, ...] = ()
    first_seen: Timestamp | None = None
    last_seen: Timestamp | None = None
    runs: int | None = None
    stale: bool | None = None
    entries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    kind: GapKind
    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class Truncation:
    reason: str  # DEPTH or LIMIT
    omitted: int  # nodes seen at the border and left out


@dataclass(frozen=True, slots=True)
class LineageGraph:
    """A walk's answer: nodes by (distance, id), edges by (source, target), gaps by (kind, node)."""

    root: Node
    nodes: tuple[Node, ...]
    edges: tuple[LineageEdge, ...]
    depth_reached: int
    truncated: Truncation | None
    gaps: tuple[Gap, ...]
    known: int
    valid: Timestamp | None


@dataclass(frozen=True, slots=True)
class LineagePath:
    """Node ids from one end to the other and the edges between them."""

    nodes: tuple[str, ...]
    edges: tuple[LineageEdge, ...]


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet's body (JSON text) with who said so and when."""

    name: str
    body: str
    digest: str
    actor: str
    at: Timestamp


@dataclass(frozen=True, slots=True)
class Deployment:
    """One interval in which a service said that it served one model version in one role."""

    id: str
    job: str
    run: str
    model: str
    model_version: str
    environment: str | None
    endpoint: str | None
    role: str
    share: float | None
    since: Timestamp
    until: Timestamp | None
    state: str  # SERVING, ENDED, UNKNOWN (silent past three heartbeats)
    entries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RegistryAlias:
    """A stretch in which a version of a model had an alias or a stage in its registry. `until` None: it still has."""

    alias: str
    since: Timestamp
    until: Timestamp | None


@dataclass(frozen=True, slots=True)
class Leg:
    """One part of a prediction's trace: a node, or an explicit unknown with its reason."""

    name: str
    node: Node | None
    reason: str | None
    detail: dict[str, str] = field(default_factory=dict)
