"""What people did, as nodes: approvals, waivers, attestations and policy changes, each as it now stands."""

from collections.abc import Mapping
from typing import Any

import orjson
import strawberry

from catalog.act import Act
from catalog.errors import NotFoundError
from catalog.identity import NodeKind
from catalog.model import AsOf
from catalog.model import Node as NodeRecord
from catalog.reading import Reading
from catalog_graphql.desk import Info
from catalog_graphql.log import LogEntry, entry_of_act
from catalog_graphql.nodes import ACT_TYPES, Node, common, node
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, time, time_of
from policies.outcome import Outcome, State, outcome, outcome_of


@strawberry.type(description="What a person did, and what became of it.")
class PersonsAct(Node):
    held: strawberry.Private[Outcome | None] = None

    @resolver("How it stands.")
    async def state(self, info: Info) -> State:
        return (await _held(info, self)).state

    @resolver("What it is about.")
    async def target(self, info: Info) -> Node | None:
        body = await _body(info, self)
        found = await info.context.node(self.cut, body["target"]["node"])
        return node(found, self.cut) if found else None

    @resolver("Who did it: the person, or the principal where no person is known.")
    async def by(self, info: Info) -> str:
        body = await _body(info, self)
        return str(body["by"].get("person") or body["by"]["principal"])

    @resolver("When it was accepted.")
    async def at(self, info: Info) -> DateTime:
        return time((await _body(info, self))["at"])

    @resolver("When it ceases, not included; null for never.")
    async def until(self, info: Info) -> DateTime | None:
        until = (await _held(info, self)).until
        return None if until is None else time_of(until)

    @resolver("Why, in the person's words.")
    async def reason(self, info: Info) -> str | None:
        return (await _body(info, self)).get("reason")

    @resolver("Who revoked it.")
    async def revoked_by(self, info: Info) -> str | None:
        return (await _held(info, self)).revoked_by

    @resolver("The entry of the log that holds it.")
    async def entry(self, info: Info) -> LogEntry | None:
        return await entry_of_act(info, (await _held(info, self)).act, self.cut)

    @resolver("What answered it, the earliest first: countersignatures and revocations.")
    async def answers(self, info: Info) -> list["OtherAct"]:
        main = (await _held(info, self)).act
        found = await info.context.ask(self.cut, lambda reading: reading.acts(main.kind, main.id))
        return [_other(act, self.cut) for act in found if act.verb not in ACT_TYPES]


@strawberry.type(description="A person's approval of one version, as it was then, for one environment.")
class Approval(PersonsAct):
    @resolver("Where the version may go.")
    async def environment(self, info: Info) -> str:
        return str((await _body(info, self))["environment"])

    @resolver("The use that is approved; null for every use.")
    async def use(self, info: Info) -> str | None:
        return (await _body(info, self)).get("use")

    @resolver("The role in which the person approved.")
    async def role(self, info: Info) -> str | None:
        return (await _body(info, self)).get("role")

    @resolver("What the approval depends on.")
    async def conditions(self, info: Info) -> list[str]:
        return list((await _body(info, self)).get("conditions", ()))

    @resolver("Digest of everything that made the version when it was approved.")
    async def closure_digest(self, info: Info) -> str:
        return str((await _body(info, self))["closureDigest"])


@strawberry.type(description="One control set aside for one version, until a date.")
class Waiver(PersonsAct):
    @resolver("The pack of the control.")
    async def pack(self, info: Info) -> str:
        return str((await _body(info, self))["pack"])

    @resolver("The control.")
    async def control(self, info: Info) -> str:
        return str((await _body(info, self))["control"])

    @resolver("The items that it covers; empty for all.")
    async def items(self, info: Info) -> list[str]:
        return list((await _body(info, self)).get("items", ()))

    @resolver("The environment that it holds for; null for all.")
    async def environment(self, info: Info) -> str | None:
        return (await _body(info, self)).get("environment")

    @resolver("What is done instead.")
    async def compensating_control(self, info: Info) -> str:
        return str((await _body(info, self))["compensatingControl"])

    @resolver("Whether one person alone set it, for at most 24 hours.")
    async def break_glass(self, info: Info) -> bool:
        return bool((await _body(info, self)).get("breakGlass"))

    @resolver("The second person; null while it waits for one.")
    async def countersigned_by(self, info: Info) -> str | None:
        return (await _held(info, self)).countersigned_by


