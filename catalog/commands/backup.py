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
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Encrypt it with the key in this file, made where it is missing.", show_default=False
        ),
    ] = None,
) -> None:
    """Copy the log as of one moment, with a manifest of size, root and digests. The server goes on writing.

    The data folder keeps a list of backups, so that an erasure tells which of them still hold what was erased. To
    destroy the key of an encrypted one erases it, wherever its copies are: keep keys apart from backups, one for each.
    """
    from catalog.log.backup import take
    from catalog.log.backup_register import note
    from catalog.log.sealing import fingerprint, key_in_or_new

    folder = settings(data=data).data
    secret = None if key is None else key_in_or_new(key)
    manifest = take(folder, target, with_keys=with_keys, key=secret)
    note(folder, manifest, target)
    held = sum(file.bytes for file in manifest.files)
    typer.echo(f"Backed up {manifest.size:,} entries, {held:,} bytes, to {target}.")
    typer.echo(f"origin {manifest.origin}")
    typer.echo(f"root   {manifest.size}:{manifest.root}")
    if secret is not None:
        typer.echo(f"key    {fingerprint(secret)[:16]}… in {key}")
    if manifest.left_out:
        typer.echo(f"Not in it: {', '.join(manifest.left_out)}. Keep them elsewhere, or use --with-keys.", err=True)
