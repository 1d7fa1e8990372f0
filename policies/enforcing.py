"""What a failure does to a release: what the control says, what bindings say, and what keeps it from blocking yet.

Settings are a mapping of words, as a decision freezes it: `BINDING|KEY`, where KEY is PACK/CONTROL, CONTROL, `*`,
`@enforceDrafts` or `@adviseUntil`. Without a binding, the part before `|` and the sign are left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from catalog.errors import ConflictError, InvalidInputError
from policies.binding import PolicyBinding
from policies.pack import Control, PolicyPack, Status
from policies.timeline import day_of, not_in_force
from policies.verdict import Enforcement

_DRAFTS, _UNTIL = "@enforceDrafts", "@adviseUntil"
_STRICT = {Enforcement.BLOCK: 0, Enforcement.WARN: 1, Enforcement.ADVISE: 2}


@dataclass(frozen=True, slots=True)
class Enforcing:
    """The settings of one binding."""

    overrides: Mapping[str, Enforcement] = field(default_factory=dict)
    drafts: bool = False
    advise_until: date | None = None

    def of(self, pack: PolicyPack, control: Control, subject: Mapping[str, Any], at: int) -> tuple[Enforcement, str]:
        """The enforcement at an instant (µs), and why it is less than it will be."""
        day = day_of(at)
        if self.advise_until is not None and day < self.advise_until:
            return Enforcement.ADVISE, f"the binding only advises until {self.advise_until}"
        named = self.overrides.get(f"{pack.name}/{control.id}", self.overrides.get(control.id))
        if named is not None:
            return named, ""
        if note := not_in_force(pack, control, subject, day):
            return Enforcement.ADVISE, note
        if pack.metadata.status is Status.DRAFT and not self.drafts:
            return Enforcement.ADVISE, "the pack is a draft"
        return self.overrides.get("*", control.enforcement), ""


def settings_of(bindings: Iterable[PolicyBinding]) -> dict[str, str]:
    """The settings of some bindings as words."""
    found: dict[str, str] = {}
    for binding in bindings:
        own = {_DRAFTS: str(binding.enforce_drafts).lower()}
        if binding.advise_until is not None:
            own[_UNTIL] = binding.advise_until.isoformat()
        own |= {key: value.value for key, value in binding.enforcement.items()}
        found |= {f"{binding.name}|{key}": value for key, value in own.items()}
    return found


def params_of(pack: str, bindings: Iterable[PolicyBinding]) -> dict[str, Any]:
    """The params that bindings set for a pack. ConflictError where two want different values."""
    found: dict[str, Any] = {}
    for binding in bindings:
        for name, value in binding.settings(pack).items():
            if found.setdefault(name, value) != value:
                raise ConflictError(
                    f"Bindings set the param {name} of {pack} to {found[name]!r} and to {value!r}.",
                    f"Let {binding.name} and the others agree, or narrow what they match.",
                )
    return found


def parse_settings(settings: Mapping[str, str]) -> list[Enforcing]:
    """One a binding; without any, what the controls say. InvalidInputError for words that mean nothing."""
    grouped: dict[str, dict[str, str]] = {}
    for key, value in settings.items():
        binding, _, name = key.rpartition("|")
        grouped.setdefault(binding, {})[name] = value
    return [_enforcing(each) for each in grouped.values()] or [Enforcing()]


def _enforcing(words: Mapping[str, str]) -> Enforcing:
    try:
        return Enforcing(
            {key: Enforcement(value) for key, value in words.items() if not key.startswith("@")},
            words.get(_DRAFTS) == "true",
            date.fromisoformat(words[_UNTIL]) if _UNTIL in words else None,
        )
    except ValueError as error:
        raise InvalidInputError(f"these settings cannot be read: {error}", "Write block, warn or advise.") from error


def strictest(
    settings: Iterable[Enforcing], pack: PolicyPack, control: Control, subject: Mapping[str, Any], at: int
) -> tuple[Enforcement, str]:
    """Of what several bindings say: a caller can be bound more, never less."""
    found = [each.of(pack, control, subject, at) for each in settings]
    return min(found, key=lambda each: _STRICT[each[0]])
