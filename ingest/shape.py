"""What every OpenLineage event must have before it may enter the log (core schema 2-0-2).

Events are told apart by their shape: `schemaURL` is often missing or wrong, and so is `producer`. Optional parts may be
null, as serialisers write them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.errors import InvalidEventError
from catalog.graph.record import Shape
from ingest.instant import parse_instant
from ingest.limits import Limits
from ingest.pointer import pointer

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_USES = {"inputs": "inputFacets", "outputs": "outputFacets"}
_BATCH = "send several events to /api/v1/lineage/batch"

_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """The shape of an event, its time in µs since 1970, and the namespace of its job, or of its dataset without one."""

    shape: Shape
    event_time: int
    namespace: str


def check_event(document: Any, limits: Limits) -> Outline:
    """Check the required parts; InvalidEventError with a pointer to the first one that is wrong."""
    if isinstance(document, list):
        raise InvalidEventError("this is an array, not an event", _BATCH)
    event = _object(document, ())
    shape = _classify(event)
    _check_run(event)
    _check_entity(event, "job")
    if shape is Shape.DATASET:
        _check_entity(event, "dataset")
    for path, entity, kinds in _entities(event, limits):
        _check_name(entity, path)
        for kind in kinds:
            _check_facets(entity, path, kind)
    if not isinstance(event.get("eventType"), str | None):
        raise InvalidEventError("eventType is no string", "send START, RUNNING or COMPLETE", pointer="/eventType")
    return Outline(shape, _event_time(event), event["dataset" if shape is Shape.DATASET else "job"]["namespace"])


def _classify(event: Mapping[str, Any]) -> Shape:
    """A run and a job, a job alone, or a dataset alone."""
    if event.get("job") is not None:
        return Shape.JOB if event.get("run") is None else Shape.RUN
    if event.get("run") is not None:
        raise InvalidEventError("the event has a run but no job", "name the job that ran", pointer="/job")
    if event.get("dataset") is not None:
        return Shape.DATASET
    raise InvalidEventError("the event is about no run, job or dataset", "send one of the three OpenLineage events")


def _check_run(event: Mapping[str, Any]) -> None:
    if event.get("run") is None:
        return
    run = _object(event["run"], ("run",))
    run_id = run.get("runId")
    if not isinstance(run_id, str) or _UUID.fullmatch(run_id) is None:
        raise InvalidEventError("the runId is no UUID", "use one UUID for all events of a run", pointer="/run/runId")
    _check_facets(run, ("run",), "facets")


def _check_entity(event: Mapping[str, Any], kind: str) -> None:
    if event.get(kind) is None:
        return
    entity = _object(event[kind], (kind,))
    _check_name(entity, (kind,))
    _check_facets(entity, (kind,), "facets")


def _entities(event: Mapping[str, Any], limits: Limits) -> Iterator[tuple[_Path, Mapping[str, Any], tuple[str, str]]]:
    """The datasets that an event uses, with their paths and the names of their facets."""
    for side, kind in _USES.items():
        listed = event.get(side)
        if listed is None:
            continue
        if not isinstance(listed, list):
            raise InvalidEventError(f"{side} is no list", "send a list of datasets", pointer=f"/{side}")
        if len(listed) > limits.datasets:
            raise InvalidEventError(
                f"the event has {len(listed):,} {side}, more than {limits.datasets:,}",
                "spread them over several events of the run, which are united",
                pointer=f"/{side}",
            )
        for index, dataset in enumerate(listed):
            yield (side, index), _object(dataset, (side, index)), ("facets", kind)


def _check_name(entity: Mapping[str, Any], path: _Path) -> None:
    for part in ("namespace", "name"):
        if not isinstance(entity.get(part), str):
            raise InvalidEventError(f"the {part} is no string", f"send a {part}", pointer=pointer((*path, part)))


def _check_facets(entity: Mapping[str, Any], path: _Path, kind: str) -> None:
    facets = entity.get(kind)
    if facets is None:
        return
    for name, facet in _object(facets, (*path, kind)).items():
        if not isinstance(facet, dict | None):
            raise _no_object((*path, kind, name))


def _event_time(event: Mapping[str, Any]) -> int:
    text = event.get("eventTime")
    if not isinstance(text, str):
        raise InvalidEventError("the eventTime is no string", "send RFC 3339 in UTC", pointer="/eventTime")
    try:
        return parse_instant(text).micros
    except InvalidEventError as error:
        error.pointer = "/eventTime"
        raise


def _object(value: Any, path: _Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _no_object(path)
    return value


def _no_object(path: _Path) -> InvalidEventError:
    return InvalidEventError("this is no JSON object", "send an object", pointer=pointer(path))
