"""Where the commands about erasures act: at a running server, or in a data folder that no server holds."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from catalog.erasure.eraser import Wanted

if TYPE_CHECKING:
    from catalog.commands.remote import RemoteCatalogue
    from catalog.erasure.eraser import Eraser
    from catalog.principal import Principal

Described = dict[str, Any]
"""An erasure, a hold or a match, as GraphQL answers it."""


class Erasing(Protocol):
    """Erasures under the caller's identity. Raises what `Eraser` raises, and UnreachableError."""

    def find(self, text: str) -> Iterator[Described]:
        """Entries that hold the words, in the order of the log."""
        ...

    def propose(self, wanted: Wanted) -> Described: ...

    def confirm(self, proposal: str) -> Described: ...

    def decline(self, proposal: str, reason: str) -> Described: ...

    def all(self) -> list[Described]:
        """All erasures that were asked for, the latest first."""
        ...

    def holds(self) -> list[Described]: ...

    def hold(
        self,
        reason: str,
        namespaces: Sequence[str],
        nodes: Sequence[str],
        entries: Sequence[int],
        until: str | None,
    ) -> Described: ...

    def release(self, hold: str, reason: str) -> None: ...


@contextmanager
def opened(url: str | None, data: Path | None, graph: str | None = None, *, writing: bool = False) -> Iterator[Erasing]:
    """The server at `url`, else the folder `data`, else that of the settings."""
    if url is not None:
        from catalog.commands.remote import RemoteCatalogue

        with RemoteCatalogue.connect(url) as remote:
            yield ServerErasing(remote)
    else:
        with _folder(data, graph, writing) as folder:
            yield folder


# A running server ----------------------------------------------------------------------------------------------

_ERASURE = """
{
  id proposal state reason basis keep entries { seq commit } concerns
  proposedBy proposedAt endedBy endedAt erasedAt reached { models deployments decisions } warnings
}
"""
_HOLD = "{ id namespaces nodes entries reason by since until }"
FIND = """
query Find($text: String!, $start: Long) {
  erasable(text: $text, start: $start) { entries { seq type recorded actor about where stays } onward }
}
"""
PROPOSE = f"mutation Propose($input: ProposeErasureInput!) {{ proposeErasure(input: $input) {_ERASURE} }}"
CONFIRM = f"mutation Confirm($id: ID!) {{ confirmErasure(id: $id) {_ERASURE} }}"
DECLINE = f"mutation Decline($id: ID!, $reason: String!) {{ declineErasure(id: $id, reason: $reason) {_ERASURE} }}"
LIST = f"""
query Erasures($after: String) {{
  erasures(first: 200, after: $after) {{ nodes {_ERASURE} pageInfo {{ hasNextPage endCursor }} }}
}}
"""
HOLDS = f"query Holds {{ erasureHolds {_HOLD} }}"
HOLD = f"mutation Hold($input: HoldErasureInput!) {{ holdErasure(input: $input) {_HOLD} }}"
RELEASE = "mutation Release($id: ID!, $reason: String!) { releaseErasure(id: $id, reason: $reason) { id } }"


