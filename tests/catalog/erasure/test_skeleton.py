"""Skeletons: the structure stays, every other word goes."""

from typing import Any

import orjson
import pytest

from catalog.erasure.skeleton import ERASED_DIGEST, ERASED_FACET, is_whole_act, skeleton_of
from catalog.errors import InvalidInputError
from catalog.log.entry import Entry, EntryType
from ingest.openlineage import interpret
from policies.acts import Decide, RevokeApproval
from tests.conformance.corpus import corpora
from tests.ingest.events import DATA, change, dataset, facet, model, run_event, versioned

SECRET = "Quitterie Schmidtlein"


def entry(document: Any, type_: EntryType = EntryType.OPENLINEAGE) -> Entry:
    return Entry(3, 1_780_000_000_000_000, type_, "ann", "http", (), orjson.dumps(document), b"")


def note(**more: Any) -> Any:
    return facet(description=SECRET, **more)


EVENT = run_event(
    "COMPLETE",
    5,
    "fit",
    parent=facet(run={"runId": "0195e2b0-0000-7000-8000-000000000001"}, job={"namespace": "j", "name": "dag"}),
    lineward_serving=note(
        environment="production",
        endpoint=SECRET,
        models=[{"namespace": "r", "name": "m", "version": "1", "x": SECRET}],
    ),
    extractionError=note(),
    job_facets={"jobType": note(processingType="BATCH", integration="SPARK"), "documentation": note()},
    reads=[
        versioned(
            "raw",
            "7",
            documentation=note(),
            symlinks=note(identifiers=[{"namespace": DATA, "name": "alias", "type": SECRET}]),
            schema=note(fields=[{"name": SECRET}]),
        )
    ],
    writes=[
        model(
            "credit",
            "1",
            lifecycleStateChange=change("OVERWRITE"),
            columnLineage=note(fields={SECRET: {"inputFields": [{"namespace": DATA, "name": "raw", "field": SECRET}]}}),
            ownership=facet(_deleted=True),
        ),
        dataset("extra", lineage=note(inputs=[{"type": "DATASET", "namespace": DATA, "name": "raw", "field": SECRET}])),
    ],
)


def test_only_structure_stays() -> None:
    kept = skeleton_of(entry(EVENT))
    assert SECRET not in str(kept)
    assert kept["inputs"][0]["facets"] == {
        "version": {"datasetVersion": "7"},
        "symlinks": {"identifiers": [{"namespace": DATA, "name": "alias"}]},
        "documentation": ERASED_FACET,
        "schema": ERASED_FACET,
    }
    assert kept["outputs"][0]["facets"]["ownership"] == {"_deleted": True}
    assert kept["job"]["facets"]["jobType"] == {"processingType": "BATCH", "integration": "SPARK"}


def read(body: bytes) -> Any:
    return interpret(body, seq=3, recorded=1_780_000_000_000_000, actor="ann").record


def test_the_graph_reads_the_same_links() -> None:
    before, after = read(orjson.dumps(EVENT)), read(orjson.dumps(skeleton_of(entry(EVENT))))
    for name in ("at", "type", "run", "job", "processing", "parent", "serving", "extraction_failed"):
        if name == "serving":
            assert (after.serving.environment, after.serving.models) == (
                before.serving.environment,
                before.serving.models,
            )
        else:
            assert getattr(after, name) == getattr(before, name), name
    for ours, theirs in zip((*after.inputs, *after.outputs), (*before.inputs, *before.outputs), strict=True):
        told = ("dataset", "version", "change", "model", "columns", "aliases")
        assert [getattr(ours, each) for each in told] == [getattr(theirs, each) for each in told]
        assert [each.dataset for each in ours.sources or ()] == [each.dataset for each in theirs.sources or ()]


def _unfaceted(use: Any) -> Any:
    return (use.dataset, use.version, use.change, use.renamed_from, use.model, use.columns, use.aliases)


@pytest.mark.parametrize("corpus", sorted(corpora()))
def test_any_event_keeps_its_links(corpus: str) -> None:
    for event in corpora()[corpus]:
        before, after = read(orjson.dumps(event)), read(orjson.dumps(skeleton_of(entry(event))))
        for name in ("at", "type", "run", "job", "processing", "job_type", "snapshot", "window", "parent", "shape"):
            assert getattr(after, name) == getattr(before, name), name
        assert [*map(_unfaceted, after.inputs)] == [*map(_unfaceted, before.inputs)]
        assert [*map(_unfaceted, after.outputs)] == [*map(_unfaceted, before.outputs)]


def test_a_skeleton_of_a_skeleton_is_itself() -> None:
    kept = skeleton_of(entry(EVENT))
    assert skeleton_of(entry(kept)) == kept


def test_the_graph_knows_an_erased_facet_by_its_digest() -> None:
    found = interpret(
        orjson.dumps(run_event("START", 1, "r", reads=[dataset("a", documentation=ERASED_FACET)])),
        seq=0,
        recorded=0,
        actor="ann",
    )
    assert ERASED_DIGEST in found.bodies


@pytest.mark.parametrize("type_", [EntryType.REDACTION, EntryType.POLICY, EntryType.KEY, EntryType.CONFIG])
def test_what_others_rest_on_is_never_erased(type_: EntryType) -> None:
    with pytest.raises(InvalidInputError, match="cannot be erased: "):
        skeleton_of(entry({"act": "x"}, type_))


BY = {"principal": "key:1", "person": "ann@example.org", "roles": [SECRET]}
TARGET = {"node": "dv_1", "kind": "MODEL_VERSION", "namespace": "r", "name": "m", "version": "1"}


def act(verb: str, **said: Any) -> dict[str, Any]:
    return {"v": 1, "act": verb, "id": "1", "at": "2026-03-01T00:00:00.000000Z", "by": BY, "target": TARGET, **said}


def test_a_decision_keeps_its_outcome_and_no_evidence() -> None:
    told = act(
        "decide",
        environment="production",
        requester="bob",
        state="ALLOW",
        reasons=[SECRET],
        snapshot={"origin": "o", "logSize": 1, "root": "r", "known": 1},
        evaluatedAt="2026-03-01T00:00:00.000000Z",
        evidence={"subject": {"owner": SECRET}},
        evidenceDigest="sha256:0",
        controls=[{"items": [SECRET]}],
        verdict="PASS",
    )
    kept = skeleton_of(entry(told, EntryType.DECISION))
    assert SECRET not in str(kept)
    assert is_whole_act(kept)
    decided = Decide.model_validate(kept)
    assert (decided.state, decided.evidence, decided.evidence_digest) == ("ALLOW", None, "sha256:0")


def test_a_revocation_goes_on_revoking() -> None:
    kept = skeleton_of(entry(act("revokeApproval", refersTo="ap_1", reason=SECRET), EntryType.APPROVAL))
    assert SECRET not in str(kept)
    assert RevokeApproval.model_validate(kept).refers_to == "ap_1"


def test_a_statement_is_gone_but_for_its_trace() -> None:
    kept = skeleton_of(entry(act("attest", type="dpia", statement={"owner": SECRET}), EntryType.ATTESTATION))
    assert SECRET not in str(kept)
    assert not is_whole_act(kept)
