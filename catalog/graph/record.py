"""What one log entry says, in the shape that the graph keeps: ids for entities, digests for facet bodies.

A record is made once, by a pure reading of the entry's body, and never changed. Everything that lineage answers is
computed from records; the tables beside them only find the right ones quickly.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

Digest = Annotated[str, "hex SHA-256 of a facet's canonical JSON"]
Micros = Annotated[int, "µs since 1970-01-01T00:00Z"]


class Shape(StrEnum):
    """What kind of event an entry holds, told by its shape and not by its `schemaURL`."""

    RUN = "RUN"
    JOB = "JOB"
    DATASET = "DATASET"


class Processing(StrEnum):
    """`jobType.processingType` (JobTypeJobFacet 2-0-4)."""

    BATCH = "BATCH"
    STREAMING = "STREAMING"
    SERVICE = "SERVICE"


class Change(StrEnum):
    """`lifecycleStateChange` (LifecycleStateChangeDatasetFacet 1-0-1)."""

    ALTER = "ALTER"
    CREATE = "CREATE"
    DROP = "DROP"
    OVERWRITE = "OVERWRITE"
    RENAME = "RENAME"
    TRUNCATE = "TRUNCATE"


TERMINAL = frozenset({"COMPLETE", "FAIL", "ABORT"})
REPLACING = frozenset({Change.CREATE, Change.OVERWRITE, Change.TRUNCATE})


class Source(msgspec.Struct, frozen=True, array_like=True):
    """One input of an explicit `lineage` entry: a dataset (with the field read, if told) or a job."""

    dataset: str | None = None
    field: str | None = None
    job: str | None = None
    run: str | None = None


class DatasetUse(msgspec.Struct, frozen=True, array_like=True):
    """A dataset as one event mentions it, as input, output or subject."""

    dataset: str
    version: str | None = None
    change: Change | None = None
    renamed_from: str | None = None
    model: bool = False
    bundle: Digest | None = None  # dataset facets
    use_bundle: Digest | None = None  # input or output facets
    columns: tuple[str, ...] = ()  # datasets that its columnLineage names
    sources: tuple[Source, ...] | None = None  # explicit lineage; () says: no upstream
    aliases: tuple[str, ...] | None = None  # symlinks; None says nothing, () ends them
    role: str | None = None  # `lineward_serving` on an input
    share: float | None = None
    column_lineage: Digest | None = None  # the facet's body: runs that map columns differently differ
    registered: tuple[str, ...] | None = None  # `lineward_registry`: all aliases of this version; None says nothing


class Served(msgspec.Struct, frozen=True, array_like=True):
    """A model version that a serving event names in `lineward_serving.models`."""

    dataset: str
    version: str | None
    role: str
    share: float | None


class Serving(msgspec.Struct, frozen=True, array_like=True):
    """`lineward_serving` on a run."""

    environment: str | None = None
    endpoint: str | None = None
    role: str = "primary"
    share: float | None = None
    models: tuple[Served, ...] = ()


class ParentRef(msgspec.Struct, frozen=True, array_like=True):
    """The parent facet's run and the job that it claims."""

    run: str
    namespace: str
    name: str


class EventRecord(msgspec.Struct, frozen=True, array_like=True):
    """One OpenLineage event. `at` is its ordering time: min(eventTime, received + 5 min)."""

    seq: int
    at: Micros
    recorded: Micros
    time: str  # eventTime as it was written: nanoseconds and missing zones survive
    actor: str
    shape: Shape
    digest: Digest  # of the stored body: breaks ties between events of one instant
    type: str | None = None
    run: str | None = None
    job: str | None = None
    job_namespace: str = ""
    job_name: str = ""
    processing: Processing | None = None
    job_type: str | None = None
    snapshot: bool = False  # emissionPattern COMPLETE_SNAPSHOT
    window: float | None = None  # emissionPattern windowDuration, seconds
    parent: ParentRef | None = None
    inputs: tuple[DatasetUse, ...] = ()
    outputs: tuple[DatasetUse, ...] = ()
    subject: DatasetUse | None = None
    serving: Serving | None = None
    job_bundle: Digest | None = None
    run_bundle: Digest | None = None
    extraction_failed: bool = False
    sources: tuple[Source, ...] | None = None  # explicit lineage whose target is the event's own job

    @property
    def terminal(self) -> bool:
        return self.type in TERMINAL

    @property
    def order(self) -> tuple[int, str]:
        """A total order that knows nothing of arrival."""
        return (self.at, self.digest)


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(EventRecord).decode
