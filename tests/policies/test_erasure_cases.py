"""Cases of erasure: what opens one, what settles it, what a gate and a watch make of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import rfc3339
from catalog.act import Act
from catalog.erasure import redaction
from catalog.erasure.redaction import Decline, Dispose, Propose
from catalog.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from catalog.identity import NodeKind, dataset_id
from catalog.instant import text
from catalog.model import DatasetRef, NodeRef
from policies.erasure.casebook import ACCEPT_DAYS, CaseBook, CaseState
from policies.erasure.cases import Case, cases
from policies.judge import Judge
from policies.lapse import FindingKind, findings
from policies.library import built_in
from policies.loading import load_pack
from policies.verdict import Verdict
from tests.ingest.events import DATA, at, facet, model, time, versioned, whole_run
from tests.policies.office import ANN, BOB, DAY, NOON, PIPELINE, REGISTRY, Office, binding, person, version
from tests.policies.test_watch import stored
from tests.policies.watched import Shown

PACK = "gdpr-training-data"
CONTROL = "GDPR-17.1"
PERSONAL: dict[str, Any] = {"lineward_dataGovernance": facet(personalData=True, origin={"source": "branch"})}
RAW = dataset_id(DATA, "applications")

HISTORY = [
    *whole_run("load", 1, 2, writes=[versioned("applications", "a1", **PERSONAL)]),
    *whole_run("train", 3, 4, reads=[versioned("applications", "a1")], writes=[model("credit", "1")]),
]
ANEW = [
    *whole_run("load2", 50_000, 50_001, writes=[versioned("applications", "a2", **PERSONAL)]),
    *whole_run("train2", 50_002, 50_003, reads=[versioned("applications", "a2")], writes=[model("credit", "2")]),
]


class Bank(Office):
    """An office in which somebody's rows are erased from the raw table."""

    def __init__(self) -> None:
        super().__init__(HISTORY)
        self.book = CaseBook(self.journal)
        self.attest(ANN, "classification", NodeRef(model=DatasetRef(REGISTRY, "credit")),
                    statement={"jurisdictions": ["EU"]}, expires_at=self.later(900 * DAY))  # fmt: skip

    def erased(self, who: Any = ANN, dataset: str = RAW) -> str:
        """Somebody tells that rows went; the id of the case."""
        said = redaction.make(
            Propose, who, self.now, reason="asked for", basis="GDPR Art. 17(1)(b)", concerns=(dataset,)
        )
        self.append(redaction.submission(said))
        self.wait(1)
        return redaction.node_of(said)

    def declined(self, case: str) -> None:
        self.append(redaction.submission(redaction.make(Decline, ANN, self.now, refers_to=case, reason="a mistake")))

    def verdict(self, name: str = "1") -> Verdict:
        return self._judged(name)[0]

    def flips(self, name: str = "1") -> str | None:
        return self._judged(name)[1]

    def _judged(self, name: str) -> tuple[Verdict, str | None]:
        with self.access.reading() as reading:
            node = reading.find(version(name))
            assert node is not None
            told = Judge().judge(
                reading, node, environment="production", packs=(PACK,), requester="", evaluated_at=self.now
            )
        found = next(each for each in told.report.controls if each.control == CONTROL)
        return found.verdict, told.next_flip_at


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_without_an_erasure_nothing_is_open(bank: Bank) -> None:
    assert bank.verdict() is Verdict.PASS


def test_an_erasure_fails_the_version_until_something_is_decided(bank: Bank) -> None:
    case = bank.erased()
    assert bank.verdict() is Verdict.FAIL
    found = bank.book.dispose(BOB, case, version(), "suppress", "the score of this person is not used")
    assert found.state is CaseState.CLOSED
    assert bank.verdict() is Verdict.PASS


