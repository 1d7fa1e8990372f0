"""The verdicts on every version that a binding in force selects, kept true as entries come and time goes on.

What an entry touches is compared with what each verdict was worked out from, so the work follows what changed and not
the size of the catalog. Noting what has to be judged again is apart from judging it, which goes in steps of any size:
what an entry or the time touched comes first, what a policy or the start of the watch asks for comes behind it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

import structlog

from catalog import rfc3339
from catalog.act import Act
from catalog.errors import LinewardError, RetryableError
from catalog.identity import NodeKind, structure
from catalog.model import Node
from catalog.reading import Reading
from policies.evidence.people import IDENTITIES
from policies.evidence.touch import touched_by_event, touched_in_evidence
from policies.in_force import InForce
from policies.judge import Judged
from policies.selection import Selection
from policies.watch.agenda import Agenda, Item
from policies.watch.alarms import Alarms
from policies.watch.change import StandingVerdict, VerdictChange, changes, control_of
from policies.watch.dependents import Dependents
from policies.watch.selected import Selected, puts_into_force

NOBODY = ""
"""Who asks: nobody in particular, so no approver is ruled out for asking."""

Key = tuple[str, str]
"""The id of a version, and an environment."""

_AT_ONCE = 500  # entries looked at together

logger = structlog.get_logger(__name__)


class Judging(Protocol):
    """`policies.judge.Judge`, as far as a watch needs it."""

    def judge(
        self,
        reading: Reading,
        target: Node,
        *,
        environment: str | None,
        packs: Sequence[str],
        requester: str,
        evaluated_at: int,
        selection: Selection | None,
    ) -> Judged: ...


@dataclass(slots=True)
class _Watched:
    """A version in an environment, and what was last said of it."""

    node: Node
    silent: bool  # found at the start: what is first said of it is no news
    standing: StandingVerdict | None = None


class VerdictWatch:
    """Judges what has to be judged. Not for use by several threads.

    Readings are of the whole graph as it is now, never of the past; each knows as much as those before it. `now` is
    always in µs and never goes back.
    """

    def __init__(self, judge: Judging) -> None:
        self._judge = judge
        self._selected = Selected(_NOTHING, None)
        self._watched: dict[Key, _Watched] = {}
        self._of_model: dict[str, set[Key]] = {}
        self._dependents: Dependents[Key] = Dependents()
        self._flips: Alarms[Key] = Alarms()
        self._silences: Alarms[Key] = Alarms()  # on the clock of the received times
        self._agenda: Agenda[str | Key] = Agenda()  # a model: count its versions; a version: judge it
        self._uncounted: set[str] = set()
        self._newest = 0
        self.known = 0

    @property
    def pending(self) -> int:
        """How many versions, and models whose versions are to be counted, still have to be looked at."""
        return len(self._agenda)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is in force that selects anything, and nothing was."""
        return not self._selected.environments and not self._watched and not self.pending

    @property
    def next_due(self) -> int | None:
        """When time alone makes work, µs."""
        return min((each for each in (self._flips.next, self._selected.turns_at) if each is not None), default=None)

    def standing(self) -> list[StandingVerdict]:
        """What is known, by model, version and environment; without what was never judged yet."""
        found = [each.standing for each in self._watched.values() if each.standing]
        return sorted(found, key=lambda s: (s.target.namespace or "", s.target.name, s.target.id, s.environment))

    # What has to be judged -------------------------------------------------------------------------------------

    def begin(self, reading: Reading, now: int) -> None:
        """Watch what there is: the first verdicts on it are no news."""
        self.known = reading.known
        self._selected = Selected.at(reading, now)
        if self._selected.environments:
            models = reading.models()
            self._uncounted.update(model.id for model in models)
            for model in models:
                self._agenda.put(model.id, None, urgent=False)

    def advance(self, reading: Reading, acts: Sequence[Act], now: int) -> None:
        """Note what the entries since the last reading touched; `acts` are those of people among them.

        Raises RetryableError where the store does not answer: the next call begins where this one did.
        """
        if reading.known <= self.known:
            return
        if not self.is_idle:
            self._note(reading, self._touched(reading, acts))
            self._note_silence(reading.known - 1)
            self._note_erasures(acts)
        confirmed = [act.seq for act in acts if puts_into_force(act)]
        if confirmed:
            self._turn(reading, now, max(confirmed))
        self.known = reading.known

    def due(self, reading: Reading, now: int) -> None:
        """Note what time alone has changed."""
        for key in self._flips.until(now):
            self._agenda.put(key, None, urgent=True)
        if self._selected.turns_at is not None and self._selected.turns_at <= now:
            self._turn(reading, now, None)

    def _touched(self, reading: Reading, acts: Iterable[Act]) -> dict[str, int]:
        """The nodes that new entries speak of, each with the last of these entries."""
        found: dict[str, int] = {}
        for first in range(self.known, reading.known, _AT_ONCE):
            for event in reading.entries(range(first, min(first + _AT_ONCE, reading.known))):
                found |= dict.fromkeys(touched_by_event(reading, event), event.seq)
                self._newest = max(self._newest, event.recorded)
        for act in acts:
            for node in touched_in_evidence(act):
                found[node] = max(act.seq, found.get(node, 0))
        return found

    def _note(self, reading: Reading, touched: dict[str, int]) -> None:
        """The versions that depend on touched nodes, and the models that may have other versions now."""
        for node, seq in touched.items():
            for key in self._dependents.of(node):
                if node != IDENTITIES:
                    self._note_model(self._watched[key].node.parent, seq)
                self._agenda.put(key, seq, urgent=node != IDENTITIES)
        datasets = [node for node in touched if structure(node) is NodeKind.DATASET]
        for described in reading.describe(datasets).values():
            if described.kind is NodeKind.MODEL:
                self._note_model(described.id, touched[described.id])

    def _note_model(self, model: str | None, seq: int) -> None:
        if model is not None:
            self._agenda.put(model, seq, urgent=True)

    def _note_silence(self, seq: int) -> None:
        """What nobody has spoken of for longer than its verdict allows for."""
        for key in self._silences.until(self._newest - 1):
            self._agenda.put(key, seq, urgent=False)

    def _note_erasures(self, acts: Iterable[Act]) -> None:
        """What any verdict rested on may be gone, and what shows that of it is not among what it depends on."""
        erased = [act.seq for act in acts if act.kind is NodeKind.REDACTION and act.body.get("erased")]
        if not erased:
            return
        for model in self._of_model:
            self._agenda.put(model, max(erased), urgent=True)
        for key in self._watched:
            self._agenda.put(key, max(erased), urgent=True)

    def _turn(self, reading: Reading, now: int, seq: int | None) -> None:
        """Other bindings, packs or baselines are in force: judge what they judge, and what they judged."""
        before, after, models = self._selected, Selected.at(reading, now), reading.models()
        either = sorted({*before.environments, *after.environments})
        for model in models:
            others = {e for e in either if before.documents(model, e) != after.documents(model, e)}
            if others:
                self._agenda.put(model.id, seq, urgent=False)
            for key in sorted(self._of_model.get(model.id, ())):
                if key[1] in others:
                    self._agenda.put(key, seq, urgent=False)
        self._selected = after

    # Judging ---------------------------------------------------------------------------------------------------

    def step(self, reading: Reading, now: int) -> list[VerdictChange] | None:
        """Look at the next thing, and tell which verdicts have changed; None where there is nothing to look at.

        The reading must know all that was noted. Raises RetryableError where the store does not answer: the thing is
        then looked at again.
        """
        item = self._agenda.take()
        if item is None:
            return None
        try:
            if isinstance(item.subject, str):
                return self._counted(reading, item.subject, item, now)
            return self._rejudged(reading, item.subject, item, now)
        except BaseException:
            self._agenda.put(item.subject, item.seq, urgent=item.urgent)
            raise

    def _counted(self, reading: Reading, model: str, item: Item[str | Key], now: int) -> list[VerdictChange]:
        """Take up the versions of a model that are selected, and let go of those that are no longer."""
        node = reading.node(model)
        environments = self._selected.environments_of(node) if node is not None else []
        versions = reading.versions_of(model) if environments else []
        wanted = {
            (version.id, environment): version
            for version in versions
            if version.kind is NodeKind.MODEL_VERSION
            for environment in environments
        }
        held = self._of_model.setdefault(model, set())
        for key in sorted(wanted.keys() - held):
            self._watched[key] = _Watched(wanted[key], silent=model in self._uncounted)
            self._agenda.put(key, item.seq, urgent=item.urgent)
        gone = sorted(held - wanted.keys())
        found = [change for key in gone for change in self._dropped(key, reading.known, now, item.seq)]
        held.intersection_update(wanted)
        held.update(wanted)
        if not held:
            del self._of_model[model]
        self._uncounted.discard(model)
        return found

    def _dropped(self, key: Key, known: int, now: int, seq: int | None) -> Iterator[VerdictChange]:
        before = self._watched.pop(key).standing
        self._agenda.drop(key)
        self._dependents.drop(key)
        self._flips.put(key, None)
        self._silences.put(key, None)
        return changes(before, None, at=now, known=known, seq=seq)

    def _rejudged(self, reading: Reading, key: Key, item: Item[str | Key], now: int) -> list[VerdictChange]:
        watched = self._watched[key]
        before, silent = watched.standing, watched.silent
        after = watched.standing = self._judged(reading, key, watched.node, now)
        watched.silent = False
        if before is None and silent:
            return []
        return list(changes(before, after, at=now, known=reading.known, seq=item.seq))

    def _judged(self, reading: Reading, key: Key, node: Node, now: int) -> StandingVerdict:
        """The verdict, with alarms set for when to look again."""
        try:
            judged = self._judge.judge(
                reading,
                node,
                environment=key[1],
                packs=(),
                requester=NOBODY,
                evaluated_at=now,
                selection=self._selected.selection(node, key[1]),
            )
        except RetryableError:
            raise
        except LinewardError as error:
            return self._undecided(reading, key, node, now, f"{error.message} {error.remedy}".strip())
        except Exception:
            error_id = str(uuid4())
            logger.exception("watch.failed", error_id=error_id, target=node.id, environment=key[1])
            told = f"The version could not be judged, for a reason that the server has logged as {error_id}."
            return self._undecided(reading, key, node, now, told)
        flip = None if judged.next_flip_at is None else rfc3339.parse(judged.next_flip_at)
        day = self._selected.next_day(node, key[1], now)
        looks = min((each for each in (flip, day) if each is not None), default=None)
        quiet = judged.built.quiet_until
        self._dependents.put(key, judged.built.dependencies)
        self._flips.put(key, looks)
        self._silences.put(key, quiet if quiet is not None and quiet >= self._newest else None)
        controls = tuple(map(control_of, judged.report.controls))
        return StandingVerdict(node, key[1], controls, now, reading.known, flip)

    def _undecided(self, reading: Reading, key: Key, node: Node, now: int, why: str) -> StandingVerdict:
        """Nothing can be said until an entry, or what is in force, is another."""
        nodes = {node.id, *([node.parent] if node.parent else ())}
        self._dependents.put(key, self._dependents.nodes_of(key) | nodes)
        self._flips.put(key, None)
        return StandingVerdict(node, key[1], (), now, reading.known, trouble=why)


_NOTHING = InForce({}, {}, ())
