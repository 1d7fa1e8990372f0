"""What is not known any more of the nodes of an answer, because an entry that spoke of them was erased."""

from collections.abc import Iterable

from catalog.erasure.skeleton import ERASED_DIGEST
from catalog.graph.contract import EdgeKind
from catalog.identity import NodeKind, base_version, structure
from catalog.lineage.versions import Versions
from catalog.lineage.view import GraphView
from catalog.model import Gap, GapKind, Node

BLURRED = "BLURRED"
"""The role of a dataset or a job of which facets were erased: what is in force on it may not be known."""


def erased_gaps(view: GraphView, versions: Versions, nodes: Iterable[Node]) -> set[Gap]:
    """A gap on each node that lost something itself, or whose dataset did.

    A facet that was erased matters as long as it would be in force; one that a later event replaced does not.
    """
    bearers = {node.id: _bearers(node) for node in nodes}
    wanted = {each for found in bearers.values() for each in found}
    struck = {node for node, edges in view.reader.incoming(EdgeKind.ERASED, wanted).items() if edges}
    blurred = _blurred(view, versions, wanted)
    said = {node: _ERASED for node, found in bearers.items() if not struck.isdisjoint(found)}
    said |= {node: _FACET for node, found in bearers.items() if node not in said and not blurred.isdisjoint(found)}
    return {Gap(GapKind.ERASED, node, reason) for node, reason in said.items()}


def _bearers(node: Node) -> set[str]:
    """The node as it is stored, and the dataset that a version or a column is of."""
    of_dataset = structure(node.id) in (NodeKind.DATASET_VERSION, NodeKind.FIELD)
    return {base_version(node.id), *((node.parent,) if of_dataset and node.parent else ())}


def _blurred(view: GraphView, versions: Versions, wanted: Iterable[str]) -> set[str]:
    """Those of the datasets and jobs on which an erased facet is in force."""
    described = [each for each in wanted if structure(each) in (NodeKind.DATASET, NodeKind.JOB)]
    roles = view.reader.outgoing(EdgeKind.HAS_ROLE, described)
    found = set()
    for each in (each for each in described if any(edge.target == BLURRED for edge in roles[each])):
        since = versions.last_drop(each) if structure(each) is NodeKind.DATASET else -1
        winners = view.facet_winners((each,), since)[each]
        if any(digest == ERASED_DIGEST for _, digest in winners.values()):
            found.add(each)
    return found


_ERASED = "an entry that spoke of it was erased"
_FACET = "a facet of it was erased, and nothing was said of that since"
