"""The log as the graph's answers point into it, and how far the graph has come."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from catalog import model
from catalog.access import LogState
from catalog.act import KINDS, Act
from catalog.errors import AmbiguousReferenceError
from catalog.graph.record import EventRecord
from catalog.identity import run_id
from catalog.instant import SECOND
from catalog.log.entry import Entry, EntryType
from catalog.log.merkle import leaf_hash
from catalog.model import AsOf, NodeRef
from catalog.reading import Reading
from catalog_graphql.connection import checked_first
from catalog_graphql.desk import Desk, Info, Sources
from catalog_graphql.nodes import Node, Run, common, node
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, Long, time_of

FirstEntries = Annotated[int | None, strawberry.argument(description="How many: 20 unless told, at most 200.")]


@strawberry.type(description="One entry of the log: an event, or what a person did.")
class LogEntry:
    seq: Long = strawberry.field(description="Its position, from 0.")
    type: EntryType = strawberry.field(description="What it records.")
    event_type: str | None = strawberry.field(
        description="START, RUNNING, COMPLETE, ABORT, FAIL or OTHER; null without."
    )
    event_time: str | None = strawberry.field(
        description="The event's own time exactly as its producer wrote it; null for what is no event."
    )
    at: DateTime = strawberry.field(
        description="The time that counts: the event's own, but at most five minutes after it was received."
    )
    recorded: DateTime = strawberry.field(description="When the log took it.")
    actor: str = strawberry.field(description="Who sent it.")
    record: strawberry.Private[EventRecord | None]
    cut: strawberry.Private[AsOf]

    @resolver("The job or deployment that it speaks of.")
    async def job(self, info: Info) -> Node | None:
        job = self.record.job if self.record else None
        found = await info.context.node(self.cut, job) if job else None
        return node(found, self.cut) if found else None

    @resolver("The run that it speaks of.")
    async def run(self, info: Info) -> Run | None:
        record = self.record
        if record is None:
            return None
        found = await info.context.ask(self.cut, lambda reading: run_of(reading, record))
        return Run(**common(found, self.cut)) if found else None

    @resolver("SHA-256 of its leaf in the Merkle tree (RFC 6962), hex.")
    async def leaf_hash(self, info: Info) -> str | None:
        entry = await info.context.entry(self.seq)
        return leaf_hash(entry.envelope).hex() if entry else None

    @resolver("The event as JSON text, less what was redacted; null once erased.")
    async def body(self, info: Info) -> str | None:
        entry = await info.context.entry(self.seq)
        return entry.body.decode() if entry and entry.body is not None else None

    @resolver("The act that erased its body; null while it has one.")
    async def erased_by(self, info: Info) -> strawberry.ID | None:
        desk, entry = info.context, await info.context.entry(self.seq)
        if entry is None or entry.body is not None:
            return None
        erased = await desk.in_thread(lambda: desk.eraser.register().erased_of(entry))
        return strawberry.ID(erased.erasure.node) if erased else None


@strawberry.type(description="How far the graph has come.")
class ProjectionStatus:
    store: str = strawberry.field(description="The store that holds the graph, such as sqlite or neo4j.")
    offset: Long = strawberry.field(description="How many entries of the log it holds.")
    lag_seconds: float = strawberry.field(
        description="For how long the oldest entry that it lacks has waited; 0: none."
    )
    digest: str | None = strawberry.field(description="Digest of all its facts, where a verification computed it.")


@strawberry.type(description="The log: everything that happened, in one Merkle tree.")
class LogStatus:
    size: Long = strawberry.field(description="How many entries it has.")
    root: str = strawberry.field(description="Root of the tree over them (RFC 6962, SHA-256), hex.")
    projection: ProjectionStatus = strawberry.field(description="How far the graph has come.")


@strawberry.type(
    description="The state that an answer was read from. The same question at this known has the same answer."
)
class Snapshot:
    log_size: Long = strawberry.field(description="How many entries the log had.")
    root: str = strawberry.field(description="Root of the tree over them, hex.")
    valid: DateTime | None = strawberry.field(description="The time of the events asked for; null: the latest.")
    known: Long = strawberry.field(description="How many entries the answer knows.")


async def log_entries(info: Info, cut: AsOf, seqs: Sequence[int], first: int | None) -> list[LogEntry]:
    """The earliest `first` of these positions. Raises InvalidInputError for a size out of range."""
    wanted = sorted(seqs)[: checked_first(first)]
    events = await info.context.ask(cut, lambda reading: {event.seq: event for event in reading.entries(wanted)})
    acts = {seq: await info.context.entry(seq) for seq in wanted if seq not in events}
    found = [_log_entry(events[seq], cut) if seq in events else _other_entry(acts[seq], cut) for seq in wanted]
    return [entry for entry in found if entry is not None]


async def entry_of_act(info: Info, act: Act, cut: AsOf) -> LogEntry | None:
    return _other_entry(await info.context.entry(act.seq), cut)


def _log_entry(event: EventRecord, cut: AsOf) -> LogEntry:
    return LogEntry(
        seq=Long(event.seq),
        type=EntryType.OPENLINEAGE,
        event_type=event.type,
        event_time=event.time,
        at=time_of(event.at),
        recorded=time_of(event.recorded),
        actor=event.actor,
        record=event,
        cut=cut,
    )


def _other_entry(entry: Entry | None, cut: AsOf) -> LogEntry | None:
    """What is no event; events that the cut or the caller's scopes hide are not shown this way either."""
    if entry is None or entry.type not in KINDS:
        return None
    recorded = time_of(entry.recorded)
    return LogEntry(
        seq=Long(entry.seq),
        type=entry.type,
        event_type=None,
        event_time=None,
        at=recorded,
        recorded=recorded,
        actor=entry.actor,
        record=None,
        cut=cut,
    )


def run_of(reading: Reading, event: EventRecord) -> model.Node | None:
    """The run of an event; of several under one UUID the one of the event's job."""
    if event.run is None:
        return None
    try:
        return reading.find(NodeRef(run=event.run))
    except AmbiguousReferenceError:
        return reading.node(run_id(event.run, event.job_namespace, event.job_name))


async def log_status(desk: Desk) -> LogStatus:
    return await desk.in_thread(lambda: _status(desk.sources))


def _status(sources: Sources) -> LogStatus:
    offset = sources.access.offset()  # before the log's size, which never shrinks: lag is not negative
    state = sources.access.log_state()
    waiting = sources.now() - sources.entry(offset).recorded / SECOND if offset < state.size else 0.0
    projection = ProjectionStatus(
        store=sources.access.store_name,
        offset=Long(offset),
        lag_seconds=max(0.0, waiting),
        digest=sources.digest(),
    )
    return LogStatus(size=Long(state.size), root=state.root.hex(), projection=projection)


def snapshot(state: LogState, valid: DateTime | None, known: int) -> Snapshot:
    return Snapshot(log_size=Long(state.size), root=state.root.hex(), valid=valid, known=Long(known))
