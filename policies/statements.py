"""What people attest: the typed payloads of attestations, and which nodes each may be about.

Whatever no producer sends comes in this way. A statement counts from its acceptance until it expires or is withdrawn;
of several that say the same thing the last in the log's order counts, and one on a version before one on its model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from catalog import rfc3339
from catalog.errors import InvalidInputError
from catalog.identity import NodeKind
from policies.evidence.fields import attestable_field

MODELS = frozenset({NodeKind.MODEL, NodeKind.MODEL_VERSION})
DATASETS = frozenset({NodeKind.DATASET, NodeKind.DATASET_VERSION})
RUNS = frozenset({NodeKind.RUN})
SERVICES = frozenset({NodeKind.DEPLOYMENT})
EVERYTHING = MODELS | DATASETS | RUNS | SERVICES

Time = Annotated[
    str,
    AfterValidator(rfc3339.canonical),
    Field(description="RFC 3339 with a zone.", json_schema_extra={"format": "date-time"}),
]
Word = Annotated[str, Field(min_length=1, max_length=1_000)]
Words = tuple[Word, ...]
Digest = Annotated[str, Field(pattern=r"^[a-z0-9]+:[0-9a-f]+$", description="algorithm:hex, lower case.")]
Count = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """A part of a statement: camelCase in JSON, nothing that we do not know."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Statement(Part):
    """What a person states. `targets` are the kinds of nodes that it may be about."""

    targets: ClassVar[frozenset[NodeKind]] = MODELS

    def plain(self) -> dict[str, Any]:
        """JSON types only, without what is not said."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True)


# Models ------------------------------------------------------------------------------------------------------------


class Inventory(Statement):
    """Who answers for a model."""

    owner: Word | None = None
    owner_unit: Word | None = None


class Classification(Statement):
    """How a model is judged before anything is measured: tier, role, where and for what."""

    risk_tier: Word | None = None
    materiality_tier: Word | None = None
    exposure: Word | None = None
    jurisdictions: Words | None = None
    sectors: Words | None = None
    use_case: Word | None = None
    annex: Word | None = None
    eu_role: Word | None = None
    deployer_kind: Word | None = None
    purpose: Word | None = None
    generative: bool | None = None
    biometric_identification: bool | None = None
    gpai: bool | None = None
    systemic_risk: bool | None = None
    placed_on_market_at: Time | None = None
    third_party: bool | None = None


class ApprovedUse(Statement):
    """What a model may be used for."""

    intended_purpose: Word | None = None
    uses: Words | None = None
    restrictions: Words | None = None


class Threshold(Statement):
    """What a metric has to keep: of evaluations of one kind (of every kind without), of one slice or of the whole.

    The last threshold for the same metric, kind and slice replaces those before it.
    """

    metric: Word
    minimum: float | None = None
    maximum: float | None = None
    kind: Word | None = None
    slice: Word | None = None
    set_at: Time | None = Field(None, description="When it was decided; when it was attested, where this is absent.")

    @model_validator(mode="after")
    def _bounds(self) -> "Threshold":
        if self.minimum is None and self.maximum is None:
            raise ValueError("give a minimum, a maximum or both")
        return self


class Validation(Statement):
    """A validation of a model version by the person who attests."""

    outcome: Word = Field(description="approved, approved_with_conditions or rejected.")
    at: Time | None = Field(None, description="When it was concluded; when it was attested, where this is absent.")
    org_unit: Word | None = None
    scope: Word | None = None
    findings_open: Count | None = None
    conditions: Words = ()
    report_digest: Digest | None = None


class Document(Statement):
    """A document that exists, and what is in it."""

    targets = EVERYTHING

    type: Word
    digest: Digest
    version: Word | None = None
    uri: Word | None = None
    public: bool | None = None
    sections: Words = ()
    retention_days: Count | None = None


class Incident(Statement):
    """Something that went wrong. The last statement with the same `reference` says how it stands."""

    targets = MODELS | SERVICES

    severity: Word
    at: Time
    status: Word
    reported_at: Time | None = None
    reference: Word | None = None


class Registration(Statement):
    """An entry in a public register."""

    targets = MODELS | SERVICES

    register_: Word = Field(alias="register")
    at: Time
    number: Word | None = None
    deployment: Word | None = None


class ThirdParty(Statement):
    """Somebody else who has a part in a model."""

    name: Word
    role: Word
    contract: Word | None = None
    locations: Words = ()


class ColumnJustification(Statement):
    """Why a labelled column may reach a model. It is about the model, its version, or the dataset with the column."""

    targets = MODELS | DATASETS

    field: Word = Field(description="Path of the column.")
    reason: Word
    dataset: Word | None = Field(None, description="Name of the column's dataset, where the target is a model.")


# Data --------------------------------------------------------------------------------------------------------------


class Labelling(Part):
    method: Word | None = None
    by: Word | None = None


class Deidentification(Part):
    method: Word | None = None
    at: Time | None = None


class Population(Part):
    geo: Words | None = None
    groups: Words | None = None


class Dataset(Statement):
    """What a steward knows of a dataset and no producer sends."""

    targets = DATASETS

    owner: Word | None = None
    art9_condition: Word | None = None
    consumer_report: bool | None = None
    oldest_item_years: float | None = Field(None, ge=0)
    encrypted_at_rest: bool | None = None
    access_logging: bool | None = None
    classified_at: Time | None = None
    known_gaps: Words | None = None
    labelling: Labelling | None = None
    deidentification: Deidentification | None = None
    population: Population | None = None


class BiasExamination(Statement):
    """An examination of a dataset for bias."""

    targets = DATASETS

    outcome: Word = Field(description="no_bias_found, bias_found or bias_mitigated.")
    attributes: Words = ()
    at: Time | None = Field(None, description="When it was made; when it was attested, where this is absent.")
    by: Word | None = None
    mitigation: Word | None = None
    report_digest: Digest | None = None


# Evaluations -------------------------------------------------------------------------------------------------------


class RowOverlap(Statement):
    """How many rows the data of an evaluation shares with the training data."""

    targets = RUNS

    rows: Count


class Independence(Statement):
    """Whether the people behind an evaluation are independent of the developers."""

    targets = RUNS

    independent: bool


class Escalation(Statement):
    """To whom the breach that a monitoring run found was reported."""

    targets = RUNS

    to: Word


# Services ----------------------------------------------------------------------------------------------------------


class ApprovedSchema(Statement):
    """The format that a service has to log predictions in."""

    targets = SERVICES

    digest: Digest


class LoggedFields(Statement):
    """What a service's log holds of each prediction."""

    targets = SERVICES

    fields: Words


