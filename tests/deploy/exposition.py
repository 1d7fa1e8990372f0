"""Every series that a server can expose, from a server of fakes that knows a value for each."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client.metrics_core import Metric

from catalog.access import LogState
from catalog.health import Health, HealthCollector, Published
from catalog.telemetry import Metrics

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def families() -> list[Metric]:
    metrics = Metrics()
    metrics.requests.answered("/livez", 200)
    metrics.requests.ended("/livez", 0.1)
    metrics.query_refused("TOO_COSTLY")
    parts = {
        "access": SimpleNamespace(
            log_state=lambda: LogState("lineward/x", 3, bytes(32)), offset=lambda: 2, lag=lambda _: 1.0
        ),
        "writer": SimpleNamespace(pending=lambda: 0),
        "projector": SimpleNamespace(pid=1, restarts=0),
    }
    with TemporaryDirectory() as folder:
        health = Health(
            **cast(Any, parts),
            recorded=lambda _: 0,
            accepting=lambda: True,
            metrics=metrics,
            folder=Path(folder),
            checkpoint=lambda: Published(3, 0, 2),
            findings=lambda: {"BREAK_GLASS": 1},
        )
        return [*metrics.registry.collect(), *HealthCollector(health).collect()]


@cache
def exposed() -> dict[str, frozenset[str]]:
    """Name of a series -> its labels."""
    found: dict[str, frozenset[str]] = {}
    for family in families():
        for suffix in _SUFFIXES[family.type]:
            found[family.name + suffix] = frozenset(label for sample in family.samples for label in sample.labels)
    return found
