"""The checks of a data folder that need more than its log: decisions computed again, and the graph projected again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.commands.finding import Finding, Outcome
from catalog.errors import LinewardError, RetryableError

if TYPE_CHECKING:
    from catalog.graph.contract import GraphStore
    from catalog.log.entry import Entry
    from catalog.log.reader import LogReader
    from catalog.settings import Settings

_CHUNK = 64
_ATTEMPTS = 5


def replayed(log: "LogReader") -> Iterator[Finding]:
    """Every decision evaluated again from the evidence and the packs that it froze."""
    again, froze_nothing = 0, 0
    for entry in _decisions(log):
        wrong, controls = _again(entry)
        if wrong is not None:
            yield Finding(Outcome.FAILED, "replay", wrong)
            return
        again, froze_nothing = again + (controls is not None), froze_nothing + (controls is None)
    if not again + froze_nothing:
        yield Finding(Outcome.ABSENT, "replay", "nothing was decided")
        return
    undecidable = f"; {froze_nothing} froze no evidence, as they could not be decided" if froze_nothing else ""
    yield Finding(Outcome.OK, "replay", f"{again} decisions come out as they were recorded{undecidable}")


def _decisions(log: "LogReader") -> "Iterator[Entry]":
    from catalog.log.entry import EntryType

    start = 0
    while found := log.acts((EntryType.DECISION,), start, _CHUNK):
        yield from (each for each in found if each.body is not None)
        start = found[-1].seq + 1


def _again(entry: "Entry") -> tuple[str | None, int | None]:
    """(what is wrong with a decision, controls evaluated); no number for one that froze no evidence."""
    from policies.attestation.reevaluation import reevaluate
    from policies.attestation.replay import replay
    from policies.formats.document import decision_of

    try:
        decision = decision_of(json.loads(entry.body or b""))
        if decision.body.evidence is None:
            return None, None
        found = replay(decision, reevaluate)
    except (LinewardError, ValueError) as error:
        return f"entry {entry.seq}: its decision cannot be replayed: {error}", None
    for each in found.differences:
        said = f"{each.what}: recorded {each.recorded}, now {each.replayed}"
        return f"entry {entry.seq}: the decision {decision.id} comes out otherwise: {said}", None
    return None, found.controls


def projection(folder: Path, log: "LogReader") -> Finding:
    """The graph against a projection of the same entries into a scratch one."""
    from catalog.commands.options import settings
    from catalog.composition import GRAPH_FILE, open_graph

    configured = settings(data=folder)
    if configured.graph == "sqlite" and not (folder / GRAPH_FILE).is_file():
        return Finding(Outcome.ABSENT, "projection", "there is no graph yet")
    try:
        store = open_graph(configured)
        try:
            return _compared(configured, log, store)
        finally:
            store.close()
    except RetryableError as error:
        return Finding(Outcome.INCOMPLETE, "projection", error.message, error.remedy)


def _compared(configured: "Settings", log: "LogReader", store: "GraphStore") -> Finding:
    from catalog.composition import reading_of
    from catalog.erasure.register import ErasureRegister
    from catalog.graph.digest import digest
    from catalog.projector import projected_origin

    for _ in range(_ATTEMPTS):
        before = store.position()
        if before is None:
            return Finding(Outcome.ABSENT, "projection", "the graph is empty")
        if before.origin != projected_origin(log.origin, reading_of(configured, ErasureRegister.of(log))):
            return Finding(
                Outcome.INCOMPLETE, "projection",
                "the graph was projected by other rules, another version, or before an erasure",
                "Run `lineward rebuild`, with the settings of the server",
            )  # fmt: skip
        held = digest(store)
        if store.position() == before:
            again = _projected(configured, log, before.offset)
            if held != again:
                said = f"the graph is not what the first {before.offset} entries say: {held}, projected again {again}"
                return Finding(Outcome.FAILED, "projection", said)
            return Finding(Outcome.OK, "projection", f"{before.offset} entries give {held} again")
    return Finding(Outcome.INCOMPLETE, "projection", "the graph grows faster than it can be read", "Stop the server")


def _projected(configured: "Settings", log: "LogReader", offset: int) -> str:
    """The digest of a scratch graph of the first `offset` entries."""
    from tempfile import TemporaryDirectory

    from catalog.composition import interpreter, open_graph, reading_of
    from catalog.erasure.register import ErasureRegister
    from catalog.graph.digest import digest
    from catalog.projector import Projector

    with TemporaryDirectory(prefix="lineward-") as name:
        store = open_graph(configured.model_copy(update={"data": Path(name), "graph": "sqlite"}))
        try:
            register = ErasureRegister.of(log)
            reading = reading_of(configured, register)
            projector = Projector(store, log.origin, interpreter(configured, register), reading)
            while projector.offset < offset:
                projector.project(log.entries(projector.offset, min(configured.batch, offset - projector.offset)))
            return digest(store)
        finally:
            store.close()
