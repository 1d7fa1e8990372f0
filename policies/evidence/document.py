"""The evidence document: everything that a verdict may depend on, and where each field of it can come from.

These models are the one source of the names in expressions, of the types that expressions are checked against, of
the published JSON schema and of the list of senders. Names are camelCase in the document. A field that is not known
is left out: it is never null, so that `has()` tells it.

Lists are ordered by the identity of their items, so that equal facts are equal bytes (RFC 8785).
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from catalog.canonical import dumps
from policies.evidence.source import attested, computed, custom, standard

SCHEMA = "lineward.dev/evidence/v1"
_EXACT = (1 << 53) - 1

Time = Annotated[str, Field(description="RFC 3339, UTC.")]
Digest = Annotated[str, Field(description="algorithm:hex, lower case.")]
PersonId = Annotated[str, Field(description="A person, as the owner of a key is written.")]


class Record(BaseModel):
    """A part of the document."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        defer_build=True,  # to build them all takes a server a tenth of a second before it is asked for any
    )


_GRAPH = computed("the graph")
_LOG = computed("the log")

# The model ---------------------------------------------------------------------------------------------------------


class Subject(Record):
    """What is judged. A model version, dataset version, run or deployment."""

    id: Annotated[str, _GRAPH] = Field(description="Node id.")
    kind: Annotated[str, _GRAPH] = Field(description="MODEL_VERSION, DATASET_VERSION, RUN or DEPLOYMENT.")
    namespace: Annotated[str, _GRAPH] = Field(description="Namespace of the model, dataset or job.")
    name: Annotated[str, _GRAPH] = Field(description="Name of the model, dataset or job.")
    version: Annotated[str | None, _GRAPH] = Field(
        None, description="Name of the version; of a deployment that of the version which it serves."
    )
    digest: Annotated[Digest | None, custom("model", "digest"), standard("version", "datasetVersion")] = Field(
        None, description="Digest of the artifact."
    )
    closure_digest: Annotated[Digest | None, _GRAPH] = Field(
        None, description="Digest of everything that makes the model what it is: see the approvals."
    )
    state: Annotated[str | None, _GRAPH] = Field(
        None, description="State of the version or run, as in the graph: CURRENT, SUPERSEDED, COMPLETED and so on."
    )
    registered_at: Annotated[Time | None, _GRAPH] = Field(None, description="When the version became current.")
    owner: Annotated[
        str | None, standard("ownership", "owners", "team:credit"), attested("inventory", "owner", "team:credit")
    ] = Field(
        None,
        description="Who answers for it: as a person stated, else the first owner of the facet.",
    )
    owner_unit: Annotated[str | None, attested("inventory", "ownerUnit", "Retail Credit")] = Field(
        None, description="Organisational unit of the owner."
    )
    developed_by: Annotated[tuple[PersonId, ...] | None, computed("authors and user of the training runs")] = Field(
        None, description="Known people who wrote or ran the training; absent without a training run."
    )
    developers_known: Annotated[bool | None, computed("authors and user of the training runs")] = Field(
        None,
        description="Whether every training run tells of its people, and we know each of them; absent without a run.",
    )
    unknown_developers: Annotated[tuple[str, ...] | None, computed("authors and user of the training runs")] = Field(
        None, description="Names in the training runs that are nobody that we know; absent where there is none."
    )
    last_material_change_at: Annotated[Time | None, computed("start of the last training run")] = Field(
        None, description="When data, code or parameters behind this version last changed: its training began."
    )
    framework: Annotated[str | None, custom("model", "framework")] = Field(
        None, description="Library that made the model."
    )
    task: Annotated[str | None, custom("model", "task", "binary classification")] = Field(
        None, description="What the model does."
    )
    licence: Annotated[str | None, custom("model", "licence", "Apache-2.0")] = Field(
        None, description="Licence of the model: SPDX expression or name."
    )
    intended_purpose: Annotated[
        str | None, attested("approvedUse", "intendedPurpose"), custom("model", "intendedUse")
    ] = Field(None, description="What it is for; what a person attested comes before what the developer claimed.")
    approved_uses: Annotated[tuple[str, ...] | None, attested("approvedUse", "uses", ["consumer credit"])] = Field(
        None, description="Uses that were approved."
    )
    restricted_uses: Annotated[tuple[str, ...] | None, attested("approvedUse", "restrictions", [])] = Field(
        None, description="Uses that were ruled out."
    )
    risk_tier: Annotated[str | None, attested("classification", "riskTier", "high")] = Field(
        None, description="As the EU AI Act has it: prohibited, high, limited, minimal. Never from an event."
    )
    materiality_tier: Annotated[str | None, attested("classification", "materialityTier", "tier 1")] = Field(
        None, description="How much depends on the model, in the organisation's own words."
    )
    exposure: Annotated[str | None, attested("classification", "exposure", "EUR 40m")] = Field(
        None, description="What is at stake, in the organisation's own words."
    )
    jurisdictions: Annotated[tuple[str, ...] | None, attested("classification", "jurisdictions", ["EU"])] = Field(
        None, description="Where it is used: country codes, or EU."
    )
    sectors: Annotated[tuple[str, ...] | None, attested("classification", "sectors", ["banking"])] = Field(
        None, description="Sectors in which it is used."
    )
    use_case: Annotated[str | None, attested("classification", "useCase", "consumer credit")] = Field(
        None, description="What it is used for."
    )
    annex: Annotated[str | None, attested("classification", "annex", "III")] = Field(
        None, description="Annex of the EU AI Act that makes it high-risk: I or III."
    )
    eu_role: Annotated[str | None, attested("classification", "euRole", "provider")] = Field(
        None, description="provider, deployer or both."
    )
    deployer_kind: Annotated[str | None, attested("classification", "deployerKind", "private")] = Field(
        None, description="public or private: who must assess the impact on fundamental rights (Art. 27)."
    )
    purpose: Annotated[str | None, attested("classification", "purpose", "credit scoring")] = Field(
        None, description="Purpose of the processing of personal data."
    )
    generative: Annotated[bool | None, attested("classification", "generative", False)] = Field(
        None, description="Whether it generates text, images, sound or video."
    )
    biometric_identification: Annotated[bool | None, attested("classification", "biometricIdentification", False)] = (
        Field(None, description="Whether it identifies people by their bodies.")
    )
    gpai: Annotated[bool | None, attested("classification", "gpai", False)] = Field(
        None, description="Whether it is a general-purpose AI model."
    )
    systemic_risk: Annotated[bool | None, attested("classification", "systemicRisk", False)] = Field(
        None, description="Whether it is a general-purpose AI model with systemic risk."
    )
    training_flops: Annotated[float | None, custom("training", "compute.flops", 1e21)] = Field(
        None, description="Floating-point operations of all training runs together."
    )
    placed_on_market_at: Annotated[Time | None, attested("classification", "placedOnMarketAt")] = Field(
        None, description="When it was first placed on the market. RFC 3339, UTC."
    )
    third_party: Annotated[bool | None, attested("classification", "thirdParty", False)] = Field(
        None, description="Whether somebody else developed it."
    )
    base_model: Annotated[str | None, custom("model", "baseModel")] = Field(
        None, description="NAME or NAME@VERSION of the model that it was made from."
    )


