"""What a bank's team reports: applications become features, features a model, which is served; names of all sorts."""

from typing import Any
from uuid import UUID

from tests.end_to_end.server_process import Event

LAKE, REGISTRY, JOBS = "s3://lake-eu", "mlflow://models.example", "airflow"
REFERENCES = 52  # tables that one run reads
HOSTILE = (
    "<script>document.title = 'taken'</script>",
    "<img src=x onerror=document.title='taken'>",
    "\u202egnp.elif\u202c",
    "\u001b[31mred\u001b[0m",
    "x" * 10_000,
    "https://elsewhere.example/pixel.png",
    "=HYPERLINK(1)",
)


def event(number: int, job: str, at: str, kind: str = "COMPLETE", **sides: Any) -> Event:
    """`number` names the run."""
    return {
        "eventType": kind,
        "eventTime": f"2026-10-{at}:00Z",
        "run": {"runId": str(UUID(int=number)), "facets": sides.pop("run_facets", {})},
        "job": {"namespace": JOBS, "name": job, "facets": sides.pop("job_facets", {})},
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        **sides,
    }


def facet(**content: Any) -> dict[str, Any]:
    return {"_producer": "urn:test", "_schemaURL": "https://example.org/Facet.json", **content}


def table(name: str, version: str | None = None, namespace: str = LAKE, **facets: Any) -> dict[str, Any]:
    written = {"version": facet(datasetVersion=version)} if version else {}
    return {"namespace": namespace, "name": name, "facets": written | facets}


def model(version: str) -> dict[str, Any]:
    return table("loan-default", version, REGISTRY, datasetType=facet(datasetType="MODEL"))


def training(number: int, at: str, features: str, version: str) -> Event:
    parameters = [{"key": "max_depth", "value": "6"}, {"key": "seed", "value": "1729"}]
    code = facet(type="git", url="https://git.example/risk", version="9c41ad2" + "0" * 33, path="train.py")
    return event(
        number,
        "train_xgboost",
        at,
        inputs=[table("features.loan_default", features)],
        outputs=[model(version)],
        run_facets={"executionParameters": facet(parameters=parameters)},
        job_facets={"sourceCodeLocation": code},
    )


def story() -> list[Event]:
    fields = facet(fields=[{"name": "age", "type": "int"}, {"name": "income", "type": "double"}])
    column = facet(
        fields={
            "income_band": {
                "inputFields": [
                    {
                        "namespace": LAKE,
                        "name": "raw.loan_applications",
                        "field": "income",
                        "transformations": [{"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": False}],
                    }
                ]
            }
        }
    )
    raw = table("raw.loan_applications", "2026-10-01", schema=fields)
    references = [table(f"reference.codes_{number:02}", "1") for number in range(REFERENCES)]
    service = {"jobType": facet(processingType="SERVICE", integration="TEST", jobType="SERVICE")}
    return [
        event(1, "receive", "01T04:00", outputs=[raw]),
        event(
            2,
            "build_features",
            "01T05:00",
            inputs=[raw, table("raw.bureau_scores", "7"), *references],
            outputs=[table("features.loan_default", "40", columnLineage=column)],
        ),
        training(3, "02T09:00", "40", "6"),
        event(4, "loan-scoring", "02T12:00", "RUNNING", inputs=[model("6")], job_facets=service),
        event(
            5,
            "build_features",
            "09T05:00",
            inputs=[raw, *references],
            outputs=[table("features.loan_default", "41", columnLineage=column)],
        ),
        training(6, "10T09:00", "41", "7"),
        event(7, "report", "10T10:00", inputs=[model("7")], outputs=[table("reports.monthly", "1")]),
        event(8, "hostile", "11T09:00", inputs=[model("7")], outputs=[table(name, "1") for name in HOSTILE]),
    ]
