"""What the commands by which people act have in common: looking first, agreeing, and telling what stands."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.commands.lineage import UNWRAPPED
from catalog.errors import ForbiddenError, InvalidInputError
from catalog.rendering.legible import legible

if TYPE_CHECKING:
    from catalog.commands.governing import Change, Governing, Standing
    from catalog.model import NodeRef

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Revoke = Annotated[str | None, typer.Option(metavar="ID", help="End the one with this id.", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="Why.", show_default=False)]


UNSEEN = "not shown: your key may not evaluate policies (policy:evaluate)"


@dataclass(frozen=True, slots=True)
class Seen:
    """A target as it is now. `digest` and `closure_digest` are None where it has none, or `hidden` says why."""

    title: str
    namespace: str
    digest: str | None = None
    closure_digest: str | None = None
    approvals: tuple[Mapping[str, Any], ...] = ()
    hidden: str = ""


def looked_at(governing: "Governing", target: "NodeRef") -> Seen:
    """The target, from the evidence about it: the same that the policies see.

    Whoever may act on it but not judge it sees its name alone. Raises NotFoundError for what is not there.
    """
    try:
        document = governing.evaluate(target).document
    except ForbiddenError:
        found = governing.find(target)
        if found is None:
            raise
        return Seen(found.title, found.namespace, hidden=UNSEEN)
    subject = document["subject"]
    version = subject.get("version")
    return Seen(
        subject["name"] if version is None else f"{subject['name']}@{version}",
        subject["namespace"],
        subject.get("digest"),
        subject.get("closureDigest"),
        tuple(document.get("approvals") or ()),
    )


def tell_facts(title: str, facts: Iterable[tuple[str, str]]) -> None:
    """On standard error: it is shown to be read before the act, and is not its result."""
    typer.echo(legible(title), err=True)
    listed = list(facts)
    width = max((len(name) for name, _ in listed), default=0)
    for name, value in listed:
        typer.echo(legible(f"  {name:<{width}}  {value}"), err=True)


def agree(question: str, yes: bool) -> None:
    """Ask on a terminal; a script has agreed by running the command. Exits with 1 for a no."""
    if yes or not is_watched():
        return
    if not typer.confirm(question, err=True):
        typer.echo("Nothing was done.", err=True)
        raise typer.Exit(1)


def is_watched() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty()


def tell_standing(standing: "Standing", what: str, as_json: bool, more: Iterable[str] = ()) -> None:
    """The id alone on a line of its own would say too little: what it is, how it stands, until when."""
    if as_json:
        from pydantic.alias_generators import to_camel

        print_json({to_camel(name): value for name, value in asdict(standing).items() if value is not None})
        return
    until = f", until {standing.until}" if standing.until else ""
    second = f", countersigned by {standing.second}" if standing.second else ""
    typer.echo(legible(f"{standing.state}  {what} {standing.id} by {standing.by}{second}{until}"))
    for line in more:
        typer.echo(legible(line))


def tell_change(change: "Change", as_json: bool, place: Iterable[str] = ()) -> None:
    """A change of policy, and what a second person has to run."""
    if as_json:
        camel = {"id": change.id, "verb": change.verb, "proposedBy": change.proposed_by}
        print_json(camel | ({"confirmedBy": change.confirmed_by} if change.confirmed_by else {}))
        return
    from shlex import join

    if change.confirmed_by is not None:
        typer.echo(
            legible(f"IN FORCE  {change.id}, proposed by {change.proposed_by}, confirmed by {change.confirmed_by}")
        )
        return
    typer.echo(legible(f"PROPOSED  {change.id} by {change.proposed_by}: nothing changes yet"))
    typer.echo("A second person brings it into force:")
    typer.echo(legible(f"  {join(['lineward', 'policy', 'apply', '--confirm', change.id, *place])}"))


def place_options(url: str | None, data: object) -> list[str]:
    """How the next command finds the same place."""
    if url is not None:
        return ["--url", url]
    return [] if data is None else ["--data", str(data)]


def print_json(content: Any) -> None:
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def only(option: str, *others: tuple[str, object]) -> None:
    """InvalidInputError where options are given that the first one leaves no room for."""
    given = [name for name, value in others if value not in (None, False, "", [], ())]
    if given:
        raise InvalidInputError(f"{', '.join(given)} cannot be given with {option}", "Leave them out.")


def required(option: str, value: str | None, why: str) -> str:
    if not value:
        raise InvalidInputError(f"{option} is missing", why)
    return value


def console_width(is_terminal: bool, width: int) -> int:
    return width if is_terminal else UNWRAPPED
