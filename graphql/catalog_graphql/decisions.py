"""Decisions of the release gate, each with what it was computed from and its signature."""

from collections.abc import Iterable

import orjson
import strawberry

from catalog.act import Act
from catalog.identity import NodeKind
from catalog.model import AsOf
from catalog.model import Node as NodeRecord
from catalog.reading import Reading
from catalog_graphql.connection import Connection, Listing
from catalog_graphql.desk import Info
from catalog_graphql.log import LogEntry, entry_of_act
from catalog_graphql.nodes import ACT_TYPES, Node, common, node
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, Long, optional_time, time
from catalog_graphql.verdicts import ControlVerdict, control
from policies.acts import Decide, plain
from policies.formats.document import Decision as DecisionDocument
from policies.formats.document import decision_of
from policies.gate import Ruling
from policies.verdict import GateState, Verdict


@strawberry.type(description="The log that was decided on: its first logSize entries have this Merkle root.")
class DecisionSnapshot:
    origin: str = strawberry.field(description="Which log.")
    log_size: Long = strawberry.field(description="How many entries it had.")
    root: str = strawberry.field(description="Root of the tree over them (RFC 6962, SHA-256), hex.")
    known: Long = strawberry.field(description="How many of them the evidence knows.")


@strawberry.type(description="An answer of the release gate. It never changes, whatever happens later.")
class Decision(Node):
    held: strawberry.Private[DecisionDocument | None] = None
    written: strawberry.Private[Act | None] = None

    @resolver("The answer.")
    async def state(self, info: Info) -> GateState:
        return (await _held(info, self)).state

    @resolver("Whether the version may go into the environment.")
    async def allow(self, info: Info) -> bool:
        return (await _held(info, self)).state is GateState.ALLOW

    @resolver("Why, in sentences.")
    async def reasons(self, info: Info) -> list[str]:
        return list((await _body(info, self)).reasons)

    @resolver("Where the version was to go.")
    async def environment(self, info: Info) -> str:
        return (await _body(info, self)).environment

    @resolver("What was judged; null where it was not found.")
    async def target(self, info: Info) -> Node | None:
        target = (await _body(info, self)).target
        found = await info.context.node(self.cut, target.node) if target else None
        return node(found, self.cut) if found else None

    @resolver("Who asked.")
    async def requester(self, info: Info) -> str:
        return (await _body(info, self)).requester

    @resolver("When it was decided, and ages and expiries were judged.")
    async def at(self, info: Info) -> DateTime:
        return time((await _body(info, self)).evaluated_at)

    @resolver("When an allow lapses unless the version is deployed by then.")
    async def expires_at(self, info: Info) -> DateTime | None:
        return optional_time((await _body(info, self)).expires_at)

    @resolver("When time alone would change it.")
    async def next_flip_at(self, info: Info) -> DateTime | None:
        return optional_time((await _body(info, self)).next_flip_at)

    @resolver("The worst verdict of all controls.")
    async def verdict(self, info: Info) -> Verdict:
        return Verdict((await _body(info, self)).verdict)

    @resolver("What each control said.")
    async def controls(self, info: Info) -> list[ControlVerdict]:
        return [control(each, self.cut) for each in (await _held(info, self)).controls]

    @resolver("The packs, as NAME@VERSION.")
    async def packs(self, info: Info) -> list[str]:
        return [f"{each.name}@{each.version}" for each in (await _body(info, self)).packs]

    @resolver("The bindings that chose them.")
    async def bindings(self, info: Info) -> list[str]:
        return [each.name for each in (await _body(info, self)).bindings]

    @resolver("Approvals that the evidence holds.")
    async def approvals(self, info: Info) -> list[Node]:
        found = [await info.context.node(self.cut, each) for each in (await _body(info, self)).approvals]
        return [node(each, self.cut) for each in found if each]

    @resolver("Waivers that covered something.")
    async def waivers(self, info: Info) -> list[Node]:
        ids = [str(each["id"]) for each in (await _body(info, self)).waivers]
        found = [await info.context.node(self.cut, each) for each in ids]
        return [node(each, self.cut) for each in found if each]

    @resolver("Whether one person went back to what was allowed before.")
    async def is_rollback(self, info: Info) -> bool:
        return (await _body(info, self)).rollback is not None

    @resolver("Whether it only answers what would be: nothing was recorded.")
    async def preview(self, info: Info) -> bool:
        return (await _body(info, self)).preview

    @resolver("SHA-256 of the evidence document (RFC 8785).")
    async def evidence_digest(self, info: Info) -> str | None:
        return (await _body(info, self)).evidence_digest

    @resolver("The evidence document as JSON text.")
    async def evidence(self, info: Info) -> str | None:
        found = (await _held(info, self)).document.get("evidence")
        return None if found is None else orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()

    @resolver("The state of the log that it was decided on.")
    async def snapshot(self, info: Info) -> DecisionSnapshot:
        found = (await _body(info, self)).snapshot
        return DecisionSnapshot(
            origin=found.origin, log_size=Long(found.log_size), root=found.root, known=Long(found.known)
        )

    @resolver("The file that verifies and replays offline, as JSON text: lineward decision verify, replay.")
    async def bundle(self, info: Info) -> str:
        governance, held = info.context.governance, await _held(info, self)
        found = await info.context.in_thread(lambda: governance.bundle(held))
        return orjson.dumps(found).decode()

    @resolver("The signed verification summary (in-toto Statement in DSSE) as JSON text; null where it has none.")
    async def attestation(self, info: Info) -> str | None:
        governance, held = info.context.governance, await _held(info, self)
        found = await info.context.in_thread(lambda: governance.attestation(held))
        return None if found is None else orjson.dumps(found).decode()

    @resolver("The entry of the log that holds it; null for a preview.")
    async def entry(self, info: Info) -> LogEntry | None:
        await _held(info, self)
        return await entry_of_act(info, self.written, self.cut) if self.written else None


@strawberry.type(description="One page of decisions, the latest first.")
class DecisionConnection(Connection[Decision]):
    pass


ACT_TYPES["decide"] = Decision
DECISIONS: Listing[Act] = Listing("decisions", lambda act: (f"{act.seq:020d}", act.id), descending=True)


def chosen(reading: Reading, target: str | None, environment: str | None) -> Iterable[Act]:
    found = reading.acts(NodeKind.DECISION, target)
    return [act for act in found if act.verb == "decide" and environment in (None, act.body.get("environment"))]


def decision(act: Act, cut: AsOf) -> Decision:
    return _made(decision_of(act.body), act, cut)


def ruled(ruling: Ruling, cut: AsOf) -> Decision:
    """A decision just made. One that is not in the log has an id all the same, which finds nothing."""
    return _made(decision_of(plain(ruling.body)), ruling.act, cut)


def _made(document: DecisionDocument, act: Act | None, cut: AsOf) -> Decision:
    target = document.body.target
    record = NodeRecord(
        document.id,
        NodeKind.DECISION,
        target.namespace if target else None,
        "decide",
        parent=target.node if target else None,
    )
    return Decision(**common(record, cut), held=document, written=act)


async def _held(info: Info, asked: Decision) -> DecisionDocument:
    if asked.held is None:
        act = await info.context.ask(asked.cut, lambda reading: reading.act(asked.record.id))
        assert act is not None  # a node of this kind was read at this very cut
        asked.held, asked.written = decision_of(act.body), act
    return asked.held


async def _body(info: Info, asked: Decision) -> Decide:
    return (await _held(info, asked)).body
