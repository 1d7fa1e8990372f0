"""What happens from now on."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated

import strawberry

from catalog import model
from catalog.model import AsOf
from catalog.reading import Reading
from catalog_graphql import inputs
from catalog_graphql.desk import Info
from catalog_graphql.log import run_of
from catalog_graphql.nodes import Run, common
from catalog_graphql.resolver import stream

_AT_ONCE = 500  # entries looked at in one reading

JobArgument = Annotated[
    inputs.NodeRef | None, strawberry.argument(description="Only runs of this job or deployment; left out: all.")
]


@strawberry.type(description="Streams of what happens from now on, over graphql-transport-ws.")
class Subscription:
    @stream("Each run that new events speak of, as it stands once they are projected.")
    async def runs(self, info: Info, job: JobArgument = None) -> AsyncGenerator[Run, None]:
        desk = info.context
        wanted = inputs.reference(job) if job else None
        start = await desk.in_thread(desk.sources.access.offset)
        while True:
            reached = await desk.sources.progress.beyond(start)
            while start < reached:
                stretch = range(start, min(start + _AT_ONCE, reached))
                cut, found = await desk.open(AsOf(known=stretch.stop), None, partial(_changed, stretch, wanted))
                for each in found:
                    yield Run(**common(each, cut))
                start = stretch.stop


def _changed(seqs: range, job: model.NodeRef | None, reading: Reading) -> list[model.Node]:
    """The runs of these entries, each once; a job that is not known yet has none."""
    wanted = reading.find(job) if job else None
    if job and wanted is None:
        return []
    events = {(event.run, event.job): event for event in reading.entries(seqs)}
    found = {run.id: run for event in events.values() if (run := run_of(reading, event))}
    return [run for run in found.values() if wanted is None or run.parent == wanted.id]
