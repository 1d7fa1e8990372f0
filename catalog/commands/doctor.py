"""`lineward doctor`: what is there, what is amiss, and what to do about it."""

from typing import TYPE_CHECKING

from catalog.commands.failure import CheckFailedError
from catalog.commands.options import Data, Graph, Url, settings

if TYPE_CHECKING:
    from catalog.commands.findings import Finding


def doctor(url: Url = None, data: Data = None, graph: Graph = None) -> None:
    """Look at versions, the data folder, the log, the graph and, with --url, a server."""
    from catalog.commands.findings import Level, machine_findings, server_findings
    from catalog.commands.folder_findings import folder_findings

    configured = settings(data=data, graph=graph)
    found = [*machine_findings(), *folder_findings(configured), *(server_findings(url) if url else ())]
    _print(found)
    failed = [finding for finding in found if finding.level is Level.FAIL]
    if failed:
        raise CheckFailedError(
            f"{len(failed)} of {len(found)} checks failed: {', '.join(each.subject for each in failed)}",
            "See the remedies above.",
        )


def _print(found: "list[Finding]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from catalog.concealment import concealed
    from catalog.rendering.legible import legible

    styles = {"ok": "green", "warn": "yellow", "fail": "bold red"}
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in found:
        told = f"{finding.fact}{f' → {finding.remedy}' if finding.remedy else ''}"
        table.add_row(
            Text(finding.level.value, style=styles[finding.level.value]),
            Text(finding.subject, style="bold"),
            Text(legible(concealed(told)), overflow="fold"),
        )
    Console(highlight=False).print(table)
