"""What a pack says of one target: a pure function of the pack, the evidence document and the decision time.

Nothing here reads a clock, a file or a graph: equal arguments give equal results, today and years later.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from catalog import instant
from catalog.canonical import quickly
from catalog.model import GapKind
from catalog.remembered import Remembered
from policies.compiled import CompiledCheck, CompiledControl, CompiledRequire, compile_pack
from policies.enforcing import Enforcing, parse_settings, strictest
from policies.engine import Activation, Outcome, Program
from policies.moments import moments_of, timed_programs
from policies.pack import GAPS, Control, PolicyPack, Target, filled
from policies.senders import senders_of
from policies.timeline import instants, turning_days
from policies.verdict import ControlResult, ItemResult, Missing, Verdict, roll_up

MOST_TRIALS = 5_000
"""How many expressions a control may evaluate to find out when time alone changes its verdict."""

TROUBLED = frozenset({Verdict.ERROR, Verdict.FAIL, Verdict.UNKNOWN})

_KINDS = {
    Target.MODEL_VERSION: "MODEL_VERSION",
    Target.DATASET_VERSION: "DATASET_VERSION",
    Target.RUN: "RUN",
    Target.DEPLOYMENT: "DEPLOYMENT",
}
_UNREAD = frozenset({"schema", "facts"})
_OF_APPROVALS = "approvals"
_NOW = "evaluatedAt"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One pack on one evidence document. Plain values only, so that it can go to another process."""

    pack: Mapping[str, Any]  # normalised
    document: Mapping[str, Any]
    evaluated_at: int  # µs
    environment: str | None = None
    requester: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    enforcement: Mapping[str, str] = field(default_factory=dict)
    digest: str | None = None  # of the pack, where it may be kept for the next evaluation
    evidence_digest: str | None = None  # of the document, where what was worked out of it may be kept too

    def context_key(self) -> Hashable:
        """What an evaluation depends on beside its time; None where its digests are not told."""
        if self.digest is None or self.evidence_digest is None:
            return None
        settings = quickly([dict(self.params), dict(self.enforcement)])
        return settings and (self.digest, self.evidence_digest, self.environment, self.requester, settings)


_MOST_KEPT = 64
_MOST_RECORDS = 4_000  # of evidence in a generation: their values take some ten kilobytes each
_kept: dict[str, PolicyPack] = {}
_contexts: "Remembered[Hashable, _Context]" = Remembered(_MOST_RECORDS)


def _pack_of(asked: Evaluation) -> PolicyPack:
    """The pack, made once for each digest: making it takes as long as evaluating it."""
    if asked.digest is None:
        return PolicyPack.model_validate(asked.pack)
    found = _kept.get(asked.digest)
    if found is None:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        found = _kept[asked.digest] = PolicyPack.model_validate(asked.pack)
    return found


def evaluate(asked: Evaluation) -> list[ControlResult]:
    """`evaluate_pack` for a worker: everything in one argument.

    A version is asked for again and again, and between two times little but the time has changed: what expressions that
    do not read `evaluatedAt` came to is found again by the digests of pack and document.
    """
    return _evaluated(_context_of(asked), asked.evaluated_at)


def _context_of(asked: Evaluation) -> "_Context":
    key = asked.context_key()
    found = None if key is None else _contexts.find(key)
    if found is None:
        pack = _pack_of(asked)
        found = _context(pack, asked.document, asked.environment, asked.requester, asked.params, asked.enforcement)
        if key is not None:
            _contexts.keep(key, found, 1 + sum(len(part) for part in asked.document.values() if isinstance(part, list)))
    return found


def evaluate_pack(
    pack: PolicyPack,
    document: Mapping[str, Any],
    *,
    evaluated_at: int,
    environment: str | None = None,
    requester: str | None = None,
    params: Mapping[str, Any] | None = None,
    enforcement: Mapping[str, str] | None = None,
) -> list[ControlResult]:
    """Every control of the pack, in its order. `evaluated_at` in µs.

    `params` are what bindings set (the rest is the pack's defaults), `enforcement` as in `policies.enforcing`.
    Raises InvalidInputError (or a ValueError naming the param) for a pack, params or a document that mean nothing.
    """
    context = _context(pack, document, environment, requester, params, enforcement)
    return _evaluated(context, evaluated_at)


