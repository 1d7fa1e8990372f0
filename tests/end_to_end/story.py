"""What a small team reports: a table becomes features, features train a model, a service serves it."""

from typing import Any
from uuid import UUID

from tests.end_to_end.server_process import Event

REGISTRY = "mlflow://registry.example"
MODEL = {"model": {"namespace": REGISTRY, "name": "churn", "version": "1"}}
DEPLOYMENT = {"job": {"namespace": "jobs", "name": "scoring"}}

LINEAGE = """
query ($of: NodeRef!, $at: AsOf, $atLeast: String) {
  lineage(of: $of, depth: 10, at: $at, atLeast: $atLeast) {
    root { id }
    nodes { id kind namespace name ...on DatasetVersion { version } ...on ModelVersion { version } ...on Run { runId } }
    edges { from to basis firstSeen lastSeen runs stale }
    depthReached truncated { reason } gaps { kind node reason }
    snapshot { logSize root valid known }
  }
}
"""


def event(number: int, job: str, at: str, kind: str, **sides: Any) -> Event:
    """`number` names the run."""
    return {
        "eventType": kind,
        "eventTime": f"2026-03-01T{at}Z",
        "run": {"runId": str(UUID(int=number)), **sides.pop("run", {})},
        "job": {"namespace": "jobs", "name": job, **sides.pop("job_facets", {})},
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        **sides,
    }


def dataset(name: str, version: str, namespace: str = "warehouse", **facets: Any) -> Any:
    written = {"version": {"datasetVersion": version}} | facets
    return {"namespace": namespace, "name": name, "facets": {key: facet(value) for key, value in written.items()}}


def facet(content: dict[str, Any]) -> dict[str, Any]:
    return {"_producer": "urn:test", "_schemaURL": "https://example.org/Facet.json"} | content


def story() -> list[Event]:
    raw, features = dataset("raw", "r1"), dataset("features", "f1")
    model = dataset("churn", "1", REGISTRY, datasetType={"datasetType": "MODEL"})
    service = {"facets": {"jobType": facet({"processingType": "SERVICE", "integration": "TEST"})}}
    return [
        event(1, "prepare", "09:00:00", "START", inputs=[raw]),
        event(1, "prepare", "09:01:00", "COMPLETE", inputs=[raw], outputs=[features]),
        event(2, "train", "10:00:00", "START", inputs=[features]),
        event(2, "train", "10:05:00", "COMPLETE", inputs=[features], outputs=[model]),
        event(3, "scoring", "11:00:00", "RUNNING", inputs=[model], job_facets=service),
    ]


def names(lineage: Any) -> set[str]:
    return {node["name"] for node in lineage["nodes"]}