class Code(Record):
    repository: Annotated[str | None, standard("sourceCodeLocation", "repoUrl")] = Field(
        None, description="Where the code is kept: repoUrl, else url."
    )
    path: Annotated[str | None, standard("sourceCodeLocation", "path")] = Field(
        None, description="Path in the repository."
    )
    commit: Annotated[str | None, standard("sourceCodeLocation", "version", "3f2c…")] = Field(
        None, description="Commit, or what else names the version of the code."
    )


class UsedVersion(Record):
    """A dataset version that a run read."""

    id: Annotated[str, _GRAPH] = Field(
        description="Node id of the version, or of the dataset where no version is known."
    )
    namespace: Annotated[str, _GRAPH] = Field(description="Namespace of the dataset.")
    name: Annotated[str, _GRAPH] = Field(description="Name of the dataset.")
    role: Annotated[str | None, custom("input", "role", "training")] = Field(
        None, description="What the run used it for; absent where it did not say."
    )


class TrainingRun(Record):
    """A run that made the version, or took part in making it."""

    id: Annotated[str, _GRAPH] = Field(description="Node id.")
    run_id: Annotated[str, _GRAPH] = Field(description="UUID of the run.")
    job: Annotated[str, _GRAPH] = Field(description="Name of its job.")
    state: Annotated[str | None, _GRAPH] = Field(None, description="COMPLETED, FAILED and so on.")
    started_at: Annotated[Time | None, _GRAPH] = Field(None, description="When it began. RFC 3339, UTC.")
    ended_at: Annotated[Time | None, _GRAPH] = Field(None, description="When it ended. RFC 3339, UTC.")
    code: Annotated[Code | None, standard("sourceCodeLocation")] = Field(
        None, description="The code that the run's own events name."
    )
    environment_digest: Annotated[Digest | None, custom("training", "environmentDigest")] = Field(
        None, description="Digest over interpreter and installed packages."
    )
    seed: Annotated[int | None, custom("training", "seed", 7)] = Field(
        None, description="Seed of the random number generators."
    )
    parameters_digest: Annotated[Digest | None, standard("executionParameters")] = Field(
        None, description="Digest over its parameters, whatever their order."
    )
    authors: Annotated[tuple[str, ...] | None, custom("training", "authors", ["ann@example.org"])] = Field(
        None, description="Authors of the training code."
    )
    user: Annotated[str | None, custom("training", "user", "ann@example.org")] = Field(
        None, description="Who started it."
    )
    inputs: Annotated[tuple[UsedVersion, ...], _GRAPH] = Field((), description="What it read.")


