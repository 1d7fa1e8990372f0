"""`lineward ingest`: events from files, folders and standard input into a log, through a server or directly."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BufferedReader
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.commands.failure import CheckFailedError
from catalog.commands.options import Data, Url, place, settings

if TYPE_CHECKING:
    from catalog.commands.sending import Door, FileReport
    from catalog.settings import Settings
    from ingest.files import Source

SHOWN = 20  # reasons of one file


def ingest(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Files and folders; - is standard input.")],
    url: Url = None,
    data: Data = None,
) -> None:
    """Load OpenLineage events: JSON, NDJSON, arrays, folders of them, gzipped or not.

    What is rejected keeps nothing else out, and what the log already has counts as duplicate.
    """
    from catalog.commands.sending import send
    from catalog.composition import limits
    from ingest.files import sources

    at_url, in_folder = place(context, url, data)
    configured = settings(data=in_folder)
    found = sources(paths, _standard_input())
    with _door(at_url, configured) as door, _progress(found) as advance:
        reports = [send(source, door, limits(configured), advance(source)) for source in found]
    _print(reports)
    _fail_if_rejected(reports)


def _standard_input() -> BufferedReader:
    """As bytes, with the reading ahead that telling gzip from text needs."""
    stdin: Any = sys.stdin.buffer
    return stdin if isinstance(stdin, BufferedReader) else BufferedReader(stdin)


def _door(url: str | None, configured: "Settings") -> "AbstractContextManager[Door]":
    from catalog.commands.sending import LogDoor, ServerDoor

    return LogDoor.open(configured) if url is None else ServerDoor.connect(url)


@contextmanager
def _progress(found: "list[Source]") -> "Iterator[Callable[[Source], Callable[[int], None]]]":
    """Bytes of all files, where every size is known; else the bar only says that something goes on."""
    from rich.progress import DownloadColumn

    from catalog.commands.progress import bar

    sizes = [source.size for source in found]
    known = [size for size in sizes if size is not None]
    done = 0

    def advance(source: "Source") -> Callable[[int], None]:
        nonlocal done
        before = done
        done += source.size or 0
        return lambda end: shown.update(task, completed=before + end)

    with bar(DownloadColumn()) as shown:
        task = shown.add_task("loading", total=sum(known) if len(known) == len(sizes) else None)
        yield advance


def _print(reports: "list[FileReport]") -> None:
    """One row a file, then the reasons. Names and reasons come from elsewhere: shown, never interpreted."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from catalog.rendering.legible import legible

    console = Console(highlight=False)
    table = Table("file", box=None, header_style="bold", pad_edge=False)
    for column in ("accepted", "duplicate", "rejected"):
        table.add_column(column, justify="right")
    for report in reports:
        counts = (report.accepted, report.duplicate, len(report.rejected))
        styles = ("green", "dim", "bold red")
        cells = [Text(f"{n:,}", style=style if n else "dim") for n, style in zip(counts, styles, strict=True)]
        table.add_row(Text(legible(report.path), overflow="fold"), *cells)
    console.print(table)
    for report in reports:
        for reason in _reasons(report):
            console.print(Text(legible(reason)), soft_wrap=True)


def _reasons(report: "FileReport") -> Iterator[str]:
    for where, reason in report.rejected[:SHOWN]:
        yield f"{report.path}{f', {where}' if where else ''}: {reason}"
    if len(report.rejected) > SHOWN:
        yield f"{report.path}: and {len(report.rejected) - SHOWN:,} more"


def _fail_if_rejected(reports: "list[FileReport]") -> None:
    rejected = sum(len(report.rejected) for report in reports)
    taken = sum(report.accepted + report.duplicate for report in reports)
    if rejected:
        raise CheckFailedError(
            f"{rejected:,} of {rejected + taken:,} documents were rejected",
            "Correct them and run the same command again: what was accepted then counts as duplicate.",
        )
