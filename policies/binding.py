"""The policy binding: which packs are in force for which models in which environments; and the waiver as a file."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from policies.pack import Document, Part
from policies.scalar import Day, Flag, Instant, Name, Text, Whole, core
from policies.verdict import Enforcement, Severity


class Named(Part):
    name: Name


class Match(Part):
    """Globs; a target must match one of each. None given is all."""

    namespaces: tuple[Text, ...] = ()
    models: tuple[Text, ...] = ()


class PackReference(Part):
    """A pack by name. A version or digest pins it: another one in force is then an error, never a surprise."""

    name: Name
    version: Annotated[Text | None, Field(pattern=r"^\d+\.\d+\.\d+$")] = None
    digest: Annotated[Text | None, Field(pattern=r"^sha256:[0-9a-f]{64}$")] = None


class Approvals(Part):
    """How many people must approve, and in which roles."""

    count: Annotated[Whole, Field(ge=1, le=20)] = 2
    roles: tuple[Text, ...] = ()


ParamSetting = Annotated[bool | int | float | str | tuple[Text, ...], BeforeValidator(core)]


class PolicyBinding(Document):
    """Which packs bind what, and how hard."""

    kind: Annotated[Literal["PolicyBinding"], BeforeValidator(core)]
    metadata: Named
    environments: Annotated[tuple[Text, ...], Field(min_length=1)]
    match: Match = Match()
    packs: Annotated[tuple[PackReference, ...], Field(min_length=1)]
    params: Annotated[
        dict[Text, dict[Text, ParamSetting]], Field(default_factory=dict, description="By pack and param.")
    ]
    enforcement: Annotated[
        dict[Text, Enforcement],
        Field(default_factory=dict, description="By PACK/CONTROL, by CONTROL, or for all by *."),
    ]
    approvals: Approvals | None = None
    advise_until: Annotated[Day | None, Field(description="Until then nothing blocks.")] = None
    enforce_drafts: Annotated[Flag, Field(description="Whether packs that are drafts block too.")] = False
    on_error_allow: Annotated[Flag, Field(description="Whether `--on-error allow` may be used here.")] = False
    max_lag_seconds: Annotated[Whole | None, Field(ge=0)] = None

    @property
    def name(self) -> str:
        return self.metadata.name

    def settings(self, pack: str) -> dict[str, Any]:
        """The params that it sets for a pack."""
        return dict(self.params.get(pack, {}))


class WaiverTarget(Part):
    """One version of one model."""

    namespace: Text
    model: Text
    version: Text


class WaiverDocument(Document):
    """One control on one version, let pass for a while, with what makes up for it."""

    kind: Annotated[Literal["Waiver"], BeforeValidator(core)]
    metadata: Named
    target: WaiverTarget
    pack: Name
    control: Name
    environment: Text | None = None
    items: Annotated[tuple[Text, ...], Field(description="Keys of single items; none is the whole control.")] = ()
    reason: Text
    compensating_control: Text
    severity: Severity
    expires_at: Instant
    break_glass: Flag = False

    @property
    def name(self) -> str:
        return self.metadata.name
