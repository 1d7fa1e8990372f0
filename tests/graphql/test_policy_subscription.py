"""Decisions and verdicts as they come, what stands, and what to look at: for those who may know."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from threading import Event
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]
from starlette.testclient import TestClient, WebSocketTestSession
from strawberry.schema.config import StrawberryConfig

from catalog.identity import NodeKind, dataset_id, named_version_id
from catalog.instant import text
from catalog.model import Node
from catalog.principal import Principal, Scope, grants
from catalog_graphql.application import create_graphql
from catalog_graphql.changes import Mailbox, SlowConsumerError, concerns
from catalog_graphql.desk import Desk, Sources
from catalog_graphql.findings import Overview
from catalog_graphql.nodes import ACT_TYPES, TYPES
from catalog_graphql.progress import Progress
from catalog_graphql.scalars import SCALARS
from catalog_graphql.schema import Schema
from policies.gate import Gate
from policies.governance import Governance
from policies.judge import Judge
from policies.verdict import Verdict
from policies.watch.change import VerdictChange
from policies.watch.watching import Listener, Watching, watched
from tests.graphql.test_subscription import subscribed
from tests.policies.office import ANN, BOB, DAY, HOUR, REGISTRY, Office, binding, control, pack, person, version
from tests.policies.watched import acts_of

CREDIT = dataset_id(REGISTRY, "credit")
ONE = named_version_id(CREDIT, "1")
READER = person("reader", scopes=[Scope.LINEAGE_READ])
BLIND = replace(person("blind"), grants=(*grants([Scope.POLICY_READ]), *grants([Scope.LINEAGE_READ], ["elsewhere*"])))

CHANGES = """subscription ($pack: String) { verdictChanges(pack: $pack) {
  target { name ... on ModelVersion { version } } targetId environment pack control from to at seq } }"""
DECISIONS = "subscription ($in: String) { decisions(environment: $in) { state environment target { name } } }"


class HeardWatching(Watching):
    """Says when somebody listens."""

    def __init__(self, *parts: Any, **named: Any) -> None:
        super().__init__(*parts, **named)
        self.heard = Event()

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        with super().listening(listener):
            self.heard.set()
            yield


@cache
def overview() -> Schema:
    types = [*TYPES.values(), *ACT_TYPES.values()]
    return Schema(query=Overview, types=types, config=StrawberryConfig(scalar_map=SCALARS))


class House:
    """An office with a watch that looks when it is told to, and a server over both."""

    def __init__(self) -> None:
        self.office = Office()
        self.office.enact(pack(controls=[control("owner"), control("secret")]), binding())
        judge = Judge()
        office, signer = self.office, CryptoSigner.generate_ed25519()
        self.watching = HeardWatching(office.access, judge, acts_of(office.entries), clock=lambda: office.now)
        self.governance = Governance(
            office.journal, office.register, judge, Gate(office.journal, judge), lambda: signer
        )
        self.who: Principal = ANN
        self.settle()

    def settle(self) -> None:
        while self.watching.look():
            pass

    def own(self, **more: Any) -> None:
        self.office.attest(ANN, "inventory", version(), statement={"owner": "team:credit"}, **more)

    def client(self, progress: Progress | None = None, *, watches: bool = True) -> TestClient:
        governance = watched(self.governance, self.watching) if watches else self.governance
        app = create_graphql(
            self.office.access,
            lambda seq: self.office.entries[seq],
            principal_of=lambda _: self.who,
            governance=governance,
            progress=progress,
        )
        return TestClient(app)

    def ask(self, query: str, **variables: Any) -> Mapping[str, Any]:
        """Put a question of the overview; its data, or the error's code."""
        office = self.office
        with ThreadPoolExecutor(2) as executor:
            sources = Sources(
                office.access,
                lambda seq: office.entries[seq],
                Steps(self),
                executor,
                governance=watched(self.governance, self.watching),
                now=lambda: office.now / 1_000_000,
            )
            asked = overview().execute(query, variable_values=variables, context_value=Desk(sources, self.who))
            answer = asyncio.run(asked)
        if answer.errors:
            return {"error": (answer.errors[0].extensions or {})["code"]}
        return answer.data or {}


class Steps:
    """Progress that a test makes itself, deed by deed."""

    def __init__(self, house: House, *deeds: Callable[[], object]) -> None:
        self._house, self._deeds = house, list(deeds)

    async def beyond(self, offset: int) -> int:
        if not self._deeds:
            raise RuntimeError("no more deeds")
        self._deeds.pop(0)()
        return self._house.office.access.offset()


@pytest.fixture
def house() -> House:
    return House()


def received(socket: WebSocketTestSession, field: str) -> dict[str, Any]:
    told: dict[str, Any] = socket.receive_json()["payload"]["data"][field]
    return told


