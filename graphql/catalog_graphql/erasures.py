"""Erasures: what was asked for, agreed to and forbidden, and the search for what to erase."""

from collections.abc import Callable
from typing import Annotated

import strawberry

from catalog.erasure.eraser import Confirmed, Eraser, Found, Wanted
from catalog.erasure.redaction import EntryRef, Reached
from catalog.erasure.register import ErasureRegister, Proposal, StandingHold
from catalog.log.entry import EntryType
from catalog.principal import Scope
from catalog_graphql.connection import After, Connection, First, Listing
from catalog_graphql.desk import Info
from catalog_graphql.enums import ErasureState, Keep
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, Long, time_of


@strawberry.type(description="An entry that an erasure names.")
class ErasureEntry:
    seq: Long = strawberry.field(description="Its position, from 0.")
    commit: str = strawberry.field(description="The commitment to its body in its envelope, base64.")


@strawberry.type(description="What rested on the erased entries or data at that time: ids of nodes.")
class ErasureReach:
    models: list[strawberry.ID] = strawberry.field(description="Versions of models.")
    deployments: list[strawberry.ID] = strawberry.field(description="Deployments, those that had ended too.")
    decisions: list[strawberry.ID] = strawberry.field(description="Decisions of the gate.")


@strawberry.type(description="A request to erase bodies of the log, or the word that rows were erased elsewhere.")
class Erasure:
    id: strawberry.ID = strawberry.field(description="Id of the proposal: other acts answer it by this.")
    proposal: str = strawberry.field(description="The proposal's UUID, as its body has it.")
    state: ErasureState = strawberry.field(description="How it stands.")
    reason: str = strawberry.field(description="Why.")
    basis: str = strawberry.field(description="The ground in law.")
    keep: Keep = strawberry.field(description="What stays of the entries.")
    entries: list[ErasureEntry] = strawberry.field(description="The entries that it names.")
    concerns: list[strawberry.ID] = strawberry.field(description="Datasets whose rows were erased elsewhere.")
    proposed_by: str = strawberry.field(description="Who asked.")
    proposed_at: DateTime = strawberry.field(description="When.")
    ended_by: str | None = strawberry.field(description="Who agreed or said no; null while it waits.")
    ended_at: DateTime | None = strawberry.field(description="When; null while it waits.")
    erased_at: Long | None = strawberry.field(
        description="Position of the entry that the bodies went with; null where none did."
    )
    reached: ErasureReach | None = strawberry.field(description="What rested on it; null where nobody looked.")
    warnings: list[str] = strawberry.field(
        default_factory=list, description="What still holds it, such as backups: told once, to who confirmed."
    )


@strawberry.type(description="One page of erasures.")
class ErasureConnection(Connection[Erasure]):
    pass


@strawberry.type(description="What may not be erased, by whose word.")
class ErasureHold:
    id: strawberry.ID = strawberry.field(description="Opaque id: a release names it.")
    namespaces: list[str] = strawberry.field(description="Globs of namespaces.")
    nodes: list[strawberry.ID] = strawberry.field(description="Ids of nodes.")
    entries: list[Long] = strawberry.field(description="Positions of the log.")
    reason: str = strawberry.field(description="Why.")
    by: str = strawberry.field(description="Who said so.")
    since: DateTime = strawberry.field(description="Since when.")
    until: DateTime | None = strawberry.field(description="Until when; null: until it is released.")


@strawberry.type(description="An entry whose body holds the words.")
class Erasable:
    seq: Long = strawberry.field(description="Its position, from 0.")
    type: EntryType = strawberry.field(description="What it records.")
    recorded: DateTime = strawberry.field(description="When the log took it.")
    actor: str = strawberry.field(description="Who sent it.")
    about: str = strawberry.field(description="The act's verb, or the event's type and its job or dataset.")
    where: list[str] = strawberry.field(description="Where in the body, as JSON pointers.")
    stays: str | None = strawberry.field(description="Why it cannot be erased; null where it can.")


