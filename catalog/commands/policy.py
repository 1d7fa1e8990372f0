"""`lineward policy`: packs and bindings, from a file to being in force. Each heavier subcommand has its own module."""

from pathlib import Path
from typing import Annotated

import typer

from catalog.commands import reference
from catalog.commands.failure import USAGE
from catalog.commands.options import Data, Graph, Url, place

app = typer.Typer(
    name="policy",
    help="Policy packs: check, show and try them, bring them into force, see what is missing.",
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback(invoke_without_command=True)
def policy(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(USAGE)


@app.command(short_help="Compile packs and try their examples.")
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="YAML files, or names of built-in packs.")],
    examples: Annotated[bool, typer.Option(help="Try the examples beside each pack.")] = True,
) -> None:
    """Compile policy packs, bindings and waivers, and tell every mistake with its line and column.

    Of a pack, the examples in the folder `examples/NAME` beside it are tried: 0 all is well, 1 an example comes out
    otherwise, 2 a document is malformed.
    """
    from catalog.commands.policy_check import check_files

    check_files(files, examples)


@app.command("list", short_help="List the built-in packs.")
def list_(
    context: typer.Context,
    in_force: Annotated[bool, typer.Option("--in-force", help="What is in force at a server or in a folder.")] = False,
    at: Annotated[str | None, typer.Option(metavar="T", help="In force then.", show_default="now")] = None,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """List the packs that come with Lineward: status, certainty of their source, number of controls.

    With --in-force: the packs and bindings that two people brought into force, now or as of a time.
    """
    from catalog.commands.moment import micros_of
    from catalog.commands.policy_list import list_in_force, list_packs

    if in_force or at is not None:
        at_url, in_folder = place(context, url, data)
        list_in_force(micros_of("--at", at), as_json, at_url, in_folder, graph)
    else:
        list_packs(as_json)


@app.command(short_help="Show the controls of a pack.")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A built-in pack, or a YAML file.")],
    as_json: Json = False,
) -> None:
    """Show each control in plain words, with its source, what it reads, and who could send that."""
    from catalog.commands.policy_show import show_pack

    show_pack(name, as_json)


@app.command(short_help="Bring packs and bindings into force, by two people.")
def apply(
    context: typer.Context,
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE…", help="YAML files, or names of what is built in.")
    ] = None,
    confirm: Annotated[
        str | None, typer.Option(metavar="ID", help="Agree to somebody else's proposal.", show_default=False)
    ] = None,
    retire: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Propose to end it; repeatable.", show_default=False)
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the log.", show_default=False)] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Propose packs and bindings, or the end of some, or confirm what another person proposed.

    What is proposed changes nothing until a second person confirms it. `starter` is a binding to begin with.
    """
    from catalog.commands.policy_apply import apply_documents

    at_url, in_folder = place(context, url, data)
    apply_documents(files or [], confirm, retire or [], reason, yes, as_json, at_url, in_folder, graph)


@app.command("test", short_help="Try a pack on the whole catalog.")
def try_(
    context: typer.Context,
    pack: Annotated[str, typer.Argument(metavar="PACK", help="A YAML file, a built-in pack, or one in force.")],
    at: Annotated[str | None, typer.Option(metavar="T", help="As of a time or date.", show_default="now")] = None,
    environment: Annotated[
        str | None, typer.Option("--env", metavar="ENV", help="With the params of its bindings.", show_default=False)
    ] = None,
    latest: Annotated[bool, typer.Option("--latest", help="Only the latest version of each model.")] = False,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a line a verdict.")] = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Evaluate a pack on every model version, and compare with the pack of that name in force.

    The exit code is 1 where something would newly fail, or be newly unknown. Waivers are left out on both sides.
    """
    from catalog.commands.moment import micros_of
    from catalog.commands.policy_test import try_pack

    at_url, in_folder = place(context, url, data)
    try_pack(pack, micros_of("--at", at), environment, latest, as_json, as_csv, at_url, in_folder, graph)


@app.command(short_help="See what is missing, and who could send it.")
def gaps(
    context: typer.Context,
    shorthand: reference.Shorthand = None,
    id: reference.Id = None,  # noqa: A002 - the name of the option
    namespace: reference.Namespace = None,
    model: reference.Model = None,
    dataset: reference.Dataset = None,
    job: reference.Job = None,
    version: reference.Version = None,
    run: reference.Run = None,
    pack: Annotated[
        list[str] | None, typer.Option(help="Whose fields; repeatable.", show_default="base-ml-governance")
    ] = None,
    environment: Annotated[
        str | None, typer.Option("--env", metavar="ENV", help="The packs of its bindings.", show_default=False)
    ] = None,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """List each field that a control needs and nobody has sent: who could, and a snippet to paste."""
    from catalog.commands.policy_gaps import show_gaps

    named = reference.Reference(shorthand, id, namespace, model, dataset, job, None, version, run)
    named.node()
    at_url, in_folder = place(context, url, data)
    show_gaps(named, pack or [], environment, as_json, at_url, in_folder, graph)


@app.command(short_help="Accept today's findings until a date.")
def baseline(
    context: typer.Context,
    binding: Annotated[str, typer.Option(help="Name of the binding.")],
    until: Annotated[str, typer.Option(metavar="T", help="After 12h, 90d or 4w, or at a time.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Propose to accept what fails or is not known today under a binding, so that it stops only what is new.

    A second person confirms with `policy apply --confirm`.
    """
    from catalog.commands.moment import instant_of
    from catalog.commands.policy_baseline import propose_baseline

    at_url, in_folder = place(context, url, data)
    propose_baseline(binding, instant_of("--until", until), yes, as_json, at_url, in_folder, graph)
