"""The demonstration as its events reach the log, a line for every run that ends: what it made, else what it read."""

from typing import Any

import orjson
from rich.console import Console
from rich.text import Text

from catalog.log.entry import EntryType
from catalog.log.reader import LogReader
from catalog.rendering.caption import duration
from catalog.rendering.legible import legible

_CHUNK = 256


class Happening:
    """`seen` is how many entries need no telling."""

    def __init__(self, log: LogReader, console: Console, seen: int = 0) -> None:
        self._log, self._console = log, console
        self._started: dict[str, str] = {}
        self.seen = seen
        self.latest = "preparing the data"

    def show(self) -> None:
        """Print what is new."""
        for entry in self._log.entries(self.seen, _CHUNK):
            self.seen = entry.seq + 1
            if entry.type is EntryType.OPENLINEAGE and entry.body is not None:
                self._tell(orjson.loads(entry.body))

    def _tell(self, event: dict[str, Any]) -> None:
        run, job, kind = event["run"]["runId"], legible(event["job"]["name"]), event["eventType"]
        if kind == "START":
            self._started[run] = event["eventTime"]
            self.latest = f"running {job}"
        if kind != "COMPLETE":
            return
        took = duration(self._started.get(run, event["eventTime"]), event["eventTime"])
        about = event.get("outputs") or event.get("inputs") or ()
        told = ", ".join(dict.fromkeys(map(_named, about)))
        line = Text.assemble(("  ✓ ", "green"), (f"{job:<10}", "bold"), (f"{took:>7}  ", "dim"), told)
        self._console.print(line, soft_wrap=True)


def _named(dataset: dict[str, Any]) -> str:
    version = dataset.get("facets", {}).get("version", {}).get("datasetVersion")
    return legible(dataset["name"] + (f"@{version[:15]}" if version else ""))
