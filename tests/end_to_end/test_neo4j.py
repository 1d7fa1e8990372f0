"""Neo4j as the store: the same answers as the embedded one, and nothing lost while it is away."""

from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.server_process import GraphQLError, ServerProcess, eventually, lineward, serving
from tests.end_to_end.story import DEPLOYMENT, LINEAGE, MODEL, dataset, event, names, story
from tests.neo4j_server import RunningServer

pytestmark = pytest.mark.neo4j

QUESTIONS: tuple[dict[str, Any], ...] = (
    {"of": MODEL},
    {"of": DEPLOYMENT},
    {"of": MODEL, "at": {"known": 4}},
    {"of": DEPLOYMENT, "at": {"valid": "2026-03-01T11:30:00Z"}},
    {"of": {"dataset": {"namespace": "warehouse", "name": "features", "version": "f1"}}},
)


def credentials(neo4j: RunningServer) -> dict[str, str]:
    user, password = neo4j.auth or (None, None)
    return {"neo4j_user": user, "neo4j_password": password} if user and password else {}


def test_neo4j_may_stop_and_start_and_answers_as_sqlite_does(tmp_path: Path, stoppable_neo4j: RunningServer) -> None:
    data, settings = tmp_path / "data", credentials(stoppable_neo4j)
    with serving(data, "--graph", stoppable_neo4j.uri, **settings) as server:
        server.record(*story())
        assert server.await_projection() == 5
        assert names(server.ask(LINEAGE, of=DEPLOYMENT)["lineage"]) >= {"scoring", "churn", "train", "features", "raw"}

        stoppable_neo4j.stop()
        eventually(lambda: server.ready()["status"] == "degraded", "degraded state")
        meanwhile_events_are_taken_and_questions_refused(server)

        stoppable_neo4j.start()
        assert server.await_projection() == 7
        eventually(lambda: server.ready()["status"] == "ready", "ready state")
        assert names(server.ask(LINEAGE, of=model(2))["lineage"]) >= {"churn", "train", "features"}
        from_neo4j = answers(server)
        rebuilt = lineward("rebuild", "--verify", "--data", data, "--graph", stoppable_neo4j.uri, **settings)
        assert rebuilt.returncode == 0, rebuilt.stderr

    with serving(data) as server:
        server.await_projection()
        assert answers(server) == from_neo4j
    embedded = lineward("rebuild", "--verify", "--data", data)
    assert embedded.stdout == rebuilt.stdout  # which holds the digest


def meanwhile_events_are_taken_and_questions_refused(server: ServerProcess) -> None:
    assert server.get("/readyz").status_code == 200
    assert server.get("/livez").status_code == 200
    features = dataset("features", "f1")
    churn = model(2)["model"]
    written = dataset(churn["name"], churn["version"], churn["namespace"])
    server.record(
        event(4, "train", "12:00:00", "START", inputs=[features]),
        event(4, "train", "12:05:00", "COMPLETE", inputs=[features], outputs=[written]),
    )
    with pytest.raises(GraphQLError) as refused:
        server.ask(LINEAGE, of=MODEL)
    assert refused.value.codes == ["STORE_UNAVAILABLE"]


def model(version: int) -> dict[str, Any]:
    return {"model": {**MODEL["model"], "version": str(version)}}


def answers(server: ServerProcess) -> list[bytes]:
    """As they are on the wire."""
    found = [server.answer(LINEAGE, **question).content for question in (*QUESTIONS, {"of": model(2)})]
    assert [answer for answer in found if b'"errors"' in answer] == []
    return found
