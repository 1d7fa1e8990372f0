"""Roots that somebody kept elsewhere, as options of a command."""

import re
from collections.abc import Iterable
from typing import Annotated

import typer

from catalog.errors import InvalidInputError

_ROOT = re.compile("(?P<size>[0-9]{1,19}):(?P<root>[0-9a-fA-F]{64})")

Roots = Annotated[
    list[str] | None,
    typer.Option("--root", help="A root kept elsewhere, as SIZE:HEX; repeatable.", show_default=False),
]


def known_roots(given: Iterable[str] | None) -> dict[int, bytes]:
    """Size -> root. InvalidInputError for what is no root, and for two roots of one size."""
    known: dict[int, bytes] = {}
    for text in given or ():
        match = _ROOT.fullmatch(text)
        if match is None:
            raise InvalidInputError(
                f"--root {text} is no root", "Write it as `backup` and `verify` print it, SIZE:HEX."
            )
        size, root = int(match["size"]), bytes.fromhex(match["root"])
        if known.setdefault(size, root) != root:
            raise InvalidInputError(f"--root names two roots of size {size}", "One of them is of another log.")
    return known
