"""`lineward keys`: who may do what, and who is who."""

import json
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.commands.options import Data, Url, place
from catalog.errors import InvalidInputError

if TYPE_CHECKING:
    from catalog.commands.keyring import Described

_DURATION = re.compile(r"(\d{1,5})([hdw])", re.ASCII)
_SECONDS = {"h": 3600, "d": 86400, "w": 7 * 86400}

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `keys list` shows it.")]

app = typer.Typer(
    name="keys",
    help="Make, list, confirm and revoke API keys, and say who is who.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(short_help="Make a key; it is printed once.")
def create(
    context: typer.Context,
    owner: Annotated[str, typer.Option(help="The person who answers for it, like ann@example.org.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do; repeatable.", show_default=False, metavar="SCOPE")
    ] = None,
    namespace: Annotated[
        list[str] | None, typer.Option(help="Where: a glob; repeatable.", show_default="*", metavar="GLOB")
    ] = None,
    role: Annotated[list[str] | None, typer.Option(help="A role of the owner; repeatable.", show_default=False)] = None,
    expires: Annotated[
        str | None, typer.Option(help="After 12h, 90d or 4w, or at an RFC 3339 time.", show_default="never")
    ] = None,
    bootstrap: Annotated[
        bool, typer.Option("--bootstrap", help="Make a folder's first key, which administers.")
    ] = False,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
) -> None:
    """Make an API key. Only this once is it shown: on standard output, all else on standard error.

    Scopes: ingest:write, lineage:read, policy:read, policy:write, policy:evaluate, approve, waive, attest, redact,
    audit:read, admin. A key that lets somebody else approve, waive or redact counts once a second administrator
    confirmed it.
    """
    at_url, in_folder = place(context, url, data)
    if bootstrap and at_url is not None:
        raise InvalidInputError("--bootstrap makes the first key of a folder", "Use --data, before the server starts.")
    wanted: dict[str, Any] = {"owner": owner, "scopes": scope or (["admin"] if bootstrap else [])}
    if namespace:
        wanted["namespaces"] = namespace
    if role:
        wanted["roles"] = role
    if expires is not None:
        wanted["expiresAt"] = _instant(expires)
    from catalog.commands.keyring import first_key, opened

    with first_key(in_folder) if bootstrap else opened(at_url, in_folder) as keyring:
        key, secret = keyring.create(wanted)
    if as_json:
        _print_json({"key": key, "secret": secret})
    else:
        typer.echo(secret)
        _describe(key)


@app.command("list", short_help="List every key that was made.")
def list_(context: typer.Context, as_json: Json = False, url: Url = None, data: Data = None) -> None:
    """List every key that was ever made, with its owner, scopes and state; never the keys themselves."""
    from catalog.commands.keyring import opened

    at_url, in_folder = place(context, url, data)
    with opened(at_url, in_folder, reading=True) as keyring:
        found = keyring.list()
    if as_json:
        _print_json(found)
    else:
        _print_table(found)


@app.command(short_help="Let a key count no longer.")
def revoke(
    context: typer.Context,
    key: KeyId,
    reason: Annotated[str | None, typer.Option(help="Why, for the log.", show_default=False)] = None,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
) -> None:
    """Revoke a key, for good. Administrators may, and the key's owner."""
    from catalog.commands.keyring import opened

    at_url, in_folder = place(context, url, data)
    with opened(at_url, in_folder) as keyring:
        _show(keyring.revoke(key, reason), as_json)


@app.command(short_help="Agree to a key that lets somebody approve, waive or redact.")
def confirm(context: typer.Context, key: KeyId, as_json: Json = False, url: Url = None, data: Data = None) -> None:
    """Confirm a pending key, as an administrator who is not the person that made it."""
    from catalog.commands.keyring import opened

    at_url, in_folder = place(context, url, data)
    with opened(at_url, in_folder) as keyring:
        _show(keyring.confirm(key), as_json)


@app.command(short_help="Say whose an address or a sign-in is.")
def identify(
    context: typer.Context,
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="email:ADDRESS or oidc:ISSUER#SUBJECT.")],
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The person, like ann@example.org.")],
    url: Url = None,
    data: Data = None,
) -> None:
    """Map a commit's e-mail address, or a subject of an issuer, to a person. The last word on an alias counts.

    Where somebody else administers too, it waits until one of them says the same.
    """
    from catalog.commands.keyring import opened
    from catalog.rendering.legible import legible

    at_url, in_folder = place(context, url, data)
    with opened(at_url, in_folder) as keyring:
        found = keyring.identify(alias, person)
    said = f"{found.alias} is {found.person}"
    typer.echo(legible(f"{said}, once another administrator says so too" if found.pending else said))


def _instant(expires: str) -> str:
    """RFC 3339 of an option."""
    from catalog import instant, rfc3339
    from catalog.log.writer import microseconds_now

    duration = _DURATION.fullmatch(expires)
    try:
        if duration is None:
            return rfc3339.canonical(expires)
        seconds = int(duration[1]) * _SECONDS[duration[2]]
        return instant.text(microseconds_now() + seconds * instant.SECOND)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"--expires {expires} is no time: {error}", "Write 90d, 12h or 4w, or a time like 2027-01-31T00:00:00Z."
        ) from error


def _show(key: "Described", as_json: bool) -> None:
    if as_json:
        _print_json(key)
    else:
        _print_table([key])


def _print_json(content: Any) -> None:
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _describe(key: "Described") -> None:
    """What was made, beside the key itself: a script takes standard output."""
    from catalog.rendering.legible import legible

    lines = [f"{key['state']}: key {key['id']} of {key['owner']}; keep it now, it is not shown again"]
    if key["state"] == "PENDING":
        lines.append(f"it counts once another administrator runs `lineward keys confirm {key['id']}`")
    for line in lines:
        typer.echo(legible(line), err=True)


def _print_table(keys: "list[Described]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from catalog.rendering.legible import legible

    table = Table("id", "owner", "state", "scopes", "namespaces", "roles", "expires", box=None, pad_edge=False)
    for key in keys:
        cells = (
            key["id"],
            key["owner"],
            key["state"],
            " ".join(key["scopes"]),
            " ".join(key["namespaces"]),
            " ".join(key["roles"]),
            key["expiresAt"] or "never",
        )
        table.add_row(*(Text(legible(str(cell)), overflow="fold") for cell in cells))
    Console(highlight=False).print(table)
