"""What is asked of the register. Times are RFC 3339 text throughout."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.model import NodeRef


@dataclass(frozen=True, slots=True)
class ApproveRequest:
    """`expects` is the closure digest that the caller saw, `reaffirms` an approval that it makes good again.

    An approval holds for one environment; without `use` for every use.
    """

    target: NodeRef
    environment: str
    use: str | None = None
    role: str | None = None
    conditions: tuple[str, ...] = ()
    valid_until: str | None = None
    reason: str | None = None
    expects: str | None = None
    reaffirms: str | None = None


@dataclass(frozen=True, slots=True)
class WaiveRequest:
    """Proposes a waiver, or countersigns one: that of the id `waiver`, or the one that waits on the same control.

    `items` are keys of a control's items; none means the whole control.
    """

    target: NodeRef | None = None
    pack: str = ""
    control: str = ""
    reason: str = ""
    compensating_control: str = ""
    expires_at: str = ""
    environment: str | None = None
    items: tuple[str, ...] = ()
    break_glass: bool = False
    waiver: str | None = None


@dataclass(frozen=True, slots=True)
class AttestRequest:
    """A typed statement: `statement` is the payload of the `type`."""

    target: NodeRef
    type: str
    statement: Mapping[str, Any]
    expires_at: str
    document_digest: str | None = None
    document_uri: str | None = None
    role: str | None = None
    effective_at: str | None = None


@dataclass(frozen=True, slots=True)
class RevokeRequest:
    """Ends an approval, waiver or attestation, named by its id."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class DecideRequest:
    """`packs` are added to those of the bindings. `at_least` is the token of a write that the decision must have seen.

    A `preview` gives the same answer and records nothing. A `rollback` goes back to what was allowed before.
    """

    target: NodeRef
    environment: str
    packs: tuple[str, ...] = ()
    use: str | None = None
    at_least: str | None = None
    preview: bool = False
    rollback: bool = False
