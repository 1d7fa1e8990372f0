"""`lineward redact`: find what is to be erased, ask for it, and let a second person do it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.commands.acts import Json, Reason, Yes
from catalog.commands.options import Data, Graph, Url, place

if TYPE_CHECKING:
    from catalog.commands.erasing import Described

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Erase what people wrote into the log: found by one person, asked for, and done by a second one.",
)

Proposal = Annotated[str, typer.Argument(metavar="ID", help="Id of the proposal.", show_default=False)]
Entries = Annotated[
    list[str] | None, typer.Argument(metavar="SEQ…", help="Positions of the log: 3, 7-9.", show_default=False)
]
Why = Annotated[
    str | None, typer.Option("--reason", help="Why, without the words that are to go: it stays.", show_default=False)
]


@app.command("find", short_help="List entries that hold some words.")
def find(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="The words; - reads them from standard input.", show_default=False)],
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """List the entries whose bodies hold some words, in any case: events, acts, and evidence frozen with decisions.

    A shell keeps what is typed: words that nobody is to find again are better read with -.
    """
    from catalog.commands.acts import print_json
    from catalog.commands.erasing import opened

    at_url, in_folder = place(context, url, data)
    wanted = typer.get_text_stream("stdin").readline().rstrip("\n") if text == "-" else text
    with opened(at_url, in_folder, graph) as erasing:
        found = list(erasing.find(wanted))
    if as_json:
        print_json(found)
        return
    for each in found:
        _tell_match(each)
    _echo(f"{_counted(len(found), 'entry', 'entries')} found.")
    if found:
        _echo("Ask a second person to erase them:  lineward redact propose SEQ… --reason … --basis …")


@app.command("propose", short_help="Ask a second person to erase entries.")
def propose(
    context: typer.Context,
    entries: Entries = None,
    concerns: Annotated[
        list[str] | None,
        typer.Option(
            "--concerns",
            metavar="ID",
            help="A dataset whose rows were erased elsewhere; repeatable.",
            show_default=False,
        ),
    ] = None,
    reason: Why = None,
    basis: Annotated[
        str | None, typer.Option(help="Ground in law, as in 'GDPR Art. 17(1)(b)'.", show_default=False)
    ] = None,
    keep: Annotated[
        str, typer.Option(metavar="structure|nothing", help="What stays so that lineage can still be walked.")
    ] = "structure",
    yes: Yes = False,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Ask a second person with the scope redact to erase entries of the log. Nothing is erased yet."""
    from catalog.commands.acts import agree, place_options, required, tell_facts
    from catalog.commands.erasing import opened
    from catalog.erasure.eraser import Wanted, numbered
    from catalog.errors import InvalidInputError

    at_url, in_folder = place(context, url, data)
    if keep not in ("structure", "nothing"):
        raise InvalidInputError(f"--keep {keep} means nothing", "Write structure or nothing.")
    wanted = Wanted(
        required("--reason", reason, "Say why."),
        required("--basis", basis, "Name the ground in law."),
        numbered(entries or ()),
        tuple(concerns or ()),
        "structure" if keep == "structure" else "nothing",
    )
    facts = [
        ("entries", ", ".join(entries or ()) or "none"),
        ("concerns", ", ".join(wanted.concerns) or "none"),
        ("keeps", wanted.keep),
        ("basis", wanted.basis),
    ]
    tell_facts("You propose to erase:", facts)
    agree("Propose this?", yes)
    with opened(at_url, in_folder, graph, writing=True) as erasing:
        _tell(erasing.propose(wanted), as_json, place_options(at_url, in_folder))


