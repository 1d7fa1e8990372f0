"""Section 11: names that several senders use in a namespace that every machine has."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from catalog.graph.record import DatasetUse, EventRecord
from catalog.identity import base_version, moment_version_id, named_version_id, run_version_id
from catalog.model import GapKind
from tests.reference.answers import Answer
from tests.reference.events import SHARED


class Senders:
    def __init__(self, records: Sequence[EventRecord]) -> None:
        told: defaultdict[str, set[str]] = defaultdict(set)
        self.owners: dict[str, str] = {}
        for record in records:
            for dataset in mentioned(record):
                told[dataset].add(record.actor)
                self.owners[dataset] = dataset
            for use in uses(record):
                self.owners.update(dict.fromkeys(versions(record, use), use.dataset))
        self.doubtful = {dataset for dataset in SHARED if len(told[dataset]) > 1}

    def with_gaps(self, answer: Answer) -> Answer:
        """The answer with a gap on each dataset and version under such a name."""
        gaps = {
            (GapKind.SHARED_NAMESPACE, node)
            for node in answer.nodes
            if self.owners.get(base_version(node)) in self.doubtful
        }
        return dataclasses.replace(answer, gaps=answer.gaps | gaps)


def uses(record: EventRecord) -> list[DatasetUse]:
    return [*record.inputs, *record.outputs, *([record.subject] if record.subject else [])]


def mentioned(record: EventRecord) -> Iterator[str]:
    for use in uses(record):
        yield from (use.dataset, *use.columns, *(use.aliases or ()))
        yield from (source.dataset for source in use.sources or () if source.dataset)
        yield from [use.renamed_from] if use.renamed_from else ()
    yield from (served.dataset for served in record.serving.models) if record.serving else ()


def versions(record: EventRecord, use: DatasetUse) -> Iterable[str]:
    """Every id that a version may have that this use names or makes."""
    run = record.run or ""
    named = [] if use.version is None else [named_version_id(use.dataset, use.version)]
    return [*named, run_version_id(use.dataset, run), moment_version_id(use.dataset, run, record.at)]