class Notice(Statement):
    """Something that people are told by the service."""

    targets = SERVICES

    kind: Word


class OutputMarking(Statement):
    """How the output of a service is marked as made by a machine."""

    targets = SERVICES

    method: Word


class DeploymentUse(Statement):
    """What a service is used for."""

    targets = SERVICES

    use_case: Word


class InputSchema(Statement):
    """Whether the input of a service has the form that the model was trained on."""

    targets = SERVICES

    matches: bool


# Anything else -----------------------------------------------------------------------------------------------------


class FieldStatement(Statement):
    """Any evidence field of the node that it is about: `licence` of a dataset, `code.commit` of a training run."""

    targets = EVERYTHING

    path: Word
    value: JsonValue


class Plain(Statement):
    """A person states that something exists or was done; the document behind it is named by the attestation."""

    targets = EVERYTHING

    summary: Word | None = None


@dataclass(frozen=True, slots=True)
class StatementType:
    """A type of statement by its name, as `lineward attest --type` takes it."""

    name: str
    model: type[Statement]
    meaning: str

    @property
    def targets(self) -> frozenset[NodeKind]:
        return self.model.targets


_TYPED: Mapping[str, type[Statement]] = {
    "inventory": Inventory,
    "classification": Classification,
    "approvedUse": ApprovedUse,
    "threshold": Threshold,
    "validation": Validation,
    "document": Document,
    "incident": Incident,
    "registration": Registration,
    "thirdParty": ThirdParty,
    "columnJustification": ColumnJustification,
    "dataset": Dataset,
    "biasExamination": BiasExamination,
    "rowOverlap": RowOverlap,
    "independence": Independence,
    "escalation": Escalation,
    "approvedSchema": ApprovedSchema,
    "loggedFields": LoggedFields,
    "notice": Notice,
    "outputMarking": OutputMarking,
    "deploymentUse": DeploymentUse,
    "inputSchema": InputSchema,
    "field": FieldStatement,
}

