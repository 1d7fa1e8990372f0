"""Which datasets were one another's aliases when: `symlinks` facets, each in force until the next one."""

from collections.abc import Iterable

import orjson

from catalog.graph.contract import Edge, EdgeKind
from catalog.identity import dataset_id
from catalog.lineage.columns import listed, mapping
from catalog.lineage.trace import Known, Of, Seen
from catalog.lineage.view import GraphView, is_deletion

_ALIASES = "aliases"  # under which what was ever said of a dataset is kept


class Aliases:
    """The relation at any instant: symmetric, safe on cycles, never merged."""

    def __init__(self, view: GraphView) -> None:
        self._view = view
        self._components: dict[tuple[str, int], Known[tuple[str, ...]]] = {}
        self._aliases: dict[str, list[Edge]] = {}

    def component(self, dataset: str, instant: int) -> tuple[str, ...]:
        """The datasets that are one under ALIAS_OF at an instant, ordered by id; the first stands for all."""
        trace, key = self._view.trace, (dataset, instant)
        held = self._components.get(key)
        if held is None:
            held = trace.of(lambda: self._connected(dataset, instant))
            for member in held[0]:
                self._components[(member, instant)] = held
        return trace.use(held)

    def fetch(self, datasets: Iterable[str]) -> None:
        """What each dataset was ever said to be an alias of, either way."""
        kept, missing = self._view.kept, []
        for dataset in dict.fromkeys(datasets):
            if dataset not in self._aliases:
                known = kept.find(_ALIASES, dataset)
                if known is None:
                    missing.append(dataset)
                else:
                    self._aliases[dataset] = known
        if not missing:
            return
        out = self._view.reader.outgoing(EdgeKind.ALIAS_OF, missing)
        into = self._view.reader.incoming(EdgeKind.ALIAS_OF, missing)
        for dataset in missing:
            found = self._aliases[dataset] = out[dataset] + into[dataset]
            kept.keep(_ALIASES, dataset, (found, Seen({(Of.ALIASES, dataset)})))

    def edges(self, dataset: str) -> list[Edge]:
        self.fetch((dataset,))
        return self._of(dataset)

    def _of(self, dataset: str) -> list[Edge]:
        self._view.trace.fact(Of.ALIASES, dataset)
        return self._aliases[dataset]

    def _connected(self, dataset: str, instant: int) -> tuple[str, ...]:
        found, frontier = {dataset}, {dataset}
        while frontier:
            self.fetch(frontier)
            pairs = {(edge.source, edge.target) for each in frontier for edge in self._of(each)}
            if not pairs:
                break
            stated = self.at({source for source, _ in pairs}, instant)
            held = [pair for pair in pairs if pair[1] in stated.get(pair[0], ())]
            frontier = {end for pair in held for end in pair} - found
            found |= frontier
        return tuple(sorted(found))

    def at(self, datasets: Iterable[str], instant: int) -> dict[str, frozenset[str]]:
        """What the symlinks facet of each dataset lists at an instant."""
        datasets = list(datasets)
        for dataset in datasets:
            self._view.trace.fact(Of.MENTIONS, dataset)
        earlier = GraphView(self._view.reader.until(instant))
        bodies = earlier.facet_bodies(datasets, "symlinks")
        return {dataset: symlinks(body) for dataset, body in bodies.items()}

    def ever(self, dataset: str) -> set[str]:
        """The dataset and all that was connected with it at one time or another."""
        found, frontier = {dataset}, {dataset}
        while frontier:
            self.fetch(frontier)
            edges = [edge for each in frontier for edge in self._of(each)]
            frontier = {end for edge in edges for end in (edge.source, edge.target)} - found
            found |= frontier
        return found


def symlinks(body: bytes) -> frozenset[str]:
    """The dataset ids that a symlinks facet lists (SymlinksDatasetFacet 1-0-1); none where it is deleted."""
    if is_deletion(body):
        return frozenset()
    entries = map(mapping, listed(mapping(orjson.loads(body)).get("identifiers")))
    return frozenset(
        dataset_id(entry["namespace"], entry["name"])
        for entry in entries
        if isinstance(entry.get("namespace"), str) and isinstance(entry.get("name"), str)
    )
