"""What runs report of themselves beside their data: code, parameters and measurements, read from their facets.

A facet without the form that its schema gives it tells nothing; it stays visible as the facet that it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from catalog.model import Facet, Node
from catalog.reading import Reading

_READERS_OF_A_VERSION = 1_000


@dataclass(frozen=True, slots=True)
class Code:
    """Where the code of a run is kept (SourceCodeLocationJobFacet 1-1-0)."""

    type: str | None = None
    url: str | None = None
    repository: str | None = None
    path: str | None = None
    version: str | None = None
    tag: str | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a run (ExecutionParametersRunFacet 1-0-0); a value that is no text is its JSON."""

    key: str
    value: str | None
    name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured number (`lineward_evaluation`)."""

    name: str
    value: float
    unit: str | None = None
    slice: str | None = None
    higher_is_better: bool | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A run that measured a model version, and what it measured."""

    run: Node
    kind: str | None
    metrics: tuple[Metric, ...]


def code_of(reading: Reading, run: str) -> Code | None:
    """The code that the run's own events name, not what the job says today."""
    bundles = [(event, event.job_bundle) for event in reading.run_events(run)]
    body = only(reading.said(bundles, ["sourceCodeLocation"]))
    if not body or body.get("_deleted") is True:
        return None
    read = (_text(body.get(key)) for key in ("type", "url", "repoUrl", "path", "version", "tag", "branch"))
    return Code(*read)


def parameters_of(reading: Reading, run: str) -> list[Parameter]:
    """The run's parameters in the order reported."""
    listed = only(reading.facets(run, ["executionParameters"])).get("parameters")
    return [
        Parameter(
            entry["key"],
            _as_text(entry.get("value")),
            _text(entry.get("name")),
            _text(entry.get("description")),
        )
        for entry in (listed if isinstance(listed, list) else ())
        if isinstance(entry, Mapping) and isinstance(entry.get("key"), str)
    ]


def evaluations_of(reading: Reading, version: str) -> list[Evaluation]:
    """What runs that read a model version measured of it, the earliest first."""
    runs = reading.readers_of([version], _READERS_OF_A_VERSION)[version]
    found = [_evaluation(run, reading.facets(run.id, ["lineward_evaluation"])) for run in runs]
    return sorted(
        (evaluation for evaluation in found if evaluation),
        key=lambda evaluation: (evaluation.run.started or "", evaluation.run.id),
    )


def _evaluation(run: Node, facets: Sequence[Facet]) -> Evaluation | None:
    if not facets:
        return None
    body = only(facets)
    listed = body.get("metrics")
    metrics = (_metric(entry) for entry in (listed if isinstance(listed, list) else ()))
    return Evaluation(run, _text(body.get("kind")), tuple(metric for metric in metrics if metric))


def _metric(entry: Any) -> Metric | None:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        return None
    value, better = entry.get("value"), entry.get("higherIsBetter")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Metric(
        entry["name"],
        float(value),
        _text(entry.get("unit")),
        _text(entry.get("slice")),
        better if isinstance(better, bool) else None,
    )


def only(facets: Sequence[Facet]) -> Mapping[str, Any]:
    """The body of the single facet that was asked for; empty where it is absent or no object."""
    body = orjson.loads(facets[0].body) if facets else None
    return body if isinstance(body, Mapping) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