_PLAIN: Mapping[str, str] = {
    "risk_management_system": "A risk management system covers the model.",
    "quality_management_system": "A quality management system covers the model.",
    "human_oversight_plan": "It is planned who watches the model and how they overrule it.",
    "instructions_for_use": "Instructions for use exist.",
    "fria": "The impact on fundamental rights was assessed (EU AI Act, Art. 27).",
    "dpia": "The impact on data protection was assessed (GDPR, Art. 35).",
    "lia": "The legitimate interest was assessed (GDPR, Art. 6(1)(f)).",
    "dataset_representativeness": "The data represents the people whom the model will judge.",
    "conformity_assessment": "The conformity assessment was made (EU AI Act, Art. 43).",
    "eu_declaration": "The EU declaration of conformity was drawn up (EU AI Act, Art. 47).",
    "copyright_policy": "A policy to comply with copyright exists (EU AI Act, Art. 53(1)(c)).",
    "training_content_summary": "A summary of the training content is public (EU AI Act, Art. 53(1)(d)).",
    "adversarial_testing": "The model was tested by adversaries.",
    "cybersecurity_measures": "The model is protected against attacks.",
    "consumer_notice": "Consumers are told what they have to be told.",
    "adverse_action_reasons": "Reasons of adverse decisions can be given and were checked.",
    "human_review_process": "A person reviews decisions on request.",
    "special_category_necessity": "Special categories of data are strictly necessary (EU AI Act, Art. 10(5)).",
    "deidentification_expert": "An expert determined that the data is de-identified (45 CFR 164.514(b)).",
    "baa": "A business associate agreement is in force (45 CFR 164.504(e)).",
    "transfer_mechanism": "A mechanism covers the transfer to a third country (GDPR, ch. V).",
    "pccp_authorised": "The change lies within an authorised predetermined change control plan.",
    "ict_contract_review": "The contract with the provider was reviewed.",
    "fairness_justification": "A measured difference between groups is justified.",
    "intended_use": "The intended use was reviewed.",
}

STATEMENTS: Mapping[str, StatementType] = {
    name: StatementType(name, model, " ".join((model.__doc__ or "").split())) for name, model in _TYPED.items()
} | {name: StatementType(name, Plain, meaning) for name, meaning in _PLAIN.items()}
"""Every type of statement that can be attested. A type that is not here, in lower_snake_case, is a plain one."""


def statement_type(name: str) -> StatementType:
    """Raises InvalidInputError for a name that is neither of ours nor one that an organisation may choose."""
    if name in STATEMENTS:
        return STATEMENTS[name]
    if name.isascii() and name.replace("_", "a").isalnum() and name == name.lower():
        return StatementType(name, Plain, "A statement of a type of your own.")
    raise InvalidInputError(
        f"{name!r} is no type of statement.",
        f"Use one of {', '.join(STATEMENTS)}, or a word of your own in lower_snake_case.",
        pointer="/type",
    )


def parse_statement(type: str, payload: Mapping[str, Any], kind: NodeKind) -> Statement:  # noqa: A002
    """The typed payload of a statement about a node of this kind.

    Raises InvalidInputError that names the property to blame; a node of a kind that the type is not about; a `field`
    that nobody may state, or a value that it cannot have.
    """
    known = statement_type(type)
    if kind not in known.targets:
        allowed = ", ".join(sorted(known.targets))
        raise InvalidInputError(
            f"A statement of the type {type} is not about a {kind}.", f"Name a {allowed}.", pointer="/target"
        )
    try:
        statement = known.model.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "/".join(str(part) for part in first["loc"])
        raise InvalidInputError(
            f"The statement of the type {type} has no right {place or 'form'}: {first['msg']}.",
            f"Its properties are {', '.join(_properties(known.model))}.",
            pointer=f"/statement/{place}" if place else "/statement",
        ) from error
    if isinstance(statement, FieldStatement):
        _check_field(statement, kind)
    return statement


def _properties(model: type[Statement]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()] or ["none"]


def _check_field(statement: FieldStatement, kind: NodeKind) -> None:
    field = attestable_field(kind, statement.path)
    if field is None:
        raise InvalidInputError(
            f"{statement.path} is no field of a {kind} that a person can state.",
            "docs/reference/evidence.md lists the fields; `lineward policy gaps` shows those that are missing.",
            pointer="/statement/path",
        )
    if statement.value is None or not field.accepts(statement.value):
        raise InvalidInputError(
            f"{statement.path} cannot be {statement.value!r}.",
            "docs/reference/evidence.md has the type of each field.",
            pointer="/statement/value",
        )
