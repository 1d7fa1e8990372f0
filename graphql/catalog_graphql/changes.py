"""Verdicts that become others, as a stream: one bounded mailbox for each subscriber."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import strawberry

from catalog.errors import LinewardError, NotFoundError
from catalog.model import AsOf
from catalog.principal import Principal, Scope
from catalog_graphql.desk import Desk, Info
from catalog_graphql.nodes import Node, node
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, Long, time_of
from policies.verdict import Verdict
from policies.watch import change
from policies.watch.change import name_of
from policies.watch.watching import WatchedGovernance, Watching

MOST_WAITING = 1_000
"""How many changes may wait for a subscriber before it is told to begin again."""


class SlowConsumerError(LinewardError):
    """A subscriber that does not keep up: what it has missed would have to be kept for it."""

    code = "SLOW_CONSUMER"


@strawberry.type(description="A control says something else of a model version than before.")
class VerdictChange:
    environment: str = strawberry.field(description="The environment whose bindings chose the pack.")
    pack: str = strawberry.field(description="The pack as NAME@VERSION.")
    control: str = strawberry.field(description="Id of the control in its pack.")
    from_: Verdict | None = strawberry.field(
        name="from", description="What it said; null for a version, or a control, that was not judged before."
    )
    to: Verdict | None = strawberry.field(description="What it says; null for one that is not judged any more.")
    at: DateTime = strawberry.field(description="When it was found.")
    seq: Long | None = strawberry.field(
        description="The last entry of the log that made one look; null where time alone did."
    )
    target_id: strawberry.ID = strawberry.field(description="Id of the version.")
    cut: strawberry.Private[AsOf]

    @resolver("The version; null where it is not there any more.")
    async def target(self, info: Info) -> Node | None:
        found = await info.context.node(self.cut, self.target_id)
        return node(found, self.cut) if found else None


def verdict_change(found: change.VerdictChange) -> VerdictChange:
    return VerdictChange(
        environment=found.environment,
        pack=found.pack,
        control=found.control,
        from_=found.before,
        to=found.after,
        at=time_of(found.at),
        seq=None if found.seq is None else Long(found.seq),
        target_id=strawberry.ID(found.target.id),
        cut=AsOf(known=found.known),
    )


def concerns(found: change.VerdictChange, pack: str | None, principal: Principal) -> bool:
    """Whether a subscriber wants to hear of a change (`pack` is NAME or NAME@VERSION), and may."""
    wanted = pack is None or pack in (found.pack, name_of(found.pack))
    return wanted and principal.may(Scope.LINEAGE_READ, found.target.namespace or "")


class Mailbox:
    """Carries changes from the watch's thread to one subscriber on an event loop, in their order."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Queue[change.VerdictChange] = asyncio.Queue(most)
        self._overflown = False

    def post(self, found: Sequence[change.VerdictChange]) -> None:
        """From any thread; returns at once."""
        with suppress(RuntimeError):  # the loop was closed meanwhile, and nobody waits
            self._loop.call_soon_threadsafe(self._keep, tuple(found))

    def _keep(self, found: Sequence[change.VerdictChange]) -> None:
        for each in found:
            self._overflown |= self._waiting.full()
            if not self._overflown:
                self._waiting.put_nowait(each)

    async def take(self) -> change.VerdictChange:
        """The next change. Raises SlowConsumerError once one was lost."""
        if self._overflown:
            raise SlowConsumerError(
                f"More than {self._waiting.maxsize:,} changes waited for this subscriber, and it was closed.",
                "Subscribe again, and ask for `standing` to see what has become of the verdicts.",
            )
        return await self._waiting.get()


def watching_of(desk: Desk) -> Watching:
    """The watch of this server. NotFoundError where it keeps none."""
    governance = desk.governance
    if not isinstance(governance, WatchedGovernance):
        raise NotFoundError("This server does not watch verdicts.", "Ask the one that keeps the log.")
    return governance.watching
