"""A training run: what went in, what decided its outcome, and the model version that came out."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from openlineage.client.facet_v2 import JobFacet, RunFacet

from ingest.producer.dataset import Dataset, Model
from ingest.producer.delivery import Reporter, unharmed
from ingest.producer.environment import code_authors, code_location, committer, environment_digest
from ingest.producer.facets import Compute, TrainingRunFacet
from ingest.producer.run import BatchRun

USER_VARIABLE = "LINEWARD_USER"


class TrainingRun(BatchRun):
    """A batch run that trains a model; put around the training code as a `with` block.

    `code` is the folder of the training code: the commit checked out around it is reported, if there is one, and who
    committed to it so far. `user` is who started the run, an e-mail address or a login: else LINEWARD_USER says it,
    else git's `user.email`.
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
        user: str | None = None,
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
        self._user = user
        self._authors: list[str] | None = None
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
        self._user = self._user or os.environ.get(USER_VARIABLE) or committer(self._code)
        if location := code_location(self._code):
            self.job_facets["sourceCodeLocation"] = location
            self._authors = code_authors(self._code, location.version or "HEAD")
        self._set_training()

    def _conclude(self, error: BaseException | None) -> None:
        super()._conclude(error)
        self._set_training()

    def _set_training(self) -> None:
        self.run_facets["lineward_training"] = TrainingRunFacet(
            seed=self._seed,
            environmentDigest=self._environment,
            hardware=self._hardware,
            compute=self.compute,
            user=self._user,
            authors=self._authors,
        )