def _context(
    pack: PolicyPack,
    document: Mapping[str, Any],
    environment: str | None,
    requester: str | None,
    params: Mapping[str, Any] | None,
    enforcement: Mapping[str, str] | None,
) -> "_Context":
    values, enforcing = pack.values(params), parse_settings(enforcement or {})
    return _Context(pack, document, values, environment or "", requester or "", enforcing)


def _evaluated(context: "_Context", evaluated_at: int) -> list[ControlResult]:
    return [_Judgement(context, control).result(evaluated_at) for control in compile_pack(context.pack).controls]


def undecided(
    pack: PolicyPack, why: str, *, evaluated_at: int, document: Mapping[str, Any], enforcement: Mapping[str, str]
) -> list[ControlResult]:
    """Every control as an error: for a pack whose evaluation was stopped."""
    context = _Context(pack, document, pack.values(), "", "", parse_settings(enforcement))
    verdict = _Verdict((ItemResult(None, "evaluation", Verdict.ERROR, why),))
    return [_told(context, control, verdict, evaluated_at) for control in pack.controls]


class _Context:
    """What all controls of a pack see."""

    def __init__(
        self,
        pack: PolicyPack,
        document: Mapping[str, Any],
        params: Mapping[str, Any],
        environment: str,
        requester: str,
        enforcing: list[Enforcing],
    ) -> None:
        self.pack = pack
        self.params = params
        self.environment = environment
        self.enforcing = enforcing
        self.document = {name: value for name, value in document.items() if name not in _UNREAD}
        self.subject: Mapping[str, Any] = self.document.get("subject") or {}
        self.outcomes: dict[tuple[Program, int | None], Outcome] = {}  # of programs that no time changes
        self._base = Activation(
            {**self.document, "params": dict(params), "environment": environment, "requester": requester}
        )

    def at(self, micros: int) -> Activation:
        return self._base.having(_NOW, instant.text(micros))

    def gaps(self, kinds: Iterable[str]) -> Iterator[tuple[str, str, str]]:
        """Kind, node and reason of the gaps of some kinds."""
        lineage = self.document.get("lineage") or {}
        wanted = frozenset().union(*(GAPS[kind] for kind in kinds))
        for gap in lineage.get("gaps") or ():
            if gap["kind"] in wanted:
                yield gap["kind"], gap["node"], gap["reason"]
        if "TRUNCATED" in wanted and lineage.get("truncated"):
            yield "TRUNCATED", str(self.subject.get("id", "")), "what is upstream was cut off"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a control says at one instant. `per_item` holds the results of each element of a forEach."""

    items: tuple[ItemResult, ...] = ()
    note: str = ""
    applies: bool = True
    blocked_by: tuple[str, ...] = ()
    waits: bool = False  # nothing is amiss but approvals
    per_item: tuple[tuple[ItemResult, ...], ...] = ()
    elements: tuple[Any, ...] = ()

    @property
    def verdict(self) -> Verdict:
        if not self.applies:
            return Verdict.NOT_APPLICABLE
        told = roll_up(each.verdict for each in self.all_items())
        return Verdict.PASS if told is Verdict.NOT_APPLICABLE else told

    def all_items(self) -> Iterator[ItemResult]:
        yield from self.items
        for each in self.per_item:
            yield from each


class _Course:
    """The verdict of a control as time goes on, its elements exchanged one by one."""

    def __init__(self, begin: _Verdict) -> None:
        self.elements = begin.elements
        self.per_item = list(begin.per_item)
        self._begin = begin
        self._counts = Counter(item.verdict for item in begin.all_items())

    def replace(self, index: int, items: tuple[ItemResult, ...]) -> None:
        self._counts.subtract(item.verdict for item in self.per_item[index])
        self._counts.update(item.verdict for item in items)
        self.per_item[index] = items

    @property
    def verdict(self) -> Verdict:
        if not self.per_item:
            return self._begin.verdict
        return roll_up(verdict for verdict, count in self._counts.items() if count)


class _Judgement:
    """One control on one document."""

    def __init__(self, context: _Context, compiled: CompiledControl) -> None:
        self._context = context
        self._compiled = compiled
        self._control = compiled.control
        self._trials = 0

    def result(self, at: int) -> ControlResult:
        found = self._judge(at)
        told = _told(self._context, self._control, found, at, self._compiled.fields)
        flip = self._next_flip(found, told, at)
        return replace(told, next_flip_at=instant.optional_text(flip))

    # One instant -------------------------------------------------------------------------------------------------

    def _judge(self, at: int) -> _Verdict:
        if note := self._elsewhere():
            return _Verdict(note=note, applies=False)
        if blocked := self._blocked(self._always_blocked_by()):
            return blocked
        seen = self._context.at(at)
        if self._compiled.applies is not None:
            outcome = self._run(self._compiled.applies, seen)
            if outcome.kind != "value":
                return _Verdict((_item(None, "applies", outcome, "whether it applies is not known"),))
            if not outcome.value:
                return _Verdict(note="its condition does not hold", applies=False)
        if blocked := self._blocked(self._control.inputs.blocked_by):
            return blocked
        if unmet := self._unmet(seen):
            return _Verdict(tuple(item for item, _ in unmet), waits=self._waits(unmet))
        if self._compiled.for_each is None:
            return self._whole(seen)
        return self._each(seen)

    def _elsewhere(self) -> str:
        """Why this is not what the control looks at."""
        wanted = _KINDS[self._control.target]
        if self._context.subject.get("kind") != wanted:
            return f"it is about a {wanted}"
        environments = self._control.environments
        if environments and self._context.environment not in environments:
            return f"it is about {', '.join(environments)}"
        return ""

    def _blocked(self, kinds: Iterable[str]) -> _Verdict | None:
        found = list(self._context.gaps(kinds))
        if not found:
            return None
        items = [ItemResult(node, "inputs", Verdict.UNKNOWN, f"{kind}: {reason}") for kind, node, reason in found]
        return _Verdict(tuple(items), blocked_by=tuple(sorted({kind for kind, _, _ in found})))

    def _always_blocked_by(self) -> Iterator[str]:
        """What was erased might have made it apply, or fail: every control that reads more than approvals."""
        if any(not field.startswith(_OF_APPROVALS) for field in self._compiled.fields):
            yield GapKind.ERASED.value

    def _unmet(self, seen: Activation) -> list[tuple[ItemResult, Program]]:
        """The requirements of the whole that do not hold."""
        return [
            (item, each.program)
            for each in self._compiled.requires
            if not each.per_item and (item := self._required(each, seen, None)) is not None
        ]

    def _required(
        self, each: CompiledRequire, seen: Activation, key: str | None, index: int | None = None
    ) -> ItemResult | None:
        outcome = self._run(each.program, seen, index)
        if outcome.kind == "value" and outcome.value:
            return None
        return _item(key, "requires", outcome, filled(each.require.missing, self._context.params), Verdict.UNKNOWN)

    def _whole(self, seen: Activation) -> _Verdict:
        found = [(self._checked(each, seen, None), each.program) for each in self._compiled.checks]
        return _Verdict(tuple(item for item, _ in found), waits=self._waits(found))

    def _each(self, seen: Activation) -> _Verdict:
        loop = self._compiled.for_each
        assert loop is not None
        outcome = self._run(loop.items, seen)
        if outcome.kind != "value":
            return _Verdict((_item(None, "forEach", outcome, "what to look at is not known"),))
        elements = tuple(outcome.value)
        per_item = [self._element(seen, element, index) for index, element in enumerate(elements)]
        return _Verdict(per_item=tuple(per_item), elements=elements, waits=self._waits(self._with_programs(per_item)))

    def _element(self, seen: Activation, element: Any, index: int) -> tuple[ItemResult, ...]:
        loop = self._compiled.for_each
        assert loop is not None
        inner = seen.having(loop.name, element)
        named = self._run(loop.key, inner, index)
        key = str(named.value) if named.kind == "value" else f"#{index + 1}"
        unmet = [self._required(each, inner, key, index) for each in self._compiled.requires if each.per_item]
        if lacking := tuple(each for each in unmet if each is not None):
            return lacking
        return tuple(self._checked(each, inner, key, index) for each in self._compiled.checks)

    def _checked(self, each: CompiledCheck, seen: Activation, key: str | None, index: int | None = None) -> ItemResult:
        outcome = self._run(each.program, seen, index)
        if outcome.kind == "value" and outcome.value:
            return ItemResult(key, each.check.id, Verdict.PASS)
        return _item(key, each.check.id, outcome, self._message(each, seen, index))

    def _message(self, each: CompiledCheck, seen: Activation, index: int | None) -> str:
        if each.message is None:
            return filled(each.check.message, self._context.params)
        worded = self._run(each.message, seen, index)
        return worded.value if worded.kind == "value" else f"{each.check.id} does not hold"

    def _run(self, program: Program, seen: Activation, index: int | None = None) -> Outcome:
        """What a program comes to, worked out once where no time changes it; `index` of the element that is seen."""
        self._trials += 1
        loop = self._compiled.for_each
        if _NOW in program.roots or (index is not None and loop is not None and _NOW in loop.items.roots):
            return program.evaluate(seen)
        found = self._context.outcomes.get((program, index))
        if found is None:
            found = self._context.outcomes[program, index] = program.evaluate(seen)
        return found

    # Waiting for approvals ---------------------------------------------------------------------------------------

    def _with_programs(self, per_item: Iterable[tuple[ItemResult, ...]]) -> list[tuple[ItemResult, Program]]:
        programs = {each.check.id: each.program for each in self._compiled.checks}
        required = next((each.program for each in self._compiled.requires if each.per_item), None)
        return [
            (item, program)
            for items in per_item
            for item in items
            if (program := programs.get(item.check, required)) is not None
        ]

    def _waits(self, found: Iterable[tuple[ItemResult, Program]]) -> bool:
        """Whether approvals alone would do: nothing else fails, and nothing else is missing."""
        if self._control.awaits is None:
            return False
        troubled = [(item, program) for item, program in found if item.verdict in TROUBLED]
        return bool(troubled) and all(_is_about_approvals(item, program) for item, program in troubled)

    # When time changes it ----------------------------------------------------------------------------------------

    def _next_flip(self, now: _Verdict, told: ControlResult, at: int) -> int | None:
        """The first instant after `at` at which the verdict, or whether a finding blocks, is another.

        Time enters an expression where `evaluatedAt`, plus or minus some days, is compared with a time in the evidence;
        so between the instants that those make, nothing changes. They are tried in their order; where that would take
        too long, the next one untried is the answer: look again then.
        """
        flips = [self._verdict_flip(now, at), self._enforcement_flip(told, at)]
        return min((each for each in flips if each is not None), default=None)

    def _verdict_flip(self, now: _Verdict, at: int) -> int | None:
        if self._elsewhere() or self._is_settled(now):
            return None
        moments = list(moments_of(self._compiled, self._context.document, now.elements, self._context.params, at))
        self._trials = 0
        if now.verdict is Verdict.FAIL and self._fails_for_good(now, moments):
            return None
        course = _Course(now)
        for moment, elements in moments:
            if self._trials > MOST_TRIALS:
                return moment
            if elements is None or not course.per_item:
                course = _Course(self._judge(moment))
            else:
                seen = self._context.at(moment)
                for index in elements:
                    course.replace(index, self._element(seen, course.elements[index], index))
            if course.verdict is not now.verdict:
                return moment
        return None

    def _fails_for_good(self, now: _Verdict, moments: list[tuple[int, frozenset[int] | None]]) -> bool:
        """Whether one of the first failing elements fails at all of its instants: then the whole does."""
        if not now.per_item or any(elements is None for _, elements in moments):
            return False
        failing = [index for index, items in enumerate(now.per_item) if _fails(items)]
        return any(
            all(
                _fails(self._element(self._context.at(moment), now.elements[index], index))
                for moment, elements in moments
                if elements and index in elements
            )
            for index in failing[:_LOOKED_AT]
        )

    def _is_settled(self, now: _Verdict) -> bool:
        """Whether something fails, or cannot be worked out, that time has no part in."""
        timed = timed_programs(self._compiled)
        if not timed:
            return True
        whole = [self._compiled.applies, *(each.program for each in self._compiled.requires)]
        if self._compiled.for_each is not None:
            whole.append(self._compiled.for_each.items)
        if any(program in timed for program in whole):
            return False
        lasting = {each.check.id for each in self._compiled.checks if each.program not in timed}
        return any(item.check in lasting and item.verdict is now.verdict for item in now.all_items()) and (
            now.verdict in (Verdict.FAIL, Verdict.ERROR)
        )

    def _enforcement_flip(self, told: ControlResult, at: int) -> int | None:
        if told.verdict not in TROUBLED:
            return None
        days = {*turning_days(self._context.pack, self._control)}
        days |= {each.advise_until for each in self._context.enforcing if each.advise_until is not None}
        for moment in instants(sorted(days)):
            if moment > at and self._enforced(moment) is not told.enforcement:
                return moment
        return None

    def _enforced(self, at: int) -> Any:
        context = self._context
        return strictest(context.enforcing, context.pack, self._control, context.subject, at)[0]


_LOOKED_AT = 20


def _fails(items: Iterable[ItemResult]) -> bool:
    return any(item.verdict is Verdict.FAIL for item in items)


def _is_about_approvals(item: ItemResult, program: Program) -> bool:
    reads = any(field.split(".")[0] == "approvals" for field in program.fields)
    lacks = all(each.path.split(".")[0] == "approvals" for each in item.missing)
    return item.verdict is not Verdict.ERROR and reads and lacks


def _item(key: str | None, check: str, outcome: Outcome, message: str, otherwise: Verdict = Verdict.FAIL) -> ItemResult:
    """What an expression that is not true says; `otherwise` where it is false."""
    match outcome.kind:
        case "value":
            return ItemResult(key, check, otherwise, message)
        case "unknown":
            missing = tuple(Missing(path, why_missing(path)) for path in outcome.missing)
            return ItemResult(key, check, Verdict.UNKNOWN, f"{message}: {outcome.message}", missing)
        case _:
            return ItemResult(key, check, Verdict.ERROR, f"it cannot be worked out: {outcome.message}")


def why_missing(path: str) -> str:
    """Who could have said a field, and has not."""
    told = senders_of(path)
    return f"not known; it comes by {' or '.join(told)}" if told else "not known"


def _told(context: _Context, control: Control, found: _Verdict, at: int, fields: tuple[str, ...] = ()) -> ControlResult:
    enforcement, advises = strictest(context.enforcing, context.pack, control, context.subject, at)
    note = f"It only advises: {advises}." if advises else ""
    return ControlResult(
        pack=context.pack.label,
        control=control.id,
        title=control.title,
        severity=control.severity,
        assurance=control.assurance.value,
        enforcement=enforcement,
        verdict=found.verdict,
        underlying=found.verdict,
        plain=filled(control.plain, context.params),
        citation=control.citation.article,
        remediation=filled(control.remediation, context.params),
        items=tuple(found.all_items()),
        blocked_by=found.blocked_by,
        fields=fields,
        awaits_approval=found.waits,
        waivable=control.waivable,
        note=note if found.applies else f"Not applicable: {found.note}.",
    )
