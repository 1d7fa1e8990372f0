"""What a lender's team reports of versions of models: one in full, one that differs, one with next to nothing."""

from typing import Any

from tests.end_to_end.server_process import Event
from tests.explorer.credit import HOSTILE, LAKE, REGISTRY, event, facet, table

MODEL = "loan-default"
DIGEST = "sha256:" + "ab" * 32
PARTS = {"sex=female": 0.71, "sex=male": 0.84}
ROC = ((0.2, 0.61, 0.93), (0.5, 0.18, 0.66), (0.8, 0.04, 0.27))  # threshold, false and true positive rate
BINS = ((0.1, 0.08), (0.4, 0.45), (0.8, 0.77))  # predicted, observed


def version(name: str, model: str = MODEL, **facets: Any) -> dict[str, Any]:
    return table(model, name, REGISTRY, datasetType=facet(datasetType="MODEL"), **facets)


def used_as(role: str, name: str, label: str, **facets: Any) -> dict[str, Any]:
    told = facet(role=role, splitGroup="loans", digest=DIGEST)
    return {**table(name, label, **facets), "inputFacets": {"lineward_input": told}}


def schema(**columns: str) -> dict[str, Any]:
    return facet(fields=[{"name": name, "type": kind} for name, kind in columns.items()])


def described() -> dict[str, Any]:
    """Facets of a dataset of which everything is told."""
    told = facet(
        licence="CC-BY-4.0",
        origin={"source": "the loan desk", "method": "collected"},
        personalData=True,
        specialCategories=["health"],
        lawfulBasis="contract",
        storageCountry="DE",
    )
    return {"lineward_dataGovernance": told, "ownership": facet(owners=[{"name": "team:data", "type": "OWNER"}])}


def column_lineage(source: str, **columns: str) -> dict[str, Any]:
    return facet(
        fields={
            made: {
                "inputFields": [
                    {
                        "namespace": LAKE,
                        "name": source,
                        "field": of,
                        "transformations": [{"type": "DIRECT", "subtype": "IDENTITY", "masking": False}],
                    }
                ]
            }
            for made, of in columns.items()
        }
    )


def training(number: int, at: str, features: str, made: str, depth: int, commit: str) -> Event:
    parameters = [{"key": "max_depth", "value": str(depth)}, {"key": "rounds", "value": "60"}]
    told = facet(seed=1729, environmentDigest=DIGEST, authors=["dana@bank.example"], user="dana@bank.example")
    return event(
        number,
        "train",
        at,
        inputs=[used_as("training", "features", features)],
        outputs=[version(made, lineward_model=facet(framework="xgboost", task="ranking", digest=DIGEST))],
        run_facets={"executionParameters": facet(parameters=parameters), "lineward_training": told},
        job_facets={
            "sourceCodeLocation": facet(
                type="git", url="https://git.example/risk", version=commit * 20, path="train.py"
            )
        },
    )


def evaluation(number: int, at: str, of: str, shift: float) -> Event:
    metrics: list[dict[str, Any]] = [{"name": "roc_auc", "value": 0.81 + shift, "higherIsBetter": True}]
    metrics += [{"name": "approval_rate", "slice": part, "value": rate} for part, rate in PARTS.items()]
    for threshold, false, true in ROC:
        metrics.append({"name": "false_positive_rate", "slice": f"threshold={threshold}", "value": false})
        metrics.append({"name": "true_positive_rate", "slice": f"threshold={threshold}", "value": true})
    for number_of_bin, (predicted, observed) in enumerate(BINS):
        metrics.append({"name": "mean_predicted", "slice": f"bin={number_of_bin}", "value": predicted})
        metrics.append({"name": "fraction_positive", "slice": f"bin={number_of_bin}", "value": observed})
    told = facet(kind="performance", metrics=metrics, slices=[{"name": part, "count": 400} for part in PARTS])
    return event(
        number,
        "evaluate",
        at,
        inputs=[version(of), used_as("test", "held_out", "1")],
        run_facets={"lineward_evaluation": told},
    )


def story() -> list[Event]:
    raw = table("applications", "2026-10-01", schema=schema(age="int", income="double"), **described())
    tagged = {"tags": facet(tags=[{"key": "protected", "value": "age", "field": "age"}])}
    raw["facets"] |= tagged
    service = {"jobType": facet(processingType="SERVICE", integration="TEST", jobType="SERVICE")}
    serving = {"lineward_serving": facet(environment="production", endpoint="https://score.example", role="primary")}
    return [
        event(1, "receive", "01T04:00", outputs=[raw]),
        event(
            2,
            "build",
            "01T05:00",
            inputs=[raw],
            outputs=[
                table(
                    "features",
                    "40",
                    schema=schema(age="int", income="double"),
                    columnLineage=column_lineage("applications", age="age", income="income"),
                ),
                table("held_out", "1"),
            ],
        ),
        training(3, "02T09:00", "40", "1", 6, "a1"),
        evaluation(4, "02T10:00", "1", 0.0),
        event(5, "scoring", "02T12:00", "RUNNING", inputs=[version("1")], job_facets=service, run_facets=serving),
        event(
            6,
            "build",
            "09T05:00",
            inputs=[raw],
            outputs=[
                table(
                    "features",
                    "41",
                    schema=schema(income="double"),
                    columnLineage=column_lineage("applications", income="income"),
                ),
            ],
        ),
        training(7, "10T09:00", "41", "2", 4, "b2"),
        evaluation(8, "10T10:00", "2", -0.02),
        event(9, "scoring", "10T12:00", "RUNNING", inputs=[version("2")], job_facets=service, run_facets=serving),
        event(10, "hand_made", "11T09:00", outputs=[version("1", model="orphan")]),
        event(
            11,
            HOSTILE[0],
            "12T09:00",
            inputs=[table(name, "1") for name in HOSTILE],
            outputs=[version(HOSTILE[2], model=HOSTILE[4])],
            run_facets={"executionParameters": facet(parameters=[{"key": HOSTILE[0], "value": HOSTILE[3]}])},
        ),
    ]
