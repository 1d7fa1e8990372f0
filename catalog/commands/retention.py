"""`lineward retention`: what is due under a schedule, and asking a second person to erase it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.commands.acts import Json, Yes
from catalog.commands.options import Data, Graph

if TYPE_CHECKING:
    from policies.retention import Kept, Retention, RetentionSchedule

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="How long bodies of the log are kept: nothing is erased by itself, and never by one person.",
)
Schedule = Annotated[
    Path | None,
    typer.Option("--schedule", envvar="LINEWARD_RETENTION", metavar="FILE", help="The schedule.", show_default=False),
]
_PAGE = 500


@app.command("show", short_help="What is due, held, and covered by nothing.")
def show(schedule: Schedule = None, as_json: Json = False, data: Data = None, graph: Graph = None) -> None:
    """Count what is kept, due and held by class, and what no class covers. Exits with 1 where something is due."""
    from catalog.commands.acts import print_json
    from catalog.rendering.legible import legible

    with _opened(schedule, data, graph) as (rules, kept):
        found = list(kept)
    told = _counted(rules, found)
    if as_json:
        print_json(told)
    else:
        for each in told["classes"]:
            counts = f"{each['due']} due, {each['held']} held, {each['kept']} kept"
            typer.echo(legible(f"{each['id']}: {counts} (for {each['keepFor']}: {each['basis']})"))
        for hold in told["holds"]:
            typer.echo(legible(f"held: {hold['entries']} entries: {hold['reason']}"))
        typer.echo(f"{told['uncovered']} entries are covered by no class; {told['stays']} are never erased.")
        if any(each["due"] for each in told["classes"]):
            typer.echo("Ask a second person to erase what is due:  lineward retention propose")
    if any(each["due"] for each in told["classes"]):
        raise typer.Exit(1)


@app.command("propose", short_help="Ask a second person to erase what is due.")
def propose(
    schedule: Schedule = None, yes: Yes = False, as_json: Json = False, data: Data = None, graph: Graph = None
) -> None:
    """Write a proposal for what is due under each class: it goes once somebody else runs `lineward redact confirm`."""
    from catalog.commands.acts import agree, print_json, tell_facts
    from catalog.commands.erasing import opened
    from catalog.erasure.eraser import Wanted
    from catalog.erasure.redaction import MAX_ENTRIES
    from policies.retention import Fate

    due: dict[str, list[int]] = {}
    with _opened(schedule, data, graph) as (rules, kept):
        for each in kept:
            if each.fate is Fate.DUE and each.by is not None:
                due.setdefault(each.by.id, []).append(each.seq)
    tell_facts("You propose to erase what is due:", [(name, f"{len(seqs)} entries") for name, seqs in due.items()])
    if not due:
        typer.echo("Nothing is due.")
        return
    agree("Propose this?", yes)
    classes = {each.id: each for each in rules.classes}
    made = []
    with opened(None, data, graph, writing=True) as erasing:
        for name, seqs in due.items():
            reason = f"retention class {name} of {rules.metadata.name}: kept for {classes[name].keep_for}"
            for first in range(0, len(seqs), MAX_ENTRIES):
                wanted = Wanted(reason, classes[name].basis, tuple(seqs[first : first + MAX_ENTRIES]))
                made.append(erasing.propose(wanted))
    if as_json:
        print_json(made)
    for told in () if as_json else made:
        typer.echo(f"PROPOSED  {told['id']}  {len(told['entries'])} entries: {told['reason']}")
    if not as_json:
        typer.echo("A second person erases each:  lineward redact confirm ID")


@contextmanager
def _opened(
    schedule: Path | None, data: Path | None, graph: str | None
) -> "Iterator[tuple[RetentionSchedule, Iterator[Kept]]]":
    """The schedule, and the fate of every entry under it now."""
    from catalog.authority.roll import Roll
    from catalog.commands.keyring import caller
    from catalog.commands.options import settings
    from catalog.composition import open_data, touching
    from catalog.erasure.register import ErasureRegister
    from catalog.errors import InvalidInputError
    from catalog.log.writer import microseconds_now
    from catalog.principal import Scope
    from policies.retention import Retention, read_schedule

    configured = settings(data=data, graph=graph)
    place = schedule or configured.retention
    if place is None:
        raise InvalidInputError("there is no schedule", "Give --schedule FILE, or set LINEWARD_RETENTION.")
    rules = read_schedule(place)
    with open_data(configured) as folder:
        folder.project()
        by = caller(configured, Roll(folder.log))
        if not by.may(Scope.REDACT):
            by.require(Scope.AUDIT_READ)
        with folder.access.reading() as reading:
            retention = Retention(
                rules, ErasureRegister.of(folder.log), touching(configured), reading, microseconds_now()
            )
            yield rules, _over(retention, folder.log)


def _over(retention: "Retention", log: Any) -> "Iterator[Kept]":
    start = 0
    while page := log.entries(start, _PAGE):
        yield from retention.over(page)
        start = page[-1].seq + 1


def _counted(rules: "RetentionSchedule", found: "list[Kept]") -> dict[str, Any]:
    from policies.retention import Fate

    by_class = Counter((each.by.id, each.fate) for each in found if each.by is not None)
    fates, holds = Counter(each.fate for each in found), Counter(each.hold for each in found if each.hold)
    return {
        "schedule": rules.metadata.name,
        "classes": [
            {
                "id": each.id,
                "keepFor": each.keep_for,
                "basis": each.basis,
                "due": by_class[each.id, Fate.DUE],
                "held": by_class[each.id, Fate.HELD],
                "kept": by_class[each.id, Fate.KEPT],
            }
            for each in rules.classes
        ],
        "holds": [{"reason": reason, "entries": count} for reason, count in sorted(holds.items())],
        "uncovered": fates[Fate.UNCOVERED],
        "stays": fates[Fate.STAYS],
    }
