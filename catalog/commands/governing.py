"""Where commands act and decide: at a running server, or in a data folder that no server holds."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from catalog.commands.catalogue import Catalogue, meant
from catalog.commands.reference import Reference
from catalog.model import NodeRef
from policies.request import ApproveRequest, AttestRequest, RevokeRequest, WaiveRequest
from policies.verdict import Verdict

if TYPE_CHECKING:
    from catalog.commands.folder_governing import FolderGoverning
    from policies.formats.document import Decision
    from policies.in_force import Finding
    from policies.request import DecideRequest


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision, the bundle that verifies and replays offline, and the signed summary where it has one."""

    decision: "Decision"
    bundle: Mapping[str, Any]
    attestation: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Standing:
    """An approval, waiver or attestation as it now stands; times are RFC 3339.

    `second` is who countersigned it, `closure_digest` what an approval binds.
    """

    id: str
    state: str
    by: str
    until: str | None
    second: str | None = None
    closure_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of what is in force; `verb` is that of the act which proposed it."""

    id: str
    verb: str
    proposed_by: str
    confirmed_by: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a model; of what has no versions, `version` is empty."""

    id: str
    namespace: str
    name: str
    version: str

    @property
    def title(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name


@dataclass(frozen=True, slots=True)
class Said:
    """What a control says, `underlying` without waivers; `fields` are those of the evidence that it reads."""

    pack: str  # NAME@VERSION
    control: str
    verdict: Verdict
    underlying: Verdict
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What policies say of a target at an instant (µs), and the evidence document that they say it of."""

    document: Mapping[str, Any]
    evaluated_at: int
    requester: str
    controls: tuple[Said, ...]


class Governing(Protocol):
    """Acts and decisions under the caller's identity. Raises what `Register` and `Gate` raise, and UnreachableError."""

    @property
    def catalogue(self) -> Catalogue: ...

    def decide(self, request: "DecideRequest") -> Answer: ...

    def evaluate(
        self, target: NodeRef, *, packs: Sequence[str] = (), environment: str | None = None, at: int | None = None
    ) -> Evaluated:
        """Without a decision, now or as of an event time (µs)."""
        ...

    def find(self, target: NodeRef) -> Version | None:
        """What may be seen of a target without judging it; None for what is not there."""
        ...

    def versions(self, at: int | None = None, *, latest: bool = False) -> list[Version]:
        """Every version of every model, or the latest of each, by namespace and name."""
        ...

    def packs_in_force(self, at: int | None = None) -> Mapping[str, str]:
        """Name → version."""
        ...

    def bindings_in_force(self, at: int | None = None) -> Mapping[str, Mapping[str, Any]]:
        """Name → document."""
        ...

    def said(self, act: str) -> Mapping[str, Any] | None:
        """What a waiver or a change of policy says, as its body has it; None where it may not be seen."""
        ...

    def approve(self, request: ApproveRequest) -> Standing: ...

    def revoke_approval(self, request: RevokeRequest) -> Standing: ...

    def waive(self, request: WaiveRequest) -> Standing: ...

    def revoke_waiver(self, request: RevokeRequest) -> Standing: ...

    def attest(self, request: AttestRequest) -> Standing: ...

    def revoke_attestation(self, request: RevokeRequest) -> Standing: ...

    def propose(self, documents: Sequence[Mapping[str, Any]], reason: str | None) -> Change: ...

    def retire(self, names: Sequence[str], reason: str | None) -> Change: ...

    def accept_baseline(self, binding: str, until: str, findings: "Sequence[Finding]") -> Change: ...

    def confirm(self, change: str) -> Change: ...

    def erasure_report(self, case: str | None, about: NodeRef | None) -> dict[str, Any]:
        """A case, or a preview of one about a dataset, as `policies.erasure.report` describes it."""
        ...

    def erasure_cases(self) -> list[dict[str, Any]]: ...

    def dispose_erasure(
        self, case: str, version: NodeRef, way: str, reason: str, successor: NodeRef | None, expires_at: str | None
    ) -> dict[str, Any]: ...


def target_of(named: Reference, governing: Governing) -> NodeRef:
    """The node that the options name, the shorthand looked up."""
    return meant(named, governing.catalogue)


@contextmanager
def opened(
    url: str | None, data: Path | None, graph: str | None = None, *, writing: bool = False
) -> Iterator[Governing]:
    """The server at `url`, else the folder `data`, else that of the settings.

    A folder is held while `writing`: LogLockedError where a server holds it.
    """
    if url is not None:
        from catalog.commands.server_governing import ServerGoverning

        with ServerGoverning.connect(url) as server:
            yield server
    else:
        with _folder(data, graph, writing) as folder:
            yield folder


@contextmanager
def _folder(data: Path | None, graph: str | None, writing: bool) -> "Iterator[FolderGoverning]":
    from catalog.commands.folder_governing import folder_governing

    with folder_governing(data, graph, writing=writing) as folder:
        yield folder
