"""Judging one target: its evidence, the packs that the bindings choose, and what these say together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256

from catalog.errors import InvalidInputError
from catalog.instant import text
from catalog.model import Node
from catalog.reading import Reading
from policies.acts import BaselineUsed, PackUsed
from policies.evaluation import Evaluation, evaluate, undecided
from policies.evidence.builder import Built, build_evidence, everyone
from policies.evidence.document import canonical
from policies.evidence.draft import Authoritative
from policies.evidence.kept import KeptEvidence, OthersBetween
from policies.in_force import in_force
from policies.library import built_in
from policies.loading import load_pack
from policies.pack import PolicyPack
from policies.report import report
from policies.sandbox import SandboxError, Worker
from policies.selection import Selection, Shelf, select
from policies.standing import standing_waivers
from policies.verdict import ControlResult, GateState, Report
from policies.waiving import Waiver, waiver_of

_EVALUATE = "policies.evaluation:evaluate"


@lru_cache(maxsize=64)
def shipped(name: str) -> PolicyPack | None:
    """A pack that comes with the program."""
    path = built_in().get(name)
    return None if path is None else load_pack(path)


@dataclass(frozen=True, slots=True)
class Judged:
    """A report with all that it was computed from, `known` entries of the log among it.

    `next_flip_at` is also the time at which other statements count.
    """

    report: Report
    built: Built
    selection: Selection
    waivers: tuple[Waiver, ...]
    known: int
    requester: str

    @property
    def next_flip_at(self) -> str | None:
        turns = None if self.built.turns_at is None else text(self.built.turns_at)
        return min((each for each in (self.report.next_flip_at, turns) if each), default=None)

    def baselines(self) -> tuple[BaselineUsed, ...]:
        """As a decision freezes them: without findings on other targets."""
        found = []
        for each in self.selection.baselines:
            own = sorted((f for f in each.findings if f[0] == self.report.target), key=repr)
            if own:
                until, since = text(each.until), text(each.since)
                used = BaselineUsed(act=each.act, binding=each.binding, since=since, until=until, findings=tuple(own))
                found.append(used)
        return tuple(found)


class Judge:
    """Evaluates targets: in a worker process where one is given, so that no pack can harm the service.

    `authoritative` says whether a sender's facets of governance count in a namespace, `shelf` finds packs that a caller
    may add although they are not in force. With `others` evidence is kept from one judgement to the next.
    """

    def __init__(
        self,
        authoritative: Authoritative = everyone,
        worker: Worker | None = None,
        shelf: Shelf = shipped,
        failed: Callable[[Exception], None] = lambda _error: None,
        others: OthersBetween | None = None,
    ) -> None:
        self._authoritative = authoritative
        self._kept = None if others is None else KeptEvidence(others, authoritative)
        self._worker = worker
        self._shelf = shelf
        self._failed = failed

    def judge(
        self,
        reading: Reading,
        target: Node,
        *,
        environment: str | None,
        packs: Sequence[str],
        requester: str,
        evaluated_at: int,
        use: str | None = None,
        selection: Selection | None = None,
    ) -> Judged:
        """What the packs for an environment, and those that the caller adds, say at an instant (µs).

        For a named `use`, approvals for another use are no evidence; without one, those for any use are. `selection` is
        what judges the target, where the caller knows.
        The state is INDETERMINATE where no binding chooses a pack. Raises NotFoundError for a pack that there is not,
        InvalidInputError for a target that no policy judges, ConflictError for bindings that do not fit.
        """
        if selection is None:
            selection = select(in_force(reading, evaluated_at), target, environment, packs, self._shelf)
        built = _for_use(self._built(reading, target.id, evaluated_at), use)
        standing = standing_waivers(reading, target.id, built.closure) if built.closure else []
        waivers = tuple(each for each in map(waiver_of, standing) if each is not None and each.counts(evaluated_at))
        told = report(
            [
                (pack, self._evaluated(pack, used, built, environment, requester, evaluated_at))
                for pack, used in selection.packs
            ],
            target=target.id,
            evidence_digest=built.digest,
            evaluated_at=evaluated_at,
            environment=environment,
            closure_digest=built.closure.digest if built.closure else None,
            waivers=waivers,
            baselines=selection.baselines,
            witnesses=built.witnesses,
        )
        if not selection.bindings:
            told = replace(told, state=GateState.INDETERMINATE, reasons=(_unbound(target, environment),))
        return Judged(told, built, selection, waivers, reading.known, requester)

    def _built(self, reading: Reading, target: str, evaluated_at: int) -> Built:
        if self._kept is not None:
            return self._kept.of(reading, target, evaluated_at)
        return build_evidence(reading, target, evaluated_at=evaluated_at, authoritative=self._authoritative)

    def _evaluated(
        self,
        pack: PolicyPack,
        used: PackUsed,
        built: Built,
        environment: str | None,
        requester: str,
        evaluated_at: int,
    ) -> list[ControlResult]:
        asked = Evaluation(
            used.document,
            built.document,
            evaluated_at,
            environment,
            requester,
            used.params,
            used.enforcement,
            used.digest,
            built.digest,
        )
        try:
            found: list[ControlResult] = evaluate(asked) if self._worker is None else self._worker.run(_EVALUATE, asked)
        except (SandboxError, InvalidInputError, ValueError) as error:
            self._failed(error)
            return undecided(
                pack, str(error), evaluated_at=evaluated_at, document=built.document, enforcement=used.enforcement
            )
        return found


def _for_use(built: Built, use: str | None) -> Built:
    """The evidence without approvals for another use."""
    given = built.evidence.approvals
    kept = tuple(each for each in given if use is None or each.use in (None, use))
    if kept == given:
        return built
    evidence = built.evidence.model_copy(update={"approvals": kept})
    document = evidence.plain()
    content = canonical(document)
    digest = f"sha256:{sha256(content).hexdigest()}"
    return replace(built, evidence=evidence, document=document, bytes=content, digest=digest)


def _unbound(target: Node, environment: str | None) -> str:
    if environment is None:
        return "No environment was named, so no binding chooses what must hold."
    where = f"{target.name} in {target.namespace}"
    return f"No binding in force covers {where} for the environment {environment}: `lineward policy apply` brings one."
