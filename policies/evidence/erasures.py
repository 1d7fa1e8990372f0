"""The erasures that reach a version, and what is decided about it."""

from collections.abc import Iterable
from typing import Any

from catalog.identity import NodeKind, structure
from catalog.instant import text
from catalog.model import Node
from catalog.reading import Ancestry, Reading
from policies.erasure.cases import Case, cases_of


class Erasures:
    """Tells which cases reach one version at an instant (µs), seen from the version: no other is looked at.

    `touched` collects the nodes that the answer was read from, `turns` the instants at which acceptances run out;
    `truncated` says that a walk was cut.
    """

    def __init__(self, reading: Reading, instant: int) -> None:
        self._reading = reading
        self._instant = instant
        self._ancestry: dict[frozenset[str], Ancestry] = {}
        self.touched: set[str] = set()
        self.turns: set[int] = set()
        self.truncated = False

    def of(self, version: Node, known: Iterable[str]) -> list[Case]:
        """The cases that reach the version. `known` are nodes and datasets behind it: rows come from these alone."""
        every = cases_of(self._reading, self._instant)
        if not every:
            return []
        behind = self._reading.aliases_ever(each for each in known if structure(each) is NodeKind.DATASET)
        found = [case for case in every if self._may_reach(case, version, behind) and self._reaches(case, version)]
        self.touched |= {case.id for case in found}
        return found

    def record(self, case: Case, version: Node) -> dict[str, Any]:
        """The case as the document has it."""
        named = self._reading.describe(case.datasets).values()
        found: dict[str, Any] = {
            "id": case.id,
            "basis": case.basis,
            "openedAt": text(case.opened),
            "datasets": sorted(node.name for node in named),
        }
        held = case.disposition(version.id, self._instant)
        if held is None:
            return found
        found |= {"disposition": held.way, "disposedBy": held.by, "disposedAt": text(held.at)}
        if held.successor is not None:
            found["successor"] = held.successor
        if held.expires is not None:
            self.turns.add(held.expires)
            found["expiresAt"] = text(held.expires)
        return found

    def _may_reach(self, case: Case, version: Node, behind: frozenset[str]) -> bool:
        return bool(case.runs) or version.id in case.told or not case.datasets.isdisjoint(behind)

    def _reaches(self, case: Case, version: Node) -> bool:
        if version.id in case.told:
            return True
        ancestry = self._of(case.datasets, version)
        if not case.runs.isdisjoint(ancestry.nodes):
            return True
        held = ancestry.held_since is not None and ancestry.held_since < case.before
        self.truncated = self.truncated or (ancestry.truncated and not held)
        return held

    def _of(self, datasets: frozenset[str], version: Node) -> Ancestry:
        if datasets not in self._ancestry:
            self._ancestry[datasets] = self._reading.ancestry(version.id, datasets)
            self.touched |= self._ancestry[datasets].nodes
        return self._ancestry[datasets]
