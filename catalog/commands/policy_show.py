"""`lineward policy show`: what a pack asks, in plain words."""

import json
from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from catalog.commands.lineage import UNWRAPPED
from catalog.commands.policy_files import file_of
from catalog.rendering.legible import legible
from policies.compiled import CompiledControl, compile_pack
from policies.loading import load_pack
from policies.pack import PolicyPack, filled
from policies.senders import senders_of


def show_pack(name: str, as_json: bool) -> None:
    pack = load_pack(file_of(name))
    if as_json:
        print(json.dumps({**pack.normalised(), "digest": pack.digest}, indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = UNWRAPPED
    _print_head(console, pack)
    for control in compile_pack(pack).controls:
        _print_control(console, pack, control)


def _print_head(console: Console, pack: PolicyPack) -> None:
    console.print(Text(legible(pack.label), style="bold"))
    console.print(Text(legible(pack.source.instrument)))
    console.print(Text(f"{pack.metadata.status} · {pack.source.binding} · {pack.source.certainty}"))
    console.print(Text(legible(pack.source.uri), style="dim"))
    console.print(Text(pack.digest, style="dim"))
    for each in pack.not_covered:
        console.print(Text(legible(f"not covered: {each.row}: {each.reason}"), style="dim"))


def _print_control(console: Console, pack: PolicyPack, compiled: CompiledControl) -> None:
    control = compiled.control
    console.print()
    console.print(Text.assemble((legible(control.id), "bold cyan"), "  ", (legible(control.title), "bold")))
    for line in _lines(pack, compiled):
        console.print(Padding(Text(legible(line)), (0, 0, 0, 2), expand=False))
    for field in compiled.fields:
        senders = "; ".join(senders_of(field)) or "each of its fields"
        console.print(Padding(Text.assemble((f"reads {field}", "green"), f" ← {senders}"), (0, 0, 0, 2), expand=False))


def _lines(pack: PolicyPack, compiled: CompiledControl) -> Iterator[str]:
    control, values = compiled.control, pack.values()
    yield filled(control.plain, values)
    yield f"{control.citation.article}{f' · {control.citation.uri}' if control.citation.uri else ''}"
    traits = [control.severity.value, control.assurance.value, control.enforcement.value]
    yield " · ".join(traits + ([] if control.waivable else ["cannot be waived"]))
    yield f"remedy: {filled(control.remediation, values)}"
