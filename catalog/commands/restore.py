"""`lineward restore`: a backup as a data folder again, once all of it has been checked."""

from pathlib import Path
from typing import Annotated

import typer

from catalog.commands.known_roots import Roots, known_roots


def restore(
    backup: Annotated[Path, typer.Argument(help="A folder that `lineward backup` made.", show_default=False)],
    data: Annotated[Path, typer.Argument(help="The data folder to make.", show_default=False)],
    root: Roots = None,
) -> None:
    """Check a backup from its first entry to its last, and make a data folder of it. The graph is projected again."""
    from catalog.log.backup import restore as put_back

    manifest, report = put_back(backup, data, known_roots(root))
    typer.echo(f"Restored {report.size:,} entries, as of {manifest.taken_at}, to {data}.")
    typer.echo(f"origin {manifest.origin}")
    typer.echo(f"root   {report.size}:{report.root.hex()}")
    if report.erased:
        typer.echo(f"erased {report.erased} bodies, provably in their places")
    if manifest.left_out:
        typer.echo(f"Not in the backup: {', '.join(manifest.left_out)}. Put them back before you serve it.", err=True)
