"""The prediction log of a service: a line per prediction in a file of its own, an event per window of time.

The file holds the predictions; the events commit to them (count, interval, Merkle root) without showing them.
"""

import atexit
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from openlineage.client.event_v2 import Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import RunFacet, output_statistics_output_dataset
from openlineage.client.uuid import generate_new_uuid

from ingest.producer.dataset import Dataset
from ingest.producer.delivery import Reporter, append, delivery_of, unharmed
from ingest.producer.deployment import Deployment, Served, job_type, served_input, serving
from ingest.producer.facets import PredictionsOutputDatasetFacet, PredictionsRunFacet
from ingest.producer.merkle import MerkleTree
from ingest.producer.record import Prediction, entry_of, line_of, rfc3339, uuid7
from ingest.producer.run import PRODUCER
from ingest.spec import schema_digest

MILLISECOND = timedelta(milliseconds=1)
JOIN_SECONDS = 1.0


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Window:
    """Predictions from `start` up to, and without, `end`."""

    id: str
    start: datetime
    end: datetime | None = None
    tree: MerkleTree = field(default_factory=MerkleTree)


class PredictionLog:
    """Keeps and reports the predictions of one process of a service.

    `path` is the log file, `dataset` its name as a dataset. Times are cut to the millisecond, like the time
    inside a UUIDv7, and never go back: the time of a request id lies in the window that counts it. No method
    raises; files and network are left to threads of its own.
    """

    def __init__(
        self,
        reporter: Reporter = None,
        *,
        deployment: Deployment,
        served: Sequence[Served],
        path: Path,
        dataset: Dataset,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.deployment = deployment
        self.run_id = str(generate_new_uuid())
        self._served = list(served)
        self._path = path
        self._dataset = dataset
        self._clock = clock
        self._delivery, self._owns_delivery = delivery_of(reporter)
        self._lock = Lock()
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._window: Window | None = None
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._worker: Thread | None = None
        self._closed = False

    def start(self) -> None:
        """Reports that the service runs, and begins the first window. Later calls do nothing."""
        with unharmed("start a prediction log"), self._lock:
            if self._worker is not None or self._closed:
                return
            self._open_window(self._tick())
            self._report(RunState.START, self._latest)
            self._worker = Thread(target=self._work, name="lineward-predictions", daemon=True)
            self._worker.start()
            atexit.register(self.close)

    def record(
        self,
        *,
        features: object,
        output: object,
        decision: str | None = None,
        latency_ms: float = 0.0,
        served: Served | None = None,
    ) -> str:
        """Logs one prediction and returns its request id, a UUIDv7. `served` names the version that answered,
        where several are served."""
        with self._lock:
            at = self._tick()
            request_id = str(uuid7(at))
            with unharmed("log a prediction"):
                window = self._window_at(at)
                prediction = Prediction(
                    request_id=request_id,
                    time=at,
                    deployment=self.deployment,
                    model=(served or self._served[0]).model,
                    features=features,
                    output=output,
                    decision=decision,
                    latency_ms=latency_ms,
                    window_id=window.id,
                )
                self._keep(prediction, window)
        return request_id

    def serve(self, served: Sequence[Served]) -> None:
        """Other versions answer from now on: ends the window and reports the change at once."""
        with unharmed("change the served models"), self._lock:
            if self._window is None:
                self._served = list(served)
                return
            at = self._after_latest()
            self._close_window(at)
            self._served = list(served)
            self._open_window(at)
            self._report(RunState.RUNNING, at)

    def tick(self) -> None:
        """Reports the window if its time is over, with predictions or without."""
        with unharmed("report a window of predictions"), self._lock:
            if self._window is not None:
                self._window_at(self._tick())

    def close(self) -> None:
        """Reports the last window and the end of the run. Later calls do nothing."""
        with unharmed("close a prediction log"):
            atexit.unregister(self.close)
            if self._stop_work():
                with self._lock:
                    at = self._after_latest()
                    self._close_window(at)
                    self._report(RunState.COMPLETE, at)
                self._write(self._waiting_lines())
            if self._owns_delivery:
                self._delivery.close()

    # The lock is held in everything from here to `_report`.

    def _tick(self) -> datetime:
        at = self._clock().astimezone(UTC)
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        self._latest = max(self._latest, at)
        return self._latest

    def _after_latest(self) -> datetime:
        # A window must end after its last prediction, which may be of this very millisecond.
        self._latest = max(self._tick(), self._latest) + MILLISECOND
        return self._latest

    def _open_window(self, start: datetime) -> None:
        self._window = Window(id=str(uuid7(start)), start=start)

    def _window_at(self, at: datetime) -> Window:
        window = self._window
        if window is None:
            raise RuntimeError("the log is not started, or closed")
        if at >= window.start + timedelta(seconds=self.deployment.window_seconds):
            self._close_window(at)
            self._open_window(at)
        return self._window or window

    def _close_window(self, end: datetime) -> None:
        window, self._window = self._window, None
        if window is not None:
            window.end = end
            # Its last instant: at `end`, which is outside, other versions may answer.
            self._report(RunState.RUNNING, end - timedelta(microseconds=1), window)

    def _keep(self, prediction: Prediction, window: Window) -> None:
        line = line_of(prediction)
        window.tree.add(entry_of(line))
        self._lines.put(line)

    def _report(self, state: RunState, at: datetime, window: Window | None = None) -> None:
        facets: dict[str, RunFacet] = {"lineward_serving": serving(self.deployment, self._served)}
        if window is not None:
            facets["lineward_predictions"] = PredictionsRunFacet(**_figures(window))
        job = Job(self.deployment.namespace, self.deployment.name, facets={"jobType": job_type(self.deployment)})
        self._delivery.send(
            RunEvent(
                eventType=state,
                eventTime=at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
                producer=PRODUCER,
                run=Run(self.run_id, facets=facets),
                job=job,
                inputs=[served_input(item) for item in self._served],
                outputs=[] if window is None or not window.tree.count else [self._output(window)],
            )
        )

    def _output(self, window: Window) -> OutputDataset:
        output = self._dataset.as_output()
        output.outputFacets = {
            "lineward_predictions": PredictionsOutputDatasetFacet(**_figures(window)),
            "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                rowCount=window.tree.count
            ),
        }
        return output

    # The worker's part: the file.

    def _work(self) -> None:
        while self._write(self._wait_for_lines()):
            self.tick()

    def _wait_for_lines(self) -> list[bytes | None]:
        try:
            lines = [self._lines.get(timeout=self._seconds_left())]
        except Empty:
            return []
        return lines + self._waiting_lines()

    def _waiting_lines(self) -> list[bytes | None]:
        return [self._lines.get() for _ in range(self._lines.qsize())]

    def _seconds_left(self) -> float:
        window = self._window
        length = float(self.deployment.window_seconds)
        if window is None:
            return length
        return min(length, max(0.01, length - (self._clock() - window.start).total_seconds()))

    def _write(self, lines: list[bytes | None]) -> bool:
        body = b"".join(line + b"\n" for line in lines if line is not None)
        with unharmed(f"write to the prediction log {self._path}"):
            if body:
                append(self._path, body)
        return None not in lines

    def _stop_work(self) -> bool:
        with self._lock:
            worker, first = self._worker, not self._closed
            self._closed = True
        if worker is None or not first:
            return False
        self._lines.put(None)
        worker.join(JOIN_SECONDS)
        return True


def _figures(window: Window) -> dict[str, Any]:
    return {
        "from_": rfc3339(window.start),
        "to": rfc3339(window.end or window.start),
        "count": window.tree.count,
        "schemaDigest": schema_digest("PredictionRecord"),
        "root": f"sha256:{window.tree.root().hex()}",
        "windowId": window.id,
    }
