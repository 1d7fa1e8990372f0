"""Everything about policies that a door needs, in one piece: what people do, what is decided, and its signature."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]

from catalog.access import Access
from catalog.errors import RetryableError
from catalog.log.entry import Receipt, Submission
from catalog.log.writer import microseconds_now
from policies.attestation import bundle
from policies.attestation.reevaluation import reevaluate
from policies.attestation.replay import Replay, replay
from policies.erasure.casebook import CaseBook
from policies.evidence.builder import everyone
from policies.evidence.draft import Authoritative
from policies.evidence.kept import OthersBetween
from policies.formats.document import Decision
from policies.gate import Gate, Observed, unobserved
from policies.journal import Journal
from policies.judge import Judge
from policies.register import Register
from policies.sandbox import Worker

PATIENCE = 10.0
"""How long a replay waits for those of others, seconds."""


_REPLAYING = threading.Lock()  # each replay takes a process of its own, and callers are many


class BusyError(RetryableError):
    """Others have all that there is of something."""

    code = "BUSY"


@dataclass(frozen=True, slots=True)
class Governance:
    """`signer` gives the key that signs decisions, which is made when it is first needed."""

    journal: Journal
    register: Register
    judge: Judge
    gate: Gate
    signer: Callable[[], CryptoSigner]

    @property
    def case_book(self) -> CaseBook:
        """Cases of erasure, in the same turns as all other acts."""
        return CaseBook(self.journal)

    def bundle(self, decision: Decision) -> dict[str, Any]:
        """A decision with its signature, as a file that verifies and replays offline."""
        return bundle.bundle(decision, self.signer())

    def attestation(self, decision: Decision) -> dict[str, Any] | None:
        """The signed verification summary; None for a decision that has none."""
        return bundle.attestation(decision, self.signer())

    def replay(self, decision: Decision) -> Replay:
        """A decision computed again from what it froze, in a process of its own; one at a time, whoever asks.

        BusyError where others' take too long, InvalidInputError for a decision that froze nothing.
        """
        if not _REPLAYING.acquire(timeout=PATIENCE):
            raise BusyError("Other decisions are being replayed.", "Try again, or use `lineward decision replay FILE`.")
        try:
            return replay(decision, reevaluate)
        finally:
            _REPLAYING.release()


def governance(
    access: Access,
    append: Callable[[Submission], Receipt],
    signer: Callable[[], CryptoSigner],
    *,
    worker: Worker | None = None,
    authoritative: Authoritative = everyone,
    lag: Callable[[], float] | None = None,
    observed: Observed = unobserved,
    failed: Callable[[Exception], None] = lambda _error: None,
    clock: Callable[[], int] = microseconds_now,
    others: OthersBetween | None = None,
) -> Governance:
    """All parts over one log. See `Journal`, `Judge` and `Gate` for what is optional."""
    journal = Journal(access, append, clock=clock)
    judge = Judge(authoritative, worker, failed=failed, others=others)
    return Governance(
        journal,
        Register(journal, authoritative),
        judge,
        Gate(journal, judge, lag=lag, observed=observed),
        signer,
    )
