"""A run that measures a model version on a dataset version."""

from collections.abc import Iterable
from math import isfinite

from openlineage.client.facet_v2 import test_run

from ingest.producer.dataset import Dataset, Model, digest_of
from ingest.producer.delivery import Reporter, unharmed
from ingest.producer.facets import EvaluationRunFacet, Metric, Slice
from ingest.producer.run import BatchRun


class Evaluation(BatchRun):
    """Put around the measuring code as a `with` block; every number given to `metric` is reported.

    `kind` says what is examined: performance, robustness, bias, security, explainability, human_factors,
    red_team, drift, data_quality, or a word of your own.
    """

    job_type = "EVALUATION"

    def __init__(
        self,
        reporter: Reporter = None,
        *,
        job: str,
        namespace: str,
        model: Model,
        dataset: Dataset,
        kind: str = "performance",
        inputs: Iterable[Dataset | Model] = (),
    ) -> None:
        super().__init__(reporter, job=job, namespace=namespace, inputs=[model, dataset, *inputs])
        self._kind = kind
        self._metrics: list[Metric] = []
        self._slices: dict[str, Slice] = {}
        self._tests: list[test_run.TestExecution] = []
        self._report_digest: str | None = None

    def metric(
        self,
        name: str,
        value: float,
        *,
        slice: str | None = None,  # noqa: A002 - the word of the facet
        unit: str | None = None,
        higher_is_better: bool | None = None,
    ) -> None:
        """Records one number, of the slice that `slice` names or of the whole dataset.

        NaN and infinities have no JSON: they are logged, and the metric is missing.
        """
        with unharmed(f"record the metric {name}"):
            number = float(value)  # the client would send a numpy scalar as text
            if not isfinite(number):
                raise ValueError(f"{number} is no measured value")
            self._metrics.append(
                Metric(name=name, value=number, unit=unit, slice=slice, higherIsBetter=higher_is_better)
            )

    def slice(self, name: str, *, attributes: Iterable[str] = (), count: int | None = None) -> None:
        """Describes a part of the dataset that metrics may name: the columns it depends on, and its rows."""
        size = None if count is None else int(count)
        self._slices[name] = Slice(name=name, attributes=list(attributes) or None, count=size)

    def expect(self, name: str, *, actual: float, at_least: float) -> bool:
        """Records a check of the developer's own in the standard `test` facet; whether it holds.

        A release gate does not rely on it: it compares the metrics with its own thresholds.
        """
        holds = bool(actual >= at_least)
        self._tests.append(
            test_run.TestExecution(
                name=name,
                status="pass" if holds else "fail",
                severity="error",
                type="threshold",
                expected=f">= {at_least}",
                actual=str(actual),
            )
        )
        return holds

    def report(self, content: bytes) -> None:
        """Records the digest of the full report."""
        self._report_digest = digest_of(content)

    def _conclude(self, error: BaseException | None) -> None:
        super()._conclude(error)
        self.run_facets["lineward_evaluation"] = EvaluationRunFacet(
            kind=self._kind,
            metrics=self._metrics,
            slices=list(self._slices.values()) or None,
            reportDigest=self._report_digest,
        )
        if self._tests:
            self.run_facets["test"] = test_run.TestRunFacet(tests=self._tests)
