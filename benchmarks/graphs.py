"""Graphs whose lineage is asked for: answers of a known size, and jobs with a known number of runs.

Events here are small, since facet bodies are off the walk's path: what counts is how many nodes an answer has.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import orjson

from benchmarks.workload import EPOCH, PRODUCER, SPEC, Json

NAMESPACE = "s3://lake"
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Layers:
    """A model over layers of tables, each made by its own run from one or two of the layer below.

    At RUN grain the model's lineage has `2 × width × depth + 2` nodes, half of them runs. Every second layer names its
    versions; reads of the others are resolved by time.
    """

    width: int
    depth: int

    @property
    def nodes(self) -> int:
        return 2 * self.width * self.depth + 2

    @property
    def root(self) -> str:
        return f"model.layers_{self.nodes}"

    @property
    def source(self) -> str:
        return f"layers_{self.nodes}.level0.0"

    def events(self) -> Iterator[bytes]:
        for level in range(self.depth):
            for place in range(self.width):
                sources = {place, place + 1 if place % 5 == 0 else place}
                reads = [self._table(level - 1, each % self.width) for each in sorted(sources)] if level else []
                yield from self._run(f"level{level}.{place}", level, reads, self._table(level, place))
        top = [self._table(self.depth - 1, place) for place in range(self.width)]
        yield from self._run("train", self.depth, top, (self.root, None))

    def _table(self, level: int, place: int) -> tuple[str, str | None]:
        return f"layers_{self.nodes}.level{level}.{place}", "v1" if level % 2 else None

    def _run(
        self, job: str, level: int, reads: list[tuple[str, str | None]], write: tuple[str, str | None]
    ) -> Iterator[bytes]:
        return _run(f"layers_{self.nodes}.{job}", EPOCH + level * 10 * _SECOND, reads, [write])


@dataclass(frozen=True, slots=True)
class Repeated:
    """Two jobs, one feeding the other, that ran `runs` times: what is asked for stays as small as after one run."""

    runs: int

    @property
    def root(self) -> str:
        return f"model.repeated_{self.runs}"

    @property
    def source(self) -> str:
        return f"features.repeated_{self.runs}"

    def events(self) -> Iterator[bytes]:
        features, source = self.source, f"raw.repeated_{self.runs}"
        for number in range(self.runs):
            at = EPOCH + number * 60 * _SECOND
            job = f"repeated_{self.runs}"
            yield from _run(f"{job}.features", at, [(source, None)], [(features, None)])
            yield from _run(f"{job}.train", at + 20 * _SECOND, [(features, None)], [(self.root, None)])


def _run(
    job: str, began: datetime, reads: list[tuple[str, str | None]], writes: list[tuple[str, str | None]]
) -> Iterator[bytes]:
    run = str(uuid5(NAMESPACE_URL, f"{job} {began}"))
    for kind, at in (("START", began), ("COMPLETE", began + 5 * _SECOND)):
        yield orjson.dumps(
            {
                "eventType": kind,
                "eventTime": at.isoformat(),
                "producer": PRODUCER,
                "schemaURL": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
                "run": {"runId": run},
                "job": {"namespace": "airflow://graphs", "name": job, "facets": {"jobType": _JOB_TYPE}},
                "inputs": [_dataset(*each) for each in reads],
                "outputs": [_dataset(*each) for each in writes],
            }
        )


_JOB_TYPE = {
    "_producer": PRODUCER,
    "_schemaURL": f"{SPEC}/facets/2-0-3/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
    "processingType": "BATCH",
    "integration": "AIRFLOW",
    "jobType": "TASK",
}


def _dataset(name: str, version: str | None) -> Json:
    if version is None:
        return {"namespace": NAMESPACE, "name": name}
    url = f"{SPEC}/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
    facet = {"_producer": PRODUCER, "_schemaURL": url, "datasetVersion": version}
    return {"namespace": NAMESPACE, "name": name, "facets": {"version": facet}}
