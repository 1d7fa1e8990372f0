"""Section 4: what writes and drops make of a dataset over time. Section 8: which datasets share a chain."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.graph.record import REPLACING, Change, DatasetUse, EventRecord, Shape
from catalog.identity import moment_version_id, named_version_id, run_version_id, variant
from tests.reference.answers import VersionState
from tests.reference.derivations import Derivation, Use
from tests.reference.runs import Run, Runs


@dataclass(frozen=True, eq=False)
class Write:
    """One derivation's write of one version. `moment` is None where it never became current."""

    version: str
    dataset: str
    label: str | None
    run: Run | None
    derivation: Derivation | None
    begin: int
    moment: int | None
    place: int | None  # in the chain: the moment, of a partial write the end of its run
    digest: str  # of the event that put it there
    change: DatasetUse | None

    @property
    def stands(self) -> int:
        return self.begin if self.moment is None else self.moment

    @property
    def key(self) -> tuple[int, str, str]:
        return (self.stands if self.place is None else self.place, self.digest, self.version)

    @property
    def replaces(self) -> bool:
        return self.change is not None and self.change.change in REPLACING

    @property
    def renamed_from(self) -> str | None:
        return self.change.renamed_from if self.change and self.change.change is Change.RENAME else None


@dataclass(frozen=True)
class Drop:
    dataset: str
    at: int
    run: str | None  # run id


