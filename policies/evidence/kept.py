"""Evidence given again as long as nothing that it was read from was spoken of since.

A release pipeline previews, waits and decides on one version, and a watch has judged it before: what is behind the
version is the same each time. Whether it is, the entries in between tell: see `Built.dependencies`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from catalog.act import Act
from catalog.permitted import PermittedReading
from catalog.reading import Reading
from catalog.remembered import Remembered
from policies.evidence.builder import Built, build_evidence, everyone
from policies.evidence.draft import Authoritative
from policies.evidence.touch import touched_by_event, touched_in_evidence

OthersBetween = Callable[[int, int], Sequence[Act | None]]
"""All that is neither an event nor a decision from a position until before another; None for what is no act either."""

_MOST_ENTRIES = 200  # to look through, which by then costs as much as reading the graph again
_MOST_BYTES = 500_000  # canonical bytes of a generation; the objects are some twenty times as large


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was built, at an instant (µs), and how many entries of the log are known not to change it."""

    built: Built
    evaluated_at: int
    known: int


class KeptEvidence:
    """Builds evidence, or finds it. For use by any number of threads.

    `others` is the log's own word on what came between, so that nothing of any type is missed: after what is no act of
    people (a key, say, whose owner may speak with authority) all is built again.
    """

    def __init__(self, others: OthersBetween, authoritative: Authoritative = everyone) -> None:
        self._others = others
        self._authoritative = authoritative
        self._kept: Remembered[str, _Kept] = Remembered(_MOST_BYTES)

    def of(self, reading: Reading, target: str, evaluated_at: int) -> Built:
        """`build_evidence` for this reading, at `evaluated_at` (µs)."""
        kept = self._kept.find(target)
        past = reading.valid is not None or (kept is not None and reading.known < kept.known)
        if past or isinstance(reading, PermittedReading):
            return self._built(reading, target, evaluated_at)
        if kept is None or not self._holds(kept, reading, evaluated_at):
            kept = _Kept(self._built(reading, target, evaluated_at), evaluated_at, reading.known)
        else:
            kept = replace(kept, known=reading.known)
        self._kept.keep(target, kept, len(kept.built.bytes))
        return kept.built

    def _built(self, reading: Reading, target: str, evaluated_at: int) -> Built:
        return build_evidence(reading, target, evaluated_at=evaluated_at, authoritative=self._authoritative)

    def _holds(self, kept: _Kept, reading: Reading, evaluated_at: int) -> bool:
        built = kept.built
        return (
            reading.known - kept.known <= _MOST_ENTRIES
            and kept.evaluated_at <= evaluated_at
            and (built.turns_at is None or evaluated_at < built.turns_at)
            and (built.quiet_until is None or reading.newest <= built.quiet_until)
            and not self._is_touched(built, reading, kept.known)
        )

    def _is_touched(self, built: Built, reading: Reading, since: int) -> bool:
        for act in self._others(since, reading.known):
            if act is None or act.body.get("erased") or not touched_in_evidence(act).isdisjoint(built.dependencies):
                return True
        events = reading.entries(range(since, reading.known))
        return any(not touched_by_event(reading, event).isdisjoint(built.dependencies) for event in events)
