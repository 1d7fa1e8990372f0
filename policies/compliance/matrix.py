"""The matrix: what each control of one pack says of each model, at one position of the log and one instant.

Nobody in particular asks, as for standing verdicts: two readers with the same rights see the same. A position is fixed
by the first look and kept by all that follow, so that pages, reasons and files of one matrix never mix two states.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from catalog.access import Access
from catalog.errors import LinewardError, NotFoundError, RetryableError
from catalog.identity import NodeKind
from catalog.log.writer import microseconds_now
from catalog.model import AsOf, Node, NodeRef
from catalog.principal import Principal, Scope
from catalog.reading import Reading
from policies.in_force import InForce, in_force
from policies.judge import Judge, shipped
from policies.outcome import Outcome, outcome_of
from policies.pack import PolicyPack
from policies.selection import Selection, select
from policies.verdict import ControlResult, Verdict, roll_up

NOBODY = ""
"""Who asks: nobody in particular, so no approver is ruled out for asking."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a matrix is read: `valid` as for every read, `known` entries of the log; ages are those at `evaluated_at`.

    Instants are in µs.
    """

    valid: int | None
    known: int
    evaluated_at: int

    @property
    def as_of(self) -> AsOf:
        return AsOf(self.valid, self.known)


@dataclass(frozen=True, slots=True)
class Question:
    """Which matrix. `pack` is a name; with `latest` one version of each model is judged, the current one."""

    pack: str
    environment: str | None = None
    latest: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One version of a model; `version` is None for a model that has none, and `trouble` says why nothing was judged.

    `serves_in` are the environments in which it serves; `waivers` those of this pack that anybody ever asked for.
    """

    model: Node
    version: Node | None
    serves_in: tuple[str, ...] = ()
    controls: tuple[ControlResult, ...] = ()
    waivers: tuple[Outcome, ...] = ()
    next_flip_at: str | None = None
    trouble: str | None = None
    unjudged: Verdict = Verdict.UNKNOWN  # what it comes to where there is trouble

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        return self.unjudged if self.trouble else roll_up(each.verdict for each in self.controls)


