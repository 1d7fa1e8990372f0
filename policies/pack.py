"""The policy pack: what one law, standard or house rule asks, as controls that can be decided.

A pack is data. Its digest is over the canonical form of the document with every default written out, so that neither
comments nor layout nor the order of keys count.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from catalog.canonical import dumps
from catalog.model import GapKind
from policies.scalar import SAFE, Day, Expression, Flag, Identifier, Name, Plain, Scalar, Text, Whole, core
from policies.verdict import Enforcement, Severity

API_VERSION: Literal["lineward.dev/v1"] = "lineward.dev/v1"


class Part(BaseModel):
    """A part of a document: camelCase, nothing that we do not know, nothing that changes."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


class Document(Part):
    """A whole document, with the digest that stands for it."""

    api_version: Annotated[Literal["lineward.dev/v1"], BeforeValidator(core)]

    def normalised(self) -> dict[str, Any]:
        """JSON types, defaults written out, nothing that was not said."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @cached_property
    def digest(self) -> str:
        """`sha256:` and the hex digest of the normalised document as RFC 8785 has it."""
        return "sha256:" + sha256(dumps(self.normalised())).hexdigest()


# The head ----------------------------------------------------------------------------------------------------------


class Status(StrEnum):
    DRAFT = "draft"  # nobody with the knowledge has read it: it advises
    REVIEWED = "reviewed"
    RETIRED = "retired"  # kept for the record: it advises


class Binding(StrEnum):
    """How binding the instrument is."""

    LAW = "law"
    SUPERVISORY_GUIDANCE = "supervisory-guidance"
    STANDARD = "standard"
    INTERNAL = "internal"


class Certainty(StrEnum):
    """How certain it is that the text applies."""

    ENACTED = "enacted"
    ADOPTED = "adopted-not-in-force"
    PROPOSED = "proposed"
    REPEALED = "repealed"


class Days(Part):
    """From one day until before another, in UTC. An open end is left out."""

    from_: Annotated[Day | None, Field(alias="from")] = None
    to: Day | None = None


class Reviewer(Part):
    name: Text
    role: Text | None = None
    at: Day | None = None


class Metadata(Part):
    name: Name
    version: Annotated[Text, Field(pattern=r"^\d+\.\d+\.\d+$", description="MAJOR.MINOR.PATCH.")]
    status: Status
    supersedes: Annotated[Text | None, Field(description="NAME@VERSION.")] = None
    reviewed_by: tuple[Reviewer, ...] = ()


class SourceText(Part):
    """The instrument that the pack is made from."""

    instrument: Text
    uri: Text
    binding: Binding
    certainty: Certainty
    in_force: Days = Days()


class TimelineEntry(Part):
    """From when a law applies to which subjects; half-open, by the day of the decision in UTC."""

    when: Annotated[
        dict[Identifier, Scalar],
        Field(default_factory=dict, description="Fields of `subject` and the value they must have."),
    ]
    controls: Annotated[
        tuple[Name, ...], Field(description="Only these; a control that is named here is bound by no unnamed entry.")
    ] = ()
    applies_from: Day
    applies_until: Day | None = None
    note: Text | None = None


class ParamType(StrEnum):
    INT = "int"
    FLOAT = "float"
    STRING = "string"
    BOOL = "bool"
    STRINGS = "list<string>"


ParamValue = bool | int | float | str | tuple[str, ...]


def fitted(value: Any, kind: ParamType) -> Any:
    """A value as its declared type; PydanticCustomError (a ValueError) where it is none of that type."""
    if kind is ParamType.STRINGS:
        if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return tuple(str(each) for each in value)
    elif kind is ParamType.STRING:
        if isinstance(value, str):
            return str(value)
    else:
        resolved = core(value)
        if kind is ParamType.BOOL and isinstance(resolved, bool):
            return resolved
        if kind is ParamType.INT and type(resolved) is int and abs(resolved) <= SAFE:
            return resolved
        if kind is ParamType.FLOAT and type(resolved) in (int, float):
            return float(resolved)
    raise PydanticCustomError("param", "this is no {kind}", {"kind": kind.value})


class Param(Part):
    """A number, word or list that a binding may set. Intervals that no law gives are such, and their note says so."""

    type: ParamType
    default: ParamValue
    min: int | float | None = None
    max: int | float | None = None
    note: Text | None = None

    @field_validator("type", mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        return str(value) if isinstance(value, Plain) else value

    @field_validator("default", "min", "max", mode="before")
    @classmethod
    def _of_its_type(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None or "type" not in info.data:
            return value
        kind: ParamType = info.data["type"]
        if info.field_name != "default" and kind not in (ParamType.INT, ParamType.FLOAT):
            raise PydanticCustomError("param", "only a number has a least and a greatest value")
        return fitted(value, kind)

    def accept(self, value: Any) -> Any:
        """A value that a binding gives; ValueError with what is wrong."""
        found = fitted(value, self.type)
        if (self.min is not None and found < self.min) or (self.max is not None and found > self.max):
            raise PydanticCustomError(
                "param", "this is outside of {low} to {high}", {"low": _bound(self.min), "high": _bound(self.max)}
            )
        return found


def _bound(value: float | None) -> str:
    return "…" if value is None else str(value)


class NotCovered(Part):
    """A row of the law that the pack leaves out, and why."""

    row: Text
    reason: Text


# Controls ----------------------------------------------------------------------------------------------------------


class Target(StrEnum):
    MODEL_VERSION = "modelVersion"
    DATASET_VERSION = "datasetVersion"
    RUN = "run"
    DEPLOYMENT = "deployment"


class Assurance(StrEnum):
    AUTOMATIC = "automatic"  # from recorded facts
    ATTESTED = "attested"  # from a person's word
    MIXED = "mixed"


class Citation(Part):
    article: Text
    uri: Text | None = None
    certainty: Annotated[Certainty | None, Field(description="Where it differs from that of the source.")] = None


ALIASES = {
    "UNRESOLVED": frozenset({GapKind.EXTERNAL.value, GapKind.UNKNOWN_PRODUCER.value}),
    "TRUNCATED": frozenset({"TRUNCATED"}),
}
GAPS = {kind.value: frozenset({kind.value}) for kind in GapKind} | ALIASES


class Upstream(Part):
    """How far back the control looks."""

    depth: Annotated[Whole, Field(ge=1, le=100)] = 10
    history: Flag = False


class Inputs(Part):
    """What the control asks the graph for."""

    upstream: Upstream | None = None
    columns: Flag = False
    blocked_by: Annotated[tuple[Text, ...], Field(description="Kinds of gap that make the control unknown.")] = ()
    fields: Annotated[
        tuple[Text, ...], Field(description="What it reads, to be checked against what it does read.")
    ] = ()


class Require(Part):
    """What must hold before anything can be said; else the verdict is unknown."""

    expression: Expression
    missing: Text


class Variable(Part):
    """Worked out at its first use and read as `variables.NAME`."""

    name: Identifier
    expression: Expression


class ForEach(Part):
    """The list whose every element the checks look at."""

    in_: Annotated[Expression, Field(alias="in")]
    as_: Annotated[Identifier, Field(alias="as")]
    key: Annotated[Expression, Field(description="What tells an element from the others.")]


class Check(Part):
    id: Name
    expression: Expression
    message: Annotated[
        Text, Field(description="Said where it does not hold; after `=`, an expression that gives text.")
    ]


class Control(Part):
    """One thing that must hold."""

    id: Name
    title: Text
    citation: Citation
    plain: Text
    severity: Severity
    assurance: Assurance
    target: Target = Target.MODEL_VERSION
    applies: Expression | None = None
    effective: Days = Days()
    environments: tuple[Text, ...] = ()
    inputs: Inputs = Inputs()
    requires: tuple[Require, ...] = ()
    variables: tuple[Variable, ...] = ()
    for_each: ForEach | None = None
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]
    remediation: Text
    awaits: Annotated[Literal["approvals"] | None, BeforeValidator(core)] = None
    reaffirm: Flag = False
    waivable: Flag = True
    enforcement: Enforcement = Enforcement.BLOCK
    related: tuple[Text, ...] = ()


class PolicyPack(Document):
    """The whole pack."""

    kind: Annotated[Literal["PolicyPack"], BeforeValidator(core)]
    metadata: Metadata
    source: SourceText
    timeline: tuple[TimelineEntry, ...] = ()
    params: Annotated[dict[Identifier, Param], Field(default_factory=dict)]
    controls: Annotated[tuple[Control, ...], Field(min_length=1)]
    not_covered: tuple[NotCovered, ...] = ()

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def label(self) -> str:
        """NAME@VERSION."""
        return f"{self.metadata.name}@{self.metadata.version}"

    def control(self, identity: str) -> Control | None:
        return next((each for each in self.controls if each.id == identity), None)

    def values(self, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The value of every param: what was given, else its default. ValueError names the param that is wrong."""
        given = given or {}
        if unknown := sorted(given.keys() - self.params.keys()):
            raise ValueError(f"the pack {self.label} has no param {', '.join(unknown)}")
        found = {}
        for name, param in self.params.items():
            try:
                found[name] = param.accept(given[name]) if name in given else param.default
            except ValueError as error:
                raise ValueError(f"the param {name} of {self.label} is wrong: {error}") from error
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def filled(text: str, params: Mapping[str, Any]) -> str:
    """The text with each `{param}` written out. Other braces stay as they are."""
    for name, value in params.items():
        shown = ", ".join(value) if isinstance(value, list | tuple) else str(value)
        text = text.replace(f"{{{name}}}", shown)
    return text