@app.command("confirm", short_help="Erase what somebody else proposed.")
def confirm(
    context: typer.Context,
    proposal: Proposal,
    yes: Yes = False,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Erase what somebody else proposed: bodies and salts are gone when this returns, and cannot be had back."""
    from catalog.commands.acts import agree, tell_facts
    from catalog.commands.erasing import opened

    at_url, in_folder = place(context, url, data)
    with opened(at_url, in_folder, graph, writing=True) as erasing:
        asked = _chosen(erasing.all(), proposal)
        tell_facts("You erase:", _facts(asked))
        agree("Erase this for good?", yes)
        _tell(erasing.confirm(asked["id"]), as_json)


@app.command("decline", short_help="Say no to a proposal, or withdraw your own.")
def decline(
    context: typer.Context,
    proposal: Proposal,
    reason: Reason = None,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Say no to a proposal; your own is withdrawn."""
    from catalog.commands.acts import required
    from catalog.commands.erasing import opened

    at_url, in_folder = place(context, url, data)
    why = required("--reason", reason, "Say why not.")
    with opened(at_url, in_folder, graph, writing=True) as erasing:
        _tell(erasing.decline(proposal, why), as_json)


@app.command("list", short_help="Erasures that were asked for, and holds.")
def list_all(
    context: typer.Context,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """List all erasures, the latest first, and the holds that stand. The JSON is what `restore --erasures` reads."""
    from catalog.commands.acts import print_json
    from catalog.commands.erasing import opened

    at_url, in_folder = place(context, url, data)
    with opened(at_url, in_folder, graph) as erasing:
        found, holds = erasing.all(), erasing.holds()
    if as_json:
        print_json({"erasures": found, "holds": holds})
        return
    for each in found:
        what = _counted(len(each["entries"]), "entry", "entries")
        _echo(f"{each['state']:<9}  {each['id']}  {each['proposedAt'][:10]}  {what}, {each['basis']}: {each['reason']}")
    for each in holds:
        until = f" until {each['until']}" if each["until"] else ""
        _echo(f"HELD       {each['id']}  {each['since'][:10]}{until}  {_held(each)}: {each['reason']}")
    if not found and not holds:
        _echo("Nobody has asked for an erasure.")


@app.command("show", short_help="One erasure.")
def show(
    context: typer.Context,
    proposal: Proposal,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Show one erasure: who asked, who agreed, which entries, and what rested on them."""
    from catalog.commands.acts import print_json
    from catalog.commands.erasing import opened

    at_url, in_folder = place(context, url, data)
    with opened(at_url, in_folder, graph) as erasing:
        found = _chosen(erasing.all(), proposal)
    if as_json:
        print_json(found)
        return
    _echo(f"{found['state']}  {found['id']}")
    facts = list(_facts(found))
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        _echo(f"  {name:<{width}}  {value}")


@app.command("hold", short_help="Forbid to erase something.")
def hold(
    context: typer.Context,
    entries: Entries = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Everything in such namespaces; repeatable.", show_default=False),
    ] = None,
    node: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="What speaks of a node; repeatable.", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="After 12h, 90d or 4w, or at a time.", show_default="until it is released")
    ] = None,
    reason: Reason = None,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Forbid to erase entries, as for a lawsuit, until a time or a release."""
    from catalog.commands.acts import print_json, required
    from catalog.commands.erasing import opened
    from catalog.commands.moment import instant_of
    from catalog.erasure.eraser import numbered

    at_url, in_folder = place(context, url, data)
    why = required("--reason", reason, "Say why.")
    end = None if until is None else instant_of("--until", until)
    with opened(at_url, in_folder, graph, writing=True) as erasing:
        held = erasing.hold(why, namespace or (), node or (), numbered(entries or ()), end)
    if as_json:
        print_json(held)
    else:
        _echo(f"HELD  {held['id']}  {_held(held)}")


@app.command("release", short_help="End a hold.")
def release(
    context: typer.Context,
    hold_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the hold.", show_default=False)],
    reason: Reason = None,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """End a hold."""
    from catalog.commands.acts import required
    from catalog.commands.erasing import opened

    at_url, in_folder = place(context, url, data)
    why = required("--reason", reason, "Say why.")
    with opened(at_url, in_folder, graph, writing=True) as erasing:
        erasing.release(hold_id, why)
    _echo(f"RELEASED  {hold_id}")


# Telling ---------------------------------------------------------------------------------------------------------


def _tell(found: "Described", as_json: bool, place: Iterable[str] = ()) -> None:
    from shlex import join

    from catalog.commands.acts import print_json

    if as_json:
        print_json(found)
        return
    if found["state"] == "OPEN":
        _echo(f"PROPOSED  {found['id']} by {found['proposedBy']}: nothing is erased yet")
        _echo("A second person erases it:")
        _echo(f"  {join(['lineward', 'redact', 'confirm', found['id'], *place])}")
        return
    _echo(f"{found['state']}  {found['id']}, proposed by {found['proposedBy']}, answered by {found['endedBy']}")
    if found["erasedAt"] is not None:
        _echo(f"{_counted(len(found['entries']), 'body', 'bodies')} gone; entry {found['erasedAt']} says so.")
    for warning in found["warnings"]:
        _echo(f"still elsewhere: {warning}")


def _tell_match(found: "Described") -> None:
    kept = f"  cannot be erased: {found['stays']}" if found["stays"] else ""
    _echo(f"{found['seq']:>8}  {found['recorded'][:19]}Z  {found['type'].lower():<11}  {found['about']}{kept}")
    for pointer in found["where"]:
        _echo(f"          {pointer}")


def _facts(found: "Described") -> Iterable[tuple[str, str]]:
    yield "entries", ", ".join(str(each["seq"]) for each in found["entries"]) or "none"
    if found["concerns"]:
        yield "concerns", ", ".join(found["concerns"])
    yield "keeps", found["keep"].lower()
    yield "basis", found["basis"]
    yield "reason", found["reason"]
    yield "proposed", f"{found['proposedBy']}, {found['proposedAt']}"
    if found["endedBy"]:
        yield "answered", f"{found['endedBy']}, {found['endedAt']}"
    if found["erasedAt"] is not None:
        yield "erased", f"by entry {found['erasedAt']}"
    for kind, reached in (found["reached"] or {}).items():
        yield kind, ", ".join(reached) or "none"


def _chosen(found: "list[Described]", named: str) -> "Described":
    from catalog.errors import NotFoundError

    for each in found:
        if named in (each["id"], each["proposal"]):
            return each
    raise NotFoundError(f"There is no proposal {named}.", "`lineward redact list` shows them.")


def _held(hold: "Described") -> str:
    return ", ".join([*hold["namespaces"], *hold["nodes"], *map(str, hold["entries"])])


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _echo(line: str) -> None:
    from catalog.rendering.legible import legible

    typer.echo(legible(line))
