"""What rests on an erasure: versions of models, services now and then, and decisions of the gate."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.act import Act
from catalog.erasure.redaction import Reached
from catalog.errors import NotFoundError
from catalog.identity import NodeKind, run_id
from catalog.model import Deployment, Gap, LineageGraph, Node, NodeRef
from catalog.reading import Reading
from policies.erasure.cases import Case

_LISTS = ("trainingDatasets", "validationDatasets", "testDatasets", "trainingRuns", "attestations", "approvals")


@dataclass(frozen=True, slots=True)
class Resting:
    """What rests on an erasure, as a reading knows it now.

    `versions` are those of models, by name and id; `ways` lead from what was erased to each of them, by node ids.
    `names` are those of nodes that gaps are about. `truncated`: a walk was cut, so there may be more.
    """

    versions: tuple[Node, ...]
    ways: Mapping[str, tuple[str, ...]]
    deployments: tuple[Deployment, ...]
    decisions: tuple[Act, ...]
    gaps: tuple[Gap, ...]
    truncated: bool
    nodes: frozenset[str]
    names: Mapping[str, str]


def resting_on(reading: Reading, case: Case) -> Resting:
    """What rests on it; nothing where the graph knows nothing of it any more, save what the erasure itself told."""
    try:
        graph = reading.remains(case.rows)
    except NotFoundError:
        graph = None
    reached = {node.id: node for node in graph.nodes if node.kind is NodeKind.MODEL_VERSION} if graph else {}
    reached |= reading.describe(case.told - reached.keys())
    versions = tuple(sorted(reached.values(), key=lambda each: (each.namespace or "", each.name, each.label or "")))
    nodes = frozenset({*(node.id for node in graph.nodes), *reached} if graph else reached) | case.touched
    served = [each for version in versions for each in reading.deployments(model=NodeRef(id=version.id))]
    return Resting(
        versions,
        _ways(graph, versions) if graph else {},
        tuple(sorted(served, key=lambda each: (each.since, each.id))),
        tuple(_decisions(reading, reached.keys(), nodes, case)),
        graph.gaps if graph else (),
        graph is not None and graph.truncated is not None,
        nodes,
        {node.id: f"{node.name}@{node.label}" if node.label else node.name for node in graph.nodes} if graph else {},
    )


def reached_by(reading: Reading, entries: Sequence[int], concerns: Sequence[str], now: int) -> Reached:
    """What rests on entries of the log and on rows of datasets, should both go now (µs): ids alone, to be kept."""
    events = reading.entries(entries)
    runs = {run_id(event.run, event.job_namespace, event.job_name) for event in events if event.run is not None}
    gone = Case("", now, now, "", "", "", frozenset(concerns), frozenset(runs), erased=tuple(entries))
    found = resting_on(reading, gone)
    return Reached(
        models=tuple(node.id for node in found.versions),
        deployments=tuple(dict.fromkeys(each.job for each in found.deployments)),
        decisions=tuple(act.id for act in found.decisions),
    )


def _decisions(reading: Reading, versions: Iterable[str], nodes: frozenset[str], case: Case) -> Iterator[Act]:
    """Those about a version, and those whose frozen evidence names what was erased or rests on it.

    A decision that the log took before an erased entry came cannot have seen it.
    """
    about = set(versions)
    since = min(case.erased, default=0) if not case.datasets else 0
    for act in reading.acts(NodeKind.DECISION):
        known = (act.body.get("snapshot") or {}).get("known", act.seq)
        if act.verb == "decide" and known > since:
            target = (act.body.get("target") or {}).get("node")
            if target in about or not nodes.isdisjoint(_named_in(act.body.get("evidence") or {})):
                yield act


def _named_in(evidence: Mapping[str, Any]) -> set[str]:
    named = {str(each.get("id")) for name in _LISTS for each in evidence.get(name) or ()}
    return named | {str(each.get("run")) for each in evidence.get("evaluations") or ()}


def _ways(graph: LineageGraph, versions: Iterable[Node]) -> dict[str, tuple[str, ...]]:
    """A shortest way to each version from something that nothing in the walk leads to; equal ones by the smaller id."""
    onward: dict[str, list[str]] = {}
    for edge in graph.edges:
        onward.setdefault(edge.source, []).append(edge.target)
    led_to = {edge.target for edge in graph.edges}
    earlier: dict[str, str | None] = {node.id: None for node in graph.nodes if node.id not in led_to}
    queue = deque(sorted(earlier))
    while queue:
        source = queue.popleft()
        for target in sorted(onward.get(source, ())):
            if target not in earlier:
                earlier[target] = source
                queue.append(target)

    def way(node: str) -> tuple[str, ...]:
        found, before = [node], earlier.get(node)
        while before is not None:
            found.append(before)
            before = earlier[before]
        return tuple(reversed(found))

    return {version.id: way(version.id) for version in versions}