# Data --------------------------------------------------------------------------------------------------------------


class Origin(Record):
    source: Annotated[str | None, custom("dataGovernance", "origin.source", "credit bureau")] = Field(
        None, description="Where the data comes from. Data that nobody of ours wrote is no gap once this is said."
    )
    method: Annotated[str | None, custom("dataGovernance", "origin.method", "application form")] = Field(
        None, description="How it was collected."
    )
    collected_from: Annotated[str | None, custom("dataGovernance", "origin.collectedFrom", "2024-01-01")] = Field(
        None, description="First day of its collection."
    )
    collected_to: Annotated[str | None, custom("dataGovernance", "origin.collectedTo", "2025-12-31")] = Field(
        None, description="Last day of its collection."
    )


class Storage(Record):
    country: Annotated[str | None, custom("dataGovernance", "storageCountry", "DE")] = Field(
        None, description="Country where it is stored, as a code."
    )
    encrypted_at_rest: Annotated[bool | None, attested("dataset", "encryptedAtRest", True)] = Field(
        None, description="Whether it is encrypted at rest."
    )
    access_logging: Annotated[bool | None, attested("dataset", "accessLogging", True)] = Field(
        None, description="Whether access to it is logged."
    )


class QualityCheck(Record):
    name: Annotated[str, standard("dataQualityAssertions", "assertions")] = Field(
        description="The assertion, with its column in brackets."
    )
    passed: Annotated[bool, standard("dataQualityAssertions", "assertions")] = Field(
        description="Whether it held, the last time."
    )
    at: Annotated[Time, standard("dataQualityAssertions", "assertions")] = Field(
        description="When it was checked. RFC 3339, UTC."
    )


class BiasExamination(Record):
    """A run with `lineward_evaluation` of kind bias that read the dataset and no model, or an attested one."""

    at: Annotated[Time, custom("evaluation", "kind", "bias"), attested("biasExamination")] = Field(
        description="When it was made. RFC 3339, UTC."
    )
    by: Annotated[str | None, attested("biasExamination", "by")] = Field(
        None, description="Who made it; absent for one that a run reported."
    )
    attributes: Annotated[tuple[str, ...], custom("evaluation", "slices"), attested("biasExamination")] = Field(
        (), description="Columns or groups that were compared."
    )
    outcome: Annotated[str | None, attested("biasExamination", "outcome", "no_bias_found")] = Field(
        None, description="no_bias_found, bias_found or bias_mitigated."
    )
    mitigation: Annotated[str | None, attested("biasExamination", "mitigation")] = Field(
        None, description="What was done about bias that was found."
    )
    report_digest: Annotated[Digest | None, custom("evaluation", "reportDigest"), attested("biasExamination")] = Field(
        None, description="Digest of the report."
    )


class Labelling(Record):
    method: Annotated[str | None, attested("dataset", "labelling.method", "loan outcome after 12 months")] = Field(
        None, description="How labels were made."
    )
    by: Annotated[str | None, attested("dataset", "labelling.by")] = Field(None, description="Who made them.")


class Deidentification(Record):
    method: Annotated[str | None, attested("dataset", "deidentification.method", "pseudonymised")] = Field(
        None, description="How it was de-identified."
    )
    at: Annotated[Time | None, attested("dataset", "deidentification.at")] = Field(
        None, description="When. RFC 3339, UTC."
    )


class Population(Record):
    geo: Annotated[tuple[str, ...] | None, attested("dataset", "population.geo", ["DE"])] = Field(
        None, description="Where the people live whom the data is about."
    )
    groups: Annotated[tuple[str, ...] | None, attested("dataset", "population.groups")] = Field(
        None, description="Groups that it covers."
    )


