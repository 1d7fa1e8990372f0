"""`lineward export`: the log as a folder of files that any tool for transparency logs reads."""

from pathlib import Path
from typing import Annotated

import typer

from catalog.commands.options import Data, settings


def export(
    folder: Annotated[Path, typer.Argument(help="A new or an empty folder.", show_default=False)],
    bodies: Annotated[bool, typer.Option(help="Export what was sent too, not only proofs that it was.")] = True,
    data: Data = None,
) -> None:
    """Write the log as tiles (C2SP tlog-tiles) under a signed checkpoint; `lineward verify` checks it offline."""
    from catalog.log.checkpoint_settings import checkpoint_log
    from catalog.log.export import write_export
    from catalog.log.reader import LogReader

    source = settings(data=data).data
    with LogReader.open(source) as log:
        checkpoints = checkpoint_log(source, log, lambda warning: typer.echo(warning, err=True))
        signed = checkpoints.current()
        write_export(log, signed, folder, bodies=bodies)
    typer.echo(f"Exported {signed.checkpoint.size:,} entries to {folder}.")
    typer.echo(f"root {signed.checkpoint}")
    typer.echo(f"key  {checkpoints.key}")
