"""Which packs judge a target in an environment, with which params and how hard: what the bindings in force say.

The bindings choose; a caller only adds. Where bindings enforce one control differently the stricter holds, where they
ask for different numbers of approvals the greater; where they disagree on another param, nothing is decided.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.errors import ConflictError, NotFoundError
from catalog.model import Node
from catalog.remembered import Remembered
from policies.acts import BindingUsed, PackUsed
from policies.approving import approval_params, counts_approvals
from policies.binding import PackReference, PolicyBinding
from policies.enforcing import params_of, settings_of
from policies.in_force import Baseline, Enacted, InForce
from policies.pack import PolicyPack

Shelf = Callable[[str], PolicyPack | None]
"""Packs by name that a caller may add although they are not in force: those that come with the program."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What judges one target: each pack with how a decision freezes it. `max_lag` is in seconds, None without one."""

    packs: tuple[tuple[PolicyPack, PackUsed], ...]
    bindings: tuple[BindingUsed, ...]
    baselines: tuple[Baseline, ...]
    max_lag: int | None


def select(force: InForce, target: Node, environment: str | None, added: Sequence[str], shelf: Shelf) -> Selection:
    """The packs for a target, by name.

    Raises NotFoundError for an added pack that neither is in force nor on the shelf, ConflictError for bindings that
    fit neither each other nor what is in force.
    """
    enacted = [] if environment is None else force.bindings_for(environment, target.namespace or "", target.name)
    bindings = [PolicyBinding.model_validate(each.document) for each in enacted]
    packs = {name: _bound(force, name, bindings) for name in _names(bindings)}
    packs |= {name: _added(force, name, shelf) for name in added if name not in packs}
    for binding in bindings:
        _check_approvals(binding, [packs[each.name] for each in binding.packs])
    limits = [each.max_lag_seconds for each in bindings if each.max_lag_seconds is not None]
    return Selection(
        tuple(
            (pack, _used(pack, [each for each in bindings if _refers(each, name)]))
            for name, pack in sorted(packs.items())
        ),
        tuple(BindingUsed(name=each.name, digest=each.digest) for each in enacted),
        tuple(each for each in force.baselines if each.binding in {binding.name for binding in bindings}),
        min(limits, default=None),
    )


def _names(bindings: Sequence[PolicyBinding]) -> list[str]:
    return sorted({each.name for binding in bindings for each in binding.packs})


def _refers(binding: PolicyBinding, name: str) -> list[PackReference]:
    return [each for each in binding.packs if each.name == name]


def _bound(force: InForce, name: str, bindings: Sequence[PolicyBinding]) -> PolicyPack:
    """The pack in force, which must be the one that every binding means."""
    try:
        for reference in (each for binding in bindings for each in _refers(binding, name)):
            force.pack(name, reference.version, reference.digest)
        return _made(force.pack(name))
    except NotFoundError as error:
        raise ConflictError(f"A binding needs the pack {name}. {error.message}", error.remedy) from error


def _added(force: InForce, name: str, shelf: Shelf) -> PolicyPack:
    held = force.packs.get(name)
    pack = shelf(name) if held is None else _made(held)
    if pack is None:
        raise NotFoundError(f"There is no pack {name}.", "`lineward policy list` shows the packs that there are.")
    return pack


def _made(enacted: Enacted) -> PolicyPack:
    """The pack of a document, made once: making it and its digest takes longer than looking for what is in force."""
    found = _packs.find(enacted.digest)
    if found is None:
        found = PolicyPack.model_validate(enacted.document)
        _packs.keep(enacted.digest, found, 1)
    return found


_packs: Remembered[str, PolicyPack] = Remembered(64)


def _check_approvals(binding: PolicyBinding, packs: Sequence[PolicyPack]) -> None:
    if binding.approvals is not None and not any(map(counts_approvals, packs)):
        raise ConflictError(
            f"The binding {binding.name} asks for {binding.approvals.count} approvals, and its packs count none.",
            "Add a pack with the param `approvers`, such as base-ml-governance.",
        )


def _used(pack: PolicyPack, bindings: Sequence[PolicyBinding]) -> PackUsed:
    return PackUsed(
        name=pack.name,
        version=pack.metadata.version,
        digest=pack.digest,
        document=pack.normalised(),
        params=_params(pack, bindings),
        enforcement=settings_of(bindings),
    )


def _params(pack: PolicyPack, bindings: Sequence[PolicyBinding]) -> dict[str, Any]:
    given = approval_params(pack, bindings) | params_of(pack.name, bindings)
    try:
        pack.values(given)
    except ValueError as error:
        raise ConflictError(f"A binding does not fit its pack: {error}.", "Apply it with other params.") from error
    return given
