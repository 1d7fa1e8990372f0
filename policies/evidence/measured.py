"""Runs that measured a version, held against the thresholds that people attested.

A *monitoring run* is one that began while a service said that it served the version, and that read, beside the model,
a dataset that a run of this service read or wrote: its predictions or its live input. It is an evaluation too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from catalog.identity import NodeKind
from catalog.model import Node, NodeRef, RunState
from catalog.reading import Reading, Walk
from catalog.reported import Evaluation as Measured
from catalog.reported import Metric, evaluations_of, only
from policies.evidence.attested import Attested, about, lay_over, lay_over_fields
from policies.evidence.data import readers_of
from policies.evidence.document import Evaluation, MonitoringRun
from policies.evidence.draft import Draft
from policies.evidence.layout import layout
from policies.evidence.said import digest_in
from policies.evidence.service import Service
from policies.evidence.source import SourceKind
from policies.evidence.upstream import MODELS, InputUse, input_uses
from policies.statements import Threshold
from policies.verdict import Witness

UNSAID = "unspecified"
_FAILED = (RunState.FAILED, RunState.ABORTED, RunState.CONFLICTED)


@dataclass(frozen=True, slots=True)
class Bound:
    """A threshold with the moment at which it was set."""

    said: Threshold
    set_at: str

    def concerns(self, kind: str) -> bool:
        return self.said.kind in (None, kind)

    def measures(self, metric: Metric) -> bool:
        return (metric.name, metric.slice) == (self.said.metric, self.said.slice)

    def keeps(self, value: float) -> bool:
        low, high = self.said.minimum, self.said.maximum
        return (low is None or value >= low) and (high is None or value <= high)

    @property
    def caption(self) -> str:
        return self.said.metric if self.said.slice is None else f"{self.said.metric} [{self.said.slice}]"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`passed`: False where one bound is broken; None without a bound and where one was not measured; else True."""

    passed: bool | None
    set_at: str | None
    breaches: tuple[str, ...]


def thresholds_of(attested: Attested, version: Node) -> list[Bound]:
    """For each metric, kind and slice the threshold that counts: the version's before its model's, then the last."""
    found: dict[tuple[str, str | None, str | None], Bound] = {}
    for act, said in attested.of_type(Threshold, *about(version)):
        found[said.metric, said.kind, said.slice] = Bound(said, said.set_at or act.said.at)
    return list(found.values())


def outcome(measured: Measured, bounds: Iterable[Bound]) -> Outcome:
    """An evaluation held against thresholds. One for its own kind must be measured; one for every kind may be not."""
    kind = measured.kind or UNSAID
    breaches, missing, used = [], False, []
    for bound in bounds:
        if not bound.concerns(kind):
            continue
        values = [metric.value for metric in measured.metrics if bound.measures(metric)]
        missing |= not values and bound.said.kind is not None
        if values:
            used.append(bound.set_at)
        if not all(bound.keeps(value) for value in values):
            breaches.append(bound.caption)
    passed = False if breaches else None if missing or not used else True
    return Outcome(passed, max(used, default=None), tuple(sorted(set(breaches))))


