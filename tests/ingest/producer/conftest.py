from collections.abc import Iterator
from pathlib import Path
from threading import enumerate as live_threads

import pytest
from openlineage.client import OpenLineageClient

from tests.ingest.producer.collector import Collector, Memory, client_of


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    yield server
    server.close()
    for thread in live_threads():
        if thread.name == "lineward-delivery":
            thread.join(10)


@pytest.fixture
def client(collector: Collector) -> Iterator[OpenLineageClient]:
    public = client_of(collector.url)
    yield public
    public.close()


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where events go that cannot be delivered, for a Delivery that is not told."""
    path = tmp_path / "spool.ndjson"
    monkeypatch.setenv("LINEWARD_SPOOL", str(path))
    return path
