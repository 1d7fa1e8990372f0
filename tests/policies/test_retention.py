"""How long what is kept: ends by the calendar, the longest class, holds, and what no class covers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import rfc3339
from catalog.erasure.register import ErasureRegister
from catalog.erasure.touching import Touched
from catalog.errors import InvalidInputError
from catalog.graph.memory import MemoryGraph
from catalog.instant import text
from catalog.log.entry import Entry, EntryType
from catalog.reading import Reading
from policies.retention import Kept, Retention, RetentionSchedule, read_schedule
from tests.ingest.events import DATA, dataset, entries_of, facet, project, run_event

EVENTS = [
    run_event(
        "COMPLETE", 1, "one", writes=[dataset("people", tags=facet(tags=[{"key": "pii:name", "value": "true"}]))]
    ),
    run_event("COMPLETE", 2, "two", writes=[dataset("prices", "s3://market")]),
]
CLASS: dict[str, Any] = {"id": "all", "keepFor": "P2Y", "basis": "house rule"}


def schedule(*classes: dict[str, Any], holds: Sequence[dict[str, Any]] = ()) -> RetentionSchedule:
    return RetentionSchedule.model_validate(
        {
            "apiVersion": "lineward.dev/v1",
            "kind": "RetentionSchedule",
            "metadata": {"name": "house"},
            "classes": list(classes),
            "holds": list(holds),
        }
    )


def fates(rules: RetentionSchedule, at: str) -> list[Kept]:
    """What becomes of both events, received on 1 March 2026, and of a policy."""
    entries = entries_of(EVENTS)
    store = MemoryGraph()
    project(store, entries)

    def touching(entry: Entry, _keep: object) -> Touched:
        return Touched((), frozenset({DATA} if entry.seq == 0 else {"s3://market"}))

    policy = Entry(2, entries[1].recorded, EntryType.POLICY, "ann", "act", (), b"{}", b"")
    with store.read() as reader:
        retention = Retention(rules, ErasureRegister(), touching, Reading(reader), rfc3339.parse(at))
        return list(retention.over([*entries, policy]))


def words(found: Sequence[Kept]) -> list[str]:
    return [each.fate.value for each in found]


def test_an_entry_is_due_after_its_span_and_policies_never() -> None:
    assert words(fates(schedule(CLASS), "2028-02-29T23:00:00Z")) == ["KEPT", "KEPT", "STAYS"]
    assert words(fates(schedule(CLASS), "2028-03-02T00:00:00Z")) == ["DUE", "DUE", "STAYS"]


def test_what_no_class_covers_is_told_and_never_due() -> None:
    rules = schedule(CLASS | {"namespaces": ["s3://*"]})
    assert words(fates(rules, "2036-01-01T00:00:00Z")) == ["UNCOVERED", "DUE", "STAYS"]


def test_a_class_by_label_follows_what_is_said_of_the_dataset() -> None:
    rules = schedule(CLASS | {"labels": ["pii:*"], "keepFor": "P30D"})
    assert words(fates(rules, "2026-05-01T00:00:00Z")) == ["DUE", "UNCOVERED", "STAYS"]


def test_a_hold_keeps_what_is_due_until_it_ends() -> None:
    hold = {"reason": "a lawsuit", "namespaces": ["s3://*"], "until": "2029-01-01T00:00:00Z"}
    rules = schedule(CLASS, holds=[hold])
    assert words(fates(rules, "2028-06-01T00:00:00Z")) == ["DUE", "HELD", "STAYS"]
    assert fates(rules, "2028-06-01T00:00:00Z")[1].hold == "a lawsuit"
    assert words(fates(rules, "2029-01-01T00:00:00Z")) == ["DUE", "DUE", "STAYS"]


@given(st.permutations([("a", "P1Y"), ("b", "P30D"), ("c", "P18M")]))
def test_the_longest_class_counts_whatever_their_order(classes: list[tuple[str, str]]) -> None:
    rules = schedule(*(CLASS | {"id": name, "keepFor": span} for name, span in classes))
    found = fates(rules, "2027-05-01T00:00:00Z")
    assert [each.by.id for each in found if each.by] == ["c", "c"]
    assert words(found) == ["KEPT", "KEPT", "STAYS"]


@pytest.mark.parametrize(
    ("span", "end"),
    [
        ("P1M", "2028-02-29"),
        ("P1Y1M", "2029-02-28"),
        ("P2W", "2028-02-14"),
        ("P1M1D", "2028-03-01"),
        ("P90D", "2028-04-30"),
    ],
)
def test_spans_follow_the_calendar(span: str, end: str) -> None:
    (only,) = schedule(CLASS | {"keepFor": span}).classes
    assert text(only.ends(rfc3339.parse("2028-01-31T12:00:00.000005Z"))) == f"{end}T12:00:00.000005Z"


@pytest.mark.parametrize(
    "wrong",
    [
        {"keepFor": "2 years"}, {"keepFor": "P"}, {"keepFor": "P1DT2H"}, {"keepForever": True},
        {"entryTypes": ["policy"]}, {"basis": ""},
    ],
)  # fmt: skip
def test_a_schedule_that_means_nothing_is_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    import yaml

    told = {
        "apiVersion": "lineward.dev/v1", "kind": "RetentionSchedule", "metadata": {"name": "house"},
        "classes": [CLASS | wrong],
    }  # fmt: skip
    (tmp_path / "wrong.yaml").write_text(yaml.safe_dump(told))
    with pytest.raises(InvalidInputError, match="classes"):
        read_schedule(tmp_path / "wrong.yaml")