class Dataset(Record):
    """A dataset version behind the subject."""

    id: Annotated[str, _GRAPH] = Field(
        description="Node id of the version, or of the dataset where no version is known."
    )
    namespace: Annotated[str, _GRAPH] = Field(description="Namespace of the dataset.")
    name: Annotated[str, _GRAPH] = Field(description="Name of the dataset.")
    version: Annotated[str | None, standard("version", "datasetVersion")] = Field(
        None, description="Name of the version; a version that only its run tells apart has none."
    )
    digest: Annotated[Digest | None, custom("input", "digest"), standard("version", "datasetVersion")] = Field(
        None, description="Digest of the content: the version's name where it is one, else what a reader measured."
    )
    owner: Annotated[str | None, standard("ownership", "owners", "team:data"), attested("dataset", "owner")] = Field(
        None, description="Who answers for it."
    )
    licence: Annotated[str | None, custom("dataGovernance", "licence", "CC-BY-4.0")] = Field(
        None, description="SPDX expression or name."
    )
    origin: Annotated[Origin | None, custom("dataGovernance", "origin")] = Field(
        None, description="Where it comes from."
    )
    storage: Annotated[Storage | None, custom("dataGovernance", "storageCountry")] = Field(
        None, description="Where and how it is stored."
    )
    personal_data: Annotated[bool | None, custom("dataGovernance", "personalData", True)] = Field(
        None, description="Whether it holds data about identifiable people."
    )
    special_categories: Annotated[tuple[str, ...] | None, custom("dataGovernance", "specialCategories", [])] = Field(
        None, description="Special categories of personal data in it (GDPR, Art. 9); an empty list says none."
    )
    purposes: Annotated[tuple[str, ...] | None, custom("dataGovernance", "purposes", ["credit scoring"])] = Field(
        None, description="Purposes for which it was collected."
    )
    lawful_basis: Annotated[str | None, custom("dataGovernance", "lawfulBasis", "contract")] = Field(
        None, description="Lawful basis of the processing (GDPR, Art. 6)."
    )
    art9_condition: Annotated[str | None, attested("dataset", "art9Condition", "explicit consent")] = Field(
        None, description="Condition that permits special categories (GDPR, Art. 9(2))."
    )
    consumer_report: Annotated[bool | None, attested("dataset", "consumerReport", True)] = Field(
        None, description="Whether it holds consumer reports (FCRA)."
    )
    oldest_item_years: Annotated[float | None, attested("dataset", "oldestItemYears", 5.0)] = Field(
        None, description="Age of the oldest adverse item that features look back to, years."
    )
    retention_until: Annotated[Time | None, custom("dataGovernance", "retentionUntil", "2031-12-31")] = Field(
        None, description="Until when it may be kept: the first instant of the day that was told. RFC 3339, UTC."
    )
    classified_at: Annotated[Time | None, standard("tags"), attested("dataset", "classifiedAt")] = Field(
        None, description="When its columns were last classified: the time of its tags."
    )
    quality_checks: Annotated[tuple[QualityCheck, ...] | None, standard("dataQualityAssertions")] = Field(
        None, description="What runs that read or wrote it asserted of it: the last word on each assertion."
    )
    bias_examinations: Annotated[tuple[BiasExamination, ...] | None, attested("biasExamination")] = Field(
        None, description="Examinations for bias, the earliest first."
    )
    known_gaps: Annotated[tuple[str, ...] | None, attested("dataset", "knownGaps", [])] = Field(
        None, description="What is known to be missing in it; an empty list says nothing is."
    )
    labelling: Annotated[Labelling | None, attested("dataset", "labelling.method")] = Field(
        None, description="How its labels were made."
    )
    deidentification: Annotated[Deidentification | None, attested("dataset", "deidentification.method")] = Field(
        None, description="How it was de-identified."
    )
    population: Annotated[Population | None, attested("dataset", "population.geo", ["DE"])] = Field(
        None, description="Whom it is about."
    )
    labels: Annotated[tuple[str, ...], standard("tags")] = Field((), description="Tags of the dataset itself.")
    split_group: Annotated[str | None, custom("input", "splitGroup")] = Field(
        None, description="Group of the split that it is a part of: rows of two parts of one group are disjoint."
    )
    producer_code: Annotated[str | None, standard("sourceCodeLocation", "version")] = Field(
        None, description="Commit of the job that wrote it; absent for what comes from outside."
    )
    external: Annotated[bool | None, _GRAPH] = Field(None, description="Whether nobody of ours wrote it.")
    erasures: Annotated[tuple[str, ...] | None, _LOG] = Field(
        None, description="Ids of the erasures of rows from it that came after this version: it held the rows."
    )
    derived: Annotated[bool | None, _GRAPH] = Field(
        None, description="Whether the graph knows what it was made from: what its sources say then holds for it."
    )
    direct: Annotated[bool | None, _GRAPH] = Field(
        None, description="Whether a training run read it itself; else it is further up."
    )


class InputColumn(Record):
    """A labelled column that reaches the model, directly or through others."""

    id: Annotated[str, _GRAPH] = Field(description="Node id of the column.")
    dataset: Annotated[str, _GRAPH] = Field(description="Name of its dataset.")
    dataset_id: Annotated[str, _GRAPH] = Field(description="Node id of its dataset.")
    field: Annotated[str, _GRAPH] = Field(description="Path of the column.")
    labels: Annotated[tuple[str, ...], standard("tags", "tags", "protected:sex")] = Field(
        description="All its labels, in order."
    )
    path: Annotated[tuple[str, ...], standard("columnLineage")] = Field((), description="Node ids down to the model.")
    transformations: Annotated[tuple[str, ...], standard("columnLineage")] = Field(
        (), description="What the steps of that path do: TYPE/SUBTYPE, and masking."
    )
    masked: Annotated[bool, standard("columnLineage")] = Field(description="Whether some step on every path masks.")
    justification: Annotated[str | None, attested("columnJustification", "reason")] = Field(
        None, description="Why it may reach the model."
    )


