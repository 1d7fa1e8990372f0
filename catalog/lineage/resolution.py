"""Which versions a read saw: the one that it names, or those that were current while its run read."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from catalog.graph.contract import EdgeKind
from catalog.identity import named_version_id
from catalog.lineage.derivations import Read
from catalog.lineage.trace import Known
from catalog.lineage.versions import Link, Versions
from catalog.lineage.view import GraphView

_MANY = 10  # versions that an answer lists; of more it tells the first and the last


class How(StrEnum):
    REPORTED = "REPORTED"
    SINGLE = "SINGLE"
    AMBIGUOUS = "AMBIGUOUS"
    EXTERNAL = "EXTERNAL"


@dataclass(frozen=True, slots=True)
class Resolution:
    """The versions that a read saw, in chain order (the first and the last where there are over ten)."""

    versions: tuple[str, ...]
    how: How
    count: int
    after_partial: bool = False
    unwritten: bool = False  # REPORTED, but nobody reported writing it


class Resolutions:
    """Resolves reads, each once. `whole`: an answer lists every version, however many there are."""

    def __init__(self, view: GraphView, versions: Versions, *, whole: bool = False) -> None:
        self._view = view
        self._versions = versions
        self._whole = whole
        self._resolutions: dict[tuple[str, str | None, int, int, str], Known[Resolution]] = {}

    def fetch(self, reads: Iterable[Read]) -> None:
        """What resolving them asks for, all at once."""
        reads = list(reads)
        self._versions.fetch_producers(named_version_id(r.dataset, r.version) for r in reads if r.version is not None)
        self._versions.fetch_drops({read.dataset for read in reads})
        unversioned = [read for read in reads if read.version is None]
        datasets = {read.dataset for read in unversioned}
        self._versions.aliases.fetch(datasets)
        self._view.moments.fetch(EdgeKind.WROTE, datasets)
        self._versions.fetch_runs_before((read.dataset, read.start + 1) for read in unversioned)

    def resolve(self, read: Read) -> Resolution:
        key = (read.dataset, read.version, read.start, read.end, read.run.id)
        return self._view.trace.recall(self._resolutions, key, lambda: self._resolve(read))

    def _resolve(self, read: Read) -> Resolution:
        return self._reported(read) if read.version is not None else self._found(read)

    def _reported(self, read: Read) -> Resolution:
        assert read.version is not None
        base = named_version_id(read.dataset, read.version)
        version = self._versions.version_at(read.dataset, base, read.start, read.run)
        return Resolution((version,), How.REPORTED, 1, unwritten=not self._versions.producers(version))

    def _found(self, read: Read) -> Resolution:
        datasets = self._versions.aliases.component(read.dataset, read.start)
        standing, partial = self._versions.current(datasets, read.start, read.run)
        own = self._versions.own_versions(read.run)
        arrived: list[Link] = []
        if read.end > read.start + 1:
            arrived = [link for each in datasets for link in self._versions.between(each, read.start + 1, read.end - 1)]
        during = sorted(
            (
                link
                for link in arrived
                if link.write.current is not None and not link.write.drops and link.version not in own
            ),
            key=lambda link: link.key,
        )
        seen = [*([standing] if standing else []), *during]
        versions = tuple(dict.fromkeys(link.version for link in seen))
        if not versions:
            return Resolution((), How.EXTERNAL, 0, partial)
        how = How.SINGLE if len(versions) == 1 else How.AMBIGUOUS
        shown = versions if self._whole or len(versions) <= _MANY else (versions[0], versions[-1])
        return Resolution(shown, how, len(versions), partial)
