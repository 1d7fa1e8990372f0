"""Evidence that is kept is the evidence that would be built, and is kept as long as nothing touches it."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.erasure import redaction
from catalog.erasure.redaction import Erase
from catalog.graph.contract import FOREVER
from catalog.graph.memory import MemoryGraph
from catalog.log.entry import Entry, EntryType
from catalog.model import AsOf
from catalog.principal import Grant, Principal, Scope
from catalog.reading import Reading
from policies.evidence import kept
from policies.evidence.builder import Built, build_evidence
from policies.evidence.kept import KeptEvidence
from policies.watch.acts import others_between
from tests.catalog.erasure.redactions import gone
from tests.ingest.events import DAY as DAY_SECONDS
from tests.ingest.events import at, whole_run
from tests.policies.evidence.histories import ACTS, EVENTS, histories
from tests.policies.evidence.world import VERSION, Telling, entries, fill
from tests.policies.office import ANN, DAY, HOUR, Office, version
from tests.policies.watched import reading_of


class Growing:
    """A log that grows, and the evidence kept of it; `builds` counts how often it was built."""

    def __init__(self, told: Sequence[Telling]) -> None:
        self.told = list(told)
        self.kept = KeptEvidence(lambda start, end: others_between(reading_of(self._entries()))(start, end))

    def _entries(self) -> list[Entry]:
        return list(entries(self.told))

    def of(self, instant: int) -> tuple[Built, Built]:
        """What is kept, and what would be built."""
        store = MemoryGraph()
        fill(store, self.told)
        with store.read(valid=FOREVER) as reader:
            reading = Reading(reader)
            return self.kept.of(reading, VERSION, instant), build_evidence(reading, VERSION, evaluated_at=instant)


@settings(max_examples=15, deadline=None)
@given(
    histories(),
    st.lists(st.tuples(st.sampled_from([*EVENTS, *ACTS]), st.integers(0, 3 * DAY_SECONDS)), min_size=1, max_size=4),
)
def test_kept_evidence_is_what_would_be_built(told: list[Telling], later: list[tuple[Telling, int]]) -> None:
    growing = Growing(told)
    instant = at(1_000)
    for telling, pause in later:
        found, anew = growing.of(instant)
        assert (found.bytes, found.witnesses, found.closure) == (anew.bytes, anew.witnesses, anew.closure)
        growing.told.append(telling)
        instant += pause * 1_000_000
    found, anew = growing.of(instant)
    assert (found.bytes, found.witnesses, found.closure) == (anew.bytes, anew.witnesses, anew.closure)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The targets whose evidence was built, in order."""
    found: list[str] = []

    def building(reading: Reading, target: str, **asked: object) -> Built:
        found.append(target)
        return build_evidence(reading, target, **asked)  # type: ignore[arg-type]

    monkeypatch.setattr(kept, "build_evidence", building)
    return found


class Desk:
    """An office whose evidence is kept."""

    def __init__(self) -> None:
        self.office = Office()
        self.kept = KeptEvidence(others_between(reading_of(self.office.entries)))

    def look(self, as_of: AsOf | None = None, principal: Principal | None = None) -> Built:
        with self.office.access.reading(as_of, principal=principal) as reading:
            target = reading.find(version())
            assert target is not None
            return self.kept.of(reading, target.id, self.office.now)


def test_it_is_built_once_while_only_others_are_spoken_of(built: list[str]) -> None:
    desk = Desk()
    first = desk.look()
    desk.office.wait(HOUR)
    desk.office.tell(whole_run("elsewhere", 9, 10, reads=["p"], writes=["q"]))
    desk.office.approve(ANN, "2")
    assert desk.look() is first
    assert len(built) == 1


def test_what_speaks_of_it_builds_it_again(built: list[str]) -> None:
    desk = Desk()
    desk.look()
    desk.office.approve(ANN)
    assert len(desk.look().document["approvals"]) == 1
    desk.office.tell(whole_run("late", 1, 2, writes=["applications"]))
    desk.look()
    assert len(built) == 3


def test_a_statement_that_expires_builds_it_again(built: list[str]) -> None:
    desk = Desk()
    desk.office.attest(ANN, "inventory", statement={"owner": "team:credit"}, expires_at=desk.office.later(DAY))
    assert "owner" in desk.look().document["subject"]
    desk.office.wait(DAY)
    assert "owner" not in desk.look().document["subject"]
    assert len(built) == 2


@pytest.mark.parametrize("type_", [EntryType.KEY, EntryType.CONFIG, EntryType.REDACTION])
def test_what_is_no_act_of_people_builds_it_again(built: list[str], type_: EntryType) -> None:
    """A key can give authority, an erasure can take words away."""
    desk = Desk()
    desk.look()
    office = desk.office
    said = {"refers_to": "er_x", "proposal": "x", "reason": "asked", "basis": "Art. 17", "erased": (gone(1),)}
    body = (
        redaction.serialise(redaction.make(Erase, ANN, office.now, **said)) if type_ is EntryType.REDACTION else b"{}"
    )
    office.entries.append(Entry(len(office.entries), office.now, type_, "key:ann", "act", (), body, b""))
    desk.office.tell(whole_run("elsewhere", 9, 10))
    desk.look()
    assert len(built) == 2


def test_a_reading_of_the_past_or_of_a_part_is_built_for_itself(built: list[str]) -> None:
    desk = Desk()
    whole = desk.look()
    nobody = Principal("key:eve", None, (Grant(Scope.LINEAGE_READ, ("mlflow*",)),))
    assert desk.look(principal=nobody).bytes != whole.bytes
    desk.look(AsOf(valid=desk.office.now))
    with desk.office.access.reading(AsOf(known=len(desk.office.entries) - 1)) as reading:
        desk.kept.of(reading, built[0], desk.office.now)
    assert len(built) == 4
    assert desk.look() is whole
