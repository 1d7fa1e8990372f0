"""The progress bar of long commands, on standard error and only where somebody watches."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn


def bar(*counted: ProgressColumn) -> Progress:
    """Counts entries unless told how to show what is counted."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *(counted or (MofNCompleteColumn(),)),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
