"""One run of a batch job, reported while a `with` block runs."""

import json
import traceback
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    JobFacet,
    RunFacet,
    error_message_run,
    execution_parameters_run,
    job_type_job,
)
from openlineage.client.uuid import generate_new_uuid

from ingest.producer.dataset import Dataset, Model
from ingest.producer.delivery import Reporter, delivery_of, unharmed

PRODUCER = "https://lineward.dev/producer"
INTEGRATION = "LINEWARD"
MESSAGE_LIMIT = 10_000  # characters of an error message or stack trace


def now() -> str:
    """The present in UTC, RFC 3339 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class BatchRun:
    """Sends START when the block begins; then COMPLETE, FAIL when it raises, or ABORT when it is stopped.

    Reporting never raises and never waits, except that a run that was given a client, or nothing, makes its
    own `Delivery` and closes it at the end (a second at most). What the block raises goes on to the caller.
    """

    job_type = "JOB"

    def __init__(
        self,
        reporter: Reporter = None,
        *,
        job: str,
        namespace: str,
        inputs: Iterable[Dataset | Model] = (),
        outputs: Iterable[Dataset | Model] = (),
        parameters: Mapping[str, object] | None = None,
        run_facets: Mapping[str, RunFacet] | None = None,
        job_facets: Mapping[str, JobFacet] | None = None,
    ) -> None:
        self.run_id = str(generate_new_uuid())
        self.job = job
        self.namespace = namespace
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.run_facets: dict[str, RunFacet] = dict(run_facets or {})
        self.job_facets: dict[str, JobFacet] = dict(job_facets or {})
        self._parameters = dict(parameters or {})
        self._delivery, self._owns_delivery = delivery_of(reporter)

    def __enter__(self) -> Self:
        at = now()
        with unharmed("describe a run"):
            self._describe()
        self._report(RunState.START, at)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        at = now()
        with unharmed("describe the end of a run"):
            self._conclude(error)
        self._report(_state(error), at)
        if self._owns_delivery:
            self._delivery.close()

    def _describe(self) -> None:
        """Sets the facets known at the start; subclasses add theirs."""
        self.job_facets["jobType"] = job_type_job.JobTypeJobFacet(
            processingType="BATCH", integration=INTEGRATION, jobType=self.job_type
        )
        if self._parameters:
            self.run_facets["executionParameters"] = _execution_parameters(self._parameters)

    def _conclude(self, error: BaseException | None) -> None:
        """Sets the facets known at the end; subclasses add theirs."""
        if error is not None:
            self.run_facets["errorMessage"] = _error_message(error)

    def _report(self, state: RunState, at: str) -> None:
        with unharmed(f"report {state.value} of a run"):
            self._delivery.send(
                RunEvent(
                    eventType=state,
                    eventTime=at,
                    producer=PRODUCER,
                    run=Run(self.run_id, facets=dict(self.run_facets)),
                    job=Job(self.namespace, self.job, facets=dict(self.job_facets)),
                    inputs=[item.as_input() for item in self.inputs],
                    # What a run writes is known when it ends.
                    outputs=[] if state is RunState.START else [item.as_output() for item in self.outputs],
                )
            )


def _state(error: BaseException | None) -> RunState:
    if error is None:
        return RunState.COMPLETE
    return RunState.FAIL if isinstance(error, Exception) else RunState.ABORT


def _execution_parameters(
    parameters: Mapping[str, object],
) -> execution_parameters_run.ExecutionParametersRunFacet:
    return execution_parameters_run.ExecutionParametersRunFacet(
        parameters=[
            execution_parameters_run.ExecutionParameter(key=str(key), value=_as_text(value))
            for key, value in parameters.items()
        ]
    )


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)


def _error_message(error: BaseException) -> error_message_run.ErrorMessageRunFacet:
    return error_message_run.ErrorMessageRunFacet(
        message=(str(error) or type(error).__name__)[:MESSAGE_LIMIT],
        programmingLanguage="PYTHON",
        stackTrace="".join(traceback.format_exception(error))[-MESSAGE_LIMIT:],
    )