@strawberry.type(description="A person's statement about a node.")
class Attestation(PersonsAct):
    @resolver("What kind of statement it is, such as dpia or classification.")
    async def type(self, info: Info) -> str:
        return str((await _body(info, self))["type"])

    @resolver("The role in which the person spoke.")
    async def role(self, info: Info) -> str | None:
        return (await _body(info, self)).get("role")

    @resolver("The statement as JSON text.")
    async def statement(self, info: Info) -> str:
        return _json((await _body(info, self))["statement"])

    @resolver("Digest of the document that it rests on, algorithm:hex.")
    async def document_digest(self, info: Info) -> str | None:
        return (await _body(info, self)).get("documentDigest")

    @resolver("Where that document lies.")
    async def document_uri(self, info: Info) -> str | None:
        return (await _body(info, self)).get("documentUri")


@strawberry.type(description="Any other act: a revocation, a countersignature, a change of what is in force.")
class OtherAct(Node):
    @resolver("Who did it: the person, or the principal where no person is known.")
    async def by(self, info: Info) -> str:
        body = (await self._act(info)).body
        return str(body["by"].get("person") or body["by"]["principal"])

    @resolver("When it was accepted.")
    async def at(self, info: Info) -> DateTime:
        return time((await self._act(info)).body["at"])

    @resolver("The act that it answers.")
    async def refers_to(self, info: Info) -> Node | None:
        answered = (await self._act(info)).body.get("refersTo")
        found = await info.context.node(self.cut, answered) if answered else None
        return node(found, self.cut) if found else None

    @resolver("What it says, as JSON text.")
    async def body(self, info: Info) -> str:
        return _json((await self._act(info)).body)

    @resolver("The entry of the log that holds it.")
    async def entry(self, info: Info) -> LogEntry | None:
        return await entry_of_act(info, await self._act(info), self.cut)

    async def _act(self, info: Info) -> Act:
        return await info.context.ask(self.cut, lambda reading: _read(reading, self.record.id))


ACT_TYPES |= {"approve": Approval, "waive": Waiver, "attest": Attestation, "": OtherAct}


async def approvals_of(info: Info, version: Node) -> list[Approval]:
    return [of_outcome(each, Approval, version.cut) for each in await _all(info, version, NodeKind.APPROVAL)]


async def waivers_of(info: Info, version: Node) -> list[Waiver]:
    return [of_outcome(each, Waiver, version.cut) for each in await _all(info, version, NodeKind.WAIVER)]


async def attestations_of(info: Info, node: Node) -> list[Attestation]:
    return [of_outcome(each, Attestation, node.cut) for each in await _all(info, node, NodeKind.ATTESTATION)]


async def _all(info: Info, node: Node, kind: NodeKind) -> list[Outcome]:
    return await info.context.ask(
        node.cut, lambda reading: _outcomes(reading, node.record.id, kind, info.context.now())
    )


def _outcomes(reading: Reading, node: str, kind: NodeKind, now: int) -> list[Outcome]:
    """Of the acts themselves; those that answer them concern the node too."""
    found = reading.acts(kind, node)
    return [outcome(act, found, now) for act in found if act.verb in ACT_TYPES]


def of_outcome(found: Outcome, kind: type[Any], cut: AsOf) -> Any:
    """The GraphQL object of an act whose outcome is at hand."""
    target = found.act.body.get("target") or {}
    record = NodeRecord(found.id, found.act.kind, target.get("namespace"), found.act.verb, parent=target.get("node"))
    return kind(**common(record, cut), held=found)


def _other(act: Act, cut: AsOf) -> OtherAct:
    target = act.body.get("target") or {}
    record = NodeRecord(act.id, act.kind, target.get("namespace"), act.verb, parent=target.get("node"))
    return OtherAct(**common(record, cut))


async def _held(info: Info, act: PersonsAct) -> Outcome:
    if act.held is None:
        act.held = await info.context.ask(act.cut, lambda reading: _outcome(reading, act, info.context.now()))
    return act.held


async def _body(info: Info, act: PersonsAct) -> Mapping[str, Any]:
    return (await _held(info, act)).act.body


def _outcome(reading: Reading, asked: PersonsAct, now: int) -> Outcome:
    return outcome_of(reading, _read(reading, asked.record.id), now)


def _read(reading: Reading, act: str) -> Act:
    found = reading.act(act)
    if found is None:
        raise NotFoundError(f"There is no act {act}.", "Take an id from an answer.")
    return found


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
