"""The tree's nodes as the database keeps them: leaves in their entries, every eighth level as rows."""

import apsw

from catalog.errors import CorruptLogError
from catalog.log.merkle import STORED_LEVELS, Nodes, fold

_LEAVES = "SELECT leaf FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq"
_STORED = "SELECT hash FROM node WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx"


def stored_nodes(connection: apsw.Connection) -> Nodes:
    """(level, index) -> hash, folding at most 128 stored hashes; CorruptLogError where one is missing."""

    def node(level: int, index: int) -> bytes:
        base = level - level % STORED_LEVELS
        width = 1 << (level - base)
        low, high = index * width, (index + 1) * width
        rows = connection.execute(_STORED, (base, low, high)) if base else connection.execute(_LEAVES, (low, high))
        hashes = [row[0] for row in rows]
        if len(hashes) != width:
            raise CorruptLogError(
                f"the tree lacks nodes at level {base} from {low} to {high}", "restore the log from a backup"
            )
        return fold(hashes)

    return node
