"""The release gate: may this version go into that environment now?

An answer is computed from one reading of the log and written into the log before it is given. Whatever goes wrong on
the way, the answer is never ALLOW: it is INDETERMINATE, with the reason, or with an id under which the cause is logged.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import structlog

from catalog.act import Act
from catalog.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    LinewardError,
    NotFoundError,
    RetryableError,
    StaleProjectionError,
    UnauthenticatedError,
    WrongLogError,
)
from catalog.identity import ACTS
from catalog.instant import text
from catalog.model import AsOf, Node, NodeRef
from catalog.principal import Principal, Scope
from catalog.reading import Reading
from catalog.tracing import span
from policies import acts
from policies.acts import Decide, RollbackTo, Snapshot
from policies.formats.document import control_document
from policies.journal import Journal, Recorded
from policies.judge import Judge, Judged
from policies.lapse import ALLOW_MICROS
from policies.request import DecideRequest
from policies.rollback import rollback_to
from policies.verdict import GateState, Report, Verdict

logger = structlog.get_logger(__name__)

MAX_LAG_SECONDS = 60.0
"""How far the projection may be behind the log for a caller without a token, seconds, where no binding says less."""

_ATTEMPTS = 3  # evaluations beside the other acts, before one that keeps them waiting
_CALLERS_FAULT = (InvalidInputError, NotFoundError, ForbiddenError, UnauthenticatedError, WrongLogError)


@dataclass(frozen=True, slots=True)
class Ruling:
    """An answer of the gate: its whole body, as it is in the log.

    `act` and `token` are None for a preview, and where the log took no entry; `report` is None where it did not come
    to an evaluation.
    """

    body: Decide
    act: Act | None = None
    token: str | None = None
    report: Report | None = None

    @property
    def state(self) -> GateState:
        return GateState(self.body.state)

    @property
    def allow(self) -> bool:
        return self.state is GateState.ALLOW


@dataclass(frozen=True, slots=True)
class _Sight:
    """A reading to decide on, how many acts this process had written before it, and how old it may be, seconds."""

    reading: Reading
    written: int
    lag: float


Observed = Callable[[Ruling, float], None]
"""Hears each answer of the gate, and how long it took, seconds."""


def unobserved(ruling: Ruling, seconds: float) -> None:
    """Nobody counts."""


class Gate:
    """Decides. For use by any number of threads.

    `lag` tells how far the projection is behind the log, seconds; without it a gate does not decide while it is behind.
    """

    def __init__(
        self,
        journal: Journal,
        judge: Judge,
        *,
        lag: Callable[[], float] | None = None,
        max_lag: float = MAX_LAG_SECONDS,
        observed: Observed = unobserved,
    ) -> None:
        self._journal = journal
        self._judge = judge
        self._lag = lag
        self._max_lag = max_lag
        self._observed = observed

    def evaluate(
        self,
        principal: Principal,
        target: NodeRef,
        *,
        packs: Sequence[str] = (),
        environment: str | None = None,
        as_of: AsOf | None = None,
        at_least: str | None = None,
        evaluated_at: int | None = None,
    ) -> Judged:
        """What the policies say, now or as of then, without a decision. `evaluated_at` (µs) is by default that time.

        Raises what `Judge.judge` and `Access.reading` raise, ForbiddenError without `policy:evaluate` there.
        """
        valid = as_of.valid if as_of else None
        at = evaluated_at if evaluated_at is not None else valid if valid is not None else self._journal.now()
        with self._journal.access.reading(as_of, at_least) as reading:
            node = _found(reading, target)
            principal.require(Scope.POLICY_EVALUATE, node.namespace)
            return self._judge.judge(
                reading,
                node,
                environment=environment,
                packs=packs,
                requester=_requester(principal),
                evaluated_at=at,
            )

    def decide(self, principal: Principal, request: DecideRequest) -> Ruling:
        """The answer, which is in the log unless it is a preview.

        Raises only what the caller has to correct: an unknown target, pack or token, or a scope that is missing.
        """
        began = time.perf_counter()
        with span("policy.evaluate"):
            ruling = self._answer(principal, request)
        self._observed(ruling, time.perf_counter() - began)
        return ruling

    def _answer(self, principal: Principal, request: DecideRequest) -> Ruling:
        try:
            return self._decided(principal, request)
        except _CALLERS_FAULT:
            raise
        except (RetryableError, ConflictError) as error:
            return self._undecided(principal, request, f"{error.message} {error.remedy}".strip(), None)
        except Exception:
            error_id = str(uuid4())
            logger.exception("gate.failed", error_id=error_id, environment=request.environment)
            reason = f"The gate could not decide, for a reason that the server has logged as {error_id}."
            return self._undecided(principal, request, reason, error_id)

    # Deciding --------------------------------------------------------------------------------------------------

    def _decided(self, principal: Principal, request: DecideRequest) -> Ruling:
        """Evaluate beside the other acts; an act that comes in between makes it begin again."""
        for _ in range(_ATTEMPTS):
            with self._sight(request) as sight:
                ruling = self._ruled(principal, request, sight)
            if request.preview:
                return ruling
            recorded = self._journal.write_after(ruling.body, sight.written)
            if recorded is not None:
                return self._answered(ruling, recorded)
        with self._journal.turn() as turn:
            ruling = self._ruled(principal, request, _Sight(turn.reading, self._journal.written, 0.0))
            recorded = self._journal.write(ruling.body)
        return self._answered(ruling, recorded)

    @contextmanager
    def _sight(self, request: DecideRequest) -> Iterator[_Sight]:
        """A reading that has seen the caller's token and every act, and else is no older than the limit."""
        written = self._journal.written
        access = self._journal.access
        lag = 0.0
        wanted = self._journal.acts_and(request.at_least or self._journal.everything())
        try:
            with access.reading(at_least=wanted):
                pass
        except StaleProjectionError:
            lag = self._tolerated(request)
            wanted = self._journal.acts_and(request.at_least)
        with access.reading(at_least=wanted) as reading:
            yield _Sight(reading, written, lag)

    def _tolerated(self, request: DecideRequest) -> float:
        """How old the projection is, seconds. Raises StaleProjectionError where that is more than a decision bears."""
        lag = None if self._lag is None or request.at_least is not None else self._lag()
        if lag is None or lag > self._max_lag:
            told = "" if lag is None else f" by {lag:.0f} seconds"
            raise _stale(told)
        return lag

    def _ruled(self, principal: Principal, request: DecideRequest, sight: _Sight) -> Ruling:
        self._refuse_graph_of_another_log(sight.reading)
        node = _found(sight.reading, request.target)
        principal.require(Scope.POLICY_EVALUATE, node.namespace)
        at = self._journal.now()
        judged = self._judge.judge(
            sight.reading,
            node,
            environment=request.environment,
            packs=request.packs,
            requester=_requester(principal),
            evaluated_at=at,
            use=request.use,
        )
        limit = judged.selection.max_lag
        if limit is not None and sight.lag > limit:
            raise _stale(f" by {sight.lag:.0f} seconds, and a binding allows {limit}")
        state, reasons, rollback = judged.report.state, judged.report.reasons, None
        if request.rollback and judged.selection.bindings:
            state, reasons, rollback = _rolled_back(sight.reading, principal, node, request.environment, at)
        body = self._body(principal, request, sight.reading, node, at, judged, state, reasons, rollback)
        return Ruling(body, report=judged.report)

    def _refuse_graph_of_another_log(self, reading: Reading) -> None:
        """An older log was put back, and the graph has not been made again: it shows what the log does not hold."""
        size = self._journal.access.log_state().size
        if reading.known > size:
            raise StaleProjectionError(
                f"The graph holds {reading.known} entries and the log {size}: they do not belong together.",
                "Try again in a moment, when the graph has been made again; `lineward doctor` says how far it is.",
            )

    def _body(
        self,
        principal: Principal,
        request: DecideRequest,
        reading: Reading,
        node: Node,
        at: int,
        judged: Judged,
        state: GateState,
        reasons: Sequence[str],
        rollback: RollbackTo | None,
    ) -> Decide:
        return acts.make(
            Decide,
            principal,
            at,
            target=acts.target_of(node),
            environment=request.environment,
            use=request.use,
            requester=_requester(principal),
            state=state.value,
            reasons=tuple(reasons),
            preview=request.preview,
            snapshot=self._snapshot(reading.known),
            evaluated_at=text(at),
            evidence=dict(judged.built.document),
            evidence_digest=judged.built.digest,
            packs=tuple(used for _, used in judged.selection.packs),
            bindings=judged.selection.bindings,
            controls=tuple(map(control_document, judged.report.controls)),
            approvals=tuple(each.id for each in judged.built.evidence.approvals),
            waivers=tuple(each.plain() for each in judged.waivers),
            baselines=judged.baselines(),
            next_flip_at=judged.next_flip_at,
            expires_at=text(at + ALLOW_MICROS) if state is GateState.ALLOW else None,
            verdict=judged.report.verdict.value,
            rollback=rollback,
        )

    def _snapshot(self, known: int) -> Snapshot:
        state = self._journal.access.log_state()
        return Snapshot(origin=state.origin, log_size=state.size, root=state.root.hex(), known=known)

    # Not deciding ----------------------------------------------------------------------------------------------

    def _undecided(self, principal: Principal, request: DecideRequest, reason: str, error_id: str | None) -> Ruling:
        """INDETERMINATE, recorded where the log takes entries."""
        node, known = self._glimpse(request.target)
        principal.require(Scope.POLICY_EVALUATE, _namespace(request.target) if node is None else node.namespace)
        at = self._journal.now()
        body = acts.make(
            Decide,
            principal,
            at,
            target=None if node is None else acts.target_of(node),
            environment=request.environment,
            use=request.use,
            requester=_requester(principal),
            state=GateState.INDETERMINATE.value,
            reasons=(reason,),
            preview=request.preview,
            snapshot=self._snapshot(known),
            evaluated_at=text(at),
            verdict=Verdict.ERROR.value,
            error_id=error_id,
        )
        if request.preview:
            return Ruling(body)
        try:
            with self._journal.alone():
                recorded = self._journal.write(body)
        except Exception:
            logger.exception("gate.unrecorded", error_id=error_id, reason=reason)
            return Ruling(body)
        return Ruling(body, recorded.act, recorded.token)

    def _glimpse(self, target: NodeRef) -> tuple[Node | None, int]:
        """The target and the projected size, as far as the store says without waiting."""
        try:
            with self._journal.access.reading() as reading:
                return reading.find(target), reading.known
        except Exception:
            logger.exception("gate.blind")
            return None, 0

    def _answered(self, ruling: Ruling, recorded: Recorded) -> Ruling:
        self._journal.settle(recorded)
        return Ruling(ruling.body, recorded.act, recorded.token, ruling.report)


