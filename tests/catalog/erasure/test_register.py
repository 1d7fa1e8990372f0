"""What redactions amount to, folded in the order of the log."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from catalog.erasure.redaction import Body, Decline, Dispose, Erase, Hold, Propose, Release, make, node_of
from catalog.erasure.register import ErasureRegister, ProposalState
from catalog.principal import Principal
from tests.catalog.erasure.redactions import ANN, BEN, START, entry_of, gone, ref

HOUR = 3_600_000_000


def propose(*seqs: int, by: Principal = ANN) -> Propose:
    return make(Propose, by, START, reason="asked to", basis="Art. 17", entries=tuple(map(ref, seqs)))


def erase(asked: Propose, *seqs: int) -> Erase:
    return make(
        Erase,
        BEN,
        START,
        refers_to=node_of(asked),
        proposal=asked.id,
        reason=asked.reason,
        basis=asked.basis,
        entries=asked.entries,
        erased=tuple(map(gone, seqs)),
    )


def register(*bodies: Body, start: int = 10) -> ErasureRegister:
    return ErasureRegister(entry_of(body, seq) for seq, body in enumerate(bodies, start))


def test_a_proposal_is_open_until_it_is_answered() -> None:
    asked = propose(1, 2)
    held = register(asked)
    (found,) = held.open_proposals
    assert (found.id, found.node, found.seq, found.state) == (asked.id, node_of(asked), 10, ProposalState.OPEN)
    assert held.proposal(asked.id) == held.proposal(node_of(asked)) == found
    assert held.proposal("another") is None


def test_an_erasure_is_found_by_position() -> None:
    asked = propose(1, 2)
    held = register(asked, erase(asked, 1, 2))
    assert held.open_proposals == []
    found = held.proposal(asked.id)
    assert found is not None
    assert found.state is ProposalState.ERASED
    body = held.erased(1)
    assert body is not None
    assert (body.erasure.seq, body.entry.commit) == (11, ref(1).commit)
    assert held.erased(3) is None
    assert held.erasure(body.erasure.node) == held.erasures[0]


def test_the_generation_moves_with_bodies_only() -> None:
    asked, told = propose(1), make(Propose, ANN, START, reason="r", basis="b", concerns=("ds_1",))
    assert register(asked).generation == 0
    assert register(asked, erase(asked, 1)).generation == 12
    assert register(asked, erase(asked, 1), told, erase(told)).generation == 12


def test_bodies_are_gone_whatever_became_of_the_proposal() -> None:
    asked = propose(1)
    held = register(asked, make(Decline, BEN, START, refers_to=node_of(asked), reason="no"), erase(asked, 1))
    found = held.proposal(asked.id)
    assert found is not None
    assert found.state is ProposalState.DECLINED
    assert held.erased(1) is not None


def test_an_erasure_takes_nothing_that_comes_after_it() -> None:
    asked = propose(1)
    assert register(asked, erase(asked, 11, 12)).erased(12) is None


def test_a_no_of_the_proposer_is_a_withdrawal() -> None:
    asked = propose(1)
    states = []
    for by in (ANN, BEN):
        found = register(asked, make(Decline, by, START, refers_to=node_of(asked), reason="no")).proposal(asked.id)
        assert found is not None
        assert found.ended is not None
        states.append(found.state)
    assert states == [ProposalState.WITHDRAWN, ProposalState.DECLINED]


def hold(**said: Any) -> Hold:
    return make(Hold, ANN, START, reason="lawsuit", **said)


def test_a_hold_covers_what_its_selectors_name() -> None:
    held = register(hold(namespaces=("postgres://*",)), hold(nodes=("ds_1",)), hold(entries=(7,)))
    spaces, nodes, entries = (each.node for each in held.holds)

    def holding(seq: int, namespace: str, node: str) -> str | None:
        found = held.holding(seq, [namespace], [node], START)
        return found.node if found else None

    assert holding(1, "postgres://db", "ds_2") == spaces
    assert holding(1, "s3://b", "ds_1") == nodes
    assert holding(7, "s3://b", "ds_2") == entries
    assert holding(1, "s3://b", "ds_2") is None


def test_a_hold_ends_at_its_time_or_with_its_release() -> None:
    until = hold(entries=(1,), until="2026-01-01T01:00:00Z")
    held = register(until)
    assert held.holding(1, (), (), START + HOUR - 1) is not None
    assert held.holding(1, (), (), START + HOUR) is None
    forever = hold(entries=(1,))
    released = register(forever, make(Release, BEN, START, refers_to=node_of(forever), reason="settled"))
    assert released.holds == []


def test_dispositions_are_kept_in_order() -> None:
    said = [
        make(Dispose, ANN, START, refers_to="er_1", version="dv_1", disposition=way, reason="r")
        for way in ("suppress", "unlearn")
    ]
    assert [each.said.disposition for each in register(*said).dispositions] == ["suppress", "unlearn"]


@given(st.data())
def test_entries_again_change_nothing(data: st.DataObject) -> None:
    asked = propose(1, 2)
    lease = hold(entries=(5,))
    bodies = [asked, lease, erase(asked, 1, 2), make(Release, BEN, START, refers_to=node_of(lease), reason="r")]
    entries = [entry_of(body, seq) for seq, body in enumerate(bodies, 10)]
    cut = data.draw(st.integers(0, len(entries)))
    once, twice = ErasureRegister(entries), ErasureRegister(entries[:cut])
    for entry in [*entries[: data.draw(st.integers(0, cut))], *entries[cut:], *entries]:
        twice.add(entry)
    for held in (once, twice):
        assert (held.size, held.generation, held.holds) == (14, 13, [])
    assert once.proposals == twice.proposals
    assert once.erasures == twice.erasures