def code_of(told: dict[str, Any]) -> str:
    errors = told["payload"] if isinstance(told["payload"], list) else told["payload"]["errors"]
    return str(errors[0]["extensions"]["code"])


# Verdicts ----------------------------------------------------------------------------------------------------------


def test_a_verdict_that_becomes_another_is_told(house: House) -> None:
    with subscribed(house.client(), CHANGES) as socket:
        assert house.watching.heard.wait(timeout=30)
        house.own()
        house.settle()
        told = [received(socket, "verdictChanges") for _ in range(2)]

    assert told[0] == {
        "target": {"name": "credit", "version": "1"},
        "targetId": ONE,
        "environment": "production",
        "pack": "base@1.0.0",
        "control": "owner",
        "from": "UNKNOWN",
        "to": "PASS",
        "at": text(house.office.now),
        "seq": len(house.office.entries) - 1,
    }
    assert [each["control"] for each in told] == ["owner", "secret"]


def test_time_alone_is_told_without_an_entry(house: House) -> None:
    house.own(expires_at=house.office.later(10 * HOUR))
    house.settle()
    with subscribed(house.client(), CHANGES) as socket:
        assert house.watching.heard.wait(timeout=30)
        house.office.wait(10 * HOUR)
        house.settle()
        told = received(socket, "verdictChanges")

    assert (told["from"], told["to"], told["seq"]) == ("PASS", "UNKNOWN", None)


@pytest.mark.parametrize("wanted", ["second", "second@1.0.0"])
def test_only_changes_of_the_pack_are_told(house: House, wanted: str) -> None:
    house.office.enact(pack("second", controls=[control("tidy")]), binding("more", "second"))
    house.settle()
    with subscribed(house.client(), CHANGES, pack=wanted) as socket:
        assert house.watching.heard.wait(timeout=30)
        house.own()
        house.settle()
        assert received(socket, "verdictChanges")["control"] == "tidy"


def test_whoever_may_not_read_policies_hears_nothing(house: House) -> None:
    house.who = READER
    for query in (CHANGES, DECISIONS):
        with subscribed(house.client(Steps(house)), query) as socket:
            assert code_of(socket.receive_json()) == "FORBIDDEN"


def test_whoever_loses_the_scope_hears_nothing_more(house: House) -> None:
    with subscribed(house.client(), CHANGES) as socket:
        assert house.watching.heard.wait(timeout=30)
        house.own()
        house.settle()
        received(socket, "verdictChanges")
        received(socket, "verdictChanges")
        house.who = READER
        house.office.attest(ANN, "inventory", version("2"), statement={"owner": "team:credit"})
        house.settle()
        closed = socket.receive()

    assert (closed["type"], closed["code"]) == ("websocket.close", 4403)


def test_a_server_without_a_watch_says_so(house: House) -> None:
    with subscribed(house.client(watches=False), CHANGES) as socket:
        assert code_of(socket.receive_json()) == "NOT_FOUND"


def change(pack_: str = "base@1.0.0", namespace: str | None = REGISTRY) -> VerdictChange:
    target = Node(ONE, NodeKind.MODEL_VERSION, namespace, "credit")
    return VerdictChange(target, "production", pack_, "owner", Verdict.PASS, Verdict.FAIL, 0, 1, 0)


def test_a_change_concerns_who_may_read_the_model() -> None:
    assert concerns(change(), None, ANN)
    assert not concerns(change(), None, BLIND)
    assert concerns(change(namespace="elsewhere/models"), None, BLIND)
    assert not concerns(change(), "bas", ANN)


def test_a_subscriber_that_does_not_keep_up_is_closed() -> None:
    async def slow() -> None:
        mailbox = Mailbox(most=2)
        mailbox.post([change()] * 2)
        await asyncio.sleep(0)
        await mailbox.take()
        mailbox.post([change()] * 2)
        await asyncio.sleep(0)
        await mailbox.take()

    with pytest.raises(SlowConsumerError):
        asyncio.run(slow())


def test_a_subscriber_whose_loop_is_gone_hinders_nobody() -> None:
    async def opened() -> Mailbox:
        return Mailbox()

    asyncio.run(opened()).post([change()])


def test_changes_arrive_in_their_order() -> None:
    async def reader() -> list[str]:
        mailbox = Mailbox()
        mailbox.post([change("a@1.0.0"), change("b@1.0.0")])
        mailbox.post([change("c@1.0.0")])
        return [(await mailbox.take()).pack for _ in range(3)]

    assert asyncio.run(reader()) == ["a@1.0.0", "b@1.0.0", "c@1.0.0"]


# Decisions ---------------------------------------------------------------------------------------------------------