class Versions:
    def __init__(self, records: Sequence[EventRecord], runs: Runs, derivations: Sequence[Derivation]) -> None:
        self.records = records
        self.runs = runs
        self.drops = self._drops(derivations)
        self.writes = [self._write(derivation, use) for derivation in derivations for use in derivation.outputs]
        self.writes += self._declared_changes()

    # -- drops and incarnations

    def _drops(self, derivations: Sequence[Derivation]) -> set[Drop]:
        drops = set()
        for derivation in derivations:
            at, run = _moment(derivation), derivation.run
            for dataset, use in derivation.changes.items():
                ended = _ends(dataset, use)
                if at is not None and run is not None and ended is not None:
                    drops.add(Drop(ended, at, run.id))
        for event in self.records:
            subject = event.subject if event.shape is Shape.DATASET else None
            ended = _ends(subject.dataset, subject) if subject is not None else None
            if ended is not None:
                drops.add(Drop(ended, event.at, None))
        return drops

    def last_drop(self, datasets: set[str], before: int, run: str | None = None) -> int | None:
        """The last DROP strictly before a time, leaving out those of one run."""
        found = [d.at for d in self.drops if d.dataset in datasets and d.at < before and (run is None or d.run != run)]
        return max(found, default=None)

    def named(self, dataset: str, label: str, before: int, run: str | None = None) -> str:
        """The id of a reported version in the incarnation that stands at a time."""
        return _marked(named_version_id(dataset, label), self.last_drop({dataset}, before, run))

    # -- writes

    def _write(self, derivation: Derivation, use: Use) -> Write:
        dataset, label = use
        run = derivation.run
        assert run is not None
        moment = _moment(derivation)
        final = run.final if derivation.batch else derivation.events[0]
        begin = derivation.start
        dropped = self.last_drop({dataset}, begin if moment is None else moment)
        base = _base(dataset, label, derivation, run)
        return Write(
            version=_marked(base, dropped),
            dataset=dataset,
            label=label,
            run=run,
            derivation=derivation,
            begin=begin,
            moment=moment,
            place=final.at if final else None,
            digest=final.digest if final else "",
            change=derivation.changes.get(dataset),
        )

    def _declared_changes(self) -> list[Write]:
        """What a DatasetEvent with a change to the data makes: current at once, made by no run."""
        return [
            Write(
                version=_marked(
                    moment_version_id(use.dataset, "", event.at)
                    if use.version is None
                    else named_version_id(use.dataset, use.version),
                    self.last_drop({use.dataset}, event.at),
                ),
                dataset=use.dataset,
                label=use.version,
                run=None,
                derivation=None,
                begin=event.at,
                moment=event.at,
                place=event.at,
                digest=event.digest,
                change=use,
            )
            for event in self.records
            if event.shape is Shape.DATASET
            and (use := event.subject) is not None
            and use.change not in (None, Change.ALTER, Change.DROP)
        ]

    def of_run(self, run: str) -> set[str]:
        return {write.version for write in self.writes if write.run is not None and write.run.id == run}

    def is_written(self, version: str) -> bool:
        return any(write.version == version and write.run is not None for write in self.writes)

    def twins(self, write: Write) -> list[Write]:
        """Overlapping batch writes of the same dataset by other runs of the same application."""
        return [other for other in self.writes if self._are_twins(write, other)]

    def _are_twins(self, one: Write, two: Write) -> bool:
        if one.run is None or two.run is None or one.run is two.run or one.dataset != two.dataset:
            return False
        batch = all(write.derivation is not None and write.derivation.batch for write in (one, two))
        application = self.runs.application(one.run)
        together = application is not None and application is self.runs.application(two.run)
        overlap = one.run.start <= two.run.end and two.run.start <= one.run.end
        differ = one.label is not None and two.label is not None and one.label != two.label
        return batch and together and overlap and not differ

    # -- the chain

    def chain(self, datasets: set[str]) -> list[Write]:
        """Writes that stand, partial ones among them, in order."""
        return sorted((w for w in self.writes if w.dataset in datasets and w.place is not None), key=lambda w: w.key)

    def current(self, datasets: set[str], at: int, hidden: set[str], run: str | None = None) -> Write | None:
        dropped = self.last_drop(datasets, at, run)
        standing = [
            write
            for write in self.chain(datasets)
            if write.moment is not None
            and write.moment <= at
            and (dropped is None or write.moment > dropped)
            and write.version not in hidden
        ]
        return standing[-1] if standing else None

    def continued(self, write: Write) -> list[Write]:
        """Earlier writes whose rows this one still holds, as far as is known."""
        if write.moment is None or write.dataset in self._models():
            return []
        before = [w for w in self._incarnation(write) if w.key < write.key]
        replacing = [w for w in [*before, write] if w.replaces]
        others = [w for w in before if w.version != write.version]
        return [w for w in others if all(w.moment is not None and w.moment > r.begin for r in replacing)]

    def _models(self) -> set[str]:
        served = {model.dataset for event in self.records if event.serving for model in event.serving.models}
        return served | {use.dataset for event in self.records for use in _mentions(event) if use.model}

    def since(self, write: Write) -> int | None:
        if write.moment is None or write.dataset in self._models():
            return None
        replacing = [w for w in self._incarnation(write) if w.replaces and w.key <= write.key]
        return replacing[-1].begin if replacing else None

    def _incarnation(self, write: Write) -> list[Write]:
        drop = self.last_drop({write.dataset}, write.stands)
        return [
            w
            for w in self.chain({write.dataset})
            if w.moment is not None and self.last_drop({w.dataset}, w.moment) == drop
        ]

    def states(self, dataset: str) -> list[VersionState]:
        """Each version once, in the order of its last place."""
        mine = sorted((write for write in self.writes if write.dataset == dataset), key=lambda write: write.key)
        ids = list(dict.fromkeys(write.version for write in reversed(mine)))
        return [self._state([write for write in mine if write.version == node]) for node in reversed(ids)]

    def _state(self, writes: list[Write]) -> VersionState:
        last = ([write for write in writes if write.moment is not None] or writes)[-1]
        continued = self.continued(last)
        makers = [write.run for one in writes for write in [one, *self.twins(one)]]
        return VersionState(
            id=last.version,
            state=self._word(last),
            moments=tuple(sorted({write.moment for write in writes if write.moment is not None})),
            producers=frozenset(run.id for run in makers if run is not None),
            continues=len({write.run.id for write in continued if write.run is not None}),
            since=self.since(last),
        )

    def _word(self, write: Write) -> str:
        if write.moment is None:
            return "IN_PROGRESS" if write.place is None else "PARTIAL"
        if self._incarnation(write)[-1].version != write.version:
            return "SUPERSEDED"
        dropped = any(drop.dataset == write.dataset and drop.at >= write.moment for drop in self.drops)
        return "DROPPED" if dropped else "CURRENT"

    # -- aliases

    def aliases(self) -> list[tuple[str, str, int, int | None]]:
        """(dataset, alias, since, until): each `symlinks` facet holds until the next one on that dataset."""
        said = [
            (use.dataset, event.at, use.aliases)
            for event in self.records
            for use in _mentions(event)
            if use.aliases is not None
        ]
        intervals = []
        for place, (dataset, since, names) in enumerate(said):
            later = [at for other, at, _ in said[place + 1 :] if other == dataset]
            until = later[0] if later else None
            intervals += [(dataset, name, since, until) for name in names if until is None or since < until]
        return intervals

    def component(self, dataset: str, at: int) -> set[str]:
        """The dataset and all that aliases connect with it at a time."""
        held = [(a, b) for a, b, since, until in self.aliases() if since <= at and (until is None or at < until)]
        members = {dataset}
        while True:
            more = {end for pair in held if members & set(pair) for end in pair} - members
            if not more:
                return members
            members |= more


def _moment(derivation: Derivation) -> int | None:
    """When what this derivation writes becomes current, None where it does not."""
    if not derivation.batch:
        return derivation.start
    success = derivation.run.success if derivation.run else None
    return success.at if success else None


def _base(dataset: str, label: str | None, derivation: Derivation, run: Run) -> str:
    if label is not None:
        return named_version_id(dataset, label)
    if derivation.batch:
        return run_version_id(dataset, run.uuid)
    return moment_version_id(dataset, run.uuid, derivation.start)


def _marked(base: str, drop: int | None) -> str:
    return base if drop is None else variant(base, "after", str(drop))


def _ends(dataset: str, use: DatasetUse) -> str | None:
    """The dataset that a change ends."""
    if use.change is Change.DROP:
        return dataset
    return use.renamed_from if use.change is Change.RENAME else None


def _mentions(event: EventRecord) -> list[DatasetUse]:
    subject = [event.subject] if event.subject is not None else []
    return [*event.inputs, *event.outputs, *subject]
