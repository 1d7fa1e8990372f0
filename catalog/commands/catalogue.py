"""Where a command reads: a running server, or a data folder opened directly."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from catalog.commands.reference import Reference, the_one
from catalog.model import NodeRef

if TYPE_CHECKING:
    from catalog.model import AsOf, LineageGraph
    from catalog.reading import Walk
    from catalog.rendering.snapshot import Snapshot


class Catalogue(Protocol):
    """The questions that commands put."""

    def lineage(self, of: NodeRef, wanted: "Walk", as_of: "AsOf") -> "tuple[LineageGraph, Snapshot]":
        """The walk and what it was read from. Errors are those of `Reading.lineage`, and UnreachableError."""
        ...

    def namespaces_of(self, model: str) -> list[str]:
        """The namespaces that have a model of exactly this name, sorted."""
        ...


def meant(reference: Reference, catalogue: Catalogue) -> NodeRef:
    """The node that the options name, the shorthand looked up."""
    named = reference.node()
    if named is not None:
        return named
    name, version = reference.name_and_version()
    return the_one(catalogue.namespaces_of(name), name, version)


@contextmanager
def opened(url: str | None, data: Path | None, graph: str | None = None) -> Iterator[Catalogue]:
    """The catalogue at `url`, else the one in `data`, else in the folder of the settings."""
    if url is not None:
        from catalog.commands.remote import RemoteCatalogue

        with RemoteCatalogue.connect(url) as remote:
            yield remote
    else:
        from catalog.commands.local import local_catalogue

        with local_catalogue(data, graph) as local:
            yield local
