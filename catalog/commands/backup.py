"""`lineward backup`: a copy of a data folder, taken while its server runs."""

from pathlib import Path
from typing import Annotated

import typer

from catalog.commands.options import Data, settings


def backup(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.", show_default=False)],
    data: Data = None,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Copy the secret keys, too: keep such a backup as you keep them.")
    ] = False,
) -> None:
    """Copy the log as of one moment, with a manifest of size, root and digests. The server goes on writing."""
    from catalog.log.backup import take

    manifest = take(settings(data=data).data, target, with_keys=with_keys)
    held = sum(file.bytes for file in manifest.files)
    typer.echo(f"Backed up {manifest.size:,} entries, {held:,} bytes, to {target}.")
    typer.echo(f"origin {manifest.origin}")
    typer.echo(f"root   {manifest.size}:{manifest.root}")
    if manifest.left_out:
        typer.echo(f"Not in it: {', '.join(manifest.left_out)}. Keep them elsewhere, or use --with-keys.", err=True)
