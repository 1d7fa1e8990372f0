import json
import subprocess
import sys

import attr
import pytest
from jsonschema import ValidationError
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    BaseFacet,
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    RunFacet,
)
from openlineage.client.uuid import generate_new_uuid

from ingest.producer import facets
from ingest.producer.facets import (
    Compute,
    DataGovernanceDatasetFacet,
    EvaluationRunFacet,
    InputInputDatasetFacet,
    Logging,
    Metric,
    ModelDatasetFacet,
    ModelReference,
    Origin,
    Oversight,
    PredictionsOutputDatasetFacet,
    PredictionsRunFacet,
    RegistryDatasetFacet,
    ServedModel,
    ServingInputDatasetFacet,
    ServingRunFacet,
    Slice,
    TrainingRunFacet,
)
from tests.ingest.producer.collector import Memory
from tests.ingest.producer.core_spec import check_event, document, validator

DIGEST = "sha256:" + "ab" * 32

FULL: dict[str, BaseFacet] = {
    "lineward_model": ModelDatasetFacet(
        framework="scikit-learn",
        task="classification",
        intendedUse="ranking",
        outOfScopeUse="hiring",
        licence="Apache-2.0",
        digest=DIGEST,
        baseModel=ModelReference(namespace="mlflow://m", name="base", version="3"),
    ),
    "lineward_registry": RegistryDatasetFacet(aliases=["champion"]),
    "lineward_training": TrainingRunFacet(
        seed=7,
        environmentDigest=DIGEST,
        hardware="laptop",
        compute=Compute(flops=1e25, acceleratorHours=0.5, energyKilowattHours=2.0),
        user="ann@example.org",
        authors=["ann@example.org"],
    ),
    "lineward_input": InputInputDatasetFacet(role="training", splitGroup="g", digest=DIGEST),
    "lineward_evaluation": EvaluationRunFacet(
        kind="bias",
        metrics=[Metric(name="impact_ratio", value=0.9, unit="1", slice="sex=f", higherIsBetter=True)],
        slices=[Slice(name="sex=f", attributes=["sex"], count=12)],
        reportDigest=DIGEST,
    ),
    "lineward_serving": ServingRunFacet(
        endpoint="https://s.example/score",
        environment="production",
        country="DE",
        models=[ServedModel(namespace="mlflow://m", name="n", version="1", digest=DIGEST, role="canary", share=0.1)],
        role="primary",
        share=1.0,
        logging=Logging(enabled=True, schemaDigest=DIGEST, retentionDays=30),
        oversight=Oversight(assignedTo=["team:x"], overrideEnabled=True),
        decisionMode="advisory",
        heartbeatSeconds=60,
    ),
    "lineward_predictions": PredictionsRunFacet(
        from_="2026-03-01T09:00:00.000Z",
        to="2026-03-01T09:01:00.000Z",
        count=3,
        schemaDigest=DIGEST,
        root=DIGEST,
        windowId="w",
    ),
    "lineward_dataGovernance": DataGovernanceDatasetFacet(
        licence="CC-BY-4.0",
        origin=Origin(source="bureau", method="form", collectedFrom="2025-01-01", collectedTo="2025-12-31"),
        personalData=True,
        specialCategories=[],
        lawfulBasis="contract",
        purposes=["scoring"],
        retentionUntil="2031-12-31",
        storageCountry="DE",
    ),
}
OUTPUT = PredictionsOutputDatasetFacet(
    from_="2026-03-01T09:00:00.000Z",
    to="2026-03-01T09:01:00.000Z",
    count=3,
    schemaDigest=DIGEST,
    root=DIGEST,
    windowId="w",
)
ON_INPUT = ServingInputDatasetFacet(role="shadow", share=0.0)


