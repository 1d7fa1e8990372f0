"""Liveness, readiness and metrics: what a supervisor, a load balancer and a person on call ask."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Literal

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from catalog.access import Access
from catalog.errors import RetryableError
from catalog.log.schema import FILE
from catalog.log.writer import LogWriter, microseconds_now
from catalog.patience import Patience
from catalog.supervision import SupervisedChild
from catalog.telemetry import Metrics

DISK_FLOOR = 64 << 20
"""Bytes of free disk below which a server says that it takes no events: a batch might not fit any more."""

_ANSWER_SECONDS = 1.0  # for the store to say how far it is: whoever asks for health waits no longer
_FINDINGS_SECONDS = 60.0  # how old a count of findings may be: it walks every deployment

Status = Literal["ready", "degraded", "unready"]


@dataclass(frozen=True, slots=True)
class Published:
    """The newest checkpoint: how many entries it covers, when it was signed (µs), how many of them were cosigned."""

    size: int
    signed: int
    cosigned: int | None = None


@dataclass(frozen=True, slots=True)
class Disk:
    """Of the file system that the log lies on, bytes."""

    size: int
    free: int

    @classmethod
    def of(cls, folder: Path) -> "Disk":
        found = os.statvfs(folder)
        return cls(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


@dataclass(frozen=True, slots=True)
class Health:
    """The parts of a running server; reading them never waits for one that is down.

    `recorded` tells when the log took an entry, µs. `accepting` is whether the log takes entries. `folder` is where the
    log lies, `checkpoint` gives the newest one, and `findings` counts what a person should look at by its kind; each is
    left out of the answers where it is not given.
    """

    access: Access
    writer: LogWriter
    projector: SupervisedChild
    recorded: Callable[[int], int]
    accepting: Callable[[], bool]
    metrics: Metrics
    folder: Path | None = None
    checkpoint: Callable[[], Published | None] | None = None
    findings: Callable[[], Mapping[str, int]] | None = None
    _patience: Patience = field(default_factory=lambda: Patience(_ANSWER_SECONDS))

    def lag(self) -> tuple[int | None, float]:
        """(entries projected, age of the oldest entry that is not, seconds); None where the store does not answer."""
        try:
            return self._patience.ask(lambda: (self.access.offset(), self.access.lag(self.recorded)))
        except (RetryableError, TimeoutError):
            return None, 0.0

    def disk(self) -> Disk | None:
        return None if self.folder is None else Disk.of(self.folder)

    def report(self) -> tuple[Status, dict[str, object]]:
        """Ready to take events; degraded while the graph cannot follow, which loses nothing."""
        state = self.access.log_state()
        offset, seconds = self.lag()
        disk = self.disk()
        accepting = self.accepting() and (disk is None or disk.free >= DISK_FLOOR)
        graph = {
            "store": self.access.store_name,
            "answers": offset is not None,
            "offset": offset,
            "lagSeconds": seconds,
        }
        projector = {"running": self.projector.pid is not None, "restarts": self.projector.restarts}
        log = {"accepting": accepting, "size": state.size, **({} if disk is None else {"diskFree": disk.free})}
        parts: dict[str, object] = {"log": log, "graph": graph, "projector": projector}
        if not accepting:
            return "unready", parts
        return ("ready" if graph["answers"] and projector["running"] else "degraded"), parts


@dataclass(slots=True, eq=False)
class HealthCollector(Collector):
    """The metrics that are states, read when somebody asks. What is not known at that moment has no sample."""

    health: Health
    _lock: Lock = field(default_factory=Lock)
    _counted: tuple[float, Mapping[str, int]] = (float("-inf"), {})

    def describe(self) -> list[Metric]:
        """Nothing in advance: registering must not ask the parts."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._log()
        yield from self._projection()
        yield from self._checkpoint()
        yield from self._disk()
        yield self._findings()

    def _log(self) -> Iterator[Metric]:
        health = self.health
        yield _gauge("lineward_log_size", "Entries in the log", health.access.log_state().size)
        yield _gauge("lineward_log_accepting", "1 while the log takes entries", int(health.accepting()))
        yield _gauge("lineward_append_queue_depth", "Events waiting for their commit", health.writer.pending())

    def _projection(self) -> Iterator[Metric]:
        health = self.health
        offset, seconds = health.lag()
        answers = offset is not None
        yield _gauge("lineward_graph_up", "1 while the graph store answers", int(answers))
        behind = max(0, health.access.log_state().size - offset) if offset is not None else None
        yield _gauge("lineward_projection_offset", "Entries projected into the graph", offset)
        yield _gauge("lineward_projection_lag_events", "Entries not projected", behind)
        yield _gauge(
            "lineward_projection_lag_seconds", "Age of the oldest entry not projected", seconds if answers else None
        )
        restarts = CounterMetricFamily(
            "lineward_projector_restarts", "Times that the projector's process was started again"
        )
        restarts.add_metric([], health.projector.restarts)
        yield restarts

    def _checkpoint(self) -> Iterator[Metric]:
        found = None if self.health.checkpoint is None else self.health.checkpoint()
        age = None if found is None else max(0.0, (microseconds_now() - found.signed) / 1_000_000)
        lag = None if found is None or found.cosigned is None else found.size - found.cosigned
        yield _gauge("lineward_checkpoint_size", "Entries under the newest checkpoint", found.size if found else None)
        yield _gauge("lineward_checkpoint_age_seconds", "Since the newest checkpoint was signed", age)
        yield _gauge("lineward_witness_lag", "Entries under it that no witness has cosigned", lag)

    def _disk(self) -> Iterator[Metric]:
        folder, disk = self.health.folder, self.health.disk()
        yield _gauge("lineward_disk_size_bytes", "Size of the log's file system", disk.size if disk else None)
        yield _gauge("lineward_disk_free_bytes", "What is free of it for this user", disk.free if disk else None)
        for name, file, what in (("log", FILE, "log's file"), ("wal", f"{FILE}-wal", "write-ahead file")):
            held = None if folder is None else _bytes(folder / file)
            yield _gauge(f"lineward_{name}_bytes", f"Size of the {what}", held)

    def _findings(self) -> Metric:
        family = GaugeMetricFamily("lineward_open_findings", "What a person should look at", labels=["kind"])
        for kind, count in self._count_findings().items():
            family.add_metric([kind], count)
        return family

    def _count_findings(self) -> Mapping[str, int]:
        """At most once a minute, by whoever asks first; as it was where the store does not answer."""
        if self.health.findings is None:
            return {}
        with self._lock:
            counted_at, counted = self._counted
            if time.monotonic() - counted_at > _FINDINGS_SECONDS and self.health.lag()[0] is not None:
                try:
                    counted = self.health.findings()
                except RetryableError:
                    return counted
                self._counted = time.monotonic(), counted
            return counted


def _gauge(name: str, what: str, value: float | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what)
    if value is not None:
        family.add_metric([], value)
    return family


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def health_routes(health: Health) -> list[Route]:
    """`GET /livez`, `/readyz` and `/metrics`. For one server: its states become part of `health.metrics`."""
    health.metrics.registry.register(HealthCollector(health))

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "alive"})

    def ready(request: Request) -> Response:
        status, parts = health.report()
        return JSONResponse({"status": status, **parts}, 503 if status == "unready" else 200)

    def metrics(request: Request) -> Response:
        return Response(generate_latest(health.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", live), Route("/readyz", ready), Route("/metrics", metrics)]
