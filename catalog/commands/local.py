"""A data folder as a command reads it: its graph is brought up to its log first."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.commands.options import settings
from catalog.composition import DataDirectory, open_data
from catalog.model import AsOf, LineageGraph, NodeRef
from catalog.reading import Walk
from catalog.rendering.snapshot import Snapshot


class LocalCatalogue:
    def __init__(self, folder: DataDirectory) -> None:
        self._folder = folder

    def lineage(self, of: NodeRef, wanted: Walk, as_of: AsOf) -> tuple[LineageGraph, Snapshot]:
        with self._folder.access.reading(as_of) as reading:
            graph = reading.lineage(of, wanted)
        state = self._folder.access.log_state()
        return graph, Snapshot(state.size, state.root.hex())

    def namespaces_of(self, model: str) -> list[str]:
        with self._folder.access.reading() as reading:
            return sorted({node.namespace or "" for node in reading.models() if node.name == model})


@contextmanager
def local_catalogue(data: Path | None, graph: str | None) -> Iterator[LocalCatalogue]:
    """Raises NotFoundError where the folder holds no log."""
    with open_data(settings(data=data, graph=graph)) as folder:
        folder.project()
        yield LocalCatalogue(folder)