def test_each_new_decision_is_told_once_it_is_projected(house: House) -> None:
    office = house.office
    office.decided()
    steps = Steps(
        house,
        lambda: office.approve(BOB),
        lambda: (office.decided("DENY"), office.decided(environment="staging")),
    )
    with subscribed(house.client(steps), DECISIONS) as socket:
        told = [received(socket, "decisions") for _ in range(2)]

    assert [(each["state"], each["environment"]) for each in told] == [("DENY", "production"), ("ALLOW", "staging")]
    assert told[0]["target"] == {"name": "credit"}


def test_only_decisions_for_the_environment_are_told(house: House) -> None:
    office = house.office
    steps = Steps(house, lambda: (office.decided(environment="staging"), office.decided("DENY")))
    with subscribed(house.client(steps), DECISIONS, **{"in": "production"}) as socket:
        assert received(socket, "decisions")["state"] == "DENY"


def test_decisions_on_what_one_may_not_see_are_not_told(house: House) -> None:
    house.who = BLIND
    with subscribed(house.client(Steps(house, lambda: house.office.decided())), DECISIONS) as socket:
        told = socket.receive_json()

    assert code_of(told) == "INTERNAL"  # the test's steps have come to their end, and nothing was told before


# What stands, and what to look at ----------------------------------------------------------------------------------

STANDING = """query ($in: String, $verdicts: [Verdict!], $pack: String, $first: Int, $after: String) {
  standing(environment: $in, verdicts: $verdicts, pack: $pack, first: $first, after: $after) { pending totalCount
    pageInfo { endCursor hasNextPage }
    nodes { targetId environment verdict nextFlipAt trouble controls { pack control verdict enforcement } } } }"""
FINDINGS = """query ($kinds: [FindingKind!], $first: Int! = 200) {
  findings(kinds: $kinds, first: $first) { kind since message remedy target { name } act { kind } } }"""


def test_the_matrix_shows_each_version_with_each_control(house: House) -> None:
    house.own()
    house.settle()

    found = house.ask(STANDING)["standing"]

    assert (found["pending"], found["totalCount"]) == (0, 2)
    rows = {row["targetId"]: row for row in found["nodes"]}
    assert rows[ONE]["controls"] == [
        {"pack": "base@1.0.0", "control": each, "verdict": "PASS", "enforcement": "BLOCK"}
        for each in ("owner", "secret")
    ]
    assert rows[ONE]["verdict"] == "PASS"
    assert rows[ONE]["nextFlipAt"] == house.office.later(10 * DAY)


def test_the_matrix_can_be_narrowed_and_paged(house: House) -> None:
    house.office.enact(pack("second", controls=[control("tidy")]), binding("more", "second", environments=["staging"]))
    house.own()
    house.settle()

    def rows(**asked: Any) -> list[tuple[str, str]]:
        return [(row["targetId"], row["environment"]) for row in house.ask(STANDING, **asked)["standing"]["nodes"]]

    every = rows()
    assert len(every) == 4
    assert rows(**{"in": "staging"}) == [each for each in every if each[1] == "staging"]
    assert rows(verdicts=["PASS"]) == [(ONE, "production"), (ONE, "staging")]
    assert rows(pack="second") == rows(**{"in": "staging"})
    first = house.ask(STANDING, first=3)["standing"]
    after = first["pageInfo"]["endCursor"]
    assert [(row["targetId"], row["environment"]) for row in first["nodes"]] + rows(after=after) == every


def test_the_matrix_shows_only_what_one_may_see(house: House) -> None:
    house.who = BLIND
    assert house.ask(STANDING)["standing"]["totalCount"] == 0
    house.who = READER
    assert house.ask(STANDING) == {"error": "FORBIDDEN"}
    assert house.ask(FINDINGS) == {"error": "FORBIDDEN"}


def test_findings_say_what_to_look_at_the_latest_first(house: House) -> None:
    house.office.decided()
    house.office.waive(ANN, "owner", break_glass=True, expires_at=house.office.later(HOUR))
    house.office.wait(2 * DAY)

    found = house.ask(FINDINGS)["findings"]

    assert [each["kind"] for each in found] == ["LAPSED_ALLOW", "EXPIRED_WAIVER", "BREAK_GLASS"]
    assert found[0]["target"] == {"name": "credit"}
    assert found[0]["act"] == {"kind": "DECISION"}
    assert [each["kind"] for each in house.ask(FINDINGS, kinds=["BREAK_GLASS"])["findings"]] == ["BREAK_GLASS"]
    assert len(house.ask(FINDINGS, first=1)["findings"]) == 1
    house.who = BLIND
    assert house.ask(FINDINGS)["findings"] == []
