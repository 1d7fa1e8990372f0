"""Erasures and holds as JSON: what a list shows, and what a restored log is told to erase again."""

from typing import Any

from catalog.erasure.register import ErasureRegister, Proposal, StandingHold
from catalog.instant import optional_text, text


def described_erasure(found: Proposal, register: ErasureRegister) -> dict[str, Any]:
    """A proposal and what became of it."""
    said, ended, done = found.said, found.ended, register.erasure_of(found.node)
    reached = done.said.reached if done else None
    return {
        "id": found.node,
        "proposal": found.id,
        "state": found.state.value,
        "reason": said.reason,
        "basis": said.basis,
        "keep": said.keep.upper(),
        "entries": [{"seq": each.seq, "commit": each.commit} for each in said.entries],
        "concerns": list(said.concerns),
        "proposedBy": said.by.person or said.by.principal,
        "proposedAt": text(found.at),
        "endedBy": (ended.by.person or ended.by.principal) if ended else None,
        "endedAt": ended.at if ended else None,
        "erasedAt": done.seq if done and done.said.erased else None,
        "reached": reached.model_dump(mode="json") if reached else None,
        "warnings": [],
    }


def described_hold(found: StandingHold) -> dict[str, Any]:
    said = found.said
    return {
        "id": found.node,
        "namespaces": list(said.namespaces),
        "nodes": list(said.nodes),
        "entries": list(said.entries),
        "reason": said.reason,
        "by": said.by.person or said.by.principal,
        "since": text(found.at),
        "until": optional_text(found.until),
    }
