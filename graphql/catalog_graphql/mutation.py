"""What can be done: decisions of the gate, and what people approve, waive, attest and bring into force."""

from collections.abc import Callable
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from catalog.model import AsOf
from catalog_graphql import inputs
from catalog_graphql.acts import Approval, Attestation, Waiver, of_outcome
from catalog_graphql.decisions import Decision, ruled
from catalog_graphql.desk import Desk, Info
from catalog_graphql.erasure_cases import CaseActs
from catalog_graphql.erasures import ErasureActs
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime
from policies.enactment import Proposed
from policies.in_force import Proposal
from policies.request import ApproveRequest, AttestRequest, DecideRequest, RevokeRequest, WaiveRequest


@strawberry.input(description="A question to the release gate.")
class DecideInput:
    target: inputs.NodeRef = strawberry.field(description="What is to be released: a version of a model.")
    environment: str = strawberry.field(description="Where it is to go, such as production.")
    packs: list[str] = strawberry.field(
        default_factory=list, description="Packs to add to those that the bindings choose."
    )
    use: str | None = strawberry.field(default=None, description="What it is to be used for.")
    at_least: str | None = strawberry.field(
        default=None, description="The token of a write that the decision must have seen."
    )
    preview: bool = strawberry.field(default=False, description="Answer the same, and record nothing.")
    rollback: bool = strawberry.field(
        default=False, description="Go back to what was allowed within 90 days: one approver suffices."
    )


@strawberry.input(description="An approval of one version as it is now.")
class ApproveInput:
    target: inputs.NodeRef = strawberry.field(description="The version.")
    environment: str = strawberry.field(description="Where it may go.")
    use: str | None = strawberry.field(default=None, description="The use that is approved; left out: every use.")
    role: str | None = strawberry.field(default=None, description="The role in which you approve: one of your key's.")
    conditions: list[str] = strawberry.field(default_factory=list, description="What it depends on.")
    valid_until: DateTime | None = strawberry.field(default=None, description="When it ceases.")
    reason: str | None = strawberry.field(default=None, description="Why.")
    expects: str | None = strawberry.field(
        default=None, description="The closure digest that you have seen: another one refuses the approval."
    )
    reaffirms: strawberry.ID | None = strawberry.field(
        default=None, description="An approval that late evidence made stale, and that you make good again."
    )


@strawberry.input(description="Names what is to be revoked.")
class RevokeInput:
    id: strawberry.ID = strawberry.field(description="Id of the approval, waiver or attestation.")
    reason: str = strawberry.field(description="Why.")


@strawberry.input(description="A waiver to propose, or with waiver one to countersign.")
class WaiveInput:
    target: inputs.NodeRef | None = strawberry.field(default=None, description="The version.")
    pack: str = strawberry.field(default="", description="Name of the pack.")
    control: str = strawberry.field(default="", description="Id of the control.")
    reason: str = strawberry.field(default="", description="Why it cannot hold now.")
    compensating_control: str = strawberry.field(default="", description="What is done instead.")
    expires_at: DateTime | None = strawberry.field(default=None, description="When it ceases.")
    environment: str | None = strawberry.field(default=None, description="Only there; left out: everywhere.")
    items: list[str] = strawberry.field(default_factory=list, description="Keys of the items; none: all.")
    break_glass: bool = strawberry.field(default=False, description="Alone, for at most 24 hours, and always listed.")
    waiver: strawberry.ID | None = strawberry.field(default=None, description="The waiver to countersign.")


@strawberry.input(description="A typed statement about a node.")
class AttestInput:
    target: inputs.NodeRef = strawberry.field(description="What it is about.")
    type: str = strawberry.field(description="Type of the statement, such as dpia or classification.")
    statement: JSON | None = strawberry.field(
        default=None, description="What is stated, as its type has it; left out where the type asks for nothing."
    )
    expires_at: DateTime = strawberry.field(description="When it ceases.")
    document_digest: str | None = strawberry.field(default=None, description="Digest of the document, algorithm:hex.")
    document_uri: str | None = strawberry.field(default=None, description="Where the document lies.")
    role: str | None = strawberry.field(default=None, description="The role in which you speak: one of your key's.")
    effective_at: DateTime | None = strawberry.field(default=None, description="Since when it holds; left out: now.")


