"""What the bindings in force select: which models in which environments, and by which documents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from catalog.act import Act
from catalog.identity import NodeKind
from catalog.model import Node
from catalog.reading import Reading
from policies.binding import PolicyBinding
from policies.in_force import Enacted, InForce, history, in_force
from policies.pack import PolicyPack
from policies.selection import Selection, select
from policies.timeline import start_of, turning_days


@dataclass(frozen=True)
class Selected:
    """The bindings in force at one instant. `turns_at` is when, with nothing new, others will be, µs."""

    force: InForce
    turns_at: int | None

    @classmethod
    def at(cls, reading: Reading, instant: int) -> "Selected":
        """What is in force at an instant (µs), as far as the reading knows."""
        force = in_force(reading, instant)
        turns = {each.until for each in force.baselines}
        turns |= {time for each in history(reading) for time in (each.since, each.until) if time is not None}
        return cls(force, min((each for each in turns if each > instant), default=None))

    @cached_property
    def environments(self) -> tuple[str, ...]:
        """Every environment that a binding names, by name."""
        return tuple(sorted({name for each in self.force.bindings.values() for name in each.document["environments"]}))

    def environments_of(self, node: Node) -> list[str]:
        """Those in which some binding selects a model or a version of it."""
        return [environment for environment in self.environments if self._bindings(node, environment)]

    def documents(self, node: Node, environment: str) -> tuple[object, ...]:
        """Bindings, packs and baselines that judge a model: equal where nothing else does; empty where none does."""
        bindings = self._bindings(node, environment)
        names = {each.name for each in bindings}
        packs = sorted({name for each in bindings for name in _packs(each)})
        return (
            *((each.name, each.digest) for each in bindings),
            *((name, self.force.packs[name].digest if name in self.force.packs else None) for name in packs),
            *sorted(each.act for each in self.force.baselines if each.binding in names),
        )

    def selection(self, node: Node, environment: str) -> Selection:
        """What judges a model. Raises ConflictError for bindings that do not fit."""
        documents = self.documents(node, environment)
        if documents not in self._selections:
            self._selections[documents] = select(self.force, node, environment, (), _no_pack)
        return self._selections[documents]

    @cached_property
    def _selections(self) -> dict[tuple[object, ...], Selection]:
        return {}

    def next_day(self, node: Node, environment: str, instant: int) -> int | None:
        """The first day after an instant on which something may be enforced differently, µs."""
        starts = (start_of(day) for each in self._bindings(node, environment) for day in self._days[each.name])
        return min((start for start in starts if start > instant), default=None)

    def _bindings(self, node: Node, environment: str) -> list[Enacted]:
        return self.force.bindings_for(environment, node.namespace or "", node.name)

    @cached_property
    def _days(self) -> Mapping[str, frozenset[date]]:
        """By binding the days on which it, or a pack of it, binds more or less."""
        return {name: frozenset(self._days_of(each)) for name, each in self.force.bindings.items()}

    def _days_of(self, binding: Enacted) -> Iterator[date]:
        until = PolicyBinding.model_validate(binding.document).advise_until
        if until is not None:
            yield until
        for held in (self.force.packs.get(name) for name in _packs(binding)):
            if held is not None:
                pack = PolicyPack.model_validate(held.document)
                for control in pack.controls:
                    yield from turning_days(pack, control)


def puts_into_force(act: Act) -> bool:
    """Whether an act may change what is in force: a proposal alone waits for one that does."""
    return act.kind is NodeKind.POLICY and act.verb == "confirmPolicy"


def _no_pack(name: str) -> None:
    """Nobody adds a pack."""


def _packs(binding: Enacted) -> list[str]:
    return [str(each["name"]) for each in binding.document["packs"]]
