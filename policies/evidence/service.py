"""Services that serve a version at the evaluated time, and what they say of themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from catalog import rfc3339
from catalog.instant import SECOND, text
from catalog.model import Deployment as Interval
from catalog.model import Node, NodeRef
from catalog.reading import Reading
from catalog.reported import only
from policies.evidence.attested import Attested, lay_over, lay_over_fields
from policies.evidence.closure import closure
from policies.evidence.document import Deployment
from policies.evidence.draft import Draft, voice_of
from policies.evidence.layout import layout
from policies.evidence.said import digest_in, moment_in, part_in
from policies.evidence.source import SourceKind
from policies.evidence.upstream import input_uses
from policies.standing import standing_approvals
from policies.statements import Notice
from policies.verdict import Witness

_RANK = ("primary", "canary", "shadow")
_HEARTBEAT = 300.0  # seconds, where a service does not say its windowDuration
_PATIENCE = 3  # heartbeats of silence before nothing is known
_SERVING = "lineward_serving"


@dataclass(frozen=True, slots=True)
class Service:
    """A service with all its intervals, and the datasets that it reads and writes while it serves."""

    job: str
    name: str
    intervals: tuple[Interval, ...]
    data: frozenset[str]

    def served_at(self, version: str, at: str) -> bool:
        return any(
            each.model_version == version
            and each.since <= at
            and (each.state != "ENDED" or each.until is None or at < each.until)
            for each in self.intervals
        )

    def witness(self, version: str) -> Witness:
        """From the version to the service, with the events that say so."""
        entries = {entry for each in self.intervals if each.model_version == version for entry in each.entries}
        return Witness((version, self.job), tuple(sorted(entries)))


class Services:
    """Writes the records of deployments. `patient_until`: until when (µs) silence changes nothing."""

    def __init__(self, reading: Reading, attested: Attested, instant: int) -> None:
        self._reading = reading
        self._attested = attested
        self._instant = instant
        self._now = text(instant)
        self.touched: set[str] = set()
        self.turns: set[int] = set()
        self.patient_until: int | None = None

    def serves(self, job: str) -> str | None:
        """The version that a service serves, in the strongest role; None where it serves none."""
        self.touched.add(job)
        going_on = [each for each in self._reading.deployments(job=job) if self._holds(each)]
        chosen = min(going_on, key=_strength, default=None)
        return None if chosen is None or chosen.model_version == chosen.model else chosen.model_version

    def of(self, version: Node) -> list[Service]:
        """The services that ever served the version, by id."""
        mine = self._reading.deployments(model=NodeRef(id=version.id))
        return [self._service(job, version) for job in sorted({each.job for each in mine})]

    def _service(self, job: str, version: Node) -> Service:
        intervals = tuple(self._reading.deployments(job=job))
        node = self._reading.node(job)
        runs = sorted({each.run for each in intervals if each.model_version == version.id})
        events = [event for run in runs for event in self._reading.run_events(run)]
        data = {use.dataset for event in events for use in (*event.inputs, *event.outputs)} - {version.parent}
        self.touched |= {job, *runs, *data}
        return Service(job, node.name if node else job, intervals, frozenset(data))

    def records(self, version: Node, services: Iterable[Service]) -> list[Draft]:
        """One record for each service that serves the version, in its strongest role."""
        found = []
        for service in services:
            going_on = [each for each in service.intervals if each.model_version == version.id and self._holds(each)]
            if going_on:
                found.append(self._record(version, service, min(going_on, key=_strength)))
        return found

    def _holds(self, interval: Interval) -> bool:
        ends = interval.until if interval.state == "ENDED" else None
        self.turns |= {rfc3339.parse(each) for each in (interval.since, ends) if each is not None}
        return interval.since <= self._now and (interval.state != "ENDED" or self._now < (interval.until or ""))

    def _record(self, version: Node, service: Service, interval: Interval) -> Draft:
        draft = Draft(Deployment, id=service.job, name=service.name, role=interval.role)
        draft.put("startedAt", interval.since)
        draft.put("state", "SERVING" if interval.state == "ENDED" else interval.state)  # it ended later than asked for
        self._listen(interval)
        told = {facet.name: facet for facet in self._reading.facets(interval.run, [_SERVING, "lineward_predictions"])}
        body = only([told[_SERVING]]) if _SERVING in told else {}
        for property_, path in layout(Deployment, SourceKind.CUSTOM)[_SERVING].items():
            if path != "role":
                draft.put(path, part_in(body, property_))
        draft.put("logging.schemaDigest", digest_in(part_in(body, "logging.schemaDigest")))
        if "lineward_predictions" in told:
            draft.put("logging.lastEventAt", moment_in(only([told["lineward_predictions"]]).get("to")))
        said = input_uses(self._reading, interval.run).get(version.parent or "")
        draft.put("modelDigest", digest_in(version.label) or (said.digest if said else None))
        self._put_rollback(draft, version, service, interval)
        self._put_statements(draft, service)
        return draft

    def _listen(self, interval: Interval) -> None:
        if interval.state != "SERVING":
            return
        last = self._reading.run_events(interval.run)[-1]
        ends = last.at + round(_PATIENCE * (last.window or _HEARTBEAT) * SECOND)
        self.patient_until = ends if self.patient_until is None else min(ends, self.patient_until)

    def _put_rollback(self, draft: Draft, version: Node, service: Service, interval: Interval) -> None:
        """The version that this service served last before, and whether somebody's approval of it stands."""
        earlier = [
            each
            for each in service.intervals
            if each.model == interval.model
            and each.model_version not in (version.id, each.model)
            and each.since < interval.since
            and each.role == "primary"
        ]
        if not earlier:
            return
        back = max(earlier, key=lambda each: (each.since, each.id)).model_version
        before = closure(self._reading, back)
        standing = [
            each
            for each in standing_approvals(self._reading, back, before)
            if each.current and each.said.environment == interval.environment and self._is_valid(each.said.valid_until)
        ]
        self.touched |= before.nodes
        draft.put("rollbackTo", back)
        draft.put("rollbackApproved", bool(standing))

    def _is_valid(self, until: str | None) -> bool:
        if until is None:
            return True
        self.turns.add(rfc3339.parse(until))
        return self._now < until

    def _put_statements(self, draft: Draft, service: Service) -> None:
        told = self._attested.counting(service.job)
        notices = [(each, said.kind) for each, said in told if isinstance(said, Notice)]
        if notices:
            draft.put("notices", sorted({kind for _, kind in notices}), voice_of(notices[-1][0]))
        lay_over(draft, told, layout(Deployment, SourceKind.ATTESTED))
        lay_over_fields(draft, told)


def _strength(interval: Interval) -> tuple[Any, ...]:
    rank = _RANK.index(interval.role) if interval.role in _RANK else len(_RANK)
    return rank, interval.state != "SERVING", interval.since, interval.id
