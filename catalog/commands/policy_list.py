"""`lineward policy list`: the packs that come with Lineward."""

import json

from rich.console import Console
from rich.table import Table

from catalog.commands.lineage import UNWRAPPED
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
    table.add_column("in force", overflow="fold")
    table.add_column("made from", overflow="fold")
    if not console.is_terminal:
        console.width = UNWRAPPED
    for pack in packs:
        table.add_row(*_row(pack))
    console.print(table)


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
