"""Verdicts: what a control says of one target, and how many of them become one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

Timestamp = Annotated[str, "RFC 3339, UTC"]


class Verdict(StrEnum):
    """In the order of roll-up: the first of them that occurs is the verdict of the whole."""

    ERROR = "error"  # the control could not be evaluated: never waived, never allowed
    FAIL = "fail"
    UNKNOWN = "unknown"  # evidence is missing
    WAIVED = "waived"
    PASS = "pass"
    NOT_APPLICABLE = "not_applicable"


_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


def roll_up(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them; NOT_APPLICABLE for none."""
    return min(verdicts, key=_RANK.__getitem__, default=Verdict.NOT_APPLICABLE)


class Enforcement(StrEnum):
    """What a fail or an unknown does to a release."""

    BLOCK = "block"
    WARN = "warn"
    ADVISE = "advise"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class GateState(StrEnum):
    """The answer of the gate."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    PENDING = "PENDING"  # nothing is missing but approvals
    INDETERMINATE = "INDETERMINATE"  # not decidable: error, stale, nothing applicable


@dataclass(frozen=True, slots=True)
class Missing:
    """An evidence field that was read and is not there. `path` as in `dataset.licence`."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Witness:
    """The path through the graph that proves an item: node ids in the direction of flow, and log positions."""

    nodes: tuple[str, ...] = ()
    entries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One check on one item (`key` is None for a control without `forEach`), or one `requires` that does not hold."""

    key: str | None
    check: str
    verdict: Verdict
    message: str = ""
    missing: tuple[Missing, ...] = ()
    witness: Witness | None = None
    waiver: str | None = None  # id of the waiver that covers it
    underlying: Verdict | None = None  # before the waiver


@dataclass(frozen=True, slots=True)
class ControlResult:
    """What one control says of the target."""

    pack: str  # NAME@VERSION
    control: str
    title: str
    severity: Severity
    assurance: str  # automatic, attested, mixed
    enforcement: Enforcement  # the effective one: drafts and controls not yet in force advise
    verdict: Verdict
    underlying: Verdict  # before waivers
    plain: str
    citation: str
    remediation: str
    items: tuple[ItemResult, ...] = ()
    blocked_by: tuple[str, ...] = ()  # kinds of the gaps that make it unknown
    fields: tuple[str, ...] = ()  # evidence fields that its expressions read
    waivers: tuple[str, ...] = ()
    awaits_approval: bool = False  # only approvals are missing
    waivable: bool = True
    next_flip_at: Timestamp | None = None
    note: str = ""  # why it does not apply, or why it only advises


@dataclass(frozen=True, slots=True)
class Report:
    """Every control of every pack on one target, in the order of packs and controls."""

    target: str  # node id
    verdict: Verdict
    state: GateState
    reasons: tuple[str, ...]
    controls: tuple[ControlResult, ...]
    packs: tuple[tuple[str, str], ...]  # (NAME@VERSION, digest)
    evidence_digest: str
    evaluated_at: Timestamp
    environment: str | None
    next_flip_at: Timestamp | None = None
    waivers: tuple[str, ...] = field(default=())