class Gap(Record):
    """Something that the graph does not know about the closure."""

    kind: Annotated[str, _GRAPH] = Field(description="EXTERNAL, AMBIGUOUS, NEVER_ENDED and so on.")
    node: Annotated[str, _GRAPH] = Field(description="Node id.")
    reason: Annotated[str, _GRAPH] = Field(description="In words.")


class Lineage(Record):
    """How much of what is behind the subject is known."""

    complete: Annotated[bool, _GRAPH] = Field(description="Neither a gap of any kind nor a truncation.")
    truncated: Annotated[bool, _GRAPH] = Field(False, description="Whether a walk was cut by its depth or size.")
    gaps: Annotated[tuple[Gap, ...], _GRAPH] = Field(
        (), description="What is not known, by kind. Data whose origin is told is no gap."
    )
    depth_reached: Annotated[int, _GRAPH] = Field(0, description="Hops to the farthest node.")
    column_coverage: Annotated[float, standard("columnLineage"), _GRAPH] = Field(
        0.0, description="Part of the derived datasets in the closure that say where their columns come from, 0 to 1."
    )
    feedback: Annotated[bool, _GRAPH] = Field(
        False, description="Whether predictions of this model are upstream of its own training data."
    )


# Checks ------------------------------------------------------------------------------------------------------------


class Metric(Record):
    name: Annotated[str, custom("evaluation", "metrics")] = Field(description="Name of the metric.")
    value: Annotated[float, custom("evaluation", "metrics")] = Field(description="What was measured.")
    slice: Annotated[str | None, custom("evaluation", "metrics")] = Field(
        None, description="Part of the data; absent for all of it."
    )


class Evaluation(Record):
    """A run that measured this version. `passed` is computed from attested thresholds, never reported."""

    run: Annotated[str, _GRAPH] = Field(description="Node id of the run.")
    kind: Annotated[str, custom("evaluation", "kind", "performance")] = Field(
        description="performance, robustness, bias, security, drift and so on; unspecified where it does not say."
    )
    at: Annotated[Time, _GRAPH] = Field(description="When it ended. RFC 3339, UTC.")
    by: Annotated[str | None, _LOG] = Field(None, description="Who sent its events.")
    dataset_id: Annotated[str | None, _GRAPH] = Field(
        None,
        description="Node id of its data: test data, else validation data, else the only data that it read.",
    )
    dataset_digest: Annotated[Digest | None, custom("input", "digest"), standard("version")] = Field(
        None, description="Digest of that data."
    )
    split_group: Annotated[str | None, custom("input", "splitGroup")] = Field(
        None, description="Group of the split that the data is a part of."
    )
    row_overlap: Annotated[int | None, attested("rowOverlap", "rows", 0)] = Field(
        None, description="Rows that the data shares with the training data."
    )
    threshold_set_at: Annotated[Time | None, attested("threshold")] = Field(
        None, description="When the last of the thresholds that it was held against was set. RFC 3339, UTC."
    )
    metrics: Annotated[tuple[Metric, ...], custom("evaluation", "metrics")] = Field(
        (), description="What was measured, in the order of the facet."
    )
    slices: Annotated[tuple[str, ...], custom("evaluation", "slices")] = Field(
        (), description="Parts of the data that were measured apart."
    )
    passed: Annotated[bool | None, attested("threshold", "minimum", 0.7)] = Field(
        None, description="Whether every metric with an attested threshold keeps it; absent without a threshold."
    )
    report_digest: Annotated[Digest | None, custom("evaluation", "reportDigest")] = Field(
        None, description="Digest of the report."
    )
    independent: Annotated[bool | None, attested("independence", "independent", True)] = Field(
        None, description="Whether the people behind it are independent of the developers."
    )
    closure_digest: Annotated[Digest | None, _GRAPH] = Field(
        None, description="Closure digest of the version as it is now; absent for challengers."
    )


class Validation(Record):
    """A person's validation of this version."""

    at: Annotated[Time, attested("validation")] = Field(description="When it was concluded. RFC 3339, UTC.")
    by: Annotated[PersonId, attested("validation")] = Field(description="Who validated.")
    org_unit: Annotated[str | None, attested("validation", "orgUnit", "Model Validation")] = Field(
        None, description="Organisational unit of the validator."
    )
    scope: Annotated[str | None, attested("validation", "scope")] = Field(None, description="What was validated.")
    outcome: Annotated[str, attested("validation", "outcome", "approved")] = Field(
        description="approved, approved_with_conditions or rejected."
    )
    findings_open: Annotated[int | None, attested("validation", "findingsOpen", 0)] = Field(
        None, description="Findings that are not resolved."
    )
    conditions: Annotated[tuple[str, ...], attested("validation", "conditions")] = Field(
        (), description="Conditions of the approval."
    )
    report_digest: Annotated[Digest | None, attested("validation", "reportDigest")] = Field(
        None, description="Digest of the report."
    )
    current: Annotated[bool, computed("closure digest")] = Field(
        description="Whether it was made of what this version still is."
    )


