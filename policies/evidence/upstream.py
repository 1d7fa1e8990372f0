"""What is behind a node at RUN grain, and how runs said that they used it."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catalog.graph.record import EventRecord
from catalog.identity import NodeKind
from catalog.model import Gap, LineageEdge, LineageGraph, Node, NodeRef
from catalog.reading import Reading, Walk
from catalog.reported import only
from policies.evidence.said import digest_in
from policies.verdict import Witness

PASSING = frozenset({NodeKind.RUN, NodeKind.JOB, NodeKind.DEPLOYMENT})
MODELS = frozenset({NodeKind.MODEL, NodeKind.MODEL_VERSION})


@dataclass(frozen=True, slots=True)
class InputUse:
    """How a run says that it used an input (`lineward_input`)."""

    role: str | None = None
    split_group: str | None = None
    digest: str | None = None


class Upstream:
    """One walk from a node to everything that it comes from."""

    def __init__(self, reading: Reading, root: str, walked: LineageGraph) -> None:
        self._reading = reading
        self.root = root
        self.graph = walked
        self.nodes: dict[str, Node] = {walked.root.id: walked.root} | {node.id: node for node in walked.nodes}
        self._into: dict[str, list[LineageEdge]] = {}
        self._from: dict[str, list[LineageEdge]] = {}
        for edge in walked.edges:
            self._into.setdefault(edge.target, []).append(edge)
            self._from.setdefault(edge.source, []).append(edge)
        self._uses: dict[str, Mapping[str, InputUse]] = {}

    @classmethod
    def of(cls, reading: Reading, root: str, *, depth: int, rows: int, history: bool) -> "Upstream":
        walked = reading.lineage(NodeRef(id=root), Walk(depth=depth, limit=rows, history=history))
        return cls(reading, root, walked)

    @classmethod
    def with_and_without_history(
        cls, reading: Reading, root: str, *, depth: int, rows: int
    ) -> "tuple[Upstream, Upstream]":
        """Without, and with: the same object where history adds nothing."""
        without, whole = reading.with_and_without_history(NodeRef(id=root), Walk(depth=depth, limit=rows))
        found = cls(reading, root, without)
        return found, found if whole is without else cls(reading, root, whole)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return self.graph.gaps

    def into(self, node: str) -> list[LineageEdge]:
        return self._into.get(node, [])

    def leaving(self, node: str) -> list[LineageEdge]:
        return self._from.get(node, [])

    def makers(self, node: str) -> list[Node]:
        """The runs and jobs that lead straight into a node."""
        sources = (self.nodes[edge.source] for edge in self.into(node))
        return [source for source in sources if source.kind in PASSING]

    def behind(self, starts: Iterable[str]) -> set[str]:
        """The nodes from which data flows into these, themselves included."""
        found, frontier = set(starts), list(starts)
        while frontier:
            fresh = {edge.source for node in frontier for edge in self.into(node)} - found
            found |= fresh
            frontier = sorted(fresh)
        return found

    # Uses ------------------------------------------------------------------------------------------------------

    def use(self, run: str, data: Node) -> InputUse:
        """What the run says of an input; nothing where it says nothing."""
        return self.uses(run).get(data.parent or data.id) or self.uses(run).get(data.id) or InputUse()

    def uses(self, run: str) -> Mapping[str, InputUse]:
        if run not in self._uses:
            self._uses[run] = input_uses(self._reading, run)
        return self._uses[run]

    @cached_property
    def digests(self) -> dict[str, str]:
        """Content digests: the version's name where it is one, else what the runs that read it say."""
        found: dict[str, str] = {}
        for node in self.nodes.values():
            if node.kind in PASSING:
                continue
            said = {
                digest
                for edge in self.leaving(node.id)
                if self.nodes[edge.target].kind is NodeKind.RUN
                and (digest := self.use(edge.target, node).digest) is not None
            }
            named = digest_in(node.label) if node.kind in _VERSIONS else None
            digest = named or min(said, default=None)
            if digest is not None:
                found[node.id] = digest
        return found

    # Witness ---------------------------------------------------------------------------------------------------

    def witness(self, node: str) -> Witness:
        """The shortest way down to the root, equal lengths by node ids, and the log entries that tell of it."""
        onward = self._onward
        entries: set[int] = set()
        nodes = [node]
        while nodes[-1] != self.root and (edge := onward.get(nodes[-1])) is not None:
            entries.update(edge.entries)
            nodes.append(edge.target)
        return Witness(tuple(nodes), tuple(sorted(entries)))

    @cached_property
    def _onward(self) -> dict[str, LineageEdge]:
        """For each node the first edge of its shortest way to the root."""
        found: dict[str, LineageEdge] = {}
        queue = deque([self.root])
        while queue:
            target = queue.popleft()
            for edge in sorted(self.into(target), key=lambda each: each.source):
                if edge.source not in found and edge.source != self.root:
                    found[edge.source] = edge
                    queue.append(edge.source)
        return found


_VERSIONS = frozenset({NodeKind.DATASET_VERSION, NodeKind.MODEL_VERSION})


def input_uses(reading: Reading, run: str) -> Mapping[str, InputUse]:
    """By dataset id what a run says of each of its inputs."""
    told: dict[str, list[tuple[EventRecord, str | None]]] = {}
    for event in reading.run_events(run):
        for use in event.inputs:
            told.setdefault(use.dataset, []).append((event, use.use_bundle))
    return {dataset: _input_use(only(reading.said(uses, ["lineward_input"]))) for dataset, uses in told.items()}


def _input_use(body: Mapping[str, Any]) -> InputUse:
    role, group = body.get("role"), body.get("splitGroup")
    return InputUse(
        role if isinstance(role, str) else None,
        group if isinstance(group, str) else None,
        digest_in(body.get("digest")),
    )
