"""`lineward approve`: a person's yes to one version, as it is now, for one environment."""

from typing import TYPE_CHECKING, Annotated

import typer

from catalog.commands import reference
from catalog.commands.acts import Json, Reason, Revoke, Yes
from catalog.commands.options import Data, Graph, Url, place
from catalog.errors import InvalidInputError

if TYPE_CHECKING:
    from catalog.commands.acts import Seen
    from policies.request import ApproveRequest


def approve(
    context: typer.Context,
    shorthand: reference.Shorthand = None,
    id: reference.Id = None,  # noqa: A002 - the name of the option
    namespace: reference.Namespace = None,
    model: reference.Model = None,
    version: reference.Version = None,
    environment: Annotated[
        str | None, typer.Option("--env", help="Where it may go.", metavar="ENV", show_default=False)
    ] = None,
    use: Annotated[str | None, typer.Option(help="Only for this use.", show_default="every use")] = None,
    role: Annotated[
        str | None, typer.Option(help="The role in which you approve: one of your key's.", show_default=False)
    ] = None,
    condition: Annotated[
        list[str] | None, typer.Option(help="What it depends on; repeatable.", show_default=False)
    ] = None,
    valid_until: Annotated[
        str | None, typer.Option(help="After 12h, 90d or 4w, or at a time.", show_default="no end")
    ] = None,
    reason: Reason = None,
    expects: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="The closure digest that you looked at.", show_default="that shown"),
    ] = None,
    reaffirms: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Your approval that late evidence made stale, and that you make good.",
            show_default=False,
        ),
    ] = None,
    revoke: Revoke = None,
    yes: Yes = False,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Approve a version for an environment, or take an approval back with --revoke.

    What is bound is shown first: the version, the digest of everything that it is made of, and the environment.
    """
    from catalog.commands.acts import agree, looked_at, only, required, tell_standing
    from catalog.commands.governing import opened, target_of
    from catalog.commands.moment import instant_of
    from policies.request import ApproveRequest, RevokeRequest

    at_url, in_folder = place(context, url, data)
    if revoke is not None:
        only("--revoke", ("REF", shorthand or id or model), ("--env", environment), ("--reaffirms", reaffirms))
        why = required("--reason", reason, "Say why it is revoked.")
        with opened(at_url, in_folder, graph, writing=True) as governing:
            tell_standing(governing.revoke_approval(RevokeRequest(revoke, why)), "approval", as_json)
        return
    named = reference.Reference(shorthand, id, namespace, model, version=version)
    named.node()
    where = required("--env", environment, "Name the environment that it may go into.")
    end = None if valid_until is None else instant_of("--valid-until", valid_until)
    with opened(at_url, in_folder, graph, writing=True) as governing:
        target = target_of(named, governing)
        seen = looked_at(governing, target)
        request = ApproveRequest(
            target, where, use, role, tuple(condition or ()), end, reason, expects or seen.closure_digest, reaffirms
        )
        _show(seen, request)
        agree("Approve this?", yes)
        standing = governing.approve(request)
    more = [f"made of {standing.closure_digest}"] if seen.hidden and standing.closure_digest else []
    tell_standing(standing, "approval", as_json, more)


def _show(seen: "Seen", request: "ApproveRequest") -> None:
    """Exactly what is bound."""
    from catalog.commands.acts import tell_facts

    facts = [
        ("version", f"{seen.title} in {seen.namespace}"),
        ("artifact", seen.digest or seen.hidden or "its digest is not known"),
        ("made of", request.expects or seen.hidden or "nothing that is known"),
        ("environment", request.environment),
        ("use", request.use or "every use"),
        ("until", request.valid_until or "no end"),
    ]
    if request.role is not None:
        facts.append(("as", request.role))
    facts += [("condition", each) for each in request.conditions]
    if request.reaffirms is not None:
        facts += [("since then", each) for each in _changed(seen, request.reaffirms)]
    tell_facts("You approve:", facts)


def _changed(seen: "Seen", approval: str) -> list[str]:
    """What became different since an earlier approval. InvalidInputError where that cannot be seen."""
    if seen.hidden:
        raise InvalidInputError("who reaffirms has to see what changed", "Use a key that may also policy:evaluate.")
    for each in seen.approvals:
        if each["id"] == approval:
            return list(each.get("changed") or ("nothing has changed",))
    raise InvalidInputError(
        f"{approval} is no approval of this version that stands", "Approve without --reaffirms, or name your own."
    )
