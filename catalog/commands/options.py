"""Options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.errors import InvalidInputError

if TYPE_CHECKING:
    from catalog.settings import Settings

Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="LINEWARD_DATA", help="Data folder.", show_default=False, metavar="DIR"),
]
Url = Annotated[
    str | None,
    typer.Option("--url", envvar="LINEWARD_URL", help="A running server.", show_default=False, metavar="URL"),
]
Graph = Annotated[
    str | None,
    typer.Option("--graph", envvar="LINEWARD_GRAPH", help="`sqlite`, or neo4j://HOST:7687.", show_default=False),
]


def settings(**given: Any) -> "Settings":
    """Flags first, then LINEWARD_* variables, then defaults. InvalidInputError names the setting that is wrong."""
    from pydantic import ValidationError

    from catalog.settings import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"])
        raise InvalidInputError(
            f"the setting {name} is wrong: {first['msg']}", f"correct --{name} or LINEWARD_{name.upper()}"
        ) from error


def place(context: typer.Context, url: str | None, data: Path | None) -> tuple[str | None, Path | None]:
    """The one of --url and --data that counts: a flag before a variable. InvalidInputError for two flags."""
    if url is None or data is None:
        return url, data
    flags = [name for name in ("url", "data") if _is_flag(context, name)]
    if flags == ["data"]:
        return None, data
    if flags == ["url"] or not flags:
        return url, None
    raise InvalidInputError("both --url and --data are given", "ask a server, or open a folder that no server holds")


def _is_flag(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
