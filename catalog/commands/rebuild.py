"""`lineward rebuild`: the graph again from the log, or the proof that this would change nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.commands.failure import CheckFailedError
from catalog.commands.options import Data, Graph, settings
from catalog.errors import StaleProjectionError

if TYPE_CHECKING:
    from catalog.composition import DataDirectory
    from catalog.graph.contract import GraphStore

_ATTEMPTS = 5


def rebuild(
    verify: Annotated[
        bool, typer.Option("--verify", help="Project into a scratch graph and compare; change nothing.")
    ] = False,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Project the whole log again, into the graph itself or, with --verify, beside it."""
    from catalog.composition import open_data

    with open_data(settings(data=data, graph=graph)) as folder:
        if verify:
            digest, size = _compare(folder)
            typer.echo(f"The graph equals a projection of all {size:,} entries.\ndigest {digest}")
        else:
            folder.store.clear()
            size = _project(folder, folder.store, "projecting")
            typer.echo(f"Projected {size:,} entries into {folder.store.name}.")


def _compare(folder: "DataDirectory") -> tuple[str, int]:
    """The digest of both, and how much of the log it covers. CheckFailedError where they differ.

    A server may go on projecting meanwhile: then both are compared again where they have come to.
    """
    from catalog.graph.digest import digest

    with _scratch(folder) as scratch:
        for _ in range(_ATTEMPTS):
            folder.project()
            before = folder.access.offset()
            _project(folder, scratch, "projecting beside it")
            held, again = digest(folder.store), digest(scratch)
            if folder.access.offset() == before == _offset(scratch):
                if held != again:
                    raise CheckFailedError(
                        f"the graph is not what the log says: its digest is {held}, projected again it is {again}",
                        "Run `lineward rebuild` to project it again, and please report this.",
                    )
                return held, before
    raise StaleProjectionError("The log grows faster than it can be compared.", "Stop the server for a moment.")


@contextmanager
def _scratch(folder: "DataDirectory") -> "Iterator[GraphStore]":
    """An empty embedded graph, whichever store is in use."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from catalog.composition import open_graph

    with TemporaryDirectory(prefix="lineward-") as name:
        store = open_graph(folder.settings.model_copy(update={"data": Path(name), "graph": "sqlite"}))
        try:
            yield store
        finally:
            store.close()


def _offset(store: "GraphStore") -> int:
    position = store.position()
    return position.offset if position else 0


def _project(folder: "DataDirectory", store: "GraphStore", what: str) -> int:
    """All entries into a store, with a bar on a terminal; the offset reached."""
    from catalog.composition import follower

    follow = follower(folder.settings, folder.log, store)
    with _bar(what, folder.log.size()) as advance:
        return follow.catch_up(advance)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    from catalog.commands.progress import bar

    with bar() as progress:
        task = progress.add_task(what, total=total)
        yield lambda offset: progress.update(task, completed=offset)
