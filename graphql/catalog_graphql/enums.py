"""The core's words as GraphQL enums, each with its meaning."""

from enum import Enum, StrEnum
from typing import cast

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from catalog.identity import NodeKind
from catalog.log.entry import EntryType
from catalog.model import Basis, Direction, GapKind, Grain
from policies.ending import EndingKind
from policies.lapse import GateStanding
from policies.outcome import State
from policies.verdict import Enforcement, GateState, Severity, Verdict


class NodeState(StrEnum):
    """States of runs and of versions in one: GraphQL lets a selection name a field of one enum only."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    CONFLICTED = "CONFLICTED"
    ENDED_WITH_PARENT = "ENDED_WITH_PARENT"
    UNREPORTED = "UNREPORTED"
    CURRENT = "CURRENT"
    SUPERSEDED = "SUPERSEDED"
    PARTIAL = "PARTIAL"
    DROPPED = "DROPPED"
    IN_PROGRESS = "IN_PROGRESS"
    DECLARED = "DECLARED"


class ServiceState(StrEnum):
    SERVING = "SERVING"
    ENDED = "ENDED"
    UNKNOWN = "UNKNOWN"


class LegState(StrEnum):
    KNOWN = "KNOWN"
    AMBIGUOUS = "AMBIGUOUS"
    UNKNOWN = "UNKNOWN"


class ErasureState(StrEnum):
    OPEN = "OPEN"
    ERASED = "ERASED"
    DECLINED = "DECLINED"
    WITHDRAWN = "WITHDRAWN"


class Keep(Enum):
    STRUCTURE = "structure"
    NOTHING = "nothing"


class ReleaseOutcome(StrEnum):
    """What a decision of the gate says, or how a deployment stands to it, in one list."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    PENDING = "PENDING"
    INDETERMINATE = "INDETERMINATE"
    GATED = "GATED"
    LAPSED = "LAPSED"
    UNGATED = "UNGATED"


class TruncationReason(StrEnum):
    DEPTH = "DEPTH"
    LIMIT = "LIMIT"


class TransformationType(StrEnum):
    DIRECT = "DIRECT"
    INDIRECT = "INDIRECT"


def _explain(enum: type[Enum], about: str, **values: str) -> None:
    """Make the enum known to strawberry; every member needs its description."""
    definition = cast(
        StrawberryEnumDefinition, strawberry.enum(enum, description=about).__dict__["__strawberry_definition__"]
    )
    for value in definition.values:
        value.description = values[value.name]


