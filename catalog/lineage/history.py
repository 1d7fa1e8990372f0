"""What a version still holds from the writes that it continues, added to a walk upstream at JOB grain.

A RUN walk stays on exact versions. Policies on what data may be inside must also see what earlier writes left, and the
versions that a long read saw but an answer does not list. For these the dataset is added with the jobs that fed it
since the last replacement, so the answer's size follows the number of jobs and never the number of writes.
"""

from collections.abc import Mapping

from catalog.identity import NodeKind, structure
from catalog.lineage.continuation import Continuation
from catalog.lineage.jobgrain import JobGrain
from catalog.lineage.versions import Versions
from catalog.lineage.walk import Flowing, Walked, walk
from catalog.model import Basis


def with_history(
    walked: Walked,
    versions: Versions,
    continuation: Continuation,
    jobs: JobGrain,
    left_out: Mapping[str, set[str]],
    depth: int,
    limit: int,
) -> None:
    """Add the datasets of continuing versions and of long reads, with their JOB-grain lineage."""
    for node in sorted(walked.distance):
        if structure(node) is NodeKind.DATASET_VERSION:
            link = versions.link_of(node)
            count, since = continuation.continued(link) if link else (0, None)
            if link and count:
                _join(walked, jobs, link.write.dataset, node, since, depth, limit)
        for dataset in sorted(left_out.get(node, ())):
            _join(walked, jobs, dataset, node, None, depth, limit)


def _join(walked: Walked, jobs: JobGrain, dataset: str, node: str, since: int | None, depth: int, limit: int) -> None:
    distance = walked.distance[node]
    grown = walk(jobs.begin(), [dataset], up=True, down=False, depth=max(1, depth - distance), limit=limit)
    walked.distance.setdefault(dataset, distance)
    walked.edges.setdefault((dataset, node), Flowing(Basis.INFERRED, since, None))
    for ends, flowing in grown.edges.items():
        if since is None or flowing.last is None or flowing.last >= since:
            walked.edges.setdefault(ends, flowing)
            for end in ends:
                walked.distance.setdefault(end, distance + grown.distance[end])
