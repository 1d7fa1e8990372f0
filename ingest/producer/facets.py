"""Our facets as classes of the OpenLineage client: `facets={"lineward_training": TrainingRunFacet(seed=7)}`.

Each class carries the address of its schema under `ingest/spec`, which is also the manual for its fields.
"""
# ruff: noqa: N815 - the client sends attribute names as they stand, and the wire is camelCase

import attr
from openlineage.client.facet_v2 import DatasetFacet, InputDatasetFacet, OutputDatasetFacet, RunFacet

from ingest.spec import facet_url


@attr.define(kw_only=True)
class ModelReference:
    """A model version by name."""

    namespace: str
    name: str
    version: str | None = None


@attr.define(kw_only=True)
class ModelDatasetFacet(DatasetFacet):
    """`lineward_model`, on the dataset that is a model: what it is and what it is for."""

    framework: str | None = None
    task: str | None = None
    intendedUse: str | None = None
    outOfScopeUse: str | None = None
    licence: str | None = None
    digest: str | None = None
    baseModel: ModelReference | None = None

    @staticmethod
    def _get_schema() -> str:
        return facet_url("LinewardModelDatasetFacet")


@attr.define(kw_only=True)
class RegistryDatasetFacet(DatasetFacet):
    """`lineward_registry`, on a dataset that names a model version: the aliases that it has from now on."""

    aliases: list[str]

    @staticmethod
    def _get_schema() -> str:
        return facet_url("LinewardRegistryDatasetFacet")


@attr.define(kw_only=True)
class Compute:
    """What a training run consumed: operations, hours over all accelerators, kilowatt-hours."""

    flops: float | None = None
    acceleratorHours: float | None = None
    energyKilowattHours: float | None = None


@attr.define(kw_only=True)
class TrainingRunFacet(RunFacet):
    """`lineward_training`, on a run: what decides its outcome beside code, data and parameters, and who made it."""

    seed: int | None = None
    environmentDigest: str | None = None
    hardware: str | None = None
    compute: Compute | None = None
    user: str | None = None
    authors: list[str] | None = None

    @staticmethod
    def _get_schema() -> str:
        return facet_url("LinewardTrainingRunFacet")


@attr.define(kw_only=True)
class InputInputDatasetFacet(InputDatasetFacet):
    """`lineward_input`, on an input: training, validation, test, reference or background data."""

    role: str | None = None
    splitGroup: str | None = None
    digest: str | None = None

    @staticmethod
    def _get_schema() -> str:
        return facet_url("LinewardInputInputDatasetFacet")


@attr.define(kw_only=True)
class Slice:
    """A part of a dataset that is measured apart."""

    name: str
    attributes: list[str] | None = None
    count: int | None = None


@attr.define(kw_only=True)
class Metric:
    """One measured number, of a slice or of the whole dataset."""

    name: str
    value: float
    unit: str | None = None
    slice: str | None = None
    higherIsBetter: bool | None = None


@attr.define(kw_only=True)
class EvaluationRunFacet(RunFacet):
    """`lineward_evaluation`, on a run: what it measured of the model among its inputs."""

    kind: str
    metrics: list[Metric]
    slices: list[Slice] | None = None
    reportDigest: str | None = None

    @staticmethod
    def _get_schema() -> str:
        return facet_url("LinewardEvaluationRunFacet")


@attr.define(kw_only=True)
class ServedModel:
    """A model version behind an endpoint; `share` is its part of the traffic, 0 to 1."""

    namespace: str
    name: str
    version: str
    digest: str | None = None
    role: str | None = None
    share: float | None = None


@attr.define(kw_only=True)
class Logging:
    """How a service keeps its predictions."""

    enabled: bool
    schemaDigest: str | None = None
    retentionDays: int | None = None


@attr.define(kw_only=True)
class Oversight:
    """Who watches a service, and whether they can overrule it."""

    assignedTo: list[str] | None = None
    overrideEnabled: bool | None = None


@attr.define(kw_only=True)
class ServingRunFacet(RunFacet):
    """`lineward_serving`, on a run of a service: how the model is served."""

    endpoint: str | None = None
    environment: str | None = None
    country: str | None = None
    models: list[ServedModel] | None = None
    role: str | None = None
    share: float | None = None
    logging: Logging | None = None
    oversight: Oversight | None = None
    decisionMode: str | None = None
    heartbeatSeconds: int | None = None

    @staticmethod
    def _get_schema() -> str:
        return facet_url("LinewardServingRunFacet")


@attr.define(kw_only=True)
class ServingInputDatasetFacet(InputDatasetFacet):
    """`lineward_serving`, on one model among the inputs: its role and share."""

    role: str | None = None
    share: float | None = None

    @staticmethod
    def _get_schema() -> str:
        return facet_url("LinewardServingInputDatasetFacet")


def _sends_from(facet: type) -> type:
    """Sends the attribute `from_` as `from`, which is a keyword and can be no attribute in Python source.

    The client serialises by the names in `__attrs_attrs__`, read after the methods are made.
    """
    facet.__attrs_attrs__ = tuple(  # type: ignore[attr-defined]
        field.evolve(name="from") if field.name == "from_" else field for field in attr.fields(facet)
    )
    setattr(facet, "from", property(lambda self: self.from_))
    return facet


@attr.define(kw_only=True)
class PredictionsRunFacet(RunFacet):
    """`lineward_predictions`, on a run of a service: one window of predictions."""

    from_: str
    to: str
    count: int
    schemaDigest: str | None = None
    root: str | None = None
    windowId: str | None = None

    @staticmethod
    def _get_schema() -> str:
        return facet_url("LinewardPredictionsRunFacet")


@attr.define(kw_only=True)
class PredictionsOutputDatasetFacet(OutputDatasetFacet):
    """`lineward_predictions`, on the prediction log among the outputs: what one window added."""

    from_: str
    to: str
    count: int
    schemaDigest: str | None = None
    root: str | None = None
    windowId: str | None = None

    @staticmethod
    def _get_schema() -> str:
        return facet_url("LinewardPredictionsOutputDatasetFacet")


_sends_from(PredictionsRunFacet)
_sends_from(PredictionsOutputDatasetFacet)


@attr.define(kw_only=True)
class Origin:
    """Where a dataset comes from; the days are ISO dates."""

    source: str | None = None
    method: str | None = None
    collectedFrom: str | None = None
    collectedTo: str | None = None


@attr.define(kw_only=True)
class DataGovernanceDatasetFacet(DatasetFacet):
    """`lineward_dataGovernance`, on a dataset: what its steward has to know."""

    licence: str | None = None
    origin: Origin | None = None
    personalData: bool | None = None
    specialCategories: list[str] | None = None
    lawfulBasis: str | None = None
    purposes: list[str] | None = None
    retentionUntil: str | None = None
    storageCountry: str | None = None

    @staticmethod
    def _get_schema() -> str:
        return facet_url("LinewardDataGovernanceDatasetFacet")