def event_with(memory: Memory) -> dict[str, object]:
    """An event that carries every facet of ours, as the real client serialises it."""
    runs = {key: facet for key, facet in FULL.items() if isinstance(facet, RunFacet)}
    datasets = {key: facet for key, facet in FULL.items() if isinstance(facet, DatasetFacet)}
    inputs: dict[str, InputDatasetFacet] = {"lineward_serving": ON_INPUT}
    inputs |= {key: facet for key, facet in FULL.items() if isinstance(facet, InputDatasetFacet)}
    outputs: dict[str, OutputDatasetFacet] = {"lineward_predictions": OUTPUT}
    OpenLineageClient(transport=memory).emit(
        RunEvent(
            eventType=RunState.RUNNING,
            eventTime="2026-03-01T09:00:00Z",
            run=Run(str(generate_new_uuid()), facets=runs),
            job=Job("jobs", "job"),
            inputs=[InputDataset("n", "in", inputFacets=inputs)],
            outputs=[OutputDataset("n", "out", facets=datasets, outputFacets=outputs)],
        )
    )
    return memory.events[0]


def test_what_the_client_sends_fits_the_schemas(memory: Memory) -> None:
    check_event(event_with(memory))


@pytest.mark.parametrize("facet", [*FULL.values(), OUTPUT, ON_INPUT], ids=lambda facet: type(facet).__name__)
def test_classes_and_schemas_name_the_same_properties(facet: BaseFacet) -> None:
    name = facet._get_schema().rpartition("/")[2]
    described = document(name)["$defs"][name]["allOf"][1]["properties"]
    assert {field.name for field in attr.fields(type(facet))} - {
        "_producer",
        "_schemaURL",
        "_deleted",
    } == set(described)


def test_a_window_is_sent_with_from(memory: Memory) -> None:
    sent = json.loads(json.dumps(event_with(memory)))
    for facet in (sent["run"]["facets"], sent["outputs"][0]["outputFacets"]):
        assert facet["lineward_predictions"]["from"] == "2026-03-01T09:00:00.000Z"
        assert "from_" not in facet["lineward_predictions"]


def test_facets_are_set_in_one_line_and_take_further_properties() -> None:
    run = Run(str(generate_new_uuid()), facets={"lineward_training": TrainingRunFacet(seed=7)})
    assert run.facets is not None
    assert "spotPrice" in {
        field.name
        for field in attr.fields(type(run.facets["lineward_training"].with_additional_properties(spotPrice=1)))
    }


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("LinewardInputInputDatasetFacet", {"role": "trainig"}),
        ("LinewardTrainingRunFacet", {"seed": "seven"}),
        ("LinewardTrainingRunFacet", {"authors": "ann@example.org"}),
        ("LinewardServingInputDatasetFacet", {"share": 1.5}),
        ("LinewardEvaluationRunFacet", {"kind": "bias"}),
        (
            "LinewardPredictionsRunFacet",
            {"from": "2026-03-01T09:00:00Z", "to": "2026-03-01T09:00:01Z", "count": -1},
        ),
    ],
)
def test_the_schemas_refuse_mistakes(name: str, body: dict[str, object]) -> None:
    facet = {"_producer": "https://p.example", "_schemaURL": "https://s.example", **body}
    with pytest.raises(ValidationError):
        validator(f"https://lineward.dev/spec/facets/1-0-0/{name}.json#/$defs/{name}").validate(facet)


def test_the_producer_needs_nothing_of_the_service() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", "import sys, ingest.producer; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = answer.stdout.split()
    service = {
        "catalog",
        "policies",
        "catalog_graphql",
        "starlette",
        "pydantic",
        "msgspec",
        "orjson",
        "neo4j",
    }
    assert not service & {name.partition(".")[0] for name in loaded}
    assert all(name.startswith(("ingest.producer", "ingest.spec")) for name in loaded if name.startswith("ingest."))


def test_every_facet_class_is_tried_here() -> None:
    classes = {item for item in vars(facets).values() if isinstance(item, type) and issubclass(item, BaseFacet)}
    ours = {item for item in classes if item.__module__ == facets.__name__}
    assert ours == {type(facet) for facet in [*FULL.values(), OUTPUT, ON_INPUT]}