_explain(
    NodeKind,
    "What a node is.",
    DATASET="Data under a name: a table, a file, a topic.",
    DATASET_VERSION="What one write left in a dataset.",
    MODEL="A dataset that holds a model: one that an event or a rule declares to be one.",
    MODEL_VERSION="One version of a model.",
    FIELD="A column of a dataset.",
    JOB="Something that runs again and again under a name.",
    DEPLOYMENT="A job that serves: its events say processingType SERVICE.",
    RUN="One execution of a job.",
    APPROVAL="A person's approval of a version, or its revocation.",
    WAIVER="A control set aside for one version and a time.",
    ATTESTATION="A person's statement.",
    DECISION="An answer of the release gate.",
    POLICY="A change of what policies are in force, or of who people are.",
    REDACTION="An erasure: asked for, done, declined, or forbidden by a hold.",
)
_explain(
    Direction,
    "Which way a walk goes, seen from its root.",
    UPSTREAM="Towards what the root was made from.",
    DOWNSTREAM="Towards what was made from the root.",
    BOTH="Both ways, each by itself.",
)
_explain(
    Grain,
    "What the nodes of a walk are.",
    JOB="Datasets and jobs: what usually flows.",
    RUN="Versions and runs: what flowed.",
    FIELD="Columns, and the model versions that they reach.",
)
_explain(
    Basis,
    "Why an edge is believed, the strongest first.",
    EXPLICIT="An event says so.",
    COLUMN="Column lineage names the pair.",
    INFERRED="The run read the one and wrote the other.",
    ROLLUP="The run declared no input, so the reads of its application stand in.",
)
_explain(
    GapKind,
    "What kind of thing is not known. A policy never passes on one.",
    EXTERNAL="Something was read of which no version of ours was current.",
    AMBIGUOUS="Several versions became current while a run read.",
    PARTIAL="The last write before a read failed.",
    ROLLED_UP="Inputs are taken from the application, not declared.",
    NEVER_ENDED="No terminal event came, and none is expected any more.",
    CONFLICTED="Terminal events contradict each other.",
    RUN_ID_COLLISION="Unrelated jobs report under one run id.",
    EXTRACTION_ERROR="The producer says that its lineage is incomplete.",
    UNREPORTED_PARENT="A parent run is named that never reported.",
    UNKNOWN_PRODUCER="Nobody reported writing this version.",
    SILENT="A service was not heard of for three heartbeats.",
    SHARED_NAMESPACE="Several senders use one name in a namespace that every machine has, such as file.",
    ERASED="What an entry said of it was erased; the log says by whom and why.",
    NOT_PERMITTED="Something is there that the caller's scopes do not show.",
)
_explain(
    NodeState,
    "How a run or a version stands.",
    RUNNING="Run: no terminal event has come.",
    COMPLETED="Run: it succeeded.",
    FAILED="Run: it failed.",
    ABORTED="Run: it was stopped.",
    CONFLICTED="Run: its terminal events contradict each other.",
    ENDED_WITH_PARENT="Run: it never said that it ended, but its application has.",
    UNREPORTED="Run: only another run names it.",
    CURRENT="Version: it is what a reader sees now.",
    SUPERSEDED="Version: a later one is current.",
    PARTIAL="Version: its write failed.",
    DROPPED="Version: the dataset was dropped.",
    IN_PROGRESS="Version: its write has not ended.",
    DECLARED="Version: it was named, but nobody reported writing it.",
)
_explain(
    ServiceState,
    "How an interval of service stands.",
    SERVING="It goes on.",
    ENDED="It ended: the run did, or served another version.",
    UNKNOWN="Three heartbeats passed without a word.",
)
_explain(
    LegState,
    "How sure a part of a trace is.",
    KNOWN="The node is the one.",
    AMBIGUOUS="The node is the likeliest of several; the reason says what else may be.",
    UNKNOWN="There is no node; the reason says why.",
)
_explain(
    TruncationReason,
    "Why a walk stopped early.",
    DEPTH="More lies beyond the depth asked for.",
    LIMIT="More nodes were found than the limit allows.",
)
_explain(
    TransformationType,
    "How a column depends on another (OpenLineage column lineage).",
    DIRECT="Its values are made from the other's.",
    INDIRECT="The other decided which rows or groups there are.",
)
_explain(
    EntryType,
    "What an entry of the log records.",
    OPENLINEAGE="An OpenLineage event.",
    APPROVAL="A person's approval.",
    WAIVER="A control set aside for a time.",
    ATTESTATION="A steward's word on a node.",
    DECISION="An answer of the release gate.",
    REDACTION="An erasure of earlier bodies: asked for, done, declined, or forbidden by a hold.",
    CONFIG="A change of settings.",
    KEY="A key made or revoked.",
    POLICY="A policy pack that came into force.",
    ACCESS="A read; in the log of reads alone.",
)
_explain(
    Verdict,
    "What a control says. Of many the worst counts, in this order.",
    ERROR="It could not be evaluated: never waived, never allowed.",
    FAIL="A check does not hold.",
    UNKNOWN="Evidence is missing.",
    WAIVED="It fails or is unknown, and a waiver covers that.",
    PASS="Every check holds, on all the evidence.",
    NOT_APPLICABLE="It does not apply to this target.",
)
_explain(
    GateState,
    "An answer of the release gate.",
    ALLOW="Nothing stands against the release.",
    DENY="A control that blocks fails, or lacks evidence.",
    PENDING="Only approvals are missing.",
    INDETERMINATE="Not decidable: an error, a stale graph, or no control applies.",
)
_explain(
    Enforcement,
    "What a failing or unknown control does to a release.",
    BLOCK="It denies.",
    WARN="It is told to the caller.",
    ADVISE="It is recorded.",
)
_explain(
    Severity,
    "How bad a failure is.",
    CRITICAL="At once.",
    HIGH="Before anything else.",
    MEDIUM="Soon.",
    LOW="When convenient.",
)
_explain(
    State,
    "How an act of a person stands.",
    PROPOSED="It waits for a second person.",
    STANDING="It holds.",
    REVOKED="Somebody took it back.",
    EXPIRED="Its time is over.",
)
_explain(
    GateStanding,
    "How a deployment stands to the release gate.",
    GATED="It was allowed, and deployed while the allow was valid.",
    LAPSED="It was allowed once, and deployed too late.",
    UNGATED="Nothing had allowed it when it was deployed.",
)
_explain(
    ErasureState,
    "How a request to erase stands.",
    OPEN="It waits for a second person.",
    ERASED="A second person agreed: it is gone.",
    DECLINED="Somebody said no.",
    WITHDRAWN="Who asked took it back.",
)
_explain(
    Keep,
    "What stays of an erased entry.",
    STRUCTURE="Ids, names, versions and times, so that lineage can still be walked; no other facet, no evidence.",
    NOTHING="Only the ids of the nodes that it named, so that policies know that they know less.",
)

_explain(
    EndingKind,
    "What is about to end.",
    ALLOW="An allow of the gate that nobody has used.",
    APPROVAL="A person's approval of a version.",
    WAIVER="A waiver of a control.",
)
_explain(
    ReleaseOutcome,
    "What a decision says, or how a deployment stands to the gate.",
    ALLOW="A decision: the version may go.",
    DENY="A decision: it may not.",
    PENDING="A decision: nothing is missing but approvals.",
    INDETERMINATE="A decision: it could not be decided, which is no yes.",
    GATED="A deployment while an allow was valid.",
    LAPSED="A deployment after its allow had lapsed.",
    UNGATED="A deployment that no allow came before.",
)
