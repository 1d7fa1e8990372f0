"""Which version of a model went by which alias when: `lineward_registry` facets, each in force until the next one.

An alias (`champion`, `Production`) has one version at a time, the one that claimed it last. A version that leaves it
out of a later list loses it, and nobody has it then: an earlier holder does not come back by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from catalog.graph.contract import Edge, EdgeKind
from catalog.identity import base_version, registry_key
from catalog.lineage.view import GraphView


@dataclass(frozen=True, slots=True)
class Holding:
    """A stretch in which a version had an alias; µs, `until` not included and None while it lasts."""

    alias: str
    since: int
    until: int | None


class Registry:
    def __init__(self, view: GraphView) -> None:
        self._view = view

    def holder(self, dataset: str, alias: str) -> str | None:
        """The version (without its incarnation) that has the alias at the cut."""
        key = registry_key(dataset, alias)
        holding = [holder for holder, _, until in self._holdings(self._claims(key)) if until is None]
        return holding[0] if holding else None

    def of_version(self, version: str) -> list[Holding]:
        """When a version had which alias, ordered by (since, alias)."""
        base = base_version(version)
        told = self._view.reader.outgoing(EdgeKind.ALIASED, (base,))[base]
        keys = sorted({edge.target for edge in told} - {base})
        held = [
            Holding(key.partition("@")[2], since, until)
            for key in keys
            for holder, since, until in self._holdings(self._claims(key))
            if holder == base
        ]
        return sorted(held, key=lambda each: (each.since, each.alias))

    def _claims(self, key: str) -> list[tuple[int, str, bool]]:
        """(at, version, whether it claims the alias), of every version that ever did, in an order of their own."""
        edges = self._view.reader.incoming(EdgeKind.ALIASED, (key,))[key]
        claims = {(edge.at, edge.source) for edge in edges}
        versions = sorted({version for _, version in claims})
        told = self._view.reader.outgoing(EdgeKind.ALIASED, versions)
        said = {(edge.at, version) for version in versions for edge in _marks(told[version], version)}
        return sorted((at, version, (at, version) in claims) for at, version in claims | said)

    @staticmethod
    def _holdings(claims: list[tuple[int, str, bool]]) -> Iterator[tuple[str, int, int | None]]:
        """(version, since, until) of each stretch. At one instant a claim outweighs a loss, the greater id the rest."""
        holder, since = None, 0
        for at, told in groupby(claims, key=lambda claim: claim[0]):
            claimed = {version: claims_it for _, version, claims_it in told}
            takers = [version for version, claims_it in claimed.items() if claims_it]
            after = takers[-1] if takers else (None if claimed.get(holder or "") is False else holder)
            if after != holder:
                if holder is not None:
                    yield holder, since, at
                holder, since = after, at
        if holder is not None:
            yield holder, since, None


def _marks(edges: list[Edge], version: str) -> list[Edge]:
    """When a version's aliases were told, whichever they were."""
    return [edge for edge in edges if edge.target == version]
