"""`lineward policy list`: the packs that come with Lineward, or what is in force."""

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from catalog.commands.acts import print_json
from catalog.commands.governing import opened
from catalog.commands.lineage import UNWRAPPED
from catalog.rendering.legible import legible
from policies.library import built_in
from policies.loading import load_pack
from policies.pack import Days, PolicyPack

_COLUMNS = ("name", "version", "status", "certainty", "controls")


def list_packs(as_json: bool) -> None:
    packs = [load_pack(file) for file in built_in().values()]
    if as_json:
        print(json.dumps([_document(pack) for pack in packs], indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in _COLUMNS:
        table.add_column(name, no_wrap=True)
    table.add_column("source in force", overflow="fold")
    table.add_column("made from", overflow="fold")
    if not console.is_terminal:
        console.width = UNWRAPPED
    for pack in packs:
        table.add_row(*_row(pack))
    console.print(table)


def list_in_force(at: int | None, as_json: bool, url: str | None, data: Path | None, graph: str | None) -> None:
    """What counts at a server or in a folder at an instant (µs)."""
    with opened(url, data, graph) as governing:
        packs, bindings = governing.packs_in_force(at), governing.bindings_in_force(at)
    if as_json:
        print_json({"packs": dict(sorted(packs.items())), "bindings": [bindings[name] for name in sorted(bindings)]})
        return
    if not packs and not bindings:
        print("Nothing is in force: `lineward policy apply base-ml-governance starter` proposes a beginning.")
    for name, version in sorted(packs.items()):
        print(legible(f"pack     {name}@{version}"))
    for name, document in sorted(bindings.items()):
        named = ", ".join(each["name"] for each in document["packs"])
        print(legible(f"binding  {name}: {named} for {', '.join(document['environments'])}"))


def _row(pack: PolicyPack) -> tuple[str, ...]:
    return (
        pack.name,
        pack.metadata.version,
        pack.metadata.status.value,
        pack.source.certainty.value,
        str(len(pack.controls)),
        _days(pack.source.in_force),
        f"{pack.source.instrument} ({pack.source.binding})",
    )


def _days(days: Days) -> str:
    since = f"from {days.from_}" if days.from_ else ""
    until = f"until {days.to}" if days.to else ""
    return " ".join(filter(None, (since, until)))


def _document(pack: PolicyPack) -> dict[str, object]:
    document = pack.normalised()
    return {
        **document["metadata"],
        "digest": pack.digest,
        "source": document["source"],
        "controls": [control.id for control in pack.controls],
    }
