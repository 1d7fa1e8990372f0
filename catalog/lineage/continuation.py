"""What a version still holds of the writes before it, and which later ones hold what it wrote.

An unknown write means append, or yesterday's sensitive rows would vanish from lineage: only a write that is known to
replace ends what came before, and only what stood when it began.
"""

from collections.abc import Iterator

from catalog.graph.contract import EdgeKind
from catalog.graph.record import REPLACING
from catalog.lineage.versions import Link, Versions
from catalog.lineage.view import GraphView

_EXACT = 10  # writes that are counted one by one
_STRIDE = 16


class Continuation:
    def __init__(self, view: GraphView, versions: Versions) -> None:
        self._view = view
        self._versions = versions

    def _replacements(self, link: Link) -> list[Link]:
        """The last writes up to this one, of its incarnation, that replaced what stood when they began."""
        before = link.key[0] + 1
        edges = self._view.moments.latest(EdgeKind.REPLACED, link.write.dataset, before=before, limit=_STRIDE)
        dropped = self._versions.dropped_before(link)
        return [
            found
            for found in self._versions.links(link.write.dataset, edges)
            if found.write.change in REPLACING
            and not found.write.partial
            and found.key <= link.key
            and found.key[0] > dropped
        ]

    def continued(self, link: Link) -> tuple[int, int | None]:
        """How many runs wrote what this version continues, and since when (µs; None: since ever).

        Up to ten are counted one by one; beyond, the runs that have a moment in the interval, whose number no
        walk has to pay for.
        """
        if self._view.models_among((link.write.dataset,)):  # what a model was made from is among its inputs
            return 0, None
        replacing = self._replacements(link)
        since = replacing[-1].write.began if replacing else None
        if link.write.partial:
            return 0, None
        low = max([self._versions.dropped_before(link), *(each.write.began for each in replacing)]) + 1
        high = link.key[0]
        count = self._view.moments.count(EdgeKind.WROTE, link.write.dataset, low=low, high=high) if low <= high else 0
        if count <= _EXACT:
            before = self._versions.between(link.write.dataset, low, high) if count else []
            count = len(
                {
                    each.write.run.id
                    for each in before
                    if each.write.run and not each.write.drops and not each.write.partial
                    and each.key < link.key and each.version != link.version
                }
            )  # fmt: skip
        return count, since

    def held_from(self, link: Link) -> int:
        """The first instant (µs) of which this link may still hold what became current: that of the last replacement,
        or after the last drop."""
        replaced = (each.write.began for each in self._replacements(link))
        return max([self._versions.dropped_before(link) + 1, *replaced])

    def preceding(self, link: Link) -> list[Link]:
        """The earlier links of which this one still holds what they wrote, in order: as many as there are."""
        if link.write.partial or self._view.models_among((link.write.dataset,)):
            return []
        replacing = self._replacements(link)
        return [
            each
            for each in self._versions.between(link.write.dataset, self.held_from(link), link.key[0])
            if each.key < link.key
            and each.version != link.version
            and not each.write.drops
            and not each.write.partial
            and all(each.key[0] > other.write.began for other in replacing if other.key != each.key)
        ]

    def continuing(self, link: Link) -> Iterator[Link]:
        """The later links that hold what this one wrote, until a drop, or a write that replaced it."""
        if self._view.models_among((link.write.dataset,)):
            return
        after = link.key[0] - 1  # others may have written at the same instant
        while True:
            edges = self._view.moments.earliest(EdgeKind.WROTE, link.write.dataset, after=after, limit=_STRIDE)
            for found in self._versions.links(link.write.dataset, edges):
                if found.write.partial or found.key <= link.key:
                    continue
                if found.write.drops or (found.write.change in REPLACING and found.write.began >= link.key[0]):
                    return
                yield found
            if len(edges) < _STRIDE:
                return
            after = edges[-1].at
