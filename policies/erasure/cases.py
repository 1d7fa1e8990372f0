"""Cases: erasures with what is decided about each model version that rests on what was erased (GDPR, Art. 17 and 19).

A case opens when somebody tells that rows were erased from datasets, or when bodies of the log are erased. It is worked
out from the acts whenever it is asked for. Which of several dispositions of one version counts is a question of their
times alone, so their order in the log changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import ValidationError

from catalog import rfc3339
from catalog.act import Act
from catalog.erasure.redaction import Body, Decline, Dispose, Erase, Propose, Way
from catalog.errors import CorruptLogError
from catalog.identity import NodeKind, structure
from catalog.lineage.remains import ErasedRows
from catalog.reading import Reading

Micros = int


@dataclass(frozen=True, slots=True)
class Disposition:
    """What somebody decided about one version; `expires` (µs) is the end of an acceptance."""

    id: str
    version: str
    way: Way
    by: str
    at: Micros
    reason: str
    successor: str | None
    expires: Micros | None

    def stands(self, instant: Micros) -> bool:
        return self.expires is None or instant < self.expires


@dataclass(frozen=True, slots=True)
class Case:
    """An erasure and its dispositions. `id` is the node id of the proposal, `opened` when the case did, µs.

    Rows went from `datasets` before `before` (µs); `runs` are those whose records went, `told` the versions that
    rested on it when it was done. `erased` are positions of the log.
    """

    id: str
    opened: Micros
    before: Micros
    basis: str
    reason: str
    by: str
    datasets: frozenset[str]
    runs: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    touched: frozenset[str] = frozenset()
    erased: tuple[int, ...] = ()
    dispositions: tuple[Disposition, ...] = ()

    @property
    def rows(self) -> ErasedRows:
        return ErasedRows(self.datasets, self.runs, self.before)

    @property
    def due(self) -> Micros:
        """One month after it opened: until then the person has to be answered (GDPR, Art. 12(3))."""
        opened = datetime.fromtimestamp(self.opened / 1_000_000, UTC)
        year, month = divmod(opened.year * 12 + opened.month, 12)
        day = opened.day
        while True:
            try:
                end = opened.replace(year=year, month=month + 1, day=day)
            except ValueError:
                day -= 1  # a shorter month ends earlier
            else:
                return self.opened + round((end - opened).total_seconds()) * 1_000_000

    def disposition(self, version: str, instant: Micros) -> Disposition | None:
        """The last one on a version by an instant, whether it stands or not; of one moment the later in the log."""
        made = [each for each in self.dispositions if each.version == version and each.at <= instant]
        return made[-1] if made else None

    def is_open_for(self, version: str, instant: Micros) -> bool:
        """Whether nothing that stands is decided about a version."""
        held = self.disposition(version, instant)
        return held is None or not held.stands(instant)


def cases_of(reading: Reading, instant: Micros) -> list[Case]:
    """The cases that were opened by an instant (µs) and not taken back by then, in the order of their opening."""
    return cases(act for act in reading.acts(NodeKind.REDACTION) if act.at <= instant)


def cases(acts: Iterable[Act]) -> list[Case]:
    """The cases that some acts amount to; in whatever order they come."""
    found = _Fold()
    for act in sorted(acts, key=lambda each: (each.at, each.seq)):
        found.take(act)
    return sorted(found.opened.values(), key=lambda case: (case.opened, case.id))


class _Fold:
    """Acts in the order of their times."""

    def __init__(self) -> None:
        self.opened: dict[str, Case] = {}
        self._erasures: dict[str, str] = {}  # an erase act → its proposal

    def take(self, act: Act) -> None:
        kind = _VERBS.get(act.verb)
        said = None if kind is None else _read(act, kind)
        match said:
            case Propose():
                if said.concerns:
                    self.opened[act.id] = _opened(act, said, frozenset(said.concerns))
            case Erase():
                self._erase(act, said)
            case Decline():
                self.opened.pop(said.refers_to, None)
            case Dispose():
                self._dispose(act, said)

    def _erase(self, act: Act, said: Erase) -> None:
        self._erasures[act.id] = said.refers_to
        case = self.opened.get(said.refers_to)
        if case is None:
            case = replace(_opened(act, said, frozenset(said.concerns)), id=said.refers_to)
        touched = frozenset(node for each in said.erased for node in each.touches)
        runs = frozenset(node for node in touched if structure(node) is NodeKind.RUN)
        told = frozenset(said.reached.models) if said.reached else frozenset()
        erased = tuple(each.seq for each in said.erased)
        self.opened[case.id] = replace(case, runs=runs, told=told, touched=touched, erased=erased)

    def _dispose(self, act: Act, said: Dispose) -> None:
        case = self.opened.get(self._erasures.get(said.refers_to, said.refers_to))
        if case is None or said.by.person is None:
            return
        expires = None if said.expires_at is None else rfc3339.parse(said.expires_at)
        made = Disposition(
            act.id, said.version, said.disposition, said.by.person, act.at, said.reason, said.successor, expires
        )
        self.opened[case.id] = replace(case, dispositions=(*case.dispositions, made))


_VERBS: dict[str, type[Body]] = {"propose": Propose, "erase": Erase, "decline": Decline, "dispose": Dispose}


def _opened(act: Act, said: Propose | Erase, datasets: frozenset[str]) -> Case:
    by = said.by.person or said.by.principal
    return Case(act.id, act.at, act.at, said.basis, said.reason, by, datasets)


def _read(act: Act, kind: type[Body]) -> Body:
    try:
        return kind.model_validate(act.body)
    except ValidationError as error:
        raise CorruptLogError(
            f"entry {act.seq} is no {act.verb} of an erasure that Lineward wrote: {error}",
            "Restore the log from a backup.",
        ) from error