@dataclass(frozen=True, slots=True)
class ServerErasing:
    remote: "RemoteCatalogue"

    def find(self, text: str) -> Iterator[Described]:
        start: int | None = 0
        while start is not None:
            found = self.remote.ask(FIND, {"text": text, "start": start})["erasable"]
            yield from found["entries"]
            start = found["onward"]

    def propose(self, wanted: Wanted) -> Described:
        asked = {
            "entries": list(wanted.entries),
            "concerns": list(wanted.concerns),
            "reason": wanted.reason,
            "basis": wanted.basis,
            "keep": wanted.keep.upper(),
        }
        return self._one(PROPOSE, input=asked)

    def confirm(self, proposal: str) -> Described:
        return self._one(CONFIRM, id=proposal)

    def decline(self, proposal: str, reason: str) -> Described:
        return self._one(DECLINE, id=proposal, reason=reason)

    def all(self) -> list[Described]:
        found: list[Described] = []
        page: Described = {"hasNextPage": True, "endCursor": None}
        while page["hasNextPage"]:
            answer = self.remote.ask(LIST, {"after": page["endCursor"]})["erasures"]
            found, page = found + answer["nodes"], answer["pageInfo"]
        return found

    def holds(self) -> list[Described]:
        found: list[Described] = self.remote.ask(HOLDS, {})["erasureHolds"]
        return found

    def hold(
        self,
        reason: str,
        namespaces: Sequence[str],
        nodes: Sequence[str],
        entries: Sequence[int],
        until: str | None,
    ) -> Described:
        asked = {
            "reason": reason,
            "namespaces": list(namespaces),
            "nodes": list(nodes),
            "entries": list(entries),
            "until": until,
        }
        return self._one(HOLD, input=asked)

    def release(self, hold: str, reason: str) -> None:
        self.remote.ask(RELEASE, {"id": hold, "reason": reason})

    def _one(self, mutation: str, **asked: Any) -> Described:
        (found,) = self.remote.ask(mutation, asked).values()
        answered: Described = found
        return answered


# A data folder -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FolderErasing:
    eraser: "Eraser"
    by: "Principal"

    def find(self, text: str) -> Iterator[Described]:
        from catalog.instant import text as written

        start: int | None = 0
        while start is not None:
            found = self.eraser.find(self.by, text, start)
            for each in found.matches:
                yield {
                    "seq": each.seq,
                    "type": each.type.name,
                    "recorded": written(each.recorded),
                    "actor": each.actor,
                    "about": each.about,
                    "where": list(each.where),
                    "stays": each.stays,
                }
            start = found.onward

    def propose(self, wanted: Wanted) -> Described:
        return self._described(self.eraser.propose(self.by, wanted).node)

    def confirm(self, proposal: str) -> Described:
        done = self.eraser.confirm(self.by, proposal)
        return self._described(done.proposal.node) | {"warnings": list(done.warnings)}

    def decline(self, proposal: str, reason: str) -> Described:
        return self._described(self.eraser.decline(self.by, proposal, reason).node)

    def all(self) -> list[Described]:
        from catalog.erasure.described import described_erasure

        register = self._register()
        return [described_erasure(each, register) for each in reversed(register.proposals)]

    def holds(self) -> list[Described]:
        from catalog.erasure.described import described_hold

        return [described_hold(each) for each in self._register().holds]

    def hold(
        self,
        reason: str,
        namespaces: Sequence[str],
        nodes: Sequence[str],
        entries: Sequence[int],
        until: str | None,
    ) -> Described:
        from catalog.erasure.described import described_hold

        held = self.eraser.hold(self.by, reason, namespaces=namespaces, nodes=nodes, entries=entries, until=until)
        return described_hold(held)

    def release(self, hold: str, reason: str) -> None:
        self.eraser.release(self.by, hold, reason)

    def _register(self) -> Any:
        from catalog.principal import Scope

        if not self.by.may(Scope.REDACT):
            self.by.require(Scope.AUDIT_READ)
        return self.eraser.register()

    def _described(self, node: str) -> Described:
        from catalog.erasure.described import described_erasure

        register = self.eraser.register()
        found = register.proposal(node)
        assert found is not None
        return described_erasure(found, register)


@contextmanager
def _folder(data: Path | None, graph: str | None, writing: bool) -> Iterator[FolderErasing]:
    import sys

    import structlog

    from catalog.authority.roll import Roll
    from catalog.commands.folder_governing import appending
    from catalog.commands.keyring import caller
    from catalog.commands.options import settings
    from catalog.composition import eraser, open_data

    configured = settings(data=data, graph=graph)
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))  # standard output is for answers
    with open_data(configured) as folder, appending(folder, writing) as append:
        folder.project()
        roll = Roll(folder.log)
        yield FolderErasing(eraser(configured, folder.log, folder.access, append, roll), caller(configured, roll))
