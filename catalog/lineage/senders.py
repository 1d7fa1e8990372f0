"""Datasets whose namespace tells no two senders apart, and of which several senders speak."""

from collections.abc import Iterable

from catalog.graph.contract import EdgeKind, GraphReader
from catalog.identity import NodeKind, is_shared_namespace, structure
from catalog.model import Gap, GapKind, Node


def shared_names(reader: GraphReader, nodes: Iterable[Node]) -> set[Gap]:
    """A gap on each dataset, version and column whose name may mean different data to different senders."""
    doubtful = {
        node.id: (node.id if structure(node.id) is NodeKind.DATASET else node.parent or "")
        for node in nodes
        if is_shared_namespace(node.namespace or "") and structure(node.id) in _OF_DATASETS
    }
    told = reader.outgoing(EdgeKind.TOLD_BY, set(doubtful.values())) if doubtful else {}
    return {
        Gap(GapKind.SHARED_NAMESPACE, node, f"{len(told[dataset])} senders use this name, and no rule tells them apart")
        for node, dataset in doubtful.items()
        if len(told[dataset]) > 1
    }


_OF_DATASETS = frozenset({NodeKind.DATASET, NodeKind.DATASET_VERSION, NodeKind.FIELD})