@strawberry.type(description="What one stretch of the log holds of the words.")
class ErasableEntries:
    entries: list[Erasable] = strawberry.field(description="In the order of the log.")
    onward: Long | None = strawberry.field(description="Where to search on; null at the end of the log.")


@strawberry.input(description="Bodies to erase, or datasets whose rows were erased elsewhere.")
class ProposeErasureInput:
    entries: list[Long] = strawberry.field(default_factory=list, description="Positions of the log.")
    concerns: list[strawberry.ID] = strawberry.field(default_factory=list, description="Ids of datasets.")
    reason: str = strawberry.field(description="Why, without the words that are to go: it stays for good.")
    basis: str = strawberry.field(description="The ground in law, as in GDPR Art. 17(1)(b).")
    keep: Keep = strawberry.field(default=Keep.STRUCTURE, description="What stays of the entries.")


@strawberry.input(description="What may not be erased.")
class HoldErasureInput:
    namespaces: list[str] = strawberry.field(default_factory=list, description="Globs of namespaces.")
    nodes: list[strawberry.ID] = strawberry.field(default_factory=list, description="Ids of nodes.")
    entries: list[Long] = strawberry.field(default_factory=list, description="Positions of the log.")
    reason: str = strawberry.field(description="Why.")
    until: DateTime | None = strawberry.field(default=None, description="Until when; left out: until a release.")


Why = Annotated[str, strawberry.argument(description="Why.")]
ProposalId = Annotated[strawberry.ID, strawberry.argument(description="Id or UUID of the proposal.")]


