"""`lineward serve`: the server, until it is told to stop."""

import gc
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.commands.options import Data, Graph, settings

if TYPE_CHECKING:
    from catalog.settings import Settings


_OPEN = "open: no credentials are configured, so only this machine can connect"


def serve(
    data: Data = None,
    host: Annotated[
        str | None, typer.Option(envvar="LINEWARD_HOST", help="Address to listen on.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None, typer.Option(envvar="LINEWARD_PORT", help="Port; 0 takes a free one.", show_default="8765")
    ] = None,
    graph: Graph = None,
) -> None:
    """Take events, project them, and answer: ingest, GraphQL and health on one port."""
    gc.disable()  # until all is loaded: what modules are made of is no garbage, and looking for some takes 0.2 s
    configured = settings(data=data, host=host, port=port, graph=graph)
    from catalog.server import run

    run(configured, lambda url: _announce(configured, url))


def _announce(configured: "Settings", url: str) -> None:
    """On standard error, for people; what happens from then on is in the structured log."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from catalog.rendering.legible import legible
    from catalog.server import has_credentials

    lines = [
        ("listening", url),
        ("data", str(configured.data.absolute())),
        ("graph", configured.graph),
        ("access", "credentials are asked for" if has_credentials(configured) else _OPEN),
    ]
    table = Table.grid(padding=(0, 2))
    for name, value in lines:
        table.add_row(Text(name, style="bold"), Text(legible(value), overflow="fold"))
    Console(stderr=True, highlight=False).print(table)