class MonitoringRun(Record):
    """An evaluation of a deployed version on live data."""

    run: Annotated[str, _GRAPH] = Field(description="Node id of the run.")
    deployment: Annotated[str, _GRAPH] = Field(description="Id of the deployment that it watches.")
    kind: Annotated[str, custom("evaluation", "kind", "drift")] = Field(
        description="drift, performance, bias, data_quality and so on."
    )
    at: Annotated[Time, _GRAPH] = Field(description="When it ended. RFC 3339, UTC.")
    passed: Annotated[bool | None, attested("threshold")] = Field(
        None, description="As of an evaluation: computed from attested thresholds."
    )
    breaches: Annotated[tuple[str, ...], computed("metrics and thresholds")] = Field(
        (), description="Metrics that break a threshold: NAME, or NAME [SLICE]."
    )
    escalated_to: Annotated[str | None, attested("escalation", "to", "team:model-risk")] = Field(
        None, description="To whom its breach was reported."
    )


# People ------------------------------------------------------------------------------------------------------------


class Approval(Record):
    """An approval of this very version, as it stands: revoked ones are left out."""

    id: Annotated[str, _LOG] = Field(description="Node id of the act.")
    person: Annotated[PersonId, _LOG] = Field(description="Who approved.")
    role: Annotated[str | None, _LOG] = Field(None, description="The role in which they did.")
    roles: Annotated[tuple[str, ...], _LOG] = Field((), description="All roles of who approved.")
    at: Annotated[Time, _LOG] = Field(description="When. RFC 3339, UTC.")
    environment: Annotated[str, _LOG] = Field(description="Environment that it is for.")
    use: Annotated[str | None, _LOG] = Field(None, description="Use that it is for; absent for every use.")
    conditions: Annotated[tuple[str, ...], _LOG] = Field((), description="Conditions that it was given under.")
    valid_until: Annotated[Time | None, _LOG] = Field(None, description="End of its validity. RFC 3339, UTC.")
    current: Annotated[bool, computed("closure digest")] = Field(
        description="Whether it was given to what this version still is: same artifact, same closure."
    )
    changed: Annotated[tuple[str, ...], computed("closure digest")] = Field(
        (), description="What changed since, where it is not current."
    )


class Attestation(Record):
    """A statement of a person, as it stands: withdrawn ones are left out."""

    id: Annotated[str, _LOG] = Field(description="Node id of the act.")
    type: Annotated[str, _LOG] = Field(description="Type of the statement.")
    person: Annotated[PersonId, _LOG] = Field(description="Who stated it.")
    role: Annotated[str | None, _LOG] = Field(None, description="The role in which they did.")
    at: Annotated[Time, _LOG] = Field(description="From when it counts. RFC 3339, UTC.")
    expires_at: Annotated[Time, _LOG] = Field(description="From when it no longer counts. RFC 3339, UTC.")
    document_digest: Annotated[Digest | None, _LOG] = Field(None, description="Digest of the document behind it.")
    document_uri: Annotated[str | None, _LOG] = Field(None, description="Where that document is.")
    current: Annotated[bool, computed("closure digest")] = Field(
        description="Whether it is about what this version still is, or about its model as a whole."
    )


class Document(Record):
    type: Annotated[str, attested("document", "type", "technical_documentation")] = Field(
        description="technical_documentation, model_card and so on."
    )
    version: Annotated[str | None, attested("document", "version", "1.0")] = Field(
        None, description="Version of the document."
    )
    digest: Annotated[Digest, attested("document", "digest")] = Field(description="Digest of the document.")
    uri: Annotated[str | None, attested("document", "uri")] = Field(None, description="Where it is.")
    public: Annotated[bool | None, attested("document", "public", False)] = Field(
        None, description="Whether everybody can read it."
    )
    at: Annotated[Time, attested("document")] = Field(description="When it was attested. RFC 3339, UTC.")
    approved_by: Annotated[PersonId, attested("document")] = Field(description="Who attested it.")
    sections: Annotated[tuple[str, ...], attested("document", "sections", ["purpose", "data"])] = Field(
        (), description="Sections that it has."
    )
    retention_days: Annotated[int | None, attested("document", "retentionDays", 3650)] = Field(
        None, description="How long it is kept, days."
    )


class Incident(Record):
    id: Annotated[str, _LOG] = Field(description="Node id of the statement that counts.")
    severity: Annotated[str, attested("incident", "severity", "serious")] = Field(description="How serious it is.")
    at: Annotated[Time, attested("incident", "at")] = Field(description="When it happened. RFC 3339, UTC.")
    reported_at: Annotated[Time | None, attested("incident", "reportedAt")] = Field(
        None, description="When it was reported to an authority. RFC 3339, UTC."
    )
    status: Annotated[str, attested("incident", "status", "open")] = Field(description="open, closed and so on.")


