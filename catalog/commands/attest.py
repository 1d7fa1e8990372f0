"""`lineward attest`: a person's typed statement about a node, with an end."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.commands import reference
from catalog.commands.acts import Json, Reason, Revoke, Yes
from catalog.commands.options import Data, Graph, Url, place

if TYPE_CHECKING:
    from policies.statements import StatementType


def attest(
    context: typer.Context,
    shorthand: reference.Shorthand = None,
    id: reference.Id = None,  # noqa: A002 - the name of the option
    namespace: reference.Namespace = None,
    model: reference.Model = None,
    dataset: reference.Dataset = None,
    job: reference.Job = None,
    version: reference.Version = None,
    run: reference.Run = None,
    type: Annotated[  # noqa: A002
        str | None, typer.Option(help="What kind of statement: see --types.", show_default=False)
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A property; repeat a key for a list, dots go deeper.",
            show_default=False,
        ),
    ] = None,
    statement: Annotated[
        str | None, typer.Option(metavar="FILE", help="JSON of the statement: a file, - or {…}.", show_default=False)
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="After 12h, 90d or 52w, or at a time.", show_default=False)
    ] = None,
    effective: Annotated[str | None, typer.Option(help="Since when it holds.", show_default="now")] = None,
    document: Annotated[
        Path | None, typer.Option(help="The document behind it: its digest is bound.", show_default=False)
    ] = None,
    document_uri: Annotated[str | None, typer.Option(help="Where that document lies.", show_default=False)] = None,
    role: Annotated[
        str | None, typer.Option(help="The role in which you speak: one of your key's.", show_default=False)
    ] = None,
    types: Annotated[bool, typer.Option("--types", help="List the types with their properties.")] = False,
    reason: Reason = None,
    revoke: Revoke = None,
    yes: Yes = False,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """State something that no producer sends, or withdraw a statement with --revoke."""
    from catalog.commands.acts import agree, only, required, tell_facts, tell_standing
    from catalog.commands.governing import opened, target_of
    from catalog.commands.moment import instant_of
    from catalog.commands.statement_values import digest_of, given
    from policies.request import AttestRequest, RevokeRequest
    from policies.statements import statement_type

    if types:
        _list_types(as_json)
        return
    at_url, in_folder = place(context, url, data)
    if revoke is not None:
        only("--revoke", ("REF", shorthand or id or model), ("--type", type), ("--set", set_), ("--expires", expires))
        why = required("--reason", reason, "Say why it is withdrawn.")
        with opened(at_url, in_folder, graph, writing=True) as governing:
            tell_standing(governing.revoke_attestation(RevokeRequest(revoke, why)), "attestation", as_json)
        return
    named = reference.Reference(shorthand, id, namespace, model, dataset, job, None, version, run)
    named.node()
    kind = statement_type(required("--type", type, "`lineward attest --types` lists them."))
    said = given(kind, set_ or (), statement)
    end = instant_of("--expires", required("--expires", expires, "A statement has an end: 365d, or a time."))
    since = None if effective is None else instant_of("--effective", effective)
    digest = None if document is None else digest_of(document)
    with opened(at_url, in_folder, graph, writing=True) as governing:
        request = AttestRequest(target_of(named, governing), kind.name, said, end, digest, document_uri, role, since)
        tell_facts("You state:", _facts(kind, request))
        agree("State this?", yes)
        tell_standing(governing.attest(request), "attestation", as_json)


def _facts(kind: "StatementType", request: Any) -> list[tuple[str, str]]:
    import json

    facts = [("type", f"{kind.name}: {kind.meaning}")]
    facts += [(name, json.dumps(value, ensure_ascii=False)) for name, value in request.statement.items()]
    facts += [("document", request.document_digest)] if request.document_digest else []
    return [*facts, ("until", request.expires_at)]


def _list_types(as_json: bool) -> None:
    from catalog.commands.acts import print_json
    from catalog.commands.statement_values import properties_of
    from policies.statements import STATEMENTS

    kinds = list(STATEMENTS.values())
    if as_json:
        print_json([_described(kind) for kind in kinds])
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from catalog.commands.lineage import UNWRAPPED

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = UNWRAPPED
    table = Table("type", "about", "properties (* has to be said)", "meaning", box=None, pad_edge=False)
    for kind in kinds:
        about = ", ".join(sorted(each.value.lower().replace("_", " ") for each in kind.targets))
        cells = (kind.name, about, properties_of(kind), kind.meaning)
        table.add_row(*(Text(cell, overflow="fold") for cell in cells))
    console.print(table)
    typer.echo("Any other word in lower_snake_case is a type of your own, with a summary.")


def _described(kind: "StatementType") -> dict[str, Any]:
    from catalog.commands.statement_values import properties_of

    return {
        "type": kind.name,
        "about": sorted(each.value for each in kind.targets),
        "properties": properties_of(kind),
        "meaning": kind.meaning,
    }
