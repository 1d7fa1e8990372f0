"""`lineward restore`: a backup as a data folder again, once all of it has been checked."""

from pathlib import Path
from typing import Annotated

import typer

from catalog.commands.known_roots import Roots, known_roots


def restore(
    backup: Annotated[Path, typer.Argument(help="A folder that `lineward backup` made.", show_default=False)],
    data: Annotated[Path, typer.Argument(help="The data folder to make.", show_default=False)],
    root: Roots = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The key of an encrypted backup.", show_default=False)
    ] = None,
    erasures: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="What was erased since: the JSON of `lineward redact list`, or the old data folder.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check a backup from its first entry to its last, and make a data folder of it. The graph is projected again.

    What was erased after the backup was taken is in it: name the erasures, and it is erased again before anybody reads.
    """
    from catalog.commands.erased_again import erased_again, known_erasures
    from catalog.log.backup import restore as put_back
    from catalog.log.sealing import key_in

    known = known_erasures(erasures) if erasures is not None else []
    again: list[int] = []
    manifest, report = put_back(
        backup,
        data,
        known_roots(root),
        key=None if key is None else key_in(key),
        finish=lambda draft: again.extend(erased_again(draft, known)),
    )
    typer.echo(f"Restored {report.size:,} entries, as of {manifest.taken_at}, to {data}.")
    typer.echo(f"origin {manifest.origin}")
    typer.echo(f"root   {report.size}:{report.root.hex()}")
    if report.erased:
        typer.echo(f"erased {report.erased} bodies, provably in their places")
    if again:
        typer.echo(f"erased {len(again)} more, as was told, by entries that say so")
    if manifest.left_out:
        typer.echo(f"Not in the backup: {', '.join(manifest.left_out)}. Put them back before you serve it.", err=True)