def _rolled_back(
    reading: Reading, principal: Principal, node: Node, environment: str, at: int
) -> tuple[GateState, tuple[str, ...], RollbackTo | None]:
    """What a rollback comes to: ALLOW, PENDING while the one person is missing, or DENY."""
    try:
        back = rollback_to(reading, principal, node, environment, at)
    except ForbiddenError as error:
        return GateState.PENDING, (_said(error),), None
    except (NotFoundError, ConflictError) as error:
        return GateState.DENY, (_said(error),), None
    reason = f"{back.person} rolls back to what was allowed on {back.allowed_at} (decision {back.decision})."
    return GateState.ALLOW, (reason,), back


def _said(error: LinewardError) -> str:
    return f"{error.message} {error.remedy}".strip()


def _stale(how: str) -> StaleProjectionError:
    return StaleProjectionError(
        f"The graph is behind the log{how}: nothing is decided on old facts.",
        "Try again in a moment; `lineward doctor` says whether the projector runs.",
    )


def _found(reading: Reading, target: NodeRef) -> Node:
    node = reading.find(target)
    if node is None or node.kind in ACTS:
        raise NotFoundError("Nothing in the catalog has that name.", "Check namespace, name and version.")
    return node


def _namespace(target: NodeRef) -> str | None:
    """The namespace that a reference names; None for an id or a run."""
    named = target.model or target.dataset or target.job or (target.field[0] if target.field else None)
    return None if named is None else named.namespace


def _requester(principal: Principal) -> str:
    """Who asks: the person, else the machine."""
    return principal.person or principal.name
