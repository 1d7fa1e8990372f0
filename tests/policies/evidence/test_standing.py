"""Which acts stand: the order of the log decides."""

from policies.standing import standing_approvals, standing_attestations, standing_waivers
from tests.ingest.events import run_event
from tests.policies.evidence.world import (
    MODEL,
    VERSION,
    Said,
    Telling,
    answer_waiver,
    approve,
    attest,
    built_of,
    prepare,
    reading_of,
    revoke,
    story,
    train,
    waive,
    withdraw,
)

BASE = built_of(story())
LATE = run_event("RUNNING", 150, "split", reads=["postcodes"])
CHANGED = train(commit="beef", when=301)


def approvals(*told: Telling) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """Whether each standing approval is current, and what changed, by person."""
    with reading_of([*story(), *told]) as reading:
        return {str(each.said.by.person): (each.current, each.changed) for each in standing_approvals(reading, VERSION)}


def test_an_approval_stands_until_it_is_revoked() -> None:
    ann, bob = approve(BASE, "ann@example.org"), approve(BASE, "bob@example.org")

    assert approvals(ann, bob) == {"ann@example.org": (True, ()), "bob@example.org": (True, ())}
    assert approvals(ann, bob, revoke(ann)).keys() == {"bob@example.org"}


def test_a_revocation_answers_only_what_was_there_before_it() -> None:
    first, again = approve(BASE, "ann@example.org", 1000), approve(BASE, "ann@example.org", 1200)

    assert approvals(first, revoke(first), again).keys() == {"ann@example.org"}
    assert approvals(revoke(first), first).keys() == {"ann@example.org"}


def test_a_changed_version_leaves_approvals_behind_and_says_why() -> None:
    ann = approve(BASE, "ann@example.org")

    assert approvals(ann, CHANGED) == {"ann@example.org": (False, ("code of train changed",))}


def test_after_late_growth_one_approver_reaffirms_for_all() -> None:
    ann, bob = approve(BASE, "ann@example.org"), approve(BASE, "bob@example.org")
    grown = built_of([*story(), LATE])
    again = approve(grown, "bob@example.org", 1200, reaffirms=bob.id)

    assert {current for current, _ in approvals(ann, bob, LATE).values()} == {False}
    assert approvals(ann, bob, LATE, again)["ann@example.org"] == (True, ("input postcodes added",))


def test_nobody_reaffirms_for_others_or_after_a_change() -> None:
    ann, bob = approve(BASE, "ann@example.org"), approve(BASE, "bob@example.org")
    grown, other = built_of([*story(), LATE]), built_of([*story(), CHANGED])
    stranger = approve(grown, "carol@example.org", 1200, reaffirms=bob.id)
    after_change = approve(other, "bob@example.org", 1200, reaffirms=bob.id)

    assert approvals(ann, bob, LATE, stranger)["ann@example.org"][0] is False
    assert approvals(ann, bob, CHANGED, after_change)["ann@example.org"][0] is False


def test_the_document_lists_what_stands() -> None:
    ann, bob = approve(BASE, "ann@example.org"), approve(BASE, "bob@example.org", conditions=["watch drift"])
    document = built_of([*story(), ann, bob, revoke(ann)]).document

    assert [(each["person"], each["environment"], each["current"]) for each in document["approvals"]] == [
        ("bob@example.org", "production", True)
    ]
    assert document["approvals"][0]["conditions"] == ["watch drift"]


def test_statements_stand_until_they_are_withdrawn() -> None:
    kept, gone = attest("dpia", {}), attest("lia", {})
    with reading_of([*story(), kept, gone, withdraw(gone)]) as reading:
        assert [each.said.type for each in standing_attestations(reading, MODEL)] == ["dpia"]


def test_a_statement_on_a_version_is_current_while_its_closure_is() -> None:
    def current(closure: str | None, *more: Telling) -> bool:
        said = attest("dpia", {}, node=VERSION, kind="MODEL_VERSION", closureDigest=closure)
        with reading_of([*story(), said, *more]) as reading:
            (found,) = standing_attestations(reading, VERSION)
        return found.current

    assert BASE.closure is not None
    assert current(BASE.closure.digest)
    assert not current(BASE.closure.digest, CHANGED)
    assert not current(None)


def test_a_waiver_needs_another_person_and_can_be_revoked() -> None:
    asked = waive(BASE, "bob@example.org")

    def standing(*answers: Said) -> tuple[tuple[str, ...], bool, bool]:
        with reading_of([*story(), asked, *answers]) as reading:
            (found,) = standing_waivers(reading, VERSION)
        return found.countersigned_by, found.revoked, found.current

    own = answer_waiver(asked, "countersignWaiver", "bob@example.org")
    other = answer_waiver(asked, "countersignWaiver", "carol@example.org")

    assert standing() == ((), False, True)
    assert standing(own) == ((), False, True)
    assert standing(own, other) == (("carol@example.org",), False, True)
    assert standing(other, answer_waiver(asked, "revokeWaiver", "bob@example.org")) == (
        ("carol@example.org",),
        True,
        True,
    )


def test_a_waiver_is_for_one_closure() -> None:
    with reading_of([*prepare(), CHANGED, waive(BASE, "bob@example.org")]) as reading:
        (found,) = standing_waivers(reading, VERSION)

    assert not found.current
