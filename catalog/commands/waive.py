"""`lineward waive`: one control let pass for one version, for a while, by two people."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from catalog.commands import reference
from catalog.commands.acts import Json, Reason, Revoke, Yes
from catalog.commands.options import Data, Graph, Url, place


def waive(
    context: typer.Context,
    shorthand: reference.Shorthand = None,
    id: reference.Id = None,  # noqa: A002 - the name of the option
    namespace: reference.Namespace = None,
    model: reference.Model = None,
    version: reference.Version = None,
    pack: Annotated[str | None, typer.Option(help="Name of the pack.", show_default=False)] = None,
    control: Annotated[str | None, typer.Option(help="Id of the control.", show_default=False)] = None,
    reason: Reason = None,
    compensating_control: Annotated[str | None, typer.Option(help="What is done instead.", show_default=False)] = None,
    expires: Annotated[str | None, typer.Option(help="After 12h, 30d or 2w, or at a time.", show_default=False)] = None,
    environment: Annotated[
        str | None, typer.Option("--env", metavar="ENV", help="Only there.", show_default="everywhere")
    ] = None,
    item: Annotated[
        list[str] | None, typer.Option(help="Key of an item; repeatable.", show_default="the whole control")
    ] = None,
    break_glass: Annotated[
        bool, typer.Option("--break-glass", help="Alone, for at most 24 hours, and always listed.")
    ] = False,
    countersign: Annotated[
        str | None, typer.Option(metavar="ID", help="Agree to somebody else's waiver.", show_default=False)
    ] = None,
    revoke: Revoke = None,
    yes: Yes = False,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Propose a waiver of one control on one version, countersign one, or end one.

    It counts once a second person has countersigned it, and only until it expires.
    """
    from catalog.commands.acts import agree, looked_at, only, place_options, required, tell_facts, tell_standing
    from catalog.commands.governing import opened, target_of
    from catalog.commands.moment import instant_of
    from policies.request import RevokeRequest, WaiveRequest

    at_url, in_folder = place(context, url, data)
    said = (("REF", shorthand or id or model), ("--pack", pack), ("--control", control), ("--expires", expires))
    if revoke is not None:
        only("--revoke", *said, ("--countersign", countersign))
        why = required("--reason", reason, "Say why it is revoked.")
        with opened(at_url, in_folder, graph, writing=True) as governing:
            tell_standing(governing.revoke_waiver(RevokeRequest(revoke, why)), "waiver", as_json)
        return
    if countersign is not None:
        only("--countersign", *said)
        with opened(at_url, in_folder, graph, writing=True) as governing:
            tell_facts("You countersign:", _proposed(countersign, governing.said(countersign) or {}))
            agree("Let it pass?", yes)
            tell_standing(governing.waive(WaiveRequest(waiver=countersign)), "waiver", as_json)
        return
    named = reference.Reference(shorthand, id, namespace, model, version=version)
    named.node()
    of_pack = required("--pack", pack, "Name the pack of the control.")
    of_control = required("--control", control, "Name the control.")
    why = required("--reason", reason, "Say why it cannot hold now.")
    instead = required("--compensating-control", compensating_control, "Say what is done instead.")
    end = instant_of("--expires", required("--expires", expires, "A waiver has an end: 30d, or a time."))
    with opened(at_url, in_folder, graph, writing=True) as governing:
        target = target_of(named, governing)
        seen = looked_at(governing, target)
        tell_facts(
            "You let pass:",
            [
                ("version", f"{seen.title} in {seen.namespace}"),
                ("made of", seen.closure_digest or seen.hidden or "nothing that is known"),
                ("control", f"{of_control} of {of_pack}"),
                ("items", ", ".join(item or ()) or "all"),
                ("environment", environment or "every environment"),
                ("until", end),
            ],
        )
        agree("Let it pass?", yes)
        request = WaiveRequest(
            target, of_pack, of_control, why, instead, end, environment, tuple(item or ()), break_glass
        )
        standing = governing.waive(request)
    tell_standing(standing, "waiver", as_json, _next(standing.state, standing.id, place_options(at_url, in_folder)))


def _next(state: str, waiver: str, where: list[str]) -> list[str]:
    from shlex import join

    if state != "PROPOSED":
        return []
    return ["A second person has to agree:", f"  {join(['lineward', 'waive', '--countersign', waiver, *where])}"]


def _proposed(waiver: str, said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What somebody else wants to let pass; the id alone where it may not be seen."""
    if not said:
        return [("waiver", waiver)]
    target = said.get("target") or {}
    return [
        ("waiver", waiver),
        ("asked by", str(said["by"].get("person"))),
        ("version", f"{target.get('name')}@{target.get('version')} in {target.get('namespace')}"),
        ("control", f"{said['control']} of {said['pack']}"),
        ("items", ", ".join(said.get("items") or ()) or "all"),
        ("environment", said.get("environment") or "every environment"),
        ("reason", said["reason"]),
        ("instead", said["compensatingControl"]),
        ("until", str(said["expiresAt"])),
    ]
