"""`lineward lineage`: where something comes from, or what comes from it."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.commands import reference
from catalog.commands.options import Data, Graph, Url, place
from catalog.errors import InvalidInputError
from catalog.model import Direction, Grain

if TYPE_CHECKING:
    from catalog.model import LineageGraph
    from catalog.rendering.snapshot import Snapshot


class Format(StrEnum):
    TREE = "tree"
    JSON = "json"
    DOT = "dot"
    MERMAID = "mermaid"
    SVG = "svg"


UNWRAPPED = 1 << 20  # columns, where nobody looks at a screen
_SUFFIXES = {".json": Format.JSON, ".dot": Format.DOT, ".gv": Format.DOT, ".mmd": Format.MERMAID, ".svg": Format.SVG}


def lineage(
    context: typer.Context,
    shorthand: reference.Shorthand = None,
    id: reference.Id = None,  # noqa: A002 - the name of the option
    namespace: reference.Namespace = None,
    model: reference.Model = None,
    dataset: reference.Dataset = None,
    job: reference.Job = None,
    column: reference.Column = None,
    version: reference.Version = None,
    run: reference.Run = None,
    direction: Annotated[Direction, typer.Option(help="Where to walk.", case_sensitive=False)] = Direction.UPSTREAM,
    depth: Annotated[int, typer.Option(help="Most hops; a hop is one run or job.", min=1, max=100)] = 5,
    grain: Annotated[
        Grain, typer.Option(help="Jobs and datasets, runs and versions, or columns.", case_sensitive=False)
    ] = Grain.RUN,
    limit: Annotated[int, typer.Option(help="Most nodes.", min=1, max=10_000)] = 500,
    history: Annotated[bool, typer.Option("--history", help="Add what earlier writes left in the data.")] = False,
    valid: Annotated[
        str | None, typer.Option(help="What was true at this time (RFC 3339, or a date).", show_default=False)
    ] = None,
    known: Annotated[
        int | None, typer.Option(help="What the log held at this size.", min=0, show_default=False)
    ] = None,
    form: Annotated[Format | None, typer.Option("--format", help="tree unless the output's name says.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write instead.", show_default=False)
    ] = None,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Draw where a model, dataset, run or column comes from, or what comes from it."""
    from catalog.commands.catalogue import meant, opened
    from catalog.model import AsOf
    from catalog.reading import Walk

    named = reference.Reference(shorthand, id, namespace, model, dataset, job, column, version, run)
    named.node()  # a mistake in the reference comes before a server that does not answer
    as_of = AsOf(_micros(valid), known)
    at_url, in_folder = place(context, url, data)
    with opened(at_url, in_folder, graph) as catalogue:
        walk = Walk(direction, depth, grain, limit, history=history)
        answer, snapshot = catalogue.lineage(meant(named, catalogue), walk, as_of)
    form = form or _SUFFIXES.get(output.suffix.lower() if output else "", Format.TREE)
    if form is Format.TREE:
        _print_tree(answer, direction, output)
    else:
        _write(_rendered(form, answer, snapshot), output)


def _micros(valid: str | None) -> int | None:
    """µs of a time with its zone; a date is its first instant in UTC."""
    from catalog import rfc3339

    if valid is None:
        return None
    try:
        return rfc3339.parse(f"{valid}T00:00:00Z" if len(valid) == 10 else valid)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"--valid {valid} is no time: {error}", "Write 2026-03-01, or 2026-03-01T12:00:00Z with its zone."
        ) from error


def _rendered(form: Format, answer: "LineageGraph", snapshot: "Snapshot") -> str:
    match form:
        case Format.JSON:
            from catalog.rendering.json_document import json_document

            return json_document(answer, snapshot)
        case Format.DOT:
            from catalog.rendering.dot import dot

            return dot(answer)
        case Format.MERMAID:
            from catalog.rendering.mermaid import mermaid

            return mermaid(answer)
        case _:
            from catalog.rendering.svg import svg

            return svg(answer, snapshot)


def _print_tree(answer: "LineageGraph", direction: Direction, output: Path | None) -> None:
    """For a terminal in its width and colours; else one line a node, however long."""
    from io import StringIO

    from rich.console import Console

    from catalog.rendering.tree import lineage_tree

    console = Console(highlight=False, file=StringIO() if output else None)
    if not console.is_terminal:
        console.width = UNWRAPPED
    console.print(lineage_tree(answer, direction))
    if output:
        assert isinstance(console.file, StringIO)
        _write(console.file.getvalue(), output)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"{output} cannot be written: {error.strerror}", "Name another file.") from error
