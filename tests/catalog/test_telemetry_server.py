"""What a server logs while requests fail: the faults, and nothing that opens a door."""

import json
from pathlib import Path

import httpx

from tests.catalog.commands.conftest import TRAIN, training
from tests.end_to_end.server_process import serving

PASSWORD = "hunter2-of-the-graph"
KEY = f"lw_0123456789ab_{'5e' * 32}"
URI = "postgres://ann:in-a-dataset-name@db.example/customers"
QUESTION = {"namespace": "registry", "model": "risk", "version": "1", "environment": "production"}


def test_the_log_of_requests_that_fail_holds_no_secret(tmp_path: Path) -> None:
    """The graph is down, credentials are wrong, bodies are broken, names are URIs with passwords in them."""
    headers = {"authorization": f"Bearer {KEY}"}
    events = training(TRAIN, "registry", "1")
    events[0]["inputs"][0]["name"] = URI
    graph = {"graph": "bolt://127.0.0.1:9", "neo4j_user": "neo4j", "neo4j_password": PASSWORD, "wait_seconds": "0"}
    with serving(tmp_path / "data", **graph) as server, httpx.Client(base_url=server.url, headers=headers) as client:
        taken = client.post("/api/v1/lineage", json=events[0])
        assert taken.status_code == 201
        assert client.post("/api/v1/lineage", content=json.dumps(URI)).status_code in (400, 422)
        asked = client.post("/graphql", json={"query": f'{{ search(text: "{URI}") {{ edges {{ node {{ id }} }} }} }}'})
        assert asked.json()["errors"]
        assert client.post("/api/v1/gate/decisions", json=QUESTION).json()["state"] == "INDETERMINATE"
        assert client.get("/readyz").json()["status"] == "degraded"
        assert PASSWORD not in client.get("/metrics").text
        assert server.stop() == 0
    (log,) = tmp_path.glob("data.*.log")
    said = log.read_text()
    assert "gate.blind" in said
    for secret in (PASSWORD, KEY, "5e" * 32, "in-a-dataset-name"):
        assert secret not in said