class Matrix:
    """Answers questions about the matrix. For use by any number of threads."""

    def __init__(self, access: Access, judge: Judge, clock: Callable[[], int] = microseconds_now) -> None:
        self._access = access
        self._judge = judge
        self._clock = clock

    def position(self, principal: Principal, as_of: AsOf, evaluated_at: int | None = None) -> Position:
        """The position that a question names, what it leaves open filled in: `evaluated_at` is the valid time, or now.

        Raises ForbiddenError for whoever may not read lineage, policies and their verdicts.
        """
        for scope in (Scope.LINEAGE_READ, Scope.POLICY_READ, Scope.POLICY_EVALUATE):
            principal.require(scope)
        at = evaluated_at if evaluated_at is not None else as_of.valid if as_of.valid is not None else self._clock()
        with self._access.reading(as_of) as reading:
            return Position(as_of.valid, reading.known, at)

    def pack(self, position: Position, name: str) -> PolicyPack:
        """The pack in force then, else the one that comes with the program. NotFoundError for neither."""
        with self._access.reading(position.as_of) as reading:
            return _pack(in_force(reading, position.evaluated_at), name)

    def models(self, principal: Principal, position: Position) -> list[Node]:
        """All models that somebody may see, by namespace and name."""
        with self._access.reading(position.as_of, principal=principal) as reading:
            return reading.models()

    def rows(
        self,
        principal: Principal,
        position: Position,
        question: Question,
        models: Sequence[Node],
        only: str | None = None,
    ) -> list[Row]:
        """A row for each of these models at least, in their order; `only` is the id of one version."""
        with (
            self._access.reading(position.as_of, principal=principal) as seen,
            self._access.reading(position.as_of) as reading,
        ):
            force = in_force(reading, position.evaluated_at)
            _pack(force, question.pack)
            serving = _serving(seen)
            return [
                row
                for model in models
                for version in _versions(seen, model, latest=question.latest and only is None)
                if only is None or (version is not None and version.id == only)
                for row in [self._row(principal, reading, position, question, force, model, version, serving)]
            ]

    def row(self, principal: Principal, position: Position, question: Question, target: NodeRef) -> Row:
        """That of one version. NotFoundError for what is no version of a model that somebody may see."""
        with self._access.reading(position.as_of, principal=principal) as reading:
            found = reading.find(target)
            model = reading.node(found.parent) if found is not None and found.parent else None
        if found is None or model is None or found.kind is not NodeKind.MODEL_VERSION:
            raise NotFoundError("No version of a model is called that.", "Name one, such as by its id.")
        for row in self.rows(principal, position, question, [model], only=found.id):
            return row
        raise NotFoundError("No version of a model is called that.", "Name one, such as by its id.")

    def _row(
        self,
        principal: Principal,
        reading: Reading,
        position: Position,
        question: Question,
        force: InForce,
        model: Node,
        version: Node | None,
        serving: Mapping[str, tuple[str, ...]],
    ) -> Row:
        if version is None:
            return Row(model, None, trouble="It has no version: it is named, and no completed run wrote it.")
        row = Row(model, version, serving.get(version.id, ()))
        if not principal.may(Scope.POLICY_EVALUATE, model.namespace):
            return replace(row, trouble=f"You may not {Scope.POLICY_EVALUATE} in the namespace {model.namespace}.")
        try:
            selection = _only(select(force, version, question.environment, (question.pack,), shipped), question.pack)
            judged = self._judge.judge(
                reading,
                version,
                environment=question.environment,
                packs=(),
                requester=NOBODY,
                evaluated_at=position.evaluated_at,
                selection=selection,
            )
        except RetryableError:
            raise
        except LinewardError as error:
            return replace(row, trouble=f"{error.message} {error.remedy}".strip(), unjudged=Verdict.ERROR)
        return replace(
            row,
            controls=judged.report.controls,
            waivers=_waivers(reading, version.id, question.pack, position.evaluated_at),
            next_flip_at=judged.next_flip_at,
        )


def _pack(force: InForce, name: str) -> PolicyPack:
    held = force.packs.get(name)
    pack = shipped(name) if held is None else PolicyPack.model_validate(held.document)
    if pack is None:
        raise NotFoundError(f"There is no pack {name}.", "`lineward policy list` shows the packs that there are.")
    return pack


def _only(selection: Selection, pack: str) -> Selection:
    """The selection with one of its packs: others cost time and say nothing here."""
    return replace(selection, packs=tuple(each for each in selection.packs if each[0].name == pack))


def _versions(reading: Reading, model: Node, *, latest: bool) -> list[Node | None]:
    """All versions of a model, the latest first; with `latest` the current one, else the last. None for none."""
    found = reading.versions_of(model.id)
    if latest:
        return [next((each for each in found if each.state == "CURRENT"), found[0] if found else None)]
    return list(found) or [None]


def _serving(reading: Reading) -> dict[str, tuple[str, ...]]:
    """By version the environments in which it serves, or last said that it did."""
    found: dict[str, set[str]] = {}
    for each in reading.deployments():
        if each.state != "ENDED":
            found.setdefault(each.model_version, set()).add(each.environment or "an environment that nobody named")
    return {version: tuple(sorted(environments)) for version, environments in found.items()}


def _waivers(reading: Reading, version: str, pack: str, at: int) -> tuple[Outcome, ...]:
    """Every waiver of a control of the pack on a version, as it stands at an instant (µs), in the order of the log."""
    made = (act for act in reading.acts(NodeKind.WAIVER, version) if act.verb == "waive" and act.at <= at)
    return tuple(outcome_of(reading, act, at) for act in made if act.body["pack"] == pack)
