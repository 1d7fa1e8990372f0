"""What can be attested: every type that the evidence names, and nothing malformed."""

import pytest

from catalog.errors import InvalidInputError
from catalog.identity import NodeKind
from policies.evidence.fields import EVIDENCE
from policies.evidence.snippet import example_of
from policies.evidence.source import Source, SourceKind
from policies.statements import STATEMENTS, Plain, parse_statement, statement_type

_SOURCES = {
    (source.name, source.property): source
    for field in EVIDENCE.values()
    for source in field.sources
    if source.kind is SourceKind.ATTESTED
}


def _kind(name: str) -> NodeKind:
    return sorted(STATEMENTS[name].targets)[0]


@pytest.mark.parametrize("source", _SOURCES.values(), ids=lambda source: f"{source.name}.{source.property}")
def test_every_attested_source_of_the_evidence_has_a_statement_that_can_say_it(source: Source) -> None:
    example = example_of(source.name, source)

    said = parse_statement(source.name, example, _kind(source.name)).plain()

    first = source.property.partition(".")[0]
    assert not first or first in said


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_type_has_a_meaning_and_targets(name: str) -> None:
    known = STATEMENTS[name]

    assert known.meaning
    assert known.targets


@pytest.mark.parametrize(
    ("type_", "payload", "kind", "pointer"),
    [
        ("classification", {"riskTeir": "high"}, NodeKind.MODEL, "/statement/riskTeir"),
        ("classification", {"riskTier": "high"}, NodeKind.DATASET, "/target"),
        ("threshold", {"minimum": 0.7}, NodeKind.MODEL, "/statement/metric"),
        ("threshold", {"metric": "auc"}, NodeKind.MODEL, "/statement"),
        ("incident", {"severity": "a", "status": "b", "at": "yesterday"}, NodeKind.MODEL, "/statement/at"),
        ("approvedSchema", {"digest": "v1"}, NodeKind.DEPLOYMENT, "/statement/digest"),
        ("Dear Sir", {}, NodeKind.MODEL, "/type"),
        ("field", {"path": "nonsense", "value": 1}, NodeKind.DATASET, "/statement/path"),
        ("field", {"path": "licence", "value": 1}, NodeKind.DATASET, "/statement/value"),
        ("field", {"path": "licence", "value": None}, NodeKind.DATASET, "/statement/value"),
        ("field", {"path": "developersKnown", "value": True}, NodeKind.MODEL, "/statement/path"),
        ("field", {"path": "closureDigest", "value": "sha256:00"}, NodeKind.MODEL_VERSION, "/statement/path"),
        ("field", {"path": "riskTier", "value": "high"}, NodeKind.DATASET, "/statement/path"),
    ],
)
def test_what_means_nothing_is_refused_with_the_place(
    type_: str, payload: dict[str, object], kind: NodeKind, pointer: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_statement(type_, payload, kind)

    assert refused.value.pointer == pointer
    assert refused.value.remedy


def test_an_organisation_may_name_plain_statements_of_its_own() -> None:
    assert statement_type("board_resolution").model is Plain
    assert parse_statement("board_resolution", {"summary": "agreed"}, NodeKind.MODEL).plain() == {"summary": "agreed"}


def test_times_are_kept_in_utc() -> None:
    said = parse_statement(
        "threshold", {"metric": "auc", "minimum": 1, "setAt": "2026-03-01T02:00:00+02:00"}, NodeKind.MODEL
    )

    assert said.plain()["setAt"] == "2026-03-01T00:00:00.000000Z"
