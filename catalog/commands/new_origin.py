"""`lineward new-origin`: a log that lost what it signed goes on, and says so."""

import time
from pathlib import Path
from typing import Annotated

import typer

from catalog.errors import InvalidInputError


def new_origin(
    old: Annotated[Path, typer.Argument(help="The data folder that was restored; it stays as it is.")],
    new: Annotated[Path, typer.Argument(help="The data folder to make.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is logged.")],
    actor: Annotated[str, typer.Option("--by", help="Who does this; it is logged.")] = "local",
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", help="The last checkpoint of the old log that anybody kept.", show_default=False),
    ] = None,
) -> None:
    """Let a restored log go on under a new origin, whose first entry names the old one.

    Only for a log that is shorter than what it signed: whoever holds its later checkpoints would rightly call every
    further entry a fork. Receipts of the old origin go on proving what they prove, with the old key.
    """
    from catalog.log.origin import succeed

    try:
        signed = None if checkpoint is None else checkpoint.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{checkpoint} cannot be read: {error.strerror}.", "Check the path.") from error
    made = succeed(old, new, actor=actor, reason=reason, now_us=time.time_ns() // 1000, signed=signed)
    typer.echo(f"{new} continues {made.predecessor.origin}, of which it has {made.predecessor.size:,} entries.")
    typer.echo(f"origin {made.origin}")
    typer.echo(f"size   {made.size}")
