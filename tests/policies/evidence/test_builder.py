"""The evidence document of a small story, part by part."""

from typing import Any

import orjson
import pytest

from catalog.errors import InvalidInputError, NotFoundError
from catalog.graph.memory import MemoryGraph
from catalog.identity import dataset_id, field_id, named_version_id
from catalog.projector import Projector
from catalog.reading import Reading
from policies.evidence.builder import Built, build_evidence
from policies.evidence.document import canonical, thawed
from tests.ingest.events import (
    DATA,
    ORIGIN,
    Event,
    at,
    columns_from,
    dataset,
    dataset_event,
    facet,
    model,
    run_event,
    schema,
    versioned,
)
from tests.policies.evidence.world import (
    APPLICATIONS,
    ENVIRONMENT,
    KNOWN,
    LATER,
    MODEL,
    RAW,
    REGISTRY,
    SERVICE,
    TEST,
    TEST_DATA,
    TRAIN,
    TRAINING_DATA,
    VERSION,
    WEIGHTS,
    Telling,
    approve,
    attest,
    built_of,
    entries,
    evaluate,
    governance,
    identify,
    interpreted,
    monitor,
    prepare,
    revoke,
    run_of,
    serve,
    story,
    tagged,
    train,
    used,
    withdraw,
)


def told(*extra: Telling) -> dict[str, Any]:
    return dict(built_of([*KNOWN, *story(), *extra]).document)


