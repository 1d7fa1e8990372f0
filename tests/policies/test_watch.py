"""Verdicts that are kept are those that judging everything anew would give, and only what changed is judged."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import LinewardError
from catalog.graph.contract import GraphStore
from catalog.graph.memory import MemoryGraph
from catalog.graph.sqlite import SqliteGraph
from catalog.identity import NodeKind
from catalog.instant import text
from catalog.log.entry import EntryType, Submission
from catalog.model import DatasetRef, NodeRef
from catalog.principal import Principal
from policies.library import built_in
from policies.loading import load_pack
from policies.request import RevokeRequest
from policies.watch.change import VerdictChange
from tests.ingest.events import Event, model, run_event
from tests.policies.evidence.histories import EVENTS
from tests.policies.evidence.world import VERSION, prepare, train
from tests.policies.office import ANN, BOB, CARL, DAY, HOUR, REGISTRY, Office, binding, control, pack
from tests.policies.watched import Shown

BASE = load_pack(built_in()["base-ml-governance"]).normalised()
STRICT = binding("starter", "base-ml-governance", enforceDrafts=True)
OWNED = pack("owned", controls=[control("owner")])
LICENSED = pack(
    "owned",
    "1.1.0",
    controls=[
        control(
            "owner",
            requires=[{"expression": "has(subject.licence)", "missing": "no licence is told"}],
            checks=[{"id": "licence", "expression": "subject.licence == 'MIT'", "message": "another licence"}],
        )
    ],
)

Deed = Callable[[Office], object]
"""Something that happens."""


class Chronicle(Office):
    """An office that remembers what the clock said at each entry."""

    def __init__(self) -> None:
        super().__init__([*prepare(), train()])

    def happens(self, *deeds: Deed) -> "Chronicle":
        for deed in deeds:
            with suppress(LinewardError):  # what the register refuses did not happen
                deed(self)
        return self


def told(event: Event) -> Deed:
    return lambda office: office.tell([event])


def enacted(*documents: dict[str, object]) -> Deed:
    return lambda office: office.enact(*documents)


def approved(who: Principal, **more: Any) -> Deed:
    return lambda office: office.approve(who, **more)


def _until(hours: int) -> Deed:
    return lambda office: office.approve(CARL, valid_until=office.later(hours * HOUR))


def waived(control_: str, pack_: str, days: int) -> Deed:
    def deed(office: Office) -> None:
        office.waive(ANN, control_, pack=pack_, expires_at=office.later(days * DAY))
        office.waive(BOB, control_, pack=pack_, expires_at=office.later(days * DAY))

    return deed


def attested(type_: str, target: NodeRef | None = None, hours: int = 240, **statement: object) -> Deed:
    return lambda office: office.attest(ANN, type_, target, statement=statement, expires_at=office.later(hours * HOUR))


def revoked(office: Office) -> None:
    given_ = [act for act in office.acts(NodeKind.APPROVAL) if act.verb == "approve"]
    if given_:
        office.register.revoke_approval(ANN, RevokeRequest(given_[-1].id, "wrong"))


def retired(name: str) -> Deed:
    def deed(office: Office) -> None:
        asked = office.register.retire(ANN, [name])
        office.register.confirm_policy(BOB, asked.proposal.act.id)

    return deed


def accepted(office: Office) -> None:
    """A baseline that lets the owner be missing, for ten hours."""
    found = [(VERSION, "owned@1.0.0", "owner", None)]
    asked = office.register.accept_baseline(ANN, "owners", office.later(10 * HOUR), found)
    office.register.confirm_policy(BOB, asked.proposal.act.id)


def identified(alias: str) -> Deed:
    """An administrator says who somebody is."""

    def deed(office: Office) -> None:
        body: dict[str, Any] = {
            "v": 1,
            "act": "identify",
            "id": f"{alias} {len(office.entries)}",
            "at": text(office.now),
            "by": ANN.as_json(),
            "alias": alias,
            "person": "ann@example.org",
        }
        content = rfc8785.dumps(body)
        office.append(Submission(EntryType.POLICY, ANN.name, content, content))

    return deed


def _wait(hours: int) -> Deed:
    return lambda office: office.wait(hours * HOUR)


CREDIT = NodeRef(model=DatasetRef(REGISTRY, "credit"))
BASE_BOUND = enacted(BASE, STRICT)
OWNED_BOUND = enacted(OWNED, binding("owners", "owned", environments=["production", "staging"]))
ADVISING = enacted(OWNED, binding("owners", "owned", adviseUntil="2026-03-03"))
POLICIES: list[Deed] = [
    BASE_BOUND,
    OWNED_BOUND,
    ADVISING,
    enacted(LICENSED),
    enacted(binding("owners", "owned", match={"models": ["rival*"]})),
    enacted(binding("owners", "owned", packs=[{"name": "owned", "version": "1.0.0"}])),
    retired("owners"),
    retired("owned"),
    accepted,
]
HAPPENS: list[Deed] = [
    *map(told, EVENTS),
    told(run_event("COMPLETE", 1000, "elsewhere", reads=["p"], writes=[model("rival", "1")])),
    told(run_event("COMPLETE", 80_000, "late", reads=["p"], writes=["q"])),
    told(run_event("COMPLETE", 200_000, "later", reads=["p"], writes=["q"])),
]
PEOPLE: list[Deed] = [
    approved(BOB),
    approved(CARL, environment="staging"),
    _until(3),
    revoked,
    waived("B-01", "base-ml-governance", 1),
    waived("owner", "owned", 2),
    attested("inventory", owner="team:credit"),
    attested("inventory", hours=3, owner="team:credit"),
    attested("inventory", CREDIT, 5, owner="team:credit"),
    attested("classification", CREDIT, riskTier="high"),
    attested("validation", outcome="approved"),
    identified("email:ann@example.org"),
]
WAITS: list[Deed] = [_wait(hours) for hours in (1, 6, 30, 24 * 400)]


@contextmanager
def stored(kind: str) -> Iterator[GraphStore]:
    if kind == "memory":
        yield MemoryGraph()
    else:
        with TemporaryDirectory() as folder, closing(SqliteGraph.open(Path(folder) / "graph.db")) as store:
            yield store


BATCHES = st.one_of(
    st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=5),
    st.lists(st.sampled_from(HAPPENS), min_size=1, max_size=3),
    *(st.lists(st.sampled_from(each), min_size=1, max_size=1) for each in (HAPPENS, POLICIES, WAITS, WAITS)),
)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from([BASE_BOUND, OWNED_BOUND, ADVISING]), min_size=1, max_size=2),
    st.lists(BATCHES, min_size=3, max_size=7),
)
def test_what_stands_is_what_judging_everything_anew_says(
    kind: str, before: list[Deed], batches: list[list[Deed]]
) -> None:
    """Whatever happens, in whichever batches it is projected; and the changes add up to it."""
    office = Chronicle()
    with stored(kind) as store:
        shown = Shown(store, office.entries)
        office.happens(*before)
        shown.project()
        shown.begin(office.now)
        added = shown.verdicts()
        assert shown.standing() == shown.anew(office.now)
        for batch in batches:
            office.happens(*batch)
            added = _after(added, shown.follow(office.now))
            assert shown.standing() == shown.anew(office.now)
            assert added == shown.verdicts()


def _after(
    verdicts: dict[tuple[str, str, str, str], str], found: list[VerdictChange]
) -> dict[tuple[str, str, str, str], str]:
    """The verdicts with changes applied; each change begins with what was there."""
    now = dict(verdicts)
    for each in found:
        key = (each.target.id, each.environment, each.pack.partition("@")[0], each.control)
        assert now.pop(key, None) == each.before
        assert each.before != each.after
        if each.after is not None:
            now[key] = each.after.value
    return now
