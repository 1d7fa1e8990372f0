"""A training run: what went in, what decided its outcome, and the model version that came out."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from openlineage.client.facet_v2 import JobFacet, RunFacet

from ingest.producer.dataset import Dataset, Model
from ingest.producer.delivery import Reporter, unharmed
from ingest.producer.environment import code_location, environment_digest
from ingest.producer.facets import Compute, TrainingRunFacet
from ingest.producer.run import BatchRun


class TrainingRun(BatchRun):
    """A batch run that trains a model; put around the training code as a `with` block.

    `code` is the folder of the training code: the commit checked out around it is reported, if there is one.
    `compute` may be set until the block ends, when it is known.
    """

    job_type = "TRAINING"

    def __init__(
        self,
        reporter: Reporter = None,
        *,
        job: str,
        namespace: str,
        seed: int | None = None,
        parameters: Mapping[str, object] | None = None,
        inputs: Iterable[Dataset | Model] = (),
        outputs: Iterable[Dataset | Model] = (),
        hardware: str | None = None,
        compute: Compute | None = None,
        code: Path | None = None,
        run_facets: Mapping[str, RunFacet] | None = None,
        job_facets: Mapping[str, JobFacet] | None = None,
    ) -> None:
        super().__init__(
            reporter,
            job=job,
            namespace=namespace,
            inputs=inputs,
            outputs=outputs,
            parameters=parameters,
            run_facets=run_facets,
            job_facets=job_facets,
        )
        self.compute = compute
        self._seed = seed
        self._hardware = hardware
        self._code = code or Path.cwd()
        self._environment: str | None = None

    def register(self, model: Model, artifact: bytes | Path | None = None) -> Model:
        """Adds the model version that this run made; returns it with the digest of its artifact."""
        with unharmed("take the digest of a model"):
            if artifact is not None:
                model = model.with_artifact(artifact)
        self.outputs.append(model)
        return model

    def _describe(self) -> None:
        super()._describe()
        with unharmed("list the installed packages"):
            self._environment = environment_digest()
        self._set_training()
        if location := code_location(self._code):
            self.job_facets["sourceCodeLocation"] = location

    def _conclude(self, error: BaseException | None) -> None:
        super()._conclude(error)
        self._set_training()

    def _set_training(self) -> None:
        self.run_facets["lineward_training"] = TrainingRunFacet(
            seed=self._seed,
            environmentDigest=self._environment,
            hardware=self._hardware,
            compute=self.compute,
        )
