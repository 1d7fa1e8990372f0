"""Which data a model was trained, validated and tested on.

Training data is what the runs that made it read as training data, or without saying for what, and everything upstream
of that. Validation and test data are what these runs and the evaluations name so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalog.identity import NodeKind
from catalog.model import GapKind, Node
from policies.evidence.upstream import MODELS, PASSING, InputUse, Upstream

TRAINING, VALIDATION, TEST = "training", "validation", "test"


@dataclass(frozen=True, slots=True)
class Held:
    """A dataset version in a role. `run` is a run that read it in this role, None for what is further up."""

    node: Node
    use: InputUse
    run: str | None

    @property
    def direct(self) -> bool:
        return self.run is not None


class Roles:
    """Sorts what is behind a version by what it was used for."""

    def __init__(
        self, upstream: Upstream, made: Iterable[Node], measured: Mapping[str, list[tuple[Node, InputUse]]]
    ) -> None:
        self._upstream = upstream
        self._by_role: dict[str, dict[str, Held]] = {TRAINING: {}, VALIDATION: {}, TEST: {}}
        self._starts: set[str] = set()
        root = upstream.nodes[upstream.root]
        if root.kind is NodeKind.DATASET_VERSION:
            self._hold(TRAINING, Held(root, InputUse(), root.id))
            self._starts.add(root.id)
        else:
            self._read_by(made)
        self._measured_on(measured)
        self.behind = upstream.behind(self._starts)
        self._hold_all_behind()

    def of(self, role: str) -> list[Held]:
        """The data in a role, by id."""
        return [held for _, held in sorted(self._by_role[role].items())]

    def _read_by(self, made: Iterable[Node]) -> None:
        for run in made:
            for edge in self._upstream.into(run.id):
                data = self._upstream.nodes[edge.source]
                if data.kind in PASSING:
                    continue
                use = self._upstream.use(run.id, data)
                if use.role in (None, TRAINING):
                    self._starts.add(data.id)
                self._hold(use.role or TRAINING, Held(data, use, run.id))

    def _measured_on(self, measured: Mapping[str, list[tuple[Node, InputUse]]]) -> None:
        for run, read in sorted(measured.items()):
            for data, use in read:
                if use.role in (VALIDATION, TEST):
                    self._hold(use.role, Held(data, use, run))

    def _hold(self, role: str, held: Held) -> None:
        if role in self._by_role and held.node.kind not in MODELS:
            self._by_role[role].setdefault(held.node.id, held)

    def _hold_all_behind(self) -> None:
        """Versions upstream; a dataset only where no version of it is known to be there, or none was ever written."""
        nodes = [self._upstream.nodes[each] for each in sorted(self.behind)]
        versioned = {node.parent for node in nodes if node.kind is NodeKind.DATASET_VERSION}
        external = {gap.node for gap in self._upstream.gaps if gap.kind is GapKind.EXTERNAL}
        for node in nodes:
            if node.kind not in PASSING and (node.id in external or node.id not in versioned):
                self._hold(TRAINING, Held(node, InputUse(), None))

    def feeds_back(self, model: str | None) -> bool:
        """Whether data that some run made with the model is upstream of the training data."""
        for each in self.behind:
            node = self._upstream.nodes[each]
            if model is None or node.kind not in MODELS or (node.parent or node.id) != model:
                continue
            for run in (edge.target for edge in self._upstream.leaving(each)):
                made = (
                    self._upstream.nodes[edge.target]
                    for edge in self._upstream.leaving(run)
                    if edge.target in self.behind
                )
                if any(output.kind not in MODELS for output in made):
                    return True
        return False