class Registration(Record):
    register_: Annotated[str, Field(alias="register"), attested("registration", "register", "EU_AI_DB")] = Field(
        description="Which register."
    )
    number: Annotated[str | None, attested("registration", "number")] = Field(None, description="Number of the entry.")
    at: Annotated[Time, attested("registration", "at")] = Field(description="When. RFC 3339, UTC.")
    deployment: Annotated[str | None, attested("registration", "deployment")] = Field(
        None, description="Which deployment it is for."
    )


class ThirdParty(Record):
    name: Annotated[str, attested("thirdParty", "name")] = Field(description="Who.")
    role: Annotated[str, attested("thirdParty", "role", "model vendor")] = Field(description="What they do.")
    contract: Annotated[str | None, attested("thirdParty", "contract")] = Field(None, description="Contract with them.")
    locations: Annotated[tuple[str, ...], attested("thirdParty", "locations")] = Field(
        (), description="Countries in which they work."
    )


class Erasure(Record):
    """An erasure whose rows, or records, are behind this version, and what was decided about the version last."""

    id: Annotated[str, _LOG] = Field(description="Node id of the act that opened the case.")
    basis: Annotated[str, _LOG] = Field(description="Ground in law, as it was told.")
    opened_at: Annotated[Time, _LOG] = Field(description="When the case was opened. RFC 3339, UTC.")
    datasets: Annotated[tuple[str, ...], _LOG] = Field((), description="Names of the datasets that rows went from.")
    disposition: Annotated[str | None, _LOG] = Field(
        None, description="retrain, unlearn, suppress or accept; absent while nothing is decided."
    )
    disposed_by: Annotated[PersonId | None, _LOG] = Field(None, description="Who decided.")
    disposed_at: Annotated[Time | None, _LOG] = Field(None, description="When. RFC 3339, UTC.")
    successor: Annotated[str | None, _LOG] = Field(
        None, description="Node id of the version that takes its place: it was trained without the rows."
    )
    expires_at: Annotated[Time | None, _LOG] = Field(None, description="End of an acceptance. RFC 3339, UTC.")


# Service -----------------------------------------------------------------------------------------------------------


class Logging(Record):
    enabled: Annotated[bool | None, custom("serving", "logging.enabled", True)] = Field(
        None, description="Whether predictions are logged."
    )
    schema_digest: Annotated[Digest | None, custom("serving", "logging.schemaDigest")] = Field(
        None, description="Digest of the format of the log."
    )
    retention_days: Annotated[int | None, custom("serving", "logging.retentionDays", 365)] = Field(
        None, description="How long the log is kept, days."
    )
    last_event_at: Annotated[Time | None, custom("predictions", "to")] = Field(
        None, description="End of the last window of predictions that was reported. RFC 3339, UTC."
    )
    fields: Annotated[tuple[str, ...] | None, attested("loggedFields", "fields", ["score", "reasonCodes"])] = Field(
        None, description="What the log holds of each prediction."
    )


class Oversight(Record):
    assigned_to: Annotated[tuple[str, ...], custom("serving", "oversight.assignedTo", ["team:credit"])] = Field(
        (), description="Who watches the service."
    )
    override_enabled: Annotated[bool | None, custom("serving", "oversight.overrideEnabled", True)] = Field(
        None, description="Whether they can overrule it."
    )


class Deployment(Record):
    """A stretch of service of this version that goes on at the evaluated time."""

    id: Annotated[str, _GRAPH] = Field(description="Node id of the job of the service.")
    name: Annotated[str, _GRAPH] = Field(description="Name of the service.")
    environment: Annotated[str | None, custom("serving", "environment", "production")] = Field(
        None, description="Where it runs: production, staging and so on."
    )
    country: Annotated[str | None, custom("serving", "country", "DE")] = Field(
        None, description="Country in which it serves, as a code."
    )
    role: Annotated[str, custom("serving", "role", "primary")] = Field(
        description="primary, canary or shadow: the strongest in which it serves the version."
    )
    model_digest: Annotated[Digest | None, custom("serving", "models"), standard("version")] = Field(
        None, description="Digest of the artifact that the service says it runs."
    )
    started_at: Annotated[Time, _GRAPH] = Field(description="Since when. RFC 3339, UTC.")
    state: Annotated[str, _GRAPH] = Field(description="SERVING or UNKNOWN.")
    logging: Annotated[Logging | None, custom("serving", "logging")] = Field(
        None, description="How predictions are logged."
    )
    approved_schema_digest: Annotated[Digest | None, attested("approvedSchema", "digest")] = Field(
        None, description="Digest of the format that the log has to have."
    )
    oversight: Annotated[Oversight | None, custom("serving", "oversight")] = Field(None, description="Who watches it.")
    decision_mode: Annotated[str | None, custom("serving", "decisionMode", "human_in_the_loop")] = Field(
        None, description="How much a person has to do with each decision."
    )
    notices: Annotated[tuple[str, ...] | None, attested("notice", "kind", "ai_interaction")] = Field(
        None, description="What people are told."
    )
    output_marking: Annotated[str | None, attested("outputMarking", "method")] = Field(
        None, description="How output is marked as made by a machine."
    )
    use_case: Annotated[str | None, attested("deploymentUse", "useCase")] = Field(
        None, description="What the service is used for."
    )
    input_schema_matches: Annotated[bool | None, attested("inputSchema", "matches", True)] = Field(
        None, description="Whether its input has the form that the model was trained on."
    )
    rollback_to: Annotated[str | None, computed("earlier versions in this deployment")] = Field(
        None, description="Node id of the version that it served as primary before."
    )
    rollback_approved: Annotated[bool | None, computed("approvals of that version")] = Field(
        None, description="Whether an approval of that version for this environment stands, is current and valid."
    )


