"""What happens from now on."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated

import strawberry

from catalog import model
from catalog.act import KINDS, Act, interpret_act
from catalog.identity import NodeKind
from catalog.log.entry import Entry
from catalog.model import AsOf
from catalog.principal import Scope
from catalog.reading import Reading
from catalog_graphql import inputs
from catalog_graphql.changes import Mailbox, VerdictChange, concerns, verdict_change, watching_of
from catalog_graphql.decisions import Decision, decision
from catalog_graphql.desk import Desk, Info
from catalog_graphql.log import run_of
from catalog_graphql.nodes import Run, common
from catalog_graphql.resolver import stream

_AT_ONCE = 500  # entries looked at in one reading

JobArgument = Annotated[
    inputs.NodeRef | None, strawberry.argument(description="Only runs of this job or deployment; left out: all.")
]
EnvironmentArgument = Annotated[
    str | None, strawberry.argument(description="Only decisions for this environment; left out: all.")
]
PackArgument = Annotated[
    str | None, strawberry.argument(description="Only controls of this pack, as NAME or NAME@VERSION; left out: all.")
]


@strawberry.type(description="Streams of what happens from now on, over graphql-transport-ws.")
class Subscription:
    @stream("Each run that new events speak of, as it stands once they are projected.")
    async def runs(self, info: Info, job: JobArgument = None) -> AsyncGenerator[Run, None]:
        desk = info.context
        wanted = inputs.reference(job) if job else None
        async for stretch in _stretches(desk):
            cut, found = await desk.open(AsOf(known=stretch.stop), None, partial(_changed, stretch, wanted))
            for each in found:
                yield Run(**common(each, cut))

    @stream("Each decision of the gate on what you may see, once it is projected.")
    async def decisions(self, info: Info, environment: EnvironmentArgument = None) -> AsyncGenerator[Decision, None]:
        desk = info.context
        desk.principal.require(Scope.POLICY_READ)
        async for stretch in _stretches(desk):
            desk.principal.require(Scope.POLICY_READ)
            decided = partial(_decided, desk, stretch, environment)
            cut, found = await desk.open(AsOf(known=stretch.stop), None, decided)
            for each in found:
                yield decision(each, cut)

    @stream("Each verdict on a model version in an environment that becomes another, by an entry or by time alone.")
    async def verdict_changes(self, info: Info, pack: PackArgument = None) -> AsyncGenerator[VerdictChange, None]:
        desk = info.context
        desk.principal.require(Scope.POLICY_READ)
        mailbox = Mailbox()
        with watching_of(desk).listening(mailbox.post):
            while True:
                found = await mailbox.take()
                desk.principal.require(Scope.POLICY_READ)
                if concerns(found, pack, desk.principal):
                    yield verdict_change(found)


async def _stretches(desk: Desk) -> AsyncGenerator[range, None]:
    """The positions of entries that come to be projected from now on, in pieces of a size that one can look at."""
    start = await desk.in_thread(desk.sources.access.offset)
    while True:
        reached = await desk.sources.progress.beyond(start)
        while start < reached:
            stretch = range(start, min(start + _AT_ONCE, reached))
            yield stretch
            start = stretch.stop


def _changed(seqs: range, job: model.NodeRef | None, reading: Reading) -> list[model.Node]:
    """The runs of these entries, each once; a job that is not known yet has none."""
    wanted = reading.find(job) if job else None
    if job and wanted is None:
        return []
    events = {(event.run, event.job): event for event in reading.entries(seqs)}
    found = {run.id: run for event in events.values() if (run := run_of(reading, event))}
    return [run for run in found.values() if wanted is None or run.parent == wanted.id]


def _decided(desk: Desk, seqs: range, environment: str | None, reading: Reading) -> list[Act]:
    """The decisions among these entries, in the order of the log."""
    events = {event.seq for event in reading.entries(seqs)}
    entries = (desk.sources.entry(seq) for seq in seqs if seq not in events)
    acts = (reading.act(id_) for entry in entries if (id_ := _decision_in(entry)) is not None)
    return [act for act in acts if act is not None and environment in (None, act.body.get("environment"))]


def _decision_in(entry: Entry) -> str | None:
    """The id of the decision in an entry; None for any other."""
    if KINDS.get(entry.type) is not NodeKind.DECISION:
        return None
    read = interpret_act(entry)
    return read.node.id if read is not None and read.node.name == "decide" else None
