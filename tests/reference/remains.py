"""In which versions erased rows may remain, in the plainest way: a fixpoint over all flows and all writes."""

from collections.abc import Iterator, Sequence

from catalog.graph.record import EventRecord
from catalog.identity import base_version, named_version_id
from catalog.lineage.remains import ErasedRows
from tests.reference.flows import Flow
from tests.reference.model import Reference
from tests.reference.versions import Write

EVER = 1 << 62


def remains(records: Sequence[EventRecord], erased: ErasedRows) -> set[str]:
    """The ids of the versions, those that held the rows at first among them."""
    return _remains(_Everything(records), erased)


def _remains(graph: "_Everything", erased: ErasedRows) -> set[str]:
    datasets = graph.ever(erased.datasets)
    found = {each for each, began in graph.versions(datasets).items() if began < erased.before}
    found |= {
        one.version
        for write in graph.writes
        if write.run is not None and write.run.id in erased.runs
        for one in [write, *graph.chains.twins(write)]
    }
    while True:
        fed = {
            flow.target
            for flow in graph.flows
            if flow.target is not None
            and (
                not found.isdisjoint({flow.source, *flow.left_out})
                or (flow.source in datasets and graph.read_at(flow) < erased.before)
            )
        }
        continued = {
            write.version
            for write in graph.writes
            if write.dataset not in datasets and not found.isdisjoint(graph.continued[write])
        }
        more = (fed | continued) - found
        if not more:
            return found
        found |= more


def held_by(records: Sequence[EventRecord]) -> set[str]:
    """The versions that somebody wrote."""
    return {write.version for write in _Everything(records).writes}


def held_since(records: Sequence[EventRecord], datasets: frozenset[str]) -> dict[str, int | None]:
    """For each version that was written the instant after which an erasure from these datasets reaches it."""
    graph = _Everything(records)
    found: dict[str, int | None] = {write.version: None for write in graph.writes}
    for at in sorted({record.at for record in records}, reverse=True):
        held = _remains(graph, ErasedRows(datasets, frozenset(), at + 1))
        found |= dict.fromkeys(found.keys() & held, at)
    return found


class _Everything:
    """What the reference model has worked out of some records."""

    def __init__(self, records: Sequence[EventRecord]) -> None:
        reference = Reference(records)
        self.records = records
        self.chains = reference._versions
        self.writes = reference._versions.writes
        self.flows = reference._flows.all
        self.continued = {write: set(self._continued(write)) for write in self.writes}

    def _continued(self, write: Write) -> Iterator[str]:
        """The versions whose rows a write still holds. What replaced everything is itself held by those after it."""
        if write.moment is None or write.dataset in self.chains._models():
            return
        before = [each for each in self.chains._incarnation(write) if each.key < write.key]
        replacing = [each for each in (*before, write) if each.replaces]
        for each in before:
            moment = each.moment
            assert moment is not None
            if each.version != write.version and all(moment > one.begin for one in replacing if one is not each):
                yield each.version

    def ever(self, datasets: frozenset[str]) -> set[str]:
        """The datasets and all that was connected with one of them at one time or another."""
        pairs = [{one, other} for one, other, _, _ in self.chains.aliases()]
        found = set(datasets)
        while more := {each for pair in pairs if pair & found for each in pair} - found:
            found |= more
        return found

    def versions(self, datasets: set[str]) -> dict[str, int]:
        """The versions of some datasets, each with the begin of its first write, or with its first mention."""
        found: dict[str, int] = {}
        for write in self.writes:
            if write.dataset in datasets:
                found[write.version] = min(write.begin, found.get(write.version, EVER))
        named = [(flow.source, self._label_of(flow)) for flow in self.flows if flow.mention in datasets]
        return found | {
            node: self._first_mention(*label) for node, label in named if label is not None and node not in found
        }

    def _label_of(self, flow: Flow) -> tuple[str, str] | None:
        """The (dataset, version) that a read names, and that is its source."""
        reads = flow.derivation.all_reads() if flow.derivation else ()
        named = {named_version_id(dataset, version): (dataset, version) for dataset, version in reads if version}
        return named.get(base_version(flow.source))

    def _first_mention(self, dataset: str, version: str) -> int:
        return min(
            record.at
            for record in self.records
            for use in (*record.inputs, *record.outputs, *((record.subject,) if record.subject else ()))
            if (use.dataset, use.version) == (dataset, version)
        )

    @staticmethod
    def read_at(flow: Flow) -> int:
        if flow.derivation is not None:
            return flow.derivation.start
        assert flow.output is not None
        return flow.output.begin