# The document ------------------------------------------------------------------------------------------------------


class Fact(Record):
    """Who said a field, and how sure it is. Not read by expressions."""

    pointer: str = Field(description="JSON pointer into the document.")
    actor: str = Field(description="Who said it: a person, or the principal that sent the event.")
    at: Time = Field(description="When it was said. RFC 3339, UTC.")
    recorded_at: Time | None = Field(None, description="When it was accepted, for what people stated. RFC 3339, UTC.")
    assurance: str = Field(description="VERIFIED, ATTESTED, REPORTED or SELF_DECLARED.")


class Evidence(Record):
    """Everything that a verdict on one target may depend on."""

    schema_: Annotated[str, Field(alias="schema")] = Field(SCHEMA, description="Name of this schema.")
    subject: Subject = Field(description="What is judged.")
    training_runs: tuple[TrainingRun, ...] = Field(
        (), description="The runs that made the version; of a run the run itself."
    )
    training_datasets: tuple[Dataset, ...] = Field(
        (),
        description="Data that it was trained on, and everything upstream; a dataset version is its own.",
    )
    validation_datasets: tuple[Dataset, ...] = Field(
        (), description="Data that training runs and evaluations read as validation data."
    )
    test_datasets: tuple[Dataset, ...] = Field(
        (), description="Data that training runs and evaluations read as test data."
    )
    input_columns: tuple[InputColumn, ...] = Field((), description="Labelled columns that reach it.")
    lineage: Lineage = Field(description="How much of what is behind it is known.")
    evaluations: tuple[Evaluation, ...] = Field((), description="Runs that measured the version.")
    challenger_evaluations: tuple[Evaluation, ...] = Field(
        (), description="Evaluations of other versions and models on the same test data."
    )
    validations: tuple[Validation, ...] = Field((), description="Validations by people.")
    approvals: tuple[Approval, ...] = Field((), description="Approvals that stand.")
    attestations: tuple[Attestation, ...] = Field(
        (), description="Statements that stand about the subject and its model, expired ones too."
    )
    documents: tuple[Document, ...] = Field((), description="Documents that exist.")
    deployments: tuple[Deployment, ...] = Field((), description="Services that serve the version.")
    monitoring_runs: tuple[MonitoringRun, ...] = Field((), description="Evaluations of the version in service.")
    incidents: tuple[Incident, ...] = Field((), description="Incidents, each as it stands.")
    registrations: tuple[Registration, ...] = Field((), description="Entries in public registers.")
    third_parties: tuple[ThirdParty, ...] = Field((), description="Others who have a part in it.")
    erasures: tuple[Erasure, ...] = Field(
        (), description="Erasures that reach the version: rows, or records, that are behind it were erased."
    )
    open_erasures: Annotated[tuple[str, ...], _LOG] = Field(
        (), description="Ids of those about which nothing is decided that stands at the evaluated time."
    )
    training_digests: Annotated[tuple[str, ...], _GRAPH] = Field(
        (), description="Digests of the training data, those upstream included."
    )
    training_split_groups: Annotated[tuple[str, ...], custom("input", "splitGroup")] = Field(
        (), description="Groups of the splits that training runs read training data of."
    )
    facts: tuple[Fact, ...] = Field(
        (), description="Who said what is governance, and how sure it is; what was not used is SELF_DECLARED."
    )

    def plain(self) -> dict[str, Any]:
        """JSON types only, without what is not known. Integers that a double cannot hold are texts."""
        plain: dict[str, Any] = _held_by_double(self.model_dump(mode="json", by_alias=True, exclude_none=True))
        return plain


def canonical(document: dict[str, Any]) -> bytes:
    """The bytes that are hashed and frozen (RFC 8785)."""
    return dumps(document)


def thawed(document: Mapping[str, Any]) -> dict[str, Any]:
    """A frozen document as it was evaluated: in JSON 1.0 is 1, and expressions tell integers from numbers.

    Raises pydantic's ValidationError for what is no evidence document.
    """
    return Evidence.model_validate(document).plain()


def _held_by_double(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _held_by_double(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_held_by_double(each) for each in value]
    return str(value) if isinstance(value, int) and abs(value) > _EXACT else value