def test_an_acceptance_runs_out_and_the_case_opens_again(bank: Bank) -> None:
    case = bank.erased()
    end = bank.now + 10 * DAY
    bank.book.dispose(BOB, case, version(), "accept", "one row of a million", expires_at=text(end))
    assert (bank.verdict(), bank.flips()) == (Verdict.PASS, text(end))
    bank.now = end - 1
    assert bank.verdict() is Verdict.PASS
    bank.now = end
    assert bank.verdict() is Verdict.FAIL
    assert bank.book.case(BOB, case).state is CaseState.OPEN


def test_a_version_trained_after_the_erasure_is_clean_and_can_succeed(bank: Bank) -> None:
    case = bank.erased()
    bank.tell(ANEW)
    bank.now = at(60_000)
    assert bank.verdict("2") is Verdict.PASS
    found = bank.book.dispose(BOB, case, version(), "retrain", "trained anew", successor=version("2"))
    assert found.state is CaseState.CLOSED
    assert bank.verdict("1") is Verdict.FAIL, "the version that was replaced is not released again"


def test_a_successor_that_holds_the_rows_is_refused_and_found_out_later(bank: Bank) -> None:
    case = bank.erased()
    bank.tell(ANEW)
    bank.book.dispose(BOB, case, version(), "retrain", "trained anew", successor=version("2"))
    bank.tell(
        whole_run("train2", 50_002, 50_003, reads=[versioned("applications", "a1")], writes=[model("credit", "2")])
    )
    found = bank.book.case(BOB, case)
    assert found.state is CaseState.OPEN
    assert len(found.open_versions) == 2
    with pytest.raises(ConflictError, match="rests on what was erased as well"):
        bank.book.dispose(BOB, case, version(), "retrain", "trained anew", successor=version("2"))


def test_a_declined_proposal_opens_nothing(bank: Bank) -> None:
    case = bank.erased()
    bank.declined(case)
    assert bank.verdict() is Verdict.PASS
    with pytest.raises(NotFoundError):
        bank.book.case(BOB, case)


def test_who_opened_a_case_does_not_accept_alone(bank: Bank) -> None:
    case = bank.erased(ANN)
    with pytest.raises(ForbiddenError, match="opened this case"):
        bank.book.dispose(ANN, case, version(), "accept", "never mind", expires_at=bank.later(DAY))
    with pytest.raises(ForbiddenError, match="no person"):
        bank.book.dispose(PIPELINE, case, version(), "suppress", "done")


def test_an_acceptance_has_an_end_that_is_not_far_away(bank: Bank) -> None:
    case = bank.erased()
    for end in (None, bank.later((ACCEPT_DAYS + 1) * DAY), bank.later(-DAY)):
        with pytest.raises(InvalidInputError):
            bank.book.dispose(BOB, case, version(), "accept", "later", expires_at=end)
    with pytest.raises(InvalidInputError, match="for good"):
        bank.book.dispose(BOB, case, version(), "suppress", "done", expires_at=bank.later(DAY))


def test_what_does_not_rest_on_the_erasure_takes_no_disposition(bank: Bank) -> None:
    case = bank.erased(dataset=dataset_id(DATA, "elsewhere"))
    with pytest.raises(InvalidInputError, match="does not rest"):
        bank.book.dispose(BOB, case, version(), "suppress", "done")


def test_services_and_decisions_are_among_what_rests_on_it(bank: Bank) -> None:
    decision = bank.decided()
    bank.tell(whole_run("serve", 43_300, 43_400, reads=[model("credit", "1")],
                        job_facets={"jobType": facet(processingType="SERVICE", integration="API")}))  # fmt: skip
    found = bank.book.case(BOB, bank.erased()).resting
    assert [act.id for act in found.decisions] == [decision]
    assert {each.model_version for each in found.deployments} == {node.id for node in found.versions}


