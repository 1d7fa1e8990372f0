"""The public OpenLineage client against a real server: what it sends arrives, once, and answers questions."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import dataset_type_dataset, dataset_version_dataset
from openlineage.client.transport.async_http import AsyncHttpTransport

from tests.end_to_end.lossy_proxy import losing_the_first_answer
from tests.end_to_end.server_process import GraphQLError, ServerProcess, eventually, lineward, serving
from tests.end_to_end.story import LINEAGE, REGISTRY, dataset, event, names

FIND = "query ($ref: NodeRef!, $atLeast: String) { find(ref: $ref, atLeast: $atLeast) { name } }"


def client(url: str, **transport: Any) -> OpenLineageClient:
    return OpenLineageClient(config={"transport": {"type": "http", "url": url} | transport})


def happened(state: RunState, number: int, second: int = 0, **sides: Any) -> RunEvent:
    """`number` names the run."""
    moment = f"2026-03-01T09:00:{second:02}Z"
    return RunEvent(eventType=state, eventTime=moment, run=Run(str(UUID(int=number))), job=Job("jobs", "fit"), **sides)


def table(name: str) -> InputDataset:
    version = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion="1")
    return InputDataset("warehouse", name, facets={"version": version})


def model(version: int) -> OutputDataset:
    facets = {
        "version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(version)),
        "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet(datasetType="MODEL"),
    }
    return OutputDataset(REGISTRY, "risk", facets=facets)


def upstream(server: ServerProcess, version: int) -> Any:
    of = {"model": {"namespace": REGISTRY, "name": "risk", "version": str(version)}}
    return server.ask(LINEAGE, of=of)["lineage"]


@pytest.mark.parametrize(("number", "transport"), [(101, {}), (102, {"compression": "gzip"})], ids=["plain", "gzip"])
def test_events_of_the_client_become_lineage(
    shared_server: ServerProcess, number: int, transport: dict[str, Any]
) -> None:
    sender = client(shared_server.url, **transport)
    sender.emit(happened(RunState.START, number, inputs=[table("train")]))
    sender.emit(happened(RunState.COMPLETE, number, 9, inputs=[table("train")], outputs=[model(number)]))
    shared_server.await_projection()
    found = upstream(shared_server, number)
    assert names(found) == {"risk", "fit", "train"}
    assert [gap["kind"] for gap in found["gaps"]] == ["UNKNOWN_PRODUCER"]


def test_events_that_race_on_many_connections_are_put_together(shared_server: ServerProcess) -> None:
    runs = range(1, 41)
    sender = client(shared_server.url, type="async_http")
    assert isinstance(sender.transport, AsyncHttpTransport)
    for run in runs:
        if run % 2:
            sender.emit(happened(RunState.START, run))
        sender.emit(happened(RunState.RUNNING, run, 1, inputs=[table("left")]))
        sender.emit(happened(RunState.COMPLETE, run, 2, inputs=[table("right")], outputs=[model(run)]))
    assert sender.close(timeout=30)
    assert sender.transport.get_stats() == {"pending": 0, "success": 100, "failed": 0}
    shared_server.await_projection()
    for run in runs:
        assert names(upstream(shared_server, run)) == {"risk", "fit", "left", "right"}


def test_a_retry_after_a_crash_is_recognised(tmp_path: Path) -> None:
    """The server takes the event, dies before the client hears of it, and is started again: the client tries again."""
    with ExitStack() as servers:
        running = [servers.enter_context(serving(tmp_path / "data"))]

        def crash() -> None:
            running[0].kill()
            running.insert(0, servers.enter_context(serving(tmp_path / "data")))

        with losing_the_first_answer(lambda: running[0].url, crash) as proxy:
            # Its patience for an answer must outlast a restart on a busy machine.
            client(proxy.url, compression="gzip", timeout=60).emit(happened(RunState.COMPLETE, 1, outputs=[model(1)]))
        first, again = (answer.json() for answer in proxy.answers)
        assert proxy.bodies[0] == proxy.bodies[1]
        assert (first["duplicate"], again["duplicate"]) == (False, True)
        assert again | {"duplicate": False} == first
        assert running[0].await_projection() == 1
    verified = lineward("verify", tmp_path / "data")
    assert verified.returncode == 0, verified.stderr


def test_a_token_reads_its_own_write(shared_server: ServerProcess) -> None:
    for number in range(201, 231):
        written = dataset(f"table {number}", "1")
        (answer,) = shared_server.record(event(number, "load", "09:00:00", "COMPLETE", outputs=[written]))
        ref = {"dataset": {"namespace": "warehouse", "name": f"table {number}"}}
        assert shared_server.ask(FIND, ref=ref, atLeast=answer["token"]) == {"find": {"name": f"table {number}"}}


def test_a_token_is_never_answered_from_an_older_graph(tmp_path: Path) -> None:
    ref = {"dataset": {"namespace": "warehouse", "name": "late"}}
    with serving(tmp_path / "data", wait_seconds="0.3") as server:
        eventually(server.projector, "projector")
        projector = server.projector()
        assert projector is not None
        os.kill(projector, signal.SIGSTOP)
        (answer,) = server.record(event(1, "load", "09:00:00", "COMPLETE", outputs=[dataset("late", "1")]))
        with pytest.raises(GraphQLError) as refused:
            server.ask(FIND, ref=ref, atLeast=answer["token"])
        assert refused.value.codes == ["STALE_PROJECTION"]
        os.kill(projector, signal.SIGCONT)
        server.await_projection()
        assert server.ask(FIND, ref=ref, atLeast=answer["token"]) == {"find": {"name": "late"}}
