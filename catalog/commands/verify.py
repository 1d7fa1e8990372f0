"""`lineward verify`: an offline check of what somebody holds in their hands."""

import re
from pathlib import Path
from typing import Annotated

import typer

from catalog.errors import InvalidInputError

_ROOT = re.compile("[0-9a-fA-F]{64}")


def verify(
    path: Annotated[Path, typer.Argument(help="A data folder, at rest or in use.", show_default=False)],
    root: Annotated[
        list[str] | None,
        typer.Option("--root", help="A root kept elsewhere, as SIZE:HEX; repeatable.", show_default=False),
    ] = None,
) -> None:
    """Recompute the log of a data folder from its first entry and compare it with itself, and with known roots."""
    from catalog.log.audit import check
    from catalog.log.reader import LogReader

    known = dict(_known(each) for each in root or ())
    with LogReader.open(path) as reader:
        report = check(reader, known)
        origin = reader.origin
    typer.echo(f"The log agrees with itself{' and with the roots given' if known else ''}.")
    typer.echo(f"origin {origin}")
    typer.echo(f"root   {report.size}:{report.root.hex()}")
    if report.erased:
        typer.echo(f"erased {report.erased} bodies, provably in their places")


def _known(text: str) -> tuple[int, bytes]:
    size, _, root = text.partition(":")
    if not (size.isdecimal() and _ROOT.fullmatch(root)):
        raise InvalidInputError(f"--root {text} is no root", "Write it as `verify` prints it, SIZE:HEX.")
    return int(size), bytes.fromhex(root)
