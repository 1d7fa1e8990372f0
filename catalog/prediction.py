"""From one prediction back to everything that stands behind it, and to what nobody recorded.

The graph knows intervals and windows, not single predictions: the instant of a prediction finds what served it. Each
leg of the answer is a node, a node with the reason why another one is possible too, or an explicit unknown.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import orjson

from catalog import rfc3339
from catalog.errors import InvalidInputError, NotFoundError
from catalog.graph.record import EventRecord
from catalog.identity import NodeKind
from catalog.instant import SECOND, text
from catalog.model import Basis, Deployment, Gap, Leg, LineageEdge, Node, NodeRef, Timestamp
from catalog.reading import Reading, Walk
from catalog.reported import code_of, evaluations_of, only, parameters_of

_NEVER = "9999"
_LONGEST_WINDOW = 24 * 3600 * SECOND  # µs; a report that comes later than this is not looked for
_ANSWERS = ("primary", "canary")


@dataclass(frozen=True, slots=True)
class Trace:
    """The legs in the order of the question; `others` are intervals of the service that held at the same instant."""

    at: Timestamp
    request_id: str | None
    interval: Deployment | None
    others: tuple[Deployment, ...]
    legs: tuple[Leg, ...]


def moment_of(request_id: str | None, at: int | None) -> int:
    """When the prediction was made, µs: what the caller says, else the time inside a UUIDv7 (RFC 9562, 5.7).

    Raises InvalidInputError where neither tells.
    """
    if at is not None:
        return at
    try:
        named = UUID(request_id or "")
    except ValueError:
        named = None
    if named is None or named.version != 7:
        raise InvalidInputError(
            "The request id holds no time." if request_id else "Neither a request id nor a time is given.",
            "Pass `at`, the time of the prediction; ids that are UUIDv7 hold it themselves.",
            pointer="/at",
        )
    return (named.int >> 80) * 1000


def trace(reading: Reading, deployment: NodeRef, request_id: str | None = None, at: int | None = None) -> Trace:
    """What stands behind a prediction.

    Raises NotFoundError for an unknown deployment, InvalidInputError for a node that is none or a missing time.
    """
    instant = moment_of(request_id, at)
    service = _service(reading, deployment)
    return _Tracing(reading, service, instant, request_id).trace()


def _service(reading: Reading, deployment: NodeRef) -> Node:
    found = reading.find(deployment)
    if found is None:
        raise NotFoundError("No such deployment is known.", "List the deployments, or search for its name.")
    if found.kind is not NodeKind.DEPLOYMENT:
        raise InvalidInputError(
            f"{found.name} is a {found.kind.value}, not a deployment.",
            "Name the job of the service; a job is one once an event says processingType SERVICE.",
            pointer="/deployment",
        )
    return found


class _Tracing:
    """One question being answered, leg by leg."""

    def __init__(self, reading: Reading, service: Node, instant: int, request_id: str | None) -> None:
        self._reading = reading
        self._service = service
        self._instant = instant
        self._at = text(instant)
        self._request_id = request_id

    def trace(self) -> Trace:
        held = [each for each in self._reading.deployments(job=self._service.id) if self._covers(each)]
        held.sort(key=lambda each: each.since, reverse=True)
        held.sort(key=lambda each: (_rank(each.role), self._is_silent(each)))
        chosen = held[0] if held and held[0].role in _ANSWERS else None
        others = tuple(each for each in held if each is not chosen)
        legs = [Leg("deployment", self._service, None), *self._serving_legs(chosen, others)]
        return Trace(self._at, self._request_id, chosen, others, tuple(legs))

    def _covers(self, interval: Deployment) -> bool:
        ended = interval.until is not None and interval.state != "UNKNOWN"
        return interval.since <= self._at and not (ended and (interval.until or "") <= self._at)

    def _is_silent(self, interval: Deployment) -> bool:
        """Whether the service was not heard of again after the instant."""
        return interval.state == "UNKNOWN" and (interval.until or "") < self._at

    # What served -----------------------------------------------------------------------------------------------

    def _serving_legs(self, chosen: Deployment | None, others: Iterable[Deployment]) -> Iterator[Leg]:
        if chosen is None:
            yield from _all_unknown(f"No event says what the service answered with at {self._at}.")
            return
        answering = [chosen, *(each for each in others if each.role in _ANSWERS)]
        described = self._reading.describe([chosen.run, chosen.model_version])
        event, window = self._window(chosen)
        yield self._run_leg(described.get(chosen.run), answering)
        yield self._window_leg(chosen, event, window, described.get(chosen.run))
        version = described.get(chosen.model_version)
        yield self._version_leg(version, chosen, answering)
        yield from self._model_legs(version, event)

    def _run_leg(self, run: Node | None, answering: list[Deployment]) -> Leg:
        count = len({each.run for each in answering})
        several = (
            f"{count} runs of the service answered then; the prediction's record tells which." if count > 1 else None
        )
        return Leg("deploymentRun", run, several if run else "Its run is not visible here.")

    def _version_leg(self, version: Node | None, chosen: Deployment, answering: list[Deployment]) -> Leg:
        share = None if chosen.share is None else str(chosen.share)
        detail = {"role": chosen.role, "servedSince": chosen.since} | _named("share", share)
        return Leg("modelVersion", version, self._doubt(chosen, answering), detail)

    def _doubt(self, chosen: Deployment, answering: list[Deployment]) -> str | None:
        count = len({each.model_version for each in answering})
        if count > 1:
            return (
                f"{count} versions answered callers then, and this is the {chosen.role} one; "
                "the prediction's record in the service's own log names its version."
            )
        if self._is_silent(chosen):
            return f"The service was last heard of at {chosen.until}; what it served later is not known."
        return None

    # The window ------------------------------------------------------------------------------------------------

    def _window(self, chosen: Deployment) -> tuple[EventRecord | None, Mapping[str, Any]]:
        """The event that reports the window with the instant, and what it says of it."""
        for event in self._reading.run_events(chosen.run):
            if event.at < self._instant:
                continue
            if event.at > self._instant + _LONGEST_WINDOW:
                break
            body = only(self._reading.said([(event, event.run_bundle)], ["lineward_predictions"]))
            begins, ends = _instant(body.get("from")), _instant(body.get("to"))
            if begins is not None and ends is not None and begins <= self._at < ends:
                return event, body
        return None, {}

    def _window_leg(
        self, chosen: Deployment, event: EventRecord | None, window: Mapping[str, Any], run: Node | None
    ) -> Leg:
        if event is None:
            why = "No event of the run reports a window of predictions with this instant"
            return Leg("window", None, why + ("." if chosen.state == "ENDED" else "; it may come yet."))
        shown = {key: str(window[key]) for key in ("from", "to", "count", "root", "windowId") if key in window}
        return Leg("window", run, None, shown | {"entry": str(event.seq)})

    # What made the model ---------------------------------------------------------------------------------------

    def _model_legs(self, version: Node | None, event: EventRecord | None) -> Iterator[Leg]:
        if version is None:
            yield from _all_unknown("The model version is not visible here.", after="modelVersion")
            return
        made = self._reading.producers(version.id)
        run = made[-1] if made else None
        unmade = "No event says which run made this model version."
        again = f"{len(made)} runs wrote this version; this is the last." if len(made) > 1 else None
        yield Leg("trainingRun", run, again if run else unmade)
        data = list(self._training_data(version, run)) if run else []
        yield self._code_leg(run) if run else Leg("code", None, unmade)
        yield self._parameters_leg(run) if run else Leg("parameters", None, unmade)
        yield from data or [Leg("trainingData", None, "The training run names no input." if run else unmade)]
        yield from self._features(data, event)
        yield from self._metrics(version)
        yield self._approver_leg(version)

    def _approver_leg(self, version: Node) -> Leg:
        """The last of the approvals that stood at the instant; the details name everybody who had approved by then."""
        acts = [act for act in self._reading.acts(NodeKind.APPROVAL, version.id) if act.at <= self._instant]
        revoked = {act.body.get("refersTo") for act in acts if act.verb == "revokeApproval"}
        standing = [act for act in acts if act.verb == "approve" and act.id not in revoked]
        standing = [act for act in standing if act.body.get("validUntil", _NEVER) > self._at]
        if not standing:
            return Leg("approver", None, "Nobody had approved this version by then.")
        people = {str(act.body["by"].get("person") or act.body["by"]["principal"]): text(act.at) for act in standing}
        return Leg("approver", self._reading.node(standing[-1].id), None, people)

    def _code_leg(self, run: Node) -> Leg:
        code = code_of(self._reading, run.id)
        if code is None:
            return Leg("code", None, "The training run has no sourceCodeLocation facet.")
        found = {key: value for key, value in asdict(code).items() if value is not None}
        return Leg("code", run, None, found)

    def _parameters_leg(self, run: Node) -> Leg:
        parameters = parameters_of(self._reading, run.id)
        if not parameters:
            return Leg("parameters", None, "The training run has no executionParameters facet.")
        return Leg("parameters", run, None, {each.key: each.value or "" for each in parameters})

    # Data ------------------------------------------------------------------------------------------------------

    def _training_data(self, version: Node, run: Node) -> Iterator[Leg]:
        """What the training run read for this version, training data first, with the role that it gave to each."""
        walked = self._reading.lineage(NodeRef(id=version.id), Walk(depth=1))
        nodes = {node.id: node for node in walked.nodes}
        roles = self._roles(run)
        edges = [edge for edge in walked.edges if edge.target == run.id and edge.source in nodes]
        legs = [self._data_leg(nodes[edge.source], edge, roles, walked.gaps) for edge in edges]
        yield from sorted(legs, key=lambda leg: (leg.detail.get("role") != "training", leg.node.id if leg.node else ""))

    def _data_leg(self, node: Node, edge: LineageEdge, roles: Mapping[str, str], gaps: Iterable[Gap]) -> Leg:
        role = roles.get(node.parent or node.id)
        detail = {"basis": edge.basis.value} | _named("role", role)
        reasons = [gap.reason for gap in gaps if gap.node in (node.id, edge.target)]
        if edge.basis is Basis.ROLLUP:
            reasons.append("taken from what its application read, not declared")
        if role is None and node.kind is not NodeKind.MODEL_VERSION:
            reasons.append("no lineward_input facet says what it was used for")
        return Leg("trainingData", node, "; ".join(dict.fromkeys(reasons)) or None, detail)

    def _roles(self, run: Node) -> dict[str, str]:
        """What each input dataset was used for, as `lineward_input` says."""
        uses: dict[str, list[tuple[EventRecord, str | None]]] = {}
        for event in self._reading.run_events(run.id):
            for use in event.inputs:
                uses.setdefault(use.dataset, []).append((event, use.use_bundle))
        said = {dataset: only(self._reading.said(told, ["lineward_input"])) for dataset, told in uses.items()}
        return {dataset: body["role"] for dataset, body in said.items() if isinstance(body.get("role"), str)}

    def _features(self, data: Iterable[Leg], event: EventRecord | None) -> Iterator[Leg]:
        """Columns of the training data, and data that the service read while it answered."""
        legs = [
            leg for each in data if each.detail.get("role", "training") == "training" for leg in self._columns(each)
        ]
        read = {use.dataset: use.version for use in event.inputs} if event else {}
        legs += [
            Leg("features", node, None, {"readBy": "service"} | _named("version", read[node.id]))
            for node in self._reading.describe(read).values()
            if node.kind is NodeKind.DATASET
        ]
        yield from legs or [Leg("features", None, "No training data with a schema facet is known.")]

    def _columns(self, data: Leg) -> Iterator[Leg]:
        if data.node is None or data.node.kind not in (NodeKind.DATASET_VERSION, NodeKind.DATASET):
            return
        listed = only(self._reading.facets(data.node.id, ["schema"])).get("fields")
        names = [
            entry["name"]
            for entry in (listed if isinstance(listed, list) else ())
            if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)
        ]
        if names:
            yield Leg("features", data.node, data.reason, {"columns": orjson.dumps(names).decode()})

    def _metrics(self, version: Node) -> Iterator[Leg]:
        found = evaluations_of(self._reading, version.id)
        for each in found:
            values = {_metric_key(m.name, m.slice): repr(m.value) for m in each.metrics}
            yield Leg("metrics", each.run, None, {"kind": each.kind or "unknown"} | values)
        if not found:
            yield Leg("metrics", None, "No run with a lineward_evaluation facet has read this model version.")


_LEGS = (
    "deploymentRun",
    "window",
    "modelVersion",
    "trainingRun",
    "code",
    "parameters",
    "trainingData",
    "features",
    "metrics",
    "approver",
)


def _all_unknown(reason: str, after: str | None = None) -> Iterator[Leg]:
    first = _LEGS.index(after) + 1 if after else 0
    for name in _LEGS[first:]:
        yield Leg(name, None, reason)


def _rank(role: str) -> int:
    return _ANSWERS.index(role) if role in _ANSWERS else len(_ANSWERS)


def _named(name: str, value: str | None) -> dict[str, str]:
    return {} if value is None else {name: value}


def _metric_key(name: str, part: str | None) -> str:
    return name if part is None else f"{name} [{part}]"


def _instant(value: Any) -> Timestamp | None:
    try:
        return rfc3339.canonical(value) if isinstance(value, str) else None
    except ValueError:
        return None
