"""`lineward policy gaps`: what is not known of a target, who could say it, and what to paste so that they do."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from catalog.commands.acts import console_width, print_json
from catalog.commands.governing import Evaluated, opened, target_of
from catalog.commands.reference import Reference
from catalog.errors import NotFoundError
from catalog.rendering.legible import legible
from policies.needed import SETTLED, Needed, needed
from policies.senders import sender

STARTING = "base-ml-governance"
"""The pack whose fields are asked for where neither a pack nor an environment is named."""


def show_gaps(
    named: Reference,
    packs: Sequence[str],
    environment: str | None,
    as_json: bool,
    url: str | None,
    data: Path | None,
    graph: str | None,
) -> None:
    added = packs or ([] if environment else [STARTING])
    with opened(url, data, graph) as governing:
        evaluated = governing.evaluate(target_of(named, governing), packs=added, environment=environment)
    if not evaluated.controls:
        raise NotFoundError(
            f"no binding in force brings a pack to bear on this in {environment}",
            "Name a pack with --pack, or bring a binding into force with `lineward policy apply`.",
        )
    found = needed(evaluated.document, evaluated.controls)
    if as_json:
        print_json([_document(each) for each in found])
    else:
        _print(evaluated, found)


def _print(evaluated: Evaluated, found: Sequence[Needed]) -> None:
    console = Console(highlight=False)
    console.width = console_width(console.is_terminal, console.width)
    troubled = [each for each in evaluated.controls if each.underlying not in SETTLED]
    said = f"{len(found)} fields are missing for {len(troubled)} of {len(evaluated.controls)} controls"
    console.print(Text(said, style="bold"))
    for each in found:
        if _can_be_sent(each):
            console.print()
            _print_gap(console, each)
    rest = [each.gap.path for each in found if not _can_be_sent(each)]
    if rest:
        console.print()
        console.print(Text(legible(f"Worked out once the others are known: {', '.join(rest)}"), style="dim"))
    gaps = (evaluated.document.get("lineage") or {}).get("gaps") or ()
    if gaps:
        console.print()
        console.print(Text("Not known of the lineage:", style="bold"))
        for gap in gaps:
            line = legible(f"{gap['kind']}: {gap['reason']} ({gap['node']})")
            console.print(Padding(Text(line), (0, 0, 0, 2), expand=False))


def _can_be_sent(needed: Needed) -> bool:
    return any(each.snippet for each in needed.gap.senders)


def _print_gap(console: Console, needed: Needed) -> None:
    gap = needed.gap
    of = f" of {gap.name}" if gap.name else ""
    by = ", ".join(needed.controls)
    console.print(Text.assemble((legible(gap.path), "bold cyan"), legible(f"{of}  [{by}]")))
    console.print(Padding(Text(legible(gap.meaning), style="dim"), (0, 0, 0, 2), expand=False))
    for each in gap.senders:
        console.print(Padding(Text(legible(sender(each.source)), style="green"), (0, 0, 0, 2), expand=False))
        for line in each.snippet.splitlines():
            console.print(Text(f"    {legible(line)}"), soft_wrap=True)


def _document(needed: Needed) -> dict[str, object]:
    gap = needed.gap
    return {
        "path": gap.path,
        "item": gap.item,
        "name": gap.name,
        "meaning": gap.meaning,
        "controls": list(needed.controls),
        "senders": [
            {
                "kind": each.source.kind.value,
                "name": each.source.name,
                "property": each.source.property,
                "snippet": each.snippet,
            }
            for each in gap.senders
        ],
    }