@strawberry.type
class ErasureQuestions:
    """`Query` inherits them."""

    @resolver("Erasures that were asked for, the latest first. For the scopes redact and audit:read.")
    async def erasures(
        self,
        info: Info,
        states: Annotated[
            list[ErasureState] | None, strawberry.argument(description="Only in these states; left out: all.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> ErasureConnection:
        register = await _register(info)
        wanted = None if states is None else {each.value for each in states}
        found = [each for each in register.proposals if wanted is None or each.state.value in wanted]
        made = ERASURES.page(found, first, after).connection(lambda each: _erasure(each, register))
        return ErasureConnection(
            edges=made.edges, nodes=made.nodes, page_info=made.page_info, total_count=made.total_count
        )

    @resolver("Holds that nobody released, in the order of the log.")
    async def erasure_holds(self, info: Info) -> list[ErasureHold]:
        return [_hold(each) for each in (await _register(info)).holds]

    @resolver("Entries whose bodies hold some words, of namespaces in which you may redact.")
    async def erasable(
        self,
        info: Info,
        text: Annotated[str, strawberry.argument(description="The words, in any case; at least three characters.")],
        start: Annotated[
            Long | None, strawberry.argument(description="The position to begin at; left out: the first.")
        ] = None,
    ) -> ErasableEntries:
        desk = info.context
        return _found(await desk.in_thread(lambda: desk.eraser.find(desk.principal, text, start or 0)))


@strawberry.type
class ErasureActs:
    """`Mutation` inherits them."""

    @resolver("Ask a second person to erase bodies of the log.")
    async def propose_erasure(
        self,
        info: Info,
        input: Annotated[ProposeErasureInput, strawberry.argument(description="What, and why.")],  # noqa: A002
    ) -> Erasure:
        wanted = Wanted(
            input.reason,
            input.basis,
            tuple(input.entries),
            tuple(map(str, input.concerns)),
            "structure" if input.keep is Keep.STRUCTURE else "nothing",
        )
        return await _acted(info, lambda eraser: eraser.propose(info.context.principal, wanted))

    @resolver("Erase what somebody else proposed. It is gone when this is answered, and cannot be had back.")
    async def confirm_erasure(self, info: Info, id: ProposalId) -> Erasure:  # noqa: A002
        desk = info.context

        def work() -> Erasure:
            done: Confirmed = desk.eraser.confirm(desk.principal, str(id))
            return _erasure(done.proposal, desk.eraser.register(), done.warnings)

        return await desk.in_thread(work)

    @resolver("Say no to an erasure; its own proposer withdraws it.")
    async def decline_erasure(self, info: Info, id: ProposalId, reason: Why) -> Erasure:  # noqa: A002
        return await _acted(info, lambda eraser: eraser.decline(info.context.principal, str(id), reason))

    @resolver("Forbid to erase what these cover.")
    async def hold_erasure(
        self,
        info: Info,
        input: Annotated[HoldErasureInput, strawberry.argument(description="What, and why.")],  # noqa: A002
    ) -> ErasureHold:
        desk = info.context
        hold = await desk.in_thread(
            lambda: desk.eraser.hold(
                desk.principal,
                input.reason,
                namespaces=input.namespaces,
                nodes=list(map(str, input.nodes)),
                entries=list(input.entries),
                until=input.until,
            )
        )
        return _hold(hold)

    @resolver("End a hold; the holds that still stand.")
    async def release_erasure(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Id of the hold.")],  # noqa: A002
        reason: Why,
    ) -> list[ErasureHold]:
        desk = info.context
        await desk.in_thread(lambda: desk.eraser.release(desk.principal, str(id), reason))
        return [_hold(each) for each in (await _register(info)).holds]


ERASURES: Listing[Proposal] = Listing("erasures", lambda each: (f"{each.seq:020d}",), descending=True)


async def _register(info: Info) -> ErasureRegister:
    desk = info.context
    if not desk.principal.may(Scope.REDACT):
        desk.principal.require(Scope.AUDIT_READ)
    return await desk.in_thread(desk.eraser.register)


async def _acted(info: Info, act: Callable[[Eraser], Proposal]) -> Erasure:
    desk = info.context
    return await desk.in_thread(lambda: _erasure(act(desk.eraser), desk.eraser.register()))


def _erasure(found: Proposal, register: ErasureRegister, warnings: tuple[str, ...] = ()) -> Erasure:
    said, ended = found.said, found.ended
    done = register.erasure_of(found.node)
    reached = done.said.reached if done else None
    return Erasure(
        id=strawberry.ID(found.node),
        proposal=found.id,
        state=ErasureState(found.state.value),
        reason=said.reason,
        basis=said.basis,
        keep=Keep(said.keep),
        entries=[_entry(each) for each in said.entries],
        concerns=[strawberry.ID(each) for each in said.concerns],
        proposed_by=said.by.person or said.by.principal,
        proposed_at=time_of(found.at),
        ended_by=(ended.by.person or ended.by.principal) if ended else None,
        ended_at=DateTime(ended.at) if ended else None,
        erased_at=Long(done.seq) if done and done.said.erased else None,
        reached=None if reached is None else _reach(reached),
        warnings=list(warnings),
    )


def _reach(found: Reached) -> ErasureReach:
    return ErasureReach(
        models=[strawberry.ID(each) for each in found.models],
        deployments=[strawberry.ID(each) for each in found.deployments],
        decisions=[strawberry.ID(each) for each in found.decisions],
    )


def _entry(found: EntryRef) -> ErasureEntry:
    return ErasureEntry(seq=Long(found.seq), commit=found.commit)


def _hold(found: StandingHold) -> ErasureHold:
    said = found.said
    return ErasureHold(
        id=strawberry.ID(found.node),
        namespaces=list(said.namespaces),
        nodes=[strawberry.ID(each) for each in said.nodes],
        entries=[Long(each) for each in said.entries],
        reason=said.reason,
        by=said.by.person or said.by.principal,
        since=time_of(found.at),
        until=None if said.until is None else DateTime(said.until),
    )


def _found(found: Found) -> ErasableEntries:
    return ErasableEntries(
        entries=[
            Erasable(
                seq=Long(each.seq),
                type=each.type,
                recorded=time_of(each.recorded),
                actor=each.actor,
                about=each.about,
                where=list(each.where),
                stays=each.stays,
            )
            for each in found.matches
        ],
        onward=None if found.onward is None else Long(found.onward),
    )