class Measurements:
    """Writes the records of evaluations. `read` collects the data that they were made on, by role."""

    def __init__(self, reading: Reading, attested: Attested) -> None:
        self._reading = reading
        self._attested = attested
        self._uses: dict[str, Mapping[str, InputUse]] = {}
        self.of = cache(self._of)
        self._inputs = cache(self._read_inputs)
        self.read: dict[str, list[tuple[Node, InputUse]]] = {}
        self.touched: set[str] = set()

    def evaluations(self, version: Node, closure_digest: str | None, bounds: list[Bound]) -> list[Draft]:
        """The runs that measured the version, by id."""
        self.touched |= {run.id for run in readers_of(self._reading, version.id)}
        drafts = [self._record(each, bounds) for each in self.of(version.id)]
        for draft in drafts:
            draft.put("closureDigest", closure_digest)
        return drafts

    def _of(self, version: str) -> list[Measured]:
        """By run. What a run measured before it failed is no measurement."""
        found = (each for each in evaluations_of(self._reading, version) if each.run.state not in _FAILED)
        return sorted(found, key=lambda each: each.run.id)

    def challengers(self, version: Node, tests: Iterable[str]) -> list[Draft]:
        """Evaluations of other versions and models on the same data, by id. They have no thresholds here."""
        own = {each.run.id for each in self.of(version.id)}
        runs = {run.id: run for test in tests for run in readers_of(self._reading, test) if run.id not in own}
        self.touched |= runs.keys()
        found = []
        for run in sorted(runs.values(), key=lambda each: each.id):
            others = [data for data in self._inputs(run) if data.kind is NodeKind.MODEL_VERSION]
            told = [each for other in others for each in self.of(other.id) if each.run.id == run.id]
            if told:
                found.append(self._record(told[0], []))
        return found

    def _record(self, measured: Measured, bounds: list[Bound]) -> Draft:
        run = measured.run
        body = only(self._reading.facets(run.id, ["lineward_evaluation"]))
        draft = Draft(Evaluation, run=run.id, kind=measured.kind or UNSAID)
        draft.put("at", run.ended or run.started)
        draft.put("by", min((event.actor for event in self._reading.run_events(run.id)), default=None))
        draft.put("metrics", [_plain(metric) for metric in measured.metrics])
        draft.put("slices", _slices(body, measured.metrics))
        draft.put("reportDigest", digest_in(body.get("reportDigest")))
        held = outcome(measured, bounds)
        draft.put("passed", held.passed)
        draft.put("thresholdSetAt", held.set_at)
        self._put_data(draft, run)
        told = self._attested.counting(run.id)
        lay_over(draft, told, layout(Evaluation, SourceKind.ATTESTED))
        lay_over_fields(draft, told)
        self.touched |= {run.id, *(each for data in self._inputs(run) for each in (data.id, data.parent) if each)}
        return draft

    def _put_data(self, draft: Draft, run: Node) -> None:
        """What it was measured on: the test or validation data, else the only data that it read."""
        uses = self._uses_of(run.id)
        data = [(each, uses.get(each.parent or each.id, InputUse())) for each in self._inputs(run)]
        data = [(each, use) for each, use in data if each.kind not in MODELS]
        self.read[run.id] = data
        chosen = [pair for pair in data if pair[1].role == "test"] or [p for p in data if p[1].role == "validation"]
        chosen = chosen or (data if len(data) == 1 else [])
        if chosen:
            node, use = chosen[0]
            draft.put("datasetId", node.id)
            draft.put("datasetDigest", digest_in(node.label) or use.digest)
            draft.put("splitGroup", use.split_group)

    def _uses_of(self, run: str) -> Mapping[str, InputUse]:
        if run not in self._uses:
            self._uses[run] = input_uses(self._reading, run)
        return self._uses[run]

    def _read_inputs(self, run: Node) -> list[Node]:
        return inputs_of_run(self._reading, run.id)

    def witness(self, version: Node, run: str) -> Witness:
        """From the version to the run that measured it, with the run's events."""
        return Witness((version.id, run), tuple(event.seq for event in self._reading.run_events(run)))

    # Monitoring ------------------------------------------------------------------------------------------------

    def monitoring(self, version: Node, services: Iterable[Service], bounds: list[Bound]) -> list[Draft]:
        """The monitoring runs of the version, by run and service."""
        found = []
        for measured in self.of(version.id):
            data = {each.parent or each.id for each in self._inputs(measured.run) if each.kind not in MODELS}
            for service in services:
                if service.served_at(version.id, measured.run.started or "") and data & service.data:
                    found.append(self._monitoring(measured, service, bounds))
        return found

    def _monitoring(self, measured: Measured, service: Service, bounds: list[Bound]) -> Draft:
        run = measured.run
        draft = Draft(MonitoringRun, run=run.id, deployment=service.job, kind=measured.kind or UNSAID)
        draft.put("at", run.ended or run.started)
        held = outcome(measured, bounds)
        draft.put("passed", held.passed)
        draft.put("breaches", list(held.breaches))
        lay_over(draft, self._attested.counting(run.id), layout(MonitoringRun, SourceKind.ATTESTED))
        return draft


def inputs_of_run(reading: Reading, run: str) -> list[Node]:
    """What a run read, models too, by id."""
    walked = reading.lineage(NodeRef(id=run), Walk(depth=1))
    nodes = {node.id: node for node in walked.nodes}
    read = {edge.source for edge in walked.edges if edge.target == run and edge.source in nodes}
    return [nodes[each] for each in sorted(read)]


def _plain(metric: Metric) -> dict[str, Any]:
    told: dict[str, Any] = {"name": metric.name, "value": metric.value}
    return told if metric.slice is None else told | {"slice": metric.slice}


def _slices(body: Mapping[str, Any], metrics: Iterable[Metric]) -> list[str]:
    listed = body.get("slices")
    named = {each["name"] for each in (listed if isinstance(listed, list) else ()) if _has_name(each)}
    return sorted(named | {metric.slice for metric in metrics if metric.slice is not None})


def _has_name(each: Any) -> bool:
    return isinstance(each, Mapping) and isinstance(each.get("name"), str)