def test_a_month_is_the_time_to_answer() -> None:
    def due(day: str) -> str:
        opened = rfc3339.parse(f"{day}T08:00:00Z")
        return text(Case("", opened, opened, "", "", "", frozenset()).due)[:10]

    assert [due(day) for day in ("2026-01-31", "2026-11-24", "2026-12-05")] == [
        "2026-02-28",
        "2026-12-24",
        "2027-01-05",
    ]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_watch_notices_the_case_the_decision_and_the_end_of_an_acceptance(bank: Bank, kind: str) -> None:
    document = load_pack(built_in()[PACK]).normalised()
    bank.enact(document, binding("privacy", PACK, enforceDrafts=True))
    with stored(kind) as store:
        shown = Shown(store, bank.entries)
        shown.project()
        shown.begin(bank.now)
        key = next(each for each in shown.verdicts() if each[3] == CONTROL)
        seen = [shown.verdicts()[key]]

        def follow() -> None:
            shown.follow(bank.now)
            assert shown.standing() == shown.anew(bank.now)
            seen.append(shown.verdicts()[key])

        case = bank.erased()
        follow()
        end = bank.now + 10 * DAY
        bank.book.dispose(BOB, case, version(), "accept", "for now", expires_at=text(end))
        follow()
        bank.now = end
        assert shown.watch.next_due == end
        follow()
        other = bank.erased()
        bank.book.dispose(BOB, case, version(), "suppress", "done")
        bank.declined(other)
        follow()
    assert seen == ["pass", "fail", "pass", "fail", "pass"]


def test_what_is_open_is_among_the_findings(bank: Bank) -> None:
    bank.tell(whole_run("serve", 43_300, 43_400, reads=[model("credit", "1")],
                        job_facets={"jobType": facet(processingType="SERVICE", integration="API")})[:1])  # fmt: skip
    case = bank.erased()

    def kinds() -> set[FindingKind]:
        with bank.access.reading() as reading:
            return {each.kind for each in findings(reading, bank.now)} & ERASURE_FINDINGS

    assert kinds() == {FindingKind.OPEN_ERASURE}
    bank.tell(ANEW)
    bank.book.dispose(BOB, case, version(), "retrain", "trained anew", successor=version("2"))
    assert kinds() == {FindingKind.REPLACED_IN_SERVICE}


ERASURE_FINDINGS = {FindingKind.OPEN_ERASURE, FindingKind.REPLACED_IN_SERVICE}


def acts_of(told: list[tuple[int, int, str]]) -> Iterator[Act]:
    """A case, and dispositions of (time, version, way)."""
    opened = redaction.make(Propose, ANN, NOON, reason="r", basis="b", concerns=(RAW,))
    bodies: list[redaction.Body] = [opened]
    for moment, number, way in told:
        more: dict[str, Any] = {"accept": {"expires_at": time(90_000)}, "retrain": {"successor": "dv_next"}}.get(
            way, {}
        )
        bodies.append(
            redaction.make(Dispose, person("zoe"), NOON + moment, refers_to=redaction.node_of(opened),
                           version=f"dv_{number:04d}", disposition=way, reason="r", **more)
        )  # fmt: skip
    for seq, body in enumerate(bodies):
        plain = redaction.plain(body)
        yield Act(redaction.node_of(body), NodeKind.REDACTION, body.act, seq, rfc3339.parse(body.at), plain)


dispositions = st.lists(
    st.tuples(st.integers(1, 9), st.integers(1, 3), st.sampled_from(("retrain", "unlearn", "suppress", "accept"))),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(dispositions, st.randoms(use_true_random=False))
def test_the_order_of_dispositions_does_not_matter(told: list[tuple[int, int, str]], random: Any) -> None:
    acts = list(acts_of(told))
    shuffled = random.sample(acts, len(acts))
    (one,), (other,) = cases(acts), cases(shuffled)
    for number in (1, 2, 3):
        wanted = f"dv_{number:04d}"
        for instant in (NOON, NOON + 5, NOON + 10, at(95_000)):
            assert one.disposition(wanted, instant) == other.disposition(wanted, instant)
            assert one.is_open_for(wanted, instant) is other.is_open_for(wanted, instant)