@strawberry.type(description="A change of what is in force. It takes effect when a second person confirms it.")
class PolicyChange:
    id: strawberry.ID = strawberry.field(description="Opaque id.")
    verb: str = strawberry.field(description="proposePolicy, retirePolicy or acceptBaseline.")
    proposed_by: str = strawberry.field(description="Who proposed it.")
    confirmed_by: str | None = strawberry.field(description="Who confirmed it; null while it waits.")


@strawberry.input(description="One finding to accept until a date.")
class FindingInput:
    target: strawberry.ID = strawberry.field(description="Node id of what was judged.")
    pack: str = strawberry.field(description="Name of the pack.")
    control: str = strawberry.field(description="Id of the control.")
    item: str | None = strawberry.field(default=None, description="Key of the item; left out: the whole control.")


Reason = Annotated[str | None, strawberry.argument(description="Why.")]


@strawberry.type(description="Acts. Each is in the log before it is answered.")
class Mutation(ErasureActs, CaseActs):
    @resolver("Ask the release gate. The decision is in the log before it is answered, unless it is a preview.")
    async def decide(
        self,
        info: Info,
        input: Annotated[DecideInput, strawberry.argument(description="The question.")],  # noqa: A002
    ) -> Decision:
        desk = info.context
        request = DecideRequest(
            inputs.reference(input.target),
            input.environment,
            tuple(input.packs),
            input.use,
            input.at_least,
            input.preview,
            input.rollback,
        )
        ruling = await desk.in_thread(lambda: desk.governance.gate.decide(desk.principal, request))
        return ruled(ruling, AsOf())

    @resolver("Approve a version, as it is now, for an environment.")
    async def approve(
        self,
        info: Info,
        input: Annotated[ApproveInput, strawberry.argument(description="The approval.")],  # noqa: A002
    ) -> Approval:
        desk = info.context
        request = ApproveRequest(
            inputs.reference(input.target),
            input.environment,
            input.use,
            input.role,
            tuple(input.conditions),
            input.valid_until,
            input.reason,
            input.expects,
            str(input.reaffirms) if input.reaffirms else None,
        )
        entered = await desk.in_thread(lambda: desk.governance.register.approve(desk.principal, request))
        approval: Approval = of_outcome(entered.outcome, Approval, AsOf())
        return approval

    @resolver("Take an approval back.")
    async def revoke_approval(
        self,
        info: Info,
        input: Annotated[RevokeInput, strawberry.argument(description="Which, and why.")],  # noqa: A002
    ) -> Approval:
        desk, request = info.context, RevokeRequest(str(input.id), input.reason)
        entered = await desk.in_thread(lambda: desk.governance.register.revoke_approval(desk.principal, request))
        approval: Approval = of_outcome(entered.outcome, Approval, AsOf())
        return approval

    @resolver("Propose a waiver; the same call by a second person countersigns it.")
    async def waive(
        self,
        info: Info,
        input: Annotated[WaiveInput, strawberry.argument(description="The waiver.")],  # noqa: A002
    ) -> Waiver:
        desk = info.context
        request = WaiveRequest(
            inputs.reference(input.target) if input.target else None,
            input.pack,
            input.control,
            input.reason,
            input.compensating_control,
            input.expires_at or "",
            input.environment,
            tuple(input.items),
            input.break_glass,
            str(input.waiver) if input.waiver else None,
        )
        entered = await desk.in_thread(lambda: desk.governance.register.waive(desk.principal, request))
        waiver: Waiver = of_outcome(entered.outcome, Waiver, AsOf())
        return waiver

    @resolver("Take a waiver back.")
    async def revoke_waiver(
        self,
        info: Info,
        input: Annotated[RevokeInput, strawberry.argument(description="Which, and why.")],  # noqa: A002
    ) -> Waiver:
        desk, request = info.context, RevokeRequest(str(input.id), input.reason)
        entered = await desk.in_thread(lambda: desk.governance.register.revoke_waiver(desk.principal, request))
        waiver: Waiver = of_outcome(entered.outcome, Waiver, AsOf())
        return waiver

    @resolver("State something about a node.")
    async def attest(
        self,
        info: Info,
        input: Annotated[AttestInput, strawberry.argument(description="The statement.")],  # noqa: A002
    ) -> Attestation:
        desk = info.context
        request = AttestRequest(
            inputs.reference(input.target),
            input.type,
            inputs.json_object(input.statement or {}, "/input/statement"),
            input.expires_at,
            input.document_digest,
            input.document_uri,
            input.role,
            input.effective_at,
        )
        entered = await desk.in_thread(lambda: desk.governance.register.attest(desk.principal, request))
        attestation: Attestation = of_outcome(entered.outcome, Attestation, AsOf())
        return attestation

    @resolver("Withdraw an attestation.")
    async def revoke_attestation(
        self,
        info: Info,
        input: Annotated[RevokeInput, strawberry.argument(description="Which, and why.")],  # noqa: A002
    ) -> Attestation:
        desk, request = info.context, RevokeRequest(str(input.id), input.reason)
        entered = await desk.in_thread(lambda: desk.governance.register.withdraw(desk.principal, request))
        attestation: Attestation = of_outcome(entered.outcome, Attestation, AsOf())
        return attestation

    @resolver("Propose packs and bindings.")
    async def propose_policy(
        self,
        info: Info,
        documents: Annotated[list[JSON], strawberry.argument(description="PolicyPack and PolicyBinding documents.")],
        reason: Reason = None,
    ) -> PolicyChange:
        told = [inputs.json_object(each, f"/documents/{index}") for index, each in enumerate(documents)]
        return await _changed(info, lambda desk: desk.governance.register.propose_policy(desk.principal, told, reason))

    @resolver("Propose that packs and bindings end.")
    async def retire_policy(
        self,
        info: Info,
        names: Annotated[list[str], strawberry.argument(description="Names of packs and bindings in force.")],
        reason: Reason = None,
    ) -> PolicyChange:
        return await _changed(info, lambda desk: desk.governance.register.retire(desk.principal, names, reason))

    @resolver("Propose to accept today's findings under a binding until a date.")
    async def accept_baseline(
        self,
        info: Info,
        binding: Annotated[str, strawberry.argument(description="Name of the binding.")],
        until: Annotated[DateTime, strawberry.argument(description="The date.")],
        findings: Annotated[list[FindingInput], strawberry.argument(description="What is accepted.")],
    ) -> PolicyChange:
        told = [(str(each.target), each.pack, each.control, each.item) for each in findings]
        return await _changed(
            info, lambda desk: desk.governance.register.accept_baseline(desk.principal, binding, until, told)
        )

    @resolver("Confirm somebody else's change: it takes effect now.")
    async def confirm_policy(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Id of the change.")],  # noqa: A002
    ) -> PolicyChange:
        return await _changed(info, lambda desk: desk.governance.register.confirm_policy(desk.principal, str(id)))


async def _changed(info: Info, act: Callable[[Desk], Proposed]) -> PolicyChange:
    proposed = await info.context.in_thread(lambda: act(info.context))
    return change(proposed.proposal)


def change(found: Proposal) -> PolicyChange:
    return PolicyChange(
        id=strawberry.ID(found.act.id), verb=found.kind, proposed_by=found.by, confirmed_by=found.confirmed_by
    )
