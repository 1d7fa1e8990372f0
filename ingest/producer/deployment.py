"""A service that serves model versions, and the facets that describe it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from openlineage.client.event_v2 import InputDataset
from openlineage.client.facet_v2 import job_type_job

from ingest.producer.dataset import Model
from ingest.producer.facets import (
    Logging,
    Oversight,
    ServedModel,
    ServingInputDatasetFacet,
    ServingRunFacet,
)
from ingest.producer.run import INTEGRATION
from ingest.spec import schema_digest


@dataclass(frozen=True, slots=True)
class Served:
    """A model version behind an endpoint; `share` is its part of the live traffic, 0 to 1.

    The model's digest is that of the artifact that the service loaded: take it from the file, not from the registry.
    """

    model: Model
    role: Literal["primary", "canary", "shadow"] = "primary"
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The job of a service and how it runs. It reports every `window_seconds`, predictions or none."""

    namespace: str
    name: str
    environment: str
    endpoint: str | None = None
    country: str | None = None
    oversight: Oversight | None = None
    decision_mode: str | None = None
    retention_days: int | None = None
    window_seconds: int = 60


def job_type(deployment: Deployment) -> job_type_job.JobTypeJobFacet:
    """A service whose periodic events each hold everything about their window."""
    return job_type_job.JobTypeJobFacet(
        processingType="SERVICE",
        integration=INTEGRATION,
        jobType="SERVICE",
        emissionPattern=job_type_job.EmissionPattern(
            eventTrigger="PERIODIC",
            eventContentMode="COMPLETE_SNAPSHOT",
            windowDuration=deployment.window_seconds,
        ),
    )


def serving(deployment: Deployment, served: Sequence[Served]) -> ServingRunFacet:
    return ServingRunFacet(
        endpoint=deployment.endpoint,
        environment=deployment.environment,
        country=deployment.country,
        models=[_served_model(item) for item in served],
        logging=Logging(
            enabled=True,
            schemaDigest=schema_digest("PredictionRecord"),
            retentionDays=deployment.retention_days,
        ),
        oversight=deployment.oversight,
        decisionMode=deployment.decision_mode,
        heartbeatSeconds=deployment.window_seconds,
    )


def served_input(served: Served) -> InputDataset:
    """The model version as an input, with its role and share."""
    dataset = served.model.as_input()
    facet = ServingInputDatasetFacet(role=served.role, share=served.share)
    dataset.inputFacets = {**(dataset.inputFacets or {}), "lineward_serving": facet}
    return dataset


def _served_model(served: Served) -> ServedModel:
    model = served.model
    return ServedModel(
        namespace=model.namespace,
        name=model.name,
        version=model.version,
        digest=model.digest,
        role=served.role,
        share=served.share,
    )