def named(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {record["name"]: record for record in records}


def facts_of(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {fact["pointer"]: (fact["actor"], fact["assurance"]) for fact in document["facts"]}


# The subject and its training --------------------------------------------------------------------------------------


def test_the_subject_is_the_version_with_its_card_and_digest() -> None:
    subject = told()["subject"]

    assert subject["kind"] == "MODEL_VERSION"
    assert (subject["namespace"], subject["name"], subject["version"]) == (REGISTRY, "credit", "1")
    assert subject["digest"] == WEIGHTS
    assert subject["framework"] == "scikit-learn"
    assert subject["intendedPurpose"] == "ranking of applications"
    assert subject["lastMaterialChangeAt"] == "2026-03-01T00:05:00.000000Z"


def test_a_later_version_does_not_lend_its_digest() -> None:
    later = train(version="2", run="retrain", when=900, digest="sha256:" + "99" * 32)

    assert told(later)["subject"]["digest"] == WEIGHTS


def test_the_training_run_tells_code_environment_and_inputs() -> None:
    (run,) = told()["trainingRuns"]

    assert run["code"] == {"repository": "https://git.example/credit", "path": "train.py", "commit": "c0ffee"}
    assert (run["seed"], run["environmentDigest"]) == (7, ENVIRONMENT)
    assert [(each["name"], each["role"]) for each in run["inputs"]] == [("train", "training")]


def test_an_undeclared_input_counts_as_training_and_shows_that_nobody_said_so() -> None:
    document = built_of([*prepare(), train(data=versioned("train", TRAIN))]).document

    assert document["trainingRuns"][0]["inputs"] == [
        {"id": TRAINING_DATA, "namespace": DATA, "name": "train"},
    ]
    assert named(document["trainingDatasets"])["train"]["direct"]


def test_data_in_other_roles_is_no_training_data() -> None:
    held_out = run_event("RUNNING", 250, "train", "train", reads=[used(versioned("test", TEST), "validation")])
    document = told(held_out)

    assert "test" not in named(document["trainingDatasets"])
    assert named(document["validationDatasets"])["test"]["digest"] == TEST
    assert named(document["testDatasets"])["test"]["digest"] == TEST


def test_training_data_is_everything_upstream_and_says_what_is_direct() -> None:
    found = named(told()["trainingDatasets"])

    assert {name: record["direct"] for name, record in found.items()} == {
        "extract": False,
        "applications": False,
        "train": True,
    }
    assert {name for name, record in found.items() if record["external"]} == {"extract"}
    assert found["applications"]["producerCode"] == "1oad"
    assert "version" not in found["extract"]


def test_digests_and_split_groups_are_listed_flat() -> None:
    document = told()

    assert document["trainingDigests"] == sorted([RAW, TRAIN])
    assert document["trainingSplitGroups"] == ["credit"]


@pytest.mark.parametrize("history", [True, False])
def test_rows_of_earlier_writes_are_training_data_too(history: bool) -> None:
    lifecycle: dict[str, Any] = {} if history else {"lifecycleStateChange": facet(lifecycleStateChange="OVERWRITE")}
    events = [
        run_event("COMPLETE", 10, "first", "first", reads=["old"], writes=["table"]),
        run_event("COMPLETE", 20, "second", "second", reads=["new"], writes=[dataset("table", **lifecycle)]),
        run_event("COMPLETE", 30, "train", reads=["table"], writes=[model("credit", "1")]),
    ]

    assert ("old" in named(built_of(events).document["trainingDatasets"])) is history


# Developers --------------------------------------------------------------------------------------------------------


def test_developers_are_the_persons_behind_authors_and_user() -> None:
    mapped = identify("email:old@example.org", "bob@example.org")
    events: list[Telling] = [*KNOWN, mapped, *prepare(), train(authors=["Bob <OLD@example.org>"])]
    subject = built_of(events).document["subject"]

    assert subject["developedBy"] == ["ann@example.org", "bob@example.org"]
    assert subject["developersKnown"] is True


def test_an_unknown_author_makes_the_developers_unknown() -> None:
    subject = built_of([*KNOWN, *prepare(), train(authors=["stranger@example.org"])]).document["subject"]

    assert subject["developedBy"] == ["ann@example.org"]
    assert subject["developersKnown"] is False


def test_a_run_without_people_makes_the_developers_unknown() -> None:
    silent = run_event("COMPLETE", 300, "train", writes=[model("credit", "1")])
    subject = built_of([*KNOWN, silent]).document["subject"]

    assert (subject["developedBy"], subject["developersKnown"]) == ([], False)


def test_without_a_training_run_nothing_is_said_of_developers() -> None:
    subject = built_of([*KNOWN, serve(500)]).document["subject"]

    assert not {"developedBy", "developersKnown", "lastMaterialChangeAt"} & subject.keys()


def test_who_acted_on_the_version_is_a_known_person() -> None:
    approved = approve(built_of(story()), "ann@example.org")
    subject = built_of([*story(), approved]).document["subject"]

    assert (subject["developedBy"], subject["developersKnown"]) == (["ann@example.org"], True)


def test_an_attested_author_joins_those_that_the_run_named() -> None:
    said = attest("field", {"path": "authors", "value": ["bob@example.org"]}, node=run_of("train"), kind="RUN")

    assert told(said)["subject"]["developedBy"] == ["ann@example.org", "bob@example.org"]


# Statements --------------------------------------------------------------------------------------------------------


def test_risk_tier_and_the_like_come_from_statements() -> None:
    document = told(
        attest("classification", {"riskTier": "high", "jurisdictions": ["EU"]}),
        attest("approvedUse", {"intendedPurpose": "consumer credit", "uses": ["credit"]}),
    )

    assert document["subject"]["riskTier"] == "high"
    assert document["subject"]["jurisdictions"] == ["EU"]
    assert document["subject"]["intendedPurpose"] == "consumer credit"  # over the developer's claim
    assert facts_of(document)["/subject/riskTier"] == ("vera@example.org", "ATTESTED")


def test_a_statement_on_the_version_comes_before_one_on_the_model_and_leaves_the_rest() -> None:
    document = told(
        attest("classification", {"riskTier": "high"}, node=VERSION, kind="MODEL_VERSION"),
        attest("classification", {"riskTier": "minimal", "annex": "III"}, name="later"),
    )

    assert (document["subject"]["riskTier"], document["subject"]["annex"]) == ("high", "III")


def test_statements_count_from_their_acceptance_until_they_expire() -> None:
    events: list[Telling] = [*story(), attest("classification", {"riskTier": "high"}, when=900, until=2000)]

    def tier(when: float) -> tuple[str | None, int | None]:
        built = built_of(events, evaluated_at=at(when))
        return built.document["subject"].get("riskTier"), built.turns_at

    assert tier(899) == (None, at(900))
    assert tier(900) == ("high", at(2000))
    assert tier(1999) == ("high", at(2000))
    assert tier(2000) == (None, None)


def test_an_expired_statement_stays_listed_with_its_end() -> None:
    document = built_of([*story(), attest("dpia", {}, until=2000)], evaluated_at=at(3000)).document

    assert [(each["type"], each["expiresAt"]) for each in document["attestations"]] == [
        ("dpia", "2026-03-01T00:33:20.000000Z")
    ]


def test_a_withdrawn_statement_is_gone() -> None:
    said = attest("classification", {"riskTier": "high"})
    document = told(said, withdraw(said))

    assert "riskTier" not in document["subject"]
    assert document["attestations"] == []


def test_any_field_can_be_stated_about_what_it_belongs_to() -> None:
    document = told(
        attest("field", {"path": "licence", "value": "MIT"}, node=APPLICATIONS, kind="DATASET"),
        attest("field", {"path": "code.commit", "value": "abc"}, node=run_of("train"), kind="RUN"),
        attest("field", {"path": "framework", "value": "xgboost"}),
    )

    assert named(document["trainingDatasets"])["applications"]["licence"] == "MIT"
    assert document["trainingRuns"][0]["code"]["commit"] == "abc"
    assert document["subject"]["framework"] == "xgboost"
    assert facts_of(document)["/trainingDatasets/1/licence"] == ("vera@example.org", "ATTESTED")


def test_lists_of_papers_come_from_statements() -> None:
    document = told(
        attest("validation", {"outcome": "approved"}, node=VERSION, kind="MODEL_VERSION", closureDigest="sha256:00"),
        attest("document", {"type": "model_card", "digest": RAW, "sections": ["data"]}),
        attest("incident", {"severity": "serious", "at": "2026-03-01T00:00:00Z", "status": "open", "reference": "7"}),
        attest("incident", {"severity": "serious", "at": "2026-03-01T00:00:00Z", "status": "closed", "reference": "7"}),
        attest("registration", {"register": "EU_AI_DB", "at": "2026-03-01T00:00:00Z"}),
        attest("thirdParty", {"name": "Acme", "role": "vendor"}),
    )

    assert [(each["by"], each["current"]) for each in document["validations"]] == [("vera@example.org", False)]
    assert [each["approvedBy"] for each in document["documents"]] == ["vera@example.org"]
    assert [each["status"] for each in document["incidents"]] == ["closed"]
    assert [each["register"] for each in document["registrations"]] == ["EU_AI_DB"]
    assert [each["name"] for each in document["thirdParties"]] == ["Acme"]


def test_a_validation_is_current_while_the_version_is_what_was_validated() -> None:
    closure = built_of(story()).closure
    assert closure is not None
    said = attest(
        "validation", {"outcome": "approved"}, node=VERSION, kind="MODEL_VERSION", closureDigest=closure.digest
    )
    late = run_event("RUNNING", 150, "split", reads=["postcodes"])

    assert [each["current"] for each in told(said)["validations"]] == [True]
    assert [each["current"] for each in told(said, late)["validations"]] == [False]


# Authority ---------------------------------------------------------------------------------------------------------


def stewards(actor: str, namespace: str) -> bool:
    return actor == "steward"


def test_facets_of_governance_count_from_those_who_may_speak_there() -> None:
    document = built_of([*KNOWN, *story()], authoritative=stewards).document
    found = named(document["trainingDatasets"])["applications"]

    assert not {"licence", "owner", "origin", "classifiedAt"} & found.keys()
    assert document["inputColumns"] == []
    assert "framework" not in document["subject"]
    assert facts_of(dict(document))["/trainingDatasets/1/licence"] == ("local", "SELF_DECLARED")


def test_what_somebody_without_authority_says_later_hides_nothing() -> None:
    stranger = dataset_event(900, dataset("applications", lineward_dataGovernance=governance(licence="WTFPL")))
    store = MemoryGraph()
    first: list[Telling] = [*KNOWN, *story()]
    log = [*entries(first, actor="steward"), *entries([stranger], start=len(first), actor="stranger")]
    assert Projector(store, ORIGIN, interpreted).project(log)

    with store.read() as reader:
        document = build_evidence(Reading(reader), VERSION, evaluated_at=LATER, authoritative=stewards).document
    assert named(document["trainingDatasets"])["applications"]["licence"] == "CC-BY-4.0"


def test_a_statement_counts_where_a_facet_does_not() -> None:
    said = attest("field", {"path": "licence", "value": "MIT"}, node=APPLICATIONS, kind="DATASET")
    document = built_of([*story(), said], authoritative=stewards).document

    assert named(document["trainingDatasets"])["applications"]["licence"] == "MIT"


def test_a_digest_that_its_reader_measured_too_is_verified() -> None:
    document = built_of([*prepare(), train(data=used(versioned("train", TRAIN), "training", digest=TRAIN))]).document
    place = [each["name"] for each in document["trainingDatasets"]].index("train")

    assert facts_of(dict(document))[f"/trainingDatasets/{place}/digest"] == ("local", "VERIFIED")
    assert f"/trainingDatasets/{place}/digest" not in facts_of(told())


def test_a_facet_without_the_form_of_its_schema_tells_nothing() -> None:
    odd = dataset_event(900, dataset("applications", lineward_dataGovernance=governance(licence=5, personalData="no")))
    found = named(told(odd)["trainingDatasets"])["applications"]

    assert not {"licence", "personalData"} & found.keys()
    assert found["origin"] == {"source": "bureau"}


# Columns -----------------------------------------------------------------------------------------------------------


def columns(built: Built) -> dict[str, bool]:
    """Labelled columns, and whether each is masked."""
    return {f"{each['dataset']}.{each['field']}": each["masked"] for each in built.document["inputColumns"]}


def test_a_labelled_column_is_followed_to_the_model() -> None:
    built = built_of(story())
    (column,) = built.document["inputColumns"]
    hashed = field_id(dataset_id(DATA, "train"), "sex_h")

    assert column["path"] == [field_id(APPLICATIONS, "sex"), hashed, VERSION]
    assert column["transformations"] == ["DIRECT/TRANSFORMATION masking"]
    assert columns(built) == {"applications.sex": True}


def lineage_to(target: str, **transformation: Any) -> Event:
    told = columns_from(**{target: [("applications", "sex")]})
    told["fields"][target]["inputFields"][0]["transformations"] = [transformation]
    return told


def chain(lineage: Event | None, labels: Event | None = None) -> list[Telling]:
    table = versioned("applications", RAW, schema=schema("sex"), tags=labels or tagged(sex="protected:sex"))
    facets: dict[str, Any] = {"columnLineage": lineage} if lineage else {}
    return [
        run_event("COMPLETE", 100, "load", writes=[table]),
        run_event(
            "COMPLETE",
            200,
            "derive",
            reads=[versioned("applications", RAW)],
            writes=[versioned("train", TRAIN, schema=schema("a"), **facets)],
        ),
        run_event("COMPLETE", 300, "train", reads=[versioned("train", TRAIN)], writes=[model("credit", "1")]),
    ]


def test_an_indirect_way_counts() -> None:
    assert columns(built_of(chain(lineage_to("a", type="INDIRECT", subtype="FILTER")))) == {"applications.sex": False}


def test_a_column_is_masked_only_when_every_way_masks_it() -> None:
    both = lineage_to("a", type="DIRECT", masking=True)
    both["fields"]["b"] = lineage_to("b", type="INDIRECT", subtype="SORT")["fields"]["b"]

    assert columns(built_of(chain(lineage_to("a", type="DIRECT", masking=True)))) == {"applications.sex": True}
    assert columns(built_of(chain(both))) == {"applications.sex": False}


def test_silence_about_columns_hides_none() -> None:
    built = built_of(chain(None))

    assert columns(built) == {"applications.sex": False}
    assert built.document["lineage"]["columnCoverage"] == 0.0
    assert built.document["inputColumns"][0]["path"][-1] == VERSION


def test_a_silent_step_behind_a_told_one_hides_none() -> None:
    """applications → features, told; features → train, silent."""
    features = versioned("features", "f", schema=schema("sex_h"), columnLineage=lineage_to("sex_h", type="DIRECT"))
    events = [
        chain(None)[0],
        run_event("COMPLETE", 150, "featurise", reads=[versioned("applications", RAW)], writes=[features]),
        run_event("COMPLETE", 200, "split", reads=[versioned("features", "f")], writes=[versioned("train", TRAIN)]),
        run_event("COMPLETE", 300, "train", reads=[versioned("train", TRAIN)], writes=[model("credit", "1")]),
    ]

    assert columns(built_of(events)) == {"applications.sex": False}


def test_a_column_that_is_dropped_does_not_reach_the_model() -> None:
    lineage = columns_from(a=[("applications", "income")])

    assert columns(built_of(chain(lineage))) == {}
    assert built_of(chain(lineage)).document["lineage"]["columnCoverage"] == 1.0


LATER_DATA = "sha256:" + "1a" * 32
OVERWRITE = facet(lifecycleStateChange="OVERWRITE")


def written_again(*, first: list[str], second: list[str]) -> list[Telling]:
    """One table overwritten with other columns, and a version of the model from each: what was column `sex` is `s`."""
    sources = {"s": ("applications", "sex"), "i": ("applications", "income")}

    def table(version: str, names: list[str]) -> Event:
        lineage = columns_from(**{name: [sources[name]] for name in names})
        return versioned("train", version, schema=schema(*names), columnLineage=lineage, lifecycleStateChange=OVERWRITE)

    told: list[Telling] = [chain(None)[0]]
    for run, when, data, names, version in (("1", 200, TRAIN, first, "1"), ("2", 400, LATER_DATA, second, "2")):
        read = [versioned("applications", RAW)]
        told.append(run_event("COMPLETE", when, f"derive-{run}", "derive", reads=read, writes=[table(data, names)]))
        made = [model("credit", version)]
        told.append(
            run_event("COMPLETE", when + 50, f"train-{run}", "train", reads=[versioned("train", data)], writes=made)
        )
    return told


@pytest.mark.parametrize(("first", "second", "reaches"), [(["i", "s"], ["i"], True), (["i"], ["i", "s"], False)])
def test_a_later_write_neither_hides_a_column_of_a_version_nor_adds_one(
    first: list[str], second: list[str], reaches: bool
) -> None:
    told = written_again(first=first, second=second)
    own = {"applications.sex": False} if reaches else {}

    assert columns(built_of(told)) == own
    assert columns(built_of(told[:3])) == own
    assert bool(columns(built_of(told, named_version_id(MODEL, "2")))) is not reaches


def test_a_labelled_column_without_a_schema_counts_where_the_model_reads_it() -> None:
    table = versioned("train", TRAIN, tags=tagged(diagnosis="special:health"))
    events = [
        run_event("COMPLETE", 100, "load", writes=[table]),
        run_event("COMPLETE", 300, "train", reads=[versioned("train", TRAIN)], writes=[model("credit", "1")]),
    ]

    assert columns(built_of(events)) == {"train.diagnosis": False}


@pytest.mark.parametrize(
    ("key", "value", "labels"),
    [
        ("special:health", "true", ["special:health"]),
        ("special:health", "false", None),
        ("pii", "email", ["pii:email"]),
        ("phi", "true", ["phi"]),
        ("team", "true", None),
    ],
)
def test_labels_with_a_prefix_are_followed(key: str, value: str, labels: list[str] | None) -> None:
    tags = facet(tags=[{"key": key, "value": value, "field": "sex"}])
    found = built_of(chain(columns_from(a=[("applications", "sex")]), tags)).document["inputColumns"]

    assert [each["labels"] for each in found] == ([labels] if labels else [])


@pytest.mark.parametrize(
    ("said", "node", "kind"),
    [
        ({"field": "sex", "reason": "required by law", "dataset": "applications"}, MODEL, "MODEL"),
        ({"field": "sex", "reason": "required by law"}, VERSION, "MODEL_VERSION"),
        ({"field": "sex", "reason": "required by law"}, APPLICATIONS, "DATASET"),
    ],
)
def test_a_column_can_be_justified(said: dict[str, str], node: str, kind: str) -> None:
    document = told(attest("columnJustification", said, node=node, kind=kind))

    assert document["inputColumns"][0]["justification"] == "required by law"


# Lineage -----------------------------------------------------------------------------------------------------------


def test_gaps_are_listed_by_kind_and_a_declared_source_is_none() -> None:
    extract = dataset_id(DATA, "extract")
    declared = dataset_event(50, dataset("extract", lineward_dataGovernance=governance()))
    stated = attest("field", {"path": "origin.source", "value": "credit bureau"}, node=extract, kind="DATASET")

    assert [(gap["kind"], gap["node"]) for gap in told()["lineage"]["gaps"]] == [("EXTERNAL", extract)]
    assert told()["lineage"]["complete"] is False
    for closed in (told(declared)["lineage"], told(stated)["lineage"]):
        assert (closed["gaps"], closed["complete"]) == ([], True)


def test_a_walk_that_was_cut_says_so() -> None:
    lineage = built_of(story(), depth=1).document["lineage"]

    assert lineage["truncated"] is True
    assert lineage["complete"] is False


@pytest.mark.parametrize("version", ["0", None])
def test_predictions_in_the_training_data_are_a_feedback_cycle(version: str | None) -> None:
    scoring = run_event("COMPLETE", 90, "score-old", reads=[model("credit", "0")], writes=[versioned("scores", "s")])
    fed = run_event("COMPLETE", 100, "load", reads=[versioned("scores", "s")], writes=[versioned("train", TRAIN)])
    tuned = run_event("RUNNING", 290, "train", reads=[model("credit", "0")])
    events = [scoring, fed, train()] if version else [tuned, train()]

    assert built_of(events).document["lineage"]["feedback"] is (version is not None)


# Checks ------------------------------------------------------------------------------------------------------------


def test_an_evaluation_tells_what_it_was_made_on() -> None:
    (found,) = [each for each in told()["evaluations"] if each["kind"] == "performance"]

    assert (found["datasetId"], found["datasetDigest"], found["splitGroup"]) == (TEST_DATA, TEST, "credit")
    assert found["metrics"][0] == {"name": "auc", "value": 0.75}
    assert found["slices"] == ["young"]
    assert "passed" not in found


@pytest.mark.parametrize("state", ["FAIL", "ABORT"])
def test_what_a_run_measured_before_it_failed_does_not_count(state: str) -> None:
    failing = evaluate() | {"eventType": state}

    assert [each["kind"] for each in built_of([*prepare(), train(), failing]).document["evaluations"]] == []


@pytest.mark.parametrize(
    ("threshold", "passed"),
    [
        ({"metric": "auc", "minimum": 0.7}, True),
        ({"metric": "auc", "minimum": 0.75}, True),
        ({"metric": "auc", "minimum": 0.8}, False),
        ({"metric": "auc", "maximum": 0.5}, False),
        ({"metric": "auc", "minimum": 0.6, "slice": "young"}, False),
        ({"metric": "auc", "minimum": 0.9, "kind": "bias"}, None),
        ({"metric": "f1", "minimum": 0.1}, None),
        ({"metric": "f1", "minimum": 0.1, "kind": "performance"}, None),
    ],
)
def test_passed_is_computed_from_attested_thresholds(threshold: dict[str, Any], passed: bool | None) -> None:
    document = told(attest("threshold", threshold))
    (found,) = [each for each in document["evaluations"] if each["kind"] == "performance"]

    assert found.get("passed") is passed


def test_the_last_threshold_counts_and_says_when_it_was_set() -> None:
    document = told(
        attest("threshold", {"metric": "auc", "minimum": 0.9}),
        attest("threshold", {"metric": "auc", "minimum": 0.7, "setAt": "2026-02-01T00:00:00Z"}),
    )
    (found,) = [each for each in document["evaluations"] if each["kind"] == "performance"]

    assert found["passed"] is True
    assert found["thresholdSetAt"] == "2026-02-01T00:00:00.000000Z"


def test_statements_about_a_run_reach_its_evaluation() -> None:
    run = run_of("evaluate")
    document = told(
        attest("rowOverlap", {"rows": 0}, node=run, kind="RUN"),
        attest("independence", {"independent": True}, node=run, kind="RUN"),
    )
    (found,) = [each for each in document["evaluations"] if each["run"] == run]

    assert (found["rowOverlap"], found["independent"]) == (0, True)


def test_evaluations_of_others_on_the_same_data_are_challengers() -> None:
    other = run_event(
        "COMPLETE",
        450,
        "challenge",
        reads=[model("rival", "3"), used(versioned("test", TEST), "test")],
        lineward_evaluation=facet(kind="performance", metrics=[{"name": "auc", "value": 0.8}]),
    )

    assert [each["run"] for each in told(other)["challengerEvaluations"]] == [run_of("challenge")]


def test_checks_on_data_are_read_from_the_runs_that_made_them() -> None:
    assertions = facet(assertions=[{"assertion": "not_null", "success": True, "column": "income"}])
    checked = run_event(
        "COMPLETE",
        120,
        "check",
        reads=[versioned("applications", RAW) | {"inputFacets": {"dataQualityAssertions": assertions}}],
    )
    examined = run_event(
        "COMPLETE",
        130,
        "examine",
        reads=[versioned("applications", RAW)],
        lineward_evaluation=facet(kind="bias", metrics=[], slices=[{"name": "women", "attributes": ["sex"]}]),
    )
    stated = attest(
        "biasExamination", {"outcome": "no_bias_found", "attributes": ["age"]}, node=APPLICATIONS, kind="DATASET"
    )
    found = named(told(checked, examined, stated)["trainingDatasets"])["applications"]

    assert [(each["name"], each["passed"]) for each in found["qualityChecks"]] == [("not_null(income)", True)]
    assert [each["attributes"] for each in found["biasExaminations"]] == [["sex"], ["age"]]
    assert found["biasExaminations"][1]["outcome"] == "no_bias_found"


# Service -----------------------------------------------------------------------------------------------------------


def test_a_deployment_says_what_runs_where() -> None:
    document = told(
        attest("approvedSchema", {"digest": RAW}, node=SERVICE, kind="DEPLOYMENT"),
        attest("notice", {"kind": "ai_interaction"}, node=SERVICE, kind="DEPLOYMENT"),
    )
    (found,) = document["deployments"]

    assert (found["id"], found["environment"], found["role"]) == (SERVICE, "production", "primary")
    assert found["modelDigest"] == WEIGHTS
    assert found["logging"]["lastEventAt"] == "2026-03-01T00:10:00.000000Z"
    assert (found["approvedSchemaDigest"], found["notices"]) == (RAW, ["ai_interaction"])


def test_a_deployment_that_ended_is_none_after_its_end() -> None:
    events: list[Telling] = [*story(), serve(800, kind="COMPLETE")]

    assert built_of(events).document["deployments"] == []
    assert [each["state"] for each in built_of(events, evaluated_at=at(799)).document["deployments"]] == ["SERVING"]
    assert built_of(events, evaluated_at=at(799)).turns_at == at(800)


def test_what_a_service_served_before_can_be_rolled_back_to_where_it_was_approved() -> None:
    second = named_version_id(MODEL, "2")
    events: list[Telling] = [*story(), train(version="2", run="retrain", when=800), serve(900, "2")]
    approved = approve(built_of(events), "bob@example.org")

    def rollback(*more: Telling) -> tuple[str, bool]:
        (found,) = built_of([*events, *more], second).document["deployments"]
        return found["rollbackTo"], found["rollbackApproved"]

    assert rollback() == (VERSION, False)
    assert rollback(approved) == (VERSION, True)
    assert rollback(approved, revoke(approved)) == (VERSION, False)


def test_a_monitoring_run_began_in_service_and_read_what_the_service_reads_or_writes() -> None:
    before, after = monitor(450, "early"), evaluate("again", 750)
    document = told(before, after, attest("threshold", {"metric": "psi", "maximum": 0.2}))

    assert [(each["run"], each["deployment"]) for each in document["monitoringRuns"]] == [(run_of("monitor"), SERVICE)]
    assert (document["monitoringRuns"][0]["passed"], document["monitoringRuns"][0]["breaches"]) == (False, ["psi"])


def test_an_escalation_is_stated_about_the_monitoring_run() -> None:
    said = attest("escalation", {"to": "team:model-risk"}, node=run_of("monitor"), kind="RUN")

    assert told(said)["monitoringRuns"][0]["escalatedTo"] == "team:model-risk"


# Other subjects ----------------------------------------------------------------------------------------------------


def test_evidence_on_a_deployment_is_that_on_what_it_serves() -> None:
    document = built_of(story(), SERVICE).document

    assert (document["subject"]["kind"], document["subject"]["version"]) == ("DEPLOYMENT", "1")
    assert document["subject"]["closureDigest"] == built_of(story()).document["subject"]["closureDigest"]
    assert [each["id"] for each in document["deployments"]] == [SERVICE]


def test_evidence_on_a_run_has_what_it_read() -> None:
    document = built_of(story(), run_of("train")).document

    assert [each["id"] for each in document["trainingRuns"]] == [run_of("train")]
    assert {"train", "applications"} <= named(document["trainingDatasets"]).keys()
    assert columns(built_of(story(), run_of("train"))) == {"applications.sex": True}


def test_evidence_on_a_dataset_version_has_itself_first() -> None:
    document = built_of(story(), TRAINING_DATA).document
    found = named(document["trainingDatasets"])

    assert document["subject"]["digest"] == TRAIN
    assert [found[name]["direct"] for name in ("train", "applications")] == [True, False]
    assert columns(built_of(story(), TRAINING_DATA)) == {"applications.sex": True}


def test_what_no_policy_judges_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        built_of(story(), MODEL)
    with pytest.raises(NotFoundError):
        built_of(story(), named_version_id(MODEL, "unheard of"))


# Witnesses ---------------------------------------------------------------------------------------------------------


def test_a_dataset_is_witnessed_by_the_shortest_way_down_and_its_log_entries() -> None:
    built = built_of(story())
    witness = built.witness(named_version_id(APPLICATIONS, RAW))

    assert witness is not None
    assert witness.nodes == (
        named_version_id(APPLICATIONS, RAW),
        run_of("split"),
        TRAINING_DATA,
        run_of("train"),
        VERSION,
    )
    assert witness.entries == (1, 2)
    assert built.witness("nothing") is None


def test_columns_acts_services_and_runs_have_witnesses() -> None:
    said = attest("dpia", {})
    approved = approve(built_of(story()), "bob@example.org")
    built = built_of([*story(), said, approved])

    for key in (field_id(APPLICATIONS, "sex"), said.id, approved.id, SERVICE, run_of("evaluate"), TEST_DATA):
        witness = built.witness(key)
        assert witness is not None, key
        assert witness.nodes, key
        assert witness.entries, key


def test_the_document_holds_no_log_positions() -> None:
    moved = [run_event("COMPLETE", 1, f"noise {n}", reads=["p"], writes=["q"]) for n in range(3)]

    assert built_of([*KNOWN, *moved, *story()]).bytes == built_of([*KNOWN, *story()]).bytes


def test_integers_that_a_double_cannot_hold_are_texts() -> None:
    assert built_of([*prepare(), train(seed=2**60 + 1)]).document["trainingRuns"][0]["seed"] == str(2**60 + 1)


def test_a_frozen_document_is_thawed_as_it_was() -> None:
    said = attest("field", {"path": "oldestItemYears", "value": 5.0}, node=APPLICATIONS, kind="DATASET")
    built = built_of([*story(), said, attest("threshold", {"metric": "psi", "minimum": 0})])
    again = thawed(orjson.loads(built.bytes))

    assert canonical(again) == built.bytes
    assert again == built.document
    assert isinstance(named(again["trainingDatasets"])["applications"]["oldestItemYears"], float)
