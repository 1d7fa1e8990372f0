"""Missing fields, who could send them, and snippets that work when they are pasted."""

import shlex

import orjson
import pytest

from catalog.errors import InvalidInputError
from catalog.identity import NodeKind
from policies.evidence.fields import EVIDENCE, EvidenceField
from policies.evidence.gaps import FieldGap, gaps_of
from policies.evidence.source import SourceKind
from policies.statements import STATEMENTS, parse_statement
from tests.ingest.events import model, run_event
from tests.policies.evidence.world import (
    KNOWN,
    TRAINING_DATA,
    VERSION,
    Telling,
    attest,
    built_of,
    identify,
    story,
    train,
)

DOCUMENT = built_of([*KNOWN, *story()]).document
COLUMN = {"id": "field:1", "dataset": "people", "datasetId": "dataset:1", "field": "sex", "labels": ["protected:sex"]}
EMPTY = built_of([train(authors=[])]).document


def _read(field: EvidenceField) -> str:
    return field.path.replace("[]", "")


def gaps(*paths: str) -> dict[tuple[str, str | None], FieldGap]:
    return {(gap.path, gap.item): gap for gap in gaps_of(DOCUMENT, paths)}


def test_a_field_of_the_subject_is_missing_once() -> None:
    found = gaps("subject.riskTier", "subject.framework")

    assert found.keys() == {("subject.riskTier", None)}
    assert found["subject.riskTier", None].name == "credit@1"


def test_a_field_of_a_list_is_missing_for_each_item_without_it() -> None:
    found = gaps("trainingDatasets.licence", "trainingDatasets.origin.source")

    assert {key for key in found if key[0] == "trainingDatasets.licence"} == {
        ("trainingDatasets.licence", each["id"]) for each in DOCUMENT["trainingDatasets"] if "licence" not in each
    }
    assert ("trainingDatasets.licence", TRAINING_DATA) in found
    assert ("trainingDatasets.origin.source", TRAINING_DATA) in found


def test_an_empty_list_is_missing_itself() -> None:
    found = gaps("validations.outcome", "approvals")

    assert found.keys() == {("validations.outcome", None), ("approvals", None)}
    (sender,) = found["validations.outcome", None].senders
    assert sender.snippet.startswith(f"lineward attest --id {VERSION} --type validation ")


def test_what_is_there_and_what_is_no_field_is_no_gap() -> None:
    assert gaps("subject.digest", "trainingRuns.code.commit", "nonsense", "subject.nonsense") == {}


def test_applying_a_statement_closes_its_gap() -> None:
    (gap,) = [each for each in gaps_of(DOCUMENT, ["trainingDatasets.licence"]) if each.item == TRAINING_DATA]
    (command,) = [sender.snippet for sender in gap.senders if sender.source.kind is SourceKind.ATTESTED]
    words = shlex.split(command)
    said = dict(zip(words[2::2], words[3::2], strict=True))
    act = attest(said["--type"], orjson.loads(said["--statement"]), node=said["--id"], kind="DATASET_VERSION")
    after = built_of([*KNOWN, *story(), act]).document

    assert TRAINING_DATA not in {each.item for each in gaps_of(after, ["trainingDatasets.licence"])}


def test_who_is_unknown_is_named_with_the_command_that_makes_them_known() -> None:
    events: list[Telling] = [*KNOWN, train(authors=["Stranger <New@Example.org>"])]
    (gap,) = gaps_of(built_of(events).document, ["subject.developersKnown"])
    (command,) = [shlex.split(sender.snippet, comments=True) for sender in gap.senders]
    assert command == ["lineward", "keys", "identify", "email:new@example.org", "new@example.org"]

    after = built_of([*events, identify(command[-2], command[-1])]).document
    assert list(gaps_of(after, ["subject.developersKnown"])) == []


def test_a_run_that_names_nobody_is_asked_for_its_authors() -> None:
    silent = run_event("COMPLETE", 300, "train", writes=[model("credit", "1")])
    document = built_of([silent]).document
    (gap,) = gaps_of(document, ["subject.developersKnown"])
    assert (gap.path, gap.item) == ("trainingRuns.authors", document["trainingRuns"][0]["id"])


def test_of_a_column_is_spoken_at_the_version_that_it_reaches() -> None:
    document = {"subject": DOCUMENT["subject"], "inputColumns": [COLUMN]}
    (gap,) = gaps_of(document, ["inputColumns.justification"])
    (sender,) = gap.senders
    words = shlex.split(sender.snippet)
    said = dict(zip(words[2::2], words[3::2], strict=True))
    statement = orjson.loads(said["--statement"])
    parse_statement(said["--type"], statement, NodeKind.MODEL_VERSION)
    assert (gap.name, said["--id"]) == ("sex in people", VERSION)
    assert (statement["field"], statement["dataset"]) == ("sex", "people")


@pytest.mark.parametrize("field", [each for each in EVIDENCE.values() if each.sources], ids=_read)
def test_every_snippet_can_be_pasted(field: EvidenceField) -> None:
    found = [gap for document in (DOCUMENT, EMPTY) for gap in gaps_of(document, [_read(field)])]

    for sender in (each for gap in found for each in gap.senders):
        if sender.source.kind in (SourceKind.STANDARD, SourceKind.CUSTOM):
            _execute(sender.snippet, sender.source.name)
        elif sender.source.kind is SourceKind.ATTESTED:
            _attest(sender.snippet)


def _execute(code: str, facet: str) -> None:
    names: dict[str, object] = {}
    exec(code, names)
    facets = names["facets"]
    assert isinstance(facets, dict)
    assert facet in facets


def _attest(command: str) -> None:
    words = shlex.split(command)
    assert words[:2] == ["lineward", "attest"]
    said = dict(zip(words[2::2], words[3::2], strict=True))
    statement = orjson.loads(said["--statement"])
    kinds = [NodeKind(kind) for kind in STATEMENTS[said["--type"]].targets]
    assert any(_parses(said["--type"], statement, kind) for kind in kinds), command


def _parses(type_: str, statement: dict[str, object], kind: NodeKind) -> bool:
    try:
        parse_statement(type_, statement, kind)
    except InvalidInputError:
        return False
    return True
